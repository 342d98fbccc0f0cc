"""Terminals of the grammar: pyparsing elements that match whole words. Pure.

pyparsing walks over text by index. Our text is a :class:`WordLine`, a string with one character
per word, so an index is the number of a word, and no character of a word can be mistaken for
syntax. A terminal that *must* match carries the message of the error it raises.
"""

import re
from collections.abc import Container, Sequence

import pyparsing as pp

from hatools.parser.errors import StatementError
from hatools.parser.syntax import NvPair

_PAIR_REF = re.compile(r"@([^:]+)(?::(.+))?$")
_PAIR_ID = re.compile(r"\$([^:=]+)(?::(.+))?=(.*)$", re.DOTALL)
_PAIR = re.compile(r"([^=@$][^=]*)=(.*)$", re.DOTALL)
_PAIR_KEY = re.compile(r"([^:=]+)$")


class WordLine(str):
    """The words of one statement as pyparsing's input: as long as there are words."""

    words: Sequence[str]
    context: str

    @classmethod
    def of(cls, words: Sequence[str], context: str) -> "WordLine":
        """Wrap words; ``context`` names the statement in errors."""
        line = cls("w" * len(words))
        line.words = words
        line.context = context
        return line


def fail(line: str, loc: int, reason: str, *, context: str | None = None, near: str | None = None) -> StatementError:
    """Return the error for a place; by default the word there is named."""
    assert isinstance(line, WordLine)
    if near is None:
        near = line.words[loc] if loc < len(line.words) else ""
    return StatementError(reason, line.context if context is None else context, near, line.words, loc)


class Match(pp.Token):
    """A word that matches a pattern; yields the match object.

    Without ``expected`` a mismatch is an ordinary one, which alternatives may follow; with it,
    the statement is wrong.
    """

    def __init__(self, pattern: str | re.Pattern[str], expected: str | None = None) -> None:
        super().__init__()
        self.regex = re.compile(pattern, re.IGNORECASE | re.DOTALL) if isinstance(pattern, str) else pattern
        self.expected = expected

    def _generateDefaultName(self) -> str:
        return self.regex.pattern

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        if loc < len(instring.words):
            match = self.regex.match(instring.words[loc])
            if match is not None:
                return loc + 1, match
        if self.expected is None:
            raise pp.ParseException(instring, loc, "", self)
        raise fail(instring, loc, self.expected)


class AnyWord(pp.Token):
    """Whatever word is next; the end of the line is an error."""

    def _generateDefaultName(self) -> str:
        return "WORD"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        if loc >= len(instring.words):
            raise fail(instring, loc, "Unexpected end of line")
        return loc + 1, instring.words[loc]


class Fail(pp.Token):
    """Matches nothing: the statement is wrong here."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def _generateDefaultName(self) -> str:
        return f"({self.reason})"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        raise fail(instring, loc, self.reason)


class End(pp.Token):
    """The end of the statement; words left over are an error."""

    def _generateDefaultName(self) -> str:
        return "END"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, list[object]]:
        assert isinstance(instring, WordLine)
        if loc < len(instring.words):
            raise fail(instring, loc, "Unknown arguments: " + " ".join(instring.words[loc:]))
        return loc, []


class Pair(pp.Token):
    """One name-value word, unless it is a word that ends the block; yields :class:`NvPair`.

    Args:
        terminators: words (lower case) that begin something else.
        with_keys: whether a bare name is a pair without a value.
        allow_empty: whether ``name=`` is allowed.
    """

    def __init__(self, terminators: Container[str], *, with_keys: bool = True, allow_empty: bool = True) -> None:
        super().__init__()
        self.terminators = terminators
        self.with_keys = with_keys
        self.allow_empty = allow_empty

    def _generateDefaultName(self) -> str:
        return "NAME=VALUE"

    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, object]:
        assert isinstance(instring, WordLine)
        if loc < len(instring.words):
            word = instring.words[loc]
            if word.lower() not in self.terminators:
                pair = self._read(word)
                if pair is not None:
                    if not self.allow_empty and pair.value == "" and pair.id is None:
                        raise fail(instring, loc + 1, f"Empty value for {pair.name} is not allowed")
                    return loc + 1, pair
        raise pp.ParseException(instring, loc, "", self)

    def _read(self, word: str) -> NvPair | None:
        if match := _PAIR_REF.match(word):
            return NvPair(match[2], ref=match[1])
        if match := _PAIR_ID.match(word):
            return NvPair(match[2] or match[1], match[3], id=match[1])
        if match := _PAIR.match(word):
            return NvPair(match[1], match[2])
        if self.with_keys and (match := _PAIR_KEY.match(word)):
            return NvPair(match[1])
        return None
