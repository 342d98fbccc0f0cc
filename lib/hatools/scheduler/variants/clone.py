"""Clones: several instances of a primitive or group. Pure."""

from hatools.scheduler import graph
from hatools.scheduler.actions.notifications import create_notifications, create_notify_points
from hatools.scheduler.actions.probes import probe_resources
from hatools.scheduler.model.action import Action, Order, order_actions
from hatools.scheduler.model.constraint import Colocation, Location
from hatools.scheduler.model.node import Discovery, Node, NodeScore
from hatools.scheduler.model.resource import Kind, Resource, any_recursive
from hatools.scheduler.placement.assignment import InstanceOrder, assign_everywhere, sort_by_number
from hatools.scheduler.placement.colocation import colocated_resources
from hatools.scheduler.placement.compatible import copies_per_node, find_compatible
from hatools.scheduler.placement.location import apply_location
from hatools.scheduler.placement.node_scores import keep_only, record_scores
from hatools.scheduler.placement.preferences import Select, add_colocated_scores, factor_of
from hatools.scheduler.placement.promotion import (
    add_promotion_scores,
    colocate_with_promotable,
    set_instance_roles,
)
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import has_influence
from hatools.scheduler.unpack.factory import pseudo_action, resource_actions
from hatools.scheduler.unpack.orderings import order_starts, order_stops, order_tasks
from hatools.scheduler.variants.instances import (
    create_instance_actions,
    distribute,
    summary_flags,
    update_multiple,
)
from hatools.values.boolean import is_true
from hatools.values.role import Role
from hatools.values.score import INFINITY, add_scores


class CloneVariant:
    """Behaviour of clones, promotable ones included."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    # -- placement

    def assign(self, resource: Resource, prefer: Node | None) -> Node | None:
        if not resource.provisional or resource.assigning:
            return None
        plan, data = self.plan, resource.clone_data
        assert data is not None
        if resource.promotable:
            add_promotion_scores(plan, resource)
        resource.assigning = True
        for colocation in list(resource.this_with):
            assert colocation.primary.variant is not None
            colocation.primary.variant.assign(colocation.primary, prefer)
        for colocation in list(resource.with_this):
            if has_influence(colocation):
                table = add_colocated_scores(
                    plan,
                    colocation.dependent,
                    resource.allowed,
                    colocation.attribute,
                    factor_of(colocation.score),
                    Select.ACTIVE | Select.NONNEGATIVE,
                )
                if table is not None:
                    resource.allowed = table
        record_scores(plan, "clone", resource)
        resource.children = InstanceOrder(plan).sort(resource.children)
        distribute(plan, resource, list(resource.children), data.clone_max, data.clone_node_max)
        if resource.promotable:
            set_instance_roles(plan, resource)
        resource.provisional = resource.assigning = False
        return None

    def apply_location(self, resource: Resource, location: Location) -> None:
        apply_location(self.plan, resource, location)
        for instance in resource.children:
            assert instance.variant is not None
            instance.variant.apply_location(instance, location)

    def apply_colocation(
        self, dependent: Resource, primary: Resource, colocation: Colocation, *, for_dependent: bool
    ) -> None:
        """Apply a colocation with this clone as primary; as a dependent, its instances do it one by one."""
        if for_dependent or dependent.kind is not Kind.PRIMITIVE or primary.provisional:
            return
        if primary.promotable and colocation.primary_role is not Role.UNKNOWN:
            if dependent.provisional:
                colocate_with_promotable(primary, dependent, colocation)
                return
            if colocation.dependent_role is Role.PROMOTED:
                self._update_priority(dependent, primary, colocation)
                return
        if self._interleaves(colocation):
            self._colocate_interleaved(dependent, primary, colocation)
        elif colocation.score >= INFINITY:
            affected: list[NodeScore] = []
            for instance in primary.children:
                entry = instance.assigned_entry()
                if entry is not None and not any_recursive(instance, "blocked"):
                    affected.insert(0, entry)
            keep_only(dependent.allowed, affected, merge=False)
        else:
            for instance in primary.children:
                assert instance.variant is not None
                instance.variant.apply_colocation(dependent, instance, colocation, for_dependent=False)

    def _interleaves(self, colocation: Colocation) -> bool:
        dependent, primary = colocation.dependent, colocation.primary
        if dependent.kind <= Kind.GROUP or not is_true(dependent.meta.get("interleave")):
            return False
        if copies_per_node(dependent) == copies_per_node(primary):
            return True
        self.plan.say(
            "error",
            f"Cannot interleave {dependent.id} and {primary.id} because they do not support the same number of "
            "instances per node",
        )
        return False

    def _colocate_interleaved(self, dependent: Resource, primary: Resource, colocation: Colocation) -> None:
        instance = find_compatible(self.plan, dependent, primary)
        if instance is not None:
            assert dependent.variant is not None
            dependent.variant.apply_colocation(dependent, instance, colocation, for_dependent=True)
        elif colocation.score >= INFINITY:
            self.plan.say("notice", f"Cannot pair {dependent.id} with instance of {primary.id}")
            assign_everywhere(self.plan, dependent, None, force=True)

    def _update_priority(self, dependent: Resource, primary: Resource, colocation: Colocation) -> None:
        """Let a dependent be promoted where the primary's instance has the right role."""
        instance = find_compatible(self.plan, dependent, primary, colocation.primary_role)
        if instance is not None:
            dependent.priority = add_scores(dependent.priority, colocation.score)
        elif colocation.score >= INFINITY:
            dependent.priority = -INFINITY

    def colocated_resources(
        self, resource: Resource, origin: Resource | None, found: dict[Resource, None]
    ) -> dict[Resource, None]:
        return colocated_resources(self.plan, resource, origin, found)

    def add_utilization(
        self, resource: Resource, origin: Resource, siblings: dict[Resource, None], utilization: dict[str, int]
    ) -> None:
        """Count one instance, or those that are among the siblings."""
        if not resource.provisional:
            return
        existing = False
        for instance in resource.children:
            if instance in siblings:
                existing = True
            elif any(member in siblings for member in instance.children):
                assert instance.variant is not None
                instance.variant.add_utilization(instance, origin, siblings, utilization)
                existing = True
        if not existing and resource.children:
            first = resource.children[0]
            assert first.variant is not None
            first.variant.add_utilization(first, origin, siblings, utilization)

    def shutdown_lock(self, resource: Resource) -> None:
        """Clones are never locked: their instances are elsewhere, too."""

    # -- actions

    def create_actions(self, resource: Resource) -> None:
        create_instance_actions(self.plan, resource, resource.children, resource.clone_data)
        self._order_instances(resource)
        if resource.promotable:
            self._create_promotable_actions(resource)

    def _order_instances(self, resource: Resource) -> None:
        """Let the instances of an ordered clone start and stop one after the other."""
        assert resource.clone_data is not None
        if not resource.clone_data.ordered:
            return
        sort_by_number(resource)
        last: dict[str, Action] = {}
        for instance in resource.children:
            for task in ("stop", "start"):
                action = self._only_required(instance, task)
                if action is None:
                    continue
                earlier = last.get(task)
                if earlier is not None:
                    first, then = (action, earlier) if task == "stop" else (earlier, action)
                    order_actions(first, then, Order.OPTIONAL)
                last[task] = action

    def _only_required(self, resource: Resource, task: str) -> Action | None:
        actions = resource_actions(resource, None, task, require_node=False)
        required = [action for action in actions if not action.optional]
        return required[0] if len(required) == 1 else None

    def _create_promotable_actions(self, clone: Resource) -> None:
        promoting = demoting = False
        for instance in clone.children:
            assert instance.variant is not None
            instance.variant.create_actions(instance)
            one_promoting, one_demoting = _role_changes(instance)
            promoting, demoting = promoting or one_promoting, demoting or one_demoting
        self._create_promotion_points(clone, promoting, demoting)
        for instance in clone.children:
            # Until now the priority was that of being promoted.
            instance.priority = clone.priority

    def _create_promotion_points(self, clone: Resource, promoting: bool, demoting: bool) -> None:
        plan, data = self.plan, clone.clone_data
        assert data is not None
        promote = pseudo_action(plan, clone, "promote", optional=not promoting, runnable=True)
        promoted = pseudo_action(plan, clone, "promoted", optional=not promoting, runnable=True)
        promoted.priority = INFINITY
        if data.promote_notify is None:
            data.promote_notify = create_notify_points(plan, clone, "promote", promote, promoted)
        demote = pseudo_action(plan, clone, "demote", optional=not demoting, runnable=True)
        demoted = pseudo_action(plan, clone, "demoted", optional=not demoting, runnable=True)
        demoted.priority = INFINITY
        if data.demote_notify is not None:
            return
        data.demote_notify = create_notify_points(plan, clone, "demote", demote, demoted)
        stop, start, up, down = data.stop_notify, data.start_notify, data.promote_notify, data.demote_notify
        if stop is None or start is None or up is None or down is None:
            return
        for earlier, later in ((stop, up), (start, up), (down, up), (down, start), (down, stop)):
            order_actions(earlier.post_done, later.pre, Order.OPTIONAL)

    def create_probe(self, resource: Resource, node: Node) -> bool:
        sort_by_number(resource)
        if not resource.children:
            self.plan.config_warning(f"Clone {resource.id} has no children")
            return False
        if resource.exclusive_discovery:
            entry = resource.allowed.get(node)
            if entry is not None and entry.discovery is not Discovery.EXCLUSIVE:
                # Exclusive discovery is on, and it is not for this node.
                del resource.allowed[node]
                return False
        if resource.unique:
            return probe_resources(resource.children, node)
        instance = _instance_for_probe(resource, node)
        assert instance.variant is not None
        return instance.variant.create_probe(instance, node)

    def internal_constraints(self, resource: Resource) -> None:
        plan = self.plan
        assert resource.clone_data is not None
        ordered = resource.clone_data.ordered
        order_tasks(plan, resource, "stopped", resource, "start", Order.OPTIONAL)
        order_tasks(plan, resource, "start", resource, "running", Order.RUNNABLE_LEFT)
        order_tasks(plan, resource, "stop", resource, "stopped", Order.RUNNABLE_LEFT)
        if resource.promotable:
            order_tasks(plan, resource, "demoted", resource, "stop", Order.OPTIONAL)
            order_tasks(plan, resource, "running", resource, "promote", Order.RUNNABLE_LEFT)
        if ordered:
            sort_by_number(resource)
        last: Resource | None = None
        for instance in resource.children:
            assert instance.variant is not None
            instance.variant.internal_constraints(instance)
            order_starts(plan, resource, instance, Order.RUNNABLE_LEFT | Order.IMPLIES_FIRST_PRINTED)
            order_tasks(plan, instance, "start", resource, "running", Order.IMPLIES_THEN_PRINTED)
            if ordered and last is not None:
                order_starts(plan, last, instance, Order.OPTIONAL)
            order_stops(plan, resource, instance, Order.IMPLIES_FIRST_PRINTED)
            order_tasks(plan, instance, "stop", resource, "stopped", Order.IMPLIES_THEN_PRINTED)
            if ordered and last is not None:
                order_stops(plan, instance, last, Order.OPTIONAL)
            last = instance
        if resource.promotable:
            self._order_promotion(resource, ordered)

    def _order_promotion(self, clone: Resource, ordered: bool) -> None:
        plan = self.plan
        order_promotable_restart(plan, clone)
        last: Resource | None = None
        for instance in clone.children:
            order_tasks(plan, instance, "demote", instance, "promote", Order.OPTIONAL)
            order_tasks(plan, clone, "promote", instance, "promote", Order.OPTIONAL)
            order_tasks(plan, instance, "promote", clone, "promoted", Order.OPTIONAL)
            if last is not None and ordered:
                order_tasks(plan, last, "promote", instance, "promote", Order.OPTIONAL)
            order_tasks(plan, clone, "demote", instance, "demote", Order.IMPLIES_FIRST_PRINTED)
            order_tasks(plan, instance, "demote", clone, "demoted", Order.IMPLIES_THEN_PRINTED)
            if last is not None and ordered:
                order_tasks(plan, instance, "demote", last, "demote", Order.OPTIONAL)
            last = instance

    def action_flags(self, resource: Resource, action: Action, node: Node | None) -> int:
        return summary_flags(action, resource.children, node)

    def update_ordered_actions(
        self, resource: Resource, first: Action, then: Action, node: Node | None, flags: int, mask: int, order: int
    ) -> int:
        return update_multiple(self.plan, first, then, node, flags, mask, order)

    # -- results

    def output_actions(self, resource: Resource) -> None:
        for instance in resource.children:
            assert instance.variant is not None
            instance.variant.output_actions(instance)

    def add_graph_meta(self, resource: Resource, attributes: dict[str, str]) -> None:
        data = resource.clone_data
        assert data is not None
        attributes["CRM_meta_globally_unique"] = "true" if resource.unique else "false"
        attributes["CRM_meta_notify"] = "true" if resource.notify else "false"
        attributes["CRM_meta_clone_max"] = str(data.clone_max)
        attributes["CRM_meta_clone_node_max"] = str(data.clone_node_max)
        if resource.promotable:
            # Agents may know either spelling.
            for promoted in ("promoted", "master"):
                attributes[f"CRM_meta_{promoted}_max"] = str(data.promoted_max)
                attributes[f"CRM_meta_{promoted}_node_max"] = str(data.promoted_node_max)

    def add_actions_to_graph(self, resource: Resource) -> None:
        data = resource.clone_data
        assert data is not None
        for action in reversed(list(resource.actions)):
            self.action_flags(resource, action, None)
        for notifications in (data.start_notify, data.stop_notify, data.promote_notify, data.demote_notify):
            create_notifications(self.plan, resource, notifications)
        for instance in resource.children:
            assert instance.variant is not None
            instance.variant.add_actions_to_graph(instance)
        graph.add_resource(self.plan, resource)


def order_promotable_restart(plan: Plan, resource: Resource) -> None:
    """Keep stopping, demoting, starting and promoting of a whole clone in order."""
    for first, then in (
        ("stopped", "start"),
        ("stopped", "promote"),
        ("demoted", "stop"),
        ("demoted", "start"),
        ("demoted", "promote"),
        ("running", "promote"),
        ("demote", "demoted"),
    ):
        order_tasks(plan, resource, first, resource, then, Order.OPTIONAL)


def _role_changes(resource: Resource) -> tuple[bool, bool]:
    """Return whether anything in an instance is to be promoted, and whether to be demoted."""
    if resource.children:
        changes = [_role_changes(child) for child in resource.children]
        return any(promoting for promoting, _ in changes), any(demoting for _, demoting in changes)
    tasks = [action.task for action in resource.actions if not action.optional]
    return "promote" in tasks, "demote" in tasks


def _known_on(resource: Resource, node: Node) -> bool:
    if resource.children:
        return any(_known_on(child, node) for child in resource.children)
    return node in resource.known_on


def _instance_for_probe(clone: Resource, node: Node) -> Resource:
    """Choose the instance of an anonymous clone that is probed on a node."""
    for instance in clone.children:
        if _known_on(instance, node):
            return instance
    for instance in clone.children:
        if instance.sole_location(current=False) is node:
            return instance
    return clone.children[0]
