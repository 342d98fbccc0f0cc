"""Colocation constraints, from the configuration and from ourselves. Pure."""

from bisect import bisect_left
from itertools import pairwise
from xml.etree.ElementTree import Element

from hatools.scheduler.model.action import Order
from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.orderings import order_tasks
from hatools.scheduler.unpack.resource_sets import (
    InvalidConstraint,
    Side,
    expand_tags,
    find_constraint_resource,
    find_instance,
    required_resource,
    resource_sets,
    set_members,
)
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.role import Role, parse_role
from hatools.values.score import INFINITY


def _sort_key(resource: Resource) -> tuple[int, int, bool, str]:
    """Return the key by which colocations are considered: important ones and collections first."""
    is_promotable = resource.kind is Kind.CLONE and resource.promotable
    return (-resource.priority, -resource.kind, not is_promotable, resource.id)


def add_this_with(resource: Resource, colocation: Colocation) -> None:
    """Let a colocation count for its dependent (or a part of it), in order of its primary."""
    known = resource.this_with
    known.insert(
        bisect_left(known, _sort_key(colocation.primary), key=lambda each: _sort_key(each.primary)), colocation
    )


def add_with_this(resource: Resource, colocation: Colocation) -> None:
    """Let a colocation count for its primary (or a part of it), in order of its dependent."""
    known = resource.with_this
    place = bisect_left(known, _sort_key(colocation.dependent), key=lambda each: _sort_key(each.dependent))
    known.insert(place, colocation)


def has_influence(colocation: Colocation, resource: Resource | None = None) -> bool:
    """Say whether the dependent may influence where the primary (or a part of it) is placed."""
    resource = resource or colocation.primary
    if colocation.dependent.allow_remote_remotes and not resource.failed and len(resource.running_on) == 1:
        # Moving a connection is cheap, moving its container is not.
        return False
    return colocation.influence or not resource.running_on


def _role(text: str | None) -> Role:
    return Role.UNKNOWN if text is None or text.lower() == "started" else parse_role(text)


def new_colocation(
    plan: Plan,
    identifier: str,
    attribute: str | None,
    score: int,
    dependent: Resource,
    primary: Resource,
    dependent_role: str | None = None,
    primary_role: str | None = None,
    *,
    influence: bool = True,
) -> None:
    """Record that a resource is to be placed with another, or away from it."""
    if score == 0:
        return
    colocation = Colocation(
        identifier,
        attribute or "",
        dependent,
        primary,
        _role(dependent_role),
        _role(primary_role),
        score,
        influence,
    )
    add_this_with(dependent, colocation)
    add_with_this(primary, colocation)
    plan.colocations.append(colocation)
    if score <= -INFINITY:
        # Whichever gives way has to do so before the other comes.
        _order_apart(plan, dependent, colocation.dependent_role, primary, colocation.primary_role)
        _order_apart(plan, primary, colocation.primary_role, dependent, colocation.dependent_role)


def _order_apart(plan: Plan, first: Resource, first_role: Role, then: Resource, then_role: Role) -> None:
    leaving = ["demote"] if first_role is Role.PROMOTED else ["stop"]
    if first_role is Role.UNPROMOTED:
        leaving.append("promote")
    coming = ["promote"] if then_role is Role.PROMOTED else ["start"]
    if then_role is Role.UNPROMOTED:
        coming.append("demote")
    for first_task in leaving:
        for then_task in coming:
            order_tasks(plan, first, first_task, then, then_task, Order.ANTI_COLOCATION)


# -- reading constraints


_SIDES = (Side("rsc", "rsc-role", "role"), Side("with-rsc", "with-rsc-role", "role"))


def unpack_colocation(plan: Plan, xml: Element) -> None:
    """Read one ``rsc_colocation``."""
    identifier = xml.get("id") or ""
    score = plan.options.score(xml.get("score"))
    influence = xml.get("influence")
    try:
        expanded = expand_tags(plan, xml, _SIDES, convert_resources=True)
        last: Element | None = None
        for each in resource_sets(plan, expanded):
            _unpack_set(plan, each, score, identifier, influence)
            if last is not None:
                _colocate_sets(plan, identifier, last, each, score, influence)
            last = each
    except InvalidConstraint:
        return
    if last is None:
        _unpack_simple(plan, xml, identifier, influence)


def _influence(plan: Plan, identifier: str, resource: Resource, text: str | None) -> bool:
    if text is not None:
        value = parse_boolean(text)
        if value is not None:
            return value
        plan.say("error", f"Constraint '{identifier}' has invalid value for influence (using default)")
    return resource.critical


def _unpack_simple(plan: Plan, xml: Element, identifier: str, influence: str | None) -> None:
    sides: list[Resource] = []
    for attribute in ("rsc", "with-rsc"):
        name = xml.get(attribute)
        instance = xml.get(attribute + "-instance")
        if instance is not None:
            plan.say(
                "warning",
                f"Support for {attribute}-instance is deprecated and will be removed in a future release.",
                processing=True,
                once="colocation instance",
            )
        resource = find_constraint_resource(plan, name)
        if resource is None:
            plan.say("error", f"Ignoring constraint '{identifier}' because resource '{name}' does not exist")
            return
        if instance is not None:
            resource = find_instance(plan, identifier, resource, name or "", instance)
            if resource is None:
                return
        sides.append(resource)
    if is_true(xml.get("symmetrical")):
        plan.say("warning", "The colocation constraint 'symmetrical' attribute has been removed")
    dependent, primary = sides
    new_colocation(
        plan,
        identifier,
        xml.get("node-attribute"),
        plan.options.score(xml.get("score")),
        dependent,
        primary,
        xml.get("rsc-role"),
        xml.get("with-rsc-role"),
        influence=_influence(plan, identifier, dependent, influence),
    )


def _unpack_set(plan: Plan, each: Element, score: int, constraint: str, influence: str | None) -> None:
    """Colocate the members of a set."""
    identifier = each.get("id") or ""
    role = each.get("role")
    if each.get("score"):
        score = plan.options.score(each.get("score"))
    if score == 0 or parse_boolean(each.get("sequential")) is False:
        return
    try:
        members = set_members(plan, identifier, each)
    except InvalidConstraint:
        return

    def colocate(dependent: Resource, primary: Resource) -> None:
        free = _influence(plan, constraint, dependent, influence)
        new_colocation(plan, identifier, None, score, dependent, primary, role, role, influence=free)

    if score < 0:
        # Each member avoids all that were listed before it.
        for position, resource in enumerate(members):
            for other in members[:position]:
                if other.id.lower() == resource.id.lower():
                    break
                colocate(resource, other)
    elif (each.get("ordering") or "group").lower() == "group":
        for previous, resource in pairwise(members):
            colocate(resource, previous)
    else:
        for previous, resource in pairwise(members):
            colocate(previous, resource)


def _colocate_sets(
    plan: Plan, constraint: str, set1: Element, set2: Element, score: int, influence: str | None
) -> None:
    """Colocate one set with another."""
    if score == 0:
        return
    roles = (set1.get("role"), set2.get("role"))
    try:
        references1 = [each.get("id") for each in set1 if each.tag == "resource_ref"]
        references2 = [each.get("id") for each in set2 if each.tag == "resource_ref"]
        dependents, primaries = None, None
        if parse_boolean(set1.get("sequential")) is not False and references1:
            dependents = [required_resource(plan, constraint, references1[0])]
        if parse_boolean(set2.get("sequential")) is not False:
            primaries = [required_resource(plan, constraint, references2[-1] if references2 else None)]
        if dependents is None:
            dependents = set_members(plan, constraint, set1)
        if primaries is None:
            primaries = set_members(plan, constraint, set2)
    except InvalidConstraint:
        return
    for dependent in dependents:
        free = _influence(plan, constraint, dependent, influence)
        for primary in primaries:
            new_colocation(plan, constraint, None, score, dependent, primary, *roles, influence=free)
