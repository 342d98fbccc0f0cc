"""libcmap: configuration and statistics of a running Corosync. I/O."""

import ctypes
import struct
from collections.abc import Iterator

from hatools.messaging.external.library import Handle, Status, check, load
from hatools.values.errors import InputError, NoSuchObjectError, PermissionRefusedError

_NAME_SIZE = 256
_STRING = 11
_NUMBERS = dict(enumerate("bBhHiIqQfd", 1))
"""``cmap_value_types_t`` and how :mod:`struct` calls it."""

_WORDS = ("", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "flt", "dbl", "str", "bin")
"""The same as corosync-cmapctl names it."""

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
            cmap_set=(Handle, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int),
            cmap_delete=(Handle, ctypes.c_char_p),
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

    def set(self, key: str, kind: str, value: str) -> None:
        """Set a key; kind and value as corosync-cmapctl takes them, binary values in hexadecimal.

        Raises:
            InputError: the value is none of that kind.
        """
        if kind not in _WORDS[1:]:
            raise InputError(f"{kind} is no type of a key: {', '.join(_WORDS[1:])}")
        number = _WORDS.index(kind)
        try:
            if number == _STRING:
                data = value.encode() + b"\0"
            elif number in _NUMBERS:
                made = float(value) if _NUMBERS[number] in "fd" else int(value, 0)
                data = struct.pack(_NUMBERS[number], made)
            else:
                data = bytes.fromhex(value)
        except (ValueError, struct.error):
            raise InputError(f"{value!r} is no value of type {kind}") from None
        length = len(data) - 1 if number == _STRING else len(data)
        _check_key(self._library.cmap_set(self._handle, key.encode(), data, length, number), key)

    def delete(self, key: str) -> None:
        """Delete a key.

        Raises:
            NoSuchObjectError: there is none.
        """
        _check_key(self._library.cmap_delete(self._handle, key.encode()), key)

    def read(self, prefix: str = "") -> dict[str, str]:
        """Return all keys that begin with a prefix, values as corosync-cmapctl shows them."""
        return {key: value for key, _, value in self.entries(prefix)}

    def entries(self, prefix: str = "") -> list[tuple[str, str, str]]:
        """Return (key, kind, value) of all keys that begin with a prefix, sorted; binary values in hexadecimal."""
        found = []
        for key, size, kind in list(self._keys(prefix)):
            value = self._value(key, size, kind)
            if value is not None:
                found.append((key, _WORDS[kind] if 0 < kind < len(_WORDS) else "", value))
        return sorted(found)

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

    def _value(self, key: str, size: int, kind: int) -> str | None:
        """Return a value as text; None if the key has gone since it was listed."""
        buffer = ctypes.create_string_buffer(max(size, 8) + 1)
        length = ctypes.c_size_t(len(buffer))
        got = ctypes.c_int()
        arguments = (self._handle, key.encode(), buffer, ctypes.byref(length), ctypes.byref(got))
        if self._library.cmap_get(*arguments) != Status.OK:
            return None
        if kind == _STRING:
            return buffer.value.decode(errors="replace")
        number = _NUMBERS.get(kind)
        if number is None:
            return buffer.raw[: length.value].hex()
        return str(struct.unpack_from(number, buffer)[0])


def _check_key(status: int, key: str) -> None:
    if status == Status.ACCESS:
        raise PermissionRefusedError(f"the key {key} is read only")
    if status == Status.NOT_EXIST:
        raise NoSuchObjectError(f"there is no key {key}")
    check(status, f"key {key}")
