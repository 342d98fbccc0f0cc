"""The DC's view of who is being taken in. Pure.

announce (a vote in the election), offer, request, acknowledgement, confirmation: a member passes through these
phases once per DC, or again when its controller was restarted or away.
"""

from enum import IntEnum, auto

from hatools.daemons.crmd.election import feature_numbers
from hatools.ipc.messages.crmd import JoinRequest

INTEGRATION_PATIENCE_S = 60.0
"""Seconds until members that do not answer an offer are left out of the round."""


class Phase(IntEnum):
    """How far a member has come."""

    OFFERED = auto()
    REQUESTED = auto()
    ACKNOWLEDGED = auto()
    CONFIRMED = auto()
    REFUSED = auto()


class Joins:
    """The members on their way in, in one or more overlapping rounds."""

    def __init__(self) -> None:
        self._phases: dict[int, Phase] = {}
        self._requests: dict[int, JoinRequest] = {}
        self.join_id = 0
        self.deadline: float | None = None

    def offer(self, now: float, members: list[int]) -> list[int]:
        """Begin a round with those that are not in yet; return whom to send an offer."""
        wanted = [member for member in members if self._phases.get(member) is not Phase.CONFIRMED]
        self.join_id += 1
        for member in wanted:
            self._phases[member] = Phase.OFFERED
            self._requests.pop(member, None)
        self.deadline = now + INTEGRATION_PATIENCE_S if wanted else None
        return wanted

    def request(self, member: int, request: JoinRequest) -> bool:
        """Note an answer to an offer; False if it belongs to no open offer."""
        if self._phases.get(member) is not Phase.OFFERED or request.join_id != self.join_id:
            return False
        self._phases[member] = Phase.REQUESTED
        self._requests[member] = request
        return True

    def requests(self) -> dict[int, JoinRequest]:
        """Return the requests that wait for an acknowledgement."""
        return {
            member: self._requests[member] for member in sorted(self._phases) if self._phases[member] is Phase.REQUESTED
        }

    def acknowledge(self, member: int, accepted: bool) -> None:
        self._phases[member] = Phase.ACKNOWLEDGED if accepted else Phase.REFUSED

    def confirm(self, member: int, join_id: int) -> bool:
        """Note a confirmation; False if nobody asked for it."""
        if self._phases.get(member) is not Phase.ACKNOWLEDGED or join_id != self.join_id:
            return False
        self._phases[member] = Phase.CONFIRMED
        return True

    def drop(self, member: int) -> None:
        """Forget a member that went away."""
        self._phases.pop(member, None)
        self._requests.pop(member, None)

    def give_up(self) -> list[int]:
        """Leave those out that did not answer; return them."""
        silent = [member for member, phase in self._phases.items() if phase in (Phase.OFFERED, Phase.ACKNOWLEDGED)]
        for member in silent:
            self.drop(member)
        self.deadline = None
        return sorted(silent)

    @property
    def all_answered(self) -> bool:
        return Phase.OFFERED not in self._phases.values()

    @property
    def all_confirmed(self) -> bool:
        return all(phase in (Phase.CONFIRMED, Phase.REFUSED) for phase in self._phases.values())

    def has(self, member: int) -> bool:
        """Say whether a member is in, on its way, or was refused."""
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
