"""What the ring protocol asks of its caller, its states and its timers. Pure."""

from enum import StrEnum

from hatools.messaging.views import RingId
from hatools.values.records import dataclass

SEQUENCE_RESERVE = 4096
"""Ring sequences reserved on disk at once, so that a new view waits for the disk once in 1024 times."""
SEQUENCE_STEP = 4
"""By how much a new ring's sequence exceeds the highest one known."""


class State(StrEnum):
    """States of the protocol, by their names in the field."""

    GATHER = "gather"
    COMMIT = "commit"
    RECOVERY = "recovery"
    OPERATIONAL = "operational"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Timing:
    """Timers in seconds and counters in turns, as corosync.conf(5) defines them (already effective)."""

    token: float = 3.0
    retransmit: float = 0.714
    hold: float = 0.561
    join: float = 0.05
    consensus: float = 3.6
    merge: float = 0.2
    fail_to_receive: int = 2500
    idle_turns: int = 30
    warning: float = 0.75
    """Share of the token timeout without a token after which there is a warning; 0: never."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: send the packet to each target."""

    targets: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Ordered:
    """Effect: a packet's payload, in its place in the order of its ring."""

    origin: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RingFormed:
    """Effect: the old ring's order is complete, the new one begins.

    ``survivors`` came with us from the same old ring: all we were given there they were given too.
    """

    ring_id: RingId
    members: tuple[int, ...]
    survivors: frozenset[int]


@dataclass(frozen=True, slots=True)
class PacketsSafe:
    """Effect: every member has received the packets of this ring up to ``sequence``."""

    sequence: int


@dataclass(frozen=True, slots=True)
class KeepSequence:
    """Effect: store ``sequence`` durably before performing what follows."""

    sequence: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Effect, for the log: why the protocol went from one state to another."""

    old: State
    new: State
    cause: str


@dataclass(frozen=True, slots=True)
class TokenLate:
    """Effect, for the log: the ring is about to break; no token for so many seconds."""

    seconds: float


Effect = Transmit | Ordered | RingFormed | PacketsSafe | KeepSequence | StateChanged | TokenLate
