"""Groups: members in order, on one node. Pure."""

from hatools.scheduler import graph
from hatools.scheduler.actions.probes import probe_on_node
from hatools.scheduler.model.action import Action, ActionFlag, Order
from hatools.scheduler.model.constraint import Colocation, Location
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.ordering.propagate import Updated, update_ordered
from hatools.scheduler.placement.colocation import colocated_resources
from hatools.scheduler.placement.location import apply_location
from hatools.scheduler.placement.node_scores import record_scores
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import add_this_with, add_with_this, new_colocation
from hatools.scheduler.unpack.factory import find_first_action, task_action
from hatools.scheduler.unpack.orderings import order_starts, order_stops, order_tasks
from hatools.scheduler.variants.instances import atomic_task
from hatools.values.boolean import is_true
from hatools.values.score import INFINITY


class GroupVariant:
    """Behaviour of groups."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    # -- placement

    def assign(self, resource: Resource, prefer: Node | None) -> Node | None:
        if not resource.provisional:
            return resource.assigned_to
        if resource.assigning:
            return None
        if not resource.children:
            resource.provisional = False
            return None
        resource.assigning = True
        first = resource.children[0]
        resource.role = first.role
        _spread_colocations(resource)
        record_scores(self.plan, "group", resource)
        chosen: Node | None = None
        for member in resource.children:
            assert member.variant is not None
            node = member.variant.assign(member, prefer)
            chosen = chosen or node
        resource.next_role = first.next_role
        resource.assigning = resource.provisional = False
        assert resource.group_data is not None
        return chosen if resource.group_data.colocated else None

    def apply_location(self, resource: Resource, location: Location) -> None:
        """Apply a location; in a colocated group only once, as members' scores add up."""
        assert resource.group_data is not None
        original = location.scores
        zero = [entry.copy() for entry in reversed(original)]
        for entry in zero:
            entry.score = 0
        apply_location(self.plan, resource, location)
        for member in resource.children:
            assert member.variant is not None
            member.variant.apply_location(member, location)
            if resource.group_data.colocated:
                location.scores = zero
        location.scores = original

    def apply_colocation(
        self, dependent: Resource, primary: Resource, colocation: Colocation, *, for_dependent: bool
    ) -> None:
        group, other = (dependent, primary) if for_dependent else (primary, dependent)
        assert group.group_data is not None
        if not for_dependent and primary.provisional:
            return
        if group.group_data.colocated:
            if not group.children:
                return
            # The first member brings the others along; mandatory dependents wait for the last.
            last = not for_dependent and colocation.score >= INFINITY
            members = [group.children[-1 if last else 0]]
        elif colocation.score >= INFINITY:
            self.plan.say(
                "error", f"{dependent.id}: Cannot perform mandatory colocation with {other.id}: non-colocated group"
            )
            return
        else:
            members = group.children
        for member in members:
            assert member.variant is not None
            if for_dependent:
                member.variant.apply_colocation(member, primary, colocation, for_dependent=True)
            else:
                member.variant.apply_colocation(dependent, member, colocation, for_dependent=False)

    def _considered(self, resource: Resource) -> list[Resource]:
        """Return the members that count for utilization: all that have to be together."""
        assert resource.group_data is not None
        if resource.group_data.colocated or (resource.parent is not None and resource.parent.is_clone):
            return resource.children
        return resource.children[:1]

    def colocated_resources(
        self, resource: Resource, origin: Resource | None, found: dict[Resource, None]
    ) -> dict[Resource, None]:
        origin = origin or resource
        for member in self._considered(resource):
            assert member.variant is not None
            found = member.variant.colocated_resources(member, origin, found)
        return colocated_resources(self.plan, resource, origin, found)

    def add_utilization(
        self, resource: Resource, origin: Resource, siblings: dict[Resource, None], utilization: dict[str, int]
    ) -> None:
        if not resource.provisional:
            return
        for member in self._considered(resource):
            if member.provisional and member not in siblings:
                assert member.variant is not None
                member.variant.add_utilization(member, origin, siblings, utilization)

    def shutdown_lock(self, resource: Resource) -> None:
        for member in resource.children:
            assert member.variant is not None
            member.variant.shutdown_lock(member)

    # -- actions

    def create_actions(self, resource: Resource) -> None:
        for member in resource.children:
            assert member.variant is not None
            member.variant.create_actions(member)
        tasks = ["start", "running", "stop", "stopped"]
        if is_true(resource.meta.get("promotable")):
            tasks += ["demote", "demoted", "promote", "promoted"]
        for task in tasks:
            action = task_action(self.plan, resource, task, None, optional=True)
            action.flags |= ActionFlag.PSEUDO | ActionFlag.RUNNABLE

    def create_probe(self, resource: Resource, node: Node) -> bool:
        return probe_on_node(self.plan, resource, node)

    def internal_constraints(self, resource: Resource) -> None:
        plan = self.plan
        order_tasks(plan, resource, "stop", resource, "stopped", Order.RUNNABLE_LEFT)
        order_tasks(plan, resource, "stopped", resource, "start", Order.OPTIONAL)
        order_tasks(plan, resource, "start", resource, "running", Order.RUNNABLE_LEFT)
        previous: Resource | None = None
        last_active: Resource | None = None
        for member in resource.children:
            self._order_member(resource, member, previous, last_active)
            if member.running_on:
                last_active = member
            previous = member

    def _order_member(
        self, group: Resource, member: Resource, previous: Resource | None, last_active: Resource | None
    ) -> None:
        plan = self.plan
        data = group.group_data
        assert data is not None and member.variant is not None
        promotable = group.top.promotable
        down, after_down = Order.IMPLIES_FIRST_PRINTED, Order.IMPLIES_THEN_PRINTED
        member.variant.internal_constraints(member)
        if previous is None:
            if data.ordered:
                # The first member is the last to stop.
                down |= Order.OPTIONAL
                after_down = Order.IMPLIES_THEN
        elif data.colocated:
            new_colocation(
                plan, "group:internal_colocation", None, INFINITY, member, previous, influence=member.critical
            )
        up = Order.RUNNABLE_LEFT | Order.IMPLIES_THEN | Order.IMPLIES_THEN_PRINTED
        if promotable:
            order_tasks(plan, group, "demote", member, "demote", down)
            order_tasks(plan, member, "demote", group, "demoted", after_down)
            order_tasks(plan, member, "promote", group, "promoted", up)
            order_tasks(plan, group, "promote", member, "promote", Order.IMPLIES_FIRST_PRINTED)
        order_stops(plan, group, member, down)
        order_tasks(plan, member, "stop", group, "stopped", after_down)
        order_starts(plan, group, member, Order.IMPLIES_FIRST_PRINTED)
        order_tasks(plan, member, "start", group, "running", up)
        if not data.ordered:
            flags = Order.IMPLIES_THEN | Order.RUNNABLE_LEFT | Order.IMPLIES_FIRST_PRINTED
            order_starts(plan, group, member, flags)
            if promotable:
                order_tasks(plan, group, "promote", member, "promote", flags)
        elif previous is not None:
            order_starts(plan, previous, member, Order.IMPLIES_THEN | Order.RUNNABLE_LEFT)
            order_stops(plan, member, previous, Order.OPTIONAL | Order.RESTART)
            if promotable:
                flags = Order.IMPLIES_THEN | Order.RUNNABLE_LEFT
                order_tasks(plan, previous, "promote", member, "promote", flags)
                order_tasks(plan, member, "demote", previous, "demote", Order.OPTIONAL)
        else:
            order_starts(plan, group, member, Order.NONE)
            if promotable:
                order_tasks(plan, group, "promote", member, "promote", Order.NONE)
        if (
            member.running_on
            and data.ordered
            and previous is not None
            and not previous.running_on
            and last_active is not None
            and last_active.running_on
        ):
            # Members that are active although the one before is not still stop in order.
            order_stops(plan, member, last_active, Order.OPTIONAL)

    def action_flags(self, resource: Resource, action: Action, node: Node | None) -> int:
        """Return what the actions of all members amount to."""
        flags = ActionFlag.OPTIONAL | ActionFlag.RUNNABLE | ActionFlag.PSEUDO
        for member in resource.children:
            task = atomic_task(member, action.task)
            found = find_first_action(member, None, task, node)
            if found is None:
                if task not in ("stop", "demote"):
                    flags &= ~ActionFlag.RUNNABLE
                continue
            assert member.variant is not None
            member_flags = member.variant.action_flags(member, found, node)
            if flags & ActionFlag.OPTIONAL and not member_flags & ActionFlag.OPTIONAL:
                flags &= ~ActionFlag.OPTIONAL
                action.flags &= ~ActionFlag.OPTIONAL
            if task != action.task and flags & ActionFlag.RUNNABLE and not member_flags & ActionFlag.RUNNABLE:
                flags &= ~ActionFlag.RUNNABLE
                action.flags &= ~ActionFlag.RUNNABLE
        return flags

    def update_ordered_actions(
        self, resource: Resource, first: Action, then: Action, node: Node | None, flags: int, mask: int, order: int
    ) -> int:
        changed = Updated.NONE | update_ordered(self.plan, first, then, node, flags, mask, order)
        assert then.resource is not None
        for member in then.resource.children:
            found = find_first_action(member, None, then.task, node)
            if found is not None:
                assert member.variant is not None
                changed |= member.variant.update_ordered_actions(member, first, found, node, flags, mask, order)
        return changed

    # -- results

    def output_actions(self, resource: Resource) -> None:
        for member in resource.children:
            assert member.variant is not None
            member.variant.output_actions(member)

    def add_graph_meta(self, resource: Resource, attributes: dict[str, str]) -> None:
        """Groups are not mentioned to agents."""

    def add_actions_to_graph(self, resource: Resource) -> None:
        graph.add_resource(self.plan, resource)


def _spread_colocations(group: Resource) -> None:
    """Hand the group's colocations to its ends: the first member goes with others, others with the last."""
    first = group.children[0]
    for colocation in group.this_with:
        add_this_with(first, colocation)
    # Behind an unmanaged member, which stays where it is, all members need mandatory ones.
    any_unmanaged = not first.managed
    for member in group.children[1:]:
        if any_unmanaged:
            for colocation in group.this_with:
                if colocation.score == INFINITY:
                    add_this_with(member, colocation)
        elif not member.managed:
            any_unmanaged = True
    group.this_with = []
    for colocation in group.with_this:
        add_with_this(group.children[-1], colocation)
    group.with_this = []
