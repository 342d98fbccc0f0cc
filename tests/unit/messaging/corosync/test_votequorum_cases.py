"""votequorum beside the original: histories of splits, deaths and returns, with the answers of corosync-vqsim."""

from pathlib import Path

import pytest

from hatools.messaging.corosync.votequorum import Ballot, QuorumOptions, TieBreaker, VoteQuorum
from hatools.values.records import replace

RULES: dict[str, tuple[int, QuorumOptions]] = {
    "majority4": (4, QuorumOptions()),
    "majority5": (5, QuorumOptions()),
    "wfa5": (5, QuorumOptions(wait_for_all=True)),
    "two_node": (2, QuorumOptions(two_node=True, wait_for_all=True)),
    "two_node_no_wfa": (2, QuorumOptions(two_node=True)),
    "atb4": (4, QuorumOptions(tie_breaker=TieBreaker.LOWEST)),
    "atb4_highest": (4, QuorumOptions(tie_breaker=TieBreaker.HIGHEST)),
    "atb4_list": (4, QuorumOptions(tie_breaker=TieBreaker.LIST, tie_breaker_nodes=(3, 1))),
    "atb6_wfa": (6, QuorumOptions(tie_breaker=TieBreaker.LOWEST, wait_for_all=True)),
    "lms5": (5, QuorumOptions(last_man_standing=True, wait_for_all=True)),
    "lms4_atb": (4, QuorumOptions(last_man_standing=True, wait_for_all=True, tie_breaker=TieBreaker.LOWEST)),
    "weights": (5, QuorumOptions()),
}
"""Expected votes and options. In ``weights`` node 1 has three votes, all others have one."""

Line = list[tuple[frozenset[int], bool]]


def read_cases() -> list[tuple[str, list[Line]]]:
    cases: list[tuple[str, list[Line]]] = []
    for text in (Path(__file__).with_name("votequorum_cases.txt")).read_text().splitlines():
        if text.startswith("case"):
            cases.append((text.split()[1], []))
        elif text and not text.startswith("#"):
            line = []
            for part in text.split(" | "):
                members, _, answer = part.partition(": ")
                line.append((frozenset(int(word) for word in members.split()), answer == "yes"))
            cases[-1][1].append(line)
    return cases


class Partitions:
    """Nodes with their votequorum, and the views they are in."""

    def __init__(self, rules: str) -> None:
        expected, options = RULES[rules]
        self._options = replace(options, expected_votes=expected)
        self._weights = {1: 3} if rules == "weights" else {}
        self._nodes: dict[int, VoteQuorum] = {}
        self._views: dict[int, frozenset[int]] = {}

    def become(self, partitions: list[frozenset[int]]) -> dict[frozenset[int], bool]:
        """Install the views of these partitions where they are new; return who is quorate."""
        present = frozenset().union(*partitions)
        for gone in self._nodes.keys() - present:
            del self._nodes[gone], self._views[gone]
        for node in present - self._nodes.keys():
            self._nodes[node] = VoteQuorum(replace(self._options, votes=self._weights.get(node, 1)))
        for members in partitions:
            if any(self._views.get(node) != members for node in members):
                self._install(members, {node: self._nodes[node].ballot() for node in members})
        return {members: self._nodes[min(members)].verdict.quorate for members in partitions}

    def _install(self, members: frozenset[int], ballots: dict[int, Ballot]) -> None:
        verdicts = {self._nodes[node].decide(ballots).quorate for node in members}
        assert len(verdicts) == 1, "members of one partition disagree"
        for node in members:
            self._views[node] = members
        standing = self._nodes[min(members)].standing_votes
        if standing:  # the window passes before anything else happens
            for node in members:
                self._nodes[node].set_expected_votes(standing)
            self._install(members, {node: self._nodes[node].ballot() for node in members})


@pytest.mark.parametrize(("rules", "lines"), read_cases())
def test_partitions_are_quorate_where_the_originals_are(rules: str, lines: list[Line]) -> None:
    partitions = Partitions(rules)

    for number, line in enumerate(lines):
        found = partitions.become([members for members, _ in line])
        assert found == dict(line), f"{rules}, line {number + 1}"
