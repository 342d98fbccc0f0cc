"""What a changed configuration asks for: restarts, reloads, cancelled monitors, forgotten histories. Pure."""

from hatools.scheduler.actions.recurring import reschedule_recurring, schedule_cancel
from hatools.scheduler.model.action import Order
from hatools.scheduler.model.history import Operation, ResourceHistory
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import is_available
from hatools.scheduler.plan import ParameterCheck, Plan
from hatools.scheduler.unpack.digests import Change, DigestResult, compare_operation, needs_host_name
from hatools.scheduler.unpack.factory import (
    clear_failcount_action,
    new_action,
    stop_action,
    task_action,
    trigger_unfencing,
)
from hatools.scheduler.unpack.failures import fail_count
from hatools.scheduler.unpack.history import active_range, sorted_operations
from hatools.scheduler.unpack.operations import find_operation
from hatools.scheduler.unpack.orderings import new_ordering, order_tasks
from hatools.values.duration import format_readable_interval
from hatools.values.opkey import format_operation_key


def schedule_cleanup(plan: Plan, resource: Resource, node: Node, *, optional: bool) -> None:
    """Make the executor on a node forget a resource."""
    if resource.failed or node.unclean or not node.online:
        return
    plan.say("notice", f"Scheduling clean-up of {resource.id} on {node.display_name}")
    task_action(plan, resource, "delete", node, optional=optional)
    flags = Order.IMPLIES_THEN if optional else Order.OPTIONAL
    order_tasks(plan, resource, "stop", resource, "delete", flags)
    order_tasks(plan, resource, "delete", resource, "start", flags)


def handle_configuration_changes(plan: Plan) -> None:
    """Compare what ran on usable nodes with what is configured now."""
    for node in plan.nodes:
        if node.maintenance or is_available(node):
            for history in plan.histories(node.name):
                if not len(history.xml):
                    continue
                for resource in plan.matching_resources(history.id):
                    if resource.is_primitive:
                        _check_history(plan, resource, node, history)


def _check_history(plan: Plan, resource: Resource, node: Node, history: ResourceHistory) -> None:
    if resource.orphan:
        if not resource.top.is_anonymous_clone:
            schedule_cleanup(plan, resource, node, optional=False)
        return
    active = node in resource.running_on
    if _agent_changed(plan, resource, node, history, active):
        schedule_cleanup(plan, resource, node, optional=False)
    if not active:
        return
    operations = sorted_operations(plan, history.operations)
    start, stop = active_range(operations)
    if start < stop:
        return
    for operation in operations[max(start, 0) :]:
        _check_operation(plan, resource, node, operation)


def _check_operation(plan: Plan, resource: Resource, node: Node, operation: Operation) -> None:
    interval, task = operation.interval_ms, operation.task or ""
    if interval > 0 and (resource.maintenance or node.maintenance):
        schedule_cancel(plan, resource, operation.xml.get("call-id"), task, interval, node)
    elif interval > 0 or task in ("monitor", "start", "promote", "migrate_from"):
        if needs_host_name(plan, resource):
            plan.parameter_checks.insert(0, ParameterCheck(operation, resource, node, last_failure=False))
        elif (
            check_action_config(plan, resource, node, operation)
            and fail_count(plan, node, resource, effective=True).count
        ):
            clear_failcount_action(plan, resource, node, "action definition changed")


def run_parameter_checks(plan: Plan) -> None:
    """Make the comparisons that had to wait for the assignment of containers."""
    for check in plan.parameter_checks:
        resource, node = check.resource, check.node
        reason = None
        if check.last_failure:
            if compare_operation(plan, resource, check.operation, node).change not in (Change.UNKNOWN, Change.MATCH):
                reason = "resource parameters have changed"
        elif (
            check_action_config(plan, resource, node, check.operation)
            and fail_count(plan, node, resource, effective=True).count
        ):
            reason = "action definition changed"
        if reason is not None:
            clear_failcount_action(plan, resource, node, reason)
    plan.parameter_checks = []


def _agent_changed(plan: Plan, resource: Resource, node: Node, history: ResourceHistory, active: bool) -> bool:
    changed = False
    configured, recorded = resource.xml.attrib.get, history.xml.attrib.get
    for name in ("type", "class", "provider"):
        value, old = configured(name), recorded(name)
        if value == old:
            continue
        changed = True
        trigger_unfencing(plan, resource, node, "Device definition changed")
        if active:
            plan.say(
                "notice",
                f"Forcing restart of {resource.id} on {node.display_name} because {name} changed "
                f"from '{old or ''}' to '{value or ''}'",
            )
    if changed and active:
        stop_action(plan, resource, node, optional=False)
        resource.start_pending = True
    return changed


def _only_secret_changed(plan: Plan, operation: Operation, digests: DigestResult) -> bool:
    return (
        plan.sanitized
        and digests.change is not Change.MATCH
        and operation.secure_digest is not None
        and digests.secure_digest == operation.secure_digest
    )


def check_action_config(plan: Plan, resource: Resource, node: Node, operation: Operation) -> bool:
    """Schedule what follows from a changed definition of an operation; say whether it changed."""
    task, interval = operation.task or "", operation.interval_ms
    if interval > 0 and find_operation(resource, format_operation_key(resource.id, task, interval)) is None:
        if plan.options.stop_orphan_actions:
            schedule_cancel(plan, resource, operation.xml.get("call-id"), task, interval, node)
        return True
    if interval == 0 and task in ("monitor", "migrate_from", "promote"):
        # They share the start's parameters.
        task = "start"
    digests = compare_operation(plan, resource, operation, node)
    if _only_secret_changed(plan, operation, digests):
        plan.say(
            "info",
            f"Only 'private' parameters to {format_readable_interval(interval)}-interval {task} for {resource.id} "
            f"on {node.display_name} changed: {operation.magic}",
        )
        return False
    if digests.change is Change.MATCH:
        return False
    if digests.change is Change.RESTART:
        _force_restart(plan, resource, task, interval, node)
    elif interval > 0:
        reschedule_recurring(plan, resource, task, interval, node)
    elif operation.restart_digest is not None:
        trigger_unfencing(plan, resource, node, "Device parameters changed (reload)")
        _schedule_reload(plan, resource, node)
    else:
        _force_restart(plan, resource, task, interval, node)
    return True


def _force_restart(plan: Plan, resource: Resource, task: str, interval_ms: int, node: Node) -> None:
    key = format_operation_key(resource.id, task, interval_ms)
    required = new_action(plan, resource, key, task, None, optional=False)
    required.set_reason("resource definition change", overwrite=True)
    trigger_unfencing(plan, resource, node, "Device parameters changed")


def _schedule_reload(plan: Plan, resource: Resource, node: Node) -> None:
    if not resource.is_primitive:
        for child in resource.children:
            _schedule_reload(plan, child, node)
        return
    if not resource.managed or resource.failed:
        return
    if resource.start_pending:
        # A resource that is about to start has to be restarted with the new parameters.
        stop_action(plan, resource, node, optional=False)
        return
    resource.reload = True
    reload = task_action(plan, resource, "reload-agent", node, optional=False)
    reload.set_reason("resource definition change")
    for task in ("stop", "demote"):
        new_ordering(
            plan,
            None,
            None,
            reload,
            resource,
            f"{resource.id}_{task}_0",
            None,
            Order.OPTIONAL | Order.THEN_CANCELS_FIRST,
        )


def clear_orphaned_fail_counts(plan: Plan) -> None:
    """Reset the fail counts of resources that are no longer configured."""
    for resource in plan.resources:
        if not resource.orphan:
            continue
        for node in plan.nodes:
            if node.online and fail_count(plan, node, resource, effective=True).count:
                clear = clear_failcount_action(plan, resource, node, "it is orphaned")
                key = f"{resource.id}_stop_0"
                new_ordering(plan, clear.resource, None, clear, resource, key, None, Order.OPTIONAL)
