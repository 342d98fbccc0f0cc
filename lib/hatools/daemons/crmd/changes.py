"""What a new CIB says that the old one did not, in the controller's terms. Pure.

Documents share what did not change, so comparing by identity first makes this cost what changed, not what there is.
"""

from collections.abc import Iterator

from hatools.cib.document import Document, Element, children, format_xml
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class ConfigurationChanged:
    """Something in the configuration section, named by its section."""

    section: str


@dataclass(frozen=True, slots=True)
class TicketsChanged:
    """A ticket was granted, revoked or changed."""


@dataclass(frozen=True, slots=True)
class AttributeChanged:
    """A transient attribute of a node; ``value`` None: it is gone."""

    node_id: str
    node: str
    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class OperationRecorded:
    """An operation's entry is new or different."""

    node_id: str
    node: str
    resource: str
    entry: Element


@dataclass(frozen=True, slots=True)
class HistoryErased:
    """Entries of a resource (or of all, with an empty name) are gone; ``keys`` are their operation keys."""

    node_id: str
    node: str
    resource: str
    keys: tuple[str, ...]


Fact = ConfigurationChanged | TicketsChanged | AttributeChanged | OperationRecorded | HistoryErased


def compare(old: Document, new: Document) -> list[Fact]:
    """Return what changed, in document order."""
    facts: list[Fact] = []
    if old.root is new.root:
        return facts
    facts.extend(_configuration(old, new))
    before, after = old.status, new.status
    if before is after:
        return facts
    if _different(None if before is None else before.find("tickets"), None if after is None else after.find("tickets")):
        facts.append(TicketsChanged())
    old_states = _by_id(before, "node_state")
    new_states = _by_id(after, "node_state")
    for identifier in [*new_states, *(key for key in old_states if key not in new_states)]:
        first, second = old_states.get(identifier), new_states.get(identifier)
        if first is not second:
            facts.extend(_node(identifier, first, second))
    return facts


def _configuration(old: Document, new: Document) -> Iterator[Fact]:
    before, after = old.configuration, new.configuration
    if before is after:
        return
    first = {} if before is None else {section.tag: section for section in children(before)}
    second = {} if after is None else {section.tag: section for section in children(after)}
    for name in [*second, *(key for key in first if key not in second)]:
        if _different(first.get(name), second.get(name)):
            yield ConfigurationChanged(name)


def _different(first: Element | None, second: Element | None) -> bool:
    if first is second:
        return False
    if first is None or second is None:
        return len(first if first is not None else second or ()) > 0
    return format_xml(first, None) != format_xml(second, None)


def _by_id(parent: Element | None, tag: str) -> dict[str, Element]:
    return {element.get("id", ""): element for element in children(parent, tag)}


def _node(node_id: str, before: Element | None, after: Element | None) -> Iterator[Fact]:
    state = after if after is not None else before
    assert state is not None
    name = state.get("uname") or node_id
    old_values, new_values = transient_attributes(before), transient_attributes(after)
    for key in [*new_values, *(key for key in old_values if key not in new_values)]:
        if old_values.get(key) != new_values.get(key):
            yield AttributeChanged(node_id, name, key, new_values.get(key))
    old_resources, new_resources = lrm_resources(before), lrm_resources(after)
    for resource in [*new_resources, *(key for key in old_resources if key not in new_resources)]:
        first, second = old_resources.get(resource), new_resources.get(resource)
        if first is not second:
            yield from _resource(node_id, name, resource, first, second)


def _resource(node_id: str, node: str, resource: str, before: Element | None, after: Element | None) -> Iterator[Fact]:
    old_entries, new_entries = _by_id(before, "lrm_rsc_op"), _by_id(after, "lrm_rsc_op")
    for identifier, entry in new_entries.items():
        known = old_entries.get(identifier)
        if known is None or (known is not entry and known.attrib != entry.attrib):
            yield OperationRecorded(node_id, node, resource, entry)
    gone = [entry.get("operation_key", "") for key, entry in old_entries.items() if key not in new_entries]
    if gone:
        yield HistoryErased(node_id, node, resource, tuple(gone))


def transient_attributes(state: Element | None) -> dict[str, str]:
    """Return the transient attributes of a ``node_state``, those of its first set winning."""
    values: dict[str, str] = {}
    container = None if state is None else state.find("transient_attributes")
    for group in children(container, "instance_attributes"):
        for pair in children(group, "nvpair"):
            values.setdefault(pair.get("name", ""), pair.get("value", ""))
    return values


def lrm_resources(state: Element | None) -> dict[str, Element]:
    """Return the ``lrm_resource`` elements of a ``node_state`` by id."""
    container = None if state is None else state.find("lrm/lrm_resources")
    return _by_id(container, "lrm_resource")
