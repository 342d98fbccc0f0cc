"""The XML ids that the shell makes up. Pure.

What is written in the crm language has ids only where a person gave them; the CIB wants one on
nearly every element. An id is taken over from the element that is being replaced, where one
matches; otherwise it is made from the id of the enclosing element.
"""

import re
from collections import deque
from xml.etree.ElementTree import Element

from hatools.cib.document import children

# Elements that get no id when they have none.
_WITHOUT_ID = frozenset(
    (
        "operations",
        "fencing-topology",
        "network",
        "docker",
        "rkt",
        "storage",
        "select",
        "select_attributes",
        "select_fencing",
        "select_nodes",
        "select_resources",
    )
)
_MANY = 32  # children from which a table pays
REFERENCES = frozenset(("resource_ref", "obj_ref", "crmsh-ref"))
_SUFFIXES = {
    "instance_attributes": "instance_attributes",
    "meta_attributes": "meta_attributes",
    "utilization": "utilization",
    "operations": "ops",
    "rule": "rule",
    "expression": "expression",
    "date_expression": "expression",
    "duration": "duration",
    "date_spec": "date_spec",
    "read": "read",
    "write": "write",
    "deny": "deny",
}
# Attributes by which an element is recognised as the successor of an old one.
_IDENTIFYING: dict[str, tuple[str, ...]] = {
    "node": ("uname",),
    "nvpair": ("name",),
    "op": ("name", "interval"),
    "rule": ("score", "score-attribute", "role"),
    "expression": ("attribute", "operation", "value"),
    "fencing-level": ("target", "devices"),
    "alert": ("path",),
    "recipient": ("value",),
}
_FIRST_PREFIX = {
    "node": "node",
    "primitive": "rsc",
    "template": "rsc",
    "master": "grp",
    "group": "grp",
    "clone": "grp",
    "rsc_location": "location",
    "fencing-topology": "fencing",
    "tags": "tag",
    "alerts": "alert",
}


class IdStore:
    """The ids in use."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._tried: dict[str, int] = {}  # how many numbers behind an id are known to be taken

    def __contains__(self, identifier: str | None) -> bool:
        return identifier in self._used

    def save(self, identifier: str | None) -> None:
        """Remember an id as used."""
        if identifier:
            self._used.add(identifier)

    def remove(self, identifier: str | None) -> None:
        """Forget an id."""
        if identifier:
            self._used.discard(identifier)
            self._tried.clear()

    def remove_tree(self, element: Element) -> None:
        """Forget the ids of an element and what is below it, resources inside left out."""
        for child in children(element):
            if child.tag not in ("primitive", "group"):
                self.remove_tree(child)
        self.remove(element.get("id"))

    def save_tree(self, element: Element) -> None:
        """Remember the ids of an element and what is below it, resources inside left out."""
        for child in children(element):
            if child.tag not in ("primitive", "group"):
                self.save_tree(child)
        self.save(element.get("id"))

    def clashes(self, element: Element) -> list[str]:
        """Return the ids in the tree, resources inside left out, that are used already."""
        found = []
        for child in children(element):
            if child.tag not in ("primitive", "group"):
                found += self.clashes(child)
        identifier = element.get("id")
        if identifier in self._used and identifier is not None:
            found.append(identifier)
        return found

    def snapshot(self) -> frozenset[str]:
        """Return the ids in use, for :meth:`restore`."""
        return frozenset(self._used)

    def restore(self, snapshot: frozenset[str]) -> None:
        """Go back to a snapshot."""
        self._used = set(snapshot)
        self._tried.clear()

    def create(self, element: Element, prefix: str) -> str:
        """Make an id for the element below ``prefix``, and remember it."""
        if prefix.isdigit() and element.tag != "node":
            prefix = f"num-{prefix}"
        name = element.get("name")
        if element.tag == "nvpair":
            identifier = f"{prefix}-{name}"
        elif element.tag == "op":
            interval = element.get("interval")
            identifier = f"{prefix}-{name}-{interval}" if interval else f"{prefix}-{name}"
        else:
            suffix = _SUFFIXES.get(element.tag)
            identifier = f"{prefix}-{suffix}" if suffix else prefix
        if identifier in self._used:
            identifier = self._free(identifier)
        self._used.add(identifier)
        return identifier

    def _free(self, identifier: str) -> str:
        number = self._tried.get(identifier, 0)
        while f"{identifier}-{number}" in self._used:
            number += 1
        self._tried[identifier] = number
        return f"{identifier}-{number}"


def find_counterpart(
    element: Element, old: Element | None, used: frozenset[int] | set[int] = frozenset(), *, ignore_id: bool = False
) -> Element | None:
    """Return the child of ``old`` that ``element`` stands for.

    Args:
        used: identities (``id()``) of elements that have a successor already.
        ignore_id: match by name alone even if the new element has an id.
    """
    if old is None:
        return None
    attributes = _identifying(element, ignore_id)
    for child in children(old, element.tag):
        if id(child) in used:
            continue
        if all(element.get(name) == child.get(name) for name in attributes):
            return child
    return None


def _identifying(element: Element, ignore_id: bool = False) -> tuple[str, ...]:
    attributes = _IDENTIFYING.get(element.tag, ())
    return (*attributes, "id") if not ignore_id and element.get("id") else attributes


class _Counterparts:
    """:func:`find_counterpart` for many children of the same elements, by tables for those that have many."""

    def __init__(self) -> None:
        self.used: set[int] = set()
        self._tables: dict[tuple[int, str, tuple[str, ...]], dict[tuple[str | None, ...], deque[Element]]] = {}

    def find(self, element: Element, old: Element | None) -> Element | None:
        """Return the child of ``old`` that ``element`` stands for and that has no successor yet."""
        if old is None or len(old) < _MANY:
            return find_counterpart(element, old, self.used)
        names = _identifying(element)
        key = id(old), element.tag, names
        if key not in self._tables:
            table = self._tables[key] = {}
            for child in children(old, element.tag):
                table.setdefault(tuple(map(child.get, names)), deque()).append(child)
        candidates = self._tables[key].get(tuple(map(element.get, names)), deque())
        while candidates and id(candidates[0]) in self.used:
            candidates.popleft()
        return candidates[0] if candidates else None


def fill_ids(element: Element, old: Element | None, store: IdStore) -> None:
    """Give ids to the element and what is below it, from ``old`` where something matches."""
    _fill(element, old, _FIRST_PREFIX.get(element.tag, ""), store, _Counterparts())


def _fill(element: Element, old: Element | None, prefix: str, store: IdStore, known: _Counterparts) -> None:
    counterpart = known.find(element, old)
    if element.tag not in REFERENCES and "id-ref" not in element.attrib and element.tag not in _WITHOUT_ID:
        _set_id(element, counterpart, prefix, store, known.used)
    if element.tag == "node" and "uname" in element.attrib:
        prefix = element.attrib["uname"]
    elif "id" in element.attrib:
        prefix = element.attrib["id"]
    inner = counterpart if counterpart is not None else old
    for child in children(element):
        _fill(child, inner, prefix, store, known)


def _set_id(element: Element, counterpart: Element | None, prefix: str, store: IdStore, used: set[int]) -> None:
    old_id = counterpart.get("id") if counterpart is not None else None
    new_id = element.get("id") or old_id or element.get("uname")
    if new_id:
        store.save(new_id)
    else:
        new_id = store.create(element, prefix)
    element.set("id", new_id)
    if counterpart is not None and old_id == new_id:
        used.add(id(counterpart))


_VALID = re.compile(r"[A-Za-z_][\w._-]*$")


def is_valid_id(identifier: str | None) -> bool:
    """Say whether a text can be the id of an object."""
    return bool(identifier) and _VALID.match(identifier or "") is not None
