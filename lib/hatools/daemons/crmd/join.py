"""The DC's view of who is being taken in. Pure.

announce (a vote in the election), offer, request, acknowledgement, confirmation: a member passes through these
phases once per DC, or again when its controller was restarted or away. One that does not answer becomes *silent*:
nobody waits for it any more, it is asked again now and then, and its answer, however late, begins its way in anew.
"""

from enum import IntEnum, auto

from hatools.daemons.crmd.election import feature_numbers
from hatools.ipc.messages.crmd import JoinRequest

NEWCOMER_PATIENCE_S = 20.0
"""Seconds the cluster waits for the answer of a controller whose node holds nothing."""

URGENT_PATIENCE_S = 2.0
"""The same, once somebody else's loss or failure has to be dealt with."""

MEMBER_PATIENCE_S = 50.0
"""Seconds until a controller whose node may hold something is asked again."""

LAST_PATIENCE_S = 10.0
"""Seconds it has from then on, until it counts as gone."""

ASK_AGAIN_S = 30.0
"""Seconds between the offers to one that is silent."""


class Phase(IntEnum):
    """How far a member has come."""

    OFFERED = auto()
    REQUESTED = auto()
    ACKNOWLEDGED = auto()
    CONFIRMED = auto()
    REFUSED = auto()
    SILENT = auto()


class Joins:
    """The members on their way in, in one or more overlapping rounds."""

    def __init__(self) -> None:
        self._phases: dict[int, Phase] = {}
        self._requests: dict[int, JoinRequest] = {}
        self._due: dict[int, float] = {}
        """When something has to be done about a member that does not answer, monotonic seconds."""
        self._asked_again: set[int] = set()
        self.join_id = 0

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`overdue` has news."""
        return min(self._due.values(), default=None)

    def offer(self, now: float, members: list[int]) -> list[int]:
        """Begin a round with those that are not in yet; return whom to send an offer."""
        wanted = [member for member in members if self._phases.get(member) is not Phase.CONFIRMED]
        self.join_id += 1
        for member in wanted:
            self._requests.pop(member, None)
            if self._phases.get(member) is Phase.SILENT:
                self._due[member] = now + ASK_AGAIN_S
            else:
                self._enter(member, Phase.OFFERED, now + MEMBER_PATIENCE_S)
        return wanted

    def hasten(self, now: float, members: list[int], patience_s: float) -> None:
        """Wait no longer than this for the answers of some members to the offer."""
        for member in members:
            if self._phases.get(member) is Phase.OFFERED:
                self._due[member] = min(self._due[member], now + patience_s)

    def request(self, member: int, request: JoinRequest) -> bool:
        """Note an answer to an offer; False if it belongs to no open offer.

        One that was silent is forgotten: it is there, and an offer to it will be answered.
        """
        phase = self._phases.get(member)
        if phase is Phase.SILENT:
            self.drop(member)
        if phase is not Phase.OFFERED or request.join_id != self.join_id:
            return False
        self._enter(member, Phase.REQUESTED)
        self._requests[member] = request
        return True

    def requests(self) -> dict[int, JoinRequest]:
        """Return the requests that wait for an acknowledgement."""
        return {
            member: self._requests[member] for member in sorted(self._phases) if self._phases[member] is Phase.REQUESTED
        }

    def acknowledge(self, now: float, member: int) -> None:
        self._enter(member, Phase.ACKNOWLEDGED, now + MEMBER_PATIENCE_S)

    def refuse(self, member: int) -> None:
        self._enter(member, Phase.REFUSED)

    def confirm(self, member: int, join_id: int) -> bool:
        """Note a confirmation; False if nobody asked for it."""
        if self._phases.get(member) is not Phase.ACKNOWLEDGED or join_id != self.join_id:
            return False
        self._enter(member, Phase.CONFIRMED)
        return True

    def drop(self, member: int) -> None:
        """Forget a member that went away."""
        self._phases.pop(member, None)
        self._requests.pop(member, None)
        self._due.pop(member, None)
        self._asked_again.discard(member)

    def overdue(self, now: float) -> dict[int, Phase]:
        """Return the members that something has to be done about, with their phases."""
        return {member: self._phases[member] for member in sorted(self._due) if self._due[member] <= now}

    def ask_again(self, now: float, member: int) -> bool:
        """Note that a member is asked once more; False if it was already."""
        if member in self._asked_again:
            return False
        self._asked_again.add(member)
        self._due[member] = now + LAST_PATIENCE_S
        return True

    def give_up(self, now: float, member: int) -> None:
        """Wait for a member no more; or note that a silent one is asked again."""
        self._enter(member, Phase.SILENT, now + ASK_AGAIN_S)

    def _enter(self, member: int, phase: Phase, due: float | None = None) -> None:
        self._phases[member] = phase
        self._asked_again.discard(member)
        if due is None:
            self._due.pop(member, None)
        else:
            self._due[member] = due

    @property
    def all_answered(self) -> bool:
        return Phase.OFFERED not in self._phases.values()

    @property
    def all_confirmed(self) -> bool:
        return all(phase in (Phase.CONFIRMED, Phase.REFUSED, Phase.SILENT) for phase in self._phases.values())

    def has(self, member: int) -> bool:
        """Say whether a member is in, on its way, silent, or was refused."""
        return member in self._phases

    def is_confirmed(self, member: int) -> bool:
        return self._phases.get(member) is Phase.CONFIRMED


def refusal_reason(request: JoinRequest, feature_set: str, style: str) -> str:
    """Say why a node cannot join; empty if it can."""
    if request.style != style:
        return (
            f"its messaging style is {request.style!r} and the cluster's is {style!r}: "
            "set HATOOLS_MESSAGING in etc/default/pacemaker alike on every node"
        )
    if feature_numbers(request.feature_set) < feature_numbers(feature_set):
        return f"its feature set {request.feature_set} is older than the cluster's {feature_set}: upgrade it first"
    return ""
