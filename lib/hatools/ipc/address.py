"""Addresses of UNIX sockets that fit the kernel's limit of about 108 bytes. I/O."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_SAFE_LENGTH = 100


@contextlib.contextmanager
def short_socket_path(path: Path) -> Iterator[str]:
    """Give a name for a socket that is short enough, if need be through its open folder."""
    if len(os.fsencode(path)) < _SAFE_LENGTH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
