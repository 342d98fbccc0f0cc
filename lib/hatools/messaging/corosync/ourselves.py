"""Which entry of the node list is this node. Pure."""

from collections.abc import Callable

from hatools.messaging.corosync.conf import Configuration, NodeEntry
from hatools.values.errors import ConfigError


def local_node(
    configuration: Configuration,
    *,
    given_name: str,
    host_name: str,
    is_local: Callable[[str], bool],
    path: str,
) -> NodeEntry:
    """Return the node list's entry for this node.

    The name given (``HATOOLS_NODE_NAME``) decides; else the host name, the host name without its domain, an
    entry whose short form is the host's short name, and at last the address that is one of ours.

    Raises:
        ConfigError: no entry is ours, or more than one could be.
    """
    nodes = configuration.nodes
    if given_name:
        for node in nodes:
            if node.name == given_name:
                return node
        raise ConfigError(f"{path}: the nodelist has no node {given_name} (HATOOLS_NODE_NAME); {_listed(nodes)}")
    short = host_name.partition(".")[0]
    for wanted in (host_name, short):
        for node in nodes:
            if node.is_named and node.name == wanted:
                return node
    for node in nodes:
        if node.is_named and "." in node.name and node.name.partition(".")[0] == short:
            return node
    found = [node for node in nodes if any(is_local(address) for address in node.addresses.values())]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(node.name for node in found)
        raise ConfigError(f"{path}: the addresses of {names} are all on this machine; set HATOOLS_NODE_NAME")
    raise ConfigError(
        f"{path}: no node of the nodelist is this one: neither its name ({host_name}) "
        f"nor one of its addresses is listed; {_listed(nodes)}"
    )


def _listed(nodes: tuple[NodeEntry, ...]) -> str:
    return "it has " + ", ".join(f"{node.name} ({node.addresses[0]})" for node in nodes)
