"""Preferences for nodes: location constraints, stickiness, failures, shutdown locks. Pure."""

from hatools.scheduler.model.constraint import Location
from hatools.scheduler.model.node import Discovery, Node, NodeType
from hatools.scheduler.model.reason import Cause, ScoreReason
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import resource_actions
from hatools.scheduler.unpack.failures import fail_count, has_failures
from hatools.scheduler.unpack.scores import add_location_score
from hatools.values.role import Role
from hatools.values.score import INFINITY, add_scores

_DISCOVERY_RANK = {Discovery.ALWAYS: 0, Discovery.NEVER: 1, Discovery.EXCLUSIVE: 2}


def apply_node_criteria(plan: Plan) -> None:
    """Apply everything that makes a resource like or dislike a node, colocations aside."""
    if plan.options.shutdown_lock:
        for resource in list(plan.resources):
            assert resource.variant is not None
            resource.variant.shutdown_lock(resource)
    plan.max_valid_nodes = sum(
        node.score >= 0 and node.online and node.type is not NodeType.PING for node in plan.nodes
    )
    for location in reversed(plan.locations):
        assert location.resource.variant is not None
        location.resource.variant.apply_location(location.resource, location)
    for resource in plan.resources:
        apply_stickiness(plan, resource)
    for node in plan.nodes:
        failures = has_failures(plan, node)
        for resource in plan.resources:
            if failures:
                _check_threshold(plan, resource, node)
            _apply_exclusive_discovery(resource, node)


def apply_location(plan: Plan, resource: Resource, location: Location) -> None:
    """Add a constraint's scores to a resource's, if it is for the role that the resource will have."""
    if location.role is not Role.UNKNOWN and location.role is not resource.next_role:
        return
    for wanted in location.scores:
        entry = resource.allowed.get(wanted.node)
        if entry is None:
            entry = resource.allowed[wanted.node] = wanted.copy()
        else:
            entry.score = add_scores(entry.score, wanted.score)
        if _DISCOVERY_RANK[entry.discovery] < _DISCOVERY_RANK[location.discovery]:
            if location.discovery is Discovery.EXCLUSIVE:
                resource.exclusive_discovery = True
            entry.discovery = location.discovery
        if wanted.score:
            reason = ScoreReason(
                Cause.LOCATION,
                location.id,
                wanted.score,
                wanted.node.name,
                location.role.name.lower() if location.role is not Role.UNKNOWN else None,
                location.constraint,
            )
            plan.reasons.score(resource.id, reason)


def apply_stickiness(plan: Plan, resource: Resource) -> None:
    """Let an active resource prefer the node that it is on."""
    if resource.children:
        for child in resource.children:
            apply_stickiness(plan, child)
        return
    if not resource.managed or resource.stickiness < 1 or len(resource.running_on) != 1:
        return
    node = resource.running_on[0]
    if not plan.options.symmetric and node not in resource.allowed:
        # In an opt-in cluster, stickiness must not allow a node.
        return
    add_location_score(plan, resource, node, resource.stickiness)
    plan.reasons.score(
        resource.id, ScoreReason(Cause.STICKINESS, "resource-stickiness", resource.stickiness, node.name)
    )


def threshold_reached(plan: Plan, resource: Resource, node: Node) -> Resource | None:
    """Return what has to leave a node because of too many failures: the resource or its clone."""
    if resource.migration_threshold == 0 or resource.failure_ignored:
        return None
    count = fail_count(plan, node, resource, effective=True, fillers=True).count
    if count <= 0 or resource.migration_threshold > count:
        return None
    banned = resource if resource.unique else resource.top
    plan.say(
        "warning",
        f"{banned.id} cannot run on {node.display_name} due to reaching migration threshold "
        "(clean up resource to allow again)",
    )
    return banned


def _check_threshold(plan: Plan, resource: Resource, node: Node) -> None:
    if resource.children:
        for child in resource.children:
            _check_threshold(plan, child, node)
        return
    if resource_actions(resource, node, "clear_failcount", require_node=True):
        return
    banned = threshold_reached(plan, resource, node)
    if banned is not None:
        add_location_score(plan, banned, node, -INFINITY)
        plan.reasons.resource(
            banned.id,
            Cause.FAILURE,
            f"migration-threshold={resource.migration_threshold}",
            "failed too often on the node",
            node.name,
        )


def _apply_exclusive_discovery(resource: Resource, node: Node) -> None:
    """Ban nodes where a resource with exclusive discovery is not looked for."""
    if not resource.exclusive_discovery and not resource.top.exclusive_discovery:
        return
    for child in resource.children:
        _apply_exclusive_discovery(child, node)
    entry = resource.allowed.get(node)
    if entry is not None and entry.discovery is not Discovery.EXCLUSIVE:
        entry.score = -INFINITY
