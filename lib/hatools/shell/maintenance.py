"""What a wider maintenance setting overrides. I/O: asks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.merging import drop_empty_blocks, pair_named
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.workspace import Workspace

if TYPE_CHECKING:
    from hatools.shell.session import Session


def drop_overridden(session: "Session", name: str, opposite: str) -> None:
    """Offer to remove what maintenance of the whole cluster makes void, from resources and nodes."""
    workspace = session.configuration.workspace
    nodes = workspace.node_names()
    drop_from(
        session, resources_on(workspace, nodes, ("primitive", "group", "clone")), "meta_attributes", name, opposite
    )
    drop_from(session, resources_on(workspace, nodes, ("node",)), "instance_attributes", name, opposite)


def resources_on(workspace: Workspace, nodes: Sequence[str], words: Sequence[str]) -> list[CibObject]:
    """Return the objects of some kinds, but for resources that were moved to other nodes by hand."""
    elsewhere = {
        (item.id or "").replace("cli-prefer-", "")
        for item in workspace.of_word("location")
        if item.node.get("node") not in nodes
    }
    return [item for item in workspace.each(words) if item.id not in elsewhere]


def drop_from(session: "Session", items: Sequence[CibObject], tag: str, name: str, opposite: str) -> None:
    """Offer to remove an attribute and its opposite from objects."""
    manages = session.preferences.get("core", "manage_children")
    shown = "uname" if tag == "instance_attributes" else "id"
    questions = (
        (name, f"'{name}' attribute already exists in %s. Remove it?"),
        (opposite, f"'{opposite}' conflicts with '{name}' in %s. Remove it?"),
    )
    for item in items:
        for block in list(children(item.node, tag)):
            for attribute, question in questions:
                pair = pair_named(block, attribute)
                if pair is None or manages == "never":
                    continue
                if manages == "always" or session.console.ask(question % item.node.get(shown)):
                    block.remove(pair)
                    drop_empty_blocks(item.node)
