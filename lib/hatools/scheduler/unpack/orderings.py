"""Ordering constraints, from the configuration and from ourselves. Pure."""

from enum import Enum
from itertools import pairwise
from xml.etree.ElementTree import Element

from hatools.scheduler.model.action import Action, ActionFlag, Order
from hatools.scheduler.model.constraint import Ordering
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import cluster_pseudo_action
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
from hatools.scheduler.unpack.scores import scan_minimum
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.opkey import parse_operation_key


class OrderKind(Enum):
    """How strong an ordering constraint is."""

    OPTIONAL = "optional"
    MANDATORY = "mandatory"
    SERIALIZE = "serialize"


class Symmetry(Enum):
    """Whether the reverse order holds for the inverse actions; INVERSE is that reverse itself."""

    ASYMMETRIC = "asymmetric"
    SYMMETRIC = "symmetric"
    INVERSE = "inverse"


_INVERSE = {
    "start": "stop",
    "stop": "start",
    "promote": "demote",
    "demote": "promote",
    "promoted": "demoted",
    "demoted": "promoted",
    "running": "stopped",
    "stopped": "running",
}


# -- making orderings


def new_ordering(
    plan: Plan,
    first: Resource | None,
    first_key: str | None,
    first_action: Action | None,
    then: Resource | None,
    then_key: str | None,
    then_action: Action | None,
    flags: int,
    constraint: str = "",
) -> None:
    """Record an ordering; either side is an action, or a resource and an action's key.

    Resources that can migrate get the equivalent orderings of their migrations, too.
    """
    if first is None and first_action is not None:
        first = first_action.resource
    if then is None and then_action is not None:
        then = then_action.resource
    if first_key is None and first_action is not None:
        first_key = first_action.key
    if then_key is None and then_action is not None:
        then_key = then_action.key
    ordering = Ordering(
        plan.next_order_id, flags, first, first_key, first_action, then, then_key, then_action, constraint
    )
    plan.next_order_id += 1
    plan.orderings.append(ordering)
    if (
        first is not None
        and then is not None
        and first is not then
        and (first.allow_migrate or then.allow_migrate)
        and not first.is_descendant_of(then)
        and not then.is_descendant_of(first)
    ):
        _order_migrations(plan, ordering, first, then)


def order_tasks(
    plan: Plan, first: Resource, first_task: str, then: Resource, then_task: str, flags: int, constraint: str = ""
) -> None:
    """Order one task of a resource before one of another (or the same) resource."""
    new_ordering(
        plan, first, f"{first.id}_{first_task}_0", None, then, f"{then.id}_{then_task}_0", None, flags, constraint
    )


def order_starts(plan: Plan, first: Resource, then: Resource, flags: int) -> None:
    order_tasks(plan, first, "start", then, "start", flags)


def order_stops(plan: Plan, first: Resource, then: Resource, flags: int) -> None:
    order_tasks(plan, first, "stop", then, "stop", flags)


def _task_of(action: Action | None, key: str | None) -> str | None:
    if action is not None:
        return action.task
    parsed = None if key is None else parse_operation_key(key)
    return None if parsed is None else parsed[1]


def _order_migrations(plan: Plan, ordering: Ordering, first: Resource, then: Resource) -> None:
    """Add what an ordering means when a start or stop turns out to be a migration."""
    tasks = (
        _task_of(ordering.first_action, ordering.first_task),
        _task_of(ordering.then_action, ordering.then_task),
    )
    first_moves, then_moves = first.allow_migrate, then.allow_migrate
    flags = Order.OPTIONAL
    if tasks == ("start", "start"):
        if first_moves and then_moves:
            order_tasks(plan, first, "migrate_from", then, "migrate_to", flags)
        if then_moves:
            if first_moves:
                flags |= Order.APPLY_FIRST_NON_MIGRATABLE
            order_tasks(plan, first, "start", then, "migrate_to", flags)
    elif not then_moves:
        return
    elif tasks == ("stop", "stop"):
        if first_moves:
            flags |= Order.APPLY_FIRST_NON_MIGRATABLE
        order_tasks(plan, first, "stop", then, "migrate_to", flags)
        if then.partial_migration_target is not None:
            order_tasks(plan, first, "stop", then, "migrate_from", flags)
    elif tasks == ("promote", "start"):
        order_tasks(plan, first, "promote", then, "migrate_to", flags)
    elif tasks == ("demote", "stop"):
        order_tasks(plan, first, "demote", then, "migrate_to", flags)
        if then.partial_migration_target is not None:
            order_tasks(plan, first, "demote", then, "migrate_from", flags)


# -- reading constraints


def invert_task(plan: Plan, task: str) -> str | None:
    """Return the task that undoes another."""
    inverse = _INVERSE.get(task.lower())
    if inverse is None:
        plan.say("warning", f"Unknown action '{task}' specified in order constraint")
    return inverse


def _kind(plan: Plan, xml: Element) -> OrderKind:
    kind = xml.get("kind")
    if kind is None:
        score = xml.get("score")
        if score is None:
            return OrderKind.MANDATORY
        plan.say(
            "warning",
            "Support for 'score' in rsc_order is deprecated and will be removed in a future release "
            "(use 'kind' instead)",
            processing=True,
            once="order score",
        )
        return OrderKind.MANDATORY if plan.options.score(score) else OrderKind.OPTIONAL
    try:
        return OrderKind(kind.lower())
    except ValueError:
        plan.say(
            "error",
            f"Resetting 'kind' for constraint {xml.get('id') or 'missing ID'} to 'Mandatory' "
            f"because '{kind}' is not valid",
        )
        return OrderKind.MANDATORY


def _symmetry(plan: Plan, xml: Element, parent_kind: OrderKind, parent_symmetrical: str | None) -> Symmetry:
    kind = parent_kind
    if xml.get("kind") is not None or xml.get("score") is not None:
        kind = _kind(plan, xml)
    symmetric = parse_boolean(xml.get("symmetrical"))
    if symmetric is None and parent_symmetrical is not None:
        symmetric = is_true(parent_symmetrical)
    if symmetric is None:
        return Symmetry.ASYMMETRIC if kind is OrderKind.SERIALIZE else Symmetry.SYMMETRIC
    if symmetric and kind is OrderKind.SERIALIZE:
        plan.say("warning", f"Ignoring symmetrical for '{xml.get('id')}' because not valid with kind of 'Serialize'")
        return Symmetry.ASYMMETRIC
    return Symmetry.SYMMETRIC if symmetric else Symmetry.ASYMMETRIC


def _flags(kind: OrderKind, first_task: str | None, symmetry: Symmetry) -> int:
    flags = Order.OPTIONAL
    if kind is OrderKind.SERIALIZE:
        return flags | Order.SERIALIZE_ONLY
    if kind is OrderKind.OPTIONAL:
        return flags
    if symmetry is Symmetry.ASYMMETRIC:
        return flags | Order.ASYMMETRICAL
    if symmetry is Symmetry.INVERSE:
        return flags | Order.IMPLIES_FIRST
    flags |= Order.IMPLIES_THEN
    if (first_task or "").lower() in ("start", "promote"):
        flags |= Order.RUNNABLE_LEFT
    return flags


_SIDES = (Side("first", "first-action", "action"), Side("then", "then-action", "action"))


def unpack_order(plan: Plan, xml: Element) -> None:
    """Read one ``rsc_order``."""
    identifier = xml.get("id") or ""
    kind = _kind(plan, xml)
    symmetry = _symmetry(plan, xml, kind, None)
    try:
        expanded = expand_tags(plan, xml, _SIDES, convert_resources=True)
        last: Element | None = None
        for each in resource_sets(plan, expanded):
            _unpack_set(plan, identifier, each, kind, xml.get("symmetrical"))
            if last is not None:
                _order_sets(plan, identifier, last, each, kind, symmetry)
                if symmetry is Symmetry.SYMMETRIC:
                    _order_sets(plan, identifier, each, last, kind, Symmetry.INVERSE)
            last = each
    except InvalidConstraint:
        return
    if last is None:
        _unpack_simple(plan, xml, identifier)


def _ordering_resource(plan: Plan, xml: Element, attribute: str) -> Resource | None:
    constraint = xml.get("id") or ""
    identifier = xml.get(attribute)
    if identifier is None:
        plan.say("error", f"Ignoring constraint '{constraint}' without {attribute}")
        return None
    resource = find_constraint_resource(plan, identifier)
    if resource is None:
        plan.say("error", f"Ignoring constraint '{constraint}' because resource '{identifier}' does not exist")
        return None
    instance = xml.get(attribute + "-instance")
    if instance is None:
        return resource
    plan.say(
        "warning",
        "Support for first-instance and then-instance is deprecated and will be removed in a future release.",
        processing=True,
        once="order instance",
    )
    return find_instance(plan, constraint, resource, identifier, instance)


def _minimum_instances(plan: Plan, clone: Resource, xml: Element) -> int:
    """Return how many instances of a clone suffice for what is ordered after it; 0 means all."""
    if not clone.is_clone:
        return 0
    minimum = clone.meta.get("clone-min")
    if minimum is not None:
        return scan_minimum(minimum, 0)
    require_all = xml.get("require-all")
    if require_all is None:
        return 0
    plan.say(
        "warning",
        "Support for require-all in ordering constraints is deprecated and will be removed in a future release "
        "(use clone-min clone meta-attribute instead)",
        processing=True,
        once="require-all",
    )
    return 0 if is_true(require_all) else 1


def _unpack_simple(plan: Plan, xml: Element, identifier: str) -> None:
    first = _ordering_resource(plan, xml, "first")
    if first is None:
        return
    then = _ordering_resource(plan, xml, "then")
    if then is None:
        return
    first_task = xml.get("first-action") or "start"
    then_task = xml.get("then-action") or first_task
    kind = _kind(plan, xml)
    symmetry = _symmetry(plan, xml, kind, None)
    flags = _flags(kind, first_task, symmetry)
    if kind is OrderKind.OPTIONAL and then.restart_with_dependency:
        flags |= Order.IMPLIES_THEN
    minimum = _minimum_instances(plan, first, xml)
    if minimum > 0:
        _order_after_minimum(plan, identifier, first, first_task, then, then_task, flags, minimum)
    else:
        order_tasks(plan, first, first_task, then, then_task, flags, identifier)
    if symmetry is Symmetry.SYMMETRIC:
        _order_inverse(plan, identifier, kind, first, first_task, then, then_task)


def _order_after_minimum(
    plan: Plan,
    identifier: str,
    first: Resource,
    first_task: str,
    then: Resource,
    then_task: str,
    flags: int,
    minimum: int,
) -> None:
    met = cluster_pseudo_action(plan, f"clone-one-or-more:{identifier}")
    met.required_runnable_before = minimum
    met.flags |= ActionFlag.REQUIRES_ANY
    for child in first.children:
        key = f"{child.id}_{first_task}_0"
        flags_any = Order.ONE_OR_MORE | Order.IMPLIES_THEN_PRINTED
        new_ordering(plan, child, key, None, None, None, met, flags_any, identifier)
    key = f"{then.id}_{then_task}_0"
    new_ordering(plan, None, None, met, then, key, None, flags | Order.RUNNABLE_LEFT, identifier)


def _order_inverse(
    plan: Plan,
    identifier: str,
    kind: OrderKind,
    first: Resource,
    first_task: str,
    then: Resource,
    then_task: str,
) -> None:
    undo_then, undo_first = invert_task(plan, then_task), invert_task(plan, first_task)
    if undo_then is None or undo_first is None:
        plan.say("warning", f"Cannot invert constraint '{identifier}' (please specify inverse manually)")
        return
    flags = _flags(kind, undo_first, Symmetry.INVERSE)
    if kind is OrderKind.OPTIONAL and then.restart_with_dependency:
        flags |= Order.IMPLIES_FIRST
    order_tasks(plan, then, undo_then, first, undo_first, flags, identifier)


def _unpack_set(
    plan: Plan, identifier: str, each: Element, parent_kind: OrderKind, parent_symmetrical: str | None
) -> None:
    """Order the members of a set."""
    task = each.get("action") or "start"
    kind = parent_kind if each.get("kind") is None else _kind(plan, each)
    sequential = is_true(each.get("sequential", "1"))
    symmetry = _symmetry(plan, each, parent_kind, parent_symmetrical)
    flags = _flags(kind, task, symmetry)
    members = set_members(plan, each.get("id"), each)
    if len(members) == 1:
        return
    if kind is OrderKind.SERIALIZE:
        for position, resource in enumerate(members):
            for then in members[position + 1 :]:
                order_tasks(plan, resource, task, then, task, flags, identifier)
    elif sequential:
        for resource, then in pairwise(members):
            order_tasks(plan, resource, task, then, task, flags, identifier)
    if symmetry is Symmetry.ASYMMETRIC:
        return
    undo = invert_task(plan, task)
    if undo is None or not sequential:
        return
    flags = _flags(kind, undo, Symmetry.INVERSE)
    for last, resource in pairwise(members):
        order_tasks(plan, resource, undo, last, undo, flags, identifier)


def _order_sets(plan: Plan, identifier: str, set1: Element, set2: Element, kind: OrderKind, symmetry: Symmetry) -> None:
    """Order one set before another."""
    task1, task2 = set1.get("action") or "start", set2.get("action") or "start"
    inverse = symmetry is Symmetry.INVERSE
    if inverse:
        task1, task2 = invert_task(plan, task1) or "", invert_task(plan, task2) or ""
    require_all = parse_boolean(set1.get("require-all")) is not False or task1.lower() in ("stop", "demote")
    flags = _flags(kind, task2, symmetry)
    if not require_all:
        _order_after_any(plan, identifier, set1, task1, set2, task2, flags)
        return
    first = _set_end(plan, identifier, set1, last=not inverse)
    then = _set_end(plan, identifier, set2, last=inverse)
    firsts = [first] if first is not None else set_members(plan, identifier, set1)
    thens = [then] if then is not None else set_members(plan, identifier, set2)
    for each in firsts:
        for other in thens:
            order_tasks(plan, each, task1, other, task2, flags, identifier)


def _set_end(plan: Plan, identifier: str, each: Element, *, last: bool) -> Resource | None:
    """Return the first or last member of a set whose members are explicitly sequential."""
    if not is_true(each.get("sequential")):
        return None
    references = [member.get("id") for member in each if member.tag == "resource_ref"]
    if not references:
        return None
    return required_resource(plan, identifier, references[-1 if last else 0])


def _order_after_any(
    plan: Plan, identifier: str, set1: Element, task1: str, set2: Element, task2: str, flags: int
) -> None:
    """Order a set after any one member of another."""
    met = cluster_pseudo_action(plan, f"one-or-more:{set1.get('id')}")
    met.flags |= ActionFlag.REQUIRES_ANY
    for resource in set_members(plan, identifier, set1):
        flags_any = Order.ONE_OR_MORE | Order.IMPLIES_THEN_PRINTED
        new_ordering(plan, resource, f"{resource.id}_{task1}_0", None, None, None, met, flags_any, identifier)
    for resource in set_members(plan, identifier, set2):
        key = f"{resource.id}_{task2}_0"
        new_ordering(plan, None, None, met, resource, key, None, flags | Order.RUNNABLE_LEFT, identifier)
