"""The shared key of a cluster: loading it with all checks. I/O.

A key file that others could read or change, or that is no random key, stops messaging with a clear message.
"""

import os
import stat
from pathlib import Path

from hatools.messaging.corosync.conf import Configuration
from hatools.values.errors import ConfigError, UnavailableError

MIN_SIZE = 128
MAX_SIZE = 4096
DEFAULT_SIZE = 256
FILE_MODE = 0o400
DEFAULT_FILE = "etc/corosync/authkey"


def check_key(content: bytes, mode: int, path: str) -> bytes:
    """Return the content of a key file if it may be used.

    Args:
        mode: the file's mode bits.

    Raises:
        ConfigError: the file can be read or changed by others, or the key cannot be one.
    """
    if not stat.S_ISREG(mode):
        raise ConfigError(f"{path} is not a regular file")
    permissions = stat.S_IMODE(mode)
    if permissions & 0o077:
        raise ConfigError(
            f"{path} has mode {permissions:04o}: others may read or change the key; run chmod 0400 {path}"
        )
    if not MIN_SIZE <= len(content) <= MAX_SIZE:
        raise ConfigError(
            f"{path} holds {len(content)} bytes, a key has {MIN_SIZE} to {MAX_SIZE}; "
            "make one with corosync-keygen and copy it to every node"
        )
    if len(set(content)) < 8:
        raise ConfigError(f"{path} is no random key (it repeats a few bytes); make one with corosync-keygen")
    return content


def check_inline_key(key: str) -> bytes:
    """Return ``totem.key`` as bytes if it may be used."""
    content = key.encode()
    if not MIN_SIZE <= len(content) <= MAX_SIZE:
        raise ConfigError(f"totem.key has {len(content)} characters, a key has {MIN_SIZE} to {MAX_SIZE}")
    return content


def load_key(path: Path) -> bytes:
    """Read a key file.

    Raises:
        UnavailableError: it cannot be read.
        ConfigError: it may not be used, see :func:`check_key`.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        raise UnavailableError(
            f"there is no key {path}: make one with corosync-keygen and copy it to every node"
        ) from None
    except OSError as error:
        raise UnavailableError(f"the key {path} cannot be read: {error.strerror}") from None
    return check_key(content, mode, str(path))


def configured_key(configuration: Configuration, root: Path) -> bytes:
    """Return the key that a configuration names: ``totem.key``, ``totem.keyfile``, else the authkey below the root.

    Raises:
        UnavailableError, ConfigError: it cannot be read or may not be used.
    """
    if configuration.key and not configuration.keyfile:
        return check_inline_key(configuration.key)
    return load_key(root / (configuration.keyfile or DEFAULT_FILE).lstrip("/"))
