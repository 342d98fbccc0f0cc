"""What colocations do to scores. Pure."""

import struct
from enum import Enum

from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.node import Node, NodeTable, copy_table
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import any_usable, is_available
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import has_influence
from hatools.values.role import Role
from hatools.values.score import INFINITY, add_scores

_TAKEN_OUT = INFINITY * -100
"""Marks nodes whose positive score turned negative, while positive effects only are wanted."""


class Select:
    """Which colocations :func:`add_colocated_scores` follows, and how."""

    DEFAULT = 0
    THIS_WITH = 1
    NONNEGATIVE = 2
    ACTIVE = 4


class Affects(Enum):
    """What a colocation has an influence on, at this point of the assignment."""

    NOTHING = 0
    LOCATION = 1
    ROLE = 2


_pack, _unpack = struct.Struct("f").pack, struct.Struct("f").unpack


def single(value: float) -> float:
    """Round to single precision, as scores are weighed by single precision factors."""
    result: float = _unpack(_pack(value))[0]
    return result


def factor_of(score: int, sign: float = 1.0) -> float:
    """Return the weight that a colocation's score gives to the other resource's preferences."""
    return single(single(sign * score) / INFINITY)


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


def _best_by_attribute(resource: Resource, attribute: str) -> dict[str | None, int]:
    """Return the resource's best score on available nodes, by the value of a node attribute."""
    best: dict[str | None, int] = {}
    for node, entry in resource.allowed.items():
        if entry.score <= -INFINITY or not is_available(node):
            continue
        value = node.attributes.get(attribute)
        key = None if value is None else value.lower()
        known = best.get(key)
        if known is None or entry.score > known:
            best[key] = entry.score
    return best


def _score_by_node(resource: Resource, node: Node) -> int:
    entry = resource.allowed.get(node)
    return entry.score if entry is not None and is_available(node) else -INFINITY


def _add_matching(table: NodeTable, resource: Resource, attribute: str, factor: float, only_positive: bool) -> None:
    """Add a share of the resource's scores to all nodes that share its nodes' attribute."""
    by_name = attribute in ("", "#uname")
    best = {} if by_name else _best_by_attribute(resource, attribute)
    for node, entry in table.items():
        if by_name:
            score = _score_by_node(resource, node)
        else:
            value = node.attributes.get(attribute)
            score = best.get(None if value is None else value.lower(), -INFINITY)
        if factor < 0 and score < 0:
            # Two dislikes do not make a like.
            continue
        if entry.score == _TAKEN_OUT:
            continue
        weight = _share(score, factor)
        total = add_scores(weight, entry.score)
        if only_positive and total < 0 and entry.score > 0:
            entry.score = _TAKEN_OUT
        elif not (only_positive and total < 0 and entry.score == 0):
            entry.score = total


def _share(score: int, factor: float) -> int:
    """Return a share of a score, rounded; it does not vanish altogether."""
    if factor == 1.0:
        return score
    share = single(factor * score)
    weight = int(share - 0.5) if share < 0 else int(share + 0.5)
    if weight == 0 and score != 0:
        return 1 if factor > 0 else -1 if factor < 0 else 0
    return weight


def add_colocated_scores(
    resource: Resource, nodes: NodeTable | None, attribute: str, factor: float, flags: int
) -> NodeTable | None:
    """Return a table with the preferences of a resource, and of all that is colocated with it, added.

    Args:
        nodes: what they are added to; None starts from the resource's own scores.
        factor: the weight of the preferences; negative for anti-colocation.
    """
    if resource.merging:
        # Colocation loops end here.
        return nodes
    resource.merging = True
    try:
        return _add_colocated(resource, nodes, attribute, factor, flags)
    finally:
        resource.merging = False


def _start_table(
    resource: Resource, nodes: NodeTable | None, attribute: str, factor: float, flags: int
) -> NodeTable | None:
    if resource.is_group:
        if not resource.children:
            return None
        member = resource.children[-1] if nodes is None else resource.children[0]
        work = None if nodes is None else copy_table(nodes)
        return add_colocated_scores(member, work, attribute, factor, flags)
    if nodes is None:
        return copy_table(resource.allowed)
    work = copy_table(nodes)
    _add_matching(work, resource, attribute, factor, bool(flags & Select.NONNEGATIVE))
    return work


def _add_colocated(
    resource: Resource, nodes: NodeTable | None, attribute: str, factor: float, flags: int
) -> NodeTable | None:
    work = _start_table(resource, nodes, attribute, factor, flags)
    if work is None:
        return nodes
    if any_usable(work):
        sign = -1.0 if factor < 0.0 else 1.0
        this_with = bool(flags & Select.THIS_WITH)
        if this_with:
            colocations = resource.this_with
        else:
            colocations = resource.children[-1].with_this if resource.is_group else resource.with_this
        for colocation in list(colocations):
            if this_with:
                other = colocation.primary
            elif has_influence(colocation):
                other = colocation.dependent
            else:
                continue
            share = factor_of(colocation.score, sign)
            work = add_colocated_scores(other, work, colocation.attribute, share, flags | Select.ACTIVE) or work
    elif flags & Select.ACTIVE:
        return nodes
    if flags & Select.NONNEGATIVE:
        for entry in work.values():
            if entry.score == _TAKEN_OUT:
                entry.score = 1
    return work


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
