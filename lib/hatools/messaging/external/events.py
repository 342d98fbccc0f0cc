"""What Corosync's libraries tell us, as values. Pure."""

from enum import IntEnum

from hatools.messaging.views import RingId
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A member of a process group: the node id and a process id there (as that node's namespace counts)."""

    node: int
    pid: int

    def __str__(self) -> str:
        """Return ``NODE:PID``, under which the engine knows the sender of a message."""
        return f"{self.node}:{self.pid}"


class Reason(IntEnum):
    """Why a process is in or out of the group (``cpg_reason_t``)."""

    UNDEFINED = 0
    JOIN = 1
    LEAVE = 2
    NODEDOWN = 3
    NODEUP = 4
    PROCDOWN = 5


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the group in its place in the order."""

    sender: Process
    data: bytes


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """The group has other members from here on in the order."""

    members: tuple[Process, ...]
    left: tuple[tuple[Process, Reason], ...] = ()
    joined: tuple[Process, ...] = ()


@dataclass(frozen=True, slots=True)
class RingChanged:
    """Corosync formed a ring of these nodes."""

    ring: RingId
    nodes: frozenset[int]


@dataclass(frozen=True, slots=True)
class QuorumChanged:
    """Corosync's quorum service on the ring ``ring``; ``votes`` are our own."""

    ring: RingId
    quorate: bool
    nodes: frozenset[int]
    votes: int = 1


Event = Message | MembersChanged | RingChanged | QuorumChanged
