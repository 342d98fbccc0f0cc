"""Messages into packets and back: packing small ones, cutting large ones, streams side by side. Pure.

Each packet holds chunks, ``u16 stream, u8 flags, u16 length, bytes``. A stream carries one message
after the other; several streams of one sender are interleaved packet by packet, so a transfer of
64 MiB in one group holds up nobody in another. Stream 0 is for control messages and goes first.
A message's place in the order is that of its last chunk. Large messages are kept in pieces throughout, so
that nobody ever copies 64 MiB at once.
"""

import struct
from collections import deque
from collections.abc import Callable

from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, field

_CHUNK = struct.Struct("!HBH")
_FIRST = 1
_LAST = 2
_MAX_CHUNK = 0xFFFF


PIECE = 256 * 1024
"""Bytes from which on a message is handled in pieces."""

Pieces = tuple[bytes, ...]


@dataclass(slots=True)
class _Stream:
    number: int
    messages: deque[Pieces] = field(default_factory=deque)
    piece: int = 0
    offset: int = 0
    """What has been pulled of the first message: whole pieces, and bytes of the next."""
    pulled: int = 0
    waiting: int = 0


class Outbox:
    """What waits to be sent, as payloads of packets.

    Args:
        capacity: bytes a packet's payload may have.
    """

    __slots__ = ("_control", "_ready", "_streams", "_waiting", "capacity", "is_open")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.is_open = False
        """Whether anything but control messages may be sent (a view is installed)."""
        self._control = _Stream(0)
        self._streams: dict[str, _Stream] = {}
        self._ready: deque[_Stream] = deque()
        self._waiting = 0

    def waiting_bytes(self, name: str) -> int:
        """Return the bytes queued on the named stream."""
        stream = self._streams.get(name)
        return stream.waiting if stream else 0

    def put_control(self, message: bytes) -> None:
        """Queue a control message."""
        self._control.messages.append((message,))

    def put(self, name: str, *message: bytes) -> None:
        """Queue a message, possibly in pieces, on the named stream."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream(len(self._streams) + 1)
        if not stream.messages:
            self._ready.append(stream)
        stream.messages.append(message)
        size = sum(map(len, message))
        stream.waiting += size
        self._waiting += size

    def restart(self) -> None:
        """A new ring began: begin anew with messages that were sent in part, drop control messages."""
        self._control.messages.clear()
        for stream in self._ready:
            self._waiting += stream.pulled
            stream.waiting += stream.pulled
        for stream in (self._control, *self._ready):
            stream.piece = stream.offset = stream.pulled = 0

    def backlog(self) -> int:
        """Return how many packets wait, roughly."""
        count = len(self._control.messages)
        if self.is_open and self._waiting:
            count += 1 + self._waiting // self.capacity
        return count

    def pull(self) -> bytes | None:
        """Return the payload of the next packet, None if nothing waits."""
        parts: list[bytes] = []
        room = self.capacity
        if self._control.messages:
            room = self._fill(self._control, parts, room)
        if self.is_open:
            while self._ready and room > _CHUNK.size:
                stream = self._ready[0]
                room = self._fill(stream, parts, room)
                if not stream.messages:
                    self._ready.popleft()
                else:
                    self._ready.rotate(-1)
        return b"".join(parts) if parts else None

    def _fill(self, stream: _Stream, parts: list[bytes], room: int) -> int:
        """Add chunks of the stream as far as there is room; return the room that is left."""
        messages = stream.messages
        while messages and room > _CHUNK.size:
            pieces = messages[0]
            piece = pieces[stream.piece]
            start = stream.offset
            end = min(len(piece), start + room - _CHUNK.size, start + _MAX_CHUNK)
            size = end - start
            is_last = end == len(piece) and stream.piece == len(pieces) - 1
            flags = (0 if stream.piece or start else _FIRST) | (_LAST if is_last else 0)
            parts.append(_CHUNK.pack(stream.number, flags, size))
            parts.append(piece[start:end])
            room -= _CHUNK.size + size
            stream.pulled += size
            if stream.number:
                self._waiting -= size
                stream.waiting -= size
            if is_last:
                messages.popleft()
                stream.piece = stream.offset = stream.pulled = 0
            elif end == len(piece):
                stream.piece += 1
                stream.offset = 0
            else:
                stream.offset = end
        return room


@dataclass(slots=True)
class _Partial:
    """A message on its way: pieces that are full, and the chunks of the next one."""

    pieces: list[bytes] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.size += len(chunk)
        if self.size >= PIECE:
            self.close()

    def close(self) -> None:
        if self.chunks:
            self.pieces.append(b"".join(self.chunks))
        self.chunks.clear()
        self.size = 0


class Inbox:
    """Puts messages together again.

    Args:
        is_wanted: says by a message's first chunk whether it concerns us; others are skipped unread.
    """

    __slots__ = ("_is_wanted", "_partial")

    def __init__(self, is_wanted: Callable[[bytes], bool]) -> None:
        self._partial: dict[tuple[int, int], _Partial] = {}
        self._is_wanted = is_wanted

    def restart(self) -> None:
        """A new ring began: what is not complete never will be."""
        self._partial.clear()

    def feed(self, origin: int, payload: bytes) -> list[Pieces]:
        """Take a packet's payload and return the messages it completes, those below PIECE in one piece.

        Raises:
            RemoteError: the payload is not made of chunks.
        """
        complete: list[Pieces] = []
        position = 0
        end = len(payload)
        while position < end:
            if end - position < _CHUNK.size:
                raise RemoteError("a packet ends within a chunk")
            number, flags, length = _CHUNK.unpack_from(payload, position)
            position += _CHUNK.size
            if end - position < length:
                raise RemoteError("a chunk is longer than its packet")
            chunk = payload[position : position + length]
            position += length
            if flags == _FIRST | _LAST:
                if self._is_wanted(chunk):
                    complete.append((chunk,))
            else:
                self._add(complete, (origin, number), flags, chunk)
        return complete

    def _add(self, complete: list[Pieces], key: tuple[int, int], flags: int, chunk: bytes) -> None:
        if flags & _FIRST:
            self._partial.pop(key, None)
            if self._is_wanted(chunk):
                self._partial[key] = _Partial()
        partial = self._partial.get(key)
        if partial is None:
            return
        partial.add(chunk)
        if flags & _LAST:
            partial.close()
            del self._partial[key]
            complete.append(tuple(partial.pieces))
