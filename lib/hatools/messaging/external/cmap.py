"""libcmap: configuration and statistics of a running Corosync. I/O."""

import ctypes
import struct
from collections.abc import Iterator

from hatools.messaging.external.library import Handle, Status, check, load

_NAME_SIZE = 256
_STRING = 11
_NUMBERS = dict(enumerate("bBhHiIqQfd", 1))
"""``cmap_value_types_t`` and how :mod:`struct` calls it."""

CONFIGURATION = 0
STATISTICS = 1


class ConfigurationMap:
    """One of Corosync's two maps of keys and values."""

    def __init__(self, which: int = CONFIGURATION) -> None:
        size = ctypes.POINTER(ctypes.c_size_t)
        kind = ctypes.POINTER(ctypes.c_int)
        self._which = which
        self._handle = Handle()
        self._library = load(
            "libcmap.so.4",
            cmap_initialize_map=(ctypes.POINTER(Handle), ctypes.c_int),
            cmap_finalize=(Handle,),
            cmap_get=(Handle, ctypes.c_char_p, ctypes.c_void_p, size, kind),
            cmap_set_uint8=(Handle, ctypes.c_char_p, ctypes.c_uint8),
            cmap_iter_init=(Handle, ctypes.c_char_p, ctypes.POINTER(Handle)),
            cmap_iter_next=(Handle, Handle, ctypes.c_char_p, size, kind),
            cmap_iter_finalize=(Handle, Handle),
        )

    def open(self) -> None:
        """Connect.

        Raises:
            UnavailableError: corosync does not run or is not ready.
        """
        check(self._library.cmap_initialize_map(ctypes.byref(self._handle), self._which), "cmap_initialize")

    def close(self) -> None:
        """Disconnect."""
        self._library.cmap_finalize(self._handle)

    def set_flag(self, key: str) -> None:
        """Set a key to 1."""
        check(self._library.cmap_set_uint8(self._handle, key.encode(), 1), f"cmap_set {key}")

    def read(self, prefix: str = "") -> dict[str, str]:
        """Return all keys that begin with a prefix, values as corosync-cmapctl shows them."""
        return {key: self._value(key, size, kind) for key, size, kind in list(self._keys(prefix))}

    def _keys(self, prefix: str) -> Iterator[tuple[str, int, int]]:
        iteration = Handle()
        status = self._library.cmap_iter_init(self._handle, prefix.encode() or None, ctypes.byref(iteration))
        check(status, "cmap_iter_init")
        name = ctypes.create_string_buffer(_NAME_SIZE)
        size, kind = ctypes.c_size_t(), ctypes.c_int()
        more = (self._handle, iteration, name, ctypes.byref(size), ctypes.byref(kind))
        while self._library.cmap_iter_next(*more) == Status.OK:
            yield name.value.decode(errors="replace"), size.value, kind.value
        self._library.cmap_iter_finalize(self._handle, iteration)

    def _value(self, key: str, size: int, kind: int) -> str:
        buffer = ctypes.create_string_buffer(max(size, 8) + 1)
        length = ctypes.c_size_t(len(buffer))
        got = ctypes.c_int()
        arguments = (self._handle, key.encode(), buffer, ctypes.byref(length), ctypes.byref(got))
        if self._library.cmap_get(*arguments) != Status.OK:
            return ""  # removed since it was listed
        if kind == _STRING:
            return buffer.value.decode(errors="replace")
        number = _NUMBERS.get(kind)
        if number is None:
            return "***BINARY***"
        return str(struct.unpack_from(number, buffer)[0])
