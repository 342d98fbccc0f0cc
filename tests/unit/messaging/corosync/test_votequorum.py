"""votequorum: a line per case."""

import pytest

from hatools.messaging.corosync.votequorum import Ballot, QuorumOptions, TieBreaker, VoteQuorum


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


def of(*numbers: int, expected: int) -> dict[int, Ballot]:
    """Ballots of nodes that were quorate together, all of ``1..expected``."""
    everybody = frozenset(range(1, expected + 1))
    return {number: Ballot(1, expected, False, True, everybody) for number in numbers}


@pytest.mark.parametrize(
    ("breaker", "listed", "half", "quorate"),
    [(TieBreaker.LOWEST, (), (1, 2), True), (TieBreaker.LOWEST, (), (3, 4), False),
     (TieBreaker.HIGHEST, (), (3, 4), True), (TieBreaker.HIGHEST, (), (1, 2), False),
     (TieBreaker.LIST, (3, 1), (1, 2), False), (TieBreaker.LIST, (9, 3), (3, 4), True),
     (TieBreaker.NONE, (), (1, 2), False)],
)  # fmt: skip
def test_a_tie_is_won_by_the_half_with_the_deciding_node(
    breaker: TieBreaker, listed: tuple[int, ...], half: tuple[int, ...], quorate: bool
) -> None:
    quorum = VoteQuorum(QuorumOptions(expected_votes=4, tie_breaker=breaker, tie_breaker_nodes=listed))
    quorum.decide(of(1, 2, 3, 4, expected=4))

    assert quorum.decide(of(*half, expected=4)).quorate is quorate


def test_a_minority_with_the_deciding_node_does_not_win() -> None:
    quorum = VoteQuorum(QuorumOptions(expected_votes=5, tie_breaker=TieBreaker.LOWEST))
    quorum.decide(of(1, 2, 3, 4, 5, expected=5))

    assert not quorum.decide(of(1, 2, expected=5)).quorate


def test_the_last_men_standing_no_longer_expect_who_is_gone() -> None:
    quorum = VoteQuorum(QuorumOptions(expected_votes=5, last_man_standing=True))
    quorum.decide(of(1, 2, 3, 4, 5, expected=5))
    assert quorum.standing_votes == 0
    quorum.decide(of(1, 2, 3, expected=5))
    assert quorum.standing_votes == 3

    quorum.set_expected_votes(3)

    assert quorum.decide(of(1, 2, expected=3)).quorate
    assert not quorum.decide(of(1, expected=2)).quorate, "without a tie breaker two is the least"


def test_votes_of_those_who_were_absent_do_not_make_a_part_of_the_last_men_standing_quorate() -> None:
    """3, 4 and 5 expect nobody else; then 3 meets 1 while 4 and 5 meet 2: only those hold most of the three."""
    options = QuorumOptions(expected_votes=5, last_man_standing=True, wait_for_all=True)
    standing = Ballot(1, 3, False, True, frozenset({3, 4, 5}), 16)
    absent = Ballot(1, 5, True, False, frozenset({1, 2, 3, 4, 5}), 12)
    again = Ballot(1, 5, True, False)

    verdicts = [
        VoteQuorum(options).decide(met).quorate
        for met in (
            {1: absent, 3: standing},
            {2: absent, 4: standing, 5: standing},
            {1: absent, 2: absent, 3: standing},
            {4: again, 5: standing},
            {1: absent, 2: absent, 3: standing, 4: again, 5: again},
        )
    ]

    assert verdicts == [False, True, False, False, True]


def test_a_clean_goodbye_lowers_the_expectation_if_that_is_allowed() -> None:
    quorum = VoteQuorum(QuorumOptions(expected_votes=3, allow_downscale=True))
    quorum.decide(of(1, 2, 3, 4, 5, expected=5))

    assert quorum.decide(of(1, 2, 3, 4, expected=5), frozenset({5})).highest_expected == 4
    assert quorum.decide(of(1, 2, expected=4), frozenset({3, 4})).highest_expected == 3
    assert quorum.decide(of(1, expected=3)).highest_expected == 3


def test_a_node_that_came_back_since_decides_no_tie() -> None:
    """1 left, 2, 3 and 4 stayed quorate; 1 is back with 3 while 2 and 4 are together: 2 is the lowest of the last."""
    options = QuorumOptions(expected_votes=4, tie_breaker=TieBreaker.LOWEST)
    last = frozenset({2, 3, 4})
    stayed = Ballot(1, 4, False, True, last, 9)
    older = Ballot(1, 4, False, False, frozenset({1, 2, 3, 4}), 5)

    with_the_lowest = VoteQuorum(options).decide({2: stayed, 4: stayed})
    with_the_other = VoteQuorum(options).decide({1: older, 3: stayed})

    assert (with_the_lowest.quorate, with_the_other.quorate) == (True, False)
