"""The plan: everything that is being worked out. Pure.

The unpack stages fill it from the CIB, the later stages decide with it, status displays read
it. :meth:`Plan.seal` ends the time in which a field may change: writing it afterwards is a
bug and raises. Lookups go through indexes that are kept while things are added.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from hatools.cib.document import Document
from hatools.scheduler.model.action import Action
from hatools.scheduler.model.constraint import Colocation, Location, Ordering, Ticket, TicketConstraint
from hatools.scheduler.model.history import FailedOperation, Operation, ResourceHistory
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import Reasons
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.options import ClusterOptions
from hatools.values.errors import LocalError
from hatools.values.iso8601 import Moment
from hatools.values.records import dataclass, field

if TYPE_CHECKING:
    from hatools.scheduler.summary import SummaryLine


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noteworthy about the input: severity is ``error``, ``warning`` or ``notice``.

    ``processing`` marks findings that decide the name of the stored scheduler input (pe-error,
    pe-warn, pe-input).
    """

    severity: str
    text: str
    processing: bool = False


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """One score as it was decided: ``stage`` says in which step, ``node`` is None for node-less ones.

    ``detail`` are the amounts of a utilization record.
    """

    stage: str
    resource: str
    node: str | None
    score: int
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class ParameterCheck:
    """A digest comparison that has to wait until it is known where a container will be."""

    operation: Operation
    resource: Resource
    node: Node
    last_failure: bool


@dataclass(eq=False)
class Plan:
    """The working data of one run of the scheduler.

    Times are seconds since the epoch. ``recheck_by`` is when time alone may change the result
    (0: never). ``known_instances``, ``disabled_resources`` and ``blocked_resources`` are the
    counts that status displays show.
    """

    document: Document
    now: Moment
    options: ClusterOptions = field(default_factory=ClusterOptions)
    sanitized: bool = False
    show_utilization: bool = False
    check_config: bool = False
    record_scores: bool = True

    dc_id: str | None = None
    dc_node: Node | None = None
    have_quorum: bool = False
    have_fencing_resource: bool = False
    have_remote_nodes: bool = False
    unfencing_enabled: bool = False

    nodes: list[Node] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    templates: dict[str, list[str]] = field(default_factory=dict)
    op_defaults: list[Element] = field(default_factory=list)
    rsc_defaults: list[Element] = field(default_factory=list)

    locations: list[Location] = field(default_factory=list)
    colocations: list[Colocation] = field(default_factory=list)
    orderings: list[Ordering] = field(default_factory=list)
    ticket_constraints: list[TicketConstraint] = field(default_factory=list)

    failed_operations: list[FailedOperation] = field(default_factory=list)
    parameter_checks: list[ParameterCheck] = field(default_factory=list)
    containers_to_stop: list[Resource] = field(default_factory=list)

    actions: list[Action] = field(default_factory=list)
    singletons: dict[str, Action] = field(default_factory=dict)
    next_action_id: int = 1
    next_order_id: int = 1

    recheck_by: int = 0
    known_instances: int = 0
    disabled_resources: int = 0
    blocked_resources: int = 0
    max_valid_nodes: int = 0

    findings: list[Finding] = field(default_factory=list)
    scores: list[ScoreRecord] = field(default_factory=list)
    summary: "list[SummaryLine]" = field(default_factory=list)
    reasons: Reasons = field(default_factory=Reasons)

    _said: dict[str, None] = field(default_factory=dict, repr=False)
    _sealed: dict[str, None] = field(default_factory=dict, repr=False)
    _nodes_by_name: dict[str, Node] = field(default_factory=dict, repr=False)
    _nodes_by_id: dict[str, Node] = field(default_factory=dict, repr=False)
    _by_id: dict[str, list[Resource]] = field(default_factory=dict, repr=False)
    _serial: dict[Resource, int] = field(default_factory=dict, repr=False)
    _by_history_id: dict[str, list[Resource]] = field(default_factory=dict, repr=False)
    _history: dict[str, dict[str, ResourceHistory]] = field(default_factory=dict, repr=False)
    scratch: dict[str, Any] = field(default_factory=dict, repr=False)

    def __setattr__(self, name: str, value: object) -> None:
        sealed = self.__dict__.get("_sealed")
        if sealed is not None and name in sealed:
            raise LocalError(f"plan field {name} is final and cannot be changed any more")
        object.__setattr__(self, name, value)

    def seal(self, names: Iterable[str]) -> None:
        """Make fields final: containers become read-only views, assignments raise."""
        for name in names:
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
            elif isinstance(value, dict):
                object.__setattr__(self, name, MappingProxyType(value))
            self._sealed[name] = None

    # -- findings

    def say(self, severity: str, text: str, *, processing: bool = False, once: str | None = None) -> None:
        """Record a finding; with ``once``, only the first of those that share that key."""
        if once is not None:
            if once in self._said:
                return
            self._said[once] = None
        self.findings.append(Finding(severity, text, processing))

    def config_error(self, text: str) -> None:
        """Record that the configuration is wrong."""
        self.say("error", text, processing=True)

    def config_warning(self, text: str) -> None:
        """Record that the configuration is doubtful."""
        self.say("warning", text, processing=True)

    # -- time

    @property
    def effective_time(self) -> int:
        """Return the time that the scheduler takes for now."""
        return self.now.epoch_seconds

    def update_recheck(self, when: int) -> None:
        """Note that the result may change at a time in the future."""
        if when > self.effective_time and (self.recheck_by == 0 or self.recheck_by > when):
            self.recheck_by = when

    # -- nodes

    def add_node(self, node: Node) -> None:
        """Add a node, keeping the list sorted by name as people sort."""
        from bisect import bisect_right

        from hatools.scheduler.model.node import node_sort_key

        keys = [node_sort_key(n) for n in self.nodes]
        self.nodes.insert(bisect_right(keys, node_sort_key(node)), node)
        self._nodes_by_name.setdefault(node.name.lower(), node)
        self._nodes_by_id.setdefault(node.id.lower(), node)

    def find_node(self, name: str | None) -> Node | None:
        """Find a node by name, ignoring case."""
        return None if name is None else self._nodes_by_name.get(name.lower())

    def find_node_by_id(self, identifier: str | None) -> Node | None:
        """Find a node by id, ignoring case."""
        return None if identifier is None else self._nodes_by_id.get(identifier.lower())

    def find_node_any(self, identifier: str | None, name: str | None) -> Node | None:
        """Find a node by id, or else by name."""
        return self.find_node_by_id(identifier) or self.find_node(name)

    # -- resources

    def add_resource(self, resource: Resource) -> None:
        """Add a top-level resource and register everything in it."""
        self.resources.append(resource)
        self.register(resource)

    def register(self, resource: Resource) -> None:
        """Make a resource and everything in it findable by id."""
        for each in resource.descendants():
            self._serial.setdefault(each, len(self._serial))
            known = self._by_id.setdefault(each.id, [])
            if each not in known:
                known.append(each)

    def rename_history(self, resource: Resource, history_id: str | None) -> None:
        """Note under which name a resource's history was found."""
        if resource.history_id is not None:
            self._by_history_id.get(resource.history_id, []).remove(resource)
        resource.history_id = history_id
        if history_id is not None:
            self._by_history_id.setdefault(history_id, []).append(resource)

    def find_resource(self, identifier: str | None, *, any_instance: bool = False) -> Resource | None:
        """Find a resource by id or by the name of its history; the first in configuration order wins.

        With ``any_instance``, the id without instance number finds the first instance, too.
        """
        if not identifier:
            return None
        found = self._candidates(identifier)
        if any_instance and not found:
            found = [r for r in self._by_id.get(identifier + ":0", ()) if self._is_known(r)]
        if len(found) <= 1:
            return found[0] if found else None
        return min(found, key=self._position)

    def matching_resources(self, identifier: str) -> list[Resource]:
        """Return all resources that have an id or whose history was found under it, last first."""
        found = self._candidates(identifier)
        if len(found) > 1:
            found.sort(key=self._position, reverse=True)
        return found

    def _candidates(self, identifier: str) -> list[Resource]:
        """Return all resources that have an id or whose history was found under it."""
        found = [r for r in self._by_id.get(identifier, ()) if self._is_known(r)]
        for each in self._by_history_id.get(identifier, ()):
            if each not in found and self._is_known(each):
                found.append(each)
        return found

    def _is_known(self, resource: Resource) -> bool:
        top = resource
        while top.parent is not None:
            top = top.parent
        return top in self._by_id.get(top.id, ())

    def _position(self, resource: Resource) -> int:
        return self._serial[resource]

    # -- history

    def add_history(self, node_name: str, history: ResourceHistory) -> None:
        """Register the history of one resource on one node."""
        self._history.setdefault(node_name, {}).setdefault(history.id, history)

    def history(self, node_name: str | None, resource_id: str) -> ResourceHistory | None:
        """Return the history recorded for a resource id on a node, by its name."""
        return None if node_name is None else self._history.get(node_name, {}).get(resource_id)

    def histories(self, node_name: str) -> Iterable[ResourceHistory]:
        """Return all histories of a node in document order."""
        return self._history.get(node_name, {}).values()
