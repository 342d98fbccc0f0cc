"""Many small messages in one: what clients of messaging send and are given in a flood. Pure.

``u32 count, u64 tag * count, u32 length * count``, then the messages. Only their senders and readers look inside;
whoever carries them does so at the price of one.
"""

import struct
from collections.abc import Sequence

from hatools.values.errors import RemoteError

_COUNT = struct.Struct("!I")
_PER_MESSAGE = 12


def pack_bundle(payloads: Sequence[bytes], tags: Sequence[int]) -> bytes:
    """Return the messages as one, a tag for each."""
    count = len(payloads)
    head = struct.pack(f"!I{count}Q{count}I", count, *tags, *map(len, payloads))
    return b"".join((head, *payloads))


def count_bundle(bundle: bytes) -> int:
    """Return how many messages there are, at least one.

    Raises:
        RemoteError: it is no bundle.
    """
    return len(_lengths(bundle))


def unpack_bundle(bundle: bytes) -> tuple[list[bytes], tuple[int, ...]]:
    """Return the messages and their tags.

    Raises:
        RemoteError: it is no bundle.
    """
    lengths = _lengths(bundle)
    count = len(lengths)
    tags = struct.unpack_from(f"!{count}Q", bundle, _COUNT.size)
    position = _COUNT.size + _PER_MESSAGE * count
    payloads = []
    for length in lengths:
        payloads.append(bundle[position : position + length])
        position += length
    return payloads, tags


def _lengths(bundle: bytes) -> tuple[int, ...]:
    size = len(bundle)
    count = _COUNT.unpack_from(bundle)[0] if size >= _COUNT.size else 0
    if not count or size < _COUNT.size + _PER_MESSAGE * count:
        raise RemoteError("a bundle of messages is cut off")
    lengths = struct.unpack_from(f"!{count}I", bundle, _COUNT.size + 8 * count)
    if sum(lengths) != size - _COUNT.size - _PER_MESSAGE * count:
        raise RemoteError("a bundle of messages has a wrong length")
    return lengths
