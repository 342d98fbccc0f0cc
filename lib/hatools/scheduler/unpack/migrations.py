"""What recorded migrations say about where a resource is. Pure.

A migration leaves two operations, ``migrate_to`` on the source and ``migrate_from`` on the
target, and either may be missing, pending, failed, or outdated by something that came later.
"""

from hatools.scheduler.model.history import Operation
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.activity import add_running
from hatools.values.opkey import TransitionKey, parse_magic
from hatools.values.result import ExecStatus
from hatools.values.role import Role


def compare_operations(plan: Plan, a: Operation, b: Operation, *, same_node: bool) -> int:
    """Return less than 0 if ``a`` is older than ``b``, more if it is newer, 0 if nobody knows.

    ``same_node`` is assumed where the operations do not say on which node they ran.
    """
    if a.on_node is not None and b.on_node is not None:
        same_node = a.on_node.lower() == b.on_node.lower()
    if same_node and a.id == b.id:
        plan.config_error(f"Duplicate lrm_rsc_op entries named {a.id}")
        return 0
    if a.call_id == -1 and b.call_id == -1:
        # Two pending ones: only one of them can be relevant, and it does not matter which.
        return 0
    if same_node and 0 <= a.call_id < b.call_id:
        return -1
    if same_node and b.call_id >= 0 and a.call_id > b.call_id:
        return 1
    if a.call_id >= 0 and b.call_id >= 0 and (not same_node or a.call_id == b.call_id):
        return _compare_times(a, b)
    return _compare_transitions(a, b)


def _compare_times(a: Operation, b: Operation) -> int:
    first = -1 if a.last_change is None else a.last_change
    second = -1 if b.last_change is None else b.last_change
    if 0 <= first < second:
        return -1
    return 1 if second >= 0 and first > second else 0


def _transition(operation: Operation) -> TransitionKey | None:
    parsed = None if operation.magic is None else parse_magic(operation.magic)
    return None if parsed is None else TransitionKey.parse(parsed[2])


def _compare_transitions(a: Operation, b: Operation) -> int:
    """Compare when one is pending: pending is newer, unless a later transition says otherwise."""
    first, second = _transition(a), _transition(b)
    if first is None or second is None:
        return 0
    if first.uuid.lower() != second.uuid.lower() or first.transition == second.transition:
        if b.call_id == -1:
            return -1
        return 1 if a.call_id == -1 else 0
    if 0 <= first.transition < second.transition or second.transition == -1:
        return -1
    return 1


def _find(
    plan: Plan, resource: Resource, task: str, node: str, other: str | None, target_rc: int | None = None
) -> Operation | None:
    """Find the first recorded operation of a task, of a migration between two nodes if ``other`` is given.

    With ``target_rc``, it must have succeeded with that result.
    """
    history = plan.history(node, resource.id)
    for operation in () if history is None else history.operations:
        if operation.task != task:
            continue
        if other is not None and task == "migrate_to" and operation.migrate_target != other:
            continue
        if other is not None and task == "migrate_from" and operation.migrate_source != other:
            continue
        if target_rc is not None and (operation.rc != target_rc or operation.status != ExecStatus.DONE):
            return None
        return operation
    return None


_RC_UNKNOWN = 193


def _unknown_on(plan: Plan, resource: Resource, node: str) -> bool:
    """Say whether nothing that has completed is recorded for a resource on a node."""
    history = plan.history(node, resource.id)
    return history is None or all(operation.rc == _RC_UNKNOWN for operation in history.operations)


_STATE_TASKS = ("start", "stop", "migrate_to", "migrate_from")


def _changed_after(plan: Plan, resource: Resource, node: str, operation: Operation | None, same_node: bool) -> bool:
    """Say whether something other than a monitor happened on a node later."""
    history = plan.history(node, resource.id)
    if history is None or operation is None:
        return False
    return any(
        other is not operation
        and other.task in _STATE_TASKS
        and compare_operations(plan, other, operation, same_node=same_node) > 0
        for other in history.operations
    )


def _newer_state(
    plan: Plan, resource: Resource, node: str, migrate_to: Operation | None, migrate_from: Operation | None
) -> bool:
    """Say whether something later than a migration tells the state on one of its nodes."""
    operation = migrate_from or migrate_to
    if operation is None:
        return False
    same_node = False
    if node.lower() == (operation.migrate_target or "").lower():
        operation, same_node = (migrate_from, True) if migrate_from is not None else (migrate_to, False)
    elif node.lower() == (operation.migrate_source or "").lower():
        operation, same_node = (migrate_to, True) if migrate_to is not None else (migrate_from, False)
    if operation is None:
        return False
    if _changed_after(plan, resource, node, operation, same_node):
        return True
    monitor = _find(plan, resource, "monitor", node, None, target_rc=7)
    return monitor is not None and compare_operations(plan, monitor, operation, same_node=same_node) > 0


def _ends(plan: Plan, operation: Operation) -> tuple[str, str] | None:
    """Return the names of the nodes a recorded migration went between."""
    source, target = operation.migrate_source, operation.migrate_target
    if source is None or target is None:
        plan.config_error(f"Ignoring resource history entry {operation.id} without migrate_source and migrate_target")
        return None
    return source, target


def _departure_ends(plan: Plan, node: Node, operation: Operation) -> tuple[str, str] | None:
    ends = _ends(plan, operation)
    if ends is not None and ends[0].lower() != node.name.lower():
        plan.config_error(
            f"Ignoring resource history entry {operation.id} because "
            f"migrate_source='{ends[0]}' does not match {node.name}"
        )
        return None
    return ends


def _arrival_ends(plan: Plan, node: Node, operation: Operation) -> tuple[str, str] | None:
    ends = _ends(plan, operation)
    if ends is not None and ends[1].lower() != node.name.lower():
        plan.config_error(
            f"Ignoring resource history entry {operation.id} because "
            f"migrate_target='{ends[1]}' does not match {node.name}"
        )
        return None
    return ends


def _needs_recovery(resource: Resource) -> None:
    """Nobody knows where the resource is: stop it where it was, and do not try to migrate it again."""
    resource.failed = resource.stop = True
    resource.allow_migrate = False


def unpack_successful_migrate_to(plan: Plan, resource: Resource, node: Node, operation: Operation) -> None:
    """Settle where the resource is after it left a node."""
    ends = _departure_ends(plan, node, operation)
    if ends is None:
        return
    source, target = ends
    source_changed = _changed_after(plan, resource, source, operation, True)
    arrival = _find(plan, resource, "migrate_from", target, source)
    if source_changed and arrival is not None:
        return
    target_changed = _newer_state(plan, resource, target, operation, arrival)
    if source_changed and target_changed:
        return
    if arrival is not None and arrival.rc == 0 and arrival.status == ExecStatus.DONE:
        # Arrived, but the stop on the source is still missing.
        resource.role = Role.STOPPED
        resource.dangling_migrations.insert(0, node)
        return
    resource.role = Role.STARTED
    target_node = plan.find_node(target)
    if target_node is not None and not target_node.online:
        target_node = None
    active_on_target = not target_changed and target_node is not None
    if arrival is not None and arrival.status != ExecStatus.PENDING:
        if active_on_target and target_node is not None:
            add_running(plan, resource, target_node, failed=True)
        else:
            _needs_recovery(resource)
        return
    if target_node is not None and _unknown_on(plan, resource, target):
        # The history there was cleaned up: a probe will tell.
        return
    if active_on_target and target_node is not None:
        add_running(plan, resource, target_node, failed=False)
        source_node = plan.find_node(source)
        if source_node is not None and source_node.online:
            resource.partial_migration_target = target_node
            resource.partial_migration_source = source_node
    elif not source_changed:
        _needs_recovery(resource)


def unpack_failed_migrate_to(plan: Plan, resource: Resource, node: Node, operation: Operation) -> None:
    """Settle where the resource is after it failed to leave a node: it may be active on both."""
    ends = _departure_ends(plan, node, operation)
    if ends is None:
        return
    source, target = ends
    resource.role = Role.STARTED
    arrival = _find(plan, resource, "migrate_from", target, source, target_rc=0)
    if not _unknown_on(plan, resource, target) and not _newer_state(plan, resource, target, operation, arrival):
        _is_running_on(plan, resource, target, failed=False)
    elif not _changed_after(plan, resource, source, operation, True):
        # The target is known to be free, so a stop on the source has to follow.
        resource.dangling_migrations.insert(0, node)


def unpack_failed_migrate_from(plan: Plan, resource: Resource, node: Node, operation: Operation) -> None:
    """Settle where the resource is after it failed to arrive: it may still be on the source."""
    ends = _arrival_ends(plan, node, operation)
    if ends is None:
        return
    source, target = ends
    resource.role = Role.STARTED
    departure = _find(plan, resource, "migrate_to", source, target, target_rc=0)
    if not _unknown_on(plan, resource, source) and not _newer_state(plan, resource, source, departure, operation):
        _is_running_on(plan, resource, source, failed=True)


def _is_running_on(plan: Plan, resource: Resource, name: str, *, failed: bool) -> None:
    """Note that a resource is active on a node, if that is there."""
    node = plan.find_node(name)
    if node is not None and node.online:
        add_running(plan, resource, node, failed=failed)
