"""What this node sends: numbers, common fields, signatures, and what peers may ask for again. Pure."""

from collections.abc import Callable

from hatools.messaging.heartbeat.authkeys import KeyRing
from hatools.messaging.heartbeat.messages import Field, FieldType, Message, encode
from hatools.values.records import dataclass

HISTORY = 500
"""Messages kept for peers that ask for them again."""
MAX_RESENT = 50
"""Most messages sent again because of one request."""


@dataclass(frozen=True, slots=True)
class LocalNode:
    """This node. ``generation`` is larger than in every earlier life, ``uuid`` always the same."""

    name: str
    uuid: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Again:
    """The answer to a request: datagrams to send once more, and numbers that are not there any more."""

    datagrams: tuple[bytes, ...]
    gone: tuple[int, ...]


class Outgoing:
    """The sending side of one life of this node.

    Args:
        sign_fields: sign the fields of our own messages as well as the datagram (``msgfmt classic``).
        pause: seconds in which a message is not sent again twice.
        clock: returns the seconds of this machine's clock, which messages mention; nothing is decided by it.
        load: returns its load average as the kernel writes it, which messages mention, too.
    """

    def __init__(
        self,
        me: LocalNode,
        keys: KeyRing,
        *,
        sign_fields: bool,
        pause: float,
        clock: Callable[[], int],
        load: Callable[[], str],
    ) -> None:
        self.newest = 0
        """Number of the newest message that has one."""
        self._me = me
        self._keys = keys
        self._sign_fields = sign_fields
        self._pause = pause
        self._clock = clock
        self._load = load
        self._history: dict[int, bytes] = {}
        self._resent_at: dict[int, float] = {}

    def carriage(self, fields: tuple[Field, ...], ttl: int) -> bytes:
        """Return the datagram of an unnumbered message of another protocol; it has only the fields it needs."""
        own = (
            Field("src", self._me.name),
            Field("hg", f"{self._me.generation:x}"),
            Field("ts", f"{self._clock():x}"),
            Field("ttl", str(ttl)),
        )
        return encode(Message((*fields, *own)), self._keys, inner=False)

    def message(self, kind: str, fields: tuple[Field, ...], ttl: int, dest_uuid: bytes = b"") -> bytes:
        """Return the datagram of a message of our own; it is numbered and kept unless its type begins with NS_."""
        is_numbered = not kind.startswith("NS_")
        parts = [Field("t", kind), *fields]
        if dest_uuid:
            parts.append(Field("destuuid", dest_uuid, FieldType.BINARY))
        parts += (Field("src", self._me.name), Field("srcuuid", self._me.uuid, FieldType.BINARY))
        if is_numbered:
            self.newest += 1
            parts.append(Field("seq", f"{self.newest:x}"))
        parts += (Field("hg", f"{self._me.generation:x}"), Field("ts", f"{self._clock():x}"))
        if is_numbered:
            parts.append(Field("ld", self._load()))
        parts.append(Field("ttl", str(ttl)))
        data = encode(Message(tuple(parts)), self._keys, inner=self._sign_fields)
        if is_numbered:
            self._history[self.newest] = data
            self._history.pop(self.newest - HISTORY, None)
        return data

    def again(self, now: float, first: int, last: int, acknowledged: int) -> Again:
        """Return what a peer that asks for these numbers gets; what it acknowledged it has."""
        datagrams: list[bytes] = []
        oldest = self.newest - HISTORY
        gone = [last] if 0 < last <= oldest else []
        for number in range(max(first, acknowledged + 1, oldest + 1), min(last, self.newest) + 1):
            data = self._history.get(number)
            if data is None:
                gone.append(number)
            elif now - self._resent_at.get(number, float("-inf")) >= self._pause and len(datagrams) < MAX_RESENT:
                self._resent_at[number] = now
                datagrams.append(data)
        self._resent_at = {number: time for number, time in self._resent_at.items() if now - time < self._pause}
        return Again(tuple(datagrams), tuple(gone))
