"""The sections of a status display as nested lists, in the words of text output. Pure.

:class:`TextSections` builds what ``crm_mon`` prints on a terminal and ``crm_simulate`` around
a transition; :mod:`hatools.status.html` overrides what a web page shows differently. A section
that has nothing to say returns None.
"""

from collections.abc import Callable, Iterable, Sequence

from hatools.status.filters import passes, runs_on_shown_node
from hatools.status.model import (
    ClusterStatus,
    FencingEvent,
    FencingState,
    GroupStatus,
    NodeKind,
    NodeStatus,
    PrimitiveStatus,
    ResourceStatus,
)
from hatools.status.outline import Entry, Item, Listing, Verbatim
from hatools.status.phrases import (
    failure_line,
    fencing_line,
    format_clock,
    history_line,
    node_display_name,
    node_state,
    operation_line,
    plural,
)
from hatools.status.resources import brief_entries, resource_entry
from hatools.status.view import Section, Show, View
from hatools.values.exitcode import exit_text
from hatools.values.integer import leading_integer

__all__ = [
    "TextSections",
    "change_text",
    "count_text",
    "history_passes",
    "leading_number",
    "maintenance_banner",
    "shown_attributes",
]

_QUORUM_POLICIES = {
    "freeze": "Freeze resources",
    "stop": "Stop ALL resources",
    "demote": "Demote promotable resources and stop all other resources",
    "ignore": "Ignore",
    "suicide": "Suicide",
}

_HIDDEN_ATTRIBUTES = ("fail-count", "last-failure", "shutdown", "terminate", "standby", "#")


def shown_attributes(node: NodeStatus) -> list[str]:
    """Return the names of the attributes that displays show, sorted."""
    return sorted(a.name for a in node.attributes if not a.name.startswith(_HIDDEN_ATTRIBUTES))


def change_text(status: ClusterStatus) -> str:
    """Say when the configuration was changed last, by whom and from where."""
    summary = status.summary
    parts = [summary.last_written or ""]
    for word, value in (
        ("by", summary.update_user),
        ("via", summary.update_client),
        ("on", summary.update_origin),
    ):
        if value is not None:
            parts.append(f" {word} {value}")
    return "".join(parts)


def count_text(disabled: int, blocked: int) -> str:
    """Return the remark on disabled and blocked resources behind their number."""
    parts = []
    if disabled:
        parts.append(f"{disabled} DISABLED")
    if blocked:
        parts.append(f"{blocked} BLOCKED from further action due to failure")
    return f" ({', '.join(parts)})" if parts else ""


def maintenance_banner(*, maintenance_mode: bool, stop_all: bool) -> str | None:
    """Return the warning that the cluster does not manage resources, if it does not."""
    if maintenance_mode:
        return (
            "\n              *** Resource management is DISABLED ***\n"
            "  The cluster will not attempt to start, stop or recover services\n"
        )
    if stop_all:
        return "\n    *** Resource management is DISABLED ***\n  The cluster will keep all resources stopped\n"
    return None


SectionMaker = Callable[[], Listing | Verbatim | None]
_HISTORY = Section.OPERATIONS | Section.FAILCOUNTS


class TextSections:
    """Builds the sections of one status in one view."""

    def __init__(self, status: ClusterStatus, view: View) -> None:
        self.status = status
        self.view = view

    # -- the whole display

    def report(self) -> list[Entry]:
        """Return all sections in order, with an empty line between them."""
        entries: list[Entry] = []
        printed = False
        for section in self.sections():
            if section is None:
                continue
            if printed and not isinstance(section, Verbatim):
                entries.append(Verbatim("\n"))
            entries.append(section)
            printed = printed or not isinstance(section, Listing) or section.counts
        return entries

    order: tuple[Section, ...] = (
        Section.MAINT_MODE,
        Section.NODES,
        Section.RESOURCES,
        Section.ATTRIBUTES,
        _HISTORY,
        Section.FAILURES,
        Section.FENCING_FAILED,
        Section.TICKETS,
        Section.BANS,
        Section.FENCING,
    )
    """What follows the summary, where any of it is wanted."""

    def sections(self) -> Iterable[Listing | Verbatim | None]:
        """Yield the sections in order."""
        makers = self.makers()
        yield self.summary()
        for section in self.order:
            if section & self.view.sections:
                yield makers[section]()

    def makers(self) -> dict[Section, SectionMaker]:
        """Return what makes each section."""
        return {
            Section.MAINT_MODE: self.maintenance,
            Section.NODES: self.node_list,
            Section.RESOURCES: self.resource_list,
            Section.ATTRIBUTES: self.attributes,
            _HISTORY: self.history,
            Section.FAILURES: self.failures,
            Section.FENCING_FAILED: self.failed_fencing,
            Section.TICKETS: self.tickets,
            Section.BANS: self.bans,
            Section.FENCING: self.fencing,
        }

    # -- summary

    def summary(self) -> Listing | None:
        """Return the head: stack, DC, times, counts, options."""
        wanted = self.view.sections
        items: list[Entry] = []
        if Section.STACK in wanted:
            items.append(Item(self.status.summary.stack or "unknown", "Stack"))
        if Section.DC in wanted:
            items.append(self._dc())
        if Section.TIMES in wanted:
            items.append(Item(format_clock(self.status.now), "Last updated"))
            items.append(Item(f" {change_text(self.status)}", "Last change"))
        if Section.COUNTS in wanted:
            items.extend(Item(line) for line in self._counts())
        if Section.OPTIONS in wanted:
            items.extend(Item(line) for line in self._options())
        return Listing("Cluster Summary", items) if items else None

    def _dc(self) -> Item:
        summary = self.status.summary
        if summary.dc is None:
            return Item("NONE", "Current DC")
        name = node_display_name(summary.dc, detail=self.view.has(Show.NODE_ID))
        mixed = "MIXED-VERSION " if summary.mixed_version else ""
        quorum = "with" if summary.has_quorum else "WITHOUT"
        version = summary.dc_version or "unknown"
        return Item(f"{name} (version {version}) - {mixed}partition {quorum} quorum", "Current DC")

    def _counts(self) -> list[str]:
        summary = self.status.summary
        remark = count_text(summary.disabled_count, summary.blocked_count)
        nodes, resources = summary.node_count, summary.resource_count
        return [
            f"{nodes} node{plural(nodes)} configured",
            f"{resources} resource instance{plural(resources)} configured{remark}",
        ]

    def _options(self) -> list[str]:
        options = self.status.summary.options
        return [
            f"STONITH of failed nodes {'enabled' if options.stonith_enabled else 'disabled'}",
            f"Cluster is {'symmetric' if options.symmetric else 'asymmetric'}",
            f"No quorum policy: {_QUORUM_POLICIES[options.no_quorum_policy]}",
        ]

    def maintenance(self) -> Verbatim | None:
        """Return the warning that resources are not managed."""
        options = self.status.summary.options
        banner = maintenance_banner(maintenance_mode=options.maintenance_mode, stop_all=options.stop_all_resources)
        return None if banner is None else Verbatim(banner)

    # -- nodes

    def node_list(self) -> Listing | None:
        """Return the nodes: those with anything special line by line, the others as lists."""
        ordinary: dict[str, list[str]] = {
            label: [] for label in ("Online", "OFFLINE", "RemoteOnline", "RemoteOFFLINE", "GuestOnline")
        }
        shown = [node for node in self.status.nodes if self.view.shows_node(node.name)]
        listing = Listing("Node List")
        detail = self.view.has(Show.NODE_ID)
        for node in shown:
            if self._is_ordinary(node):
                label = _ordinary_label(node)
                if label is not None:
                    ordinary[label].append(node_display_name(node, detail=detail))
            else:
                listing.add(*self.node_entries(node))
        for label, names in ordinary.items():
            if names:
                listing.add(Item(f"[ {' '.join(names)} ]", label))
        return listing if shown else None

    def _is_ordinary(self, node: NodeStatus) -> bool:
        return not (
            node.unclean
            or node.pending
            or (node.standby_on_fail and node.online)
            or node.standby
            or node.maintenance
            or self.view.show & (Show.BY_NODE | Show.FEATURE_SET)
            or node.health <= 0
        )

    def node_entries(self, node: NodeStatus) -> list[Entry]:
        """Return the line of a node and, grouping by node, what runs there."""
        view = self.view
        kind = {NodeKind.GUEST: "GuestNode", NodeKind.REMOTE: "RemoteNode"}.get(node.kind, "Node")
        line = f"{kind} {node_display_name(node, detail=view.has(Show.NODE_ID))}: {node_state(node)}"
        if node.health < 0:
            line += " (health is RED)"
        elif node.health == 0:
            line += " (health is YELLOW)"
        if view.has(Show.FEATURE_SET) and node.feature_set is not None:
            line += f", feature set {node.feature_set}"
        if not view.has(Show.BY_NODE):
            return [Item(line)]
        resources = self.node_resources(node)
        if view.has(Show.BRIEF) and not resources:
            return []
        return [Listing(line, [Listing("Resources", resources)])]

    def node_resources(self, node: NodeStatus) -> list[Entry]:
        """Return the entries of the resources that run on a node."""
        view = self.view
        if view.has(Show.BRIEF):
            chosen = [r for r in node.running if _brief_passes(r, view)]
            return brief_entries(chosen, view.with_show(Show.RESOURCE_ONLY, Show.INACTIVE))
        return self.resource_entries(node.running, view.with_show(Show.RESOURCE_ONLY))

    # -- resources

    def resource_entries(self, resources: Iterable[ResourceStatus], view: View) -> list[Entry]:
        """Return the entries of resources, in order; those that are filtered out have none."""
        entries = (resource_entry(resource, view) for resource in resources)
        return [entry for entry in entries if entry is not None]

    def resource_list(self) -> Listing | None:
        """Return the resources, or the inactive ones where active ones are grouped by node."""
        view = self.view
        by_node, inactive, brief = (view.has(each) for each in (Show.BY_NODE, Show.INACTIVE, Show.BRIEF))
        if by_node and not inactive:
            return None
        listing = Listing(
            "Inactive Resources" if by_node else "Full List of Resources" if inactive else "Active Resources"
        )
        if brief and not by_node:
            listing.add(*brief_entries([r for r in self.status.resources if _brief_passes(r, view)], view))
        chosen = [r for r in self.status.resources if _is_listed(r, view)]
        entries = self.resource_entries(chosen, view)
        listing.add(*entries)
        if not listing.entries:
            listing.add(Item(f"No {'inactive ' if by_node else '' if inactive else 'active '}resources"))
            listing.counts = False
        return listing

    # -- attributes and history

    def attributes(self) -> Listing | None:
        """Return the attributes of nodes that are online."""
        listing = Listing("Node Attributes")
        for node in self.status.nodes:
            names = shown_attributes(node) if node.online and self.view.shows_node(node.name) else []
            if names:
                listing.add(Listing(self.node_head(node), [self.attribute(node, name) for name in names]))
        return listing if listing.entries else None

    def node_head(self, node: NodeStatus) -> str:
        """Return the title of what concerns one node."""
        return f"Node: {node_display_name(node, detail=self.view.has(Show.NODE_ID))}"

    def attribute(self, node: NodeStatus, name: str) -> Item:
        """Return the line of a node attribute; connectivity is judged where a ping resource says what is full."""
        attribute = next(a for a in node.attributes if a.name == name)
        line = f"{name:<32}\t: {attribute.value:<10}"
        if attribute.expected is None:
            return Item(line)
        score = leading_number(attribute.value)
        if score <= 0:
            return Item(f"{line}\t: Connectivity is lost")
        if score < attribute.expected:
            return Item(f"{line}\t: Connectivity is degraded (Expected={attribute.expected})")
        return Item(line)

    def history(self) -> Listing | None:
        """Return operation history, or only fail counts, per node and resource."""
        operations = Section.OPERATIONS in self.view.sections
        shown = False
        listing = Listing("Operations" if operations else "Migration Summary")
        for each in self.status.histories:
            if not each.node.online or not self.view.shows_node(each.node.name):
                continue
            shown = True
            entries: list[Entry] = []
            for history in each.entries:
                if history.resource is not None and not history_passes(history.resource, self.view):
                    continue
                if not operations:
                    if history.fail_count > 0:
                        entries.append(Item(history_line(history, name=history.id, full=False)))
                elif history.operations:
                    name = history.id if history.resource is None else history.resource.shown_id
                    timing = self.view.has(Show.TIMING)
                    lines: list[Entry] = [Item(operation_line(o, timing=timing)) for o in history.operations]
                    entries.append(Listing(history_line(history, name=name, full=True), lines))
            if entries:
                listing.add(Listing(self.node_head(each.node), entries))
        return listing if shown else None

    def failures(self) -> Listing | None:
        """Return the failed actions that are still in the history."""
        technical = self.view.has(Show.FAILURE_DETAIL)
        items: list[Entry] = [
            Item(failure_line(failure, technical=technical))
            for failure in self.status.failures
            if not failure.masked
            and failure.resource is not None
            and self.view.shows_node(failure.node)
            and self.view.names(failure.resource)
        ]
        return Listing("Failed Resource Actions", items) if items else None

    # -- fencing

    def failed_fencing(self) -> Listing | None:
        """Return failed fencing actions, or why the history is not known."""
        if self.status.fencing is None:
            return None
        if self.status.fencing_error:
            return self._fencing_unknown()
        failed = [event for event in self.status.fencing if event.state is FencingState.FAILED]
        return self._events("Failed Fencing Actions", failed)

    def fencing(self) -> Listing | None:
        """Return fencing that worked and is under way, or only the latter."""
        if self.status.fencing is None:
            return None
        wanted = self.view.sections
        if self.status.fencing_error:
            return None if Section.FENCING_FAILED in wanted else self._fencing_unknown()
        if Section.FENCING_SUCCEEDED in wanted:
            others = [event for event in self.status.fencing if event.state is not FencingState.FAILED]
            return self._events("Fencing History", others)
        if Section.FENCING_PENDING in wanted:
            pending = [event for event in self.status.fencing if event.state is FencingState.PENDING]
            return self._events("Pending Fencing Actions", pending)
        return None

    def _fencing_unknown(self) -> Listing:
        text = f"Failed to get fencing history: {exit_text(self.status.fencing_error)}"
        return Listing("Failed Fencing Actions", [Item(text)], counts=False)

    def _events(self, title: str, events: Sequence[FencingEvent]) -> Listing | None:
        view = self.view
        full = view.sections & Section.FENCING == Section.FENCING
        items: list[Entry] = [
            Item(
                fencing_line(event, full=full, technical=view.has(Show.FAILURE_DETAIL)),
                style=f"{_EVENT_STYLES[event.state]}-stonith-event",
            )
            for event in events
            if view.shows_node(event.target)
        ]
        return Listing(title, items) if items else None

    # -- tickets and bans

    def tickets(self) -> Listing | None:
        """Return the state of tickets."""
        items: list[Entry] = []
        for ticket in self.status.tickets:
            text = ("granted" if ticket.granted else "revoked") + (" [standby]" if ticket.standby else "")
            if ticket.last_granted > -1:
                text += f' last-granted="{format_clock(ticket.last_granted)}"'
            items.append(self.ticket(ticket.id, text))
        return Listing("Tickets", items) if items else None

    def ticket(self, identifier: str, text: str) -> Item:
        """Return the line of a ticket."""
        return Item(text, identifier)

    def bans(self) -> Listing | None:
        """Return constraints that keep resources away from nodes."""
        view = self.view
        items: list[Entry] = []
        for ban in self.status.bans:
            if view.ban_prefix is not None and not ban.id.startswith(view.ban_prefix):
                continue
            if not view.names(ban.resource.shown_id, ban.resource.top.shown_id):
                continue
            role = "in Promoted role " if ban.promoted_only else ""
            node = node_display_name(ban.node, detail=view.has(Show.NODE_ID))
            items.append(Item(f"{ban.id}\tprevents {ban.resource.id} from running {role}on {node}"))
        return Listing("Negative Location Constraints", items) if items else None


_EVENT_STYLES = {FencingState.SUCCESS: "successful", FencingState.FAILED: "failed", FencingState.PENDING: "pending"}


def _ordinary_label(node: NodeStatus) -> str | None:
    """Return under which label a node without anything special is listed; offline guests are not."""
    if node.online:
        return {NodeKind.GUEST: "GuestOnline", NodeKind.REMOTE: "RemoteOnline"}.get(node.kind, "Online")
    return {NodeKind.GUEST: None, NodeKind.REMOTE: "RemoteOFFLINE"}.get(node.kind, "OFFLINE")


def _is_listed(resource: ResourceStatus, view: View) -> bool:
    """Say whether a top-level resource belongs into the list of resources."""
    if resource.orphaned and not resource.active:
        return False
    if view.has(Show.BY_NODE):
        return not resource.active
    if view.has(Show.BRIEF) and isinstance(resource, PrimitiveStatus):
        return False
    if resource.partly_active:
        return runs_on_shown_node(resource, view)
    return view.has(Show.INACTIVE)


def _brief_passes(resource: ResourceStatus, view: View) -> bool:
    return view.names(resource.shown_id) or (resource.parent is not None and view.names(resource.parent.shown_id))


def history_passes(resource: ResourceStatus, view: View) -> bool:
    """Say whether the history of a resource is shown."""
    if isinstance(resource.top, GroupStatus):
        return view.names(resource.shown_id, resource.top.shown_id)
    return passes(resource, view)


def leading_number(text: str) -> int:
    """Return the number a text begins with, 0 if it begins with none."""
    return leading_integer(text) or 0
