"""The scheduler's inputs, kept for later questions. I/O.

Each input is a compressed CIB ``pe-input-N.bz2``, or ``pe-warn-N``, ``pe-error-N`` where the calculation met what an
administrator should look at. Each series has a limit, from the cluster options ``pe-*-series-max``: at the limit it
begins again at 0. ``pe-input.last`` holds the number of the next file, as Pacemaker writes it. The time of the
calculation is kept in the attribute ``execution-date``, so that it can be repeated exactly.
"""

import bz2
import contextlib
import os
from pathlib import Path

from hatools.cib.document import Document, Element, children
from hatools.values.records import dataclass

SERIES = {
    "input": ("pe-input-series-max", 4000),
    "warn": ("pe-warn-series-max", 5000),
    "error": ("pe-error-series-max", -1),
}
"""Quality of a calculation: the option that limits its series, and the option's default."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one input; ``path`` None: inputs of this quality are not kept."""

    quality: str
    number: int
    path: Path | None


class Archive:
    """The folder with the inputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: tuple[bytes, Slot] | None = None

    def reserve(self, document: Document, quality: str, xml: bytes) -> Slot:
        """Choose the place for an input; the same input in a row keeps its place."""
        if self._last is not None and self._last[0] == xml and self._last[1].quality == quality:
            return self._last[1]
        limit = series_limit(document, quality)
        number = self._read_number(quality, limit)
        path = None if limit == 0 else self._folder / f"pe-{quality}-{number}.bz2"
        if path is not None:
            self._write_number(quality, number + 1, limit)
        slot = Slot(quality, number, path)
        self._last = (xml, slot)
        return slot

    def save(self, slot: Slot, text: str) -> None:
        """Write an input into its place, whole or not at all.

        Raises:
            OSError: it could not be written.
        """
        if slot.path is None:
            return
        draft = slot.path.with_name(f".{slot.path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(bz2.compress(text.encode("utf-8", "surrogateescape"), 5))
        draft.replace(slot.path)

    def _read_number(self, quality: str, limit: int) -> int:
        number = 0
        with contextlib.suppress(OSError, ValueError):
            number = int(self._counter(quality).read_text().split()[0])
        return 0 if number < 0 or (limit > 0 and number >= limit) else number

    def _write_number(self, quality: str, number: int, limit: int) -> None:
        if limit > 0 and number >= limit:
            number = 0
        counter = self._counter(quality)
        draft = counter.with_name(f".{counter.name}.new")
        draft.write_text(f"{number}\n")
        draft.replace(counter)

    def _counter(self, quality: str) -> Path:
        return self._folder / f"pe-{quality}.last"


def series_limit(document: Document, quality: str) -> int:
    """Return how many inputs of this quality are kept: 0 none, negative all."""
    option, default = SERIES[quality]
    for group in children(document.section("crm_config"), "cluster_property_set"):
        for pair in children(group, "nvpair"):
            text = pair.get("value", "")
            if pair.get("name") == option and text.lstrip("-").isdigit():
                return int(text)
    return default


def with_execution_date(root: Element, epoch: int) -> Element:
    """Return the document's root with the time of the calculation noted."""
    copy = Element(root.tag, {**root.attrib, "execution-date": str(epoch)})
    copy.extend(root)
    return copy
