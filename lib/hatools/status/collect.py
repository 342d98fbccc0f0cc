"""Collect a cluster status from an unpacked plan. Pure.

Only what the wanted sections show is collected, so a short display stays cheap.
"""

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from hatools.scheduler.model.node import Node, NodeType
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.options import ClusterOptions, HealthStrategy
from hatools.scheduler.plan import Plan
from hatools.status.model import (
    AttributeStatus,
    BanStatus,
    BundleStatus,
    CloneStatus,
    ClusterStatus,
    FailedAction,
    GroupStatus,
    NodeKind,
    NodeRef,
    NodeStatus,
    OptionsStatus,
    PrimitiveStatus,
    ReplicaStatus,
    ResourceStatus,
    SummaryStatus,
    TicketStatus,
)
from hatools.status.view import Section
from hatools.values.boolean import is_true
from hatools.values.integer import whole_number
from hatools.values.opkey import parse_operation_key
from hatools.values.records import dataclass, field
from hatools.values.role import Role

__all__ = ["collect"]


def collect(plan: Plan, now: float, sections: Section = Section.ALL) -> ClusterStatus:
    """Return the status of the cluster that a plan describes.

    Args:
        now: when the display is made, in seconds since the epoch.
        sections: what will be shown; the rest may be left out.
    """
    return _Collector(plan, now, sections).run()


@dataclass(slots=True)
class _Collector:
    plan: Plan
    now: float
    sections: Section
    refs: dict[Node, NodeRef] = field(default_factory=dict)
    nodes: dict[Node, NodeStatus] = field(default_factory=dict)
    resources: dict[Resource, ResourceStatus] = field(default_factory=dict)
    probe_failures: dict[str, dict[str, int]] = field(default_factory=dict)

    def run(self) -> ClusterStatus:
        plan = self.plan
        failures = tuple(self._failures())
        for node in plan.nodes:
            self.nodes[node] = self._node(node)
        tops = tuple(self._resource(resource, None) for resource in plan.resources)
        for node, status in self.nodes.items():
            for resource in node.running:
                shown = self.resources.get(resource)
                if isinstance(shown, PrimitiveStatus):
                    status.running.append(shown)
        result = ClusterStatus(
            now=self.now,
            summary=self._summary(),
            nodes=tuple(self.nodes.values()),
            resources=tops,
            failures=failures,
            tags={name: tuple(members) for name, members in plan.tags.items()},
        )
        if Section.ATTRIBUTES in self.sections:
            self._add_attributes()
        if self.sections & (Section.OPERATIONS | Section.FAILCOUNTS):
            from hatools.status.history import collect_histories

            result.histories = tuple(collect_histories(plan, self.nodes, self.resources))
        if Section.TICKETS in self.sections:
            result.tickets = tuple(
                TicketStatus(t.id, t.granted, t.standby, t.last_granted) for t in plan.tickets.values()
            )
        if Section.BANS in self.sections:
            result.bans = tuple(self._bans())
        return result

    # -- summary

    def _summary(self) -> SummaryStatus:
        plan, root = self.plan, self.plan.document.root
        versions = {status.feature_set for status in self.nodes.values() if status.feature_set is not None}
        options = plan.options
        return SummaryStatus(
            stack=_property(root, "cluster-infrastructure"),
            dc_version=_property(root, "dc-version"),
            dc=None if plan.dc_node is None else self.nodes.get(plan.dc_node),
            has_quorum=is_true(root.get("have-quorum")),
            mixed_version=len(versions) > 1,
            last_written=root.get("cib-last-written"),
            update_user=root.get("update-user"),
            update_client=root.get("update-client"),
            update_origin=root.get("update-origin"),
            node_count=len(plan.nodes),
            resource_count=plan.known_instances,
            disabled_count=plan.disabled_resources,
            blocked_count=plan.blocked_resources,
            options=OptionsStatus(
                stonith_enabled=options.fencing_enabled,
                symmetric=options.symmetric,
                no_quorum_policy=options.quorum_policy.value,
                maintenance_mode=options.maintenance,
                stop_all_resources=options.stop_all,
                stonith_timeout_ms=options.fencing_timeout_ms,
                priority_fencing_delay_ms=options.priority_fencing_delay * 1000,
            ),
        )

    # -- nodes

    def _node(self, node: Node) -> NodeStatus:
        status = NodeStatus(
            id=node.id,
            name=node.name,
            kind=_node_kind(node),
            online=node.online,
            standby=node.standby,
            standby_on_fail=node.standby_on_fail,
            maintenance=node.maintenance,
            pending=node.pending,
            unclean=node.unclean,
            shutdown=node.shutdown,
            expected_up=node.expected_up,
            is_dc=node.is_dc,
            health=_health(node, self.plan.options),
            fence_reasons=tuple(node.fence_reasons),
        )
        if node.online and not node.is_remote_or_guest:
            status.feature_set = node.attributes.get("#feature-set", "<3.15.1")
        container = None if node.remote_resource is None else node.remote_resource.container
        if status.kind is NodeKind.GUEST and container is not None:
            host = container.active_node()
            status.host = "" if host is None else host.name
            status.container = container.id
        return status

    def _ref(self, node: Node) -> NodeRef:
        ref = self.refs.get(node)
        if ref is None:
            ref = self.refs[node] = NodeRef(node.id, node.display_name, node.online, node.unclean)
        return ref

    def _add_attributes(self) -> None:
        for node, status in self.nodes.items():
            expected = self._expected_connectivity(node)
            status.attributes = tuple(
                AttributeStatus(name, value, expected.get(name.lower())) for name, value in node.attributes.items()
            )

    def _expected_connectivity(self, node: Node) -> dict[str, int]:
        """Return the full score of attributes that ping resources running on a node write."""
        from hatools.scheduler.unpack.parameters import parameters

        found: dict[str, int] = {}
        for resource in node.running:
            if (resource.agent_type or "").lower() not in ("ping", "pingd"):
                continue
            values = parameters(self.plan, resource, node)
            hosts = values.get("host_list")
            count = 0 if hosts is None else len(hosts.split(" "))
            multiplier = values.get("multiplier", "1")
            factor = whole_number(multiplier, 1)
            found.setdefault(values.get("name", "pingd").lower(), count * factor)
        return found

    # -- resources

    def _resource(self, resource: Resource, parent: ResourceStatus | None) -> ResourceStatus:
        status: ResourceStatus
        match resource.kind:
            case Kind.PRIMITIVE:
                status = self._primitive(resource)
            case Kind.GROUP:
                status = GroupStatus(resource.id, resource.display_id)
            case Kind.CLONE:
                status = self._clone(resource)
            case Kind.BUNDLE:
                status = BundleStatus(resource.id, resource.display_id)
        status.parent = parent
        self._fill(status, resource)
        self.resources[resource] = status
        if isinstance(status, GroupStatus | CloneStatus):
            status.children = tuple(self._resource(child, status) for child in resource.children)
        elif isinstance(status, BundleStatus):
            self._add_replicas(status, resource)
        return status

    def _fill(self, status: ResourceStatus, resource: Resource) -> None:
        status.active = resource.is_active(True)
        status.partly_active = resource.is_active(False)
        status.orphaned = resource.orphan
        status.managed = resource.managed
        status.blocked = resource.blocked
        status.failed = resource.failed
        status.failure_ignored = resource.failure_ignored
        status.unique = resource.unique
        status.promotable = resource.promotable
        status.target_role = resource.meta.get("target-role")
        status.role = resource.role
        status.disabled = resource.is_disabled
        status.pending_task = resource.pending_task
        status.description = resource.xml.get("description")
        status.nodes = tuple(self._ref(node) for node in resource.running_on)

    def _primitive(self, resource: Resource) -> PrimitiveStatus:
        current = resource.active_node()
        node = current or resource.pending_node
        status = PrimitiveStatus(
            resource.id,
            resource.display_id,
            standard=resource.standard or "unknown",
            provider=resource.provider,
            type=resource.agent_type or "unknown",
            internal=is_true(resource.meta.get("internal_rsc")),
            current=None if current is None else self._ref(current),
            node=None if node is None else self._ref(node),
            locked_to=None if resource.lock_node is None else self._ref(resource.lock_node),
        )
        top = resource.top
        name = _template_id(top) if top.kind is Kind.CLONE else resource.id
        status.probe_failures = self.probe_failures.get(name, {})
        return status

    def _clone(self, resource: Resource) -> CloneStatus:
        data = resource.clone_data
        template = _template_id(resource)
        role = resource.meta.get("target-role")
        if role is None and resource.children:
            role = resource.children[0].meta.get("target-role")
        hosts = resource.allowed or resource.known_on
        status = CloneStatus(
            resource.id,
            resource.display_id,
            template=template,
            clone_max=0 if data is None else data.clone_max,
            configured_role=role,
            hosts=tuple(node.name for node in hosts),
        )
        status.probe_failures = self.probe_failures.get(template, {})
        return status

    def _add_replicas(self, status: BundleStatus, resource: Resource) -> None:
        data = resource.bundle_data
        assert data is not None
        status.technology, status.image = data.agent, data.image or ""
        if data.child is not None:
            self._resource(data.child, status)
        replicas = []
        for replica in data.replicas:
            assert replica.container is not None
            child = None if replica.child is None else self.resources.get(replica.child)
            replicas.append(
                ReplicaStatus(
                    offset=replica.offset,
                    container=self._part(replica.container, status),
                    address=replica.address,
                    ip=None if replica.ip is None else self._part(replica.ip, status),
                    child=child if isinstance(child, PrimitiveStatus) else None,
                    remote=None if replica.remote is None else self._part(replica.remote, status),
                )
            )
        status.replicas = tuple(replicas)

    def _part(self, resource: Resource, bundle: BundleStatus) -> PrimitiveStatus:
        status = self._resource(resource, bundle)
        assert isinstance(status, PrimitiveStatus)
        return status

    # -- failures

    def _failures(self) -> Iterable[FailedAction]:
        for failed in self.plan.failed_operations:
            operation, xml = failed.operation, failed.operation.xml
            key = xml.get("operation_key")
            parsed = parse_operation_key(key or operation.id)
            masked = operation.masks_probe_failure
            if masked and parsed is not None and operation.on_node is not None:
                self.probe_failures.setdefault(parsed[0], {}).setdefault(operation.on_node, operation.rc)
            yield FailedAction(
                resource=None if parsed is None else parsed[0],
                key=key,
                id=operation.id,
                node=failed.node.name,
                rc=operation.rc,
                status=operation.status,
                task=xml.get("operation"),
                interval_ms=operation.interval_ms,
                call=xml.get("call-id"),
                exit_reason=xml.get("exit-reason"),
                last_change=operation.last_change,
                exec_time=xml.get("exec-time"),
                queue_time=xml.get("queue-time"),
                masked=masked,
            )

    # -- bans

    def _bans(self) -> Iterable[BanStatus]:
        # Displays list constraints newest first, as the original collects them.
        for location in reversed(self.plan.locations):
            for entry in location.scores:
                if entry.score < 0:
                    yield BanStatus(
                        id=location.id,
                        resource=self.resources[location.resource],
                        node=self.nodes[entry.node],
                        score=entry.score,
                        promoted_only=location.role is Role.PROMOTED,
                    )


def _property(root: Element, name: str) -> str | None:
    """Return the first property of this name anywhere in the CIB."""
    section = root.find("configuration/crm_config")
    for pair in () if section is None else section.iter("nvpair"):
        if pair.get("name") == name:
            return pair.get("value")
    return None


def _template_id(clone: Resource) -> str:
    """Return the id of what a clone clones."""
    return "" if clone.clone_data is None else clone.clone_data.child_xml.get("id", "")


def _node_kind(node: Node) -> NodeKind:
    if node.is_guest:
        return NodeKind.GUEST
    return {NodeType.REMOTE: NodeKind.REMOTE, NodeType.PING: NodeKind.PING}.get(node.type, NodeKind.MEMBER)


def _health(node: Node, options: ClusterOptions) -> int:
    """Return -1 for a node whose health is red, 0 for yellow, 1 for green (or not asked for)."""
    if options.health_strategy is HealthStrategy.NONE:
        return 1
    health = 1
    for name, value in node.attributes.items():
        if not name.startswith("#health"):
            continue
        if value.lower() == "red":
            return -1
        if value.lower() == "yellow":
            health = 0
            continue
        score = options.score(value)
        if score <= options.score_red:
            return -1
        if score <= options.score_yellow != options.score_green:
            health = 0
    return health
