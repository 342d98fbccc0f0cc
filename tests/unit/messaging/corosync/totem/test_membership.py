"""Votes of GATHER and the plan of RECOVERY."""

from hatools.messaging.corosync.totem.membership import Gathering, Vote, messages_to_recover, survivors_of
from hatools.messaging.corosync.totem.packets import CommitEntry, Join, Message
from hatools.messaging.corosync.totem.ring import FlowLimits, Ring
from hatools.messaging.views import NO_RING, RingId

OLD = RingId(4, 1)


def nodes(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


def join(candidates: frozenset[int], failed: frozenset[int] = nodes(), heard: frozenset[int] = nodes(1, 2, 3)) -> Join:
    return Join(candidates, failed, heard, 0, False)


def gathering(candidates: frozenset[int], failed: frozenset[int] = nodes()) -> Gathering:
    found = Gathering(1, candidates, failed)
    found.restart()
    return found


def test_equal_votes_of_all_complete_the_gathering() -> None:
    found = gathering(nodes(1, 2, 3))

    assert found.receive(2, join(nodes(1, 2, 3)), nodes()) is Vote.AGREED
    assert not found.is_complete()
    assert found.receive(3, join(nodes(1, 2, 3)), nodes()) is Vote.AGREED
    assert found.is_complete()


def test_a_vote_of_a_node_that_does_not_hear_us_does_not_count() -> None:
    found = gathering(nodes(1, 2))

    assert found.receive(2, join(nodes(1, 2), heard=nodes(3)), nodes()) is Vote.IGNORED
    assert not found.is_complete()


def test_a_larger_vote_is_taken_over() -> None:
    found = gathering(nodes(1, 2))

    assert found.receive(2, join(nodes(1, 2, 3)), nodes(1, 2)) is Vote.CHANGED
    assert found.candidates == nodes(1, 2, 3)


def test_a_smaller_vote_waits_for_its_sender_to_learn() -> None:
    found = gathering(nodes(1, 2, 3), nodes(3))

    assert found.receive(2, join(nodes(1, 2)), nodes()) is Vote.IGNORED


def test_who_holds_us_for_failed_has_failed_for_us() -> None:
    found = gathering(nodes(1, 2))

    assert found.receive(2, join(nodes(1, 2), failed=nodes(1)), nodes(1, 2)) is Vote.CHANGED
    assert found.proposed == nodes(1)


def test_who_holds_us_for_failed_does_not_bring_its_candidates_into_our_ring() -> None:
    found = gathering(nodes(1, 2))

    assert found.receive(3, join(nodes(1, 2, 3, 9), failed=nodes(1, 2)), nodes(1, 2)) is Vote.IGNORED
    found.receive(2, join(nodes(1, 2, 9), failed=nodes(1)), nodes(1, 2))
    assert found.candidates == nodes(1, 2)


def test_a_strangers_opinion_does_not_throw_a_member_out() -> None:
    found = gathering(nodes(1, 2))

    found.receive(3, join(nodes(1, 2, 3), failed=nodes(2)), nodes(1, 2))

    assert found.failed == nodes()


def test_silent_candidates_fail_when_the_time_is_up() -> None:
    found = gathering(nodes(1, 2, 3))
    found.receive(2, join(nodes(1, 2, 3)), nodes())

    assert found.give_up_silent() == nodes(3)
    assert found.proposed == nodes(1, 2)


def test_a_goodbye_takes_a_candidate_out() -> None:
    found = gathering(nodes(1, 2))

    assert found.receive(2, Join(nodes(1, 2), nodes(2), nodes(), 0, True), nodes(1, 2)) is Vote.CHANGED
    assert found.is_complete()


def entry(node: int, aru: int, highest: int, old: RingId = OLD) -> CommitEntry:
    return CommitEntry(node, True, old, aru, highest)


def test_survivors_come_from_the_same_ring() -> None:
    entries = (entry(1, 5, 5), entry(2, 5, 5), entry(3, 9, 9, RingId(4, 3)))

    assert survivors_of(entries, 1) == nodes(1, 2)
    assert survivors_of(entries, 3) == nodes(3)


def test_new_nodes_survive_alone() -> None:
    assert survivors_of((entry(1, 0, 0, NO_RING), entry(2, 0, 0, NO_RING)), 1) == nodes(1)


def ring_with(me: int, *numbers: int) -> Ring:
    ring = Ring(OLD, (1, 2, 3), me, FlowLimits())
    for number in numbers:
        ring.store(Message(OLD, number, 1, False, b""))
    return ring


def recovered(entries: tuple[CommitEntry, ...], me: int, ring: Ring) -> list[int]:
    return [message.sequence for message in messages_to_recover(entries, me, ring)]


def test_the_lowest_node_with_the_highest_aru_hands_on_what_others_lack() -> None:
    entries = (entry(1, 3, 3), entry(2, 5, 5), entry(3, 5, 5))

    assert recovered(entries, 1, ring_with(1, 1, 2, 3)) == []
    assert recovered(entries, 2, ring_with(2, 1, 2, 3, 4, 5)) == [4, 5]
    assert recovered(entries, 3, ring_with(3, 1, 2, 3, 4, 5)) == []


def test_behind_the_first_gap_everyone_hands_on_what_it_has() -> None:
    entries = (entry(1, 3, 7), entry(2, 3, 6))

    assert recovered(entries, 1, ring_with(1, 1, 2, 3, 7)) == [7]
    assert recovered(entries, 2, ring_with(2, 1, 2, 3, 6)) == [6]


def test_a_single_survivor_recovers_nothing() -> None:
    assert recovered((entry(1, 3, 7),), 1, ring_with(1, 1, 2, 3, 7)) == []
