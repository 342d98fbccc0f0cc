"""Clone notifications: telling instances before and after others start, stop, promote or demote. Pure."""

from collections.abc import Iterable

from hatools.scheduler.model.action import Action, ActionFlag, Order, order_actions
from hatools.scheduler.model.node import Node, node_sort_key
from hatools.scheduler.model.resource import Notifications, Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import find_first_action, new_action
from hatools.values.role import Role

_Entries = list[tuple[Resource, Node | None]]


def notify_key(resource: str, kind: str, task: str) -> str:
    """Return the operation key of a notification."""
    return f"{resource}_{kind}_notify_{task}_0"


def _pseudo(plan: Plan, resource: Resource, action: Action, task: str, kind: str) -> Action:
    key = notify_key(resource.id, kind, action.task)
    notify = new_action(plan, resource, key, task, None, optional=action.optional)
    notify.flags |= ActionFlag.PSEUDO
    notify.meta.setdefault("notify_key_type", kind)
    notify.meta.setdefault("notify_key_operation", action.task)
    return notify


def _set_kind(action: Action, kind: str, task: str) -> None:
    action.meta.setdefault("notify_type", kind)
    action.meta.setdefault("notify_operation", task)


def _copy_runnable(action: Action, of: Action) -> None:
    if of.runnable:
        action.flags |= ActionFlag.RUNNABLE
    else:
        action.flags &= ~ActionFlag.RUNNABLE


def create_notify_points(
    plan: Plan, resource: Resource, task: str, action: Action | None, complete: Action | None
) -> Notifications | None:
    """Create the points in time around a clone's action at which instances are notified."""
    if not resource.notify:
        return None
    data = Notifications(task)
    if action is not None:
        pre = data.pre = _pseudo(plan, resource, action, "notify", "pre")
        pre.flags |= ActionFlag.RUNNABLE
        _set_kind(pre, "pre", task)
        pre_done = data.pre_done = _pseudo(plan, resource, action, "notified", "confirmed-pre")
        pre_done.flags |= ActionFlag.RUNNABLE
        _set_kind(pre_done, "pre", task)
        order_actions(pre, pre_done, Order.OPTIONAL)
        order_actions(pre_done, action, Order.OPTIONAL)
    if complete is not None:
        post = data.post = _pseudo(plan, resource, complete, "notify", "post")
        post.priority = 1_000_000
        _copy_runnable(post, complete)
        _set_kind(post, "post", task)
        post_done = data.post_done = _pseudo(plan, resource, complete, "notified", "confirmed-post")
        post_done.priority = 1_000_000
        _copy_runnable(post_done, complete)
        _set_kind(post_done, "post", task)
        order_actions(complete, post, Order.IMPLIES_THEN)
        order_actions(post, post_done, Order.IMPLIES_THEN)
    if action is not None and complete is not None:
        order_actions(data.pre_done, data.post, Order.OPTIONAL)
    return data


# -- who is told, and what


def _collect(plan: Plan, resource: Resource, data: Notifications, *, activity: bool) -> None:
    if data.allowed is None:
        data.allowed = resource.allowed
    if resource.children:
        for child in resource.children:
            _collect(plan, child, data, activity=activity)
        return
    entry = (resource, resource.running_on[0] if resource.running_on else None)
    match resource.role:
        case Role.STOPPED:
            data.inactive.append(entry)
        case Role.STARTED:
            data.active.append(entry)
        case Role.UNPROMOTED:
            data.unpromoted.append(entry)
            data.active.append(entry)
        case Role.PROMOTED:
            data.promoted.append(entry)
            data.active.append(entry)
    if not activity:
        return
    lists = {"start": data.start, "stop": data.stop, "promote": data.promote, "demote": data.demote}
    for action in reversed(resource.actions):
        if action.optional or action.node is None:
            continue
        if not action.runnable and not (action.task == "stop" and action.node.unclean):
            continue
        entries = lists.get(action.task)
        if entries is not None:
            entries.append((resource, action.node))


def _entry_key(entry: tuple[Resource, Node | None]) -> tuple[str, bool, str]:
    resource, node = entry
    return (resource.id, node is None, "" if node is None else node.id)


def _names(entries: _Entries, *, with_nodes: bool) -> tuple[str, str]:
    """Return the resources and the nodes of entries as lists for agents; an empty list is one space."""
    resources: list[str] = []
    nodes: list[str] = []
    last: str | None = None
    for resource, node in sorted(entries, key=_entry_key):
        if (with_nodes and node is None) or resource.id == last:
            continue
        last = resource.id
        resources.append(resource.id)
        if node is not None:
            nodes.append(node.name)
    return " ".join(resources) or " ", " ".join(nodes) or " "


def _host_names(nodes: Iterable[Node]) -> str:
    names = []
    for node in nodes:
        host: Node | None = node
        if node.is_guest:
            assert node.remote_resource is not None and node.remote_resource.container is not None
            container = node.remote_resource.container
            if container.running_on:
                host = container.active_node()
        if host is not None:
            names.append(host.name)
    return " ".join(names) or " "


def _add_keys(plan: Plan, resource: Resource, data: Notifications) -> None:
    lists = (
        ("stop", ("stop",), data.stop),
        ("start", ("start",), data.start),
        ("demote", ("demote",), data.demote),
        ("promote", ("promote",), data.promote),
        ("", ("active",), data.active),
        ("", ("unpromoted", "slave"), data.unpromoted),
        ("", ("promoted", "master"), data.promoted),
    )
    required = False
    for task, words, entries in lists:
        resources, nodes = _names(entries, with_nodes=True)
        if task and task == data.task and (resources != " " if task == "stop" else bool(entries)):
            required = True
        for word in words:
            data.keys.append((f"notify_{word}_resource", resources))
            data.keys.append((f"notify_{word}_uname", nodes))
    data.keys.append(("notify_inactive_resource", _names(data.inactive, with_nodes=False)[0]))
    available = sorted(data.allowed or {}, key=node_sort_key)
    data.keys.append(("notify_available_uname", " ".join(node.name for node in available) or " "))
    if resource.meta.get("container-attribute-target") == "host":
        data.keys.append(("notify_all_hosts", _host_names(plan.nodes)))
    data.keys.append(("notify_all_uname", " ".join(node.name for node in plan.nodes) or " "))
    if required:
        for action in (data.pre, data.pre_done, data.post, data.post_done):
            if action is not None:
                action.flags &= ~ActionFlag.OPTIONAL


def _add_data(data: Notifications, action: Action) -> None:
    for name, value in reversed(data.keys):
        action.meta.setdefault(name, value)


# -- the notifications themselves


def create_notifications(plan: Plan, resource: Resource, data: Notifications | None) -> None:
    """Create the notifications of all instances around one action of a clone."""
    if data is None:
        return
    _collect(plan, resource, data, activity=True)
    _add_keys(plan, resource, data)
    _create(plan, resource, data)


_TASKS = ("start", "stop", "promote", "demote")


def _create(plan: Plan, resource: Resource, data: Notifications) -> None:
    if resource.children:
        for child in resource.children:
            _create(plan, child, data)
        return
    for action in reversed(resource.actions):
        if not action.optional and action.node is not None and action.task in _TASKS:
            _add_data(data, action)
    entries = {"start": data.start, "promote": data.promote, "demote": data.demote}.get(data.task)
    if entries is not None and not entries:
        return
    if resource.role is not Role.STOPPED and data.task in ("stop", "demote"):
        _notify_active(plan, resource, data)
    if resource.next_role is not Role.STOPPED and data.task in ("start", "promote"):
        _notify_next(plan, resource, data)


def _notify_active(plan: Plan, resource: Resource, data: Notifications) -> None:
    stop = find_first_action(resource, None, "stop", None)
    for node in resource.running_on:
        if stop is not None and stop.pseudo and (node.unclean or node.remote_requires_reset):
            # Nobody is there to be told.
            continue
        _notify(plan, resource, node, data.pre, data.pre_done, data)
        if data.task == "demote" or stop is None or stop.optional:
            _notify_after(plan, resource, node, data)


def _notify_next(plan: Plan, resource: Resource, data: Notifications) -> None:
    start = find_first_action(resource, None, "start", None)
    if start is not None and start.node is not None and start.node.remote_resource is not None:
        connect = find_first_action(start.node.remote_resource, None, "start", None)
        if connect is not None and not connect.runnable:
            return
    if resource.assigned_to is None:
        plan.say("error", f"Next role of {resource.id} needs a node but it is not allocated", processing=True)
        return
    if data.task != "start" or start is None or start.optional:
        _notify(plan, resource, resource.assigned_to, data.pre, data.pre_done, data)
    _notify_after(plan, resource, resource.assigned_to, data)


def _notify(
    plan: Plan, resource: Resource, node: Node, point: Action | None, done: Action | None, data: Notifications
) -> Action | None:
    if point is None or done is None or not node.online or not point.runnable:
        return None
    kind, task = point.meta.get("notify_type", ""), point.meta.get("notify_operation", "")
    notify = new_action(plan, resource, notify_key(resource.id, kind, task), point.task, node, optional=point.optional)
    for name, value in point.meta.items():
        notify.meta.setdefault(name, value)
    _add_data(data, notify)
    order_actions(point, notify, Order.OPTIONAL)
    order_actions(notify, done, Order.OPTIONAL)
    return notify


def _notify_after(plan: Plan, resource: Resource, node: Node, data: Notifications) -> None:
    notify = _notify(plan, resource, node, data.post, data.post_done, data)
    if notify is not None:
        notify.priority = 1_000_000
    if data.post_done is None:
        return
    for action in reversed(resource.actions):
        # Monitors start when everybody knows.
        if action.meta.get("interval", "0") != "0" and action.task != "cancel":
            order_actions(data.post_done, action, Order.OPTIONAL)


def order_notifications_after_fencing(plan: Plan, stop: Action, resource: Resource, fencing: Action) -> None:
    """Tell the other instances that one went down with its node."""
    data = create_notify_points(plan, resource, "stop", None, fencing)
    if data is None:
        return
    _collect(plan, resource, data, activity=False)
    data.keys.append(("notify_stop_resource", resource.id))
    data.keys.append(("notify_stop_uname", "" if stop.node is None else stop.node.name))
    _create(plan, resource.top, data)
