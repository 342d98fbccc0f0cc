"""What Heartbeat keeps in ``var/lib/heartbeat``: generation, uuid, and the uuids of nodes met. I/O.

The files have the original's format, so a node that changes from one to the other stays who it is.
"""

import logging
import os
import uuid
from pathlib import Path

from hatools.values.errors import UnavailableError

_log = logging.getLogger(__name__)

_GENERATION = "hb_generation"
_UUID = "hb_uuid"
_HOSTS = "hostcache"
_UUID_BYTES = 16
_DEFAULT_WEIGHT = 100


class HeartbeatStore:
    """The files of one node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def next_generation(self, clock: int) -> int:
        """Return a generation larger than every one before; it is on disk when this returns.

        Args:
            clock: seconds since the epoch, where to begin without a file.

        Raises:
            UnavailableError: nothing can be stored.
        """
        path = self._folder / _GENERATION
        try:
            generation = int(path.read_text(encoding="ascii")) + 1
        except FileNotFoundError:
            generation = clock + 1
        except (OSError, ValueError) as error:
            _log.warning("%s cannot be read (%s): beginning with the time of day", path, error)
            generation = clock + 1
        self._write(_GENERATION, f"{generation:>15}\n".encode())
        return generation

    def own_uuid(self, randomness: bytes) -> bytes:
        """Return this node's uuid, made of the randomness at the first start.

        Raises:
            UnavailableError: it cannot be stored.
        """
        path = self._folder / _UUID
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            found = b""
        if len(found) == _UUID_BYTES and any(found):
            return found
        made = uuid.UUID(bytes=randomness[:_UUID_BYTES], version=4).bytes
        self._write(_UUID, made)
        return made

    def known_nodes(self) -> dict[str, bytes]:
        """Return the uuids of nodes met before, by name; lines that cannot be read are skipped."""
        try:
            lines = (self._folder / _HOSTS).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return {}
        known: dict[str, bytes] = {}
        for line in lines:
            words = line.split()
            try:
                known[words[0].lower()] = uuid.UUID(words[1]).bytes
            except (IndexError, ValueError):
                continue
        return known

    def keep_nodes(self, known: dict[str, bytes]) -> None:
        """Store the uuids of nodes."""
        lines = (f"{name}\t{uuid.UUID(bytes=known[name])}\t{_DEFAULT_WEIGHT}\n" for name in sorted(known))
        try:
            self._write(_HOSTS, "".join(lines).encode())
        except UnavailableError as error:
            _log.warning("%s", error)

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        temporary = path.with_name(name + ".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o600)
            temporary.rename(path)
        except OSError as error:
            raise UnavailableError(f"{path} cannot be written: {error.strerror}") from None
