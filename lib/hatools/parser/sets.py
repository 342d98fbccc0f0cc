"""Resource sets of constraints: ``A B ( C D ) [ E:promote F ]``. Pure.

Brackets open a set without order (round) or of which one member suffices (square); a change of
role or action begins another set; ``sequential=`` and ``require-all=`` override the brackets.
"""

from collections.abc import Callable, Sequence

from hatools.parser.errors import StatementError
from hatools.parser.syntax import ResourceSet
from hatools.values.boolean import parse_boolean

_CLOSERS = {"(": ")", "[": "]"}

Qualify = Callable[[str], str | None]
Fault = Callable[[str, str], StatementError]


def separate_brackets(words: Sequence[str]) -> list[str]:
    """Split a bracket from the word it is glued to."""
    result: list[str] = []
    for word in words:
        if len(word) > 1 and word[0] in "([":
            result += [word[0], word[1:]]
        elif len(word) > 1 and word[-1] in ")]":
            result += [word[:-1], word[-1]]
        else:
            result.append(word)
    return result


class SetReader:
    """Collects the sets of one constraint.

    Args:
        qualify: returns the canonical role or action, None if it is none.
        what: ``role`` or ``action``, for messages.
        fault: makes the error from a reason and the word to name.
    """

    def __init__(self, qualify: Qualify, what: str, fault: Fault) -> None:
        self._qualify = qualify
        self._what = what
        self._fault = fault
        self._sets: list[ResourceSet] = []
        self._members: list[str] = []
        self._qualifier = ""
        self._is_qualified = False
        self._opened = ""
        self._sequential = True
        self._require_all = True

    def read(self, words: Sequence[str]) -> tuple[ResourceSet, ...]:
        """Return the sets that the words describe."""
        separated = separate_brackets(words)
        word = ""
        for word in separated:
            if word == "_rsc_set_":  # what is printed in front of a single set of two
                continue
            if word in _CLOSERS:
                self._finish()
                self._open(word)
            elif word in _CLOSERS.values():
                if not self._members:
                    raise self._fault("Empty resource set", word)
                self._finish()
                self._close(word)
            elif "=" in word:
                self._set_attribute(word)
            else:
                self._add(word)
        if self._opened:
            raise self._fault("Unmatched opening bracket", word)
        self._finish()
        return tuple(self._sets)

    def _open(self, bracket: str) -> None:
        if self._opened:
            raise self._fault("Cannot nest resource sets", bracket)
        self._sequential = False
        if bracket == "[":
            self._require_all = False
        self._opened = bracket

    def _close(self, bracket: str) -> None:
        if not self._opened:
            raise self._fault("Unmatched closing bracket", bracket)
        if bracket != _CLOSERS[self._opened]:
            raise self._fault("Mismatched closing bracket", bracket)
        self._sequential = self._require_all = True
        self._opened = ""

    def _set_attribute(self, word: str) -> None:
        parts = word.split("=")
        if len(parts) != 2:
            raise self._fault(f"Extra = in {word}", word)
        name, value = parts
        if name not in ("sequential", "require-all"):
            raise self._fault("Unknown attribute", word)
        truth = parse_boolean(value)
        if truth is None or value.lower() in ("y", "n"):
            raise self._fault(f"Not a boolean: {value}", word)
        if name == "sequential":
            self._sequential = truth
        else:
            self._require_all = truth

    def _add(self, word: str) -> None:
        parts = word.split(":")
        resource, qualifier = word, ""
        if len(parts) == 2:
            canonical = self._qualify(parts[1])
            if not canonical:
                raise self._fault(f"Invalid {self._what} for {word}", "")
            resource, qualifier = parts[0], canonical
        if qualifier != self._qualifier:
            self._finish()
            self._qualifier = qualifier
        self._is_qualified = bool(qualifier)
        self._members.append(resource)

    def _finish(self) -> None:
        """Store the set collected so far, if it has members."""
        if not self._members:
            return
        self._sets.append(
            ResourceSet(
                tuple(self._members),
                sequential=self._sequential,
                require_all=self._require_all,
                qualifier=self._qualifier if self._is_qualified else None,
            )
        )
        self._members = []
        self._qualifier = ""
        self._is_qualified = False


def set_words(sets: Sequence[ResourceSet], word: str) -> list[str]:
    """Return the words by which a constraint of this kind writes its sets."""
    words: list[str] = []
    for resource_set in sets:
        opening, closing = "", ""
        if not resource_set.require_all:
            opening, closing = "[", "]"
        elif not resource_set.sequential:
            opening, closing = "(", ")"
        words += [opening] if opening else []
        suffix = f":{resource_set.qualifier}" if resource_set.qualifier else ""
        words += [member + suffix for member in resource_set.members]
        if opening == "[" and resource_set.sequential:
            words.append("sequential=true")
        words += [closing] if closing else []
    count = sum(len(resource_set.members) for resource_set in sets)
    is_plain = not sets or (sets[-1].sequential and sets[-1].require_all)
    if (word == "rsc_ticket" and count <= 1) or (word in ("colocation", "order") and is_plain and count <= 2):
        words.insert(0, "_rsc_set_")
    return words
