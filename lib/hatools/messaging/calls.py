"""What the layers above ask of an engine, for engines that answer it with :class:`Groups`. Pure."""

from abc import ABC, abstractmethod

from hatools.messaging.groups import Groups
from hatools.messaging.packing import Outbox
from hatools.messaging.views import Effect, View


class GroupCalls(ABC):
    """The calls of :class:`GroupEngine` that only queue something, and those that only look."""

    groups: Groups
    _outbox: Outbox

    @abstractmethod
    def _wake(self, now: float) -> list[Effect]:
        """Send what was queued, as far as that is possible now."""

    @property
    def view(self) -> View | None:
        """Return the current view; None before the first."""
        return self.groups.view

    def waiting_bytes(self, group: str) -> int:
        """Return how much waits to be sent to a group."""
        return self._outbox.waiting_bytes(group)

    def members_of(self, group: str) -> frozenset[int]:
        """Return the nodes that have a client in the group."""
        return self.groups.members_of(group)

    def join_group(self, now: float, group: str) -> list[Effect]:
        """Take part in a group."""
        self.groups.join_group(group)
        return self._wake(now)

    def leave_group(self, now: float, group: str) -> list[Effect]:
        """Leave a group."""
        self.groups.leave_group(group)
        return self._wake(now)

    def broadcast(self, now: float, group: str, pieces: tuple[bytes, ...], tag: int) -> list[Effect]:
        """Send to the group's clients on all members."""
        self.groups.broadcast(group, pieces, tag)
        return self._wake(now)

    def broadcast_many(self, now: float, group: str, bundle: bytes) -> list[Effect]:
        """Send several messages to the group's clients on all members."""
        self.groups.broadcast_many(group, bundle)
        return self._wake(now)

    def send_to(self, now: float, group: str, node_id: int, pieces: tuple[bytes, ...]) -> list[Effect]:
        """Send to the group's client on one node."""
        self.groups.send_to(group, node_id, pieces)
        return self._wake(now)

    def depart(self, now: float) -> list[Effect]:
        """Say goodbye; the engine may be stopped when all members know."""
        self.groups.depart()
        return self._wake(now)
