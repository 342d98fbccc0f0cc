"""Resources as entries of an outline. Pure.

Groups and bundles list their parts; a clone lists only instances with anything special and
sums up the others by where they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hatools.scheduler.model.node import name_sort_key
from hatools.status.filters import hidden_by_node, named_wholly, passes
from hatools.status.model import (
    BundleStatus,
    CloneStatus,
    GroupStatus,
    NodeRef,
    PrimitiveStatus,
    ReplicaStatus,
    ResourceStatus,
)
from hatools.status.outline import Entry, Item, Listing, Span
from hatools.status.phrases import agent_name, plural, primitive_line
from hatools.status.view import Show, View
from hatools.values.ocfresult import ocf_result_text
from hatools.values.role import Role, parse_role

__all__ = ["brief_entries", "member_is_shown", "resource_entry", "resource_style"]


def resource_entry(resource: ResourceStatus, view: View) -> Entry | None:
    """Return what a display says about a resource; None if the view hides it."""
    match resource:
        case PrimitiveStatus():
            return _primitive(resource, view)
        case GroupStatus():
            return _group(resource, view)
        case CloneStatus():
            return _CloneEntry(resource, view).build()
        case BundleStatus():
            return _bundle(resource, view)
    return None


def resource_style(resource: PrimitiveStatus) -> str:
    """Return the class that colours a primitive in HTML."""
    if not resource.managed:
        return "rsc-managed"
    if resource.failed or not resource.nodes:
        return "rsc-failed"
    if len(resource.nodes) > 1:
        return "rsc-multiple"
    return "rsc-failure-ignored" if resource.failure_ignored else "rsc-ok"


def _line(resource: PrimitiveStatus, text: str) -> Item:
    return Item(text, spans=(Span(text, resource_style(resource)),))


def _primitive(resource: PrimitiveStatus, view: View) -> Item | None:
    if not passes(resource, view) or (resource.internal and not view.has(Show.IMPLICIT)):
        return None
    return _line(resource, primitive_line(resource, view.show))


def _title(text: str, remarks: Sequence[str]) -> str:
    return f"{text} ({', '.join(remarks)})" if remarks else text


# -- groups


def _group(group: GroupStatus, view: View) -> Listing | None:
    if not passes(group, view):
        return None
    inactive = sum(not child.active for child in group.children)
    remarks = []
    if not group.active and group.partly_active and inactive and not view.has(Show.INACTIVE):
        remarks.append(f"{inactive} member{plural(inactive)} inactive")
    if not group.managed:
        remarks.append("unmanaged")
    if group.disabled:
        remarks.append("disabled")
    listing = Listing(_title(f"Resource Group: {group.id}", remarks))
    wholly = named_wholly(group, view)
    if view.has(Show.BRIEF):
        chosen = [c for c in group.children if view.names(c.shown_id, group.shown_id)]
        if not chosen:
            return None
        listing.add(*brief_entries(chosen, view.with_show(Show.INACTIVE)))
        return listing
    shown = [child for child in group.children if member_is_shown(child, view, wholly=wholly)]
    for child in shown:
        entry = resource_entry(child, view)
        if entry is not None:
            listing.add(entry)
    return listing if shown else None


def member_is_shown(child: ResourceStatus, view: View, *, wholly: bool) -> bool:
    """Say whether a group's member is listed: if named itself, or if the group is and it is not inactive."""
    through = passes(child, view, check_parent=False)
    if through and view.resources is not None:
        return True
    return (through or wholly) and (child.partly_active or view.has(Show.INACTIVE))


# -- clones


class _CloneEntry:
    """Builds the entry of a clone: instances told in full, then lists of nodes by state."""

    def __init__(self, clone: CloneStatus, view: View) -> None:
        self.clone = clone
        self.view = view
        remarks = [word for word in ("promotable", "unique") if getattr(clone, word)]
        if not clone.managed:
            remarks.append("unmanaged")
        if clone.disabled:
            remarks.append("disabled")
        self.listing = Listing(_title(f"Clone Set: {clone.id} [{clone.template}]", remarks))
        self.promoted: list[str] = []
        self.started: list[str] = []
        self.stopped: dict[str, str] = {}
        self.role = parse_role(clone.configured_role) if clone.configured_role else Role.UNKNOWN

    def build(self) -> Listing | None:
        clone, view = self.clone, self.view
        if not passes(clone, view):
            return None
        wholly = named_wholly(clone, view)
        for child in clone.children:
            if not hidden_by_node(child, view) and passes(child, view, check_parent=wholly) and self._tell(child):
                entry = resource_entry(child, view.for_all_resources())
                if entry is not None:
                    self.listing.add(entry)
        if view.has(Show.CLONE_DETAIL):
            return self.listing if self.listing.entries else None
        active = self._add_active()
        if not view.has(Show.INACTIVE):
            return self.listing if self.listing.entries else None
        self._add_stopped(active)
        return self.listing if self.listing.entries or not active else None

    def _tell(self, child: ResourceStatus) -> bool:
        """Say whether an instance is told in full; otherwise note where it is."""
        clone, view = self.clone, self.view
        detail = view.has(Show.CLONE_DETAIL)
        if clone.unique:
            return detail or child.partly_active or not clone.orphaned
        if view.has(Show.PENDING) and child.pending_task not in (None, "probe"):
            return True
        if not child.partly_active:
            if not child.orphaned and not detail and view.has(Show.INACTIVE):
                self.stopped[child.id] = "Stopped"
            return detail
        where = _places(child)
        if _is_special(child) or not child.active or len(where) != 1:
            return True
        node = where[0]
        if not node.online and node.unclean:
            return True
        (self.promoted if _role(child) > Role.UNPROMOTED else self.started).append(node.name)
        return detail

    def _add_active(self) -> int:
        """List the nodes with ordinary active instances; return how many instances that are."""
        view, clone = self.view, self.clone
        promoted = sorted(filter(view.shows_node, self.promoted), key=name_sort_key)
        started = sorted(filter(view.shows_node, self.started), key=name_sort_key)
        if promoted:
            self.listing.add(Item(f"Promoted: [ {' '.join(promoted)} ]"))
        if started:
            state = "Started"
            if clone.promotable:
                state = "Unpromoted (target-role)" if self.role is Role.UNPROMOTED else "Unpromoted"
            self.listing.add(Item(f"{state}: [ {' '.join(started)} ]"))
        return len(promoted) + len(started)

    def _add_stopped(self, active: int) -> None:
        clone = self.clone
        if not clone.unique and clone.clone_max > active:
            self.stopped = self._idle_nodes()
        by_state: dict[str, list[str]] = defaultdict(list)
        for name, state in self.stopped.items():
            by_state[state].append(name)
        for state in sorted(by_state):
            names = sorted(by_state[state], key=name_sort_key)
            self.listing.add(Item(f"{state}: [ {' '.join(names)} ]"))

    def _idle_nodes(self) -> dict[str, str]:
        """Return the nodes that could run an instance but do not, with the state to show."""
        clone = self.clone
        busy = {node.name.lower() for node in clone.nodes}
        failures = {name.lower(): rc for name, rc in reversed(clone.probe_failures.items())}
        usual = "Stopped (disabled)" if self.role is Role.STOPPED else "Stopped"
        idle = {}
        for name in clone.hosts:
            if name.lower() not in busy and self.view.shows_node(name):
                rc = failures.get(name.lower())
                idle[name] = usual if rc is None else f"Stopped ({ocf_result_text(rc)})"
        return idle


def _is_special(resource: ResourceStatus) -> bool:
    """Say whether an instance, or anything in it, is orphaned, unmanaged or failed."""
    return (
        resource.orphaned
        or not resource.managed
        or resource.failed
        or any(_is_special(member) for member in resource.members)
    )


def _places(resource: ResourceStatus) -> list[NodeRef]:
    """Return where a resource or its parts are, each node once."""
    if not resource.members:
        return list(resource.nodes)
    found = {node.id: node for member in resource.members for node in _places(member)}
    return list(found.values())


def _role(resource: ResourceStatus) -> Role:
    if not resource.members:
        return resource.role
    return max(_role(member) for member in resource.members)


# -- bundles


def _bundle(bundle: BundleStatus, view: View) -> Listing | None:
    if not passes(bundle, view):
        return None
    title = f"Container bundle{' set' if len(bundle.replicas) > 1 else ''}: {bundle.id} [{bundle.image}]"
    title += " (unique)" if bundle.unique else ""
    title += "" if bundle.managed else " (unmanaged)"
    listing = Listing(title)
    wholly = view.names(bundle.id)
    for replica in bundle.replicas:
        if hidden_by_node(replica.container, view):
            continue
        parts = [part for part in replica.parts if passes(part, view, check_parent=wholly)]
        if view.has(Show.IMPLICIT) or (not wholly and parts):
            inner = [resource_entry(part, view.with_show(Show.IMPLICIT)) for part in parts]
            number = f"Replica[{replica.offset}]" if len(bundle.replicas) > 1 else None
            listing.add(Listing(number, [entry for entry in inner if entry is not None], colon=False))
        elif wholly:
            listing.add(_replica_line(replica, view))
    return listing if listing.entries else None


def _replica_line(replica: ReplicaStatus, view: View) -> Item:
    resource = replica.child or replica.container
    name = (replica.remote or replica.container).shown_id
    if replica.address is not None:
        name += f" ({replica.address})"
    return _line(resource, primitive_line(resource, view.show, name=name, at=replica.container.current))


# -- brief


def brief_entries(resources: Iterable[ResourceStatus], view: View) -> list[Entry]:
    """Return how many primitives of each agent are active on which node."""
    totals: dict[str, int] = defaultdict(int)
    active: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for resource in resources:
        if not isinstance(resource, PrimitiveStatus):
            continue
        agent = agent_name(resource)
        totals[agent] += 1
        for node in resource.nodes:
            if node.unclean or node.online or not resource.managed:
                active[agent][node.name] += 1
    entries: list[Entry] = []
    with_total = view.has(Show.INACTIVE)
    for agent in sorted(totals):
        total = f"/{totals[agent]}" if with_total else ""
        for name in sorted(active[agent], key=name_sort_key):
            shown = "" if view.has(Show.RESOURCE_ONLY) else name
            entries.append(Item(f"{active[agent][name]}{total}\t({agent}):\tActive {shown}"))
        if with_total and not active[agent]:
            entries.append(Item(f"0{total}\t({agent}):\tActive"))
    return entries
