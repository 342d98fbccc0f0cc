"""From ordering constraints to orderings between actions. Pure."""

from hatools.scheduler.actions.probes import order_probes
from hatools.scheduler.actions.remote import is_guest_of
from hatools.scheduler.model.action import Action, ActionFlag, Link, Order, order_actions
from hatools.scheduler.model.constraint import Ordering
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.ordering.expand import has_loop
from hatools.scheduler.ordering.propagate import block_dependents, update_for_orderings
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import find_actions, new_action
from hatools.values.opkey import format_operation_key, parse_operation_key
from hatools.values.role import Role


def apply_orderings(plan: Plan) -> None:
    """Turn all constraints into orderings and let their consequences spread."""
    # The constraints may grow while they are applied.
    for ordering in plan.orderings:
        if ordering.first_resource is not None:
            _order_first(plan, ordering.first_resource, ordering)
        elif ordering.then_resource is not None:
            _order_then(plan, ordering.first_action, ordering.then_resource, ordering)
        else:
            order_actions(ordering.first_action, ordering.then_action, ordering.flags)
    for action in reversed(list(plan.actions)):
        block_dependents(plan, action)
    order_probes(plan)
    for action in reversed(list(plan.actions)):
        update_for_orderings(plan, action)
    _disable_invalid(plan)


def _by_task(plan: Plan, resource: Resource, key: str) -> list[Action]:
    """Find actions by key; a key made for another instance is translated."""
    found = find_actions(resource, key, None)
    if not found:
        parsed = parse_operation_key(key)
        if parsed is not None and parsed[0] != resource.id:
            found = find_actions(resource, format_operation_key(resource.id, parsed[1], parsed[2]), None)
    return found


def _order_then(plan: Plan, first: Action | None, resource: Resource, ordering: Ordering) -> None:
    flags = ordering.flags
    if ordering.then_action is not None:
        thens = [ordering.then_action]
    else:
        thens = _by_task(plan, resource, ordering.then_task or "")
    if not thens:
        return
    if first is not None and first.resource is resource and first.flags & ActionFlag.DANGLE:
        # What a migration left behind is stopped in any case.
        flags &= ~Order.IMPLIES_THEN
    if first is None and not flags & Order.IMPLIES_THEN:
        return
    for then in thens:
        if first is not None:
            order_actions(first, then, flags)
        else:
            then.flags &= ~ActionFlag.RUNNABLE
            where = "" if ordering.first_resource is None else ordering.first_resource.id
            plan.say(
                "warning",
                f"{then.task} of {resource.id} is unrunnable because there is no {ordering.first_task} of {where} "
                "to order it after",
            )


def _order_first(plan: Plan, resource: Resource, ordering: Ordering) -> None:
    if ordering.first_action is not None:
        firsts = [ordering.first_action]
    else:
        firsts = _by_task(plan, resource, ordering.first_task or "")
    then = ordering.then_resource
    if not firsts and resource is not then:
        action = _missing_first(plan, resource, ordering)
        firsts = [] if action is None else [action]
    if then is None:
        if ordering.then_action is None:
            return
        then = ordering.then_action.resource
    for first in firsts:
        if then is None:
            order_actions(first, ordering.then_action, ordering.flags)
        else:
            _order_then(plan, first, then, ordering)


def _missing_first(plan: Plan, resource: Resource, ordering: Ordering) -> Action | None:
    """Make the action that others wait for, unless its effect is there already."""
    parsed = parse_operation_key(ordering.first_task or "")
    if parsed is None:
        return None
    _, task, interval = parsed
    role = resource.role_now()
    if (role is Role.STOPPED and task == "stop") or (role is Role.UNPROMOTED and task == "demote"):
        return None
    key = format_operation_key(resource.id, task, interval)
    return new_action(plan, resource, key, task, None, optional=True)


def _disable_invalid(plan: Plan) -> None:
    """Drop orderings that cannot be met."""
    for action in reversed(plan.actions):
        for link in reversed(action.before):
            if _is_invalid(plan, action, link):
                link.type = Order.NONE


def _is_invalid(plan: Plan, action: Action, link: Link) -> bool:
    first = link.action
    if (
        not link.type & Order.PRESERVE
        and first.resource is not None
        and action.resource is not None
        and action.resource.fillers
        and is_guest_of(action.resource, first.node)
    ):
        # What runs inside a guest cannot be waited for by the guest itself.
        plan.say("warning", f"Invalid ordering constraint between {first.resource.id} and {action.resource.id}")
        return True
    return (
        link.type == Order.LOAD
        and action.resource is not None
        and action.task == "migrate_to"
        and has_loop(action, action, link)
    )
