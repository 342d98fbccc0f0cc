"""Which instance of one clone belongs to which of another, for interleaving. Pure."""

from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Kind, Resource, any_recursive
from hatools.scheduler.placement.node_scores import sorted_entries
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.scores import scan_minimum
from hatools.values.role import Role


def containers_or_children(resource: Resource) -> list[Resource]:
    """Return the instances of a collection; of a bundle, its containers."""
    if resource.kind is Kind.BUNDLE and resource.bundle_data is not None:
        return [replica.container for replica in resource.bundle_data.replicas if replica.container is not None]
    return resource.children


def copies_per_node(resource: Resource) -> int:
    """Return how many instances a node may have."""
    if resource.kind is Kind.CLONE:
        text = resource.meta.get("clone-node-max")
        return 1 if text is None else scan_minimum(text, 0)
    if resource.kind is Kind.BUNDLE and resource.bundle_data is not None:
        return resource.bundle_data.replicas_per_host
    return 1


def is_compatible(resource: Resource, node: Node, role: Role, *, current: bool) -> bool:
    """Say whether an instance is (or will be) on a node, in a role if one is given."""
    if role is not Role.UNKNOWN and (resource.role_now() if current else resource.role_next()) is not role:
        return False
    return not any_recursive(resource, "blocked") and resource.sole_location(current) is node


def find_compatible(
    plan: Plan, instance: Resource, other: Resource, role: Role = Role.UNKNOWN, *, current: bool = False
) -> Resource | None:
    """Return the instance of another collection that is on the same node as an instance."""
    node = instance.sole_location(current)
    if node is not None:
        return find_on_node(node, other, role, current=current)
    for entry in sorted_entries(plan, instance.allowed.values(), None):
        found = find_on_node(entry.node, other, role, current=current)
        if found is not None:
            return found
    return None


def find_on_node(node: Node, other: Resource, role: Role, *, current: bool) -> Resource | None:
    """Return the instance of a collection that is on a node."""
    for child in containers_or_children(other):
        if is_compatible(child, node, role, current=current):
            return child
    return None
