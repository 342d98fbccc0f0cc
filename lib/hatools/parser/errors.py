"""What is wrong with a statement, and how to show it. Pure."""

from collections.abc import Iterable, Sequence

from hatools.parser.tokens import LogicalLine, Word
from hatools.values.errors import SyntaxProblem


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
        self.place = place

    def explain(self, line: LogicalLine, words: Sequence[Word], vocabulary: Iterable[str] = ()) -> str:
        """Return line, column, the text with a marker below the place, and the nearest known word."""
        from difflib import get_close_matches  # only a person who erred waits for this import

        word = words[self.place] if self.place < len(words) else None
        offset = word.start if word else len(line.text)
        number, column = line.place(offset)
        self.line, self.column = number, column
        text = line.text.expandtabs(1)
        window = max(0, offset - 60)
        shown = [
            f"line {number}, column {column}: {self.reason or 'cannot be understood'}",
            "  " + text[window : window + 76],
            "  " + " " * (offset - window) + "^" * min(max(1, (word.end - word.start) if word else 1), 76),
        ]
        nearest = get_close_matches(word.text.lower(), list(vocabulary), 1) if word else []
        if nearest and word and nearest[0] != word.text.lower():
            shown.append(f"  did you mean '{nearest[0]}'?")
        return "\n".join(shown)
