"""Making actions: each exists once per resource, task and node. Pure.

Whether an action can run at all (node state, quorum) is settled when it is made, and again each
time somebody asks for it.
"""

from collections.abc import Sequence

from hatools.scheduler.model.action import Action, ActionFlag, Needs, Order, order_actions
from hatools.scheduler.model.node import Node, NodeType
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.digests import Change, compare_fencing
from hatools.scheduler.unpack.operations import node_attributes_of_operation, operation_settings
from hatools.values.opkey import format_operation_key, parse_operation_key
from hatools.values.role import Role


def find_actions(resource: Resource, key: str, node: Node | None) -> list[Action]:
    """Return a resource's actions with a key on a node (any node if None), oldest first.

    An action without a node is given the node that is asked for.
    """
    found = []
    for action in resource.actions_by_key.get(key, ()):
        if node is not None and action.node is None:
            action.node = node
        if node is None or action.node is node:
            found.append(action)
    return found


def find_first_action(resource: Resource, key: str | None, task: str | None, node: Node | None) -> Action | None:
    """Return the newest action with a key or task; on a node, only one that is on exactly that node."""
    candidates: Sequence[Action]
    if key is not None:
        candidates = resource.actions_by_key.get(key, ())
    elif task is not None:
        candidates = resource.actions_by_task.get(task, ())
    else:
        candidates = resource.actions
    for action in reversed(candidates):
        if (node is None or action.node is node) and (task is None or action.task == task):
            return action
    return None


def resource_actions(resource: Resource, node: Node | None, task: str, *, require_node: bool) -> list[Action]:
    """Return the actions of a non-recurring task, oldest first; ``require_node`` demands the exact node."""
    key = f"{resource.id}_{task}_0"
    if not require_node:
        return find_actions(resource, key, node)
    if node is None:
        return []
    return [action for action in resource.actions_by_key.get(key, ()) if action.node is node]


def new_action(
    plan: Plan,
    resource: Resource | None,
    key: str,
    task: str,
    node: Node | None,
    *,
    optional: bool,
    for_graph: bool = True,
) -> Action:
    """Return the action with a key, made if need be; without ``for_graph`` a draft that nobody else sees."""
    action: Action | None = None
    if for_graph:
        if resource is None:
            action = plan.singletons.get(key)
            if action is not None and node is not None:
                if action.node is None:
                    action.node = node
                elif action.node is not node:
                    action = None
        else:
            matches = find_actions(resource, key, node)
            action = matches[0] if matches else None
    if action is None:
        action = _create(plan, resource, key, task, node, optional, for_graph)
    _update_optional(action, optional)
    if resource is not None:
        if action.node is not None and not action.flags & ActionFlag.HAVE_NODE_ATTRIBUTES and action.config is not None:
            action.flags |= ActionFlag.HAVE_NODE_ATTRIBUTES
            action.extra.update(node_attributes_of_operation(plan, action.config, action.node))
        _update_runnable(plan, action, resource, for_graph)
        if for_graph:
            if task == "stop":
                resource.stopping = True
            elif task == "start":
                resource.starting = action.runnable
    return action


def _create(
    plan: Plan, resource: Resource | None, key: str, task: str, node: Node | None, optional: bool, for_graph: bool
) -> Action:
    action = Action(0, key, task, resource, node)
    if task == "lrm_delete":
        action.flags |= ActionFlag.DC
    if optional:
        action.flags |= ActionFlag.OPTIONAL
    if resource is not None:
        parsed = parse_operation_key(key)
        action.interval_ms = parsed[2] if parsed is not None else 0
        settings = operation_settings(plan, resource, key, task, action.interval_ms, node)
        action.config = settings.config
        action.meta = dict(settings.meta)
        action.needs = settings.needs
        action.on_fail = settings.on_fail
        action.fail_role = settings.fail_role
    if for_graph:
        action.id = plan.next_action_id
        plan.next_action_id += 1
        plan.actions.append(action)
        if resource is None:
            plan.singletons[key] = action
        else:
            resource.actions.append(action)
            resource.actions_by_key.setdefault(key, []).append(action)
            resource.actions_by_task.setdefault(task, []).append(action)
    return action


def _update_optional(action: Action, optional: bool) -> None:
    resource = action.resource
    if (
        resource is not None
        and action.node is not None
        and not action.flags & ActionFlag.PSEUDO
        and not resource.managed
        and "interval" not in action.meta
    ):
        action.flags |= ActionFlag.OPTIONAL
    elif not optional:
        action.flags &= ~ActionFlag.OPTIONAL


def _effective_quorum_policy(plan: Plan, resource: Resource) -> QuorumPolicy:
    if plan.have_quorum:
        return QuorumPolicy.IGNORE
    policy = plan.options.quorum_policy
    if policy is QuorumPolicy.DEMOTE:
        if resource.role not in (Role.PROMOTED, Role.UNPROMOTED):
            return QuorumPolicy.STOP
        if resource.next_role > Role.UNPROMOTED:
            resource.next_role = Role.UNPROMOTED
            plan.reasons.resource(resource.id, Cause.QUORUM, "no-quorum-policy", "demoted without quorum")
        return QuorumPolicy.IGNORE
    return policy


def _update_runnable(plan: Plan, action: Action, resource: Resource, for_graph: bool) -> None:
    """Settle whether an agent action can run: its node must be there, and quorum if it needs it."""
    if action.flags & ActionFlag.PSEUDO:
        return
    node = action.node
    if node is None:
        action.flags &= ~ActionFlag.RUNNABLE
        return
    cluster_internal = action.flags & ActionFlag.DC
    if not cluster_internal and not node.online and (not node.is_guest or node.remote_requires_reset):
        action.flags &= ~ActionFlag.RUNNABLE
        if resource.managed and for_graph and action.task == "stop" and not node.unclean:
            require_fencing(plan, node, "stop is unrunnable")
    elif not cluster_internal and node.pending:
        action.flags &= ~ActionFlag.RUNNABLE
    elif action.needs is Needs.NOTHING:
        action.set_reason(None, overwrite=True)
        if node.is_guest and not can_fence(plan, node):
            # The guest would have to be recovered first, and cannot be.
            action.flags &= ~ActionFlag.RUNNABLE
        else:
            action.flags |= ActionFlag.RUNNABLE
    else:
        policy = _effective_quorum_policy(plan, resource)
        if policy is QuorumPolicy.STOP:
            action.flags &= ~ActionFlag.RUNNABLE
            action.set_reason("no quorum", overwrite=True)
        elif policy is QuorumPolicy.FREEZE:
            if not resource.is_active(True) or resource.next_role > resource.role:
                action.flags &= ~ActionFlag.RUNNABLE
                action.set_reason("quorum freeze", overwrite=True)
        else:
            action.flags |= ActionFlag.RUNNABLE


def task_action(plan: Plan, resource: Resource, task: str, node: Node | None, *, optional: bool) -> Action:
    """Return the action of a non-recurring task of a resource."""
    return new_action(plan, resource, f"{resource.id}_{task}_0", task, node, optional=optional)


def stop_action(plan: Plan, resource: Resource, node: Node | None, *, optional: bool) -> Action:
    return task_action(plan, resource, "stop", node, optional=optional)


def start_action(plan: Plan, resource: Resource, node: Node | None, *, optional: bool) -> Action:
    return task_action(plan, resource, "start", node, optional=optional)


def promote_action(plan: Plan, resource: Resource, node: Node | None, *, optional: bool) -> Action:
    return task_action(plan, resource, "promote", node, optional=optional)


def demote_action(plan: Plan, resource: Resource, node: Node | None, *, optional: bool) -> Action:
    return task_action(plan, resource, "demote", node, optional=optional)


def delete_history_action(plan: Plan, resource: Resource, node: Node) -> Action:
    """Return the action that makes the cluster forget a resource's history on a node."""
    return task_action(plan, resource, "lrm_delete", node, optional=False)


def pseudo_action(plan: Plan, resource: Resource, task: str, *, optional: bool, runnable: bool) -> Action:
    """Return an action of a collection that only marks a point in time."""
    action = task_action(plan, resource, task, None, optional=optional)
    action.flags |= ActionFlag.PSEUDO
    if runnable:
        action.flags |= ActionFlag.RUNNABLE
    return action


def cluster_pseudo_action(plan: Plan, name: str) -> Action:
    """Return a point in time that belongs to no resource."""
    action = plan.singletons.get(name)
    if action is None:
        action = new_action(plan, None, name, name, None, optional=True)
        action.flags |= ActionFlag.PSEUDO | ActionFlag.RUNNABLE
    return action


def clear_failcount_action(plan: Plan, resource: Resource, node: Node, reason: str) -> Action:
    """Return the action that resets a resource's fail counts on a node."""
    action = new_action(
        plan, resource, format_operation_key(resource.id, "clear_failcount", 0), "clear_failcount", node, optional=False
    )
    action.meta.setdefault("op_no_wait", "true")
    plan.say("notice", f"Clearing failure of {resource.id} on {node.display_name} because {reason}")
    return action


def expect_result(action: Action, rc: int) -> None:
    """Set the result code that counts as success."""
    action.meta["op_target_rc"] = str(rc)


# -- fencing


def can_fence(plan: Plan, node: Node | None, guests: tuple[Node, ...] = ()) -> bool:
    """Say whether the cluster is able (and entitled) to fence a node.

    Args:
        guests: those inside of which the question came up.
    """
    if node is not None and node.is_guest:
        if node in guests:
            # A guest that was found active inside itself (Pacemaker does not survive that) has no host.
            return False
        assert node.remote_resource is not None and node.remote_resource.container is not None
        hosts = node.remote_resource.container.running_on
        return all(host.online or can_fence(plan, host, (*guests, node)) for host in hosts)
    if not plan.options.fencing_enabled or not plan.have_fencing_resource:
        return False
    if plan.have_quorum or plan.options.quorum_policy is QuorumPolicy.IGNORE:
        return True
    if node is not None and node.online:
        plan.say("notice", f"We can fence {node.display_name} without quorum because they're in our membership")
        return True
    return False


def require_fencing(plan: Plan, node: Node, reason: str, *, priority_delay: bool = False) -> None:
    """Mark a node as to be fenced; guests are fenced by recovering the resource they live in."""
    name = node.display_name
    if node.is_guest:
        assert node.remote_resource is not None and node.remote_resource.container is not None
        container = node.remote_resource.container
        if not container.failed:
            if not container.managed:
                plan.say(
                    "notice",
                    f"Not fencing guest node {name} (otherwise would because {reason}): "
                    f"its guest resource {container.id} is unmanaged",
                )
            else:
                plan.say(
                    "warning",
                    f"Guest node {name} will be fenced (by recovering its guest resource {container.id}): {reason}",
                )
                node.remote_requires_reset = True
                container.failed = container.stop = True
    elif _is_dangling_guest(node):
        assert node.remote_resource is not None
        node.remote_resource.failed = node.remote_resource.stop = True
    elif node.is_remote:
        connection = node.remote_resource
        verdict = "will be fenced" if can_fence(plan, node) else "is unclean"
        if connection is not None and not connection.managed:
            plan.say(
                "notice",
                f"Not fencing remote node {name} (otherwise would because {reason}): connection is unmanaged",
            )
        elif not node.remote_requires_reset:
            node.remote_requires_reset = True
            plan.say("warning", f"Remote node {name} {verdict}: {reason}")
        node.unclean = True
        fence_action(plan, node, None, optional=True, reason=reason)
    elif not node.unclean:
        verdict = "will be fenced" if can_fence(plan, node) else "is unclean"
        plan.say("warning", f"Cluster node {name} {verdict}: {reason}")
        node.unclean = True
        fence_action(plan, node, None, optional=True, reason=reason, priority_delay=priority_delay)
    node.fence_reasons.append(reason)
    plan.reasons.node(node.name, Cause.FENCING, reason, f"{name} must be fenced because {reason}")


def _is_dangling_guest(node: Node) -> bool:
    connection = node.remote_resource
    return (
        node.is_remote_or_guest and connection is not None and connection.container is None and connection.orphan_filler
    )


# -- fence actions


def _unfencing_devices(resources: list[Resource]) -> list[Resource]:
    found: list[Resource] = []
    for candidate in resources:
        if candidate.children:
            found = _unfencing_devices(candidate.children) + found
        elif candidate.fence_device and (
            candidate.needs_unfencing or (candidate.meta.get("provides") or "").lower() == "unfencing"
        ):
            found.insert(0, candidate)
    return found


def _priority_delay(plan: Plan, node: Node) -> int:
    """Return the delay that gives the more important half of a split cluster its head start."""
    delay = plan.options.priority_fencing_delay
    if delay <= 0 or node.type is not NodeType.MEMBER or node.online:
        return 0
    members = [each for each in plan.nodes if each.type is NodeType.MEMBER]
    if sum(each.online for each in members) > len(members) // 2:
        return 0
    top = max(each.priority for each in members)
    if min(each.priority for each in members) == top or node.priority < top:
        return 0
    return delay


def fence_action(
    plan: Plan,
    node: Node,
    operation: str | None,
    *,
    optional: bool,
    reason: str | None = None,
    priority_delay: bool = False,
) -> Action:
    """Return the action that fences (or, with operation ``on``, unfences) a node."""
    operation = operation or plan.options.fencing_action
    key = f"stonith-{node.name}-{operation}"
    action = plan.singletons.get(key)
    if action is None:
        action = new_action(plan, None, key, "stonith", node, optional=True)
        action.meta["on_node"] = node.name
        action.meta["on_node_uuid"] = node.id
        action.meta["stonith_action"] = operation
        if plan.unfencing_enabled:
            optional = _add_unfencing_digests(plan, action, node, optional)
    if plan.options.priority_fencing_delay > 0 and (priority_delay or "priority-fencing-delay" in action.meta):
        action.meta["priority-fencing-delay"] = str(_priority_delay(plan, node))
    if not optional and can_fence(plan, node):
        action.flags &= ~ActionFlag.OPTIONAL
        action.set_reason(reason)
    elif reason is not None and action.reason is None:
        action.reason = reason
    return action


def _add_unfencing_digests(plan: Plan, action: Action, node: Node, optional: bool) -> bool:
    every, secure = [], []
    for device in _unfencing_devices(plan.resources):
        agent = device.meta.get("type") or ""
        data = compare_fencing(plan, device, agent, node)
        if data.change is Change.ALL:
            optional = False
            plan.say(
                "notice",
                f"Unfencing Pacemaker Remote node {node.display_name} because the definition of {device.id} changed",
            )
        every.append(f"{device.id}:{agent}:{data.all_digest},")
        secure.append(f"{device.id}:{agent}:{data.secure_digest},")
    action.meta["digests-all"] = "".join(every)
    action.meta["digests-secure"] = "".join(secure)
    return optional


def trigger_unfencing(
    plan: Plan, resource: Resource | None, node: Node | None, reason: str, dependency: Action | None = None
) -> None:
    """Unfence a node (or, if it is not usable, all usable ones that a device may run on)."""
    if not plan.unfencing_enabled or (resource is not None and not resource.fence_device):
        return
    if node is not None and _is_usable(node):
        action = fence_action(plan, node, "on", optional=False, reason=reason)
        if dependency is not None:
            order_actions(action, dependency, Order.OPTIONAL)
    elif resource is not None:
        for candidate in list(resource.allowed):
            if _is_usable(candidate):
                trigger_unfencing(plan, resource, candidate, reason, dependency)


def _is_usable(node: Node) -> bool:
    return node.online and not node.unclean and not node.shutdown
