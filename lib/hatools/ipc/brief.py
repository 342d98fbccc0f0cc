"""One request and its answer, for callers that start, say one sentence and end. I/O.

Agents and scripts set attributes in loops, a process each time; what such a process imports costs more than what it
does. So this speaks the form of ``ipc.codec`` for flat messages only, without message classes, ``json``, ``socket``
or any other module that is slow to import. Whatever is not the expected answer is None, and the caller goes the
ordinary way (``ipc.blocking``), which can explain it: only ask what may be asked twice.
"""

import os
from _socket import AF_UNIX, SOCK_STREAM, socket  # what the module ``socket`` wraps in enumerations

__all__ = ["Fields", "ask", "greet"]

Fields = dict[str, str | bytes | bool | int | None]
"""A flat message's fields by name; those with a default may be left out."""

_TIMEOUT_S = 30.0
_LONGEST_PATH = 100
_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {ord('"'): '\\"', ord("\\"): "\\\\"}


def greet(path: str, caller: str) -> socket | None:
    """Connect to the daemon behind a socket and say who we are; it lets us in while we do something else.

    Args:
        caller: what we call ourselves.
    """
    if len(os.fsencode(path)) > _LONGEST_PATH:
        return None
    connection = socket(AF_UNIX, SOCK_STREAM)
    connection.settimeout(_TIMEOUT_S)
    try:
        connection.connect(path)
        connection.sendall(_frame("h", 0, "session.Hello", {"name": caller, "pid": os.getpid()}))
    except OSError:
        connection.close()
        return None
    return connection


def ask(connection: socket | None, request: str, fields: Fields, answer: str) -> bytes | None:
    """Send the one request of a connection, and close it.

    Args:
        connection: what :func:`greet` returned.
        request, answer: message classes as ``module.Class``; ``fields`` are the request's.

    Returns:
        The answer's first blob (empty if it has none), None if there is no such answer.
    """
    if connection is None:
        return None
    try:
        connection.sendall(_frame("q", 1, request, fields))
        while (payload := _next_payload(connection)) is not None:
            head, blob = _take_apart(payload)
            if head.startswith(b'{"k":"a","i":1,'):
                return blob if head.startswith(f'{{"k":"a","i":1,"t":"{answer}",'.encode()) else None
            if head.startswith(b'{"k":"x"'):
                return None
    except (OSError, ValueError):
        return None
    finally:
        connection.close()
    return None


def _frame(kind: str, number: int, message: str, fields: Fields) -> bytes:
    blobs = [value for value in fields.values() if isinstance(value, bytes)]
    pairs = []
    position = 0
    for name, value in fields.items():
        if isinstance(value, bytes):
            pairs.append(f'"{name}":{position}')
            position += 1
        else:
            pairs.append(f'"{name}":{_json(value)}')
    text = f'{{"k":"{kind}","i":{number},"t":"{message}","d":{{{",".join(pairs)}}}}}'.encode("utf-8", "surrogateescape")
    sizes = b"".join(len(blob).to_bytes(4, "big") for blob in blobs)
    payload = b"".join((len(blobs).to_bytes(2, "big"), len(text).to_bytes(4, "big"), sizes, text, *blobs))
    return len(payload).to_bytes(4, "big") + payload


def _json(value: str | bool | int | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{value.translate(_ESCAPES)}"'


def _next_payload(connection: socket) -> bytes | None:
    length = _read(connection, 4)
    return None if length is None else _read(connection, int.from_bytes(length, "big"))


def _read(connection: socket, size: int) -> bytes | None:
    """Read exactly so many bytes; None at the end of the stream."""
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _take_apart(payload: bytes) -> tuple[bytes, bytes]:
    """Return a payload's JSON text and its first blob."""
    count = int.from_bytes(payload[:2], "big")
    end = 6 + 4 * count + int.from_bytes(payload[2:6], "big")
    blob = payload[end : end + int.from_bytes(payload[6:10], "big")] if count else b""
    return payload[6 + 4 * count : end], blob
