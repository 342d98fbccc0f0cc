"""The status of one CIB after another: what did not change is not worked out again. Pure.

Top-level resources are independent of each other as far as displays go, and documents share what did not change. So
after a change of some operation histories only the resources they belong to are unpacked, as a small cluster of their
own, and take the place of the old ones in the last status. Always among them is whatever failed, because failures say
something about nodes. Everything else (another configuration of a node, a node that comes or goes, tickets, orphans,
bundles, remote nodes, rules that look at the time ...) has the whole status worked out anew.
"""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement

from hatools.cib.document import Document, children
from hatools.scheduler.plan import Plan
from hatools.scheduler.schedule import unpack_status
from hatools.scheduler.unpack.failures import strip_instance
from hatools.status.collect import collect
from hatools.status.model import (
    ClusterStatus,
    HistoryStatus,
    NodeHistory,
    NodeStatus,
    PrimitiveStatus,
    ResourceStatus,
)
from hatools.status.view import Section
from hatools.values.iso8601 import Moment
from hatools.values.records import as_dict, dataclass, replace
from hatools.values.role import Role

__all__ = ["StatusFollower"]

_MOST = 100
"""More changed resources than this are not worth the trouble."""

_WITH_CONSTRAINTS = Section.BANS | Section.TICKETS
_COUNTERS = ("epoch", "num_updates", "cib-last-written", "update-origin", "update-client", "update-user")
_ORIGIN = {"crm-debug-origin": ""}
_FAILURES = ("fail-count-", "last-failure-")
_KINDS = ("primitive", "group", "clone", "master")


@dataclass(frozen=True, slots=True)
class _Known:
    """A status that was worked out, and what it is made of.

    ``tops`` names the top-level resource that each primitive belongs to; ``devices`` are those that fence, which say
    what a failure leads to; ``watched`` are all that are always worked out anew. ``rules``: node attributes may decide
    more than what is shown of them.
    """

    document: Document
    sections: Section
    status: ClusterStatus
    tops: dict[str, str]
    devices: frozenset[str]
    watched: frozenset[str]
    rules: bool


class StatusFollower:
    """Answers with the status of the document it is given; the more it resembles the last one, the faster."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def status(self, document: Document, now: Moment, seconds: float, sections: Section) -> ClusterStatus:
        """Return the status that a CIB tells.

        Args:
            now, seconds: when it is shown, as the rules see it and in seconds since the epoch.
            sections: what will be shown.
        """
        known = self._known
        if known is not None and known.sections == sections:
            touched = _touched(known, document)
            if touched is not None and len(touched) <= _MOST:
                status = _patched(known, document, touched, now, seconds)
                if status is not None:
                    self._known = _with_status(known, document, status)
                    return status
        plan = unpack_status(document, now, with_constraints=bool(sections & _WITH_CONSTRAINTS))
        status = collect(plan, seconds, sections)
        self._known = _remember(document, plan, status, sections)
        return status


# What is remembered


def _remember(document: Document, plan: Plan, status: ClusterStatus, sections: Section) -> _Known | None:
    """Return what the next status may be made of; None if it must be worked out whole."""
    if sections & _WITH_CONSTRAINTS or plan.options.shutdown_lock:
        return None
    if any(node.is_remote_or_guest for node in plan.nodes) or any(each.orphaned for each in status.resources):
        return None
    if any(each.container is not None for top in plan.resources for each in top.descendants()):
        return None
    configuration = document.configuration
    if configuration is None:
        return None
    resources = next(children(configuration, "resources"), None)
    tops: dict[str, str] = {}
    devices = set()
    for top in () if resources is None else children(resources):
        if top.tag == "template":
            continue
        if top.tag not in _KINDS or any(each.get("id-ref") for each in top.iter()):
            return None
        for primitive in top.iter("primitive"):
            tops[primitive.get("id") or ""] = top.get("id") or ""
            if (primitive.get("class") or "").lower() == "stonith":
                devices.add(top.get("id") or "")
    if any(True for _ in configuration.iter("date_expression")):
        return None
    rules = any(True for _ in configuration.iter("rule"))
    known = _Known(document, sections, status, tops, frozenset(devices), frozenset(), rules)
    return _with_status(known, document, status)


def _with_status(known: _Known, document: Document, status: ClusterStatus) -> _Known | None:
    watched = _watched(known, status)
    return None if watched is None else replace(known, document=document, status=status, watched=watched)


def _watched(known: _Known, status: ClusterStatus) -> frozenset[str] | None:
    """Return the top-level resources that fence, that failed somewhere, or whose agents measure connectivity.

    None: something failed that is none of them, or operations that have no key, of which only one is listed.
    """
    if not all(each.key for each in status.failures):
        return None
    names = {each.resource for each in status.failures}
    if Section.ATTRIBUTES in known.sections:
        names |= {each.id for node in status.nodes for each in node.running if each.type.lower() in ("ping", "pingd")}
    tops = known.devices | {_top(known.tops, name or "") for name in names}
    return None if "" in tops else tops


def _top(tops: dict[str, str], identifier: str) -> str:
    """Return the top-level resource that a primitive or an instance of it belongs to, empty if to none."""
    return tops.get(identifier) or tops.get(_name(identifier), "")


# What changed


def _touched(known: _Known, document: Document) -> frozenset[str] | None:
    """Return the top-level resources to work out anew, None if that does not say all."""
    before, after = known.document.root, document.root
    if _without_counters(before) != _without_counters(after):
        return None
    if known.document.configuration is not document.configuration:
        return None
    pairs = _changed_pairs(known.document.status, document.status)
    if pairs is None:
        return None
    names: set[str] = set()
    for old, new in pairs:
        if old is None or new is None or new.tag != "node_state":
            return None
        found = _touched_on_node(known, old, new)
        if found is None:
            return None
        names |= found
    tops = {_top(known.tops, name) for name in names}
    return None if "" in tops else known.watched | tops


def _without_counters(root: Element) -> dict[str, str]:
    return {name: value for name, value in root.items() if name not in _COUNTERS}


_Pair = tuple[Element | None, Element | None]


def _changed_pairs(before: Element | None, after: Element | None) -> list[_Pair] | None:
    """Return the children that are not the same, old and new by tag and id; None if what stayed has another order."""
    old = {(each.tag, each.get("id")): each for each in children(before)}
    new = {(each.tag, each.get("id")): each for each in children(after)}
    if old.keys() != new.keys():
        if [key for key in old if key in new] != [key for key in new if key in old]:
            return None
    elif list(old) != list(new):
        return None
    pairs: list[_Pair] = [(old.get(key), each) for key, each in new.items() if old.get(key) is not each]
    return pairs + [(each, None) for key, each in old.items() if key not in new]


def _touched_on_node(known: _Known, before: Element, after: Element) -> set[str] | None:
    """Return the names of resources whose history or failures on a node are not the same."""
    if before.attrib | _ORIGIN != after.attrib | _ORIGIN:
        return None
    parts = _changed_pairs(before, after)
    if parts is None:
        return None
    names: set[str] = set()
    for old, new in parts:
        match (old if new is None else new), new:
            case Element(tag="lrm"), _:
                pairs = _changed_pairs(_histories(old), _histories(new))
                if pairs is None:
                    return None
                names |= {each.get("id") or "" for pair in pairs for each in pair if each is not None}
            case Element(tag="transient_attributes"), Element():
                changed = {name for name, _ in _attributes(old) ^ _attributes(new)}
                failures = {name for name in changed if name.startswith(_FAILURES)}
                if known.rules and changed != failures:
                    return None
                names |= {name.split("-", 2)[2].partition("#")[0] for name in failures}
            case _:
                return None
    return names


def _histories(lrm: Element | None) -> Element | None:
    return next(children(next(children(lrm, "lrm"), lrm), "lrm_resources"), None)


def _attributes(holder: Element | None) -> set[tuple[str, str]]:
    pairs = () if holder is None else holder.iter("nvpair")
    return {(each.get("name") or "", each.get("value") or "") for each in pairs}


# Part of a cluster, and what it changes in the whole


def _patched(
    known: _Known, document: Document, touched: frozenset[str], now: Moment, seconds: float
) -> ClusterStatus | None:
    """Return the last status with some resources worked out anew; None if they say something about nodes."""
    plan = unpack_status(_part(known, document, touched), now)
    part = collect(plan, seconds, known.sections)
    old = known.status
    if [_of_node(each) for each in old.nodes] != [_of_node(each) for each in part.nodes]:
        return None
    replaced = {each.id: each for each in part.resources}
    if replaced.keys() != touched:
        return None
    resources = tuple(replaced.get(each.id, each) for each in old.resources)
    if not _add_running(part.nodes, old, document, touched):
        return None
    before = [each for each in old.resources if each.id in touched]
    return replace(
        part,
        summary=replace(
            part.summary,
            resource_count=old.summary.resource_count + _count(part.resources) - _count(before),
            disabled_count=old.summary.disabled_count + _count(part.resources, "disabled") - _count(before, "disabled"),
            blocked_count=old.summary.blocked_count + _count(part.resources, "blocked") - _count(before, "blocked"),
        ),
        resources=resources,
        histories=tuple(_joined(old.histories, part.histories, document, known, touched)),
    )


def _part(known: _Known, document: Document, wanted: frozenset[str]) -> Document:
    """Return a CIB with some of the top-level resources and what is known about them."""
    root = Element("cib", document.root.attrib)
    for section in document.root:
        if section.tag == "configuration":
            configuration = SubElement(root, "configuration", section.attrib)
            for each in section:
                if each.tag == "resources":
                    resources = SubElement(configuration, "resources", each.attrib)
                    resources.extend(top for top in each if top.tag == "template" or top.get("id") in wanted)
                elif each.tag != "constraints":
                    configuration.append(each)
        elif section.tag == "status":
            status = SubElement(root, "status", section.attrib)
            status.extend(_part_of_state(known, each, wanted) for each in section)
    return Document(root)


def _part_of_state(known: _Known, state: Element, wanted: frozenset[str]) -> Element:
    if state.tag != "node_state":
        return state
    part = Element("node_state", state.attrib)
    for each in state:
        if each.tag == "lrm":
            lrm = SubElement(part, "lrm", each.attrib)
            for holder in children(each, "lrm_resources"):
                kept = SubElement(lrm, "lrm_resources", holder.attrib)
                kept.extend(entry for entry in children(holder) if _top(known.tops, entry.get("id") or "") in wanted)
        else:
            part.append(each)
    return part


def _name(identifier: str) -> str:
    """Return the configured resource's id."""
    return strip_instance(identifier) if ":" in identifier else identifier


def _of_node(node: NodeStatus) -> dict[str, object]:
    """Return what resources may depend on."""
    return as_dict(node) | {"running": None, "attributes": None}


def _add_running(
    nodes: tuple[NodeStatus, ...], old: ClusterStatus, document: Document, touched: frozenset[str]
) -> bool:
    """Complete the lists of what runs on each node, in the order of the operation histories.

    Returns:
        whether that order is known: not if a node has several histories of one resource.
    """
    states = {each.get("id"): each for each in children(document.status, "node_state")}
    for node, before in zip(nodes, old.nodes, strict=True):
        kept = [each for each in before.running if each.top.id not in touched]
        if node.running:
            places = _places(states.get(node.id))
            if places is None:
                return False
            node.running += kept
            node.running.sort(key=lambda each: places[_name(each.id)])
        else:
            node.running = kept
    return True


def _places(state: Element | None) -> dict[str, int] | None:
    """Return the place of each resource's history on a node, None if one has several."""
    names = [_name(entry.get("id") or "") for entry in children(_histories(state))]
    places = {name: place for place, name in enumerate(names)}
    return places if len(places) == len(names) else None


def _count(resources: Iterable[ResourceStatus], flag: str = "") -> int:
    """Return how many instances there are of some resources; with a flag, only those that have it."""
    total = 0
    for each in resources:
        if each.members:
            total += _count(each.members, flag)
        elif isinstance(each, PrimitiveStatus) and (not each.orphaned or each.role > Role.STOPPED):
            total += not flag or bool(getattr(each, flag))
    return total


def _joined(
    old: tuple[NodeHistory, ...],
    part: tuple[NodeHistory, ...],
    document: Document,
    known: _Known,
    touched: frozenset[str],
) -> Iterator[NodeHistory]:
    """Yield each node's operation history, with the new entries in place of the old ones."""
    states = {each.get("id"): each for each in children(document.status, "node_state")}
    for before, after in zip(old, part, strict=True):
        entries: dict[str, HistoryStatus] = {
            each.id: each for each in before.entries if _top(known.tops, each.id) not in touched
        }
        entries |= {each.id: each for each in after.entries}
        order = [entry.get("id") or "" for entry in children(_histories(states.get(after.node.id)), "lrm_resource")]
        yield NodeHistory(after.node, tuple(entries[name] for name in order))
