"""How a status display words single facts. Pure.

Every function turns one object of the model into one line, the way Pacemaker 2.1.5 prints it.
"""

from datetime import UTC, datetime

from hatools.status.model import (
    FailedAction,
    FencingEvent,
    FencingState,
    HistoryStatus,
    NodeKind,
    NodeRef,
    NodeStatus,
    OperationStatus,
    PrimitiveStatus,
)
from hatools.status.view import Show
from hatools.values.duration import format_readable_interval
from hatools.values.ocfresult import ocf_result_text
from hatools.values.opkey import parse_operation_key
from hatools.values.result import ExecStatus, exec_status_text
from hatools.values.role import Role, format_role, parse_role

__all__ = [
    "agent_name",
    "display_role",
    "failure_line",
    "fencing_line",
    "format_clock",
    "format_stamp",
    "history_line",
    "node_display_name",
    "node_state",
    "operation_line",
    "pending_check",
    "plural",
    "primitive_line",
    "state_word",
]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_PENDING_STATES = {
    "start": "Starting",
    "stop": "Stopping",
    "migrate_to": "Migrating",
    "migrate_from": "Migrating",
    "promote": "Promoting",
    "demote": "Demoting",
}


def plural(count: int) -> str:
    """Return the ending of a noun that is counted."""
    return "" if count == 1 else "s"


def _local(when: float) -> datetime:
    return datetime.fromtimestamp(when, UTC).astimezone()


def format_clock(when: float) -> str:
    """Write an instant as C's ctime does: ``Wed Sep  2 12:17:38 2020``, in local time."""
    at = _local(int(when))
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year}"


def format_stamp(when: float) -> str:
    """Write an instant as ``2020-09-02 12:17:38 +02:00``, in local time; UTC is marked by ``Z``."""
    at = _local(int(when))
    offset = at.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    zone = f" {'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "Z"
    return f"{at:%Y-%m-%d %H:%M:%S}{zone}"


# -- nodes


def node_display_name(node: NodeStatus, *, detail: bool) -> str:
    """Return a node's name, with a guest's host and the id where details are asked for."""
    name = node.name
    if not detail:
        return name
    if node.kind is NodeKind.GUEST:
        name += f"@{node.host or ''}"
    if node.name.lower() != node.id.lower():
        name += f" ({node.id})"
    return name


def node_state(node: NodeStatus) -> str:
    """Say in words what state a node is in."""
    if node.unclean:
        return f"UNCLEAN ({'online' if node.online else 'pending' if node.pending else 'offline'})"
    if node.pending:
        return "pending"
    if node.standby_on_fail and node.online:
        return "standby (on-fail)"
    if node.standby:
        if not node.online:
            return "OFFLINE (standby)"
        return "standby (with active resources)" if node.running else "standby"
    if node.maintenance:
        return "maintenance" if node.online else "OFFLINE (maintenance)"
    return "online" if node.online else "OFFLINE"


# -- resources


def agent_name(resource: PrimitiveStatus) -> str:
    """Return ``ocf:heartbeat:IPaddr2``; a provider is shown only where the standard has any."""
    provider = f":{resource.provider}" if resource.standard == "ocf" and resource.provider else ""
    return f"{resource.standard}{provider}:{resource.type}"


def display_role(resource: PrimitiveStatus) -> Role:
    """Return the role as it is shown: what is started and can be promoted counts as unpromoted."""
    if resource.role is Role.STARTED and resource.top.promotable:
        return Role.UNPROMOTED
    return resource.role


def state_word(resource: PrimitiveStatus, *, pending: bool) -> str:
    """Return a primitive's role, or what is being done to it."""
    word = _PENDING_STATES.get((resource.pending_task or "").lower()) if pending else None
    return word or format_role(display_role(resource))


def pending_check(resource: PrimitiveStatus) -> str | None:
    """Return the word for a recurring check that is under way."""
    return "Monitoring" if (resource.pending_task or "").lower() == "monitor" else None


def primitive_line(
    resource: PrimitiveStatus,
    show: Show,
    *,
    name: str | None = None,
    at: NodeRef | None = None,
    with_nodes: bool = True,
) -> str:
    """Return the line of a primitive.

    Args:
        name: what to call it instead of its own name; ``at`` is then taken for its node.
        with_nodes: whether to list the nodes where there are several.
    """
    pending = Show.PENDING in show
    alone = Show.RESOURCE_ONLY in show or len(resource.nodes) > 1
    node = resource.node if name is None else at
    if node is None:
        node = resource.locked_to
    if alone:
        node = None
    role = display_role(resource)
    words = [f"{resource.shown_id if name is None else name}\t({agent_name(resource)}):\t"]
    if resource.orphaned:
        words.append("ORPHANED")
    if resource.failed:
        words.append("FAILED")
        if role > Role.UNPROMOTED:
            words.append(format_role(role))
    else:
        words.append(state_word(resource, pending=pending))
    if node is not None:
        words.append(node.name)
    text = " ".join(words)
    if role is Role.STOPPED:
        rc = _probe_failure(resource, None if node is None else node.name)
        if rc is not None:
            text += f" ({ocf_result_text(rc)}) "
    flags = _place_flags(resource, node) + _config_flags(resource, pending=pending)
    if flags:
        text += f" ({', '.join(flags)})"
    if alone and resource.description is not None:
        text += f" {resource.description}"
    if with_nodes and len(resource.nodes) > 1 and Show.RESOURCE_ONLY not in show:
        text += f" [ {' '.join(each.name for each in resource.nodes)} ]"
    return text


def _place_flags(resource: PrimitiveStatus, node: NodeRef | None) -> list[str]:
    """Return the remarks on the node that a resource is shown with."""
    flags = []
    if node is not None and not node.online and node.unclean:
        flags.append("UNCLEAN")
    if node is not None and resource.locked_to is not None and node.id == resource.locked_to.id:
        flags.append("LOCKED")
    return flags


def _config_flags(resource: PrimitiveStatus, *, pending: bool) -> list[str]:
    """Return the remarks that do not depend on where the resource is."""
    check = pending_check(resource) if pending else None
    flags = [] if check is None else [check]
    if resource.target_role:
        target = parse_role(resource.target_role)
        if target is Role.STOPPED:
            flags.append("disabled")
        elif target is Role.UNPROMOTED and resource.top.promotable:
            flags.append(f"target-role:{resource.target_role}")
    if resource.blocked:
        flags.append("blocked")
    elif not resource.managed:
        flags.append("unmanaged")
    if resource.failure_ignored:
        flags.append("failure ignored")
    return flags


def _probe_failure(resource: PrimitiveStatus, node: str | None) -> int | None:
    """Return the result of a failed probe on a node, or on any node if none is given."""
    for where, rc in resource.probe_failures.items():
        if node is None or where.lower() == node.lower():
            return rc
    return None


# -- history


def failure_line(failure: FailedAction, *, technical: bool) -> str:
    """Return the line of a failed action, in everyday or in technical words."""
    node = failure.node or "unknown node"
    if technical:
        return _technical_failure(failure, node)
    parsed = parse_operation_key(failure.key or failure.id)
    resource, task, interval_ms = parsed or ("unknown resource", "unknown action", 0)
    every = f"{format_readable_interval(interval_ms)}-interval " if interval_ms else ""
    action = "probe" if task == "monitor" and not interval_ms else task
    text = f"{resource} {every}{action} on {node}"
    if failure.status == ExecStatus.DONE:
        text += f" returned '{ocf_result_text(failure.rc)}'"
        if failure.exit_reason:
            text += f" ({failure.exit_reason})"
    else:
        reason = f": {failure.exit_reason}" if failure.exit_reason else ""
        text += f" could not be executed ({exec_status_text(failure.status)}{reason})"
    if failure.last_change is not None:
        text += f" at {format_clock(failure.last_change)}"
    exec_ms = _integer(failure.exec_time)
    if exec_ms > 0:
        text += f" after {format_readable_interval(exec_ms)}"
    return text


def _technical_failure(failure: FailedAction, node: str) -> str:
    text = (
        f"{failure.key or failure.id or 'unknown operation'} on {node} '{ocf_result_text(failure.rc)}' ({failure.rc}): "
        f"call={failure.call or 'unknown'}, status='{exec_status_text(failure.status)}'"
    )
    if failure.exit_reason:
        text += f", exitreason='{failure.exit_reason}'"
    if failure.last_change is not None:
        text += f", last-rc-change='{format_clock(failure.last_change)}'"
    if failure.queue_time:
        text += f", queued={failure.queue_time}ms"
    if failure.exec_time:
        text += f", exec={failure.exec_time}ms"
    return text


def _integer(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0


def operation_line(operation: OperationStatus, *, timing: bool) -> str:
    """Return the line of one entry of the operation history."""
    interval = f' interval="{operation.interval}ms"' if operation.interval not in (None, "0") else ""
    if not timing:
        return f"({operation.call}) {operation.task}{':' if interval else ''}{interval}"
    text = f"({operation.call}) {operation.task}:{interval}"
    if operation.last_change > 0:
        text += f' last-rc-change="{format_clock(operation.last_change)}"'
    if operation.exec_time is not None:
        text += f' exec-time="{operation.exec_time}ms"'
    if operation.queue_time is not None:
        text += f' queue-time="{operation.queue_time}ms"'
    return f"{text} rc={operation.rc} ({ocf_result_text(operation.rc)})"


def history_line(history: HistoryStatus, *, name: str, full: bool) -> str:
    """Return the head line of a resource's history on a node."""
    if history.resource is None:
        return f"{name}: orphan"
    if not (full or history.fail_count or history.last_failure > 0):
        return f"{name}:"
    text = f"{name}: migration-threshold={history.migration_threshold}"
    if history.fail_count > 0:
        text += f" fail-count={history.fail_count}"
    if history.last_failure > 0:
        text += f" last-failure='{format_clock(history.last_failure)}'"
    return text


# -- fencing


def fencing_line(event: FencingEvent, *, full: bool, technical: bool) -> str:
    """Return the line of a fencing request; ``full`` says that all of the history is shown."""
    finished = event.state is not FencingState.PENDING
    state = {FencingState.FAILED: "failed", FencingState.SUCCESS: "successful"}.get(event.state, "pending")
    text = f"{_ACTION_WORDS.get(event.action, event.action)} of {event.target}"
    delegate = event.delegate if finished else None
    if not technical:
        if delegate is not None:
            text += f" by {delegate}"
        text += f" for {event.client}@{event.origin}"
        if not full:
            text += " last"
    text += f" {state}"
    if event.state is FencingState.FAILED and event.exit_reason is not None:
        text += f" ({event.exit_reason})"
    when = format_stamp(event.completed) if finished else None
    if technical:
        by = f"delegate={delegate}, " if delegate is not None else ""
        text += f": {by}client={event.client}, origin={event.origin}"
        if when is not None:
            word = "completed" if full else "last-failed" if event.state is FencingState.FAILED else "last-successful"
            text += f", {word}='{when}'"
    elif when is not None:
        text += f" at {when}"
    if event.state is FencingState.FAILED and event.later_success is not None:
        text += f" (a later attempt from {event.later_success} succeeded)"
    return text


_ACTION_WORDS = {"on": "unfencing", "off": "turning off"}
