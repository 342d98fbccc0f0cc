"""Views and groups above a total order: three members, and an order that the test makes up."""

from hatools.messaging.groups import Card, Facts, Groups, Notice, Ruling
from hatools.messaging.packing import Outbox
from hatools.messaging.views import (
    Departed,
    DirectMessage,
    GroupMembersChanged,
    GroupMessage,
    GroupMessages,
    NodeIdentity,
    RingId,
    SafeUpTo,
    Upcall,
    View,
    ViewInstalled,
)
from hatools.values.bundle import pack_bundle


def facts() -> Facts:
    return {"votes": 1}


def rule(cards: dict[int, Card], left: frozenset[int]) -> Ruling:
    votes = tuple(sorted((card.name, int(card.facts["votes"])) for card in cards.values()))
    return Ruling(sum(vote for _, vote in votes) >= 2, votes)


class Cluster:
    """Members over one common order; packets are delivered to all of a ring at once."""

    def __init__(self, count: int) -> None:
        self.members = {
            number: Groups(NodeIdentity(number, f"n{number}"), Outbox(1000), facts, rule)
            for number in range(1, count + 1)
        }
        self.seen: dict[int, list[Upcall | Notice]] = {number: [] for number in self.members}
        self.packet = 0

    def form(self, sequence: int, *numbers: int, survivors: frozenset[int] | None = None) -> None:
        ring = RingId(sequence, min(numbers))
        for number in numbers:
            came = survivors if survivors is not None and number in survivors else frozenset({number})
            self.members[number].ring_formed(ring, tuple(numbers), came)

    def run(self, *numbers: int) -> None:
        """Deliver everything that the members have to send."""
        progress = True
        while progress:
            progress = False
            for number in numbers:
                payload = self.members[number]._outbox.pull()
                if payload is not None:
                    progress = True
                    self.packet += 1
                    for other in numbers:
                        self.seen[other] += self.members[other].ordered(number, self.packet, payload)

    def take(self, number: int) -> list[Upcall | Notice]:
        seen, self.seen[number] = self.seen[number], []
        return seen


def formed(*numbers: int) -> Cluster:
    cluster = Cluster(max(numbers))
    cluster.form(4, *numbers)
    cluster.run(*numbers)
    return cluster


def view_of(upcalls: list[Upcall | Notice]) -> View:
    return next(upcall.view for upcall in upcalls if isinstance(upcall, ViewInstalled))


def test_the_view_is_installed_when_all_cards_are_there() -> None:
    cluster = formed(1, 2, 3)

    for number in (1, 2, 3):
        view = view_of(cluster.take(number))
        assert [member.name for member in view.members] == ["n1", "n2", "n3"]
        assert (view.quorate, view.arrived, view.left, view.lost) == (True, (1, 2, 3), (), ())


def test_messages_wait_for_the_view() -> None:
    cluster = Cluster(2)
    cluster.members[1].broadcast("g", (b"early",), 5)
    cluster.form(4, 1, 2)
    cluster.run(1, 2)

    seen = cluster.take(2)

    assert isinstance(seen[0], ViewInstalled)
    assert seen[1] == GroupMessage("g", 1, 1, b"early", 5)


def test_a_survivor_stays_and_a_newcomer_arrives() -> None:
    cluster = formed(1, 2, 3)
    cluster.take(1)

    cluster.form(8, 1, 2, survivors=frozenset({1, 2}))
    cluster.run(1, 2)
    lost = view_of(cluster.take(1))
    cluster.form(12, 1, 2, 3, survivors=frozenset({1, 2}))
    cluster.run(1, 2, 3)
    back = view_of(cluster.take(1))

    assert (lost.arrived, lost.lost) == ((), (3,))
    assert (back.arrived, back.lost) == ((3,), ())


def test_a_member_that_came_another_way_was_lost_and_has_arrived() -> None:
    cluster = formed(1, 2, 3)
    cluster.take(1)

    cluster.form(8, 1, 2, survivors=frozenset({1, 2}))  # broken before the cards were delivered
    cluster.form(12, 1, 2, 3, survivors=frozenset({1, 2}))
    cluster.run(1, 2, 3)

    view = view_of(cluster.take(1))
    assert (view.arrived, view.lost) == ((3,), (3,))


def test_who_said_goodbye_has_left() -> None:
    cluster = formed(1, 2, 3)
    cluster.members[3].depart()
    cluster.run(1, 2, 3)
    assert cluster.take(3)[-1] == Departed()
    cluster.take(1)

    cluster.form(8, 1, 2, survivors=frozenset({1, 2}))
    cluster.run(1, 2)

    view = view_of(cluster.take(1))
    assert (view.left, view.lost) == ((3,), ())


def test_groups_are_joined_in_order_and_carried_over_to_the_next_view() -> None:
    cluster = formed(1, 2)
    cluster.take(2)

    cluster.members[1].join_group("g")
    cluster.run(1, 2)
    assert cluster.take(2) == [GroupMembersChanged("g", (1,), (1,), ())]
    cluster.members[2].join_group("g")
    cluster.run(1, 2)
    cluster.take(2)
    cluster.form(8, 2)
    cluster.run(2)

    assert cluster.take(2)[1:] == [GroupMembersChanged("g", (2,), (), (1,))]


def test_a_group_joined_behind_the_own_card_counts_in_the_view_the_card_is_for() -> None:
    cluster = Cluster(2)
    cluster.form(4, 1, 2)
    cluster.run(1)  # 1's card
    cluster.members[1].join_group("g")
    cluster.run(1)  # 1 joins, while 2's card is still missing
    cluster.run(1, 2)

    assert GroupMembersChanged("g", (1,), (1,), ()) in cluster.take(1)


def test_leaving_a_group_is_told() -> None:
    cluster = formed(1, 2)
    for number in (1, 2):
        cluster.members[number].join_group("g")
    cluster.run(1, 2)
    cluster.take(1)

    cluster.members[2].leave_group("g")
    cluster.run(1, 2)

    assert cluster.take(1) == [GroupMembersChanged("g", (1,), (), (2,))]


def test_a_direct_message_reaches_only_its_target_and_is_not_counted() -> None:
    cluster = formed(1, 2, 3)
    for number in (1, 2, 3):
        cluster.take(number)

    cluster.members[1].send_to("g", 3, (b"for you",))
    cluster.members[1].broadcast("g", (b"for all",), 0)
    cluster.run(1, 2, 3)

    assert cluster.take(2) == [GroupMessage("g", 1, 1, b"for all", 0)]
    assert cluster.take(3) == [DirectMessage("g", 1, b"for you"), GroupMessage("g", 1, 1, b"for all", 0)]


def test_safety_is_told_in_deliveries() -> None:
    cluster = formed(1, 2)
    for payload in (b"a", b"b", b"c"):
        cluster.members[1].broadcast("g", (payload,), 0)
        cluster.run(1, 2)

    assert cluster.members[2].safe(cluster.packet - 1) == [SafeUpTo(2)]
    assert cluster.members[2].safe(cluster.packet) == [SafeUpTo(3)]
    assert cluster.members[2].safe(cluster.packet) == []


def test_changed_votes_are_ruled_upon_again() -> None:
    cluster = formed(1)
    assert not view_of(cluster.take(1)).quorate

    cluster.members[1].amend_cards({"votes": 2})

    assert view_of(list(cluster.members[1].rule_again())).quorate
    assert cluster.members[1].rule_again() == []


def test_a_bundle_counts_as_many_messages_and_stays_whole() -> None:
    cluster = Cluster(2)
    cluster.form(4, 1, 2)
    cluster.run(1, 2)
    cluster.take(2)
    bundle = pack_bundle([b"x", b"y"], [3, 4])

    cluster.members[1].broadcast_many("g", bundle)
    cluster.members[1].broadcast("g", (b"z",), 5)
    cluster.run(1, 2)

    assert cluster.take(2) == [GroupMessages("g", 1, 1, 2, bundle), GroupMessage("g", 1, 3, b"z", 5)]


def test_a_direct_message_cut_within_its_head_reaches_only_its_target() -> None:
    """The first chunk may be too short to tell whom a message is for: what was for node 3 once ran on all nodes."""
    for filler in range(900, 1000):
        cluster = formed(1, 2, 3)
        cluster.members[1].broadcast("g", (b"." * filler,), 0)
        cluster.members[1].send_to("g", 3, (b"for you",))
        for number in (1, 2, 3):
            cluster.take(number)

        cluster.run(1, 2, 3)

        direct = {
            number: [upcall for upcall in cluster.take(number) if isinstance(upcall, DirectMessage)]
            for number in (1, 2, 3)
        }
        assert direct == {1: [], 2: [], 3: [DirectMessage("g", 1, b"for you")]}, filler
