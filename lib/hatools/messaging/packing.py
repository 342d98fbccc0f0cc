"""Messages into packets and back: packing small ones, cutting large ones, streams side by side. Pure.

Each packet holds chunks, ``u16 stream, u8 flags, u16 length, bytes``. A stream carries one message
after the other; several streams of one sender are interleaved packet by packet, so a transfer of
64 MiB in one group holds up nobody in another. Stream 0 is for control messages and goes first.
A message's place in the order is that of its last chunk.
"""

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hatools.values.errors import RemoteError

_CHUNK = struct.Struct("!HBH")
_FIRST = 1
_LAST = 2
_MAX_CHUNK = 0xFFFF


@dataclass(slots=True)
class _Stream:
    number: int
    messages: deque[bytes] = field(default_factory=deque)
    offset: int = 0
    """How much of the first message has been pulled."""


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

    @property
    def waiting_bytes(self) -> int:
        """Return the bytes queued outside the control stream."""
        return self._waiting

    def put_control(self, message: bytes) -> None:
        """Queue a control message."""
        self._control.messages.append(message)

    def put(self, name: str, message: bytes) -> None:
        """Queue a message on the named stream."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream(len(self._streams) + 1)
        if not stream.messages:
            self._ready.append(stream)
        stream.messages.append(message)
        self._waiting += len(message)

    def restart(self) -> None:
        """A new ring began: begin anew with messages that were sent in part, drop control messages."""
        self._control.messages.clear()
        self._control.offset = 0
        for stream in self._ready:
            self._waiting += stream.offset
            stream.offset = 0

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
            message = messages[0]
            start = stream.offset
            end = min(len(message), start + room - _CHUNK.size, start + _MAX_CHUNK)
            flags = (_FIRST if start == 0 else 0) | (_LAST if end == len(message) else 0)
            parts.append(_CHUNK.pack(stream.number, flags, end - start))
            parts.append(message[start:end])
            room -= _CHUNK.size + end - start
            if stream.number:
                self._waiting -= end - start
            if end == len(message):
                messages.popleft()
                stream.offset = 0
            else:
                stream.offset = end
        return room


class Inbox:
    """Puts messages together again.

    Args:
        is_wanted: says by a message's first chunk whether it concerns us; others are skipped unread.
    """

    __slots__ = ("_is_wanted", "_partial")

    def __init__(self, is_wanted: Callable[[bytes], bool]) -> None:
        self._partial: dict[tuple[int, int], list[bytes] | None] = {}
        self._is_wanted = is_wanted

    def restart(self) -> None:
        """A new ring began: what is not complete never will be."""
        self._partial.clear()

    def feed(self, origin: int, payload: bytes) -> list[bytes]:
        """Take a packet's payload and return the messages it completes.

        Raises:
            RemoteError: the payload is not made of chunks.
        """
        complete: list[bytes] = []
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
                    complete.append(chunk)
            else:
                self._add(complete, (origin, number), flags, chunk)
        return complete

    def _add(self, complete: list[bytes], key: tuple[int, int], flags: int, chunk: bytes) -> None:
        if flags & _FIRST:
            self._partial[key] = [chunk] if self._is_wanted(chunk) else None
            return
        parts = self._partial.get(key)
        if parts is not None:
            parts.append(chunk)
        if flags & _LAST and self._partial.pop(key, None) is not None and parts is not None:
            complete.append(b"".join(parts))
