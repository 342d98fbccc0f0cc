"""Transient attributes: their values on each node, and how updates change them. Pure.

Every attrd applies the same updates in the same order, so all hold the same values without asking each other.
"""

import re
from collections.abc import Iterable, Iterator

from hatools.ipc.messages.attrd import AttributeValue, DumpedAttribute, UpdateAttribute
from hatools.values.errors import InputError
from hatools.values.records import dataclass, field
from hatools.values.score import INFINITY, format_score, parse_score

_COUNTER = re.compile(r"(?:value)?(\+\+|\+=(-?\d+))")


@dataclass(slots=True)
class Attribute:
    """One attribute: ``values`` by node; ``dampen_ms`` is how long changes are gathered before they are written."""

    name: str
    set_name: str = ""
    private: bool = False
    dampen_ms: int = 0
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that became different; ``value`` None: it is gone."""

    name: str
    node: str
    value: str | None


def check_update(update: UpdateAttribute) -> None:
    """Refuse what cannot be meant.

    Raises:
        InputError: there is no name, or a pattern is no regular expression.
    """
    if not update.name:
        raise InputError("an attribute needs a name")
    if update.pattern:
        try:
            re.compile(update.name)
        except re.error as error:
            raise InputError(f"{update.name!r} is no regular expression: {error}") from None


class Attributes:
    """All attributes of all nodes."""

    def __init__(self) -> None:
        self._attributes: dict[str, Attribute] = {}

    def get(self, name: str) -> Attribute | None:
        return self._attributes.get(name)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes.values())

    def apply(self, update: UpdateAttribute) -> list[Change]:
        """Carry out an update and return what became different."""
        if update.pattern:
            pattern = re.compile(update.name)
            names = [name for name in sorted(self._attributes) if pattern.search(name)]
        else:
            names = [update.name]
        changes: list[Change] = []
        for name in names:
            changes += self._apply(name, update)
        return changes

    def _apply(self, name: str, update: UpdateAttribute) -> list[Change]:
        attribute = self._attributes.get(name)
        if attribute is None:
            if update.value is None and update.update:
                return []
            attribute = Attribute(name, update.set_name, update.private, update.dampen_ms or 0)
            self._attributes[name] = attribute
        elif update.dampen_ms is not None and (update.both or not update.update):
            attribute.dampen_ms = update.dampen_ms
        if not update.update:
            return []
        return self.set_value(attribute, update.node, update.value)

    def set_value(self, attribute: Attribute, node: str, value: str | None) -> list[Change]:
        """Set, count up or delete one node's value."""
        present = attribute.values.get(node)
        if value is not None:
            value = expand(value, present)
        if value == present:
            return []
        if value is None:
            del attribute.values[node]
        else:
            attribute.values[node] = value
        return [Change(attribute.name, node, value)]

    def remove_node(self, node: str) -> list[Change]:
        """Forget all values of a node."""
        changes: list[Change] = []
        for attribute in self._attributes.values():
            changes += self.set_value(attribute, node, None)
        return changes

    def query(self, name: str, node: str) -> tuple[AttributeValue, ...]:
        """Return values, of all attributes with an empty name and on all nodes with an empty node."""
        chosen: Iterable[Attribute] = self._attributes.values()
        if name:
            found = self._attributes.get(name)
            chosen = () if found is None else (found,)
        return tuple(
            AttributeValue(attribute.name, holder, attribute.values[holder])
            for attribute in sorted(chosen, key=lambda item: item.name)
            for holder in sorted(attribute.values)
            if not node or holder == node
        )

    def dump(self, nodes: Iterable[str]) -> tuple[DumpedAttribute, ...]:
        """Return everything that is known of some nodes."""
        wanted = set(nodes)
        return tuple(
            DumpedAttribute(
                attribute.name,
                attribute.set_name,
                attribute.private,
                attribute.dampen_ms,
                {node: value for node, value in sorted(attribute.values.items()) if node in wanted},
            )
            for attribute in self._attributes.values()
        )

    def load(self, nodes: Iterable[str], dumped: Iterable[DumpedAttribute]) -> list[Change]:
        """Replace what is known of some nodes by a dump; return what became different."""
        wanted = set(nodes)
        changes: list[Change] = []
        told: dict[str, dict[str, str]] = {}
        for item in dumped:
            told[item.name] = item.values
            if item.name not in self._attributes:
                self._attributes[item.name] = Attribute(item.name, item.set_name, item.private, item.dampen_ms)
        for attribute in self._attributes.values():
            values = told.get(attribute.name, {})
            for node in sorted(wanted):
                changes += self.set_value(attribute, node, values.get(node))
        return changes


def expand(value: str, present: str | None) -> str:
    """Return the value an update means: ``++`` and ``+=N`` count up from the present one, INFINITY is the most."""
    match = _COUNTER.fullmatch(value)
    if match is None:
        return value
    step = 1 if match[2] is None else int(match[2])
    return format_score(min(parse_score(present) + step, INFINITY))


def failure_pattern(resource: str, operation: str, interval_ms: int) -> str:
    """Return the regular expression of the names of fail counts and last failures (empty resource: of all)."""
    if not resource:
        return r"^(fail-count|last-failure)-"
    name = re.escape(resource)
    if operation:
        return rf"^(fail-count|last-failure)-{name}#{re.escape(operation)}_{interval_ms}$"
    return rf"^(fail-count|last-failure)-{name}(#.+_[0-9]+)?$"
