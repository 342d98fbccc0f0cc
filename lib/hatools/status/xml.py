"""A cluster status as the XML of ``crm_mon --output-as=xml`` (schema ``crm_mon.rng``). Pure."""

from collections.abc import Iterable
from typing import assert_never
from xml.etree.ElementTree import Element, SubElement

from hatools.status.filters import hidden_by_node, named_wholly, passes, runs_on_shown_node
from hatools.status.model import (
    AttributeStatus,
    BundleStatus,
    CloneStatus,
    ClusterStatus,
    FailedAction,
    FencingEvent,
    FencingState,
    GroupStatus,
    HistoryStatus,
    NodeKind,
    NodeStatus,
    OperationStatus,
    PrimitiveStatus,
    ResourceStatus,
)
from hatools.status.phrases import format_clock, format_stamp, pending_check, state_word
from hatools.status.resources import member_is_shown
from hatools.status.sections import history_passes, shown_attributes
from hatools.status.view import Section, Show, View
from hatools.values.ocfresult import ocf_result_text
from hatools.values.result import exec_status_text

__all__ = ["XmlSections"]


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _element(tag: str, *pairs: tuple[str, str | bool | int | None]) -> Element:
    """Return an element; pairs without a value are left out, truth values are written as words."""
    attributes = {}
    for name, value in pairs:
        if isinstance(value, bool):
            attributes[name] = _flag(value)
        elif value is not None:
            attributes[name] = str(value)
    return Element(tag, attributes)


class XmlSections:
    """Builds the elements of one status in one view."""

    def __init__(self, status: ClusterStatus, view: View) -> None:
        self.status = status
        self.view = view

    def report(self) -> list[Element]:
        """Return the elements of all wanted sections, in order."""
        wanted = self.view.sections
        found: list[Element | None] = [self.summary()]
        if Section.NODES in wanted:
            found.append(self.nodes())
        if Section.RESOURCES in wanted:
            found.append(self.resources())
        if Section.ATTRIBUTES in wanted:
            found.append(self.attributes())
        if wanted & (Section.OPERATIONS | Section.FAILCOUNTS):
            found.append(self.history())
        if Section.FAILURES in wanted:
            found.append(self.failures())
        if wanted & Section.FENCING:
            found.append(self.fencing())
        if Section.TICKETS in wanted:
            found.append(self.tickets())
        if Section.BANS in wanted:
            found.append(self.bans())
        return [element for element in found if element is not None]

    # -- summary

    def summary(self) -> Element | None:
        """Return the head, with the parts that are wanted."""
        wanted, summary = self.view.sections, self.status.summary
        root = Element("summary")
        if Section.STACK in wanted:
            root.append(_element("stack", ("type", summary.stack or "unknown")))
        if Section.DC in wanted:
            root.append(self._dc())
        if Section.TIMES in wanted:
            root.append(_element("last_update", ("time", format_clock(self.status.now))))
            root.append(
                _element(
                    "last_change",
                    ("time", summary.last_written or ""),
                    ("user", summary.update_user or ""),
                    ("client", summary.update_client or ""),
                    ("origin", summary.update_origin or ""),
                )
            )
        if Section.COUNTS in wanted:
            root.append(_element("nodes_configured", ("number", summary.node_count)))
            root.append(
                _element(
                    "resources_configured",
                    ("number", summary.resource_count),
                    ("disabled", summary.disabled_count),
                    ("blocked", summary.blocked_count),
                )
            )
        if Section.OPTIONS in wanted:
            root.append(self._options())
        return root if len(root) else None

    def _dc(self) -> Element:
        summary = self.status.summary
        if summary.dc is None:
            return _element("current_dc", ("present", False))
        return _element(
            "current_dc",
            ("present", True),
            ("version", summary.dc_version or ""),
            ("name", summary.dc.name),
            ("id", summary.dc.id),
            ("with_quorum", summary.has_quorum),
            ("mixed_version", summary.mixed_version),
        )

    def _options(self) -> Element:
        options = self.status.summary.options
        return _element(
            "cluster_options",
            ("stonith-enabled", options.stonith_enabled),
            ("symmetric-cluster", options.symmetric),
            ("no-quorum-policy", options.no_quorum_policy),
            ("maintenance-mode", options.maintenance_mode),
            ("stop-all-resources", options.stop_all_resources),
            ("stonith-timeout-ms", options.stonith_timeout_ms),
            ("priority-fencing-delay-ms", options.priority_fencing_delay_ms),
        )

    # -- nodes

    def nodes(self) -> Element:
        """Return the nodes, with what runs on them where resources are grouped by node."""
        root = Element("nodes")
        for node in self.status.nodes:
            if self.view.shows_node(node.name):
                element = _node(node)
                if self.view.has(Show.BY_NODE):
                    self._add_resources(element, node.running)
                root.append(element)
        return root

    # -- resources

    def resources(self) -> Element | None:
        """Return the resources that the view lists; None if there are none."""
        view = self.view
        by_node, inactive = view.has(Show.BY_NODE), view.has(Show.INACTIVE)
        if by_node and not inactive:
            return None
        root = Element("resources")
        listed = [r for r in self.status.resources if self._is_listed(r)]
        self._add_resources(root, listed)
        return root if listed else None

    def _is_listed(self, resource: ResourceStatus) -> bool:
        if resource.orphaned and not resource.active:
            return False
        if self.view.has(Show.BY_NODE):
            return not resource.active
        if resource.partly_active:
            return runs_on_shown_node(resource, self.view)
        return self.view.has(Show.INACTIVE)

    def _add_resources(self, parent: Element, resources: Iterable[ResourceStatus], view: View | None = None) -> None:
        for resource in resources:
            element = self.resource(resource, self.view if view is None else view)
            if element is not None:
                parent.append(element)

    def resource(self, resource: ResourceStatus, view: View) -> Element | None:
        """Return the element of a resource with everything in it; None if the view hides it."""
        if not passes(resource, view):
            return None
        match resource:
            case PrimitiveStatus():
                return _primitive(resource, pending=view.has(Show.PENDING))
            case GroupStatus():
                return self._group(resource, view)
            case CloneStatus():
                return self._clone(resource, view)
            case BundleStatus():
                return self._bundle(resource, view)
        return None

    def _group(self, group: GroupStatus, view: View) -> Element | None:
        wholly = named_wholly(group, view)
        shown = [child for child in group.children if member_is_shown(child, view, wholly=wholly)]
        if not shown:
            return None
        element = _element(
            "group",
            ("id", group.id),
            ("number_resources", len(group.children)),
            ("managed", group.managed),
            ("disabled", group.disabled),
        )
        self._add_resources(element, shown, view)
        return element

    def _clone(self, clone: CloneStatus, view: View) -> Element | None:
        wholly = named_wholly(clone, view)
        shown = [
            child
            for child in clone.children
            if not hidden_by_node(child, view) and passes(child, view, check_parent=wholly)
        ]
        if not shown:
            return None
        element = _element(
            "clone",
            ("id", clone.id),
            ("multi_state", clone.promotable),
            ("unique", clone.unique),
            ("managed", clone.managed),
            ("disabled", clone.disabled),
            ("failed", clone.failed),
            ("failure_ignored", clone.failure_ignored),
            ("target_role", clone.configured_role),
        )
        self._add_resources(element, shown, view.for_all_resources())
        return element

    def _bundle(self, bundle: BundleStatus, view: View) -> Element | None:
        wholly = view.names(bundle.id)
        element = _element(
            "bundle",
            ("id", bundle.id),
            ("type", bundle.technology),
            ("image", bundle.image),
            ("unique", bundle.unique),
            ("managed", bundle.managed),
            ("failed", bundle.failed),
        )
        for replica in bundle.replicas:
            if hidden_by_node(replica.container, view):
                continue
            parts = [part for part in replica.parts if passes(part, view, check_parent=wholly)]
            if wholly or parts:
                inner = SubElement(element, "replica", {"id": str(replica.offset)})
                self._add_resources(inner, parts, view)
        return element if len(element) else None

    # -- attributes and history

    def attributes(self) -> Element | None:
        """Return the attributes of nodes that are online."""
        root = Element("node_attributes")
        for node in self.status.nodes:
            names = shown_attributes(node) if node.online and self.view.shows_node(node.name) else []
            if not names:
                continue
            element = SubElement(root, "node", {"name": node.name})
            known = {attribute.name: attribute for attribute in node.attributes}
            element.extend(_attribute(known[name]) for name in names)
        return root if len(root) else None

    def history(self) -> Element | None:
        """Return operation history, or only fail counts, per node and resource."""
        operations = Section.OPERATIONS in self.view.sections
        shown = False
        root = Element("node_history")
        for each in self.status.histories:
            if not each.node.online or not self.view.shows_node(each.node.name):
                continue
            shown = True
            element = Element("node", {"name": each.node.name})
            for history in each.entries:
                if history.resource is not None and not history_passes(history.resource, self.view):
                    continue
                if operations and history.operations:
                    element.append(self._resource_history(history))
                elif not operations and history.fail_count > 0:
                    element.append(_history_head(history, history.id, full=False))
            if len(element):
                root.append(element)
        return root if shown else None

    def _resource_history(self, history: HistoryStatus) -> Element:
        name = history.id if history.resource is None else history.resource.shown_id
        element = _history_head(history, name, full=True)
        timing = self.view.has(Show.TIMING)
        element.extend(_operation(operation, timing=timing) for operation in history.operations)
        return element

    def failures(self) -> Element | None:
        """Return the failed actions that are still in the history."""
        root = Element("failures")
        for failure in self.status.failures:
            if (
                not failure.masked
                and failure.resource is not None
                and self.view.shows_node(failure.node)
                and self.view.names(failure.resource)
            ):
                root.append(_failure(failure))
        return root if len(root) else None

    # -- fencing, tickets, bans

    def fencing(self) -> Element | None:
        """Return the fencing history, or its error."""
        if self.status.fencing is None:
            return None
        if self.status.fencing_error:
            return _element("fence_history", ("status", self.status.fencing_error))
        root = Element("fence_history")
        root.extend(fencing_event(event) for event in self.status.fencing if self.view.shows_node(event.target))
        return root if len(root) else None

    def tickets(self) -> Element | None:
        """Return the state of tickets."""
        root = Element("tickets")
        for ticket in self.status.tickets:
            root.append(
                _element(
                    "ticket",
                    ("id", ticket.id),
                    ("status", "granted" if ticket.granted else "revoked"),
                    ("standby", ticket.standby),
                    ("last-granted", format_clock(ticket.last_granted) if ticket.last_granted > -1 else None),
                )
            )
        return root if len(root) else None

    def bans(self) -> Element | None:
        """Return constraints that keep resources away from nodes."""
        view = self.view
        root = Element("bans")
        for ban in self.status.bans:
            if view.ban_prefix is not None and not ban.id.startswith(view.ban_prefix):
                continue
            if view.names(ban.resource.shown_id, ban.resource.top.shown_id):
                root.append(
                    _element(
                        "ban",
                        ("id", ban.id),
                        ("resource", ban.resource.id),
                        ("node", ban.node.name),
                        ("weight", ban.score),
                        ("promoted-only", ban.promoted_only),
                        ("master_only", ban.promoted_only),
                    )
                )
        return root if len(root) else None


def _node(node: NodeStatus) -> Element:
    kind = NodeKind.REMOTE if node.kind is NodeKind.GUEST else node.kind
    return _element(
        "node",
        ("name", node.name),
        ("id", node.id),
        ("online", node.online),
        ("standby", node.standby),
        ("standby_onfail", node.standby_on_fail),
        ("maintenance", node.maintenance),
        ("pending", node.pending),
        ("unclean", node.unclean),
        ("health", "red" if node.health < 0 else "yellow" if node.health == 0 else "green"),
        ("feature_set", node.feature_set),
        ("shutdown", node.shutdown),
        ("expected_up", node.expected_up),
        ("is_dc", node.is_dc),
        ("resources_running", len(node.running)),
        ("type", kind.value),
        ("id_as_resource", node.container),
    )


def _primitive(resource: PrimitiveStatus, *, pending: bool) -> Element:
    provider = "" if resource.provider is None else f":{resource.provider}"
    element = _element(
        "resource",
        ("id", resource.shown_id),
        ("resource_agent", f"{resource.standard}{provider}:{resource.type}"),
        ("role", state_word(resource, pending=pending)),
        ("target_role", resource.target_role),
        ("active", resource.active),
        ("orphaned", resource.orphaned),
        ("blocked", resource.blocked),
        ("managed", resource.managed),
        ("failed", resource.failed),
        ("failure_ignored", resource.failure_ignored),
        ("nodes_running_on", len(resource.nodes)),
        ("pending", pending_check(resource) if pending else None),
        ("locked_to", None if resource.locked_to is None else resource.locked_to.name),
    )
    element.extend(_element("node", ("name", n.name), ("id", n.id), ("cached", n.online)) for n in resource.nodes)
    return element


def _attribute(attribute: AttributeStatus) -> Element:
    return _element("attribute", ("name", attribute.name), ("value", attribute.value), ("expected", attribute.expected))


def _history_head(history: HistoryStatus, name: str, *, full: bool) -> Element:
    if history.resource is None:
        return _element("resource_history", ("id", name), ("orphan", True))
    if not (full or history.fail_count or history.last_failure > 0):
        return _element("resource_history", ("id", name))
    return _element(
        "resource_history",
        ("id", name),
        ("orphan", False),
        ("migration-threshold", history.migration_threshold),
        ("fail-count", history.fail_count if history.fail_count > 0 else None),
        ("last-failure", format_clock(history.last_failure) if history.last_failure > 0 else None),
    )


def _operation(operation: OperationStatus, *, timing: bool) -> Element:
    element = _element(
        "operation_history",
        ("call", operation.call),
        ("task", operation.task),
        ("rc", operation.rc),
        ("rc_text", ocf_result_text(operation.rc)),
        ("interval", f"{operation.interval}ms" if operation.interval not in (None, "0") else None),
    )
    if timing:
        for name, value in (
            ("last-rc-change", format_clock(operation.last_change) if operation.last_change > 0 else None),
            ("exec-time", None if operation.exec_time is None else f"{operation.exec_time}ms"),
            ("queue-time", None if operation.queue_time is None else f"{operation.queue_time}ms"),
        ):
            if value is not None:
                element.set(name, value)
    return element


def _failure(failure: FailedAction) -> Element:
    element = _element(
        "failure",
        ("id" if failure.key is None else "op_key", failure.id if failure.key is None else failure.key),
        ("node", failure.node),
        ("exitstatus", ocf_result_text(failure.rc)),
        ("exitreason", "none" if failure.exit_reason is None else failure.exit_reason),
        ("exitcode", failure.rc),
        ("call", failure.call),
        ("status", exec_status_text(failure.status)),
    )
    if failure.last_change is not None and failure.last_change > 0:
        for name, value in (
            ("last-rc-change", format_stamp(failure.last_change)),
            ("queued", failure.queue_time),
            ("exec", failure.exec_time),
            ("interval", str(failure.interval_ms)),
            ("task", failure.task),
        ):
            if value is not None:
                element.set(name, value)
    return element


def fencing_event(event: FencingEvent) -> Element:
    """Return the element of one entry of the fencing history."""
    status: str
    match event.state:
        case FencingState.FAILED:
            status = "failed"
        case FencingState.SUCCESS:
            status = "success"
        case FencingState.PENDING:
            status = "pending"
        case _:
            assert_never(event.state)
    finished = event.state is not FencingState.PENDING
    return _element(
        "fence_event",
        ("action", event.action),
        ("target", event.target),
        ("client", event.client),
        ("origin", event.origin),
        ("status", status),
        ("exit-reason", event.exit_reason if event.state is FencingState.FAILED else None),
        ("extended-status", None if finished else event.extended_state),
        ("delegate", event.delegate),
        ("completed", format_stamp(event.completed) if finished else None),
    )
