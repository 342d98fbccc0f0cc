"""The commands that would change a decision. Pure.

Each is complete, so that it can be pasted into a shell as it is. Whether it is wise is for a person to say: next to
it stands what decided.
"""

from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.utilization import amount
from hatools.scheduler.plan import Plan

__all__ = [
    "allow_on",
    "clear_failures",
    "clear_node_failures",
    "clear_preference",
    "fit",
    "grant",
    "heal",
    "more_instances",
    "more_per_node",
    "more_promoted",
    "outermost",
    "promote_on",
]


def outermost(resource: Resource) -> str:
    """Return the name that commands take for the outermost part of a resource."""
    return resource.top_with_bundle(True).xml_id


def allow_on(resource: Resource, node: Node) -> str:
    """Allow a resource on a node of a cluster that allows nothing by itself."""
    name = outermost(resource)
    return f"crm configure location {name}-on-{node.name} {name} 100: {node.name}"


def clear_preference(constraint: str, node: Node) -> str:
    """Take back what ``move`` or ``ban`` left; the constraint's id is made of the resource's name."""
    name = constraint.removeprefix("cli-ban-").removeprefix("cli-prefer-").removesuffix(f"-on-{node.name}")
    return f"crm resource clear {name}"


def clear_failures(resource: Resource) -> str:
    """Forget a resource's failures."""
    return f"crm resource cleanup {resource.xml_id}"


def clear_node_failures(plan: Plan, node: Node) -> str:
    """Forget the failures for which a node is in standby."""
    names = [failed.resource.xml_id for failed in plan.failed_operations if failed.node is node]
    return f"crm resource cleanup {names[0]} {node.name}" if names else ""


def grant(plan: Plan, ticket: str) -> str:
    """Grant a ticket, or take it out of standby."""
    known = plan.tickets.get(ticket)
    if known is not None and known.granted:
        return f"crm_ticket --ticket {ticket} --activate"
    # Without booth, a person has to be sure that no other site has it.
    return f"crm_ticket --ticket {ticket} --grant --force"


def fit(resource: Resource, node: Node) -> str:
    """Let a resource ask for no more than a node has left; nothing if it is not this one that asks for too much."""
    for name, wanted in resource.utilization.items():
        left = max(0, amount(node.utilization.get(name)))
        if amount(wanted) > left:
            return f"crm resource utilization {resource.xml_id} set {name} {left}"
    return ""


def heal(node: Node) -> str:
    """Remove the attribute that says a node is not healthy."""
    for name, value in node.attributes.items():
        if name.startswith("#health") and value.lower() != "green":
            return f"crm node status-attr {node.name} delete '{name}'"
    return ""


def more_instances(clone: Resource) -> str:
    """Allow one instance more in all."""
    assert clone.clone_data is not None
    return f"crm resource meta {clone.xml_id} set clone-max {clone.clone_data.clone_max + 1}"


def more_per_node(clone: Resource) -> str:
    """Allow one instance more on each node."""
    assert clone.clone_data is not None
    return f"crm resource meta {clone.xml_id} set clone-node-max {clone.clone_data.clone_node_max + 1}"


def more_promoted(clone: Resource) -> str:
    """Allow one more promoted instance."""
    assert clone.clone_data is not None
    return f"crm resource meta {clone.xml_id} set promoted-max {clone.clone_data.promoted_max + 1}"


def promote_on(resource: Resource, node: Node) -> str:
    """Give an instance a promotion score, which is its agent's task."""
    return f"crm_attribute --promotion={resource.xml_id} --update=100 --node={node.name}"
