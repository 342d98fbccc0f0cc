"""A CIB that may be changed in place, for playing with. Pure.

The document is copied once; after that, simulated results are written straight into the copy,
found through indexes, so that an action costs the same however large the CIB is.
"""

from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import Document, children
from hatools.values.integer import whole_number
from hatools.values.opkey import format_magic, format_operation_key
from hatools.values.records import dataclass

__all__ = ["FAKE_UUID", "ActionRecord", "Workbench"]

FAKE_UUID = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
"""Where a real transition key names the DC's transition engine."""

FEATURE_SET = "3.16.1"
_ORIGIN = "crm_simulate"


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """The result of an operation that did not really run.

    ``notify`` is (type, operation) of a notification; ``migration`` is (source, target).
    ``when`` is in seconds since the epoch, ``digest`` the one of the parameters, if known.
    """

    resource: str
    task: str
    interval_ms: int
    rc: int
    target_rc: int
    when: int
    exit_reason: str
    notify: tuple[str, str] | None = None
    migration: tuple[str | None, str | None] | None = None
    digest: str | None = None


class Workbench:
    """A private copy of a CIB.

    ``add_configuration`` says whether nodes that get a state are also added to the
    configuration (they are, once a simulated node was brought online).
    """

    def __init__(self, document: Document) -> None:
        self.root: Element = deepcopy(document.root)
        self.add_configuration = False
        status = self.root.find("status")
        self.status: Element = SubElement(self.root, "status") if status is None else status
        self._states: dict[str, Element] = {}
        for state in children(self.status, "node_state"):
            self._states.setdefault(state.get("uname") or "", state)
        self._resources: dict[Element, dict[str, Element]] = {}
        self._doubles: dict[Element, list[Element]] = {}

    def document(self) -> Document:
        """Return what the CIB has become. The workbench must not be changed afterwards."""
        return Document(self.root)

    def changed(self, *, configuration: bool = False) -> None:
        """Count one update in the CIB's version: a change of the configuration starts a new epoch."""
        if configuration:
            self._count("epoch")
            self.root.set("num_updates", "0")
        else:
            self._count("num_updates")

    def _count(self, attribute: str) -> None:
        self.root.set(attribute, str(whole_number(self.root.get(attribute)) + 1))

    # -- configuration

    def section(self, name: str) -> Element:
        """Return a section of the configuration, made if it is not there."""
        configuration = self.root.find("configuration")
        if configuration is None:
            configuration = Element("configuration")
            self.root.insert(0, configuration)
        found = configuration.find(name)
        return SubElement(configuration, name) if found is None else found

    def set_property(self, name: str, value: str) -> None:
        """Set a cluster option where it is set already, otherwise in the first set of them."""
        section = self.section("crm_config")
        for pair in section.iter("nvpair"):
            if pair.get("name") == name:
                pair.set("value", value)
                self.changed(configuration=True)
                return
        holder = section.find("cluster_property_set")
        if holder is None:
            holder = SubElement(section, "cluster_property_set", {"id": "cib-bootstrap-options"})
        identifier = f"{holder.get('id')}-{name}"
        SubElement(holder, "nvpair", {"id": identifier, "name": name, "value": value})
        self.changed(configuration=True)

    def _configured_id(self, name: str) -> str | None:
        for node in children(self.root.find("configuration/nodes"), "node"):
            if (node.get("uname") or "").lower() == name.lower():
                return node.get("id")
        return None

    def _remote_id(self, name: str) -> str | None:
        """Return the id of a Pacemaker Remote node: its name as the configuration spells it."""
        resources = self.root.find("configuration/resources")
        for primitive in () if resources is None else resources.iter("primitive"):
            spelled = [
                pair.get("value") or ""
                for pair in primitive.iterfind("meta_attributes/nvpair")
                if pair.get("name") == "remote-node"
            ]
            if primitive.get("type") == "remote" and primitive.get("provider") == "pacemaker":
                spelled.append(primitive.get("id") or "")
            for each in spelled:
                if each.lower() == name.lower():
                    return each
        return None

    # -- state of nodes

    def node_state(self, name: str, identifier: str | None = None) -> Element:
        """Return a node's state, made if there is none (with the id given or configured)."""
        if self.add_configuration and self._configured_id(name) is None:
            SubElement(self.section("nodes"), "node", {"id": name, "uname": name})
            self.changed(configuration=True)
        state = self._states.get(name)
        if state is None:
            identifier = identifier or self._configured_id(name) or self._remote_id(name)
            attributes = {"uname": name} if identifier is None else {"id": identifier, "uname": name}
            state = self._states[name] = SubElement(self.status, "node_state", attributes)
            self.changed()
        return state

    def set_member(self, name: str, *, up: bool) -> Element:
        """Let a node be a full member of the cluster, or be cleanly away."""
        state = self.node_state(name)
        for attribute, value in _MEMBER if up else _AWAY:
            state.set(attribute, value)
        state.set("crm-debug-origin", _ORIGIN)
        return state

    def forget(self, state: Element) -> None:
        """Drop a node's operation history and transient attributes."""
        for tag in ("lrm", "transient_attributes"):
            for old in state.findall(tag):
                state.remove(old)
                self.changed()
        self._resources.pop(state, None)

    def add_transient(self, state: Element, name: str, value: str | None) -> None:
        """Set a transient attribute; None counts it up by one."""
        identifier = state.get("id") or ""
        holder = _child(state, "transient_attributes", {"id": identifier})
        pairs = _child(holder, "instance_attributes", {"id": identifier})
        pair_id = f"{pairs.get('id')}-{_xml_id(name)}"
        pair = next((each for each in children(pairs, "nvpair") if each.get("id") == pair_id), None)
        if pair is None:
            pair = SubElement(pairs, "nvpair", {"id": pair_id, "name": name})
        pair.set("value", _next_number(pair.get("value")) if value is None else value)

    # -- operation history

    def history(self, state: Element, *names: str) -> Element | None:
        """Return a resource's history on a node, by the first of its names that has any."""
        index = self._index(state)
        return next((index[name] for name in names if name in index), None)

    def add_history(self, state: Element, name: str, agent: tuple[str, str | None, str]) -> Element:
        """Begin a resource's history on a node; ``agent`` is class, provider and type."""
        lrm = _child(state, "lrm", {"id": state.get("id") or ""})
        container = _child(lrm, "lrm_resources", {})
        standard, provider, type_ = agent
        attributes = {"id": name, "class": standard}
        if provider is not None:
            attributes["provider"] = provider
        attributes["type"] = type_
        entry = SubElement(container, "lrm_resource", attributes)
        self._index(state).setdefault(name, entry)
        return entry

    def _index(self, state: Element) -> dict[str, Element]:
        index = self._resources.get(state)
        if index is None:
            index = self._resources[state] = {}
            for entry in state.iter("lrm_resource"):
                first = index.setdefault(entry.get("id") or "", entry)
                if first is not entry:
                    self._doubles.setdefault(first, []).append(entry)
        return index

    def _merge_doubles(self, entry: Element) -> bool:
        """Copy what other histories of the same name hold into the first, as the original does."""
        doubles = self._doubles.get(entry, [])
        known = {each.get("id") for each in entry}
        entry.extend(deepcopy(each) for double in doubles for each in double if each.get("id") not in known)
        return bool(doubles)

    def record(self, entry: Element, action: ActionRecord) -> None:
        """Write the result of an operation into a resource's history."""
        call = 1 if self._merge_doubles(entry) else 1 + max((_call_id(each) for each in children(entry)), default=0)
        task = "start" if action.task in ("reload", "reload-agent") else action.task
        key = format_operation_key(action.resource, task, action.interval_ms)
        rc, target_rc = action.rc, action.target_rc
        reason = ""
        if action.notify is not None:
            kind, operation = action.notify
            ids = [f"{action.resource}_{kind}_notify_{operation}_0"]
            rc = 0
        elif action.migration is not None:
            ids = [key]
        elif rc != target_rc:
            reason = action.exit_reason
            ids = [f"{action.resource}_last_failure_0"]
            if action.interval_ms == 0:
                ids.append(f"{action.resource}_last_0")
        else:
            ids = [key if action.interval_ms > 0 else f"{action.resource}_last_0"]
        transition_key = f"{call}:-1:{target_rc}:{FAKE_UUID}"
        attributes = {
            "operation_key": key,
            "operation": task,
            "crm-debug-origin": _ORIGIN,
            "crm_feature_set": FEATURE_SET,
            "transition-key": transition_key,
            "transition-magic": format_magic(0, rc, transition_key),
            "exit-reason": reason,
            "call-id": str(call),
            "rc-code": str(rc),
            "op-status": "0",
            "interval": str(action.interval_ms),
            "last-rc-change": str(action.when),
            "exec-time": "0",
            "queue-time": "0",
        }
        if action.migration is not None:
            for name, value in zip(("migrate_source", "migrate_target"), action.migration, strict=True):
                if value is not None:
                    attributes[name] = value
        if action.digest is not None:
            attributes["op-digest"] = action.digest
        for identifier in ids:
            operation_xml = _operation(entry, identifier)
            for name, value in attributes.items():
                operation_xml.set(name, value)

    # -- tickets

    def set_ticket(self, identifier: str, attribute: str, value: bool) -> None:
        """Set ``granted`` or ``standby`` of a ticket."""
        tickets = _child(self.status, "tickets", {})
        for ticket in children(tickets, "ticket_state"):
            if ticket.get("id") == identifier:
                break
        else:
            ticket = SubElement(tickets, "ticket_state", {"id": identifier})
        ticket.set(attribute, "true" if value else "false")
        self.changed()


_MEMBER = (("in_ccm", "true"), ("crmd", "online"), ("join", "member"), ("expected", "member"))
_AWAY = (("in_ccm", "false"), ("crmd", "offline"), ("join", "down"), ("expected", "down"))


def _child(parent: Element, tag: str, attributes: dict[str, str]) -> Element:
    found = parent.find(tag)
    return SubElement(parent, tag, attributes) if found is None else found


def _operation(entry: Element, identifier: str) -> Element:
    for each in children(entry, "lrm_rsc_op"):
        if each.get("id") == identifier:
            return each
    return SubElement(entry, "lrm_rsc_op", {"id": identifier})


def _call_id(operation: Element) -> int:
    return whole_number(operation.get("call-id"))


def _xml_id(name: str) -> str:
    """Return a name with what an XML id cannot hold replaced by dots."""
    return name.replace(":", ".").replace("#", ".")


def _next_number(text: str | None) -> str:
    if text == "INFINITY":
        return text
    return str(whole_number(text) + 1)
