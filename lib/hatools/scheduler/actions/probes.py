"""Probes: finding out whether resources are active where nobody knows. Pure."""

from hatools.scheduler.actions.fencing import order_after_unfencing
from hatools.scheduler.actions.remote import is_failed_remote
from hatools.scheduler.model.action import Action, ActionFlag, Order, order_actions
from hatools.scheduler.model.node import Discovery, Node
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.placement.compatible import find_compatible
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import (
    expect_result,
    find_actions,
    new_action,
    require_fencing,
    resource_actions,
    task_action,
)
from hatools.scheduler.unpack.orderings import new_ordering, order_tasks
from hatools.values.boolean import is_true
from hatools.values.role import Role


def schedule_probes(plan: Plan) -> None:
    """Probe every resource on every usable node where its state is not known."""
    for node in plan.nodes:
        if not node.online:
            if is_failed_remote(node):
                require_fencing(plan, node, "the connection is unrecoverable")
            continue
        if node.unclean or not node.discovery_enabled:
            continue
        probed = node.attributes.get("probe_complete")
        if probed is not None and not is_true(probed):
            action = new_action(plan, None, f"probe_again-{node.name}", "probe_again", node, optional=False)
            action.meta.setdefault("op_no_wait", "true")
            continue
        probe_resources(plan.resources, node)


def probe_resources(resources: "list[Resource]", node: Node) -> bool:
    """Probe resources on a node; say whether any probe was needed."""
    created = False
    for resource in resources:
        assert resource.variant is not None
        created = resource.variant.create_probe(resource, node) or created
    return created


def contained_guest(plan: Plan, resource: Resource) -> Resource | None:
    """Return the connection to the guest node that a resource contains."""
    if not plan.have_remote_nodes:
        return None
    return next((filler for filler in resource.fillers if filler.is_remote_connection), None)


def _is_exempt(plan: Plan, resource: Resource, node: Node) -> bool:
    """Say whether a resource can never be active on a node because of what they are."""
    if not node.is_remote_or_guest:
        return False
    return (
        resource.standard == "stonith"
        or (node.is_guest and contained_guest(plan, resource) is not None)
        or resource.is_remote_connection
    )


def _discovery_allowed(resource: Resource, node: Node) -> bool:
    entry = resource.allowed.get(node)
    if (resource.exclusive_discovery or resource.top.exclusive_discovery) and (
        entry is None or entry.discovery is not Discovery.EXCLUSIVE
    ):
        return False
    discovery = node.discovery if entry is None else entry.discovery
    return discovery is not Discovery.NEVER


def _guest_will_stop(node: Node) -> bool:
    assert node.remote_resource is not None and node.remote_resource.container is not None
    container = node.remote_resource.container
    return (
        node.remote_requires_reset
        or node.unclean
        or container.failed
        or container.next_role is Role.STOPPED
        or (
            container.role > Role.STOPPED
            and container.assigned_to is not None
            and container.assigned_to not in container.running_on
        )
    )


def probe_on_node(plan: Plan, resource: Resource, node: Node) -> bool:
    """Probe a primitive (or every member of a group) on a node, if need be."""
    if not plan.options.startup_probes or _is_exempt(plan, resource, node):
        return False
    if resource.children:
        return probe_resources(resource.children, node)
    if (
        (resource.container is not None and not resource.is_remote_connection)
        or resource.orphan
        or node in resource.known_on
        or not _discovery_allowed(resource, node)
    ):
        return False
    top = resource.top
    if node.is_guest:
        assert node.remote_resource is not None and node.remote_resource.container is not None
        container = node.remote_resource.container
        if container.role is Role.STOPPED:
            # A guest that is not running has nothing; but something could be started twice where it will run.
            if container.assigned_to is not None and container.assigned_to not in container.known_on:
                order_tasks(plan, container, "monitor", top, "start", Order.OPTIONAL)
            return False
        if _guest_will_stop(node):
            order_tasks(plan, container, "stop", top, "start", Order.OPTIONAL)
            return False
    probe = _probe_action(plan, resource, node)
    if (resource.fence_device and plan.unfencing_enabled) or not top.is_clone:
        top = resource
    flags = Order.OPTIONAL
    if not probe.runnable and not resource.running_on:
        flags |= Order.RUNNABLE_LEFT
    new_ordering(plan, resource, None, probe, top, f"{top.id}_start_0", None, flags)
    new_ordering(plan, resource, None, probe, top, f"{resource.id}_reload-agent_0", None, Order.OPTIONAL)
    return True


def _probe_action(plan: Plan, resource: Resource, node: Node) -> Action:
    probe = task_action(plan, resource, "monitor", node, optional=False)
    probe.flags &= ~ActionFlag.OPTIONAL
    order_after_unfencing(plan, resource, node, probe, Order.OPTIONAL)
    if node not in resource.running_on:
        expect_result(probe, 7)
    elif resource.role is Role.PROMOTED:
        expect_result(probe, 8)
    return probe


# -- what waits for probes


def order_probes(plan: Plan) -> None:
    """Order probes before what could otherwise happen too early."""
    restarts = _leading_to_restarts(plan)
    if restarts:
        for resource in plan.resources:
            _order_restarts(plan, resource, restarts)
    _order_stops(plan)


_UNDO = {"start": "stop", "promote": "demote"}


def _undoing(action: Action) -> list[Action]:
    """Return the actions of a restart that come before a start or promotion and really do something."""
    task = _UNDO.get(action.task)
    if task is None or action.resource is None or not action.resource.is_primitive:
        return []
    # Stops that fencing implies need not wait.
    return [each for each in resource_actions(action.resource, None, task, require_node=False) if not each.pseudo]


def _leading_to_restarts(plan: Plan) -> set[Action]:
    """Return the actions behind which a restart may come, so that no probe looks along chains where there is none.

    Orderings that probes get while this is used add none: they begin at probes that are in it.
    """
    pending = [action for action in plan.actions if _undoing(action)]
    found = set(pending)
    while pending:
        for link in pending.pop().before:
            if link.action not in found:
                found.add(link.action)
                pending.append(link.action)
    return found


def _order_restarts(plan: Plan, resource: Resource, restarts: set[Action]) -> None:
    """Let restarts of what depends on a resource wait for its probes."""
    if not resource.is_primitive:
        for child in resource.children:
            _order_restarts(plan, child, restarts)
        return
    for probe in resource_actions(resource, None, "monitor", require_node=False):
        # Links that this adds point to stops and demotes and need no following.
        seen: set[Action] = set()
        for link in reversed(list(probe.after)):
            _order_restart(plan, probe, link.action, seen, restarts)


def _order_restart(plan: Plan, probe: Action, first: Action, seen: set[Action], restarts: set[Action]) -> None:
    """Follow orderings from an action and order the probe before all restarts on the way."""
    pending = [first]
    probed = probe.resource
    if probed is None or not probed.is_primitive or probe.task != "monitor":
        return
    while pending:
        after = pending.pop()
        if after in seen or after not in restarts:
            continue
        seen.add(after)
        if after.resource is not probed:
            for then in _undoing(after):
                order_actions(probe, then, Order.OPTIONAL)
        pending.extend(_followed(plan, probed, after))


def _followed(plan: Plan, probed: Resource, after: Action) -> list[Action]:
    """Return the actions that a restart of ``after`` would restart, oldest ordering first."""
    resource = after.resource
    interleave = False
    compatible: Resource | None = None
    if resource is not None and resource.kind > Kind.GROUP:
        interleave = is_true(resource.meta.get("interleave"))
        if interleave:
            compatible = find_compatible(plan, probed, resource)
    found = []
    for link in after.after:
        if not link.type & Order.IMPLIES_THEN:
            then = link.action.resource
            if (
                resource is None
                or resource.kind < Kind.GROUP
                or probed.parent is resource
                or then is None
                or then.kind > Kind.GROUP
                or resource is not then.parent
            ):
                continue
            if resource.kind > Kind.GROUP and interleave and compatible is not then:
                continue
        found.append(link.action)
    return found


def _is_needed(probe: Action, then: Action) -> bool:
    if then.task == "stonith" and probe.node is not None and probe.node is then.node:
        # A node is unfenced before anything is probed there.
        return (then.meta.get("stonith_action") or "").lower() != "on"
    # Nodes can shut down whatever is probed elsewhere.
    return not (
        then.task == "do_shutdown" and probe.node is not None and then.node is not None and probe.node is not then.node
    )


def _order_stops(plan: Plan) -> None:
    """Where something waits for a stop, let it wait for the probes, too, as they may lead to a stop."""
    for ordering in plan.orderings:
        first, then = ordering.first_resource, ordering.then_resource
        if not ordering.flags or first is None or first is then:
            continue
        if ordering.first_action is None and ordering.first_task is None:
            continue
        if ordering.then_action is None and ordering.then_task is None:
            continue
        if ordering.first_action is not None:
            if ordering.first_action.task != "stop":
                continue
        elif not (ordering.first_task or "").endswith("_stop_0"):
            continue
        if then is not None and first.container is then and _stops(ordering.then_action, ordering.then_task):
            # Stopping the container stops whatever is found.
            continue
        flags = Order.OPTIONAL | (ordering.flags & (Order.APPLY_FIRST_NON_MIGRATABLE | Order.SAME_NODE))
        if ordering.flags in (Order.ANTI_COLOCATION, Order.LOAD):
            flags = ordering.flags
        probes = resource_actions(first, None, "monitor", require_node=False)
        if not probes:
            continue
        if ordering.then_action is not None:
            thens = [ordering.then_action]
        elif then is not None:
            thens = find_actions(then, ordering.then_task or "", None)
        else:
            thens = []
        for probe in probes:
            for action in thens:
                if _is_needed(probe, action):
                    order_actions(probe, action, flags)


def _stops(action: Action | None, key: str | None) -> bool:
    return action.task == "stop" if action is not None else (key or "").endswith("_stop_0")
