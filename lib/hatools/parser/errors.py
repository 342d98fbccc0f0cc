"""What is wrong with a statement, and how to show it. Pure."""

from collections.abc import Iterable, Sequence

from hatools.parser.tokens import LogicalLine, Word, split_words
from hatools.values.errors import SyntaxProblem

_BEFORE, _WINDOW = 60, 76


class StatementError(SyntaxProblem):
    """A statement does not parse.

    ``str()`` is the one-line text that scripts know; :meth:`explain` shows the place.

    Args:
        reason: what was expected.
        context: the construct in which it was expected, usually the statement's keyword.
        near: the word at which the parser stopped; empty at the end of the line.
        words: the statement as read.
        place: index of that word in ``words``.
    """

    def __init__(self, reason: str, context: str, near: str, words: Sequence[str], place: int) -> None:
        parts = ["syntax"]
        if context:
            parts.append(f" in {context}")
        if reason:
            parts.append(f": {reason}")
        if near:
            parts.append(f" near <{near}>")
        parts.append(f" parsing '{' '.join(words)}'")
        super().__init__("".join(parts))
        self.reason = reason
        self.near = near
        self.words = tuple(words)
        self.place = place

    def explain(self, line: LogicalLine | None = None, vocabulary: Iterable[str] = ()) -> str:
        """Return line, column, the text with a marker below the place, and the nearest known word.

        Args:
            line: where the statement stands; without it, the words as they were read are shown.
            vocabulary: what could have been meant.
        """
        from difflib import get_close_matches  # only a person who erred waits for this import

        if line is None:
            line = LogicalLine(" ".join(self.words), 1)
            words = _spaced(self.words)
        else:
            words = split_words(line.text)
        word = self._find(words)
        offset = word.start if word else len(line.text)
        self.line, self.column = line.place(offset)
        begin = max(0, offset - _BEFORE)
        width = min(max(1, word.end - word.start), _WINDOW) if word else 1
        shown = [
            f"line {self.line}, column {self.column}: {self.reason or 'cannot be understood'}",
            "  " + line.text[begin : begin + _WINDOW].expandtabs(1),
            "  " + " " * (offset - begin) + "^" * width,
        ]
        written = word.text[:_WINDOW].rstrip(":") if word else ""
        known = {name.lower(): name for name in vocabulary}
        nearest = get_close_matches(written.lower(), list(known), 1) if word else []
        if nearest and nearest[0] != written.lower():
            shown.append(f"  did you mean '{known[nearest[0]]}'?")
        return "\n".join(shown)

    def _find(self, words: Sequence[Word]) -> Word | None:
        """Return the word at fault; brackets may have been separate words for the parser."""
        named = self.reason.rpartition(": ")[2]
        if named != self.reason and " " not in named:
            culprit = next((word for word in words if word.text.rstrip(":") == named), None)
            if culprit is not None:
                return culprit
        if self.place < len(words) and words[self.place].text.lower() == self.near.lower():
            return words[self.place]
        if self.near:
            return next((word for word in words if self.near in word.text), None)
        return words[self.place] if self.place < len(words) else None


class InvalidNameError(StatementError):
    """A word would have to become the name of an XML attribute, but cannot; the original says only that."""

    def __init__(self, name: str, context: str, words: Sequence[str], place: int) -> None:
        super().__init__(f"Invalid attribute name '{name}'", context, name, words, place)

    def __str__(self) -> str:
        return self.reason


def _spaced(texts: Iterable[str]) -> list[Word]:
    """Return words with one blank between them."""
    words: list[Word] = []
    start = 0
    for text in texts:
        words.append(Word(text, start, start + len(text)))
        start += len(text) + 1
    return words
