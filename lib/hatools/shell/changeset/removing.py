"""Removing objects, with containers that become empty and what hangs on them. Pure."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.references import delete_reference, is_pointless, is_simple, rename_reference

if TYPE_CHECKING:
    from hatools.shell.changeset.workspace import Workspace


def delete(workspace: "Workspace", identifiers: Sequence[str]) -> bool:
    """Remove objects, with containers that become empty and what hangs on them."""
    succeeded = True
    doomed: list[CibObject] = []
    for identifier in identifiers:
        item = workspace.find_object(identifier)
        if item is None:
            if not workspace.host.force:
                workspace.messages.error(f"object {identifier} does not exist")
                succeeded = False
            continue
        if not workspace.host.may_remove(identifier):
            workspace.messages.error(f"resource {identifier} is running, can't delete it")
            succeeded = False
            continue
        if item.word == "rsc_template":
            users = [
                user
                for user in workspace.of_word("primitive")
                if user.node.get("template") == item.id and user not in doomed and user.id not in identifiers
            ]
            running = next((user for user in users if not workspace.host.may_remove(user.id or "")), None)
            if running is not None:
                workspace.messages.error(f"resource {running.id} is running, can't delete it")
                succeeded = False
                continue
            for user in users:
                workspace.messages.info(f"hanging {user} deleted")
                doomed.append(user)
        doomed.append(item)
    for item in reversed(workspace.sorted(doomed)):
        _delete_one(workspace, item)
    return succeeded


def _delete_one(workspace: "Workspace", item: CibObject) -> None:
    if item.parent and len(item.parent.children) == 1:
        _delete_one(workspace, item.parent)
    if item in workspace.objects:
        remove(workspace, item)


def remove(workspace: "Workspace", item: CibObject) -> None:
    """Remove one object, its tags' references to it and the constraints that mean nothing without it."""
    for child in item.children:
        workspace.move_to_top(child)
    workspace.ids.remove_tree(item.node)
    workspace.detach(item)
    if item.parent:
        item.parent.children.remove(item)
    if item.from_cib:
        workspace.removed.append(item)
    workspace.objects.remove(item)
    workspace.unindex(item)
    for tag in workspace.tags_of(item):
        for reference in [child for child in children(tag.node) if child.get("id") == item.id]:
            tag.node.remove(reference)
        if tag.node.find("obj_ref") is None:
            remove(workspace, tag)
            if not workspace.quiet_removal:
                workspace.messages.info(f"hanging {tag} deleted")
    for constraint in workspace.related_constraints(item):
        if is_simple(constraint.node) and item.children:
            rename_reference(workspace, constraint, item.id or "", item.children[0].id or "")
        deleted = delete_reference(workspace, constraint, item.id or "")
        if is_pointless(constraint.node, item.id or ""):
            remove(workspace, constraint)
            if not workspace.quiet_removal:
                workspace.messages.info(f"hanging {constraint} deleted")
        elif deleted:
            workspace.messages.info(f"constraint {constraint} updated")


def redirect_constraints(workspace: "Workspace", item: CibObject) -> None:
    """Constraints on a resource move to the container that now holds it."""
    for child in item.children:
        for constraint in workspace.related_constraints(child):
            rename_reference(workspace, constraint, child.id or "", item.id or "")
    for constraint in workspace.related_constraints(item):
        if is_pointless(constraint.node, item.id or ""):
            workspace.quiet_removal = True
            remove(workspace, constraint)
            workspace.quiet_removal = False


def erase(workspace: "Workspace", report: Callable[[str], None]) -> bool:
    """Remove everything but the nodes.

    Args:
        report: takes the names of what, against expectation, remains.
    """
    bottom = [item for item in workspace.objects if not (item.children or item.is_constraint or item.word == "node")]
    running = [item for item in bottom if not workspace.host.may_remove(item.id or "")]
    if running:
        for item in running:
            workspace.messages.warning(f"resource {item.id} is running, can't delete it")
        workspace.messages.error("CIB erase aborted (nothing was deleted)")
        return False
    workspace.quiet_removal = True
    for item in bottom:
        delete(workspace, [item.id or ""])
    workspace.quiet_removal = False
    remaining = [item for item in workspace.objects if item.word != "node"]
    if remaining:
        workspace.messages.error("strange, but these objects remained:")
        for item in remaining:
            report(str(item))
        workspace.forget_all()
    return True
