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
class DeviceState:
    """A node's connection to its quorum device: votequorum's flags of the same names."""

    is_alive: bool = True
    casts_vote: bool = False
    master_wins: bool = False
    """Whether the device's vote alone makes a partition quorate (algorithm lms)."""

    def __str__(self) -> str:
        """Return the flags as corosync-quorumtool shows them."""
        alive, vote = "A" if self.is_alive else "NA", "V" if self.casts_vote else "NV"
        return f"{alive},{vote},{'MW' if self.master_wins else 'NMW'}"


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one node brings into a view."""

    votes: int
    expected_votes: int
    waiting: bool
    """``wait_for_all`` is set and not yet satisfied."""
    was_quorate: bool
    last_quorate: frozenset[int] = frozenset()
    """The last quorate membership that the node was in; the newest that a member knows of decides ties."""
    quorate_in: int = 0
    """Number of the ring that this was; larger is later."""
    device: DeviceState | None = None
    """None: no quorum device is registered there."""


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
    device_votes: int = 0
    """What the quorum device gives to this partition."""


class VoteQuorum:
    """One node's part in votequorum.

    Args:
        tracked: the highest expected votes of earlier lives, for ``expected_votes_tracking``.
    """

    def __init__(self, options: QuorumOptions, tracked: int = 0) -> None:
        self.options = options
        self.tracked = tracked
        self._expected = self._configured(options)
        self._votes = options.votes
        self._waiting = options.wait_for_all
        self._last_quorate: frozenset[int] = frozenset()
        self._quorate_in = 0
        self.device = self._new_device(options)
        self._verdict = Verdict(False, 0, 0, self._expected, self._expected, self._waiting, ())

    def _configured(self, options: QuorumOptions) -> int:
        return max(options.expected_votes, self.tracked if options.expected_votes_tracking else 0)

    @staticmethod
    def _new_device(options: QuorumOptions) -> DeviceState | None:
        if options.device is None:
            return None
        return DeviceState(master_wins=options.device.algorithm == "lms")

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
        was_quorate = self._verdict.quorate
        return Ballot(
            self._votes,
            self._expected,
            self._waiting,
            was_quorate,
            self._last_quorate,
            self._quorate_in,
            self.device,
        )

    def reconfigure(self, options: QuorumOptions) -> None:
        """Take over a changed configuration; votes that did not change in it stay as they were set by hand.

        As votequorum(5) says: only votes, expected votes and ``two_node`` (with the ``wait_for_all`` that it
        implies) change while we run, and the device; the other rules stay as they were at the start.
        """
        kept = self.options
        implied = kept.wait_for_all == kept.two_node and options.wait_for_all == options.two_node
        self._waiting = self._waiting and options.wait_for_all
        if options.device is None or kept.device is None:
            self.device = self._new_device(options)
        self.options = replace(
            kept,
            votes=options.votes,
            expected_votes=options.expected_votes,
            two_node=options.two_node,
            wait_for_all=options.wait_for_all if implied else kept.wait_for_all,
            device=options.device,
        )
        if options.expected_votes != kept.expected_votes:
            self._expected = self._configured(self.options)
        if options.votes != kept.votes:
            self._votes = options.votes

    def set_expected_votes(self, expected: int) -> None:
        """Take over the administrator's expected votes (corosync-quorumtool -e)."""
        self._expected = expected

    def set_votes(self, votes: int) -> None:
        """Take over the administrator's votes for this node (corosync-quorumtool -v)."""
        self._votes = votes

    def cancel_wait_for_all(self) -> None:
        """Do not wait for all nodes any more (quorum.cancel_wait_for_all)."""
        self._waiting = False

    def set_device_vote(self, casts_vote: bool) -> None:
        """Take over what the quorum device says."""
        if self.device is not None:
            self.device = replace(self.device, casts_vote=casts_vote)

    def unregister_device(self) -> None:
        """Do without the quorum device until the next start (corosync-quorumtool -f)."""
        self.device = None

    def decide(self, ballots: Mapping[int, Ballot], left: frozenset[int] = frozenset(), ring: int = 0) -> Verdict:
        """Return the verdict for a view.

        Args:
            ballots: of its members.
            left: who said goodbye since the last view.
            ring: its number, larger than those of all earlier ones; 0: one more than the largest known.
        """
        options = self.options
        members = frozenset(ballots)
        device_votes = self._device_votes(ballots)
        total = sum(ballot.votes for ballot in ballots.values()) + device_votes
        expected = self._expected_votes(ballots, total, left)
        everybody = total >= expected
        two_node = options.two_node and expected <= 2
        quorum = self._needed(expected, total, two_node)
        waiting = options.wait_for_all and all(ballot.waiting for ballot in ballots.values()) and not everybody
        newest = max(ballots.values(), key=lambda ballot: (ballot.quorate_in, len(ballot.last_quorate)))
        heirs, inheritance = self._inheritance(ballots, newest, total)
        enough = (
            (total >= quorum and heirs + device_votes >= quorum_of(inheritance, 0))
            or self._wins_tie(members, total, expected, quorum, newest.last_quorate)
            or (device_votes > 0 and self._master_wins(ballots))
        )
        quorate = not options.provider or (enough and not waiting)
        if quorate:
            self._last_quorate = members
            self._quorate_in = ring or newest.quorate_in + 1
        # Who has lost quorum waits for all again: nobody knows what the others did meanwhile.
        self._waiting = options.wait_for_all and not quorate
        self._verdict = Verdict(quorate, quorum, total, self._expected, expected, waiting, (), device_votes)
        self._verdict = replace(self._verdict, flags=self._flags(quorate, two_node))
        return self._verdict

    def _expected_votes(self, ballots: Mapping[int, Ballot], total: int, left: frozenset[int]) -> int:
        """Return the highest expected votes: those of quorate members count, if there are any."""
        quorate = [ballot.expected_votes for ballot in ballots.values() if ballot.was_quorate]
        everybody = [ballot.expected_votes for ballot in ballots.values()]
        tracking = self.options.expected_votes_tracking
        expected = max(total, *(everybody if tracking or not quorate else quorate))
        if self.options.allow_downscale and left and self._verdict.quorate:
            expected = max(total, self.options.expected_votes)
        self._expected = expected
        if tracking:
            self.tracked = max(self.tracked, expected)
        return expected

    def _inheritance(self, ballots: Mapping[int, Ballot], newest: Ballot, total: int) -> tuple[int, int]:
        """Return the votes that go back to the last quorate membership, and how many that membership expected.

        While as many are expected as are configured, all votes count: two majorities have a node in common. Once the
        absent are no longer expected (``last_man_standing``, corosync-quorumtool -e), the vote of one who was absent
        proves nothing: a part of the last quorate membership could be quorate with it, and the rest with another one.
        Only a majority of that membership itself excludes that. Nor does the vote of a node that has started again:
        it does not know what it took part in. When all are there, nobody else can be quorate.
        """
        configured = self._configured(self.options)
        same = [ballot for ballot in ballots.values() if ballot.last_quorate and ballot.quorate_in == newest.quorate_in]
        inheritance = min((ballot.expected_votes for ballot in same), default=0)
        if not same or inheritance >= configured or total >= configured:
            return total, 0
        heirs = [node for node in newest.last_quorate if node in ballots and ballots[node].last_quorate]
        return sum(ballots[node].votes for node in heirs), inheritance

    def _device_votes(self, ballots: Mapping[int, Ballot]) -> int:
        device = self.options.device
        if device is None:
            return 0
        casting = any(ballot.device is not None and ballot.device.casts_vote for ballot in ballots.values())
        return device.votes if casting else 0

    @staticmethod
    def _master_wins(ballots: Mapping[int, Ballot]) -> bool:
        devices = [ballot.device for ballot in ballots.values() if ballot.device is not None]
        return any(device.casts_vote and device.master_wins for device in devices)

    def _needed(self, expected: int, total: int, two_node: bool) -> int:
        if two_node:
            return 1
        needed = quorum_of(expected, total)
        if self.options.last_man_standing and self.options.tie_breaker is TieBreaker.NONE:
            return max(needed, 2)
        return needed

    def _wins_tie(
        self, members: frozenset[int], total: int, expected: int, quorum: int, last_quorate: frozenset[int]
    ) -> bool:
        """Say whether an even split is ours: exactly half of the votes, the deciding node, and no rival majority.

        The deciding node is one of the last quorate membership, not one that came since: the others know nothing of
        it. A partition that was never quorate cannot know who else there is, so it wins no tie.
        """
        if self.options.tie_breaker is TieBreaker.NONE or total != expected // 2 or not last_quorate:
            return False
        if expected - total >= quorum:
            return False  # the others may have quorum, perhaps with somebody who has come back
        match self.options.tie_breaker:
            case TieBreaker.LOWEST:
                return min(last_quorate) in members
            case TieBreaker.HIGHEST:
                return max(last_quorate) in members
            case TieBreaker.LIST:
                deciding = next((node for node in self.options.tie_breaker_nodes if node in last_quorate), None)
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
            ("Qdevice", self.device is not None),
        )
        return tuple(name for name, is_set in shown if is_set)


def quorum_of(expected: int, total: int) -> int:
    """Return how many votes are a quorum: more than half of those expected, and of those that are there."""
    return max((expected + 2) // 2, (total + 2) // 2)
