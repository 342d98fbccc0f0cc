"""Heartbeat's messages and the two forms they travel in. Pure.

A message is an ordered list of fields. The *netstring* form is what 3.0.6 sends; it is signed as a whole.
The *classic* form is text; its ``auth`` field signs the fields before it. Both are accepted, and nothing is
believed before the signature was found right::

    ###\\n11:(0)t=status,...%%%\\n42:1 2db2...,            >>>\\nt=status\\n...auth=1 a5f6...\\n<<<\\n
"""

import base64
import binascii
from enum import IntEnum

from hatools.messaging.heartbeat.authkeys import KeyRing
from hatools.values.errors import RemoteError
from hatools.values.records import dataclass

MAX_DATAGRAM = 65_507
"""Bytes a UDP datagram can hold."""
MAX_DEPTH = 16
"""Messages within messages."""
MAX_FIELDS = 1000

_START = b"###\n"
_END = b"%%%\n"
_CLASSIC_START = b">>>\n"
_CLASSIC_END = b"<<<\n"
_NEWLINE = "\x13"
"""What stands for a newline in the classic form."""
_SIGNATURE = "auth"
_DIGITS = {10: frozenset("0123456789"), 16: frozenset("0123456789abcdefABCDEF")}


class FieldType(IntEnum):
    """What a field's value is; the number travels."""

    STRING = 0
    BINARY = 1
    STRUCT = 2
    LIST = 3
    COMPRESSED = 4
    UNCOMPRESSED = 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Strings are text, structs are messages, all other types are bytes as they travel."""

    name: str
    value: "str | bytes | Message"
    type: FieldType = FieldType.STRING


@dataclass(frozen=True, slots=True)
class Message:
    """An ordered list of fields; where a name is there twice the first counts."""

    fields: tuple[Field, ...]

    def text(self, name: str) -> str | None:
        """Return a string field, None if there is none of that name."""
        for field in self.fields:
            if field.name == name and isinstance(field.value, str):
                return field.value
        return None

    def data(self, name: str) -> bytes | None:
        """Return a binary field, None if there is none of that name."""
        for field in self.fields:
            if field.name == name and isinstance(field.value, bytes):
                return field.value
        return None

    def number(self, name: str, base: int = 10) -> int | None:
        """Return a field that holds a number that is not negative, None if it is not there.

        Raises:
            RemoteError: it is no number.
        """
        text = self.text(name)
        if text is None:
            return None
        if not text or len(text) > 16 or not _DIGITS[base].issuperset(text):
            raise RemoteError(f"the field {name} is no number")
        return int(text, base)


def text_message(**fields: str) -> Message:
    """Return a message of string fields in the order given."""
    return Message(tuple(Field(name, value) for name, value in fields.items()))


def encode(message: Message, keys: KeyRing, *, inner: bool) -> bytes:
    """Return the datagram of a message in netstring form.

    Args:
        inner: sign the fields as well, which peers with ``msgfmt classic`` do.
    """
    fields = message.fields
    if inner and all(field.type in (FieldType.STRING, FieldType.BINARY, FieldType.LIST) for field in fields):
        fields = (*fields, Field(_SIGNATURE, keys.sign(_classic_lines(fields))))
    frame = _netstring_frame(fields)
    return frame + _netstring(keys.sign(frame).encode())


def encode_classic(message: Message, keys: KeyRing) -> bytes:
    """Return the datagram of a message without structs in classic form."""
    lines = _classic_lines(message.fields)
    signature = keys.sign(lines).encode()
    return b"".join((_CLASSIC_START, lines, _SIGNATURE.encode(), b"=", signature, b"\n", _CLASSIC_END))


def decode(datagram: bytes, keys: KeyRing) -> Message:
    """Check a datagram's signature and read its message.

    Raises:
        RemoteError: it is not signed with one of our keys, or not well formed; says which.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise RemoteError("it is larger than a datagram can be")
    if datagram.startswith(_START):
        return _decode_netstring(datagram, keys)
    if datagram.startswith(_CLASSIC_START):
        return _decode_classic(datagram, keys)
    raise RemoteError("not a message of Heartbeat")


# -- netstring form


def _netstring(data: bytes) -> bytes:
    return b"%d:%s," % (len(data), data)


def _netstring_frame(fields: tuple[Field, ...]) -> bytes:
    parts = [_START]
    for field in fields:
        value = field.value
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        elif isinstance(value, Message):
            value = _netstring_frame(value.fields)
        parts.append(_netstring(b"(%d)%s=%s" % (field.type, field.name.encode("utf-8", "surrogateescape"), value)))
    parts.append(_END)
    return b"".join(parts)


def _decode_netstring(datagram: bytes, keys: KeyRing) -> Message:
    end, raw = _split_frame(datagram)
    signature, rest = _take_netstring(datagram, end)
    if datagram[rest:].strip(b"\0\n"):
        raise RemoteError("something follows its signature")
    keys.verify(signature.decode("ascii", "replace"), datagram[:end])
    return Message(tuple(_read_field(field, 0) for field in raw))


def _split_frame(data: bytes) -> tuple[int, list[bytes]]:
    """Return where a frame ends and its fields, unread."""
    position = len(_START)
    raw: list[bytes] = []
    while not data.startswith(_END, position):
        field, position = _take_netstring(data, position)
        raw.append(field)
        if len(raw) > MAX_FIELDS:
            raise RemoteError("it has too many fields")
    return position + len(_END), raw


def _take_netstring(data: bytes, position: int) -> tuple[bytes, int]:
    """Return a netstring's content and where it ends."""
    colon = data.find(b":", position, position + 8)
    digits = data[position:colon] if colon > position else b""
    if not digits.isdigit():
        raise RemoteError("a field has no length")
    start = colon + 1
    end = start + int(digits)
    if data[end : end + 1] != b",":
        raise RemoteError("a field's length is not that of the field")
    return data[start:end], end + 1


_KINDS = {b"(%d)" % kind: kind for kind in FieldType}


def _read_field(raw: bytes, depth: int) -> Field:
    kind = _KINDS.get(raw[:3])
    equals = raw.find(b"=", 3)
    if kind is None or equals < 4:
        raise RemoteError("a field without type and name")
    name = raw[3:equals].decode("utf-8", "surrogateescape")
    value = raw[equals + 1 :]
    if kind is FieldType.STRING:
        return Field(name, value.decode("utf-8", "surrogateescape"), kind)
    if kind is FieldType.STRUCT:
        return Field(name, _read_struct(value, depth + 1), kind)
    return Field(name, value, kind)


def _read_struct(value: bytes, depth: int) -> Message:
    if depth > MAX_DEPTH:
        raise RemoteError("messages are nested too deeply")
    if not value.startswith(_START):
        raise RemoteError("a struct is no message")
    end, raw = _split_frame(value)
    if value[end:].strip(b"\0\n"):
        raise RemoteError("something follows a struct")
    return Message(tuple(_read_field(field, depth) for field in raw))


# -- classic form


def _classic_lines(fields: tuple[Field, ...]) -> bytes:
    parts: list[bytes] = []
    for field in fields:
        value = field.value
        if isinstance(value, Message):
            raise RemoteError("a struct has no signed classic form")
        if isinstance(value, str):
            shown = value.replace("\n", _NEWLINE).encode("utf-8", "surrogateescape")
        elif field.type is FieldType.LIST:
            shown = value
        else:
            shown = base64.b64encode(value)
        kind = b"" if field.type is FieldType.STRING else b"(%d)" % field.type
        parts.append(b"%s%s=%s\n" % (kind, field.name.encode("utf-8", "surrogateescape"), shown))
    return b"".join(parts)


def _decode_classic(datagram: bytes, keys: KeyRing) -> Message:
    body = datagram[len(_CLASSIC_START) :].rstrip(b"\0")
    if not body.endswith(_CLASSIC_END):
        raise RemoteError("a message in classic form does not end with <<<")
    lines = [line + b"\n" for line in body[: -len(_CLASSIC_END)].split(b"\n")[:-1]]
    mark = _SIGNATURE.encode() + b"="
    signatures = [line for line in lines if line.startswith(mark)]
    signed = [line for line in lines if not line.startswith(mark)]
    if len(signatures) != 1:
        raise RemoteError("a message in classic form needs one signature")
    if len(signed) > MAX_FIELDS:
        raise RemoteError("it has too many fields")
    keys.verify(signatures[0][len(mark) :].rstrip(b"\n").decode("ascii", "replace"), b"".join(signed))
    return Message(tuple(_read_line(line.rstrip(b"\n")) for line in signed))


def _read_line(line: bytes) -> Field:
    head, equals, value = line.partition(b"=")
    kind = FieldType.STRING
    if head[:1] == b"(" and head[2:3] == b")" and b"0" <= head[1:2] <= b"5":
        kind = FieldType(head[1] - 0x30)
        head = head[3:]
    if not equals or not head:
        raise RemoteError("a line without name and value")
    name = head.decode("utf-8", "surrogateescape")
    match kind:
        case FieldType.STRING:
            return Field(name, value.decode("utf-8", "surrogateescape").replace(_NEWLINE, "\n"), kind)
        case FieldType.STRUCT:
            raise RemoteError("a struct in classic form cannot be checked")
        case FieldType.LIST:
            return Field(name, value, kind)
    try:
        return Field(name, base64.b64decode(value, validate=True), kind)
    except binascii.Error:
        raise RemoteError(f"the field {name[:32]} is not base64") from None
