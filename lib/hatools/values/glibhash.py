"""The order in which the original lists what it keeps in GLib hash tables. Pure.

Where Pacemaker prints the entries of a table keyed by strings, their order is that of the table's buckets. Outputs are
compared by programs and people, so we list in the same order. The arithmetic is GLib 2.74's: open addressing with a
prime modulus, rehashing in place when the table grows.
"""

from collections.abc import Iterable, Sequence

_PRIMES = (1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071)
_SMALLEST_SHIFT = 3


def string_hash(text: str) -> int:
    """Return Pacemaker's hash of a text (its UTF-8 bytes, signed); it kept GLib's old function for stable output."""
    value = 0
    for byte in text.encode("utf-8", "surrogateescape"):
        value = (value * 31 + (byte if byte < 128 else byte - 256)) & 0xFFFFFFFF
    # 0 and 1 mark free and deleted buckets.
    return value if value >= 2 else 2


def _spread(hashed: int) -> int:
    return (hashed * 11) & 0xFFFFFFFF


class _Table:
    """The buckets of one table; each holds a key and its hash, or nothing."""

    def __init__(self) -> None:
        self.buckets: list[tuple[str, int] | None] = []
        self.count = 0
        self._size_to(_SMALLEST_SHIFT)

    def _size_to(self, shift: int) -> None:
        self.size = 1 << shift
        self.prime = _PRIMES[shift]
        self.buckets.extend([None] * (self.size - len(self.buckets)))

    def add(self, key: str, hashed: int) -> None:
        """Insert a key with its hash; one that is there already stays where it is."""
        at = _spread(hashed) % self.prime
        step = 0
        while (bucket := self.buckets[at]) is not None:
            if bucket[0] == key:
                return
            step += 1
            at = (at + step) & (self.size - 1)
        self.buckets[at] = (key, hashed)
        self.count += 1
        if self.size <= self.count + self.count // 16:
            self._grow()

    def _grow(self) -> None:
        wanted = int(self.count * 1.333)
        shift = _SMALLEST_SHIFT
        while 1 << shift <= wanted:
            shift += 1
        old_size = self.size
        self._size_to(shift)
        settled = [False] * self.size
        for start in range(old_size):
            moving = self.buckets[start]
            if moving is None or settled[start]:
                continue
            self.buckets[start] = None
            while moving is not None:
                at = _spread(moving[1]) % self.prime
                step = 0
                while settled[at]:
                    step += 1
                    at = (at + step) & (self.size - 1)
                settled[at] = True
                moving, self.buckets[at] = self.buckets[at], moving


def hash_order(keys: Iterable[str]) -> Sequence[str]:
    """Return the keys, inserted in the order given, in the order the table lists them."""
    table = _Table()
    for key in keys:
        table.add(key, string_hash(key))
    return [bucket[0] for bucket in table.buckets if bucket is not None]
