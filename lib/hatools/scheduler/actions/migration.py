"""Live migration. Pure."""

from hatools.scheduler.actions.cleanup import schedule_cleanup
from hatools.scheduler.model.action import Action, ActionFlag, Order
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import start_action, stop_action, task_action
from hatools.scheduler.unpack.orderings import order_tasks


def can_migrate(resource: Resource, current: Node | None) -> bool:
    """Say whether a resource can be moved without being stopped."""
    return (
        resource.allow_migrate
        and resource.managed
        and not resource.failed
        and not resource.start_pending
        and current is not None
        and not current.unclean
        and resource.assigned_to is not None
        and not resource.assigned_to.unclean
    )


def create_migration_actions(plan: Plan, resource: Resource, current: Node) -> None:
    """Create the actions of a migration; they replace the start unless something prevents it."""
    target = resource.assigned_to
    assert target is not None
    start = start_action(plan, resource, target, optional=True)
    stop = stop_action(plan, resource, current, optional=True)
    partial = resource.partial_migration_target is not None
    migrate_to: Action | None = None
    if not partial:
        migrate_to = task_action(plan, resource, "migrate_to", current, optional=True)
    migrate_from = task_action(plan, resource, "migrate_from", target, optional=True)
    start.flags |= ActionFlag.MIGRATE_RUNNABLE | ActionFlag.PSEUDO
    stop.flags |= ActionFlag.MIGRATE_RUNNABLE
    migrate_from.flags |= ActionFlag.MIGRATE_RUNNABLE
    after_first = Order.OPTIONAL | Order.IMPLIES_FIRST_MIGRATABLE
    if migrate_to is not None:
        migrate_to.flags |= ActionFlag.MIGRATE_RUNNABLE
        migrate_to.needs = start.needs
        order_tasks(plan, resource, "monitor", resource, "migrate_to", Order.OPTIONAL)
        order_tasks(plan, resource, "migrate_to", resource, "migrate_from", after_first)
    else:
        migrate_from.needs = start.needs
        order_tasks(plan, resource, "monitor", resource, "migrate_from", Order.OPTIONAL)
    order_tasks(plan, resource, "migrate_from", resource, "stop", after_first)
    order_tasks(plan, resource, "migrate_from", resource, "start", after_first | Order.PSEUDO_LEFT)
    if migrate_to is not None:
        _add_meta(migrate_to, current, target)
        if not resource.is_remote_connection:
            # So that a pending migration is known to the next DC.
            migrate_to.meta.setdefault("record-pending", "true")
    _add_meta(migrate_from, current, target)


def _add_meta(action: Action, source: Node, target: Node) -> None:
    action.meta.setdefault("migrate_source", source.name)
    action.meta.setdefault("migrate_target", target.name)


def abort_dangling_migration(plan: Plan, resource: Resource, source: Node) -> None:
    """Stop what a migration left behind on its source."""
    stop = stop_action(plan, resource, source, optional=False)
    stop.flags |= ActionFlag.DANGLE
    if plan.options.remove_after_stop:
        schedule_cleanup(plan, resource, source, optional=False)
