"""The cluster's nodes as the shell sees them. I/O: reads the CIB."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children

if TYPE_CHECKING:
    from hatools.shell.session import Session


def node_names(session: "Session") -> list[str]:
    """Return the names of all nodes, remote ones included."""
    root = session.configuration.read()
    return [] if root is None else names_in(root)


def names_in(root: Element) -> list[str]:
    """Return the names of the nodes in a CIB, those of remote nodes from the status."""
    names = [node.get("uname") or "" for node in children(root.find("configuration/nodes"), "node")]
    names += [
        state.get("uname") or ""
        for state in children(root.find("status"), "node_state")
        if state.get("remote_node") == "true"
    ]
    return [name for name in dict.fromkeys(names) if name]
