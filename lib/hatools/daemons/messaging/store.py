"""The little that messaging must remember over a restart: its life's number and the ring's sequence. I/O.

Both must be on disk before they are used: the epoch makes every key and nonce unique, the ring sequence
makes every ring id unique. One file, replaced atomically, so a crash leaves the old or the new numbers.
A node that changes its style may have had another id before; the sequence goes on from the highest of them all.
"""

import json
import logging
import os
from pathlib import Path

from hatools.values.records import as_dict, dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Numbers:
    """``ring_sequence``: none above it was ever used."""

    epoch: int = 0
    ring_sequence: int = 0
    expected_votes: int = 0
    """The most expected votes ever seen."""


class NumberStore:
    """The file of one node id."""

    def __init__(self, folder: Path, node_id: int) -> None:
        self._path = folder / f"hatools_{node_id}"
        self.numbers = Numbers()

    def load(self) -> None:
        """Read the file; without one, or with a broken one, the numbers are zero but for the ring's sequence."""
        found = _read(self._path)
        if found is None:
            _log.info("%s is not there: starting with new numbers", self._path)
            found = Numbers()
        others = [_read(path) for path in sorted(self._path.parent.glob("hatools_*")) if path.suffix == ""]
        highest = max([found.ring_sequence, *(other.ring_sequence for other in others if other is not None)])
        self.numbers = Numbers(found.epoch, highest, found.expected_votes)

    def keep(self, numbers: Numbers) -> None:
        """Store the numbers; they are on disk when this returns.

        Raises:
            OSError: they could not be stored.
        """
        temporary = self._path.with_suffix(".new")
        with temporary.open("w", encoding="ascii") as file:
            json.dump(as_dict(numbers), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.numbers = numbers


def _read(path: Path) -> Numbers | None:
    """Return what a file holds; None if there is none or nobody can read it, which the log says."""
    try:
        data = json.loads(path.read_text())
        return Numbers(int(data["epoch"]), int(data["ring_sequence"]), int(data.get("expected_votes", 0)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("%s cannot be read (%s): starting with new numbers", path, error)
        return None
