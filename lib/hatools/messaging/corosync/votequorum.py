"""Who has quorum: the arithmetic of votequorum(5). Pure.

Every member brings its :class:`Ballot` into a view, so all members of a partition compute the same
:class:`Verdict`. What a node must remember between views (``wait_for_all`` not yet satisfied, a
raised ``expected_votes``) is in :class:`VoteQuorum`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class QuorumOptions:
    """The ``quorum`` section and the node's own votes. ``expected_votes`` is already resolved."""

    provider: bool = True
    """Whether ``provider: corosync_votequorum`` is configured; without it every partition is quorate."""
    votes: int = 1
    expected_votes: int = 1
    two_node: bool = False
    wait_for_all: bool = False


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one node brings into a view."""

    votes: int
    expected_votes: int
    waiting: bool
    """``wait_for_all`` is set and not yet satisfied."""
    was_quorate: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of quorum in a view, as corosync-quorumtool shows it."""

    quorate: bool
    quorum: int
    total_votes: int
    expected_votes: int
    highest_expected: int
    waiting_for_all: bool
    flags: tuple[str, ...]


class VoteQuorum:
    """One node's part in votequorum."""

    def __init__(self, options: QuorumOptions) -> None:
        self.options = options
        self._expected = options.expected_votes
        self._votes = options.votes
        self._waiting = options.wait_for_all
        self._verdict = Verdict(False, 0, 0, self._expected, self._expected, self._waiting, ())

    @property
    def verdict(self) -> Verdict:
        """Return the result for the current view."""
        return self._verdict

    def ballot(self) -> Ballot:
        """Return what we bring into the next view."""
        return Ballot(self._votes, self._expected, self._waiting, self._verdict.quorate)

    def reconfigure(self, options: QuorumOptions) -> None:
        """Take over a changed configuration; expected votes given by hand are forgotten."""
        self._expected = options.expected_votes
        self._votes = options.votes
        self._waiting = self._waiting and options.wait_for_all
        self.options = options

    def set_expected_votes(self, expected: int) -> None:
        """Take over the administrator's expected votes (corosync-quorumtool -e)."""
        self._expected = expected

    def set_votes(self, votes: int) -> None:
        """Take over the administrator's votes for this node (corosync-quorumtool -v)."""
        self._votes = votes

    def cancel_wait_for_all(self) -> None:
        """Do not wait for all nodes any more (quorum.cancel_wait_for_all)."""
        self._waiting = False

    def decide(self, ballots: Mapping[int, Ballot]) -> Verdict:
        """Return the verdict for a view whose members brought these ballots."""
        options = self.options
        total = sum(ballot.votes for ballot in ballots.values())
        highest = max(ballot.expected_votes for ballot in ballots.values())
        expected = max(highest, total)
        self._expected = max(self._expected, expected)
        everybody = total >= expected
        released = any(not ballot.waiting and ballot.was_quorate for ballot in ballots.values())
        if everybody or released:
            self._waiting = False
        two_node = options.two_node and expected <= 2
        quorum = 1 if two_node else max((expected + 2) // 2, (total + 2) // 2)
        waiting = options.wait_for_all and all(ballot.waiting for ballot in ballots.values()) and not everybody
        quorate = not options.provider or (total >= quorum and not waiting)
        self._verdict = Verdict(quorate, quorum, total, self._expected, expected, waiting, ())
        self._verdict = replace(self._verdict, flags=self._flags(quorate, two_node))
        return self._verdict

    def _flags(self, quorate: bool, two_node: bool) -> tuple[str, ...]:
        flags = []
        if two_node:
            flags.append("2Node")
        if quorate:
            flags.append("Quorate")
        if self.options.wait_for_all:
            flags.append("WaitForAll")
        return tuple(flags)
