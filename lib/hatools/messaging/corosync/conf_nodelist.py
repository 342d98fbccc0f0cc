"""The nodelist of corosync.conf: who is who, and under which addresses. Pure."""

from ipaddress import AddressValueError, IPv4Address

from hatools.messaging.corosync.conf_keys import MAX_LINKS, Findings, place_of
from hatools.messaging.corosync.sections import Section
from hatools.messaging.corosync.totem.packets import MAX_NODES
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node of the nodelist; ``addresses`` by link number (names or numeric)."""

    id: int
    name: str
    addresses: dict[int, str]
    votes: int
    is_named: bool


def read_nodelist(root: Section, findings: Findings, *, generate_ids: bool, clear_high_bit: bool) -> list[NodeEntry]:
    """Return the nodes; what is wrong with them goes to ``findings``.

    Args:
        generate_ids: a node without ``nodeid`` gets its IPv4 address as id, as with udp and udpu.
        clear_high_bit: make such ids positive as signed numbers (``clear_node_high_bit``).
    """
    sections = [node for nodelist in root.named("nodelist") for node in nodelist.named("node")]
    nodes: list[NodeEntry] = []
    for section in sections:
        node = _read_node(section, findings, generate_ids, clear_high_bit)
        if node is None:
            continue
        for other in nodes:
            _compare(section, node, other, findings)
        nodes.append(node)
    if not sections:
        findings.error(root, "a nodelist with at least one node is required")
    else:
        _links_match(nodes, sections[0], findings)
    if len(nodes) > MAX_NODES:
        findings.error(root.named("nodelist")[0], f"at most {MAX_NODES} nodes are supported")
    return nodes


def _read_node(section: Section, findings: Findings, generate_ids: bool, clear_high_bit: bool) -> NodeEntry | None:
    addresses = {
        number: entry.value for number in range(MAX_LINKS) if (entry := section.find(f"ring{number}_addr")) is not None
    }
    if 0 not in addresses:
        findings.error(section, "nodelist.node: ring0_addr is required")
        return None
    node_id = _node_id(section, addresses[0], findings, generate_ids, clear_high_bit)
    if not node_id:
        return None
    name = section.find("name")
    votes = section.find("quorum_votes")
    return NodeEntry(
        node_id,
        name.value if name else addresses[0],
        addresses,
        int(votes.value) if votes and votes.value.isdecimal() else 1,
        name is not None,
    )


def _node_id(section: Section, address: str, findings: Findings, generate_ids: bool, clear_high_bit: bool) -> int:
    """Return the node's id; 0 if there is none that can be used."""
    entry = section.find("nodeid")
    if entry is not None:
        return int(entry.value) if entry.value.isascii() and entry.value.isdecimal() else 0
    if not generate_ids:
        findings.error(section, "nodelist.node: nodeid is required")
        return 0
    try:
        number = int(IPv4Address(address))
    except AddressValueError:
        findings.error(section, "nodelist.node: nodeid is required unless ring0_addr is a numeric IPv4 address")
        return 0
    return number & 0x7FFFFFFF if clear_high_bit else number


def _compare(section: Section, node: NodeEntry, other: NodeEntry, findings: Findings) -> None:
    """Complain about what two nodes may not share."""
    if other.id == node.id:
        text = f"nodeid {node.id} is used twice ({other.name} and {node.name})"
        findings.error(place_of(section, "nodeid"), text)
    if other.name == node.name:
        findings.error(place_of(section, "name"), f'the name "{node.name}" is used twice')
    for link in sorted(node.addresses.keys() & other.addresses.keys()):
        if node.addresses[link] == other.addresses[link]:
            place = place_of(section, f"ring{link}_addr")
            findings.error(place, f"{node.addresses[link]} is the address of {other.name} already")


def _links_match(nodes: list[NodeEntry], place: Section, findings: Findings) -> None:
    """Every node must be on every link, or some could not reach each other over it."""
    for node in nodes:
        missing = nodes[0].addresses.keys() ^ node.addresses.keys()
        if missing:
            link = min(missing)
            text = f"ring{link}_addr is given for some nodes only: compare {nodes[0].name} and {node.name}"
            findings.error(place, text)
