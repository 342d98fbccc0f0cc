"""The status section: node states, tickets, and what the operation history says is active where. Pure."""

from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.merge_sort import merge_sorted
from hatools.scheduler.model.history import Operation, ResourceHistory
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.consequences import apply_result
from hatools.scheduler.unpack.factory import (
    delete_history_action,
    new_action,
    stop_action,
)
from hatools.scheduler.unpack.failures import strip_instance
from hatools.scheduler.unpack.migrations import compare_operations
from hatools.scheduler.unpack.nodes import (
    create_node,
    determine_remote_online,
    link_remote_node,
    unpack_node_state,
    unpack_remote_attributes,
)
from hatools.scheduler.unpack.outcomes import HistoryState, unpack_operation
from hatools.scheduler.unpack.resources import create_instance, target_role, unpack_resource
from hatools.scheduler.unpack.scores import add_location_score
from hatools.scheduler.unpack.tickets import unpack_ticket_states
from hatools.values.integer import leading_integer
from hatools.values.opkey import TransitionKey, format_operation_key
from hatools.values.result import ExecStatus
from hatools.values.role import Role
from hatools.values.score import INFINITY


def unpack_status(plan: Plan) -> None:
    """Read the whole status section.

    Whether a remote node is online follows from the history of its connection, so histories are
    read in rounds until a round brings nothing new; what is then left belongs to nodes that are
    not there, and counts only if those will be fenced.
    """
    status = plan.document.status
    states = list(children(status, "node_state"))
    for state in states:
        _index_history(plan, state)
    for each in children(status):
        if each.tag == "tickets":
            unpack_ticket_states(plan, each)
        elif each.tag == "node_state":
            unpack_node_state(plan, each)
    while _unpack_histories(plan, states, everything=False):
        continue
    _unpack_histories(plan, states, everything=plan.options.fencing_enabled)
    for container in plan.containers_to_stop:
        node = container.active_node()
        if node is not None:
            stop_action(plan, container, node, optional=False)
    plan.containers_to_stop = []
    for node in plan.nodes:
        if not node.is_remote_or_guest:
            continue
        if node.shutdown and node.remote_resource is not None:
            node.remote_resource.next_role = Role.STOPPED
        if not node.unpacked:
            determine_remote_online(node)


# -- parsing


def operation_from_cib(xml: Element) -> Operation:
    """Read one ``lrm_rsc_op``."""
    get = xml.attrib.get
    transition_key = get("transition-key")
    parsed = None if transition_key is None else TransitionKey.parse(transition_key)
    identifier = get("id") or ""
    call_id, rc, status = (leading_integer(get(name)) for name in ("call-id", "rc-code", "op-status"))
    last_change = leading_integer(get("last-rc-change"))
    return Operation(
        xml=xml,
        id=identifier,
        task=get("operation"),
        key=get("operation_key") or identifier,
        call_id=-1 if call_id is None else call_id,
        rc=rc or 0,
        status=ExecStatus.UNKNOWN if status is None else status,
        interval_ms=max(0, leading_integer(get("interval")) or 0),
        target_rc=-1 if parsed is None else parsed.target_rc,
        last_change=None if last_change is None or last_change < 0 else last_change,
        restart_digest=get("op-restart-digest"),
    )


def history_entries(state: Element) -> list[Element]:
    """Return the ``lrm_resource`` elements of a node state."""
    lrm = next(children(state, "lrm"), None)
    resources = next(children(lrm, "lrm_resources"), None)
    return list(children(resources, "lrm_resource"))


def _index_history(plan: Plan, state: Element) -> None:
    name = state.get("uname")
    if name is None:
        return
    entries = history_entries(state)
    if not entries:
        return
    histories: list[ResourceHistory] = plan.scratch.setdefault("histories", {}).setdefault(id(state), [])
    for xml in entries:
        history = ResourceHistory(
            xml=xml,
            id=xml.get("id") or "",
            operations=[operation_from_cib(each) for each in xml if each.tag == "lrm_rsc_op"],
            container=xml.get("container"),
            shutdown_lock=leading_integer(xml.get("shutdown-lock")) or 0,
        )
        plan.add_history(name, history)
        histories.append(history)


def sorted_operations(plan: Plan, operations: list[Operation]) -> list[Operation]:
    """Return operations oldest first."""

    if len(operations) < 2:
        return operations

    def compare(a: Operation, b: Operation) -> int:
        return compare_operations(plan, a, b, same_node=True)

    return merge_sorted(operations[::-1], compare)


# -- nodes


def _unpack_histories(plan: Plan, states: list[Element], *, everything: bool) -> bool:
    """Read the histories of nodes whose state is settled; say whether any was read."""
    progress = False
    for state in states:
        if state.get("id") is None or state.get("uname") is None:
            continue
        node = plan.find_node_any(state.get("id"), state.get("uname"))
        if node is None or node.unpacked or not (everything or _is_settled(plan, node)):
            continue
        if node.is_remote_or_guest:
            determine_remote_online(node)
            unpack_remote_attributes(plan, node, state)
        node.unpacked = True
        _unpack_node_history(plan, node, state)
        progress = True
    return progress


def _is_settled(plan: Plan, node: Node) -> bool:
    connection = node.remote_resource
    if node.is_guest:
        assert connection is not None and connection.container is not None
        # A guest is there only if both its container and the connection to it are up.
        return connection.role is Role.STARTED and connection.container.role is Role.STARTED
    if node.is_remote:
        return connection is not None and (plan.options.shutdown_lock or connection.role is Role.STARTED)
    return plan.options.fencing_enabled or plan.options.shutdown_lock or node.online


def _unpack_node_history(plan: Plan, node: Node, state: Element) -> None:
    histories: list[ResourceHistory] = plan.scratch.get("histories", {}).get(id(state), [])
    orphan_fillers = False
    for history in histories:
        resource = _unpack_resource_history(plan, node, history)
        if resource is not None and resource.orphan_filler:
            orphan_fillers = True
    if not orphan_fillers:
        return
    # Now that all orphans are known, connect containers with what was in them.
    for history in histories:
        if history.container is None or not history.id:
            continue
        container = plan.find_resource(history.container)
        resource = plan.find_resource(history.id)
        if container is not None and resource is not None and resource.orphan_filler and resource.container is None:
            resource.container = container
            container.fillers.append(resource)


# -- resources


def _unpack_resource_history(plan: Plan, node: Node, history: ResourceHistory) -> Resource | None:
    if not history.id:
        plan.say("warning", "Ignoring malformed lrm_resource entry without id")
        return None
    if not history.operations and not plan.options.shutdown_lock:
        return None
    resource = _find_resource(plan, node, history.id)
    if resource is None:
        if not history.operations:
            return None
        resource = _create_orphan(plan, history)
        if resource is None:
            return None
    if plan.options.shutdown_lock:
        _unpack_shutdown_lock(plan, history, resource, node)
    saved_role = resource.role
    resource.role = Role.UNKNOWN
    operations = sorted_operations(plan, history.operations)
    state = HistoryState()
    for operation in operations:
        unpack_operation(plan, resource, node, operation, state)
    start, stop = active_range(operations)
    _keep_recurring(plan, node, resource, operations, start, stop)
    apply_result(plan, resource, node, state.on_fail)
    wanted = target_role(plan, resource)
    if wanted is not None and (resource.next_role is Role.UNKNOWN or wanted < resource.next_role):
        resource.next_role = wanted
    resource.role = max(resource.role, saved_role)
    return resource


def _find_resource(plan: Plan, node: Node, identifier: str) -> Resource | None:
    """Find the configured resource that a history belongs to; anonymous instances are interchangeable."""
    resource = plan.find_resource(identifier)
    parent: Resource | None = None
    if resource is None:
        # A formerly non-cloned resource, or an instance number that does not exist.
        first = plan.find_resource(strip_instance(identifier) + ":0")
        if first is not None and not first.unique:
            resource, parent = first, first.top
    elif not resource.is_primitive:
        return None
    else:
        parent = resource.top
    if parent is not None and parent.is_anonymous_clone:
        if parent.is_bundled:
            resource = _bundled_on(parent, node)
        else:
            resource = _anonymous_instance(plan, node, parent, strip_instance(identifier))
    if (
        resource is not None
        and identifier.lower() != resource.id.lower()
        and identifier.lower() != (resource.history_id or "").lower()
    ):
        plan.rename_history(resource, identifier)
    return resource


def _bundled_on(clone: Resource, node: Node) -> Resource | None:
    bundle = clone.parent
    assert bundle is not None and bundle.bundle_data is not None
    for replica in bundle.bundle_data.replicas:
        if replica.node is not None and replica.node.node is node:
            return replica.child
    return None


def _member_of_instance(instance: Resource, identifier: str) -> Resource | None:
    """Find the primitive of an instance that has an id, with or without instance number."""
    return next((each for each in instance.descendants() if identifier in (each.id, each.xml_id)), None)


def _is_universal(plan: Plan, clone: Resource) -> bool:
    """Say whether a clone has an instance for every node."""
    return clone.clone_data is not None and clone.clone_data.clone_max == len(plan.nodes)


def _anonymous_instance(plan: Plan, node: Node, clone: Resource, identifier: str) -> Resource | None:
    """Choose the instance for a history: one that is on the node, else an inactive one, else a new orphan."""
    found: Resource | None = None
    inactive: Resource | None = None
    skip_inactive = False
    for instance in clone.children:
        locations = instance.current_nodes(with_pending=True)
        if locations:
            if locations[0] is not node:
                continue
            found = _member_of_instance(instance, identifier)
            if found is not None and found.running_on:
                # Left from a time when the clone was unique.
                plan.say(
                    "notice",
                    f"Active (now-)anonymous clone {clone.id} has multiple (orphan) instance histories "
                    f"on {node.display_name}",
                )
                skip_inactive = True
                found = None
            if found is not None:
                break
        elif not skip_inactive and inactive is None and not instance.blocked:
            inactive = _member_of_instance(instance, identifier)
            if inactive is not None and inactive.pending_node is not None and inactive.pending_node is not node:
                inactive = None
    if found is None and not skip_inactive:
        found = inactive
    if (
        found is not None
        and not found.needs_fencing
        and (not node.online or node.unclean)
        and not node.is_guest
        and not _is_universal(plan, clone)
    ):
        # The node is gone and will not be fenced: do not use up an instance for it.
        found = None
    if found is None:
        orphan = create_instance(plan, clone)
        found = None if orphan is None else _member_of_instance(orphan, identifier)
    return found


def _create_orphan(plan: Plan, history: ResourceHistory) -> Resource | None:
    """Make a resource for a history whose resource is no longer configured."""
    xml = Element("primitive", {**history.xml.attrib, "id": history.id})
    resource = unpack_resource(plan, xml, None)
    if resource is None:
        return None
    if resource.is_remote_connection:
        node = plan.find_node(history.id)
        if node is None:
            node = create_node(plan, history.id, history.id, "remote")
        link_remote_node(plan, resource)
        node.shutdown = True
    if history.container is not None:
        resource.orphan_filler = True
    resource.orphan = True
    plan.add_resource(resource)
    if plan.options.stop_orphan_resources:
        add_location_score(plan, resource, None, -INFINITY)
        plan.reasons.resource(resource.id, Cause.ORPHAN, history.id, "not configured any more")
    else:
        resource.managed = False
    return resource


def _unpack_shutdown_lock(plan: Plan, history: ResourceHistory, resource: Resource, node: Node) -> None:
    lock_time = history.shutdown_lock
    if not lock_time:
        return
    limit = plan.options.shutdown_lock_limit
    if limit > 0 and plan.effective_time > lock_time + limit:
        delete_history_action(plan, resource, node)
    else:
        resource.lock_node = node
        resource.lock_time = lock_time


def active_range(operations: list[Operation]) -> tuple[int, int]:
    """Return the positions of the last start and the last stop; -1 where there is none.

    Without a start, a promotion, demotion or successful monitor implies one.
    """
    start = stop = implied_monitor = implied_clone = -1
    for position, operation in enumerate(operations):
        task = operation.task
        if task == "stop" and operation.status == ExecStatus.DONE:
            stop = position
        elif task in ("start", "migrate_from"):
            start = position
        elif implied_monitor <= stop and task == "monitor":
            if operation.rc in (0, 8):
                implied_monitor = position
        elif task in ("promote", "demote"):
            implied_clone = position
    if start == -1:
        start = implied_clone if implied_clone != -1 else implied_monitor
    return start, stop


def _keep_recurring(
    plan: Plan, node: Node, resource: Resource, operations: list[Operation], start: int, stop: int
) -> None:
    """Note which recurring operations are active, so that they are not scheduled again."""
    if not node.online:
        return
    for position, operation in enumerate(operations):
        if (start < stop and position <= stop) or position < start:
            continue
        if operation.interval_ms == 0 or operation.status == ExecStatus.PENDING:
            continue
        key = format_operation_key(resource.id, operation.task or "", operation.interval_ms)
        new_action(plan, resource, key, operation.task or "", node, optional=True)
