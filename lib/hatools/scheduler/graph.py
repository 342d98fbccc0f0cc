"""From actions to the transition graph. Pure."""

from hatools.scheduler.actions.notifications import notify_key
from hatools.scheduler.actions.remote import bundle_meta, connection_host
from hatools.scheduler.model.action import Action, ActionFlag, LinkState, Order
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.ordering.expand import belongs_to_graph, belongs_to_inputs, deduplicate_inputs
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.digests import FEATURE_SET
from hatools.scheduler.unpack.factory import cluster_pseudo_action
from hatools.scheduler.unpack.parameters import parameters
from hatools.transition.dot import DotEdge, DotNode
from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse
from hatools.values.integer import whole_number
from hatools.values.opkey import format_operation_key
from hatools.values.score import parse_score

_CLUSTER_TASKS = ("do_shutdown", "clear_failcount", "lrm_delete")
_FENCING = ("off", "reboot", "poweroff")


def build_graph(plan: Plan, transition_id: int) -> Graph:
    """Build the graph of everything that has to be done."""
    graph = Graph()
    plan.scratch["graph"] = graph
    options = plan.options
    graph.settings = {
        "cluster-delay": options.value("cluster-delay"),
        "stonith-timeout": options.value("stonith-timeout"),
        "failed-stop-offset": "INFINITY",
        "failed-start-offset": "INFINITY" if options.start_failure_fatal else "1",
        "batch-limit": options.value("batch-limit"),
        "transition_id": str(transition_id),
    }
    if parse_score(options.value("migration-limit")) > 0:
        graph.settings["migration-limit"] = options.value("migration-limit")
    if plan.recheck_by > 0:
        graph.settings["recheck-by"] = str(plan.recheck_by)
    for resource in plan.resources:
        assert resource.variant is not None
        resource.variant.add_actions_to_graph(resource)
    if any(True for _ in _maintenance_changes(plan)):
        cluster_pseudo_action(plan, "maintenance_nodes").flags |= ActionFlag.PRINT_ALWAYS
    for action in reversed(list(plan.actions)):
        _say_stuck_shutdown(plan, action)
        _add_action(plan, action)
    return graph


def _say_stuck_shutdown(plan: Plan, action: Action) -> None:
    resource, node = action.resource, action.node
    if (
        resource is not None
        and node is not None
        and node.shutdown
        and not resource.maintenance
        and not action.flags & (ActionFlag.OPTIONAL | ActionFlag.RUNNABLE)
        and action.task == "stop"
        and (plan.have_quorum or plan.options.quorum_policy is QuorumPolicy.IGNORE)
    ):
        what = "fence" if node.unclean else "shut down"
        state = " blocked" if resource.managed else " unmanaged"
        failed = " failed" if resource.failed else ""
        plan.say(
            "critical", f"Cannot {what} {node.display_name} because of {resource.id}:{state}{failed} ({action.key})"
        )


def add_resource(plan: Plan, resource: Resource) -> None:
    """Add a resource's actions, then those of its parts."""
    for action in reversed(list(resource.actions)):
        _add_action(plan, action)
    for child in resource.children:
        assert child.variant is not None
        child.variant.add_actions_to_graph(child)


def _add_action(plan: Plan, action: Action) -> None:
    if not action.flags & ActionFlag.DEDUP:
        deduplicate_inputs(action)
        action.flags |= ActionFlag.DEDUP
    if action.flags & ActionFlag.DUMPED:
        return
    errors: list[str] = []
    if not belongs_to_graph(action, errors):
        for error in errors:
            plan.config_error(error)
        return
    action.flags |= ActionFlag.DUMPED
    graph: Graph = plan.scratch["graph"]
    priority = max(0, action.priority, 0 if action.resource is None else action.resource.priority)
    synapse = Synapse(len(graph.synapses), priority=priority)
    graph.synapses.append(synapse)
    described = _describe(plan, action)
    _add_details(plan, action, described)
    synapse.actions.append(described)
    for link in reversed(action.before):
        if belongs_to_inputs(action, link):
            link.state = LinkState.DUMPED
            trigger = _describe(plan, link.action)
            synapse.inputs.append(trigger.id)
            synapse.triggers.append(trigger)


# -- describing actions


def _type_of(action: Action) -> ActionType:
    if action.task == "stonith":
        return ActionType.PSEUDO if action.pseudo else ActionType.CLUSTER
    if action.task in _CLUSTER_TASKS:
        return ActionType.CLUSTER
    return ActionType.PSEUDO if action.pseudo else ActionType.RESOURCE


def _interval(action: Action) -> int:
    return max(0, whole_number(action.meta.get("interval")))


def _history_key(action: Action, history_id: str) -> str:
    """Return the key under which the executor knows an instance of an anonymous clone."""
    if action.task == "notify":
        return notify_key(history_id, action.meta.get("notify_type", ""), action.meta.get("notify_operation", ""))
    return format_operation_key(history_id, action.cancel_task or action.task, _interval(action))


def _describe(plan: Plan, action: Action) -> GraphAction:
    """Return what identifies an action in the graph."""
    known: dict[Action, GraphAction] = plan.scratch.setdefault("graph actions", {})
    found = known.get(action)
    if found is not None:
        return found
    kind = _type_of(action)
    history_id = None if action.resource is None else action.resource.history_id
    described = GraphAction(action.id, kind, action.task, action.key)
    if history_id is not None:
        described.key, described.internal_key = _history_key(action, history_id), action.key
    if action.task == "lrm_delete":
        described.extra["mode"] = "cib"
    node = action.node
    # A fencing pseudo event still names the node.
    if node is not None and (kind is not ActionType.PSEUDO or action.task == "stonith"):
        described.node, described.node_id = node.name, node.id
        router = connection_host(action)
        if router is not None:
            described.router_node = router.name
        action.meta["on_node"] = node.name
        action.meta["on_node_uuid"] = node.id
    known[action] = described
    return described


def _add_details(plan: Plan, action: Action, described: GraphAction) -> None:
    """Add what whoever performs the action has to know."""
    resource = action.resource
    if resource is not None and not action.pseudo:
        if _locks(action, resource):
            described.extra["shutdown-lock"] = str(resource.lock_time)
        described.primitive = _primitive(resource)
    _add_attributes(plan, action, described)
    if described.node is not None:
        described.downed = _downed(plan, action)
    if action.task == "maintenance_nodes" and action.pseudo:
        described.maintenance = [(node.id, "1" if node.maintenance else "0") for node in _maintenance_changes(plan)]


def _locks(action: Action, resource: Resource) -> bool:
    """Say whether the action keeps a resource locked to a node that is shutting down."""
    if resource.lock_node is None or action.node is not resource.lock_node:
        return False
    return not (action.node.shutdown and action.task != "stop")


def _primitive(resource: Resource) -> dict[str, str]:
    found: dict[str, str] = {}
    history_id = resource.history_id
    if resource.orphan and history_id is not None:
        found["id"], found["long-id"] = history_id, resource.id
    elif not resource.unique:
        found["id"] = resource.xml_id
        found["long-id"] = history_id if history_id is not None and history_id != found["id"] else resource.id
    else:
        found["id"] = resource.id
    for name in ("class", "provider", "type"):
        value = resource.meta.get(name)
        if value is not None:
            found[name] = value
    return found


def meta_name(name: str) -> str:
    """Return the name under which a meta attribute is handed to agents."""
    return "CRM_meta_" + name.replace("-", "_")


def _add_meta(attributes: dict[str, str], meta: dict[str, str]) -> None:
    for name, value in meta.items():
        if "#" not in name and ":" not in name:
            attributes.setdefault(meta_name(name), value)


def _add_attributes(plan: Plan, action: Action, described: GraphAction) -> None:
    attributes: dict[str, str] = {"crm_feature_set": FEATURE_SET}
    for name, value in action.extra.items():
        attributes.setdefault(name, value)
    resource, node = action.resource, action.node
    if resource is not None and (node is not None or resource.kind is Kind.PRIMITIVE):
        for name, value in _parameters(plan, resource, node).items():
            if "0" <= name[:1] <= "9":
                described.parameters.append((name, value))
            else:
                attributes.setdefault(name, value)
    _add_meta(attributes, action.meta)
    if resource is not None:
        current: Resource | None = resource
        while current is not None:
            assert current.variant is not None
            current.variant.add_graph_meta(current, attributes)
            current = current.parent
        for name, value in bundle_meta(action).items():
            attributes.setdefault(name, value)
    elif action.task == "stonith" and node is not None:
        _add_meta(attributes, node.attributes)
    described.attributes = dict(sorted(attributes.items()))


def _parameters(plan: Plan, resource: Resource, node: Node | None) -> dict[str, str]:
    table = parameters(plan, resource, node)
    if node is not None and table.get("addr") == "#uname":
        # The address of a container is that of its host, by now known.
        address = parameters(plan, resource, None).get("addr")
        if address is not None:
            return {**table, "addr": address}
    return table


def _maintenance_changes(plan: Plan) -> list[Node]:
    """Return remote nodes whose executor does not know yet that maintenance began or ended."""
    return [node for node in plan.nodes if node.is_remote_or_guest and node.maintenance != node.remote_maintenance]


def _downed(plan: Plan, action: Action) -> list[str] | None:
    """Return the ids of nodes that are down once the action succeeded."""
    node = action.node
    assert node is not None
    if action.task == "do_shutdown":
        return [node.id]
    if action.task == "stonith":
        if action.meta.get("stonith_action") not in _FENCING:
            return None
        guests = []
        for inside in node.running if plan.have_remote_nodes else ():
            if inside.is_remote_connection and inside.container is not None:
                guest = plan.find_node(inside.id)
                if guest is not None:
                    guests.append(guest.id)
        return [node.id, *guests]
    resource = action.resource
    if resource is not None and resource.is_remote_connection and action.task == "stop":
        for link in action.before:
            first = link.action
            if first.resource is not None and first.resource.id == resource.id and first.task == "migrate_from":
                # The connection only moves.
                return None
        return [resource.id]
    return None


# -- the picture of a transition


def action_name(action: Action, *, with_id: bool = False) -> str:
    """Return the name of an action in dot graphs."""
    host: str | None = None
    if action.node is not None:
        host = action.node.name
    elif not action.pseudo:
        host = "<none>"
    prefix, task = "", action.task
    if action.task == "cancel":
        prefix, task = "Cancel ", action.cancel_task or ""
    history_id = None if action.resource is None else action.resource.history_id
    if history_id is not None:
        if action.task in ("notify", "notified"):
            kind, operation = action.meta.get("notify_key_type"), action.meta.get("notify_key_operation")
            key = notify_key(history_id, kind or "", operation or "")
        else:
            key = format_operation_key(history_id, task, _interval(action))
        name = f"{prefix}{key}" + (f" {host}" if host is not None else "")
    elif action.task == "stonith":
        name = f"{prefix}{action.task} '{action.meta.get('stonith_action')}' {host}"
    elif action.resource is not None and host is not None:
        name = f"{prefix}{action.key} {host}"
    elif host is not None:
        name = f"{prefix}{action.task} {host}"
    else:
        name = action.key
    return f"{name} ({action.id})" if with_id else name


def dot_graph(plan: Plan, *, all_actions: bool = False, with_ids: bool = False) -> tuple[list[DotNode], list[DotEdge]]:
    """Return the actions and orderings of a transition, those that were dropped only with ``all_actions``."""
    nodes: list[DotNode] = []
    edges: list[DotEdge] = []
    shown: dict[Action, None] = {}
    for action in reversed(plan.actions):
        style, color, font = "dashed", "black", "orange" if action.pseudo else "black"
        if action.flags & ActionFlag.DUMPED:
            style, color = "bold", "green"
        elif action.resource is not None and not action.resource.managed:
            color, font = "red", "purple"
            if not all_actions:
                continue
        elif action.optional:
            color = "blue"
            if not all_actions:
                continue
        else:
            color = "red"
        shown[action] = None
        nodes.append(DotNode(action_name(action, with_id=with_ids), style, color, font))
    for action in reversed(plan.actions):
        for link in reversed(action.before):
            style, optional = "dashed", True
            if link.state is LinkState.DUMPED:
                style, optional = "bold", False
            elif link.type == Order.NONE:
                continue
            elif link.action in shown and action in shown and link.type != Order.LOAD:
                optional = False
            if all_actions or not optional:
                edges.append(
                    DotEdge(action_name(link.action, with_id=with_ids), action_name(action, with_id=with_ids), style)
                )
    return nodes, edges
