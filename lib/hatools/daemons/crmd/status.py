"""The changes a DC writes to the CIB about nodes and itself, and what it reads back. Pure.

Attribute values are those of Pacemaker 2.1.5: ``in_ccm`` true/false, ``crmd`` online/offline, ``join`` and
``expected`` member/down (``join`` also pending).
"""

from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import Document, children, format_xml
from hatools.ipc.messages.cib import Change, CibOperation
from hatools.values.boolean import is_true
from hatools.values.duration import parse_interval_ms
from hatools.values.records import dataclass

ORIGIN = "crmd"
DEFAULT_RECHECK_S = 15 * 60.0
BOOTSTRAP_SET = "cib-bootstrap-options"


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """How a node stands: in the membership, with a controller, joined, and what is expected of it."""

    in_ccm: bool
    crmd: bool
    join: str
    expected: str


MEMBER = NodeStanding(True, True, "member", "member")
PENDING = NodeStanding(True, True, "pending", "member")
LOST = NodeStanding(False, False, "down", "member")
"""Gone without saying goodbye: to be fenced."""
GONE = NodeStanding(False, False, "down", "down")
"""Gone in order, or fenced: known to hold nothing."""


def change(operation: CibOperation, section: str, element: Element | None = None, xpath: str = "") -> Change:
    """Return one change by the controller."""
    xml = b"" if element is None else format_xml(element, None).encode("utf-8", "surrogateescape")
    return Change(
        operation=operation,
        section=section,
        xpath=xpath,
        xml=xml,
        allow_create=operation is CibOperation.MODIFY,
        origin=ORIGIN,
    )


def write_standing(node_id: str, node: str, standing: NodeStanding, origin: str) -> Change:
    """Return the change that writes how a node stands."""
    state = Element(
        "node_state",
        {
            "id": node_id,
            "uname": node,
            "in_ccm": "true" if standing.in_ccm else "false",
            "crmd": "online" if standing.crmd else "offline",
            "crm-debug-origin": origin,
            "join": standing.join,
            "expected": standing.expected,
        },
    )
    return change(CibOperation.MODIFY, "status", state)


def erase_history(node_id: str) -> Change:
    """Return the change that forgets all a node has run."""
    return change(CibOperation.DELETE_ALL, "status", xpath=f"/cib/status/node_state[@id='{node_id}']/lrm")


def erase_attributes(node_id: str) -> Change:
    """Return the change that forgets a node's transient attributes."""
    xpath = f"/cib/status/node_state[@id='{node_id}']/transient_attributes"
    return change(CibOperation.DELETE_ALL, "status", xpath=xpath)


def erase_resource(node_id: str, resource: str) -> Change:
    """Return the change that forgets what a resource has done on a node."""
    place = f"/cib/status/node_state[@id='{node_id}']/lrm/lrm_resources/lrm_resource[@id='{resource}']"
    return change(CibOperation.DELETE_ALL, "status", xpath=place)


def erase_operation(node_id: str, resource: str, entry_id: str) -> Change:
    """Return the change that forgets one entry."""
    place = f"/cib/status/node_state[@id='{node_id}']/lrm/lrm_resources/lrm_resource[@id='{resource}']"
    return change(CibOperation.DELETE_ALL, "status", xpath=f"{place}/lrm_rsc_op[@id='{entry_id}']")


def write_root(attributes: dict[str, str]) -> Change:
    """Return the change that sets attributes of the ``<cib>`` element (``dc-uuid``, ``have-quorum``)."""
    return change(CibOperation.MODIFY, "cib", Element("cib", attributes))


def write_nodes(nodes: dict[str, str]) -> Change:
    """Return the change that enters nodes (name by id) into the configuration."""
    section = Element("nodes")
    for node_id, name in nodes.items():
        SubElement(section, "node", {"id": node_id, "uname": name})
    return change(CibOperation.MODIFY, "nodes", section)


def write_options(values: dict[str, str]) -> Change:
    """Return the change that sets cluster options in the bootstrap set."""
    section = Element("crm_config")
    group = SubElement(section, "cluster_property_set", {"id": BOOTSTRAP_SET})
    for name, value in values.items():
        SubElement(group, "nvpair", {"id": f"{BOOTSTRAP_SET}-{name}", "name": name, "value": value})
    return change(CibOperation.MODIFY, "crm_config", section)


def cluster_option(document: Document, name: str, default: str = "") -> str:
    """Return a cluster option, the bootstrap set winning as it does in the scheduler."""
    found: str | None = None
    for group in children(document.section("crm_config"), "cluster_property_set"):
        for pair in children(group, "nvpair"):
            if pair.get("name") == name:
                if group.get("id") == BOOTSTRAP_SET:
                    return pair.get("value", "")
                found = pair.get("value", "") if found is None else found
    return default if found is None else found


def has_fencing(document: Document) -> bool:
    """Say whether ``stonith-enabled`` holds (it does unless it is switched off)."""
    return is_true(cluster_option(document, "stonith-enabled", "true"))


def option_seconds(document: Document, name: str, default_s: float) -> float:
    """Return a cluster option that is a duration, in seconds."""
    text = cluster_option(document, name)
    return parse_interval_ms(text) / 1000 if text else default_s


def node_states(document: Document) -> dict[str, Element]:
    """Return the ``node_state`` elements by node id."""
    return {state.get("id", ""): state for state in children(document.status, "node_state")}


def configured_nodes(document: Document) -> dict[str, str]:
    """Return the cluster nodes of the configuration (name by id), remote nodes left out."""
    return {
        node.get("id", ""): node.get("uname", "")
        for node in children(document.section("nodes"), "node")
        if node.get("type", "member") in ("member", "normal")
    }


def standing_of(state: Element | None) -> NodeStanding | None:
    """Read how a node stands; None if nothing is written about it."""
    if state is None or state.get("in_ccm") is None:
        return None
    return NodeStanding(
        is_true(state.get("in_ccm")),
        state.get("crmd") == "online",
        state.get("join", ""),
        state.get("expected", ""),
    )
