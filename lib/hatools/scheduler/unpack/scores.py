"""Node tables of resources, and scores that are not constraints. Pure."""

from hatools.scheduler.model.node import Discovery, Node, NodeScore
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.values.integer import leading_integer
from hatools.values.score import INFINITY, add_scores


def base_entry(node: Node) -> NodeScore:
    """Return what a resource thinks of a node before anything was said about it."""
    return NodeScore(node, node.score, node.discovery)


def whole_table(plan: Plan, score: int) -> dict[Node, NodeScore]:
    """Return a table with the same score for every node."""
    return {node: NodeScore(node, score, node.discovery) for node in plan.nodes}


def scan_minimum(text: str | None, minimum: int) -> int:
    """Read an integer that is at least a minimum; nothing or nonsense means the minimum."""
    number = leading_integer(text)
    return minimum if number is None else max(minimum, min(2**31 - 1, number))


def limit_instances(plan: Plan, identifier: str, option: str, wanted: int, most: int) -> int:
    """Return how many instances of a clone or bundle to make; Pacemaker makes as many as are asked for, or dies."""
    if wanted > most:
        plan.config_error(f"Making {most} instances of {identifier} because {option}={wanted} is too many")
    return min(wanted, most)


def add_node_score(resource: Resource, node: Node, score: int) -> None:
    """Add to the score of a resource, and of everything in it, on a node."""
    for child in resource.children:
        add_node_score(child, node, score)
    entry = resource.allowed.get(node)
    if entry is None:
        entry = resource.allowed[node] = base_entry(node)
    entry.score = add_scores(entry.score, score)


def add_location_score(plan: Plan, resource: Resource, node: Node | None, score: int) -> None:
    """Add to a resource's score on one node, or on every node; a total ban undoes an assignment."""
    if node is not None:
        add_node_score(resource, node, score)
        return
    for each in plan.nodes:
        add_node_score(resource, each, score)
    if score <= -INFINITY:
        resource.assigned_to = None


def allow_everywhere(plan: Plan, resource: Resource) -> None:
    """Let a resource run on every node that is not reserved for something else."""
    if resource.exclusive_discovery:
        return
    for child in resource.children:
        allow_everywhere(plan, child)
    for node in plan.nodes:
        if node.discovery is not Discovery.NEVER and node not in resource.allowed:
            resource.allowed[node] = base_entry(node)
