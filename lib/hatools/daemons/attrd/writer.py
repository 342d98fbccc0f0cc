"""What has to be written to the CIB, and when. Pure.

Changes of an attribute with a delay are gathered until it has been quiet for that long. One write is under way at a
time; what changes meanwhile goes into the next, so many updates become few changes of the CIB.
"""

import re
from collections.abc import Callable, Collection
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import format_xml, parse_xml
from hatools.daemons.attrd.attributes import Attributes
from hatools.ipc.messages.cib import Change, CibChanged, CibOperation
from hatools.values.records import dataclass

ORIGIN = "attrd"
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Write:
    """Effect: apply these changes as one."""

    changes: tuple[Change, ...]


class Writer:
    """Gathers what is to be written."""

    def __init__(self, attributes: Attributes, node_id: Callable[[str], str]) -> None:
        self._attributes = attributes
        self._node_id = node_id
        self._due: dict[str, float] = {}
        self._dirty: dict[tuple[str, str], None] = {}
        self._erase: dict[str, None] = {}
        self._under_way: dict[tuple[str, str], None] | None = None
        self._erased: dict[str, None] = {}

    @property
    def deadline(self) -> float | None:
        """When delayed changes are due."""
        return min(self._due.values(), default=None)

    def changed(self, now: float, name: str, node: str) -> None:
        """Note that a value became different."""
        attribute = self._attributes.get(name)
        if attribute is None or attribute.private:
            return
        self._dirty[name, node] = None
        if attribute.dampen_ms > 0:
            self._due[name] = now + attribute.dampen_ms / 1000
        else:
            self._due.pop(name, None)

    def everything(self) -> None:
        """Write all there is again."""
        for attribute in self._attributes:
            if not attribute.private:
                for node in attribute.values:
                    self._dirty[attribute.name, node] = None

    def compare(self, status: Element, present: Collection[str], departed: Collection[str]) -> None:
        """Find what the CIB's status does not say, or still says, and write or erase it.

        Args:
            present: nodes that are here.
            departed: nodes that were here; about others the CIB may know better than we do.
        """
        states = {state.get("uname", ""): state for state in status.iterfind("node_state")}
        written = {
            (pair.get("name", ""), node): pair.get("value")
            for node, state in states.items()
            for pair in state.iterfind("transient_attributes/instance_attributes/nvpair")
        }
        for attribute in self._attributes:
            if attribute.private:
                continue
            for node in {*attribute.values, *present}:
                key = (attribute.name, node)
                if attribute.values.get(node) != written.get(key) and attribute.name not in self._due:
                    self._dirty[key] = None
        held = {node for attribute in self._attributes for node in attribute.values}
        for node in departed:
            state = states.get(node)
            if node not in held and state is not None and state.find("transient_attributes") is not None:
                self._erase[node] = None

    def node_gone(self, node: str) -> None:
        """Erase the values of a node."""
        self._erase[node] = None
        for key in [key for key in self._dirty if key[1] == node]:
            del self._dirty[key]

    def next_write(self, now: float) -> Write | None:
        """Return what is to be written now; None if nothing is, or a write is under way."""
        if self._under_way is not None:
            return None
        waiting = {name for name, due in self._due.items() if due > now}
        ready = {key: None for key in self._dirty if key[0] not in waiting}
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
        if not ready and not self._erase:
            return None
        self._under_way, self._erased = ready, self._erase
        self._erase = {}
        for key in ready:
            del self._dirty[key]
        changes = [self._erasure(node) for node in self._erased]
        return Write((*changes, *self._values(ready)))

    def written(self, *, succeeded: bool) -> None:
        """Note the end of the write under way; what failed is to be written again."""
        ready, self._under_way = self._under_way, None
        if not succeeded:
            self._dirty = {**(ready or {}), **self._dirty}
            self._erase = {**self._erased, **self._erase}
        self._erased = {}

    def drop(self) -> None:
        """Forget what is to be written: another member writes."""
        self._due.clear()
        self._dirty.clear()
        self._erase.clear()

    def _values(self, keys: dict[tuple[str, str], None]) -> list[Change]:
        states: dict[str, Element] = {}
        deletions: list[Change] = []
        for name, node in keys:
            attribute = self._attributes.get(name)
            node_id = self._node_id(node)
            if attribute is None or not node_id:
                continue
            group = attribute.set_name or f"status-{node_id}"
            identifier = _NOT_IN_IDS.sub(".", f"{group}-{name}")
            value = attribute.values.get(node)
            if value is None:
                place = f"/cib/status/node_state[@id='{node_id}']/transient_attributes"
                xpath = f"{place}/instance_attributes[@id='{group}']/nvpair[@id='{identifier}']"
                deletions.append(_change(CibOperation.DELETE_ALL, xpath=xpath))
                continue
            state = states.get(node)
            if state is None:
                state = states[node] = Element("node_state", {"id": node_id, "uname": node})
                SubElement(state, "transient_attributes", {"id": node_id})
            container = state[0]
            groups = {found.get("id"): found for found in container}
            holder = groups.get(group)
            if holder is None:
                holder = SubElement(container, "instance_attributes", {"id": group})
            SubElement(holder, "nvpair", {"id": identifier, "name": name, "value": value})
        return [*deletions, *(_change(CibOperation.MODIFY, element=state) for state in states.values())]

    def _erasure(self, node: str) -> Change:
        return _change(CibOperation.DELETE_ALL, xpath=f"/cib/status/node_state[@uname='{node}']/transient_attributes")


def loses_values(event: CibChanged) -> bool:
    """Say whether a change of the CIB may have taken away attributes that somebody else than us should have kept."""
    if event.replaced or not event.patch:
        return True
    if b'operation="delete"' not in event.patch:
        return False
    paths = [
        change.get("path", "")
        for change in parse_xml(event.patch).iter("change")
        if change.get("operation") == "delete"
    ]
    return any(path == "/cib" or (path.startswith("/cib/status") and "/lrm" not in path) for path in paths)


def _change(operation: CibOperation, *, element: Element | None = None, xpath: str = "") -> Change:
    xml = b"" if element is None else format_xml(element, None).encode("utf-8", "surrogateescape")
    return Change(
        operation=operation,
        section="status",
        xpath=xpath,
        xml=xml,
        allow_create=operation is CibOperation.MODIFY,
        origin=ORIGIN,
    )
