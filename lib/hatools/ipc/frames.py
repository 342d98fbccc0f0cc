"""Frames: how payloads are cut out of a byte stream. Pure.

A frame is a 4 byte big-endian length and that many bytes. There is no buffer setting: a frame
may be as large as :data:`MAX_FRAME`, and the reader keeps only what has not been taken yet.
"""

import struct

from hatools.values.errors import RemoteError

MAX_FRAME = 512 * 1024 * 1024
"""Bytes; a longer frame is a protocol fault, not data."""

_LENGTH = struct.Struct("!I")


def pack_frame(payload: bytes) -> bytes:
    """Return the payload with its length before it."""
    return _LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Collects received bytes and gives back whole payloads in order."""

    __slots__ = ("_buffer", "_limit")

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._buffer = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[bytes]:
        """Add received bytes and return the payloads that are complete now.

        Raises:
            RemoteError: the peer announced a frame above the limit.
        """
        self._buffer += data
        payloads: list[bytes] = []
        position = 0
        available = len(self._buffer)
        while available - position >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, position)
            if length > self._limit:
                raise RemoteError(f"a frame of {length} bytes was announced, the limit is {self._limit}")
            if available - position - _LENGTH.size < length:
                break
            start = position + _LENGTH.size
            payloads.append(bytes(self._buffer[start : start + length]))
            position = start + length
        if position:
            del self._buffer[:position]
        return payloads
