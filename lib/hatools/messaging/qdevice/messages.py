"""Messages between a cluster node and the arbiter of its quorum device, and their bytes. Pure.

The protocol is that of corosync-qnetd (version 3 of corosync-qdevice), so that either side may be the original:
``u16 type, u32 length``, then options ``u16 type, u16 length, value``, all in network order. An option that is
not known is skipped, as the original does.
"""

import struct
from collections.abc import Callable
from enum import IntEnum

from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

MAX_MESSAGE = 1 << 15
"""Bytes of the largest message that is accepted."""
_HEAD = struct.Struct("!HI")
_OPTION = struct.Struct("!HH")


class Kind(IntEnum):
    """Types of messages."""

    PREINIT = 0
    PREINIT_REPLY = 1
    STARTTLS = 2
    INIT = 3
    INIT_REPLY = 4
    SERVER_ERROR = 5
    SET_OPTION = 6
    SET_OPTION_REPLY = 7
    ECHO_REQUEST = 8
    ECHO_REPLY = 9
    NODE_LIST = 10
    NODE_LIST_REPLY = 11
    ASK_FOR_VOTE = 12
    ASK_FOR_VOTE_REPLY = 13
    VOTE_INFO = 14
    VOTE_INFO_REPLY = 15
    HEURISTICS_CHANGE = 16
    HEURISTICS_CHANGE_REPLY = 17


class Tls(IntEnum):
    """What a side says about TLS."""

    UNSUPPORTED = 0
    SUPPORTED = 1
    REQUIRED = 2


class Fault(IntEnum):
    """Why the arbiter refuses something."""

    NONE = 0
    UNSUPPORTED_NEEDED_MESSAGE = 1
    UNSUPPORTED_NEEDED_OPTION = 2
    TLS_REQUIRED = 3
    UNSUPPORTED_MESSAGE = 4
    MESSAGE_TOO_LONG = 5
    PREINIT_REQUIRED = 6
    OPTION_MISSING = 7
    UNEXPECTED_MESSAGE = 8
    DECODING = 9
    INTERNAL = 10
    INIT_REQUIRED = 11
    UNSUPPORTED_ALGORITHM = 12
    INVALID_HEARTBEAT_INTERVAL = 13
    UNSUPPORTED_ALGORITHM_MESSAGE = 14
    TIE_BREAKER_DIFFERS = 15
    ALGORITHM_DIFFERS = 16
    DUPLICATE_NODE_ID = 17
    INVALID_CONFIG_NODE_LIST = 18
    INVALID_MEMBERSHIP_NODE_LIST = 19


class Algorithm(IntEnum):
    """How the arbiter decides."""

    TEST = 0
    FFSPLIT = 1
    TWO_NODE_LMS = 2
    LMS = 3


class NodeState(IntEnum):
    """A node in a list."""

    NOT_SET = 0
    MEMBER = 1
    DEAD = 2
    LEAVING = 3


class ListKind(IntEnum):
    """What a list of nodes is about."""

    INITIAL_CONFIG = 0
    CHANGED_CONFIG = 1
    MEMBERSHIP = 2
    QUORUM = 3


class Vote(IntEnum):
    """The arbiter's answer."""

    UNDEFINED = 0
    ACK = 1
    NACK = 2
    ASK_LATER = 3
    WAIT_FOR_REPLY = 4
    NO_CHANGE = 5


class TieMode(IntEnum):
    """Which node decides a tie."""

    LOWEST = 1
    HIGHEST = 2
    NODE_ID = 3


@dataclass(frozen=True, slots=True)
class TieBreaker:
    """``node_id`` means something with ``NODE_ID`` only."""

    mode: TieMode = TieMode.LOWEST
    node_id: int = 0


@dataclass(frozen=True, slots=True)
class ListedNode:
    """A node in a list."""

    node_id: int
    state: NodeState = NodeState.NOT_SET


@dataclass(frozen=True, slots=True)
class Message:
    """A message with the options it has; those it has not are None."""

    kind: Kind
    sequence: int | None = None
    cluster_name: str | None = None
    tls: Tls | None = None
    client_certificate_required: bool | None = None
    messages: tuple[int, ...] | None = None
    options: tuple[int, ...] | None = None
    fault: Fault | None = None
    max_request: int | None = None
    max_reply: int | None = None
    node_id: int | None = None
    algorithms: tuple[int, ...] | None = None
    algorithm: Algorithm | None = None
    heartbeat_ms: int | None = None
    ring_id: RingId | None = None
    config_version: int | None = None
    list_kind: ListKind | None = None
    vote: Vote | None = None
    quorate: bool | None = None
    tie_breaker: TieBreaker | None = None
    heuristics: int | None = None
    keep_active: bool | None = None
    nodes: tuple[ListedNode, ...] = ()


SUPPORTED_MESSAGES = tuple(int(kind) for kind in Kind)
SUPPORTED_OPTIONS = tuple(range(24))

_NODE_ID, _NODE_STATE, _NODE_INFO = 9, 16, 17
_U8, _U16, _U32, _U64 = (struct.Struct(code) for code in ("!B", "!H", "!I", "!Q"))
_RING = struct.Struct("!IQ")
_TIE = struct.Struct("!BI")

Encoder = Callable[[object], bytes]
Decoder = Callable[[bytes], object]


def _number(form: struct.Struct, build: Callable[[int], object] = int) -> tuple[Encoder, Decoder]:
    return lambda value: form.pack(value), lambda data: build(form.unpack(data)[0])


def _numbers() -> tuple[Encoder, Decoder]:
    def encode(value: object) -> bytes:
        assert isinstance(value, tuple)
        return b"".join(_U16.pack(number) for number in value)

    return encode, lambda data: tuple(number for (number,) in _U16.iter_unpack(data))


def _encode_ring(value: object) -> bytes:
    assert isinstance(value, RingId)
    return _RING.pack(value.leader, value.sequence)


def _decode_ring(data: bytes) -> RingId:
    leader, sequence = _RING.unpack(data)
    return RingId(sequence, leader)


def _encode_tie(value: object) -> bytes:
    assert isinstance(value, TieBreaker)
    return _TIE.pack(value.mode, value.node_id)


def _decode_tie(data: bytes) -> TieBreaker:
    mode, node_id = _TIE.unpack(data)
    return TieBreaker(TieMode(mode), node_id)


_OPTIONS: dict[int, tuple[str, tuple[Encoder, Decoder]]] = {
    0: ("sequence", _number(_U32)),
    1: ("cluster_name", (lambda value: str(value).encode(), lambda data: data.decode())),
    2: ("tls", _number(_U8, Tls)),
    3: ("client_certificate_required", _number(_U8, bool)),
    4: ("messages", _numbers()),
    5: ("options", _numbers()),
    6: ("fault", _number(_U16, Fault)),
    7: ("max_request", _number(_U32)),
    8: ("max_reply", _number(_U32)),
    _NODE_ID: ("node_id", _number(_U32)),
    10: ("algorithms", _numbers()),
    11: ("algorithm", _number(_U16, Algorithm)),
    12: ("heartbeat_ms", _number(_U32)),
    13: ("ring_id", (_encode_ring, _decode_ring)),
    14: ("config_version", _number(_U64)),
    18: ("list_kind", _number(_U8, ListKind)),
    19: ("vote", _number(_U8, Vote)),
    20: ("quorate", _number(_U8, bool)),
    21: ("tie_breaker", (_encode_tie, _decode_tie)),
    22: ("heuristics", _number(_U8)),
    23: ("keep_active", _number(_U8, bool)),
}
"""Field and form of every option but lists of nodes, by its number."""


def encode(message: Message) -> bytes:
    """Return the bytes of a message."""
    parts = []
    for number, (name, (encoder, _)) in _OPTIONS.items():
        value = getattr(message, name)
        if value is not None:
            parts.append(_option(number, encoder(value)))
    for node in message.nodes:
        inner = _option(_NODE_ID, _U32.pack(node.node_id))
        if node.state is not NodeState.NOT_SET:
            inner += _option(_NODE_STATE, _U8.pack(node.state))
        parts.append(_option(_NODE_INFO, inner))
    body = b"".join(parts)
    return _HEAD.pack(message.kind, len(body)) + body


def _option(number: int, value: bytes) -> bytes:
    return _OPTION.pack(number, len(value)) + value


def decode(kind: int, body: bytes) -> Message:
    """Read a message.

    Raises:
        RemoteError: an option is not what it should be.
    """
    fields: dict[str, object] = {}
    nodes: list[ListedNode] = []
    try:
        known = Kind(kind)
        for number, value in _options(body):
            if number == _NODE_INFO:
                inner = dict(_options(value))
                state = NodeState(_U8.unpack(inner[_NODE_STATE])[0]) if _NODE_STATE in inner else NodeState.NOT_SET
                nodes.append(ListedNode(_U32.unpack(inner[_NODE_ID])[0], state))
            elif number in _OPTIONS:
                name, (_, decoder) = _OPTIONS[number]
                fields[name] = decoder(value)
    except (struct.error, ValueError, KeyError) as error:
        raise RemoteError(f"a message that cannot be read: {error}") from None
    return Message(known, nodes=tuple(nodes), **fields)  # type: ignore[arg-type]  # the table of options names the fields


def _options(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    position = 0
    while position < len(data):
        number, length = _OPTION.unpack_from(data, position)
        position += _OPTION.size
        if position + length > len(data):
            raise ValueError("an option is longer than its message")
        found.append((number, data[position : position + length]))
        position += length
    return found


class Reader:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._data += data

    def next(self) -> Message | None:
        """Return the next message, None if it is not complete yet.

        Raises:
            RemoteError: the stream is not made of messages.
        """
        if len(self._data) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack_from(self._data)
        if length > MAX_MESSAGE:
            raise RemoteError(f"a message of {length} bytes, more than {MAX_MESSAGE}")
        end = _HEAD.size + length
        if len(self._data) < end:
            return None
        body, self._data = self._data[_HEAD.size : end], self._data[end:]
        return decode(kind, body)

    def rest(self) -> bytes:
        """Give away what has not been read: the beginning of TLS, for instance."""
        rest, self._data = self._data, b""
        return rest
