"""Node tables: which nodes are usable, in which order, and recording scores. Pure."""

import functools
from collections.abc import Iterable

from hatools.scheduler.model.node import Node, NodeScore, NodeTable, node_sort_key
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.utilization import compare_capacities
from hatools.scheduler.plan import Plan, ScoreRecord
from hatools.scheduler.unpack.scores import base_entry
from hatools.values.score import INFINITY, add_scores


def is_available(node: Node | None) -> bool:
    """Say whether resources may run on a node at all, scores aside."""
    return (
        node is not None
        and node.online
        and not node.shutdown
        and not node.unclean
        and not node.standby
        and not node.maintenance
    )


def is_usable(entry: NodeScore | None) -> bool:
    """Say whether a node is available and not refused by its score."""
    return entry is not None and entry.score >= 0 and is_available(entry.node)


def any_usable(table: NodeTable) -> bool:
    """Say whether any node of a table is usable."""
    return any(entry.score >= 0 and is_available(entry.node) for entry in table.values())


def sorted_entries(plan: Plan, entries: Iterable[NodeScore], active: Node | None) -> list[NodeScore]:
    """Return the entries, best first: by score, then capacity or number of resources, then where it is active."""
    strategy = plan.options.placement_strategy

    def score(entry: NodeScore) -> int:
        return entry.score if is_available(entry.node) else -INFINITY

    if strategy == "minimal":
        return sorted(entries, key=lambda e: (-score(e), e.node.name))
    if strategy != "balanced":
        return sorted(entries, key=lambda e: (-score(e), e.node.num_resources, e.node is not active, e.node.name))

    def compare(a: NodeScore, b: NodeScore) -> int:
        first, second = score(a), score(b)
        if first != second:
            return -1 if first > second else 1
        capacity = compare_capacities(a.node, b.node)
        if capacity:
            return capacity
        first_key = (a.node.num_resources, a.node is not active, a.node.name)
        second_key = (b.node.num_resources, b.node is not active, b.node.name)
        return (first_key > second_key) - (first_key < second_key)

    return sorted(sorted(entries, key=lambda e: e.node.name), key=functools.cmp_to_key(compare))


def sorted_nodes(plan: Plan, nodes: Iterable[Node]) -> list[Node]:
    """Return nodes by their base scores, best first."""
    return [entry.node for entry in sorted_entries(plan, [base_entry(node) for node in nodes], None)]


def top_entry(resource: Resource, node: Node) -> NodeScore | None:
    """Return what the collection that a resource belongs to (or itself) thinks of a node."""
    owner = resource if resource.parent is None else resource.parent
    return owner.allowed.get(node)


def keep_only(table: NodeTable, nodes: list[NodeScore], *, merge: bool) -> None:
    """Ban all nodes that are not in a list; with ``merge``, add the list's scores to the others."""
    listed = {entry.node: entry for entry in reversed(nodes)}
    for node, entry in table.items():
        other = listed.get(node)
        if other is None:
            entry.score = -INFINITY
        elif merge:
            entry.score = add_scores(entry.score, other.score)
    for other in nodes:
        if other.node not in table:
            added = other.copy()
            added.score = -INFINITY
            table[other.node] = added


def add_to_score(resource: Resource, node: Node, score: int) -> None:
    """Add to the scores of a resource and everything in it where it knows the node."""
    entry = resource.allowed.get(node)
    if entry is not None:
        entry.score = add_scores(entry.score, score)
    for child in resource.children:
        add_to_score(child, node, score)


def record_scores(plan: Plan, stage: str, resource: Resource) -> None:
    """Record a resource's scores as they are now, nodes in the order of their names."""
    if resource.orphan or not plan.record_scores:
        return
    order: dict[Node, object] = plan.scratch.setdefault("node order", {})
    if len(order) != len(plan.nodes):
        order.clear()
        order.update((node, position) for position, node in enumerate(sorted(plan.nodes, key=node_sort_key)))
    allowed = resource.allowed
    for node in sorted(allowed, key=order.__getitem__):  # type: ignore[arg-type]  # scratch holds numbers here
        plan.scores.append(ScoreRecord(stage, resource.id, node.name, allowed[node].score))
    for child in resource.children:
        record_scores(plan, stage, child)
