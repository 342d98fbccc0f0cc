"""Fencing and unfencing: the actions, and what waits for them. Pure."""

from hatools.scheduler.actions.notifications import order_notifications_after_fencing
from hatools.scheduler.model.action import Action, ActionFlag, Needs, Order, order_actions
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import (
    can_fence,
    fence_action,
    find_first_action,
    new_action,
    resource_actions,
    trigger_unfencing,
)
from hatools.scheduler.unpack.orderings import new_ordering


def is_unfenced(node: Node) -> bool:
    """Say whether a node was unfenced since it joined."""
    return node.attributes.get("#node-unfenced", "0") != "0"


def order_after_unfencing(plan: Plan, resource: Resource, node: Node, action: Action, flags: int) -> None:
    """Let an action wait until its node was unfenced, for resources that need that."""
    if not ((resource.fence_device and plan.unfencing_enabled) or resource.needs_unfencing):
        return
    unfence = fence_action(plan, node, "on", optional=True)
    order_actions(unfence, action, flags)
    if not is_unfenced(node):
        trigger_unfencing(plan, None, node, f"required by {resource.id} {action.task}")


def order_restart_around_unfencing(plan: Plan, resource: Resource, node: Node) -> None:
    """Let a node be unfenced between a stop and a start there."""
    unfence = fence_action(plan, node, "on", optional=True)
    flags = Order.OPTIONAL | Order.SAME_NODE
    new_ordering(plan, resource, f"{resource.id}_stop_0", None, None, unfence.key, unfence, flags)
    flags = Order.IMPLIES_THEN_ON_NODE | Order.SAME_NODE
    new_ordering(plan, None, unfence.key, unfence, resource, f"{resource.id}_start_0", None, flags)


# -- what waits for fencing


def order_around_fencing(plan: Plan, fencing: Action) -> None:
    """Order what must wait for a node's death, and turn what it implies into pseudo actions."""
    for resource in plan.resources:
        _order_resource(plan, resource, fencing)


def _order_resource(plan: Plan, resource: Resource, fencing: Action) -> None:
    if resource.children:
        for child in resource.children:
            _order_resource(plan, child, fencing)
    elif resource.managed:
        _order_starts(resource, fencing)
        _order_stops(plan, resource, fencing)


def _is_known_on(resource: Resource, node: Node) -> bool:
    if node in resource.known_on:
        return True
    parent = resource.parent
    return resource.is_primitive and parent is not None and parent.is_anonymous_clone and node in parent.known_on


def _order_starts(resource: Resource, fencing: Action) -> None:
    target = fencing.node
    assert target is not None
    for action in reversed(resource.actions):
        if action.needs is Needs.FENCING:
            order_actions(fencing, action, Order.OPTIONAL)
        elif (
            action.needs is Needs.QUORUM
            and action.task == "start"
            and target in resource.allowed
            and not _is_known_on(resource, target)
        ):
            # It might be active on the lost node, as it was not probed there yet.
            order_actions(fencing, action, Order.OPTIONAL | Order.RUNNABLE_LEFT)


def _order_stops(plan: Plan, resource: Resource, fencing: Action) -> None:
    target = fencing.node
    assert target is not None
    implicit = resource.needs_fencing or target.is_guest
    stops = resource_actions(resource, target, "stop", require_node=False)
    parent_stop: Action | None = None
    if stops and implicit:
        parent_stop = find_first_action(resource.top, None, "stop", None)
    for stop in stops:
        # The fencing does it.
        stop.flags |= ActionFlag.PSEUDO | ActionFlag.RUNNABLE
        if implicit:
            stop.flags |= ActionFlag.IMPLIED_BY_FENCING
            if not resource.is_bundled:
                order_actions(fencing, stop, Order.PRESERVE)
            order_actions(fencing, parent_stop, Order.PRESERVE)
        if resource.failed:
            how = "after" if implicit else "because"
            plan.say(
                "notice", f"Stop of failed resource {resource.id} is implicit {how} {target.display_name} is fenced"
            )
        if resource.notify:
            order_notifications_after_fencing(plan, stop, resource, fencing)
    for demote in resource_actions(resource, target, "demote", require_node=False):
        node = demote.node
        if node is None or not node.online or node.unclean or resource.failed:
            demote.flags |= ActionFlag.PSEUDO | ActionFlag.RUNNABLE
            if not resource.is_bundled and implicit:
                order_actions(fencing, demote, Order.PRESERVE | Order.OPTIONAL)


# -- scheduling


def _fence_guest(plan: Plan, node: Node) -> None:
    """Mark the point at which a guest is known to be down: its container is stopped, or its host fenced."""
    connection = node.remote_resource
    assert connection is not None
    container = connection.container
    stop: Action | None = None
    operation = "off"
    if container is not None:
        stop = find_first_action(container, None, "stop", None)
        if find_first_action(container, None, "start", None) is not None:
            operation = "reboot"
    fencing = fence_action(plan, node, operation, optional=False, reason="guest is unclean")
    fencing.flags |= ActionFlag.PSEUDO | ActionFlag.RUNNABLE
    flags = Order.RUNNABLE_LEFT | Order.IMPLIES_THEN
    if stop is not None and stop.flags & ActionFlag.PSEUDO:
        assert stop.node is not None
        host_fencing = fence_action(plan, stop.node, None, optional=False)
        order_actions(host_fencing, fencing, flags)
    elif stop is not None:
        order_actions(stop, fencing, flags)
    else:
        # The container was stopped before; its connection may still have to be.
        order_actions(find_first_action(connection, None, "stop", None), fencing, Order.OPTIONAL)
    order_around_fencing(plan, fencing)


def _is_managed(resource: Resource) -> bool:
    return resource.managed or any(_is_managed(child) for child in resource.children)


def schedule_fencing_and_shutdowns(plan: Plan) -> None:
    """Fence unclean nodes and let leaving nodes go, the DC last."""
    dc_down: Action | None = None
    integrity_lost = False
    have_managed = any(_is_managed(resource) for resource in plan.resources)
    fencings: list[Action] = []
    shutdowns: list[Action] = []
    if not have_managed:
        plan.say("notice", "No fencing will be done until there are resources to manage")
    for node in plan.nodes:
        if node.is_guest:
            if node.remote_requires_reset and have_managed and can_fence(plan, node):
                _fence_guest(plan, node)
            continue
        fencing: Action | None = None
        if have_managed and node.unclean and can_fence(plan, node):
            fencing = fence_action(plan, node, None, optional=False, reason="node is unclean")
            plan.config_warning(f"Scheduling node {node.display_name} for fencing")
            order_around_fencing(plan, fencing)
            if node.is_dc:
                dc_down = fencing
            else:
                if not plan.options.concurrent_fencing and fencings:
                    order_actions(fencings[-1], fencing, Order.OPTIONAL)
                fencings.append(fencing)
        elif not node.is_remote_or_guest and node.online and node.shutdown:
            down = _shutdown_action(plan, node)
            if node.is_dc:
                dc_down = down
            else:
                shutdowns.append(down)
        if fencing is None and node.unclean:
            integrity_lost = True
            plan.config_warning(f"Node {node.display_name} is unclean but cannot be fenced")
    if integrity_lost:
        _say_integrity(plan)
    if dc_down is not None:
        _order_dc_last(plan, dc_down, fencings, shutdowns)


def _say_integrity(plan: Plan) -> None:
    if not plan.options.fencing_enabled:
        plan.config_warning(
            "Resource functionality and data integrity cannot be guaranteed (configure, enable, and test fencing "
            "to correct this)"
        )
    elif not plan.have_quorum:
        plan.say(
            "notice",
            "Unclean nodes will not be fenced until quorum is attained or no-quorum-policy is set to ignore",
        )


def _order_dc_last(plan: Plan, dc_down: Action, fencings: list[Action], shutdowns: list[Action]) -> None:
    if dc_down.task == "do_shutdown":
        for shutdown in reversed(shutdowns):
            order_actions(shutdown, dc_down, Order.OPTIONAL)
    if plan.options.concurrent_fencing:
        for fencing in reversed(fencings):
            order_actions(fencing, dc_down, Order.OPTIONAL)
    elif fencings:
        order_actions(fencings[-1], dc_down, Order.OPTIONAL)


def _shutdown_action(plan: Plan, node: Node) -> Action:
    shutdown = new_action(plan, None, f"do_shutdown-{node.name}", "do_shutdown", node, optional=False)
    for action in reversed(plan.actions):
        resource = action.resource
        if resource is None or action.node is not node or action.task != "stop":
            continue
        if resource.maintenance or node.maintenance or not (resource.managed or resource.blocked):
            # It stays when the cluster goes.
            continue
        action.flags &= ~ActionFlag.OPTIONAL
        flags = Order.OPTIONAL | Order.RUNNABLE_LEFT
        new_ordering(plan, resource, None, action, None, "do_shutdown", shutdown, flags)
    shutdown.meta.setdefault("op_no_wait", "true")
    return shutdown
