"""Meta attributes that commands set: start, stop, manage, maintenance. I/O: asks, commits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.shell.changeset.merging import blocks, drop_empty_blocks, pair_named, pair_value, set_pair
from hatools.shell.changeset.objects import CHILD_TAGS, CibObject
from hatools.shell.changeset.workspace import Workspace

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

_OPPOSITES = {"maintenance": "is-managed", "is-managed": "maintenance"}


def set_meta(session: "Session", context: "Context", names: Sequence[str], name: str, value: str) -> bool:
    """Set a meta attribute of resources, and commit unless the configuration is being edited."""
    from hatools.shell.programs import is_name_sane

    for resource in names:
        if not is_name_sane(resource):
            session.console.error(f"{resource}: bad name")
            return False
    commits = not session.configuration.has_changed
    if not commits:
        context.info("Currently editing the CIB, changes will not be committed")
    workspace = session.configuration.workspace
    for resource in names:
        if not _set_one(session, workspace, resource, name, value):
            return False
    if commits and not session.configuration.commit():
        session.console.error(f"Failed to commit updates to {names[-1]}")
        return False
    return True


def _set_one(session: "Session", workspace: Workspace, resource: str, name: str, value: str) -> bool:
    items = resources_named(workspace, resource)
    if not items:
        session.console.error(f"Resource not found: {resource}")
        return False
    for item in items:
        item.touch()
        target = item
        if not (item.word == "primitive" and item.parent and item.parent.word == "group"):
            target = item.top()
        set_meta_of(session, workspace, target, name, value)
    return True


def resources_named(workspace: Workspace, name: str) -> list[CibObject]:
    """Return the resources with this id or matching this pattern; a tag stands for what it tags."""
    found = workspace.find_objects(name)
    while any(item.word == "tag" for item in found):
        expanded: list[CibObject] = []
        for item in found:
            if item.word != "tag":
                expanded.append(item)
                continue
            members = (workspace.find_object(child.get("id")) for child in children(item.node, "obj_ref"))
            expanded += [member for member in members if member is not None]
        found = expanded
    return [item for item in found if item.is_resource]


def set_meta_of(session: "Session", workspace: Workspace, item: CibObject, name: str, value: str) -> None:
    """Set a meta attribute of a resource, settling what its children and the opposite attribute say."""
    node = item.node
    doomed: list[tuple[Element, Element]] = []
    opposite = _OPPOSITES.get(name, "")
    manages = session.preferences.get("core", "manage_children")

    def agreed(question: str) -> bool:
        return manages == "always" or (manages == "ask" and session.console.ask(question))

    if node.tag == "clone":
        for child in children(node, *CHILD_TAGS):
            doomed += _meta_pairs(child, name)
    inner = next(iter(children(node, *CHILD_TAGS)), None)
    holds_group = node.tag == "group" or (node.tag == "clone" and inner is not None and inner.tag == "group")
    if manages != "never" and holds_group:
        if opposite:
            for child in _primitives_with(node, opposite):
                if agreed(
                    f"'{name}' conflicts with '{opposite}' attribute. "
                    f"Remove '{opposite}' for child resource {child.get('id')}?"
                ):
                    doomed += _meta_pairs(child, opposite)
        for child in _primitives_with(node, name):
            if agreed(f"Do you want to override '{name}' for child resource {child.get('id')}?"):
                doomed += _meta_pairs(child, name)
    _remove(doomed)
    if opposite:
        own = [(block, pair) for block, pair in _own_pairs(node, opposite)]
        question = f"'{name}' conflicts with '{opposite}' attribute. Remove '{opposite}' for resource {node.get('id')}?"
        if own and session.console.ask(question):
            _remove(own)
    drop_empty_blocks(node)
    present = [pair for _, pair in _own_pairs(node, name)]
    for pair in present:
        pair.set("value", value)
    if not present:
        for block in blocks(node, "meta_attributes", workspace.ids):
            set_pair(block, name, value, workspace.ids)


def _own_pairs(node: Element, name: str) -> list[tuple[Element, Element]]:
    return [
        (block, pair)
        for block in children(node, "meta_attributes")
        for pair in children(block, "nvpair")
        if pair.get("name") == name
    ]


def _meta_pairs(node: Element, name: str) -> list[tuple[Element, Element]]:
    """Return (block, pair) for a meta attribute of a resource and of the resources inside, but not inside a group."""
    found: list[tuple[Element, Element]] = []
    for child in children(node):
        if child.tag == "meta_attributes":
            pair = pair_named(child, name)
            if pair is not None:
                found.append((child, pair))
        elif child.tag in CHILD_TAGS and node.tag != "group":
            found += _meta_pairs(child, name)
    return found


def _primitives_with(node: Element, name: str) -> list[Element]:
    return [
        primitive
        for primitive in node.iter("primitive")
        if primitive is not node
        and any(pair_value(block, name) is not None for block in children(primitive, "meta_attributes"))
    ]


def _remove(pairs: Sequence[tuple[Element, Element]]) -> None:
    for block, pair in pairs:
        if any(child is pair for child in block):
            block.remove(pair)
