"""Controllers on a bus without delay and one CIB for all: enough to see them elect, join and act together.

Time moves only by :meth:`InstantCluster.wait`. Agents succeed at once unless a test says otherwise; the scheduler is
a function the test gives.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hatools.cib.document import Document, empty_document, parse_xml
from hatools.cib.operations import Edit, perform
from hatools.daemons.crmd.cluster import Identity
from hatools.daemons.crmd.controller import Controller
from hatools.daemons.crmd.effects import (
    Announce,
    AwaitReplica,
    BroadcastToPeers,
    CancelRecurring,
    ComputeTransition,
    Effect,
    EndProcess,
    FenceNode,
    ForgetResource,
    Log,
    ReadMetadata,
    Rehearse,
    RunAlert,
    RunOperation,
    SendToPeer,
    SetAttributes,
    WriteCib,
)
from hatools.daemons.crmd.events import (
    CibSeen,
    Event,
    FencingEnded,
    Instant,
    MetadataRead,
    PeerSaid,
    RecurringCancelled,
    ResourceForgotten,
    Scheduled,
    Synchronised,
    Written,
)
from hatools.ipc.messages.crmd import JoinOffer
from hatools.ipc.messages.lrm import OperationDone
from hatools.ipc.messages.messaging import GroupChanged, Member, ViewChanged
from hatools.transition.graph import Graph

Scheduler = Callable[[Document], Graph]
NAMES = {1: "node1", 2: "node2", 3: "node3"}


@dataclass
class Node:
    """One controller and what it asked for."""

    core: Controller
    ended: int | None = None
    ran: list[RunOperation] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)


class InstantCluster:
    """Up to three controllers."""

    def __init__(self, scheduler: Scheduler | None = None, *, options: str = "", configuration: str = "") -> None:
        self.scheduler: Scheduler = scheduler or (lambda document: Graph())
        self.document = empty_document()
        self.nodes: dict[int, Node] = {}
        self.now = 100.0
        self.ring = 0
        self.results: dict[str, int] = {}
        self.calculations: list[Document] = []
        self.calculating_s = 0.0
        """How long a calculation takes."""
        self.fencings: list[str] = []
        self.fence_requests: list[FenceNode] = []
        self.cancelled: list[tuple[str, str, int]] = []
        self.can_fence = True
        self.fencing_lasts = False
        """Nobody hears of a fencing's end until the test says so."""
        self.deaf: set[int] = set()
        """Nodes that no offer reaches."""
        self.behind: set[int] = set()
        """Nodes whose replica does not agree with the others yet."""
        self.mute: set[str] = set()
        """Operations (keys) whose end nobody hears of."""
        self.refuses_writes = False
        """The CIB takes nothing, as on a full disk."""
        self.offers: list[int] = []
        self.log: list[str] = []
        self._calls = 0
        self._lives = 0
        self._queue: deque[tuple[int, Event]] = deque()
        if options:
            pairs = "".join(
                f'<nvpair id="o-{name}" name="{name}" value="{value}"/>'
                for name, value in (pair.split("=") for pair in options.split())
            )
            self.configure(
                f'<crm_config><cluster_property_set id="o">{pairs}</cluster_property_set></crm_config>', "crm_config"
            )
        if configuration:
            self.configure(configuration, "resources")

    def configure(self, xml: str, section: str) -> None:
        """Change the configuration as an administrator would."""
        from hatools.values.ciboperation import CibOperation

        edit = Edit(CibOperation.MODIFY, section, update=parse_xml(xml), allow_create=True)
        self._take(perform(self.document, edit).document)
        self.settle()

    def start(self, *nodes: int) -> None:
        """Start controllers, all in one view."""
        for node in nodes:
            self.boot(node)
        self.view()

    def boot(self, node: int, *, style: str = "corosync") -> None:
        """Start a controller; the next view has it."""
        self._lives += 1
        me = Identity(node, NAMES[node], f"uuid-{node}-{self._lives}", style, "test", "2.1.5-test")
        self.nodes[node] = Node(Controller(me, self.instant()))
        self._queue.append((node, CibSeen(self.document)))

    def instant(self) -> Instant:
        return Instant(self.now, int(self.now) + 1_700_000_000)

    def view(self, *, arrived: tuple[int, ...] | None = None, left: tuple[int, ...] = ()) -> None:
        """Install a view of the nodes that run; whoever is new has arrived."""
        self.ring += 1
        members = tuple(Member(node, NAMES[node]) for node in sorted(self.nodes))
        quorate = len(members) >= 2
        for node in self.nodes:
            old = {peer.id for peer in self.nodes[node].core.cluster.peers.all() if peer.in_view}
            fresh = tuple(member.id for member in members if member.id not in old)
            self._queue.append((node, ViewChanged(f"1.{self.ring}", members, quorate, fresh, left)))
            group_old = {peer.id for peer in self.nodes[node].core.cluster.peers.all() if peer.in_group}
            ids = tuple(member.id for member in members)
            came = tuple(n for n in ids if n not in group_old)
            went = tuple(n for n in group_old if n not in ids)
            if came or went:
                self._queue.append((node, GroupChanged("crmd", ids, came, went)))
        self.settle()

    def crash(self, node: int) -> None:
        """Lose a node."""
        del self.nodes[node]
        self.view()

    def restart_controller(self, node: int) -> None:
        """End a controller while its node stays, and start it again."""
        del self.nodes[node]
        ids = tuple(sorted(self.nodes))
        for other in self.nodes:
            self._queue.append((other, GroupChanged("crmd", ids, (), (node,))))
        self.settle()
        self.boot(node)
        members = tuple(Member(n, NAMES[n]) for n in sorted(self.nodes))
        ids = tuple(sorted(self.nodes))
        self._queue.append((node, ViewChanged(f"1.{self.ring}", members, True)))
        for other in self.nodes:
            came = ids if other == node else (node,)
            self._queue.append((other, GroupChanged("crmd", ids, came, ())))
        self.settle()

    def feed(self, node: int, event: Event) -> None:
        self._queue.append((node, event))
        self.settle()

    def settle(self) -> None:
        """Deliver everything that is under way."""
        for _ in range(20_000):
            if not self._queue:
                return
            node, event = self._queue.popleft()
            if node in self.nodes:
                self._perform(node, self.nodes[node].core.handle(self.instant(), event))
        raise AssertionError("the controllers do not come to rest: " + "; ".join(self.log[-20:]))

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + seconds
        for _ in range(1000):
            due = [node.core.deadline for node in self.nodes.values() if node.core.deadline is not None]
            self.now = min([end, *(max(time, self.now) for time in due)])
            for key in list(self.nodes):
                deadline = self.nodes[key].core.deadline
                if deadline is not None and deadline <= self.now:
                    self._perform(key, self.nodes[key].core.expire(self.instant()))
            self.settle()
            if self.now >= end:
                return

    def states(self) -> dict[str, str]:
        return {node.core.cluster.me.name: node.core.state.value for node in self.nodes.values()}

    def dc(self) -> Controller:
        """Return the one DC."""
        (found,) = [node.core for node in self.nodes.values() if node.core.coordinator.active]
        return found

    def started(self) -> list[tuple[str, str, str]]:
        """Return what ran: (node, resource, operation) in order per node."""
        return [
            (node.core.cluster.me.name, run.resource.name, run.operation)
            for node in self.nodes.values()
            for run in node.ran
        ]

    def _take(self, document: Document) -> None:
        self.document = document
        for node in self.nodes:
            self._queue.append((node, CibSeen(document)))

    def _perform(self, node: int, effects: list[Effect]) -> None:
        for effect in effects:
            self._carry_out(node, effect)

    def _carry_out(self, node: int, effect: Effect) -> None:
        match effect:
            case BroadcastToPeers(message):
                for other in self.nodes:
                    self._queue.append((other, PeerSaid(node, message, True)))
            case SendToPeer(other, message):
                if isinstance(message, JoinOffer):
                    self.offers.append(other)
                if other in self.nodes and not (other in self.deaf and isinstance(message, JoinOffer)):
                    self._queue.append((other, PeerSaid(node, message, False)))
            case WriteCib(tag) if self.refuses_writes:
                self._queue.append((node, Written(tag, None, "no space")))
            case WriteCib(tag, changes):
                document = self.document
                for change in changes:
                    update = parse_xml(change.xml) if change.xml else None
                    edit = Edit(change.operation, change.section, change.xpath, update, change.allow_create)
                    document = perform(document, edit).document
                if document is not self.document:
                    self._take(document)
                self._queue.append((node, Written(tag, document.version)))
            case AwaitReplica(ring):
                if node not in self.behind:
                    self._queue.append((node, Synchronised(ring)))
            case ComputeTransition(request, document):
                self.calculations.append(document)
                self.now += self.calculating_s
                self._queue.append((node, Scheduled(request, self.scheduler(document))))
            case RunOperation():
                self.nodes[node].ran.append(effect)
                if f"{effect.resource.name}_{effect.operation}_{effect.interval_ms}" in self.mute:
                    return
                self._queue.append((node, self.result(effect)))
            case CancelRecurring(resource, operation, interval_ms, key):
                self.cancelled.append((resource, operation, interval_ms))
                if key:
                    self._queue.append((node, RecurringCancelled(key)))
            case ForgetResource(resource, key):
                self._queue.append((node, ResourceForgotten(key, resource)))
            case ReadMetadata(resource):
                self._queue.append((node, MetadataRead(resource, None)))
            case FenceNode(key, target):
                self.fencings.append(target)
                self.fence_requests.append(effect)
                if self.fencing_lasts:
                    return
                self._queue.append((node, FencingEnded(key, target, self.can_fence, "no device")))
            case SetAttributes(request):
                self.nodes[node].asked.append(request)
            case Log(level, text):
                self.log.append(f"{NAMES[node]} {level}: {text}")
            case EndProcess(status):
                self.nodes[node].ended = status
            case Announce() | Rehearse() | RunAlert():
                return

    def result(self, run: RunOperation) -> OperationDone:
        self._calls += 1
        name = f"{run.resource.name}_{run.operation}_{run.interval_ms}"
        return OperationDone(
            resource=run.resource.name,
            operation=run.operation,
            interval_ms=run.interval_ms,
            call_id=self._calls,
            tag=run.key,
            exec_status=0,
            exit_status=self.results.get(name, 0),
            exit_reason="",
            output="",
            exec_time_ms=10,
            queue_time_ms=0,
            last_run=int(self.now),
            last_change=int(self.now),
            parameters=run.parameters,
            timeout_ms=run.timeout_ms,
        )
