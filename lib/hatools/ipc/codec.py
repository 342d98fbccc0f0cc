"""The codec: message dataclasses to bytes and back. Pure.

A payload is ``u16 blob count, u32 JSON length, u32 length per blob, JSON, blobs``. The JSON is an
envelope ``{"k": kind, "i": request id, "t": "module.Class", "d": fields}``. Fields may be str, int,
float, bool, None, bytes (sent as a blob), enums, tuples, ``dict[str, X]``, other dataclasses and
unions with None. Decoding checks every field against its declared type, so a handler trusts what
it receives.
"""

import json
import struct
import types
import typing
from collections.abc import Callable
from enum import Enum, StrEnum
from functools import cache
from importlib import import_module
from typing import Any

from hatools.values.errors import RemoteError
from hatools.values.records import dataclass, fields_of, is_record

_HEAD = struct.Struct("!HI")
_PACKAGE = "hatools.ipc.messages."


class Kind(StrEnum):
    """What an envelope is."""

    HELLO = "h"
    REQUEST = "q"
    ANSWER = "a"
    REFUSAL = "x"
    EVENT = "e"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One payload: a message and what it is to the conversation; ``request_id`` is 0 for events."""

    kind: Kind
    request_id: int
    message: Any


def encode(envelope: Envelope) -> bytes:
    """Return the payload for an envelope."""
    blobs: list[bytes] = []
    message = envelope.message
    text = json.dumps(
        {
            "k": envelope.kind,
            "i": envelope.request_id,
            "t": _type_name(type(message)),
            "d": _plain_fields(message, blobs),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode("utf-8", "surrogateescape")
    head = _HEAD.pack(len(blobs), len(text)) + b"".join(len(blob).to_bytes(4, "big") for blob in blobs)
    return b"".join((head, text, *blobs))


def decode(payload: bytes) -> Envelope:
    """Read a payload.

    Raises:
        RemoteError: it is not of our form, names an unknown message, or a field has a wrong type.
    """
    try:
        count, length = _HEAD.unpack_from(payload, 0)
        position = _HEAD.size + 4 * count
        sizes = struct.unpack_from(f"!{count}I", payload, _HEAD.size)
        document = json.loads(payload[position : position + length].decode("utf-8", "surrogateescape"))
        position += length
        blobs: list[bytes] = []
        for size in sizes:
            blobs.append(payload[position : position + size])
            position += size
        if position != len(payload):
            raise RemoteError("a message has a wrong length")
        message = _build(_message_class(document["t"]), document["d"], blobs)
        return Envelope(Kind(document["k"]), int(document["i"]), message)
    except RemoteError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error, RecursionError) as error:
        raise RemoteError(f"a message cannot be read: {error!r}") from None


_NAMES: dict[type, str] = {}
_FIELDS: dict[type, tuple[str, ...]] = {}


def _type_name(cls: type) -> str:
    name = _NAMES.get(cls)
    if name is None:
        name = _NAMES[cls] = f"{cls.__module__.removeprefix(_PACKAGE)}.{cls.__name__}"
    return name


@cache
def _message_class(name: str) -> type:
    module_name, _, class_name = name.partition(".")
    if not module_name.isidentifier() or not class_name.isidentifier():
        raise RemoteError(f"unknown message {name!r}")
    try:
        cls = getattr(import_module(_PACKAGE + module_name), class_name)
    except (ImportError, AttributeError):
        raise RemoteError(f"unknown message {name!r}") from None
    if not (isinstance(cls, type) and is_record(cls)):
        raise RemoteError(f"unknown message {name!r}")
    return cls


def _field_names(cls: type) -> tuple[str, ...]:
    names = _FIELDS.get(cls)
    if names is None:
        names = _FIELDS[cls] = tuple(item.name for item in fields_of(cls))
    return names


def _plain_fields(message: Any, blobs: list[bytes]) -> dict[str, Any]:
    return {name: _plain(getattr(message, name), blobs) for name in _field_names(type(message))}


def _plain(value: Any, blobs: list[bytes]) -> Any:
    if value is None or (isinstance(value, bool | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int | float):
        return value
    if isinstance(value, bytes):
        blobs.append(value)
        return len(blobs) - 1
    if isinstance(value, tuple | list):
        return [_plain(item, blobs) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, blobs) for key, item in value.items()}
    if is_record(value):
        return _plain_fields(value, blobs)
    raise TypeError(f"{type(value).__name__} cannot be sent")


Builder = Callable[[Any, list[bytes]], Any]


@cache
def _builders(cls: type) -> tuple[tuple[str, Builder, bool], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((item.name, _builder(hints[item.name]), item.is_required) for item in fields_of(cls))


def _build(cls: type, data: Any, blobs: list[bytes]) -> Any:
    values = {}
    for name, builder, required in _builders(cls):
        if name in data:
            values[name] = builder(data[name], blobs)
        elif required:
            raise RemoteError(f"{cls.__name__} lacks {name}")
    return cls(**values)


@cache
def _builder(hint: Any) -> Builder:
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [item for item in arguments if item is not type(None)]
        if len(inner) == 1 and len(arguments) == 2:
            build = _builder(inner[0])
            return lambda value, blobs: None if value is None else build(value, blobs)
    elif origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _builder(arguments[0])
        return lambda value, blobs: tuple([item(entry, blobs) for entry in _expect(value, list)])
    elif origin is tuple:
        items = tuple(_builder(argument) for argument in arguments)
        return lambda value, blobs: tuple(
            build(entry, blobs) for build, entry in zip(items, _expect(value, list), strict=True)
        )
    elif origin is dict:
        entry = _builder(arguments[1])
        return lambda value, blobs: {str(key): entry(part, blobs) for key, part in _expect(value, dict).items()}
    elif hint is bytes:
        return lambda value, blobs: blobs[_expect(value, int)]
    elif hint is float:
        return lambda value, blobs: float(_expect(value, int | float))
    elif hint in (str, int, bool):
        return lambda value, blobs: _expect(value, hint)
    elif isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value, blobs: hint(value)
    elif isinstance(hint, type) and is_record(hint):
        return lambda value, blobs: _build(hint, value, blobs)
    raise TypeError(f"{hint!r} cannot be a field of a message")


def _expect(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise RemoteError(f"expected {kind}, received {type(value).__name__}")
    return value
