"""What can come next: from a line to suggestions. Pure but for what it is given to look things up.

:func:`suggest` walks the line through the levels as running it would, then asks what the command's
arguments can be: :mod:`.statements` knows the configuration language, :mod:`.arguments` everything else, and
:mod:`.sources` what there is to choose from.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hatools.parser.tokens import split_words
from hatools.shell.commands import Door, Level
from hatools.shell.completion.suggestion import Suggestion
from hatools.values.errors import SyntaxProblem

if TYPE_CHECKING:
    from hatools.shell.session import Session

__all__ = ["Suggestion", "suggest"]
_LIMIT = 500


def suggest(session: "Session", start: type[Level], line: str) -> list[Suggestion]:
    """Return what the last, perhaps empty, word of a line could be.

    Args:
        start: the level at which the line is typed.
    """
    try:
        words = [word.text for word in split_words(line)]
    except SyntaxProblem:
        return []
    if not line or line[-1].isspace():
        words.append("")
    level = start
    while len(words) > 1:
        try:
            entry = level.find(words[0])
        except ValueError:
            return []
        if entry is None:
            return []
        words = words[1:]
        if isinstance(entry, Door):
            level = entry.open()
            continue
        from hatools.shell.completion.arguments import arguments

        return _matching(arguments(session, level, entry.name, words), words[-1])
    return _matching(_names(level), words[-1])


def _names(level: type[Level]) -> Iterator[Suggestion]:
    from hatools.shell.help import short_help

    for name in level.names():
        if not name.startswith(("_", "-")):
            yield Suggestion(name, short_help(level.name, name))


def _matching(found: Iterable[Suggestion], prefix: str) -> list[Suggestion]:
    unique: dict[str, Suggestion] = {}
    for suggestion in found:
        if suggestion.text.startswith(prefix) and suggestion.text:
            unique.setdefault(suggestion.text, suggestion)
            if len(unique) >= _LIMIT:
                break
    return list(unique.values())
