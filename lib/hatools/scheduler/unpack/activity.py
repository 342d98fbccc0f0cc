"""Where resources are active. Pure."""

from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import MultipleActive, Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.scores import add_location_score, whole_table
from hatools.values.role import Role
from hatools.values.score import INFINITY


def add_running(plan: Plan, resource: Resource, node: Node, *, failed: bool) -> None:
    """Note that a resource (and so everything that contains it) is active on a node."""
    if node in resource.running_on:
        return
    resource.running_on.append(node)
    if resource.is_primitive:
        node.running.append(resource)
        _add_priority(resource, node, failed)
        if node.maintenance:
            resource.managed = False
    if not resource.managed:
        # What is not managed stays where it is.
        add_location_score(plan, resource, node, INFINITY)
        ancestor = resource.parent
        while ancestor is not None and node.online:
            ancestor.running_on.append(node)
            ancestor = ancestor.parent
        return
    if resource.is_primitive and resource.find_active_requires()[1] > 1:
        _handle_multiple(plan, resource)
    if resource.parent is not None:
        add_running(plan, resource.parent, node, failed=False)


def _add_priority(resource: Resource, node: Node, failed: bool) -> None:
    """Count the resource's priority for the node, and for the host if the node is a guest."""
    if resource.priority == 0 or failed:
        return
    priority = resource.priority + (1 if resource.role is Role.PROMOTED else 0)
    node.priority += priority
    connection = node.remote_resource
    if connection is not None and connection.container is not None:
        for host in connection.container.running_on:
            host.priority += priority


def _handle_multiple(plan: Plan, resource: Resource) -> None:
    """React to a resource that is active more than once."""
    if resource.multiple_active is MultipleActive.STOP_ONLY:
        resource.allowed = whole_table(plan, -INFINITY)
    elif resource.multiple_active is MultipleActive.BLOCK:
        resource.managed = False
        resource.blocked = True
        parent = resource.parent
        if (
            parent is not None
            and (parent.is_group or parent.is_bundle)
            and parent.multiple_active is MultipleActive.BLOCK
        ):
            for child in parent.children:
                child.managed = False
                child.blocked = True
    names = " ".join(node.name for node in resource.running_on)
    plan.reasons.resource(resource.id, Cause.FAILURE, "multiple-active", f"active on more than one node: {names}")
