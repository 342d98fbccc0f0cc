"""Bundles: containers with an application inside. Pure."""

from hatools.scheduler.model.action import Action, Order
from hatools.scheduler.model.constraint import Colocation, Location
from hatools.scheduler.model.node import Node, NodeScore
from hatools.scheduler.model.resource import BundleData, Kind, Resource, any_recursive
from hatools.scheduler.placement.assignment import InstanceOrder, assign_everywhere
from hatools.scheduler.placement.colocation import colocated_resources
from hatools.scheduler.placement.compatible import find_compatible
from hatools.scheduler.placement.location import apply_location, threshold_reached
from hatools.scheduler.placement.node_scores import keep_only, record_scores
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.colocations import new_colocation
from hatools.scheduler.unpack.digests import container_host, needs_host_name
from hatools.scheduler.unpack.factory import find_first_action, pseudo_action
from hatools.scheduler.unpack.orderings import new_ordering, order_starts, order_stops, order_tasks
from hatools.scheduler.variants.clone import order_promotable_restart
from hatools.scheduler.variants.instances import (
    atomic_task,
    create_instance_actions,
    distribute,
    summary_flags,
    update_multiple,
)
from hatools.values.role import Role
from hatools.values.score import INFINITY

_INNER_TASKS = ("no_action", "notify", "notified", "promote", "promoted", "demote", "demoted")


def _data(resource: Resource) -> BundleData:
    assert resource.bundle_data is not None
    return resource.bundle_data


class BundleVariant:
    """Behaviour of bundles."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    # -- placement

    def assign(self, resource: Resource, prefer: Node | None) -> Node | None:
        plan, data = self.plan, _data(resource)
        resource.assigning = True
        record_scores(plan, "bundle", resource)
        containers = [replica.container for replica in data.replicas if replica.container is not None]
        containers = InstanceOrder(plan).sort(containers)
        distribute(plan, resource, containers, data.replicas_max, data.replicas_per_host)
        for replica in data.replicas:
            if replica.ip is not None:
                assert replica.ip.variant is not None
                replica.ip.variant.assign(replica.ip, prefer)
            host = None if replica.container is None else replica.container.assigned_to
            if replica.remote is not None:
                if host is not None and host.is_remote_or_guest and host.remote_resource is not None:
                    # The connection to the container goes where the connection to its host is.
                    new_colocation(
                        plan,
                        "child-remote-with-docker-remote",
                        None,
                        INFINITY,
                        replica.remote,
                        host.remote_resource,
                    )
                assert replica.remote.variant is not None
                replica.remote.variant.assign(replica.remote, prefer)
            if replica.child is not None and replica.node is not None:
                self._assign_inner(replica.child, replica.node.node)
        if data.child is not None:
            inside = {replica.node.node for replica in data.replicas if replica.node is not None}
            for node, entry in data.child.allowed.items():
                entry.score = 0 if node in inside else -INFINITY
            assert data.child.variant is not None
            data.child.variant.assign(data.child, prefer)
        resource.assigning = resource.provisional = False
        return None

    def _assign_inner(self, child: Resource, inside: Node) -> None:
        """Put the application into its own container."""
        for node, entry in child.allowed.items():
            if node is not inside:
                entry.score = -INFINITY
            elif threshold_reached(self.plan, child, node) is None:
                entry.score = INFINITY
        assert child.parent is not None and child.variant is not None
        child.parent.assigning = True
        child.variant.assign(child, inside)
        child.parent.assigning = False

    def apply_location(self, resource: Resource, location: Location) -> None:
        data = _data(resource)
        apply_location(self.plan, resource, location)
        for replica in data.replicas:
            for member in (replica.container, replica.ip):
                if member is not None:
                    assert member.variant is not None
                    member.variant.apply_location(member, location)
        if data.child is not None and location.role in (Role.UNPROMOTED, Role.PROMOTED):
            assert data.child.variant is not None
            data.child.variant.apply_location(data.child, location)
            data.child.locations.insert(0, location)

    def apply_colocation(
        self, dependent: Resource, primary: Resource, colocation: Colocation, *, for_dependent: bool
    ) -> None:
        """Apply a colocation with this bundle as primary: what counts is where the containers are."""
        if for_dependent or primary.provisional:
            return
        if colocation.dependent.kind > Kind.GROUP:
            container = find_compatible(self.plan, dependent, primary)
            if container is not None:
                assert dependent.variant is not None
                dependent.variant.apply_colocation(dependent, container, colocation, for_dependent=True)
            elif colocation.score >= INFINITY:
                self.plan.say("notice", f"Cannot pair {dependent.id} with instance of {primary.id}")
                assign_everywhere(self.plan, dependent, None, force=True)
            return
        affected: list[NodeScore] = []
        for replica in _data(primary).replicas:
            container = replica.container
            if container is None:
                continue
            assert container.variant is not None
            if colocation.score < INFINITY:
                container.variant.apply_colocation(dependent, container, colocation, for_dependent=False)
                continue
            entry = container.assigned_entry()
            if entry is None or any_recursive(container, "blocked"):
                continue
            if colocation.primary_role >= Role.PROMOTED and (
                replica.child is None or replica.child.next_role < Role.PROMOTED
            ):
                continue
            affected.insert(0, entry)
        if colocation.score >= INFINITY:
            keep_only(dependent.allowed, affected, merge=False)

    def colocated_resources(
        self, resource: Resource, origin: Resource | None, found: dict[Resource, None]
    ) -> dict[Resource, None]:
        return colocated_resources(self.plan, resource, origin, found)

    def add_utilization(
        self, resource: Resource, origin: Resource, siblings: dict[Resource, None], utilization: dict[str, int]
    ) -> None:
        if resource.provisional and _data(resource).replicas:
            container = _data(resource).replicas[0].container
            if container is not None:
                assert container.variant is not None
                container.variant.add_utilization(container, origin, siblings, utilization)

    def shutdown_lock(self, resource: Resource) -> None:
        """Bundles are never locked."""

    # -- actions

    def create_actions(self, resource: Resource) -> None:
        plan, data = self.plan, _data(resource)
        for replica in data.replicas:
            for member in (replica.ip, replica.container, replica.remote):
                if member is not None:
                    assert member.variant is not None
                    member.variant.create_actions(member)
        containers = [replica.container for replica in data.replicas if replica.container is not None]
        create_instance_actions(plan, resource, containers, None)
        if data.child is None:
            return
        assert data.child.variant is not None
        data.child.variant.create_actions(data.child)
        if data.child.promotable:
            for task, completed in (("promote", "promoted"), ("demote", "demoted")):
                pseudo_action(plan, resource, task, optional=True, runnable=True)
                done = pseudo_action(plan, resource, completed, optional=True, runnable=True)
                done.priority = INFINITY

    def create_probe(self, resource: Resource, node: Node) -> bool:
        data = _data(resource)
        created = False
        for replica in data.replicas:
            ip, child, container, remote = replica.ip, replica.child, replica.container, replica.remote
            if ip is not None:
                assert ip.variant is not None
                created = ip.variant.create_probe(ip, node) or created
            if child is not None and replica.node is not None and replica.node.node is node:
                assert child.variant is not None
                created = child.variant.create_probe(child, node) or created
            if container is None:
                continue
            assert container.variant is not None
            if container.variant.create_probe(container, node):
                created = True
                self._order_other_starts(data, container)
            if remote is not None:
                assert remote.variant is not None
                if remote.variant.create_probe(remote, node):
                    created = self._order_connection_probe(container, remote, node) or created
        return created

    def _order_other_starts(self, data: BundleData, container: Resource) -> None:
        """Where only one container may be, none may be started before all were looked for."""
        if data.replicas_per_host != 1:
            return
        for other in data.replicas:
            if other.container is not None and other.container is not container:
                flags = Order.OPTIONAL | Order.SAME_NODE
                order_tasks(self.plan, container, "monitor", other.container, "start", flags)

    def _order_connection_probe(self, container: Resource, remote: Resource, node: Node) -> bool:
        """A connection can be probed only once its container runs."""
        probe = find_first_action(remote, f"{remote.id}_monitor_0", None, node)
        if probe is None:
            return False
        key = f"{container.id}_start_0"
        new_ordering(self.plan, container, key, None, remote, None, probe, Order.PROBE)
        return True

    def internal_constraints(self, resource: Resource) -> None:
        plan, data = self.plan, _data(resource)
        child = data.child
        if child is not None:
            self._order_child(resource, child)
        for replica in data.replicas:
            container = replica.container
            if container is None:
                continue
            assert container.variant is not None
            container.variant.internal_constraints(container)
            order_starts(plan, resource, container, Order.RUNNABLE_LEFT | Order.IMPLIES_FIRST_PRINTED)
            if replica.child is not None:
                order_stops(plan, resource, replica.child, Order.IMPLIES_FIRST_PRINTED)
            order_stops(plan, resource, container, Order.IMPLIES_FIRST_PRINTED)
            order_tasks(plan, container, "start", resource, "running", Order.IMPLIES_THEN_PRINTED)
            order_tasks(plan, container, "stop", resource, "stopped", Order.IMPLIES_THEN_PRINTED)
            if replica.ip is not None:
                ip = replica.ip
                assert ip.variant is not None
                ip.variant.internal_constraints(ip)
                order_starts(plan, ip, container, Order.RUNNABLE_LEFT | Order.PRESERVE)
                order_stops(plan, container, ip, Order.IMPLIES_FIRST | Order.PRESERVE)
                new_colocation(plan, "ip-with-docker", None, INFINITY, ip, container)
            if replica.remote is not None:
                assert replica.remote.variant is not None
                replica.remote.variant.internal_constraints(replica.remote)
        if child is not None:
            assert child.variant is not None
            child.variant.internal_constraints(child)
            if child.promotable:
                self._order_promotion(resource, child)

    def _order_child(self, resource: Resource, child: Resource) -> None:
        plan = self.plan
        order_starts(plan, resource, child, Order.IMPLIES_FIRST_PRINTED)
        order_stops(plan, resource, child, Order.IMPLIES_FIRST_PRINTED)
        started, stopped = ("running", "stopped") if child.children else ("start", "stop")
        order_tasks(plan, child, started, resource, "running", Order.IMPLIES_THEN_PRINTED)
        order_tasks(plan, child, stopped, resource, "stopped", Order.IMPLIES_THEN_PRINTED)

    def _order_promotion(self, resource: Resource, child: Resource) -> None:
        plan = self.plan
        order_promotable_restart(plan, resource)
        order_tasks(plan, child, "demoted", resource, "demoted", Order.IMPLIES_THEN_PRINTED)
        order_tasks(plan, resource, "demote", child, "demote", Order.IMPLIES_FIRST_PRINTED)
        order_tasks(plan, child, "promoted", resource, "promoted", Order.IMPLIES_THEN_PRINTED)
        order_tasks(plan, resource, "promote", child, "promote", Order.IMPLIES_FIRST_PRINTED)

    def action_flags(self, resource: Resource, action: Action, node: Node | None) -> int:
        data = _data(resource)
        if data.child is not None and atomic_task(data.child, action.task) in _INNER_TASKS:
            return summary_flags(action, data.child.children, node)
        containers = [replica.container for replica in data.replicas if replica.container is not None]
        return summary_flags(action, containers, node)

    def update_ordered_actions(
        self, resource: Resource, first: Action, then: Action, node: Node | None, flags: int, mask: int, order: int
    ) -> int:
        return update_multiple(self.plan, first, then, node, flags, mask, order)

    # -- results

    def output_actions(self, resource: Resource) -> None:
        for replica in _data(resource).replicas:
            for member in (replica.ip, replica.container, replica.remote, replica.child):
                if member is not None:
                    assert member.variant is not None
                    member.variant.output_actions(member)

    def add_graph_meta(self, resource: Resource, attributes: dict[str, str]) -> None:
        """Bundles are not mentioned to agents."""

    def add_actions_to_graph(self, resource: Resource) -> None:
        plan, data = self.plan, _data(resource)
        if data.child is not None:
            assert data.child.variant is not None
            data.child.variant.add_actions_to_graph(data.child)
        for replica in data.replicas:
            remote = replica.remote
            if remote is not None and replica.container is not None and needs_host_name(plan, remote):
                address = container_host(plan, remote)
                if address is not None:
                    remote.parameter_cache.setdefault("", {})["addr"] = address
            for member in (replica.ip, replica.container, remote):
                if member is not None:
                    assert member.variant is not None
                    member.variant.add_actions_to_graph(member)
