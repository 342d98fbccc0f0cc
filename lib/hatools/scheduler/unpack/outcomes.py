"""What one recorded operation means: for the resource's role, as a failure, or as nothing any more. Pure."""

from hatools.scheduler.model.action import Action, OnFail, Order, on_fail_rank, order_actions
from hatools.scheduler.model.history import FailedOperation, Operation
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import ParameterCheck, Plan
from hatools.scheduler.unpack.digests import Change, compare_operation, needs_host_name
from hatools.scheduler.unpack.factory import can_fence, clear_failcount_action, fence_action, new_action, stop_action
from hatools.scheduler.unpack.failures import fail_count
from hatools.scheduler.unpack.migrations import (
    unpack_failed_migrate_from,
    unpack_failed_migrate_to,
    unpack_successful_migrate_to,
)
from hatools.scheduler.unpack.scores import add_location_score, whole_table
from hatools.values.iso8601 import Moment
from hatools.values.ocfresult import ocf_result_text
from hatools.values.records import dataclass
from hatools.values.result import ExecStatus
from hatools.values.role import Role
from hatools.values.score import INFINITY


@dataclass(slots=True)
class HistoryState:
    """What the operations of one resource on one node have added up to so far."""

    on_fail: OnFail = OnFail.IGNORE
    last_failure: Operation | None = None


def unpack_operation(plan: Plan, resource: Resource, node: Node, operation: Operation, state: HistoryState) -> None:
    """Apply one operation of the history; operations come oldest first."""
    task = operation.task
    if task is None or not ExecStatus.PENDING <= operation.status <= ExecStatus.NO_SECRETS:
        return
    if task in ("notify", "meta-data"):
        return
    parent = resource if resource.unique else resource.top
    expired = operation.status != ExecStatus.NOT_INSTALLED and _check_expiry(plan, resource, node, operation)
    rc, status = _remap(plan, resource, node, operation, state)
    maskable = not resource.is_bundled and operation.masks_probe_failure
    if expired and maskable and operation.rc != operation.target_rc:
        if resource.role <= Role.STOPPED:
            resource.role = Role.UNKNOWN
        return
    if expired and rc != operation.target_rc:
        if operation.interval_ms == 0:
            plan.say("notice", f"Ignoring expired {operation.key} failure on {node.display_name}")
            return
        if node.online and not node.unclean:
            # A different digest makes the recurring operation be scheduled anew.
            plan.say("notice", f"Rescheduling {operation.key} after failure expired on {node.display_name}")
            operation.restart_digest = "calculated-failure-timeout"
            return
    if maskable:
        plan.say(
            "notice",
            f"Treating probe result '{ocf_result_text(operation.rc)}' for {resource.id} on {node.display_name} "
            "as 'not running'",
        )
        _update_state(plan, resource, node, operation, operation.target_rc, state)
        record_failure(plan, operation, node, resource)
        _ban(plan, parent, node, "masked-probe-failure", operation)
        return
    _apply_status(plan, resource, parent, node, operation, rc, status, state)


def _apply_status(
    plan: Plan,
    resource: Resource,
    parent: Resource,
    node: Node,
    operation: Operation,
    rc: int,
    status: int,
    state: HistoryState,
) -> None:
    task = operation.task or ""
    match status:
        case ExecStatus.CANCELLED:
            plan.config_error(
                f"Resource history contains cancellation '{operation.id}' "
                f"({task} of {resource.id} on {node.display_name} at {change_text(plan, operation)})"
            )
            return
        case ExecStatus.PENDING:
            _unpack_pending(plan, resource, node, operation)
            return
        case ExecStatus.DONE:
            _update_state(plan, resource, node, operation, rc, state)
            return
        case ExecStatus.NOT_INSTALLED:
            if _failure_reaction(plan, resource, operation) is OnFail.IGNORE:
                plan.say(
                    "warning",
                    f"Cannot ignore failed {task} of {resource.id} on {node.display_name}: "
                    "Resource agent doesn't exist",
                )
                state.on_fail = OnFail.MIGRATE
            _ban(plan, parent, node, "hard-error", operation)
            _unpack_failure(plan, resource, node, operation, rc, state)
            return
        case ExecStatus.NOT_CONNECTED:
            connection = node.remote_resource
            if node.is_remote_or_guest and connection is not None and connection.managed:
                # The connection itself has to be recovered first.
                connection.failed = connection.stop = True
        case ExecStatus.NO_FENCE_DEVICE | ExecStatus.NO_SECRETS:
            status = ExecStatus.ERROR_HARD
    strategy = _failure_reaction(plan, resource, operation)
    if strategy is OnFail.IGNORE or (strategy is OnFail.RESTART_CONTAINER and task == "stop"):
        plan.say(
            "warning",
            f"Pretending failed {task} ({_result_text(rc, operation)}) of {resource.id} on "
            f"{node.display_name} at {change_text(plan, operation)} succeeded",
        )
        _update_state(plan, resource, node, operation, operation.target_rc, state)
        resource.failure_ignored = True
        record_failure(plan, operation, node, resource)
        if strategy is OnFail.RESTART_CONTAINER and on_fail_rank(state.on_fail) <= on_fail_rank(OnFail.RECOVER):
            state.on_fail = strategy
        return
    _unpack_failure(plan, resource, node, operation, rc, state)
    if status == ExecStatus.ERROR_HARD:
        plan.say(
            "notice" if rc == 5 else "error",
            f"Preventing {parent.id} from restarting on {node.display_name} because of hard failure "
            f"({_result_text(rc, operation)})| rc={rc} id={operation.id}",
        )
        _ban(plan, parent, node, "hard-error", operation)
    elif status == ExecStatus.ERROR_FATAL:
        plan.say(
            "error",
            f"Preventing {parent.id} from restarting anywhere because of fatal failure "
            f"({_result_text(rc, operation)}) | rc={rc} id={operation.id}",
        )
        _ban(plan, parent, None, "fatal-error", operation)


def _ban(plan: Plan, resource: Resource, node: Node | None, why: str, operation: Operation) -> None:
    add_location_score(plan, resource, node, -INFINITY)
    plan.reasons.resource(
        resource.id,
        Cause.FAILURE,
        operation.id,
        f"{why}: {operation.key} returned {ocf_result_text(operation.rc)}",
        None if node is None else node.name,
    )


def _result_text(rc: int, operation: Operation) -> str:
    return ocf_result_text(rc) + (f": {operation.exit_reason}" if operation.exit_reason else "")


def change_text(plan: Plan, operation: Operation) -> str:
    """Return when an operation's result changed last, as messages write it."""
    if operation.last_change is None:
        return "unknown time"
    moment = Moment.from_epoch(operation.last_change, plan.now.offset)
    year, month, day = moment.gregorian()
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    hour, minute, second = moment.time_of_day()
    return f"{months[month - 1]} {day:2d} {hour:02d}:{minute:02d}:{second:02d} {year}"


def record_failure(plan: Plan, operation: Operation, node: Node, resource: Resource) -> None:
    """List a failure for status displays, once per operation and node, if the node is online."""
    if not node.online:
        return
    seen: dict[tuple[str, Node], None] = plan.scratch.setdefault("failures seen", {})
    identity = ((operation.xml.get("operation_key") or "").lower(), node)
    if identity not in seen:
        seen[identity] = None
        plan.failed_operations.append(FailedOperation(operation, resource, node))


def _set_active(resource: Resource) -> None:
    resource.role = Role.UNPROMOTED if resource.top.promotable else Role.STARTED


def _unpack_pending(plan: Plan, resource: Resource, node: Node, operation: Operation) -> None:
    task = operation.task
    if task == "start":
        resource.start_pending = True
        _set_active(resource)
    elif task == "promote":
        resource.role = Role.PROMOTED
    elif task == "migrate_to" and node.unclean:
        # It may have arrived already.
        target = plan.find_node(operation.migrate_target)
        if target is not None:
            stop_action(plan, resource, target, optional=False)
    if resource.pending_task is None and not operation.is_probe:
        resource.pending_task = task
        resource.pending_node = node


def _draft(plan: Plan, resource: Resource, operation: Operation) -> Action:
    return new_action(plan, resource, operation.key, operation.task or "", None, optional=True, for_graph=False)


def _failure_reaction(plan: Plan, resource: Resource, operation: Operation) -> OnFail:
    return _draft(plan, resource, operation).on_fail


def _remap(plan: Plan, resource: Resource, node: Node, operation: Operation, state: HistoryState) -> tuple[int, int]:
    """Return result code and execution status as the cluster understands them."""
    rc, status = operation.rc, operation.status
    if operation.task == "monitor" and rc in (190, 191):
        # Degraded counts as working, but is shown.
        if not node.shutdown or node.online:
            record_failure(plan, operation, node, resource)
        rc = 0 if rc == 190 else 8
    if not resource.is_bundled and operation.masks_probe_failure:
        rc, status = 7, ExecStatus.DONE
    if status not in (ExecStatus.DONE, ExecStatus.ERROR):
        return rc, status
    target = operation.target_rc
    status = ExecStatus.DONE
    if target < 0:
        status = ExecStatus.ERROR
        plan.say(
            "warning",
            f"Expected result not found for {operation.key} on {node.display_name} (corrupt or obsolete CIB?)",
        )
    elif target != rc:
        status = ExecStatus.ERROR
    return rc, _status_of_result(plan, resource, node, operation, rc, status, state)


def _status_of_result(
    plan: Plan, resource: Resource, node: Node, operation: Operation, rc: int, status: int, state: HistoryState
) -> int:
    is_probe = operation.is_probe
    target = operation.target_rc
    match rc:
        case 0:
            return ExecStatus.DONE if is_probe and target == 7 else status
        case 7:
            if is_probe or target == rc or not resource.managed:
                resource.role = Role.STOPPED
                state.on_fail = OnFail.IGNORE
                resource.next_role = Role.UNKNOWN
                return ExecStatus.DONE
            return status
        case 8:
            resource.role = Role.PROMOTED
            return ExecStatus.DONE if is_probe and rc != target else status
        case 9 | 191:
            resource.role = Role.PROMOTED
            return ExecStatus.ERROR
        case 6:
            return ExecStatus.ERROR_FATAL
        case 3:
            if operation.interval_ms:
                return ExecStatus.NOT_SUPPORTED
            _check_recoverable(plan, resource, node, operation, rc)
            return ExecStatus.ERROR_HARD
        case 5 | 2 | 4:
            _check_recoverable(plan, resource, node, operation, rc)
            return ExecStatus.ERROR_HARD
        case _:
            return ExecStatus.ERROR


def _check_recoverable(plan: Plan, resource: Resource, node: Node, operation: Operation, rc: int) -> None:
    """Block a resource whose stop failed for good where fencing cannot help."""
    if operation.task != "stop" or can_fence(plan, node):
        return
    plan.say(
        "error",
        f"No further recovery can be attempted for {resource.id} because stop on {node.display_name} failed "
        f"({_result_text(rc, operation)}) at {change_text(plan, operation)} rc={rc} id={operation.id}",
        processing=True,
    )
    resource.managed = False
    resource.blocked = True


# -- expiry


def _check_expiry(plan: Plan, resource: Resource, node: Node, operation: Operation) -> bool:
    """Say whether a failure is too old to count; clear fail counts that nothing supports any more."""
    expired = False
    is_last_failure = operation.id.endswith("_last_failure_0")
    unexpired = 0
    clear_reason: str | None = None
    if resource.failure_timeout_s > 0 and operation.last_change is not None:
        now = plan.effective_time
        expired = now >= operation.last_change + resource.failure_timeout_s and not _keeps_failure(
            plan, resource, operation
        )
        counted = fail_count(plan, node, resource, effective=True, operation=operation)
        unexpired = counted.count
        recheck = counted.last + resource.failure_timeout_s + 1
        if unexpired and now < recheck:
            plan.update_recheck(recheck)
    if expired:
        if fail_count(plan, node, resource, operation=operation).count:
            if unexpired == 0:
                clear_reason = "it expired"
            else:
                expired = False
        elif is_last_failure and resource.reconnect_ms:
            clear_reason = "reconnect interval is set"
    if not expired and is_last_failure and _parameters_changed(plan, resource, node, operation):
        clear_reason = "resource parameters have changed"
    if clear_reason is not None:
        clear = clear_failcount_action(plan, resource, node, clear_reason)
        if plan.options.fencing_enabled and resource.reconnect_ms:
            remote = plan.find_node(resource.id)
            if remote is not None:
                order_actions(fence_action(plan, remote, None, optional=True), clear, Order.IMPLIES_THEN)
    if expired and operation.is_probe and operation.rc in (0, 7, 8, 190, 191):
        # Probes that found something definite never expire.
        expired = False
    return expired


def _keeps_failure(plan: Plan, resource: Resource, operation: Operation) -> bool:
    """Say whether a remote connection's failure stays until its node was fenced."""
    if resource.reconnect_ms and plan.options.fencing_enabled and operation.interval_ms:
        remote = plan.find_node(resource.id)
        return operation.task == "monitor" and remote is not None and not remote.remote_was_fenced
    return False


def _parameters_changed(plan: Plan, resource: Resource, node: Node, operation: Operation) -> bool:
    if operation.task not in ("start", "monitor"):
        return False
    if needs_host_name(plan, resource):
        # Where the container will be is not known yet.
        plan.parameter_checks.insert(0, ParameterCheck(operation, resource, node, last_failure=True))
        return False
    return compare_operation(plan, resource, operation, node).change not in (Change.UNKNOWN, Change.MATCH)


# -- successes and failures


_KEPT_AFTER_SUCCESS = (OnFail.STOP, OnFail.FENCE, OnFail.MIGRATE, OnFail.STANDBY)


def _update_state(
    plan: Plan, resource: Resource, node: Node, operation: Operation, rc: int, state: HistoryState
) -> None:
    """Set the role that a success implies; it may make an earlier failure irrelevant."""
    task = operation.task or ""
    clears = False
    if rc == 5 or (not resource.is_bundled and operation.masks_probe_failure):
        resource.role = Role.STOPPED
    elif rc == 7:
        clears = True
    elif task == "monitor":
        last = state.last_failure
        clears = last is not None and operation.key.lower() == last.key.lower()
        if resource.role < Role.STARTED:
            _set_active(resource)
    elif task in _ROLE_AFTER:
        resource.role = _ROLE_AFTER[task]
        clears = True
    elif task == "demote":
        clears = state.on_fail is OnFail.DEMOTE
        resource.role = Role.UNPROMOTED
    elif task == "migrate_to":
        unpack_successful_migrate_to(plan, resource, node, operation)
    elif resource.role < Role.STARTED:
        _set_active(resource)
    if clears and state.on_fail not in _KEPT_AFTER_SUCCESS:
        if state.on_fail is OnFail.RESET_REMOTE and resource.reconnect_ms:
            return
        state.on_fail = OnFail.IGNORE
        resource.next_role = Role.UNKNOWN


_ROLE_AFTER = {
    "start": Role.STARTED,
    "stop": Role.STOPPED,
    "promote": Role.PROMOTED,
    "migrate_from": Role.STARTED,
}


def _unpack_failure(
    plan: Plan, resource: Resource, node: Node, operation: Operation, rc: int, state: HistoryState
) -> None:
    task = operation.task or ""
    state.last_failure = operation
    if plan.options.symmetric or rc != 5:
        _announce_failure(plan, resource, node, operation, rc)
        record_failure(plan, operation, node, resource)
    draft = _draft(plan, resource, operation)
    if on_fail_rank(state.on_fail) < on_fail_rank(draft.on_fail):
        state.on_fail = draft.on_fail
    match task:
        case "stop":
            _ban(plan, resource, node, "stop failed", operation)
        case "migrate_to":
            unpack_failed_migrate_to(plan, resource, node, operation)
        case "migrate_from":
            unpack_failed_migrate_from(plan, resource, node, operation)
        case "promote":
            resource.role = Role.PROMOTED
        case "demote":
            if draft.on_fail is OnFail.BLOCK:
                resource.role = Role.PROMOTED
                resource.next_role = Role.STOPPED
            else:
                resource.role = Role.STOPPED if rc == 7 else Role.UNPROMOTED
    if operation.is_probe and rc == 5:
        resource.role = Role.STOPPED
    elif resource.role < Role.STARTED:
        _set_active(resource)
    if draft.fail_role is not Role.STARTED and resource.next_role < draft.fail_role:
        resource.next_role = draft.fail_role
    if draft.fail_role is Role.STOPPED:
        failed = resource
        if resource.parent is not None and resource.top.is_clone and not resource.top.unique:
            failed = resource.top
        plan.say("notice", f"{failed.id} will not be started under current conditions")
        failed.allowed = whole_table(plan, -INFINITY)
        plan.reasons.resource(failed.id, Cause.FAILURE, operation.id, "on-fail=stop")


def _announce_failure(plan: Plan, resource: Resource, node: Node, operation: Operation, rc: int) -> None:
    what = "probe" if operation.is_probe else operation.task
    plan.say(
        "warning",
        f"Unexpected result ({_result_text(rc, operation)}) was recorded for {what} of {resource.id} on "
        f"{node.display_name} at {change_text(plan, operation)}",
    )
    if operation.is_probe and rc not in (0, 7, 8):
        plan.say(
            "notice",
            f"If it is not possible for {resource.id} to run on {node.display_name}, "
            "see the resource-discovery option for location constraints",
        )
