"""What clones and bundles share: spreading instances, summing up their actions, interleaving. Pure."""

from collections.abc import Sequence

from hatools.scheduler.actions.notifications import create_notify_points
from hatools.scheduler.model.action import Action, ActionFlag, Order, order_actions
from hatools.scheduler.model.node import Node, copy_table
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import CloneData, Kind, Replica, Resource
from hatools.scheduler.ordering.propagate import Updated, update_for_orderings, update_ordered
from hatools.scheduler.placement.assignment import assign_everywhere, unassign
from hatools.scheduler.placement.compatible import containers_or_children, find_compatible
from hatools.scheduler.placement.node_scores import (
    add_to_score,
    is_available,
    is_usable,
    top_entry,
)
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import add_this_with, add_with_this, has_influence
from hatools.scheduler.unpack.factory import find_first_action, pseudo_action
from hatools.scheduler.unpack.scores import add_location_score, base_entry
from hatools.values.boolean import is_true
from hatools.values.score import INFINITY

_ATOMIC = {"stopped": "stop", "running": "start", "demoted": "demote", "promoted": "promote"}
_TASKS = (
    "stop",
    "stopped",
    "start",
    "running",
    "do_shutdown",
    "stonith",
    "monitor",
    "notify",
    "notified",
    "promote",
    "demote",
    "promoted",
    "demoted",
)


def atomic_task(resource: Resource, task: str) -> str:
    """Return the task of a part that corresponds to a task of the whole: primitives have no "stopped"."""
    if resource.kind is Kind.PRIMITIVE and task in _ATOMIC:
        return _ATOMIC[task]
    return task if task in _TASKS else "no_action"


# -- placement


def distribute(plan: Plan, resource: Resource, instances: Sequence[Resource], maximum: int, per_node: int) -> None:
    """Assign instances to nodes: first those that can stay, then the others."""
    available = 0
    for entry in resource.allowed.values():
        entry.count = 0
        available += is_available(entry.node)
    all_colocations = maximum < available
    fair_share = max(1, maximum // available) if available else 1
    assigned = 0
    for instance in instances:
        if assigned >= maximum:
            break
        if not instance.running_on or not instance.provisional or instance.failed:
            continue
        node = instance.active_node()
        assert node is not None
        if not is_usable(base_entry(node)):
            continue
        entry_there = top_entry(instance, node)
        if entry_there is not None and entry_there.count >= fair_share:
            continue
        if _assign_instance(plan, instance, node, all_colocations, per_node) is not None:
            assigned += 1
    for instance in instances:
        if instance.running_on:
            node = instance.active_node()
            if node is not None and top_entry(instance, node) is None:
                plan.say("error", f"{instance.id} is running on {node.display_name} which isn't allowed")
        if not instance.provisional:
            continue
        if assigned >= maximum:
            add_location_score(plan, instance, None, -INFINITY)
            plan.reasons.resource(instance.id, Cause.CLONE_LIMIT, "clone-max", "there are enough instances")
        elif _assign_instance(plan, instance, None, all_colocations, per_node) is not None:
            assigned += 1


def _inherit_colocations(clone: Resource, instance: Resource, everything: bool) -> None:
    """Let the colocations of a clone count for an instance; optional ones only if nodes are to be chosen."""
    for colocation in list(clone.this_with):
        if everything or colocation.score < 0 or colocation.score == INFINITY:
            add_this_with(instance, colocation)
    for colocation in list(clone.with_this):
        if has_influence(colocation, instance) and (everything or colocation.score < 0):
            add_with_this(instance, colocation)


def _limit(plan: Plan, instance: Resource, per_node: int) -> None:
    """Ban nodes that have enough instances or do not want any."""
    for entry in list(instance.allowed.values()):
        node = entry.node
        if not is_available(node) or instance.orphan:
            add_to_score(instance, node, -INFINITY)
            continue
        top = top_entry(instance, node)
        if top is None:
            plan.say("warning", f"{instance.id} cannot run on {node.display_name}: node not allowed")
            add_to_score(instance, node, -INFINITY)
        elif top.score < 0 or top.count >= per_node:
            add_to_score(instance, node, -INFINITY)


def _assign_instance(
    plan: Plan, instance: Resource, prefer: Node | None, all_colocations: bool, per_node: int
) -> Node | None:
    """Assign an instance; with ``prefer``, to that node or not at all."""
    if not instance.provisional:
        return instance.sole_location(current=False)
    if instance.assigning:
        return None
    assert instance.parent is not None and instance.variant is not None
    _inherit_colocations(instance.parent, instance, all_colocations)
    if prefer is not None:
        entry = instance.allowed.get(prefer)
        if entry is None or entry.score < 0:
            return None
    _limit(plan, instance, per_node)
    backup = copy_table(instance.allowed)
    chosen = instance.variant.assign(instance, prefer)
    if chosen is not None and prefer is not None and chosen is not prefer:
        # It would move; whether it really does is decided after all that can stay.
        instance.allowed = backup
        unassign(instance)
        return None
    if chosen is not None:
        top = top_entry(instance, chosen)
        if top is not None:
            top.count += 1
        elif instance.managed:
            plan.say("error", f"{chosen.id} not found in {instance.parent.id}")
    return chosen


# -- actions


def _activity(resource: Resource) -> tuple[bool, bool, bool]:
    """Return whether anything in an instance is stopping, starting, active."""
    if resource.children:
        stopping = starting = active = False
        for child in resource.children:
            child_stopping, child_starting, child_active = _activity(child)
            stopping, starting, active = stopping or child_stopping, starting or child_starting, active or child_active
        return stopping, starting, active
    stopping = starting = False
    for action in resource.actions:
        if action.optional or not action.flags & (ActionFlag.PSEUDO | ActionFlag.RUNNABLE):
            continue
        if action.task == "stop":
            stopping = True
        elif action.task == "start" and action.runnable:
            starting = True
    return stopping, starting, bool(resource.running_on)


def create_instance_actions(
    plan: Plan, resource: Resource, instances: Sequence[Resource], data: CloneData | None
) -> None:
    """Create the actions of all instances and those that sum them up."""
    stopping = starting = active = False
    migratable = True
    for instance in instances:
        assert instance.variant is not None
        instance.variant.create_actions(instance)
        one_stopping, one_starting, one_active = _activity(instance)
        if one_stopping and one_starting:
            migratable = False
        stopping, starting, active = stopping or one_stopping, starting or one_starting, active or one_active
    start = pseudo_action(plan, resource, "start", optional=not starting, runnable=True)
    started = pseudo_action(plan, resource, "running", optional=not starting, runnable=False)
    started.priority = INFINITY
    if active or starting:
        started.flags |= ActionFlag.RUNNABLE
    if data is not None and data.start_notify is None:
        data.start_notify = create_notify_points(plan, resource, "start", start, started)
    stop = pseudo_action(plan, resource, "stop", optional=not stopping, runnable=True)
    stopped = pseudo_action(plan, resource, "stopped", optional=not stopping, runnable=True)
    stopped.priority = INFINITY
    if migratable:
        stop.flags |= ActionFlag.MIGRATE_RUNNABLE
    if data is not None and data.stop_notify is None:
        data.stop_notify = create_notify_points(plan, resource, "stop", stop, stopped)
        if data.start_notify is not None and data.stop_notify is not None:
            order_actions(data.stop_notify.post_done, data.start_notify.pre, Order.OPTIONAL)


def instance_task(action: Action) -> str:
    """Return the task of an instance that corresponds to a clone's action; for notifications, what they are about."""
    assert action.resource is not None
    child = action.resource.children[0]
    if action.task in ("notify", "notified"):
        rest, _, _ = action.key.rpartition("_")
        return atomic_task(child, rest.rpartition("_")[2])
    return atomic_task(child, action.task)


def summary_flags(action: Action, instances: Sequence[Resource], node: Node | None) -> int:
    """Return what the actions of all instances amount to: required if any is, runnable if any is."""
    flags = ActionFlag.OPTIONAL | ActionFlag.RUNNABLE | ActionFlag.PSEUDO
    task = instance_task(action)
    any_runnable = False
    for instance in instances:
        found = find_first_action(instance, None, task, None if instance.children else node)
        if found is None:
            continue
        assert instance.variant is not None
        child_flags = instance.variant.action_flags(instance, found, node)
        if flags & ActionFlag.OPTIONAL and not child_flags & ActionFlag.OPTIONAL:
            flags &= ~ActionFlag.OPTIONAL
            action.flags &= ~ActionFlag.OPTIONAL
        if child_flags & ActionFlag.RUNNABLE:
            any_runnable = True
        if any_runnable and not flags & ActionFlag.OPTIONAL and not instance.children:
            # Nothing that the others say changes that.
            break
    if not any_runnable:
        flags &= ~ActionFlag.RUNNABLE
        if node is None:
            action.flags &= ~ActionFlag.RUNNABLE
    return flags


# -- orderings


def _can_interleave(first: Action, then: Action) -> bool:
    a, b = first.resource, then.resource
    if a is None or b is None or a is b or a.kind < Kind.CLONE or b.kind < Kind.CLONE:
        return False
    # Going down, it is the resource that would be the dependent going up that decides.
    decisive = a if then.key.endswith(("_stop_0", "_demote_0")) else b
    return is_true(decisive.meta.get("interleave"))


def _replica_of(resource: Resource, container: Resource, node: Node | None) -> Replica | None:
    if resource.bundle_data is None:
        return None
    for replica in resource.bundle_data.replicas:
        if (
            replica.child is not None
            and replica.container is container
            and replica.node is not None
            and replica.node.node is node
        ):
            return replica
    return None


def update_multiple(
    plan: Plan, first: Action, then: Action, node: Node | None, flags: int, mask: int, order: int
) -> int:
    """Apply one meaning of an ordering to a clone's or bundle's action and those of its instances."""
    if _can_interleave(first, then):
        return _update_interleaved(plan, first, then, node, mask, order)
    changed = Updated.NONE
    if then.resource is None:
        return changed
    changed |= update_ordered(plan, first, then, node, flags, mask, order)
    for instance in containers_or_children(then.resource):
        found = find_first_action(instance, None, then.task, node)
        if found is None:
            continue
        assert instance.variant is not None
        instance_changed = Updated.NONE
        if instance.variant.action_flags(instance, found, node) & ActionFlag.RUNNABLE:
            instance_changed = instance.variant.update_ordered_actions(instance, first, found, node, flags, mask, order)
        changed |= instance_changed
        if instance_changed & Updated.THEN:
            for link in reversed(found.after):
                update_for_orderings(plan, link.action)
    return changed


def _update_interleaved(plan: Plan, first: Action, then: Action, node: Node | None, mask: int, order: int) -> int:
    """Apply an ordering between two clones instance by instance."""
    assert first.resource is not None and then.resource is not None
    changed = Updated.NONE
    current = first.key.endswith(("_stopped_0", "_demoted_0"))
    for instance in list(containers_or_children(then.resource)):
        other = find_compatible(plan, instance, first.resource, current=current)
        if other is None:
            if not current and order & (Order.RUNNABLE_LEFT | Order.IMPLIES_THEN):
                # There is nothing to be interleaved with on its node.
                if assign_everywhere(plan, instance, None, force=True):
                    changed |= Updated.THEN
                plan.reasons.resource(
                    instance.id, Cause.DEPENDENCY, first.resource.id, f"no instance of {first.resource.id} there"
                )
            continue
        first_action = _action_of(first.resource, other, first.task, instance_task(first), node, "stop")
        then_action = _action_of(then.resource, instance, then.task, then.task, node, "mote")
        if first_action is None or then_action is None:
            continue
        if order_actions(first_action, then_action, order):
            changed |= Updated.FIRST | Updated.THEN
        assert instance.variant is not None and other.variant is not None
        first_flags = other.variant.action_flags(other, first_action, node)
        changed |= instance.variant.update_ordered_actions(
            instance, first_action, then_action, node, first_flags, mask, order
        )
    return changed


def _action_of(
    collection: Resource, instance: Resource, task: str, instance_task_: str, node: Node | None, inside: str
) -> Action | None:
    """Return an instance's action; of a bundle, some happen inside the container."""
    replica = _replica_of(collection, instance, node)
    if inside in task and replica is not None and replica.child is not None:
        return find_first_action(replica.child, None, instance_task_, node)
    return find_first_action(instance, None, instance_task_, node)
