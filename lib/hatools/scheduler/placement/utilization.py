"""Utilization: what nodes offer and resources take. Pure."""

from collections.abc import Iterable, Mapping

from hatools.scheduler.model.action import Action, ActionFlag, Order
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan, ScoreRecord
from hatools.scheduler.unpack.factory import cluster_pseudo_action
from hatools.scheduler.unpack.orderings import new_ordering
from hatools.scheduler.unpack.scores import add_location_score, scan_minimum
from hatools.values.glibhash import hash_order
from hatools.values.integer import leading_integer
from hatools.values.score import INFINITY

_LOWEST = -(2**31)


def amount(text: str | None) -> int:
    """Return a capacity or requirement as a number."""
    return 0 if leading_integer(text) is None else scan_minimum(text, _LOWEST)


def compare_capacities(first: Node, second: Node) -> int:
    """Return less than 0 if the first node has more capacity left, more if the second has."""
    result = 0
    for name, value in first.utilization.items():
        a, b = amount(value), amount(second.utilization.get(name))
        result += (a < b) - (a > b)
    for name, value in second.utilization.items():
        if name not in first.utilization:
            b = amount(value)
            result += (b > 0) - (b < 0)
    return result


def consume(node: Node, resource: Resource) -> None:
    """Take what a resource uses from a node's capacity; what the node does not offer counts as nothing."""
    for name, value in resource.utilization.items():
        current = node.utilization.get(name)
        node.utilization[name] = str(amount(current) - amount(value)) if current is not None else "0"


def release(node: Node, resource: Resource) -> None:
    """Give a node back what a resource uses."""
    for name, value in resource.utilization.items():
        node.utilization[name] = str(amount(node.utilization.get(name)) + amount(value))


def add_requirements(total: dict[str, int], resource: Resource) -> None:
    """Add what a resource uses to a total."""
    for name, value in resource.utilization.items():
        total[name] = total.get(name, 0) + amount(value)


def has_capacity(node: Node, required: Mapping[str, int]) -> bool:
    """Say whether a node has enough left of everything."""
    return all(needed <= amount(node.utilization.get(name)) for name, needed in required.items())


def ban_insufficient(plan: Plan, resource: Resource) -> Node | None:
    """Ban nodes that cannot carry the resource with all that must be with it.

    Returns:
        The node with most capacity left where no node can carry all of it.
    """
    from hatools.scheduler.placement.node_scores import is_usable

    if plan.options.placement_strategy == "default":
        return None
    assert resource.variant is not None
    together = resource.variant.colocated_resources(resource, None, {})
    together.setdefault(resource)
    required: dict[str, int] = {}
    for each in together:
        assert each.variant is not None
        each.variant.add_utilization(each, resource, together, required)
    most: Node | None = None
    capable = False
    by_id = {entry.node.id: entry for entry in resource.allowed.values()}
    # Of equally free nodes, the first in the original's order is taken.
    usable = [by_id[identifier].node for identifier in hash_order(by_id) if is_usable(by_id[identifier])]
    for node in usable:
        capable = capable or has_capacity(node, required)
        if most is None or compare_capacities(node, most) < 0:
            most = node
    if capable:
        most = None
    else:
        required = {name: amount(value) for name, value in resource.utilization.items()}
    for node in usable:
        if not has_capacity(node, required):
            add_location_score(plan, resource, node, -INFINITY)
            plan.reasons.resource(
                resource.id, Cause.UTILIZATION, node.name, "not enough capacity left on the node", node.name
            )
    return most


def _load_stopped(plan: Plan, node: Node) -> Action:
    action = cluster_pseudo_action(plan, f"load_stopped_{node.name}")
    if action.node is None:
        action.node = node
        action.flags &= ~ActionFlag.OPTIONAL
    return action


def order_by_load(plan: Plan, resource: Resource, nodes: Iterable[Node]) -> None:
    """Let starts on a node wait until everything that leaves the node has stopped."""
    for node in resource.running_on:
        done = _load_stopped(plan, node)
        new_ordering(plan, resource, f"{resource.id}_stop_0", None, None, None, done, Order.LOAD)
    for node in nodes:
        done = _load_stopped(plan, node)
        for task in ("start", "migrate_to"):
            new_ordering(plan, None, None, done, resource, f"{resource.id}_{task}_0", None, Order.LOAD)


def record_capacities(plan: Plan, stage: str) -> None:
    """Record what every node has left, for ``crm_simulate -U``."""
    if not plan.show_utilization:
        return
    for node in plan.nodes:
        plan.scores.append(ScoreRecord(stage, "", node.name, 0, tuple(node.utilization.items())))
