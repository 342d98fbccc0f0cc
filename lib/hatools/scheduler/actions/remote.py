"""Pacemaker Remote: actions on remote and guest nodes and the connections they need. Pure."""

from enum import Enum

from hatools.scheduler.actions.recurring import is_recurring
from hatools.scheduler.model.action import Action, Order
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import require_fencing
from hatools.scheduler.unpack.nodes import shutdown_requested
from hatools.scheduler.unpack.orderings import new_ordering
from hatools.values.role import Role

_KNOWN_TASKS = (
    "stop",
    "stopped",
    "start",
    "running",
    "do_shutdown",
    "stonith",
    "monitor",
    "notify",
    "notified",
    "promote",
    "demote",
    "promoted",
    "demoted",
)


class RemoteState(Enum):
    """What is known about a remote node, by way of its connection."""

    UNKNOWN = 0
    ALIVE = 1
    RESTING = 2
    FAILED = 3
    STOPPED = 4


def remote_state(node: Node) -> RemoteState:
    """Return the state of a remote node."""
    connection = node.remote_resource
    assert connection is not None
    host = connection.active_node()
    if connection.next_role is Role.STOPPED or connection.assigned_to is None:
        if host is not None and host.unclean:
            return RemoteState.FAILED
        if not connection.failed:
            return RemoteState.STOPPED
        if (
            connection.next_role is Role.STOPPED
            and connection.reconnect_ms
            and node.remote_was_fenced
            and not shutdown_requested(node)
        ):
            # It was fenced and may be back when the reconnect interval is over.
            return RemoteState.UNKNOWN
        return RemoteState.FAILED
    if host is None:
        return RemoteState.UNKNOWN
    if host.unclean or not host.online:
        return RemoteState.RESTING
    if (
        len(connection.running_on) > 1
        and connection.partial_migration_source is not None
        and connection.partial_migration_target is not None
    ):
        return RemoteState.RESTING
    return RemoteState.ALIVE


def is_failed_remote(node: Node) -> bool:
    """Say whether a remote node is lost for good."""
    return node.is_remote and node.remote_resource is not None and remote_state(node) is RemoteState.FAILED


def is_guest_of(resource: Resource | None, node: Node | None) -> bool:
    """Say whether a node is inside a resource."""
    return (
        resource is not None
        and bool(resource.fillers)
        and node is not None
        and node.remote_resource is not None
        and node.remote_resource.container is resource
    )


def _start_then(plan: Plan, first: Resource, action: Action, extra: int) -> None:
    flags = Order.PRESERVE | Order.RUNNABLE_LEFT | extra
    new_ordering(plan, first, f"{first.id}_start_0", None, action.resource, None, action, flags)


def _then_stop(plan: Plan, action: Action, then: Resource, extra: int) -> None:
    flags = Order.PRESERVE | extra
    new_ordering(plan, action.resource, None, action, then, f"{then.id}_stop_0", None, flags)


def order_remote_actions(plan: Plan) -> None:
    """Order all actions on remote and guest nodes relative to the connections to them."""
    if not plan.have_remote_nodes:
        return
    for action in reversed(plan.actions):
        resource, node = action.resource, action.node
        if resource is None:
            continue
        if resource.is_remote_connection and action.task == "clear_failcount":
            # A connection that is to be retried starts with a clean slate.
            key = f"{resource.id}_start_0"
            new_ordering(plan, resource, None, action, resource, key, None, Order.OPTIONAL)
            continue
        if node is None or not node.is_remote_or_guest or action.pseudo:
            continue
        connection = node.remote_resource
        if connection is None:
            continue
        if action.task == "start":
            for other in reversed(resource.actions):
                if other.node is not node and other.task == "stop":
                    key = f"{connection.id}_start_0"
                    new_ordering(plan, connection, key, None, resource, None, other, Order.OPTIONAL)
        if connection.container is not None:
            _order_on_guest(plan, action, node, connection, connection.container)
        else:
            _order_on_remote(plan, action, node, connection)


def _task(action: Action) -> str:
    return "stop" if action.task in ("migrate_to", "migrate_from") else action.task


def _order_on_remote(plan: Plan, action: Action, node: Node, connection: Resource) -> None:
    state = remote_state(node)
    task = _task(action)
    match task:
        case "start" | "promote":
            extra = Order.IMPLIES_THEN if state is RemoteState.FAILED else Order.NONE
            _start_then(plan, connection, action, extra)
        case "stop":
            if state is RemoteState.ALIVE:
                _then_stop(plan, action, connection, Order.IMPLIES_FIRST)
            elif state is RemoteState.FAILED:
                require_fencing(plan, node, "resources are active but connection is unrecoverable")
            elif connection.next_role is Role.STOPPED:
                _then_stop(plan, action, connection, Order.IMPLIES_FIRST)
            else:
                _start_then(plan, connection, action, Order.NONE)
        case "demote":
            if state in (RemoteState.RESTING, RemoteState.UNKNOWN):
                _start_then(plan, connection, action, Order.NONE)
        case _:
            if is_recurring(action):
                _start_then(plan, connection, action, Order.IMPLIES_THEN)
                return
            host = connection.active_node()
            if task == "monitor" and state is RemoteState.FAILED:
                require_fencing(plan, node, "resources are in unknown state and connection is unrecoverable")
            if host is not None and state is RemoteState.STOPPED:
                # The connection is needed for the action, but will not come back.
                _then_stop(plan, action, connection, Order.RUNNABLE_LEFT)
            else:
                _start_then(plan, connection, action, Order.NONE)


def _order_on_guest(plan: Plan, action: Action, node: Node, connection: Resource, container: Resource) -> None:
    if container.failed:
        require_fencing(plan, node, "container failed")
    task = _task(action)
    if task in ("start", "promote"):
        _start_then(plan, container, action, Order.IMPLIES_THEN)
        _start_then(plan, connection, action, Order.NONE)
    elif task in ("stop", "demote"):
        if not container.failed:
            _then_stop(plan, action, connection, Order.NONE)
    elif is_recurring(action):
        if task in _KNOWN_TASKS:
            _start_then(plan, connection, action, Order.IMPLIES_THEN)
    else:
        _start_then(plan, connection, action, Order.NONE)


def connection_host(action: Action) -> Node | None:
    """Return the cluster node through which an action on a remote node has to be sent."""
    node = action.node
    if action.task == "stonith" or node is None or not node.is_remote_or_guest or node.remote_resource is None:
        return None
    connection = node.remote_resource
    began, ended = connection.active_node(), connection.assigned_to
    if began is None or ended is None or began is ended:
        return began or ended
    partial = connection.container is None and connection.partial_migration_target is not None
    task = action.meta.get("notify_operation") if action.task == "notify" else action.task
    if task in ("cancel", "stop", "demote", "migrate_from", "migrate_to") and not partial:
        return began
    return ended


def bundle_meta(action: Action) -> dict[str, str]:
    """Return what agents in bundles are told about the container's host."""
    node = action.node
    if node is None or not node.is_guest or action.resource is None:
        return {}
    assert node.remote_resource is not None and node.remote_resource.container is not None
    container = node.remote_resource.container
    task = action.meta.get("notify_operation") if action.task in ("notify", "notified") else action.task
    if task in ("stop", "stopped", "demote", "demoted"):
        host = container.active_node()
    elif task in ("start", "running", "monitor", "promote", "promoted"):
        host = container.assigned_to
    else:
        host = None
    if host is None:
        return {}
    meta = {"CRM_meta_physical_host": host.name}
    target = action.resource.meta.get("container-attribute-target")
    if target is not None:
        meta["CRM_meta_container_attribute_target"] = target
    return meta
