"""Setting operations' timeouts to what agents advise. I/O: asks agents for their metadata."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.shell.changeset.merging import pair_value, pairs_below
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.operations import add_operation, all_operations
from hatools.shell.semantics import advised, agent_label, agent_of, known_metadata
from hatools.values.boolean import is_true

if TYPE_CHECKING:
    from hatools.shell.session import Session


def set_default_timeouts(session: "Session", names: Sequence[str]) -> bool:
    """Set the timeouts of primitives' operations, adding start and stop (and what else is needed) where missing."""
    succeeded = True
    for name in names:
        item = session.configuration.workspace.find_resource(name)
        if item is None:
            session.console.error(f"object {name} does not exist")
            succeeded = False
        elif item.word != "primitive":
            session.console.warning(f"element {name} is not a primitive")
            succeeded = False
        else:
            succeeded = _set(session, item) and succeeded
    return succeeded


def _set(session: "Session", item: CibObject) -> bool:
    workspace = session.configuration.workspace
    merged = workspace.merged(item.node)
    if merged is None:
        session.console.warning(f"template for {item.id} not defined")
        return False
    found = known_metadata(session, agent_of(merged))
    if found is None:
        symmetric = workspace.property_value("symmetric-cluster")
        if not symmetric or symmetric == "true":
            session.console.error(f"{agent_label(agent_of(merged))}: no resource agent found for {item.id}")
        return True
    missing = _implied(item, merged)
    for operation in all_operations(item.node):
        name = operation.get("name") or ""
        if name in missing:
            missing.remove(name)
        elif name != "monitor":
            continue
        advice = advised(found, name, "timeout", role=operation.get("role"), depth=operation.get("depth"))
        if advice:
            operation.set("timeout", advice)
            item.touch()
    succeeded = True
    for name in missing:
        advice = advised(found, name, "timeout")
        if advice:
            operation = Element("op", {"name": name, "timeout": advice, "interval": "0"})
            succeeded = add_operation(workspace, item, operation) is not None and succeeded
    return succeeded


def _implied(item: CibObject, merged: Element) -> list[str]:
    """Return the operations that the cluster will run whether they are configured or not."""
    names = ["start", "stop"]
    if any(pair.get("value") == "true" for pair in pairs_below(merged, "allow-migrate")):
        names += ["migrate_to", "migrate_from"]
    parent = item.parent
    if parent is not None:
        meta = parent.node.find("meta_attributes")
        if parent.node.tag == "master" or is_true(pair_value(meta, "promotable")):
            names += ["promote", "demote"]
    return names
