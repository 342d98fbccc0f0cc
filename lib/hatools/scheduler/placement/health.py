"""Node health: attributes named ``#health...`` as scores. Pure."""

from hatools.scheduler.model.node import Node
from hatools.scheduler.options import HealthStrategy
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.locations import new_location
from hatools.values.boolean import is_true
from hatools.values.score import add_scores


def health_score(plan: Plan, node: Node) -> int:
    """Return the sum of a node's health attributes and the base health."""
    total = plan.options.health_base
    for name, value in node.attributes.items():
        if name.startswith("#health"):
            total = add_scores(plan.options.score(value), total)
    return total


def apply_health(plan: Plan) -> None:
    """Let health count as a preference of every resource, unless it may use unhealthy nodes."""
    strategy = plan.options.health_strategy
    if strategy is HealthStrategy.NONE:
        return
    for node in plan.nodes:
        score = health_score(plan, node)
        if score == 0:
            continue
        for resource in plan.resources:
            if score > 0 or not is_true(resource.meta.get("allow-unhealthy-nodes")):
                new_location(plan, strategy.value, resource, score, None, node)
