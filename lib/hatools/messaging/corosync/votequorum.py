"""Who has quorum: the arithmetic of votequorum(5). Pure.

Every member brings its :class:`Ballot` into a view, so all members of a partition compute the same
:class:`Verdict`. What a node must remember between views (``wait_for_all`` not yet satisfied, raised
or lowered ``expected_votes``, the last quorate membership) is in :class:`VoteQuorum`.
"""

from collections.abc import Mapping
from enum import Enum

from hatools.values.records import dataclass, replace


class TieBreaker(Enum):
    """Which node decides for its half when a cluster of an even number of votes splits evenly."""

    NONE = "none"
    LOWEST = "lowest"
    HIGHEST = "highest"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """``quorum.device``: an arbiter outside of the cluster that has votes. Times in seconds.

    ``tls`` is on (if the arbiter offers it), required or off; ``tie_breaker`` is lowest, highest or a node id.
    """

    votes: int
    host: str
    model: str = "net"
    port: int = 5403
    timeout: float = 10.0
    sync_timeout: float = 30.0
    connect_timeout: float = 8.0
    algorithm: str = "ffsplit"
    tie_breaker: str = "lowest"
    keep_active: bool = False
    tls: str = "on"
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""


@dataclass(frozen=True, slots=True)
class QuorumOptions:
    """The ``quorum`` section and the node's own votes. ``expected_votes`` is already resolved."""

    provider: bool = True
    """Whether ``provider: corosync_votequorum`` is configured; without it every partition is quorate."""
    votes: int = 1
    expected_votes: int = 1
    two_node: bool = False
    wait_for_all: bool = False
    last_man_standing: bool = False
    last_man_standing_window: float = 10.0
    """Seconds a smaller membership must have been quorate before the lost votes are no longer expected."""
    tie_breaker: TieBreaker = TieBreaker.NONE
    tie_breaker_nodes: tuple[int, ...] = ()
    allow_downscale: bool = False
    expected_votes_tracking: bool = False
    """Whether the highest expected votes ever seen are kept on disk and are the least after a restart."""
    device: "DeviceOptions | None" = None


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
        self._last_quorate: frozenset[int] = frozenset()
        self._verdict = Verdict(False, 0, 0, self._expected, self._expected, self._waiting, ())

    @property
    def verdict(self) -> Verdict:
        """Return the result for the current view."""
        return self._verdict

    @property
    def standing_votes(self) -> int:
        """Return the expected votes that ``last_man_standing`` asks for once its window has passed; 0: no change."""
        verdict = self._verdict
        shrinks = self.options.last_man_standing and verdict.quorate and verdict.total_votes < verdict.highest_expected
        return verdict.total_votes if shrinks else 0

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

    def decide(self, ballots: Mapping[int, Ballot], left: frozenset[int] = frozenset()) -> Verdict:
        """Return the verdict for a view.

        Args:
            ballots: of its members.
            left: who said goodbye since the last view.
        """
        options = self.options
        total = sum(ballot.votes for ballot in ballots.values())
        expected = max(total, *(ballot.expected_votes for ballot in ballots.values()))
        if options.allow_downscale and left and self._verdict.quorate:
            expected = max(total, options.expected_votes)
            self._expected = expected
        self._expected = max(self._expected, expected)
        everybody = total >= expected
        released = any(not ballot.waiting and ballot.was_quorate for ballot in ballots.values())
        if everybody or released:
            self._waiting = False
        two_node = options.two_node and expected <= 2
        quorum = self._needed(expected, total, two_node)
        waiting = options.wait_for_all and all(ballot.waiting for ballot in ballots.values()) and not everybody
        enough = total >= quorum or self._wins_tie(frozenset(ballots), total, expected, quorum)
        quorate = not options.provider or (enough and not waiting)
        if quorate:
            self._last_quorate = frozenset(ballots)
        self._verdict = Verdict(quorate, quorum, total, self._expected, expected, waiting, ())
        self._verdict = replace(self._verdict, flags=self._flags(quorate, two_node))
        return self._verdict

    def _needed(self, expected: int, total: int, two_node: bool) -> int:
        if two_node:
            return 1
        needed = max((expected + 2) // 2, (total + 2) // 2)
        if self.options.last_man_standing and self.options.tie_breaker is TieBreaker.NONE:
            return max(needed, 2)
        return needed

    def _wins_tie(self, members: frozenset[int], total: int, expected: int, quorum: int) -> bool:
        """Say whether an even split is ours: exactly half of the votes, the deciding node, and no rival majority."""
        if self.options.tie_breaker is TieBreaker.NONE or total != expected // 2:
            return False
        if len(self._last_quorate) - len(members) >= quorum:
            return False  # the others may have quorum
        known = self._last_quorate | members
        match self.options.tie_breaker:
            case TieBreaker.LOWEST:
                return min(known) in members
            case TieBreaker.HIGHEST:
                return max(known) in members
            case TieBreaker.LIST:
                deciding = next((node for node in self.options.tie_breaker_nodes if node in known), None)
                return deciding in members
        return False

    def _flags(self, quorate: bool, two_node: bool) -> tuple[str, ...]:
        options = self.options
        shown = (
            ("2Node", two_node),
            ("Quorate", quorate),
            ("WaitForAll", options.wait_for_all),
            ("LastManStanding", options.last_man_standing),
            ("AutoTieBreaker", options.tie_breaker is not TieBreaker.NONE),
            ("AllowDownscale", options.allow_downscale),
        )
        return tuple(name for name, is_set in shown if is_set)
