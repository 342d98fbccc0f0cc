"""What messages of Heartbeat's own protocol say, checked. Pure."""

from hatools.messaging.heartbeat.messages import Message
from hatools.messaging.heartbeat.peers import Status
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

_LONGEST_DEADTIME_MS = 10_000_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A message with what every message of Heartbeat has; ``number`` is 0 where it needs none."""

    kind: str
    source: str
    generation: int
    number: int
    message: Message

    @classmethod
    def of(cls, message: Message) -> "Heard":
        """Read a message.

        Raises:
            RemoteError: it lacks what every message has.
        """
        kind, source = message.text("t"), message.text("src")
        if not kind or not source or message.text("ts") is None:
            raise RemoteError("a message without type, sender or time")
        generation, number = message.number("hg", 16), message.number("seq", 16)
        if generation is None or (number is None and not kind.startswith("NS_")):
            raise RemoteError("a message without generation or number")
        return cls(kind, source.lower(), generation, number or 0, message)


@dataclass(frozen=True, slots=True)
class Said:
    """What a status message says; ``deadtime`` is 0 if it does not say it."""

    status: Status
    deadtime: float

    @classmethod
    def of(cls, message: Message) -> "Said":
        """Read a status message.

        Raises:
            RemoteError: it says what no node can say.
        """
        word = message.text("st") or ""
        try:
            status = Status(word)
        except ValueError:
            raise RemoteError(f"a status that does not exist: {word[:31]!r}") from None
        if status is Status.PING:
            raise RemoteError("a node cannot be a ping node")
        return cls(status, min(message.number("dt", 16) or 0, _LONGEST_DEADTIME_MS) / 1000)
