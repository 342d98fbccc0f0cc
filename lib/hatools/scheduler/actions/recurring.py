"""Recurring operations: monitors that start, go on, or are cancelled. Pure."""

from xml.etree.ElementTree import Element

from hatools.scheduler.model.action import Action, ActionFlag, Order, order_actions
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import (
    expect_result,
    new_action,
    resource_actions,
    start_action,
    trigger_unfencing,
)
from hatools.scheduler.unpack.operations import find_operation
from hatools.scheduler.unpack.orderings import new_ordering
from hatools.values.duration import parse_interval_ms
from hatools.values.integer import whole_number
from hatools.values.opkey import format_operation_key
from hatools.values.records import dataclass
from hatools.values.role import Role, parse_role

_NEVER_RECURRING = ("stop", "start", "demote", "promote", "reload-agent", "migrate_to", "migrate_from")


@dataclass(frozen=True, slots=True)
class Recurring:
    """A configured recurring operation; ``role`` UNKNOWN means whatever role is usual."""

    id: str
    name: str
    key: str
    role: Role
    interval_ms: int


def _exact_actions(resource: Resource, key: str, node: Node | None) -> list[Action]:
    if node is None:
        return []
    return [action for action in resource.actions_by_key.get(key, ()) if action.node is node]


def _is_duplicate(plan: Plan, resource: Resource, name: str | None, interval_ms: int) -> bool:
    first: str | None = None
    for operation in resource.operations:
        if operation.get("name") != name or parse_interval_ms(operation.get("interval")) != interval_ms:
            continue
        identifier = operation.get("id")
        if identifier is None:
            continue
        if first is not None:
            plan.say(
                "error",
                f"Operation {identifier} is duplicate of {first} (do not use same name and interval combination "
                "more than once per resource)",
            )
            return True
        first = identifier
    return False


def _recurring(plan: Plan, resource: Resource, xml: Element) -> Recurring | None:
    """Return a configured operation if it recurs, is enabled and valid."""
    interval = parse_interval_ms(xml.get("interval"))
    if interval == 0:
        return None
    identifier, name = xml.get("id"), xml.get("name")
    if not identifier:
        plan.say("error", "Ignoring resource history entry without ID")
        return None
    if name in _NEVER_RECURRING:
        plan.say("error", f"Ignoring {identifier} because {name or 'unnamed'} action cannot be recurring")
        return None
    if _is_duplicate(plan, resource, name, interval):
        return None
    role = Role.UNKNOWN
    text = xml.get("role")
    if text is not None:
        role = parse_role(text)
        if role is Role.UNKNOWN:
            plan.say("error", f"Ignoring {identifier} because {text} is not a valid role")
    key = format_operation_key(resource.id, name or "", interval)
    if find_operation(resource, key) is None:
        return None
    return Recurring(identifier, name or "", key, role, interval)


def create_recurring_actions(plan: Plan, resource: Resource) -> None:
    """Schedule or cancel all recurring operations of a resource."""
    if resource.blocked or resource.maintenance:
        return
    node = resource.assigned_to
    start: Action | None = None
    if node is not None and not node.maintenance and (resource.next_role is not Role.STOPPED or not resource.managed):
        start = start_action(plan, resource, node, optional=True)
    for xml in resource.operations:
        operation = _recurring(plan, resource, xml)
        if operation is None:
            continue
        if start is not None:
            _schedule_active(plan, resource, start, node, operation)
        _schedule_stopped(plan, resource, node, operation)


def _is_running(resource: Resource, node: Node | None, key: str, start: Action) -> bool:
    """Say whether a monitor is active already and can just go on."""
    assert resource.variant is not None
    if node is None or not resource.variant.action_flags(resource, start, None) & ActionFlag.OPTIONAL:
        return False
    matches = _exact_actions(resource, key, node)
    return bool(matches) and not any(action.flags & ActionFlag.RESCHEDULE for action in matches)


def _schedule_active(plan: Plan, resource: Resource, start: Action, node: Node | None, operation: Recurring) -> None:
    if operation.role is Role.STOPPED:
        return
    optional = _is_running(resource, node, operation.key, start)
    role = operation.role
    next_role = resource.next_role
    other_role = next_role is Role.PROMOTED if role is Role.UNKNOWN else next_role is not role
    if other_role:
        if optional:
            _cancel_for_role(plan, resource, node, operation)
        return
    monitor = new_action(plan, resource, operation.key, operation.name, node, optional=optional)
    if not start.runnable or node is None or not node.online or node.unclean:
        monitor.flags &= ~ActionFlag.RUNNABLE
    if next_role is Role.PROMOTED:
        expect_result(monitor, 8)
    if node is not None and not resource.managed:
        return
    for task in ("start", "reload-agent"):
        flags = Order.IMPLIES_THEN | Order.RUNNABLE_LEFT
        new_ordering(plan, resource, f"{resource.id}_{task}_0", None, None, monitor.key, monitor, flags)
    flags = Order.OPTIONAL | Order.RUNNABLE_LEFT
    if next_role is Role.PROMOTED:
        new_ordering(plan, resource, f"{resource.id}_promote_0", None, resource, None, monitor, flags)
    elif resource.role is Role.PROMOTED:
        new_ordering(plan, resource, f"{resource.id}_demote_0", None, resource, None, monitor, flags)


def _cancel_for_role(plan: Plan, resource: Resource, node: Node | None, operation: Recurring) -> None:
    """Cancel a monitor that is active but not meant for the role to come."""
    cancel = new_cancel_action(plan, resource, operation.name, operation.interval_ms, node)
    after: str | None = None
    if resource.role in (Role.UNPROMOTED, Role.STARTED):
        after = {Role.PROMOTED: "promote", Role.STOPPED: "stop"}.get(resource.next_role)
    elif resource.role is Role.PROMOTED:
        after = "demote"
    if after is not None:
        new_ordering(plan, resource, None, cancel, resource, f"{resource.id}_{after}_0", None, Order.RUNNABLE_LEFT)


def _schedule_stopped(plan: Plan, resource: Resource, node: Node | None, operation: Recurring) -> None:
    """Monitor that a resource stays stopped everywhere else, where that is configured."""
    if operation.role is not Role.STOPPED:
        return
    if not resource.unique:
        plan.say(
            "notice",
            f"Ignoring {operation.id} (recurring monitors for Stopped role are not supported for anonymous clones)",
        )
        return
    for other in plan.nodes:
        if node is not None and other.name.lower() == node.name.lower():
            _cancel_if_running(plan, resource, node, operation)
            continue
        optional = bool(_exact_actions(resource, operation.key, other))
        monitor = new_action(plan, resource, operation.key, operation.name, other, optional=optional)
        expect_result(monitor, 7)
        if resource.managed:
            for probe in resource_actions(resource, other, "monitor", require_node=False):
                order_actions(probe, monitor, Order.RUNNABLE_LEFT)
        _order_after_stops(plan, resource, other, monitor)
        if not other.online or other.unclean:
            monitor.flags &= ~ActionFlag.RUNNABLE


def _cancel_if_running(plan: Plan, resource: Resource, node: Node, operation: Recurring) -> None:
    if not _exact_actions(resource, operation.key, node):
        return
    cancel = new_cancel_action(plan, resource, operation.name, operation.interval_ms, node)
    if resource.next_role in (Role.STARTED, Role.UNPROMOTED):
        new_ordering(plan, resource, None, cancel, resource, f"{resource.id}_start_0", None, Order.RUNNABLE_LEFT)


def _order_after_stops(plan: Plan, resource: Resource, node: Node, action: Action) -> None:
    for stop in resource_actions(resource, node, "stop", require_node=True):
        if not stop.optional and not action.optional and not resource.managed:
            action.flags |= ActionFlag.OPTIONAL
        if not stop.runnable:
            action.flags &= ~ActionFlag.RUNNABLE
        if resource.managed:
            flags = Order.IMPLIES_THEN | Order.RUNNABLE_LEFT
            new_ordering(plan, resource, f"{resource.id}_stop_0", stop, None, None, action, flags)


def new_cancel_action(plan: Plan, resource: Resource, task: str, interval_ms: int, node: Node | None) -> Action:
    """Return the action that cancels a recurring operation."""
    key = format_operation_key(resource.id, task, interval_ms)
    cancel = new_action(plan, resource, key, "cancel", node, optional=False)
    cancel.task = "cancel"
    cancel.cancel_task = task
    cancel.meta.setdefault("operation", task)
    cancel.meta.setdefault("interval", str(interval_ms))
    return cancel


def schedule_cancel(
    plan: Plan, resource: Resource, call_id: str | None, task: str, interval_ms: int, node: Node
) -> None:
    """Cancel a recurring operation that is not wanted any more, before any stop."""
    cancel = new_cancel_action(plan, resource, task, interval_ms, node)
    if call_id is not None:
        cancel.meta.setdefault("call-id", call_id)
    new_ordering(plan, resource, f"{resource.id}_stop_0", None, resource, None, cancel, Order.OPTIONAL)


def reschedule_recurring(plan: Plan, resource: Resource, task: str, interval_ms: int, node: Node) -> None:
    """Schedule a recurring operation anew with changed parameters."""
    trigger_unfencing(plan, resource, node, "Device parameters changed (reschedule)")
    key = format_operation_key(resource.id, task, interval_ms)
    action = new_action(plan, resource, key, task, node, optional=True)
    action.flags |= ActionFlag.RESCHEDULE


def is_recurring(action: Action) -> bool:
    """Say whether an action repeats."""
    return whole_number(action.meta.get("interval")) > 0
