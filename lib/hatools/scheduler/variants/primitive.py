"""Primitives: the resources that really run. Pure."""

from hatools.scheduler import graph, summary
from hatools.scheduler.actions.fencing import order_restart_around_unfencing
from hatools.scheduler.actions.lifecycle import create_primitive_actions
from hatools.scheduler.actions.probes import contained_guest, probe_on_node
from hatools.scheduler.model.action import Action, Order
from hatools.scheduler.model.constraint import Colocation, Location
from hatools.scheduler.model.node import Node, NodeScore, copy_table, node_sort_key
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.ordering.propagate import update_ordered
from hatools.scheduler.placement.assignment import finalize_assignment
from hatools.scheduler.placement.colocation import (
    Affects,
    apply_to_priority,
    apply_to_scores,
    colocated_resources,
    colocation_affects,
)
from hatools.scheduler.placement.location import apply_location
from hatools.scheduler.placement.node_scores import (
    any_usable,
    is_available,
    is_usable,
    record_scores,
    sorted_entries,
)
from hatools.scheduler.placement.preferences import Select, add_colocated_scores, factor_of, scores_change
from hatools.scheduler.placement.utilization import add_requirements, ban_insufficient, order_by_load
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import has_influence, new_colocation
from hatools.scheduler.unpack.factory import delete_history_action
from hatools.scheduler.unpack.operations import is_remote_connection
from hatools.scheduler.unpack.orderings import order_tasks
from hatools.scheduler.unpack.scores import add_location_score, base_entry
from hatools.values.integer import whole_number
from hatools.values.role import Role
from hatools.values.score import INFINITY


class PrimitiveVariant:
    """Behaviour of primitives."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    # -- placement

    def assign(self, resource: Resource, prefer: Node | None) -> Node | None:
        plan = self.plan
        parent = resource.parent
        if parent is not None and not parent.assigning:
            # An instance or member is assigned as part of the whole.
            assert parent.variant is not None
            parent.variant.assign(parent, prefer)
        if not resource.provisional:
            return resource.assigned_to
        if resource.assigning:
            return None
        resource.assigning = True
        scores_change(plan, resource)
        for colocation in list(resource.this_with):
            self._apply_this_with(resource, colocation)
        for colocation in list(resource.with_this):
            if has_influence(colocation):
                table = add_colocated_scores(
                    plan,
                    colocation.dependent,
                    resource.allowed,
                    colocation.attribute,
                    factor_of(colocation.score),
                    Select.ACTIVE,
                )
                if table is not None:
                    resource.allowed = table
        if resource.next_role is Role.STOPPED:
            add_location_score(plan, resource, None, -INFINITY)
        elif (
            resource.next_role > resource.role
            and not plan.have_quorum
            and plan.options.quorum_policy is QuorumPolicy.FREEZE
        ):
            plan.say("notice", f"Resource {resource.id} cannot be elevated due to no-quorum-policy=freeze")
            plan.reasons.resource(resource.id, Cause.QUORUM, "no-quorum-policy=freeze", "frozen without quorum")
            resource.next_role = resource.role
        record_scores(plan, "primitive", resource)
        if plan.options.fencing_enabled and not plan.have_fencing_resource:
            # Without any fencing device nothing may be started.
            resource.managed = False
        self._choose(resource, prefer)
        resource.assigning = False
        if resource.is_remote_connection:
            self._connection_assigned(resource)
        return resource.assigned_to

    def _apply_this_with(self, resource: Resource, colocation: Colocation) -> None:
        other = colocation.primary
        archive = None
        if colocation.dependent_role >= Role.PROMOTED or -INFINITY < colocation.score < 0:
            archive = copy_table(resource.allowed)
        assert other.variant is not None
        other.variant.assign(other, None)
        self.apply_colocation(resource, other, colocation, for_dependent=True)
        if archive is not None and not any_usable(resource.allowed):
            # What is not mandatory must not prevent the resource from running.
            resource.allowed = archive

    def _choose(self, resource: Resource, prefer: Node | None) -> None:
        plan = self.plan
        if not resource.managed:
            resource.next_role = resource.role
            node = resource.active_node()
            chosen = None if node is None else base_entry(node)
            finalize_assignment(plan, resource, chosen, force=True)
        elif plan.options.stop_all:
            plan.reasons.resource(resource.id, Cause.TARGET_ROLE, "stop-all-resources", "all resources are stopped")
            finalize_assignment(plan, resource, None, force=True)
        elif resource.provisional:
            self._assign_best(resource, prefer)

    def _assign_best(self, resource: Resource, prefer: Node | None) -> None:
        most_free = ban_insufficient(self.plan, resource)
        if prefer is None:
            prefer = most_free
        if not resource.provisional:
            return
        entries = sorted_entries(self.plan, resource.allowed.values(), resource.active_node())
        best = entries[0] if entries else None
        chosen: NodeScore | None = None
        if prefer is not None and best is not None:
            preferred = resource.allowed.get(prefer)
            if preferred is not None and preferred.score >= best.score and is_usable(preferred):
                chosen = preferred
        if chosen is None and best is not None:
            chosen = self._stay_if_equal(resource, entries, best)
        finalize_assignment(self.plan, resource, chosen, force=False)

    def _stay_if_equal(self, resource: Resource, entries: list[NodeScore], best: NodeScore) -> NodeScore:
        """Return where the resource is now if that is as good as the best node."""
        parent = resource.parent
        if parent is not None and parent.is_clone and parent.unique:
            # Unique instances are to be spread.
            return best
        if best.score <= 0 or not is_available(best.node):
            return best
        running = resource.active_node()
        if running is None or not is_usable(base_entry(running)):
            return best
        chosen = best
        for entry in entries[1:]:
            if entry.score != best.score:
                break
            if entry.node is running:
                chosen = entry
        return chosen

    def _connection_assigned(self, connection: Resource) -> None:
        """A remote node is there if its connection will be."""
        node = self.plan.find_node(connection.id)
        if node is None:
            return
        if connection.assigned_to is not None and connection.next_role is not Role.STOPPED:
            node.online = True
            if node.unseen:
                # Clean as far as anybody knows; if it is not, that will be found out.
                node.unclean = False
        else:
            node.shutdown = True

    def apply_location(self, resource: Resource, location: Location) -> None:
        apply_location(self.plan, resource, location)

    def apply_colocation(
        self, dependent: Resource, primary: Resource, colocation: Colocation, *, for_dependent: bool
    ) -> None:
        if for_dependent:
            # The primary knows how it is composed.
            assert primary.variant is not None
            primary.variant.apply_colocation(dependent, primary, colocation, for_dependent=False)
            return
        match colocation_affects(self.plan, dependent, primary, colocation):
            case Affects.ROLE:
                apply_to_priority(dependent, primary, colocation)
            case Affects.LOCATION:
                apply_to_scores(dependent, primary, colocation)
            case Affects.NOTHING:
                self._check_colocation(dependent, primary, colocation)

    def _check_colocation(self, dependent: Resource, primary: Resource, colocation: Colocation) -> None:
        """Say so if a mandatory colocation could not be kept."""
        if primary.provisional or dependent.provisional or dependent.assigned_to is None:
            return
        if (
            colocation.dependent_role >= Role.UNPROMOTED
            and dependent.parent is not None
            and dependent.parent.promotable
        ):
            return
        together = primary.assigned_to is dependent.assigned_to
        if colocation.score >= INFINITY and not together:
            self.plan.say("error", f"{dependent.id} must be colocated with {primary.id} but is not")
        elif colocation.score <= -INFINITY and together:
            self.plan.say(
                "error",
                f"{dependent.id} and {primary.id} must be anti-colocated but are allocated to the same node",
            )

    def colocated_resources(
        self, resource: Resource, origin: Resource | None, found: dict[Resource, None]
    ) -> dict[Resource, None]:
        return colocated_resources(self.plan, resource, origin, found)

    def add_utilization(
        self, resource: Resource, origin: Resource, siblings: dict[Resource, None], utilization: dict[str, int]
    ) -> None:
        if resource.provisional:
            add_requirements(utilization, resource)

    def shutdown_lock(self, resource: Resource) -> None:
        plan = self.plan
        standard = resource.standard
        if standard is None or standard == "stonith" or is_remote_connection(plan, resource):
            return
        if resource.lock_node is not None:
            if resource.running_on:
                # It was started by hand elsewhere, or here again.
                delete_history_action(plan, resource, resource.lock_node)
                resource.lock_node = None
                resource.lock_time = 0
        elif len(resource.running_on) == 1:
            node = resource.running_on[0]
            if node.shutdown and not node.unclean:
                resource.lock_node = node
                resource.lock_time = whole_number(node.attributes.get("shutdown")) or plan.effective_time
        if resource.lock_node is None:
            return
        if plan.options.shutdown_lock_limit > 0:
            plan.update_recheck(resource.lock_time + plan.options.shutdown_lock_limit + 1)
        for node in plan.nodes:
            if node.name != resource.lock_node.name:
                add_location_score(plan, resource, node, -INFINITY)
        plan.reasons.resource(
            resource.id,
            Cause.SHUTDOWN_LOCK,
            resource.lock_node.name,
            f"locked to {resource.lock_node.name}, which was shut down cleanly",
        )

    # -- actions

    def create_actions(self, resource: Resource) -> None:
        create_primitive_actions(self.plan, resource)

    def create_probe(self, resource: Resource, node: Node) -> bool:
        return probe_on_node(self.plan, resource, node)

    def internal_constraints(self, resource: Resource) -> None:
        plan = self.plan
        if not resource.managed:
            return
        flags = Order.OPTIONAL | Order.IMPLIES_THEN | Order.RESTART
        order_tasks(plan, resource, "stop", resource, "start", flags)
        if resource.top.promotable or resource.role > Role.UNPROMOTED:
            order_tasks(plan, resource, "demote", resource, "stop", Order.PROMOTED_IMPLIES_FIRST)
            order_tasks(plan, resource, "start", resource, "promote", Order.RUNNABLE_LEFT)
        flags = Order.SAME_NODE | Order.THEN_CANCELS_FIRST
        order_tasks(plan, resource, "lrm_delete", resource, "monitor", flags)
        nodes = sorted(resource.allowed, key=node_sort_key)
        if not resource.fence_device and plan.unfencing_enabled and resource.needs_unfencing:
            for node in nodes:
                order_restart_around_unfencing(plan, resource, node)
        if resource.utilization and plan.options.placement_strategy != "default":
            order_by_load(plan, resource, nodes)
        if resource.container is not None:
            self._container_constraints(resource, resource.container)
        if resource.is_remote_connection or resource.fence_device:
            # Neither runs on remote nodes.
            _avoid_remote_nodes(resource)

    def _container_constraints(self, resource: Resource, container: Resource) -> None:
        plan = self.plan
        connection: Resource | None = None
        if resource.is_remote_connection:
            if not resource.allow_remote_remotes:
                # Guests cannot be nested.
                _avoid_remote_nodes(container)
            order_tasks(plan, container, "monitor", resource, "stop", Order.OPTIONAL)
        elif container.is_remote_connection:
            connection = container
        else:
            connection = contained_guest(plan, container)
        if connection is not None:
            # The resource runs inside the guest, nowhere else.
            for node, entry in resource.allowed.items():
                if node.remote_resource is not connection:
                    entry.score = -INFINITY
            return
        flags = Order.IMPLIES_THEN | Order.RUNNABLE_LEFT
        order_tasks(plan, container, "start", resource, "start", flags)
        order_tasks(plan, resource, "stop", container, "stop", Order.IMPLIES_FIRST)
        score = 10000 if resource.allow_remote_remotes else INFINITY
        new_colocation(plan, "resource-with-container", None, score, resource, container)

    def action_flags(self, resource: Resource, action: Action, node: Node | None) -> int:
        return action.flags

    def update_ordered_actions(
        self, resource: Resource, first: Action, then: Action, node: Node | None, flags: int, mask: int, order: int
    ) -> int:
        return update_ordered(self.plan, first, then, node, flags, mask, order)

    # -- results

    def output_actions(self, resource: Resource) -> None:
        summary.record_resource(self.plan, resource)

    def add_graph_meta(self, resource: Resource, attributes: dict[str, str]) -> None:
        for name in ("clone", "remote-node"):
            value = resource.meta.get(name)
            if value is not None:
                attributes["CRM_meta_" + name.replace("-", "_")] = value
        current: Resource | None = resource
        while current is not None:
            if current.container is not None:
                attributes["CRM_meta_container"] = current.container.id
            current = current.parent
        address = resource.meta.get("external-ip")
        if address is not None:
            attributes["pcmk_external_ip"] = address

    def add_actions_to_graph(self, resource: Resource) -> None:
        graph.add_resource(self.plan, resource)


def _avoid_remote_nodes(resource: Resource) -> None:
    for node, entry in resource.allowed.items():
        if node.remote_resource is not None:
            entry.score = -INFINITY
