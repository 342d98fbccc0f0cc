"""Which resources and nodes pass a view's filters. Pure.

A resource passes when it is named itself, when something inside it is, or when it belongs to
something named; the rules per kind are those of crm_mon 2.1.5.
"""

from collections.abc import Iterable, Iterator

from hatools.status.model import BundleStatus, CloneStatus, ClusterStatus, GroupStatus, ResourceStatus
from hatools.status.view import View

__all__ = ["hidden_by_node", "named_wholly", "passes", "runs_on_shown_node", "select_nodes", "select_resources"]


def passes(resource: ResourceStatus, view: View, *, check_parent: bool = True) -> bool:
    """Say whether a resource shall be shown.

    Args:
        check_parent: whether it also passes because of what it belongs to.
    """
    if view.resources is None:
        return True
    match resource:
        case GroupStatus():
            return (
                (check_parent and view.names(resource.top.shown_id))
                or named_wholly(resource, view)
                or _any_member_passes(resource, view)
            )
        case CloneStatus():
            return view.names(resource.shown_id, resource.template) or _any_member_passes(resource, view)
        case BundleStatus():
            return view.names(resource.shown_id) or _any_member_passes(resource, view)
        case _:
            return _primitive_passes(resource, view, check_parent)


def _primitive_passes(resource: ResourceStatus, view: View, check_parent: bool) -> bool:
    if view.names(resource.shown_id, resource.id):
        return True
    if not check_parent or resource.parent is None:
        return False
    top = resource.top
    owner = top.parent if top.parent is not None else top
    return passes(owner, view, check_parent=False)


def _any_member_passes(resource: ResourceStatus, view: View) -> bool:
    return any(passes(member, view, check_parent=False) for member in resource.members)


def named_wholly(resource: ResourceStatus, view: View) -> bool:
    """Say whether the filter names this very resource (or everything), so that all of it is shown."""
    return view.names(resource.shown_id) or (":" in resource.id and view.names(resource.id))


def runs_on_shown_node(resource: ResourceStatus, view: View) -> bool:
    """Say whether a resource runs on a node that passes the filter."""
    return any(view.shows_node(node.name) for node in resource.nodes)


def hidden_by_node(resource: ResourceStatus, view: View) -> bool:
    """Say whether a resource is active, but only on nodes that do not pass the filter."""
    return resource.partly_active and not runs_on_shown_node(resource, view)


def select_nodes(status: ClusterStatus, name: str | None) -> frozenset[str] | None:
    """Return the filter for one node, or for the nodes with a tag, by name; None for all."""
    if name is None or name == "*":
        return None
    if any(node.name.lower() == name.lower() for node in status.nodes):
        return frozenset((name.lower(),))
    tagged = status.tags.get(name, ())
    return frozenset(node.name.lower() for node in status.nodes if node.name in tagged or node.id in tagged)


def select_resources(status: ClusterStatus, name: str | None) -> frozenset[str] | None:
    """Return the filter for one resource, or for the resources with a tag; None for all."""
    if name is None or name == "*":
        return None
    for resource in _walk(status.resources):
        if name in (resource.id, resource.shown_id) or resource.id.rpartition(":")[0] == name:
            return frozenset((resource.id if ":" in name else resource.shown_id,))
    return frozenset(status.tags.get(name, ()))


def _walk(resources: Iterable[ResourceStatus]) -> Iterator[ResourceStatus]:
    for resource in resources:
        yield resource
        yield from _walk(resource.members)
