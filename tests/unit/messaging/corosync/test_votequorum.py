"""votequorum: a line per case."""

import pytest

from hatools.messaging.corosync.votequorum import Ballot, QuorumOptions, VoteQuorum


def ballots(count: int, expected: int, *, waiting: bool = False, quorate: bool = False) -> dict[int, Ballot]:
    return {number: Ballot(1, expected, waiting, quorate) for number in range(1, count + 1)}


@pytest.mark.parametrize(
    ("present", "expected", "quorum", "quorate"),
    [(1, 1, 1, True), (1, 2, 2, False), (2, 2, 2, True), (1, 3, 2, False), (2, 3, 2, True), (2, 4, 3, False),
     (3, 4, 3, True), (3, 5, 3, True), (2, 5, 3, False), (16, 32, 17, False), (17, 32, 17, True)],
)  # fmt: skip
def test_more_than_half_of_the_expected_votes_are_a_quorum(
    present: int, expected: int, quorum: int, quorate: bool
) -> None:
    verdict = VoteQuorum(QuorumOptions(expected_votes=expected)).decide(ballots(present, expected))

    assert (verdict.quorum, verdict.quorate, verdict.total_votes) == (quorum, quorate, present)


def test_more_votes_than_expected_raise_the_expectation() -> None:
    verdict = VoteQuorum(QuorumOptions(expected_votes=2)).decide(ballots(4, 2))

    assert (verdict.highest_expected, verdict.quorum) == (4, 3)


def test_the_highest_expectation_among_the_members_counts() -> None:
    mixed = {1: Ballot(1, 2, False, False), 2: Ballot(1, 5, False, False)}

    assert not VoteQuorum(QuorumOptions(expected_votes=2)).decide(mixed).quorate


def test_votes_have_weight() -> None:
    mixed = {1: Ballot(3, 5, False, False)}

    assert VoteQuorum(QuorumOptions(votes=3, expected_votes=5)).decide(mixed).quorate


def test_without_a_provider_every_partition_is_quorate() -> None:
    assert VoteQuorum(QuorumOptions(provider=False, expected_votes=5)).decide(ballots(1, 5)).quorate


def two_nodes() -> VoteQuorum:
    return VoteQuorum(QuorumOptions(expected_votes=2, two_node=True, wait_for_all=True))


def test_two_node_needs_both_once_and_then_one() -> None:
    quorum = two_nodes()

    alone = quorum.decide({1: quorum.ballot()})
    both = quorum.decide({1: quorum.ballot(), 2: Ballot(1, 2, True, False)})
    left_over = quorum.decide({1: quorum.ballot()})

    assert [alone.quorate, both.quorate, left_over.quorate] == [False, True, True]
    assert left_over.quorum == 1
    assert left_over.flags == ("2Node", "Quorate", "WaitForAll")


def test_who_joins_a_partition_that_had_all_need_not_wait() -> None:
    newcomer = VoteQuorum(QuorumOptions(expected_votes=3, wait_for_all=True))

    verdict = newcomer.decide({1: Ballot(1, 3, False, True), 2: newcomer.ballot()})

    assert verdict.quorate
    assert not newcomer.ballot().waiting


def test_waiting_can_be_cancelled() -> None:
    quorum = VoteQuorum(QuorumOptions(expected_votes=3, wait_for_all=True))
    assert not quorum.decide({1: quorum.ballot(), 2: Ballot(1, 3, True, False)}).quorate

    quorum.cancel_wait_for_all()

    assert quorum.decide({1: quorum.ballot(), 2: Ballot(1, 3, False, False)}).quorate


def test_expected_votes_can_be_lowered_by_hand() -> None:
    quorum = VoteQuorum(QuorumOptions(expected_votes=3))
    assert not quorum.decide(ballots(1, 3)).quorate

    quorum.set_expected_votes(1)

    assert quorum.decide({1: quorum.ballot()}).quorate
