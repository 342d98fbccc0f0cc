"""What one node knows of another: its status, its links, and which of its numbered messages arrived. Pure.

Per sender and generation there is one sequence of numbers over all its messages, whoever they are for. What
comes early is accepted at once and the numbers before it are asked for; order is not Heartbeat's business.
"""

from enum import Enum, StrEnum

from hatools.values.records import dataclass, field

MAX_MISSING = 250
"""More missing numbers than these and the tracking begins anew."""
REQUEST_INTERVAL_S = 0.25


class Status(StrEnum):
    """A node's status, in the words of the wire."""

    INIT = "init"
    UP = "up"
    ACTIVE = "active"
    DEAD = "dead"
    PING = "ping"


class Arrival(Enum):
    """What a numbered message is, given those before it."""

    NEW = "new"
    DUPLICATE = "duplicate"
    OLD = "old"
    """Neither the next nor one that was missed: not to be delivered."""


@dataclass(slots=True)
class Sequence:
    """Which numbers of one sender arrived. ``missing`` holds when to ask for each number that did not."""

    last: int | None = None
    missing: dict[int, float] = field(default_factory=dict)

    def arrive(self, number: int, ask_at: float) -> Arrival:
        """Note a number; numbers that it skips are to be asked for at ``ask_at``."""
        if self.last is None or number == self.last + 1:
            self.last = number
            return Arrival.NEW
        if number > self.last:
            skipped = range(self.last + 1, number)
            self.last = number
            if len(self.missing) + len(skipped) > MAX_MISSING:
                self.missing.clear()
            else:
                self.missing.update(dict.fromkeys(skipped, ask_at))
            return Arrival.NEW
        if number in self.missing:
            del self.missing[number]
            return Arrival.NEW
        return Arrival.DUPLICATE if number == self.last else Arrival.OLD

    def give_up(self, number: int) -> bool:
        """Do not wait for a number any more; False if nobody did."""
        return self.missing.pop(number, None) is not None

    def take_due(self, now: float) -> list[int]:
        """Return the numbers to ask for now; each is due again a while later."""
        due = sorted(number for number, time in self.missing.items() if time <= now)
        for number in due:
            self.missing[number] = now + REQUEST_INTERVAL_S
        return due


@dataclass(slots=True)
class LinkRecord:
    """One way on which a node is heard. ``address`` is where its last new message came from: what has no number
    can be a recording, sent from anywhere."""

    heard_at: float
    is_up: bool = True
    address: str = ""


@dataclass(slots=True)
class Peer:
    """A node as we see it. ``deadtime`` is the sender's own word; ``heard_at`` its last status message."""

    name: str
    status: Status = Status.INIT
    is_ping: bool = False
    uuid: bytes = b""
    generation: int = -1
    sequence: Sequence = field(default_factory=Sequence)
    status_number: int = 0
    """Number of the last status message that was believed."""
    deadtime: float = 0.0
    heard_at: float | None = None
    links: dict[str, LinkRecord] = field(default_factory=dict)
    ack_digit: int = 0
    acknowledged: int = 0
    """Up to which number of ours the peer has said to have everything."""
    announced_dead: bool = False
    """It said itself that it stops."""

    @property
    def is_alive(self) -> bool:
        """Say whether the node is up as far as we know."""
        return self.status in (Status.UP, Status.ACTIVE, Status.PING) or (
            self.status is Status.INIT and self.heard_at is not None
        )

    def restart(self, generation: int) -> None:
        """Begin anew with a node that was started again."""
        self.generation = generation
        self.sequence = Sequence()
        self.status_number = 0
        self.acknowledged = 0
        self.announced_dead = False
