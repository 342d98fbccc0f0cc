"""Small graphs written by hand."""

from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse


def operation(
    number: int,
    resource: str,
    task: str,
    node: int,
    *,
    interval_ms: int = 0,
    target_rc: int = 0,
    after: tuple[int, ...] = (),
) -> Synapse:
    """Return a synapse with one operation of an agent."""
    attributes = {
        "CRM_meta_timeout": "20000",
        "CRM_meta_on_node": f"node{node}",
        "CRM_meta_op_target_rc": str(target_rc),
    }
    if interval_ms:
        attributes["CRM_meta_interval"] = str(interval_ms)
    action = GraphAction(
        id=number,
        type=ActionType.RESOURCE,
        operation=task,
        key=f"{resource}_{task}_{interval_ms}",
        node=f"node{node}",
        node_id=str(node),
        primitive={"id": resource, "class": "ocf", "provider": "hatools", "type": "Dummy"},
        attributes=attributes,
    )
    return Synapse(number, [action], list(after))


def cluster_event(number: int, task: str, node: int, *, after: tuple[int, ...] = (), **meta: str) -> Synapse:
    """Return a synapse with something the DC does itself."""
    attributes = {f"CRM_meta_{name}": value for name, value in meta.items()}
    action = GraphAction(
        number,
        ActionType.CLUSTER,
        task,
        f"{task}-node{node}",
        node=f"node{node}",
        node_id=str(node),
        attributes=attributes,
    )
    return Synapse(number, [action], list(after))


def pseudo(number: int, name: str, *, after: tuple[int, ...] = ()) -> Synapse:
    """Return a synapse with a point in time."""
    return Synapse(number, [GraphAction(number, ActionType.PSEUDO, "start", name)], list(after))


def graph(*synapses: Synapse, **settings: str) -> Graph:
    return Graph(list(synapses), {name.replace("_", "-"): value for name, value in settings.items()})
