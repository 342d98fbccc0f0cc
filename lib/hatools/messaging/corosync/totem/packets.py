"""Packets of the ring, and their bytes. Pure.

The envelope (``corosync/crypto.py``) names the sender and keeps strangers and recordings out; what
is here is what it encloses: one byte of type and the fields in network order. Layout follows
Corosync's roles (token, message, join, commit token, merge detection, hold cancel) with 64-bit
sequence numbers, ranges instead of single numbers in the retransmission list, and the node a token
is meant for, so that a token that strays is recognised. It is not Corosync's wire format.
"""

import struct
from enum import IntEnum

from hatools.messaging.views import RingId
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

MAX_NODES = 32
"""Most nodes in a ring."""
MAX_RANGES = 64
"""Most entries in a token's retransmission list."""


class PacketType(IntEnum):
    """First byte of every packet."""

    TOKEN = 0
    MESSAGE = 1
    MERGE = 2
    JOIN = 3
    COMMIT = 4
    HOLD_CANCEL = 5
    PROBE = 6
    ESCORTED = 7


@dataclass(slots=True)
class Token:
    """The right to send, travelling from member to member.

    ``sequence`` is that of the newest message, ``aru`` the lowest "all received up to" of the last
    turn and ``aru_node`` who lowered it (0: nobody). ``flow`` counts the packets sent in the last
    turn, ``backlog`` those waiting. ``missing`` are (first, last) message numbers somebody lacks.
    ``recovering`` is set while somebody still has messages of an old ring to hand on.
    """

    ring: RingId
    target: int
    turn: int
    sequence: int
    aru: int
    aru_node: int
    flow: int
    backlog: int
    recovering: bool
    missing: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Message:
    """An ordered packet. ``origin`` created it; retransmissions may come from anybody.

    With ``wrapped`` the payload is a message of an old ring, see :func:`wrap_message`.
    """

    ring: RingId
    sequence: int
    origin: int
    wrapped: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Merge:
    """A member makes its ring known to nodes outside.

    ``heard`` are the nodes it hears, ``mutual`` those among them that hear it as well. Rings merge only where all
    hear each other: a link that works in one direction would tear the new ring at once.
    """

    ring: RingId
    heard: frozenset[int]
    mutual: frozenset[int] = frozenset()
    members: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Join:
    """A vote in GATHER: ``candidates`` without ``failed`` shall form the ring.

    ``heard`` are the nodes the sender heard lately: a vote counts only with those it can hear; ``mutual`` those
    among them that hear it as well.
    ``leaving``: the sender says goodbye (and is itself in ``failed``).
    """

    candidates: frozenset[int]
    failed: frozenset[int]
    heard: frozenset[int]
    ring_sequence: int
    leaving: bool
    mutual: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CommitEntry:
    """What a member brings from its old ring: ``filled`` once it has entered itself."""

    node: int
    filled: bool
    old_ring: RingId
    aru: int
    highest: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit token: the members of the ring to be, each filling its entry in the first turn."""

    ring: RingId
    target: int
    turn: int
    entries: tuple[CommitEntry, ...]


@dataclass(frozen=True, slots=True)
class HoldCancel:
    """Somebody wants to send: the leader shall not hold the token."""

    ring: RingId


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks whether a link works, or says so: ``stamp`` is the asker's and comes back in the answer."""

    link: int
    is_answer: bool
    stamp: int


@dataclass(frozen=True, slots=True)
class Escorted:
    """A message and, right behind it, the token, for the member that gets both: one datagram instead of two."""

    message: Message
    token: Token


Packet = Token | Message | Merge | Join | Commit | HoldCancel | Probe | Escorted

_TOKEN = struct.Struct("!BQIIQQQIII?B")
_RANGE = struct.Struct("!QQ")
_MESSAGE = struct.Struct("!BQIQI?")
_RING = struct.Struct("!BQI")
_MERGE = struct.Struct("!BQIBB")
_PROBE = struct.Struct("!BB?Q")
_JOIN = struct.Struct("!BQ?BBB")
_COMMIT = struct.Struct("!BQIIQB")
_ENTRY = struct.Struct("!I?QIQQ")
_ESCORTED = struct.Struct("!BH")
_WRAPPED = struct.Struct("!QIQI")

MESSAGE_OVERHEAD = _MESSAGE.size + _WRAPPED.size
"""Bytes a payload costs at most, that of a wrapping included."""


def encode(packet: Packet) -> bytes:
    """Return the bytes of a packet."""
    match packet:
        case Message():
            return encode_message(packet)
        case Token():
            return encode_token(packet)
        case Join(candidates, failed, heard, ring_sequence, leaving, mutual):
            head = _JOIN.pack(PacketType.JOIN, ring_sequence, leaving, len(candidates), len(failed), len(heard))
            return head + _nodes(candidates) + _nodes(failed) + _nodes(heard) + _nodes(mutual)
        case Commit(ring, target, turn, entries):
            head = _COMMIT.pack(PacketType.COMMIT, ring.sequence, ring.leader, target, turn, len(entries))
            return head + b"".join(_encode_entry(entry) for entry in entries)
        case Merge(ring, heard, mutual, members):
            head = _MERGE.pack(PacketType.MERGE, ring.sequence, ring.leader, len(heard), len(mutual))
            return head + _nodes(heard) + _nodes(mutual) + _nodes(members)
        case HoldCancel(ring):
            return _RING.pack(PacketType.HOLD_CANCEL, ring.sequence, ring.leader)
        case Probe(link, is_answer, stamp):
            return _PROBE.pack(PacketType.PROBE, link, is_answer, stamp)
        case Escorted(message, token):
            return join_escorted(encode_message(message), encode_token(token))


def encode_message(message: Message) -> bytes:
    """Return the bytes of a message."""
    ring = message.ring
    head = _MESSAGE.pack(
        PacketType.MESSAGE, ring.sequence, ring.leader, message.sequence, message.origin, message.wrapped
    )
    return head + message.payload


def encode_token(token: Token) -> bytes:
    """Return the bytes of a token; only the first :data:`MAX_RANGES` ranges travel."""
    missing = token.missing[:MAX_RANGES]
    head = _TOKEN.pack(
        PacketType.TOKEN,
        token.ring.sequence,
        token.ring.leader,
        token.target,
        token.turn,
        token.sequence,
        token.aru,
        token.aru_node,
        token.flow,
        min(token.backlog, 0xFFFFFFFF),
        token.recovering,
        len(missing),
    )
    return head + b"".join(_RANGE.pack(first, last) for first, last in missing)


def join_escorted(message: bytes, token: bytes) -> bytes:
    """Return the bytes of an :class:`Escorted` packet, made of those of its parts."""
    return _ESCORTED.pack(PacketType.ESCORTED, len(message)) + message + token


def decode(data: bytes) -> Packet:
    """Read a packet.

    Raises:
        RemoteError: the bytes are no packet; says which part is wrong.
    """
    try:
        kind = data[0]
        if kind == PacketType.MESSAGE:
            _, sequence, leader, number, origin, wrapped = _MESSAGE.unpack_from(data)
            return Message(RingId(sequence, leader), number, origin, wrapped, data[_MESSAGE.size :])
        if kind == PacketType.TOKEN:
            return _decode_token(data)
        if kind == PacketType.ESCORTED:
            return _decode_escorted(data)
        if kind == PacketType.JOIN:
            return _decode_join(data)
        if kind == PacketType.COMMIT:
            return _decode_commit(data)
        if kind == PacketType.MERGE:
            return _decode_merge(data)
        if kind == PacketType.HOLD_CANCEL:
            _, sequence, leader = _RING.unpack_from(data)
            return HoldCancel(RingId(sequence, leader))
        if kind == PacketType.PROBE:
            return Probe(*_PROBE.unpack_from(data)[1:])
    except (struct.error, IndexError):
        raise RemoteError("a packet is shorter than its fields") from None
    raise RemoteError(f"a packet of unknown type {kind}")


def wrap_message(old: Message) -> bytes:
    """Return a message of an old ring as payload for a message of the new one."""
    return _WRAPPED.pack(old.ring.sequence, old.ring.leader, old.sequence, old.origin) + old.payload


def unwrap_message(payload: bytes) -> Message:
    """Return the message of the old ring that :func:`wrap_message` packed.

    Raises:
        RemoteError: it is too short to be one.
    """
    try:
        sequence, leader, number, origin = _WRAPPED.unpack_from(payload)
    except struct.error:
        raise RemoteError("a recovered message is shorter than its fields") from None
    return Message(RingId(sequence, leader), number, origin, False, payload[_WRAPPED.size :])


def _nodes(nodes: frozenset[int]) -> bytes:
    return struct.pack(f"!{len(nodes)}I", *sorted(nodes))


def _read_nodes(data: bytes, start: int, end: int) -> frozenset[int]:
    count, rest = divmod(end - start, 4)
    if rest or count > MAX_NODES:
        raise RemoteError("a list of nodes has a wrong length")
    return frozenset(struct.unpack_from(f"!{count}I", data, start))


def _decode_token(data: bytes) -> Token:
    (_, sequence, leader, target, turn, number, aru, aru_node, flow, backlog, recovering, count) = _TOKEN.unpack_from(
        data
    )
    if len(data) != _TOKEN.size + count * _RANGE.size:
        raise RemoteError("a token has a wrong length")
    missing = [_RANGE.unpack_from(data, _TOKEN.size + index * _RANGE.size) for index in range(count)]
    ring = RingId(sequence, leader)
    return Token(ring, target, turn, number, aru, aru_node, flow, backlog, recovering, missing)


def _decode_escorted(data: bytes) -> Escorted:
    end = _ESCORTED.size + _ESCORTED.unpack_from(data)[1]
    message, token = decode(data[_ESCORTED.size : end]), decode(data[end:])
    if not isinstance(message, Message) or not isinstance(token, Token):
        raise RemoteError("something else than a message and a token in one packet")
    return Escorted(message, token)


def _decode_join(data: bytes) -> Join:
    _, ring_sequence, leaving, candidates, failed, heard = _JOIN.unpack_from(data)
    first = _JOIN.size
    second = first + 4 * candidates
    third = second + 4 * failed
    fourth = third + 4 * heard
    if len(data) < fourth:
        raise RemoteError("a join has a wrong length")
    return Join(
        _read_nodes(data, first, second),
        _read_nodes(data, second, third),
        _read_nodes(data, third, fourth),
        ring_sequence,
        leaving,
        _read_nodes(data, fourth, len(data)),
    )


def _decode_merge(data: bytes) -> Merge:
    _, sequence, leader, heard, mutual = _MERGE.unpack_from(data)
    second = _MERGE.size + 4 * heard
    third = second + 4 * mutual
    if len(data) < third:
        raise RemoteError("a merge has a wrong length")
    return Merge(
        RingId(sequence, leader),
        _read_nodes(data, _MERGE.size, second),
        _read_nodes(data, second, third),
        _read_nodes(data, third, len(data)),
    )


def _encode_entry(entry: CommitEntry) -> bytes:
    old = entry.old_ring
    return _ENTRY.pack(entry.node, entry.filled, old.sequence, old.leader, entry.aru, entry.highest)


def _decode_commit(data: bytes) -> Commit:
    _, sequence, leader, target, turn, count = _COMMIT.unpack_from(data)
    if len(data) != _COMMIT.size + count * _ENTRY.size or count > MAX_NODES:
        raise RemoteError("a commit token has a wrong length")
    entries = []
    for index in range(count):
        node, filled, old_sequence, old_leader, aru, highest = _ENTRY.unpack_from(
            data, _COMMIT.size + index * _ENTRY.size
        )
        entries.append(CommitEntry(node, filled, RingId(old_sequence, old_leader), aru, highest))
    return Commit(RingId(sequence, leader), target, turn, tuple(entries))
