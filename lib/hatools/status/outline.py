"""Nested lists of lines, the common shape of text and HTML displays. Pure.

An :class:`Item` is a line, a :class:`Listing` a title with entries below it. Text is written
in one of two ways: *fancy* (titles, bullets, two blanks per level) or plain, where only the
items themselves appear.
"""

from collections.abc import Iterable

from hatools.values.records import dataclass, field

__all__ = ["Entry", "Item", "Listing", "Span", "Verbatim", "write_text"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; ``style`` is its class in HTML."""

    text: str
    style: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A line. ``label`` is put before the text in fancy output.

    In HTML, ``spans`` (where given) replace the text, ``style`` is the class of the line, and
    ``inner`` are listings inside the line itself.
    """

    text: str
    label: str | None = None
    spans: tuple[Span, ...] = ()
    style: str | None = None
    inner: "tuple[Listing, ...]" = ()


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is written as it is, without bullet or indentation."""

    text: str


@dataclass(slots=True)
class Listing:
    """A title with entries. ``counts`` is false where what follows shall not keep a distance.

    Without ``colon``, the title is a line like others; HTML shows the entries of a listing
    without title as if they were its parent's.
    """

    title: str | None
    entries: "list[Entry]" = field(default_factory=list)
    counts: bool = True
    colon: bool = True

    def add(self, *entries: "Entry") -> None:
        """Append entries."""
        self.entries.extend(entries)


Entry = Item | Listing | Verbatim


def write_text(entries: Iterable[Entry], *, fancy: bool = True, depth: int = 0) -> str:
    """Write entries, each line ended by a newline."""
    lines: list[str] = []
    for entry in entries:
        _write(entry, fancy, depth, lines)
    return "".join(lines)


def _write(entry: Entry, fancy: bool, depth: int, lines: list[str]) -> None:
    match entry:
        case Verbatim(text):
            lines.append(text)
        case Item(text, label):
            lines.append(_line(text, label, depth) if fancy else f"{text}\n")
        case Listing():
            if entry.title is not None and not entry.colon:
                lines.append(_line(entry.title, None, depth) if fancy else f"{entry.title}\n")
            elif entry.title is not None and fancy:
                lines.append(_line(f"{entry.title}:", None, depth))
            for each in entry.entries:
                _write(each, fancy, depth + 1, lines)


def _line(text: str, label: str | None, depth: int) -> str:
    bullet = "* " if depth else ""
    head = f"{label}: " if label is not None else ""
    return f"{'  ' * depth}{bullet}{head}{text}\n"
