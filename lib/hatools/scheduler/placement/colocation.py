"""What colocations do to scores. Pure."""

from enum import Enum

from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.node import copy_table
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import any_usable
from hatools.scheduler.plan import Plan
from hatools.values.role import Role
from hatools.values.score import INFINITY, add_scores


class Affects(Enum):
    """What a colocation has an influence on, at this point of the assignment."""

    NOTHING = 0
    LOCATION = 1
    ROLE = 2


def colocation_affects(
    plan: Plan, dependent: Resource, primary: Resource, colocation: Colocation, *, preview: bool = False
) -> Affects:
    """Say what a colocation has an influence on now (or, with ``preview``, will have)."""
    if not preview and primary.provisional:
        return Affects.NOTHING
    if (
        colocation.dependent_role >= Role.UNPROMOTED
        and dependent.parent is not None
        and dependent.parent.promotable
        and not dependent.provisional
    ):
        return Affects.ROLE
    if not preview and not dependent.provisional:
        return Affects.NOTHING
    roles = ((colocation.dependent_role, dependent.next_role), (colocation.primary_role, primary.next_role))
    for wanted, actual in roles:
        if wanted is Role.UNKNOWN:
            continue
        if (colocation.score > 0 and wanted is not actual) or (colocation.score < 0 and wanted is actual):
            return Affects.NOTHING
    return Affects.LOCATION


def _same(first: str | None, second: str | None) -> bool:
    if first is None or second is None:
        return first is second
    return first.lower() == second.lower()


def apply_to_scores(dependent: Resource, primary: Resource, colocation: Colocation) -> None:
    """Adjust the dependent's scores to where the primary was assigned."""
    score = colocation.score
    assigned = primary.assigned_to
    if assigned is None and score < 0:
        # Anti-colocation with something that is nowhere means nothing.
        return
    attribute = colocation.attribute or "#id"
    value = None if assigned is None else assigned.attributes.get(attribute)
    work = copy_table(dependent.allowed)
    for node, entry in work.items():
        if assigned is None:
            entry.score = add_scores(-score, entry.score)
        elif _same(node.attributes.get(attribute), value):
            if score < INFINITY:
                entry.score = add_scores(score, entry.score)
        elif score >= INFINITY:
            entry.score = add_scores(-score, entry.score)
    if abs(score) >= INFINITY or any_usable(work):
        dependent.allowed = work


def apply_to_priority(dependent: Resource, primary: Resource, colocation: Colocation) -> None:
    """Adjust the dependent's promotion priority to where the primary was assigned."""
    if primary.assigned_to is None or dependent.assigned_to is None:
        return
    attribute = colocation.attribute or "#id"
    if not _same(dependent.assigned_to.attributes.get(attribute), primary.assigned_to.attributes.get(attribute)):
        if colocation.score == INFINITY and colocation.dependent_role is Role.PROMOTED:
            dependent.priority = -INFINITY
        return
    if colocation.primary_role not in (Role.UNKNOWN, primary.next_role):
        return
    sign = -1 if colocation.dependent_role is Role.UNPROMOTED else 1
    dependent.priority = add_scores(sign * colocation.score, dependent.priority)


def colocated_resources(
    plan: Plan, resource: Resource, origin: Resource | None, found: dict[Resource, None]
) -> dict[Resource, None]:
    """Collect everything that a resource must be with, through chains of mandatory colocations."""
    origin = origin or resource
    if resource in found:
        return found
    found[resource] = None
    for colocation in resource.this_with:
        primary = colocation.primary
        if primary is origin or colocation.score != INFINITY:
            continue
        if colocation_affects(plan, resource, primary, colocation, preview=True) is Affects.LOCATION:
            assert primary.variant is not None
            found = primary.variant.colocated_resources(primary, origin, found)
    for colocation in resource.with_this:
        dependent = colocation.dependent
        if dependent is origin or colocation.score != INFINITY:
            continue
        if resource.is_clone and not dependent.is_clone:
            # A clone's instances are elsewhere, too.
            continue
        if colocation_affects(plan, dependent, resource, colocation, preview=True) is Affects.LOCATION:
            assert dependent.variant is not None
            found = dependent.variant.colocated_resources(dependent, origin, found)
    return found
