"""Keeping constraints right when resources are renamed, removed or put into containers. Pure."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.parser.printer import Layout
from hatools.shell.changeset.objects import CibObject
from hatools.values.boolean import parse_boolean

if TYPE_CHECKING:
    from hatools.shell.changeset.workspace import Workspace

REFERENCE_ATTRIBUTES = ("rsc", "with-rsc", "first", "then")


def set_members(constraint: Element) -> list[Element]:
    """Return the references inside a constraint's resource sets."""
    return [
        member
        for resource_set in children(constraint, "resource_set")
        for member in children(resource_set, "resource_ref")
    ]


def is_simple(constraint: Element) -> bool:
    """Say whether a constraint has no resource sets."""
    return not set_members(constraint)


def refers_to(constraint: Element, resource: str) -> bool:
    """Say whether a constraint names a resource."""
    # Asked for every resource and constraint when much is removed, hence written out.
    get = constraint.attrib.get
    if get("rsc") == resource or get("with-rsc") == resource or get("first") == resource or get("then") == resource:
        return True
    return len(constraint) > 0 and any(member.get("id") == resource for member in set_members(constraint))


def referenced_resources(constraint: Element) -> list[str]:
    """Return the resources that a constraint names, by the attributes or else by the sets."""
    names = {
        "rsc_location": ("rsc",),
        "rsc_colocation": ("rsc", "with-rsc"),
        "rsc_order": ("first", "then"),
        "rsc_ticket": ("rsc",),
    }.get(constraint.tag, ())
    if constraint.tag == "rsc_location" and constraint.get("rsc"):
        return [constraint.attrib["rsc"]]
    members = set_members(constraint)
    if members:
        return [member.get("id") or "" for member in members]
    return [constraint.attrib[name] for name in names if name in constraint.attrib]


def rename_reference(workspace: "Workspace", constraint: CibObject, old: str, new: str) -> None:
    """Let a constraint name another resource, and say so."""
    changed = False
    for name in REFERENCE_ATTRIBUTES:
        if constraint.node.get(name) == old:
            constraint.node.set(name, new)
            changed = True
    if not changed:
        changed = _rename_in_sets(workspace, constraint, old, new)
    if changed:
        constraint.updated = True
        workspace.messages.info(f"modified {constraint} from {old} to {new}")


def _rename_in_sets(workspace: "Workspace", constraint: CibObject, old: str, new: str) -> bool:
    changed = False
    counts: dict[str, int] = {}
    for member in set_members(constraint.node):
        if member.get("id") == old:
            member.set("id", new)
            constraint.updated = changed = True
        name = member.get("id") or ""
        counts[name] = counts.get(name, 0) + 1
    for resource_set in children(constraint.node, "resource_set"):
        for member in list(children(resource_set, "resource_ref")):
            name = member.get("id") or ""
            if counts[name] > 1:
                resource_set.remove(member)
                counts[name] -= 1
    if sum(counts.values()) == 2:
        _convert_to_simple(workspace, constraint)
    return changed


def delete_reference(workspace: "Workspace", constraint: CibObject, resource: str) -> bool:
    """Take a resource out of a constraint; return whether it was in it."""
    changed = False
    for name in REFERENCE_ATTRIBUTES:
        if constraint.node.get(name) == resource:
            del constraint.node.attrib[name]
            changed = True
    if not changed:
        changed = _delete_in_sets(workspace, constraint, resource)
    if changed:
        constraint.updated = True
    return changed


def _delete_in_sets(workspace: "Workspace", constraint: CibObject, resource: str) -> bool:
    changed = False
    count = 0
    has_parallel = False
    for resource_set in list(children(constraint.node, "resource_set")):
        for member in list(children(resource_set, "resource_ref")):
            if member.get("id") == resource:
                resource_set.remove(member)
                changed = True
        left = sum(1 for _ in children(resource_set, "resource_ref"))
        if left == 0:
            constraint.node.remove(resource_set)
            changed = True
        elif parse_boolean(resource_set.get("sequential")) is False and left > 1:
            has_parallel = True
        count += left
    if not has_parallel and count == 2:
        _convert_to_simple(workspace, constraint)
    return changed


def _convert_to_simple(workspace: "Workspace", constraint: CibObject) -> None:
    """Write a constraint whose sets hold two resources without sets."""
    if len(set_members(constraint.node)) != 2:
        return
    count = 0
    for resource_set in children(constraint.node, "resource_set"):
        resource_set.attrib.pop("sequential", None)
        count += 1
    statement = workspace.statement(constraint)
    if statement is None:
        return
    new = workspace.reread(constraint, Layout(broken=False))
    if new is None:
        return
    workspace.put_element(constraint, new)
    if count == 1 and constraint.word == "colocation":
        # In a set the later resource depends on the earlier one; written plainly it is the other way round.
        first, second = new.get("rsc"), new.get("with-rsc")
        if second is not None:
            new.set("rsc", second)
        if first is not None:
            new.set("with-rsc", first)


def is_pointless(constraint: Element, resource: str) -> bool:
    """Say whether a constraint is left with too few resources, or relates a resource to itself."""
    enough_alone = constraint.tag in ("rsc_location", "rsc_ticket")
    members = len(set_members(constraint))
    if members:
        return members < 1 if enough_alone else members <= 1
    named = [constraint.get(name) for name in REFERENCE_ATTRIBUTES if name in constraint.attrib]
    if enough_alone:
        return len(named) < 1
    return named.count(resource) == 2 or len(named) < 2
