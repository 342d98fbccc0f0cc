"""Starting, stopping, promoting and demoting a primitive. Pure."""

from collections.abc import Callable

from hatools.scheduler.actions.cleanup import schedule_cleanup
from hatools.scheduler.actions.fencing import is_unfenced, order_after_unfencing
from hatools.scheduler.actions.migration import abort_dangling_migration, can_migrate, create_migration_actions
from hatools.scheduler.actions.recurring import create_recurring_actions
from hatools.scheduler.model.action import ActionFlag, Order, order_actions
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import MultipleActive, Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import (
    demote_action,
    fence_action,
    promote_action,
    resource_actions,
    start_action,
    stop_action,
)
from hatools.values.role import Role

_ROLES = (Role.UNKNOWN, Role.STOPPED, Role.STARTED, Role.UNPROMOTED, Role.PROMOTED)
_U, _S, _A, _N, _P = _ROLES

NEXT_ROLE: dict[Role, tuple[Role, ...]] = {
    # wanted:  unknown stopped started unpromoted promoted
    _U: (_U, _S, _S, _S, _S),
    _S: (_S, _S, _A, _N, _N),
    _A: (_S, _S, _A, _N, _P),
    _N: (_S, _S, _S, _N, _P),
    _P: (_S, _N, _N, _N, _P),
}
"""The next role on the way from a role (rows) to a wanted one (columns)."""

_Step = Callable[[Plan, Resource, Node | None, bool], None]


def _is_expected_node(resource: Resource, node: Node | None) -> bool:
    """Say whether a resource that is active too often is meant to stay on a node."""
    return (
        resource.stop_unexpected
        and resource.restarting
        and resource.next_role > Role.STOPPED
        and node is not None
        and resource.assigned_to is node
    )


def _stop(plan: Plan, resource: Resource, node: Node | None, optional: bool) -> None:
    for current in resource.running_on:
        if _is_expected_node(resource, current):
            # Only the other instances are stopped.
            continue
        if resource.partial_migration_target is not None:
            if current is resource.partial_migration_target and current is resource.assigned_to:
                continue
            optional = False
        stop = stop_action(plan, resource, current, optional=optional)
        if resource.assigned_to is None:
            stop.set_reason("node availability", overwrite=True)
        elif resource.restarting and resource.stop_unexpected:
            stop.set_reason("being multiply active", overwrite=True)
        if not resource.managed:
            stop.flags &= ~ActionFlag.RUNNABLE
        if plan.options.remove_after_stop:
            schedule_cleanup(plan, resource, current, optional=optional)
        if resource.needs_unfencing:
            unfence = fence_action(plan, current, "on", optional=True)
            order_actions(stop, unfence, Order.IMPLIES_FIRST)
            if not is_unfenced(current):
                plan.say(
                    "error",
                    f"Stopping {resource.id} until {current.display_name} can be unfenced",
                    processing=True,
                )


def _start(plan: Plan, resource: Resource, node: Node | None, optional: bool) -> None:
    assert node is not None
    start = start_action(plan, resource, node, optional=True)
    order_after_unfencing(plan, resource, node, start, Order.IMPLIES_THEN)
    if start.runnable and not optional:
        start.flags &= ~ActionFlag.OPTIONAL
    if _is_expected_node(resource, node):
        # It keeps running, but everything behaves as if it had been started.
        start.flags |= ActionFlag.PSEUDO


def _promote(plan: Plan, resource: Resource, node: Node | None, optional: bool) -> None:
    starts = resource_actions(resource, node, "start", require_node=True)
    if all(start.runnable for start in starts):
        promote = promote_action(plan, resource, node, optional=optional)
        if _is_expected_node(resource, node):
            promote.flags |= ActionFlag.PSEUDO
        return
    for promote in resource_actions(resource, node, "promote", require_node=True):
        promote.flags &= ~ActionFlag.RUNNABLE


def _demote(plan: Plan, resource: Resource, node: Node | None, optional: bool) -> None:
    for current in resource.running_on:
        if not _is_expected_node(resource, current):
            demote_action(plan, resource, current, optional=optional)


_STEPS: dict[tuple[Role, Role], _Step] = {
    (_U, _S): _stop,
    (_S, _A): _start,
    (_S, _N): _start,
    (_A, _S): _stop,
    (_A, _P): _promote,
    (_N, _S): _stop,
    (_N, _A): _stop,
    (_N, _P): _promote,
    (_P, _S): _demote,
    (_P, _A): _demote,
    (_P, _N): _demote,
}
"""What leads from one role to the next; nothing where there is no entry."""


def _impossible(role: Role, next_role: Role) -> bool:
    """Say whether a transition makes no sense, but does not end the walk either."""
    return (role is _U and next_role is not _S) or next_role is _U or (role is _S and next_role is _P)


def create_primitive_actions(plan: Plan, resource: Resource) -> None:
    """Create everything that a primitive has to do."""
    if resource.next_role is Role.UNKNOWN:
        resource.next_role = Role.STOPPED if resource.assigned_to is None else Role.STARTED
    current, all_active, clean_active = resource.find_active()
    for source in resource.dangling_migrations:
        abort_dangling_migration(plan, resource, source)
    moving = (
        current is not None
        and resource.assigned_to is not None
        and current is not resource.assigned_to
        and resource.next_role >= Role.STARTED
    )
    migrate = moving and can_migrate(resource, current)
    need_stop = moving
    multiply = False
    if (
        resource.partial_migration_source is not None
        and resource.partial_migration_target is not None
        and migrate
        and all_active == 2
        and current is resource.partial_migration_source
        and resource.assigned_to is resource.partial_migration_target
    ):
        pass  # The migration that was begun goes on.
    elif resource.partial_migration_source is not None or resource.partial_migration_target is not None:
        _say_recovery(plan, resource, all_active)
        need_stop = True
        resource.partial_migration_source = resource.partial_migration_target = None
        migrate = False
    else:
        multiply = (all_active if resource.needs_fencing else clean_active) > 1
    need_stop = _handle_multiple(plan, resource, multiply, all_active) or need_stop
    if resource.start_pending:
        pending = start_action(plan, resource, resource.assigned_to, optional=True)
        pending.flags |= ActionFlag.PRINT_ALWAYS
    need_promote = False
    if moving:
        pass  # a move stops and starts in any case
    elif resource.failed:
        if resource.stop:
            need_stop = True
        elif resource.next_role is Role.PROMOTED:
            need_promote = True
    elif resource.blocked:
        need_stop = True
    elif resource.role > Role.STARTED and current is not None and resource.assigned_to is not None:
        # A restart may have been asked for when its definition changed.
        start = start_action(plan, resource, resource.assigned_to, optional=True)
        need_stop = need_stop or not start.optional
    _restart(plan, resource, current, need_stop, need_promote)
    _change_role(plan, resource)
    create_recurring_actions(plan, resource)
    if migrate and current is not None:
        create_migration_actions(plan, resource, current)


def _say_recovery(plan: Plan, resource: Resource, active: int) -> None:
    source, target = (
        "(unknown)" if node is None else node.display_name
        for node in (resource.partial_migration_source, resource.partial_migration_target)
    )
    if active > 2:
        text = f"because it is migrating from {source} to {target} and possibly active elsewhere"
    else:
        text = f"because it can no longer migrate from {source} to {target}"
    plan.say("notice", f"Forcing recovery of {resource.id} {text}")


_MULTIPLE_TEXTS = {
    MultipleActive.STOP_ONLY: "shutting it down",
    MultipleActive.STOP_START: "attempting recovery",
    MultipleActive.BLOCK: "waiting for an administrator",
    MultipleActive.STOP_UNEXPECTED: "stopping unexpected instances",
}


def _handle_multiple(plan: Plan, resource: Resource, multiply: bool, active: int) -> bool:
    """React to a resource that is active too often; say whether it must be stopped."""
    if not multiply:
        resource.stop_unexpected = False
        return False
    plan.say(
        "error",
        f"{resource.standard or 'Untyped'} resource {resource.id} might be active on {active} nodes "
        f"({_MULTIPLE_TEXTS[resource.multiple_active]})",
        processing=True,
    )
    plan.say("notice", "See https://wiki.clusterlabs.org/wiki/FAQ#Resource_is_Too_Active for more information")
    if resource.multiple_active is MultipleActive.STOP_UNEXPECTED:
        resource.stop_unexpected = True
        return True
    return resource.multiple_active is MultipleActive.STOP_START


def _restart(plan: Plan, resource: Resource, current: Node | None, need_stop: bool, need_promote: bool) -> None:
    """Walk down to stopped and up again to the current role; optional unless the resource must be stopped."""
    resource.restarting = True
    role = resource.role
    while role is not Role.STOPPED:
        next_role = NEXT_ROLE[role][Role.STOPPED]
        step = _STEPS.get((role, next_role))
        if step is not None:
            step(plan, resource, current, not need_stop)
        elif not _impossible(role, next_role):
            break
        role = next_role
    while resource.role <= resource.next_role and role is not resource.role and not resource.blocked:
        next_role = NEXT_ROLE[role][resource.role]
        required = need_stop or (next_role is Role.PROMOTED and need_promote)
        step = _STEPS.get((role, next_role))
        if step is not None:
            step(plan, resource, resource.assigned_to, not required)
        elif not _impossible(role, next_role):
            break
        role = next_role
    resource.restarting = False


def _change_role(plan: Plan, resource: Resource) -> None:
    """Walk from the current to the next role."""
    role = resource.role
    while role is not resource.next_role:
        next_role = NEXT_ROLE[role][resource.next_role]
        step = _STEPS.get((role, next_role))
        if step is not None:
            step(plan, resource, resource.assigned_to, False)
        elif not _impossible(role, next_role):
            break
        role = next_role
