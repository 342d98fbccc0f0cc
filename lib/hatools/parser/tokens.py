"""Words and lines of the crm language. Pure.

A *logical line* is one statement: physical lines joined where a backslash ends them. A *word* is
what a POSIX shell would make of it (quotes group, a backslash escapes), with the place where it
stands, so that an error can point at it.
"""

from collections.abc import Iterator

from hatools.values.errors import SyntaxProblem
from hatools.values.records import dataclass

_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Word:
    """One word without its quotes; ``start`` and ``end`` are offsets into the logical line."""

    text: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """One statement's text; ``number`` is the physical line (1-based) on which it begins.

    ``breaks`` holds the offsets in ``text`` at which each following physical line begins, with
    the number of blanks that were cut off before it, so that a place can be found again.
    """

    text: str
    number: int
    breaks: tuple[tuple[int, int], ...] = ()

    def place(self, offset: int) -> tuple[int, int]:
        """Return physical line and column (both 1-based) of an offset in ``text``."""
        line, start, indent = self.number, 0, self.breaks[0][1] if self.breaks else 0
        for count, (begin, blanks) in enumerate(self.breaks):
            if begin <= offset:
                line, start, indent = self.number + count, begin, blanks
        return line, offset - start + indent + 1


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Yield the statements of a text: continuation lines joined, blank ones dropped."""
    parts: list[str] = []
    breaks: list[tuple[int, int]] = []
    begin, length = 1, 0
    for number, physical in enumerate(text.split("\n"), 1):
        stripped = physical.strip()
        if not parts:
            begin, length, breaks = number, 0, []
        breaks.append((length, len(physical) - len(physical.lstrip())))
        continued = stripped.endswith("\\")
        if continued:
            stripped = stripped.rstrip("\\")
        parts.append(stripped)
        length += len(stripped)
        if not continued:
            joined = "".join(parts).strip()
            parts = []
            if joined:
                yield LogicalLine(joined, begin, tuple(breaks))
    if any(parts):
        yield LogicalLine("".join(parts), begin, tuple(breaks))


def join_lines(text: str) -> list[str]:
    """Return the texts of the logical lines."""
    return [line.text for line in logical_lines(text)]


_UNREPRESENTABLE = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"


def check_characters(text: str) -> None:
    """Refuse characters that no XML, hence no CIB, can hold.

    Raises:
        SyntaxProblem: there is one; the message says where in the text.
    """
    if text.isprintable():
        return
    import re

    found = re.search(_UNREPRESENTABLE, text)
    if found is None:
        return
    code = ord(found[0])
    what = f"byte 0x{code - 0xDC00:02x} is not UTF-8" if 0xDC80 <= code <= 0xDCFF else f"control character U+{code:04X}"
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    raise SyntaxProblem(f"line {line}, column {column}: {what} cannot be part of a configuration")


def split_words(text: str) -> list[Word]:
    """Cut a logical line into words as a POSIX shell does; nothing is expanded.

    Raises:
        SyntaxProblem: a quotation is not closed, or the line ends in a backslash.
    """
    words: list[Word] = []
    index, size = 0, len(text)
    while index < size:
        while index < size and text[index] in _BLANK:
            index += 1
        if index >= size:
            break
        word, index = _read_word(text, index)
        words.append(word)
    return words


def _read_word(text: str, start: int) -> tuple[Word, int]:
    parts: list[str] = []
    index, size = start, len(text)
    while index < size and text[index] not in _BLANK:
        char = text[index]
        if char == "'":
            close = text.find("'", index + 1)
            if close < 0:
                raise SyntaxProblem("No closing quotation", 1, index + 1)
            parts.append(text[index + 1 : close])
            index = close + 1
        elif char == '"':
            index = _read_quoted(text, index, parts)
        elif char == "\\":
            if index + 1 >= size:
                raise SyntaxProblem("No escaped character", 1, index + 1)
            parts.append(text[index + 1])
            index += 2
        else:
            end = index
            while end < size and text[end] not in " \t\r\n'\"\\":
                end += 1
            parts.append(text[index:end])
            index = end
    return Word("".join(parts), start, index), index


def _read_quoted(text: str, start: int, parts: list[str]) -> int:
    """Read a double-quoted stretch that opens at ``start``; return the offset after it."""
    index, size = start + 1, len(text)
    while index < size:
        char = text[index]
        if char == '"':
            return index + 1
        if char == "\\":
            if index + 1 >= size:
                raise SyntaxProblem("No escaped character", 1, index + 1)
            escaped = text[index + 1]
            parts.append(escaped if escaped in '"\\' else "\\" + escaped)
            index += 2
            continue
        parts.append(char)
        index += 1
    raise SyntaxProblem("No closing quotation", 1, start + 1)
