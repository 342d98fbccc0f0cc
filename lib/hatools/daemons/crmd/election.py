"""The election of the DC. Pure.

All controllers see the same votes in the same order, so nobody has to count concessions. Whenever somebody
arrives in the group, everybody votes once; when the last missing vote is delivered, every member computes the
same winner from the same votes. When members only go away, the votes of those who remain are already known
everywhere: the successor of a lost DC is decided without a single message.
"""

from hatools.ipc.messages.crmd import Vote
from hatools.values.records import dataclass

VOTE_PATIENCE_S = 120.0
"""Seconds until a member that does not vote makes us ask everybody again (``election-timeout``)."""


@dataclass(frozen=True, slots=True)
class CastVote:
    """Effect: broadcast our vote for this round."""


@dataclass(frozen=True, slots=True)
class Elected:
    """Effect: this node is the DC of the present group."""

    winner: int


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Effect: broadcast a call for new votes; these nodes did not answer."""

    silent: tuple[int, ...]


ElectionEffect = CastVote | Elected | AskAgain


class Election:
    """Who is the DC of the present group.

    ``winner`` is 0 while that is not decided; ``deadline`` is when :meth:`expire` wants to be called.
    """

    __slots__ = ("_members", "_ring", "_votes", "deadline", "winner")

    def __init__(self) -> None:
        self._ring = ""
        self._members: frozenset[int] = frozenset()
        self._votes: dict[int, Vote] = {}
        self.winner = 0
        self.deadline: float | None = None

    @property
    def votes(self) -> dict[int, Vote]:
        """Return the latest vote of each member."""
        return dict(self._votes)

    @property
    def is_open(self) -> bool:
        """Say whether votes are still missing."""
        return self.winner == 0

    def view(self, now: float, ring: str) -> list[ElectionEffect]:
        """Note the ring that votes have to name from now on; a vote that was cast for another one is cast again."""
        is_void = ring != self._ring and self.is_open and bool(self._members)
        self._ring = ring
        return self.start(now) if is_void else []

    def group(self, now: float, members: frozenset[int], arrived: bool) -> list[ElectionEffect]:
        """The group has these members now; with ``arrived`` everybody votes afresh."""
        self._members = members
        if arrived:
            return self.start(now)
        self._votes = {member: vote for member, vote in self._votes.items() if member in members}
        return self._decide()

    def start(self, now: float) -> list[ElectionEffect]:
        """Forget the votes and vote."""
        self._votes = {}
        self.winner = 0
        self.deadline = now + VOTE_PATIENCE_S
        return [CastVote()]

    def receive(self, now: float, sender: int, vote: Vote) -> list[ElectionEffect]:
        """Count a vote, in its place in the total order."""
        if sender not in self._members or vote.round != self._ring:
            return []
        self._votes[sender] = vote
        return self._decide() if self.winner == 0 else []

    def expire(self, now: float) -> list[ElectionEffect]:
        """Call for new votes if some have been missing for too long."""
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = now + VOTE_PATIENCE_S
        return [AskAgain(tuple(sorted(self._members - self._votes.keys())))]

    def _decide(self) -> list[ElectionEffect]:
        if not self._members or self._members - self._votes.keys():
            return []
        self.deadline = None
        if self.winner in self._members:
            return []
        self.winner = max(self._votes, key=self._rank)
        return [Elected(self.winner)]

    def _rank(self, member: int) -> tuple[int, bool, bool, tuple[int, ...], int, int]:
        """Compare candidates.

        The best is the one that fewest call unclean; then a quorate DC, a DC, the older feature set, the longer in
        office, the lower id.
        """
        vote = self._votes[member]
        return (
            -sum(member in other.unclean for other in self._votes.values()),
            vote.is_dc and vote.quorate,
            vote.is_dc,
            tuple(-number for number in feature_numbers(vote.feature_set)),
            vote.uptime,
            -member,
        )


def feature_numbers(feature_set: str) -> tuple[int, ...]:
    """Split a feature set (``3.16.1``) into comparable numbers."""
    return tuple(int(part) if part.isdigit() else 0 for part in feature_set.split("."))
