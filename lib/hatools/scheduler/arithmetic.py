"""What a resource's score on a node consists of. Pure."""

from collections.abc import Iterator

from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import ScoreReason
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import is_available
from hatools.scheduler.placement.promotion import promotion_score
from hatools.scheduler.plan import Plan
from hatools.values.role import Role
from hatools.values.score import INFINITY, add_scores, format_score

INSIDE_GROUP = "group:internal_colocation"


def arithmetic(plan: Plan, resource: Resource, node: Node) -> str:
    """Return the sum that makes a resource's score on a node, as text."""
    entry = resource.allowed.get(node)
    if entry is None:
        return "not allowed"
    parts = []
    total = node.score if node.score > -INFINITY else 0
    if total:
        parts.append(f"{format_score(total)} node score")
    for reason in score_reasons(plan, resource, node):
        total = add_scores(total, reason.score)
        parts.append(f"{format_score(reason.score)} {reason.evidence}")
    promotion = _promotion(plan, resource, node)
    if promotion > 0:
        total = add_scores(total, promotion)
        parts.append(f"{format_score(promotion)} promotion score")
    for colocation in outer_colocations(resource):
        share = _colocation_share(node, colocation)
        if share:
            total = add_scores(total, share)
            parts.append(f"{format_score(share)} {_named(colocation)}")
    if total != entry.score and abs(entry.score) < INFINITY and abs(total) < INFINITY:
        parts.append(f"{format_score(entry.score - total)} what is colocated with it")
    return (" + ".join(parts) or "no preference") + f" = {format_score(entry.score)}"


def _promotion(plan: Plan, resource: Resource, node: Node) -> int:
    """Return the promotion score with which a clone's instances choose their nodes."""
    clone = next((each for each in with_parents(resource) if each.clone_data is not None), None)
    if clone is None or clone.clone_data is None or not clone.clone_data.promotion_added or not is_available(node):
        return 0
    instance = next(each for each in with_parents(resource) if each.parent is clone)
    return promotion_score(plan, instance, node) or 0


def score_reasons(plan: Plan, resource: Resource, node: Node) -> list[ScoreReason]:
    """Return what was recorded about a resource's score on a node."""
    recorded = plan.reasons.scores.get(resource.id, ())
    return [reason for reason in recorded if reason.node is None or reason.node == node.name]


def with_parents(resource: Resource) -> Iterator[Resource]:
    """Yield a resource and what contains it, from the inside out."""
    current: Resource | None = resource
    while current is not None:
        yield current
        current = current.parent


def outer_colocations(resource: Resource) -> list[Colocation]:
    """Return the colocations that bind a resource, or what contains it, to something else."""
    around = list(with_parents(resource))
    return [colocation for each in around for colocation in each.this_with if colocation.primary not in around]


def places_of(resource: Resource, role: Role) -> list[Node]:
    """Return where a resource, or its instances in a role, will be."""
    return list(
        dict.fromkeys(
            each.assigned_to
            for each in resource.descendants()
            if each.is_primitive
            and each.assigned_to is not None
            and each.next_role is not Role.STOPPED
            and (role is Role.UNKNOWN or role is Role.STARTED or each.next_role is role)
        )
    )


def are_alike(node: Node, place: Node, colocation: Colocation) -> bool:
    """Say whether two nodes count as the same for a colocation."""
    attribute = colocation.attribute or "#uname"
    first, second = node.attributes.get(attribute), place.attributes.get(attribute)
    return first is not None and second is not None and first.lower() == second.lower()


def _colocation_share(node: Node, colocation: Colocation) -> int:
    """Return what a colocation adds to the dependent's score on a node."""
    places = places_of(colocation.primary, colocation.primary_role)
    if not places:
        return -colocation.score if colocation.score > 0 else 0
    if any(are_alike(node, place, colocation) for place in places):
        return colocation.score if colocation.score < INFINITY else 0
    return -INFINITY if colocation.score >= INFINITY else 0


def _named(colocation: Colocation) -> str:
    return f"with {colocation.primary.xml_id}" if colocation.id == INSIDE_GROUP else colocation.id
