"""The controller's core: takes one event, moves through the state table, returns effects. Pure.

Every node runs one. Each takes part in the election of the DC, joins the one elected, and performs what it asks
for (:mod:`~hatools.daemons.crmd.operations`); the one that is elected has the DC's duties besides
(:mod:`~hatools.daemons.crmd.coordinator`).
"""

from typing import assert_never

from hatools.daemons.crmd import changes, status
from hatools.daemons.crmd.alerts import Alerts
from hatools.daemons.crmd.attendance import Attendance
from hatools.daemons.crmd.bulletin import Bulletin, read_throttle
from hatools.daemons.crmd.candidacy import EXIT_STAY_DOWN, Candidacy
from hatools.daemons.crmd.cluster import Cluster, Identity
from hatools.daemons.crmd.coordinator import Coordinator
from hatools.daemons.crmd.effects import (
    Announce,
    AwaitReplica,
    BroadcastToPeers,
    Effect,
    EndProcess,
    Rehearse,
    SendToPeer,
    SetAttributes,
)
from hatools.daemons.crmd.events import (
    CibSeen,
    ElectionAsked,
    Event,
    FencingEnded,
    FencingSeen,
    FencingTold,
    Instant,
    LoadSeen,
    MetadataRead,
    OperationRefused,
    PeerSaid,
    RecurringCancelled,
    ResourceForgotten,
    RingDescribed,
    Scheduled,
    ShutdownAsked,
    Synchronised,
    Written,
)
from hatools.daemons.crmd.fsa import DC_STATES, Action, Input, State, is_overtaken, step
from hatools.daemons.crmd.history import ResourceIdentity
from hatools.daemons.crmd.operations import LocalOperations, OperationEffect, Reply
from hatools.daemons.crmd.peers import Peer
from hatools.daemons.crmd.rehearsal import Rehearsal
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.ipc.messages.crmd import (
    ActionDone,
    ControllerState,
    Elect,
    JoinAck,
    JoinConfirm,
    JoinOffer,
    JoinRequest,
    KnownNode,
    LeaveCluster,
    NodeList,
    PeerAnswer,
    PeerFail,
    PeerForget,
    PeerQuestion,
    PeerRefresh,
    PeerReprobe,
    PerformAction,
    ThrottleChanged,
    Vote,
)
from hatools.ipc.messages.lrm import OperationDone
from hatools.ipc.messages.messaging import GroupChanged, ViewChanged

DEFAULT_ESCALATION_S = 20 * 60.0
LAST_WRITES_S = 10.0
"""Seconds that the last changes of the CIB may take before we leave without them."""

EXIT_OK = 0
EXIT_PANIC = 101
_MOST_INPUTS = 100
"""More steps than this for one event mean that the table runs in a circle."""


class Controller:
    """One node's controller. Feed it with :meth:`handle`; call :meth:`expire` at ``deadline``."""

    def __init__(self, me: Identity, at: Instant) -> None:
        self.cluster = Cluster(me)
        self.state = State.STARTING
        self.coordinator = Coordinator(self.cluster)
        self._candidacy = Candidacy(self.cluster, self.coordinator, lambda: self.state)
        self.operations = LocalOperations(me.node_id, me.name, self.cluster.tags)
        self.cluster.started = at.now
        self._escalation: float | None = None
        self._shutting_down = False
        self._has_served = False
        """Whether this incarnation has run an operation: else it holds nothing that a fencing should have ended."""
        self._announced: ControllerState | None = None
        self._rehearsal = Rehearsal()
        self._alerts = Alerts(self.cluster)
        self._attendance = Attendance(self.cluster, self._alerts)
        self._bulletin = Bulletin(self.cluster)
        self.cluster.peers.learn(me.id, me.name)

    # --- what can be asked

    @property
    def dc(self) -> str:
        """Return the DC's name, empty if there is none that took us in."""
        peer = self.cluster.peers.get(self._candidacy.dc)
        if peer is None or self.state in (State.STARTING, State.ELECTION, State.PENDING):
            return ""
        return peer.name

    def describe(self) -> ControllerState:
        """Return how this controller stands."""
        settled = self.state is State.IDLE and self.coordinator.is_settled
        return ControllerState(self.cluster.me.name, self.state.value, self.dc, settled)

    def nodes(self) -> NodeList:
        """Return the nodes that are known."""
        me = self.cluster.me
        nodes = tuple(
            KnownNode(peer.node_id, peer.name, "member" if peer.in_view else "lost")
            for peer in self.cluster.peers.all()
        )
        return NodeList(nodes, me.name, me.node_id, self.cluster.quorate)

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = (self._candidacy.deadline, self.coordinator.deadline, self._escalation, self._rehearsal.deadline)
        return min((time for time in times if time is not None), default=None)

    # --- events

    def handle(self, at: Instant, event: Event) -> list[Effect]:
        """Process one event and return what to do, in order."""
        self._dispatch(at, event)
        return self._drain(at)

    def expire(self, at: Instant) -> list[Effect]:
        """Act on the deadlines that have passed."""
        self._candidacy.expire(at)
        self.coordinator.expire(at)
        practice = self._rehearsal.expire(at.now, self.cluster, self._candidacy.dc)
        if practice is not None:
            self.cluster.emit(Rehearse(practice))
        if self._escalation is not None and self._escalation <= at.now:
            self._escalation = None
            if self.state is State.STOPPING:
                self.cluster.writes.clear()
            else:
                self.cluster.log("error", "The node was not drained within shutdown-escalation: leaving nevertheless")
                self.cluster.post(Input.STOP)
        return self._drain(at)

    def _dispatch(self, at: Instant, event: Event) -> None:
        cluster, coordinator = self.cluster, self.coordinator
        match event:
            case ViewChanged():
                self._view(at, event)
            case GroupChanged():
                self._group(at, event)
            case PeerSaid(sender, message, _):
                self._said(at, sender, message)
            case CibSeen(document):
                old = cluster.document
                facts = changes.compare(old, document) if cluster.has_document else []
                if any(isinstance(fact, changes.ConfigurationChanged) for fact in facts):
                    self._rehearsal.plan(at.now)
                for fact in facts if coordinator.active else ():
                    if isinstance(fact, changes.AttributeChanged):
                        self._alerts.attribute(fact.node_id, fact.node, fact.name, fact.value)
                cluster.document, cluster.has_document = document, True
                self._forgive()
                if document.version < old.version:
                    # What we wrote before may be part of what was discarded.
                    cluster.newest = document.version
                    coordinator.content_replaced(at)
                coordinator.cib_changed(at, facts)
            case Written(tag, version, error):
                self._written(at, tag, error)
                if version is not None:
                    cluster.newest = version
            case Synchronised(ring, adopted):
                if ring == cluster.ring:
                    cluster.agreed_ring = ring
                    if adopted:
                        self._disown_history()
                    coordinator.replicas_agree(at)
            case Scheduled():
                coordinator.scheduled(at, event)
            case OperationDone():
                self._alerts.resource(cluster.me.name, event)
                self._local(self.operations.operation_done(event))
            case OperationRefused(key, reason, exec_status):
                self._local(self.operations.refused(key, reason, exec_status))
            case RecurringCancelled(key):
                self._local(self.operations.cancelled(key))
            case ResourceForgotten(key, resource):
                self._local(self.operations.forgotten(key, resource))
            case MetadataRead(resource, metadata):
                self._local(self.operations.metadata(resource, metadata))
            case FencingEnded():
                coordinator.fencing_ended(at, event)
            case FencingSeen():
                self._fencing_seen(at, event)
            case FencingTold(record):
                self._alerts.fencing(record)
            case LoadSeen(load):
                if self.state is not State.STARTING:
                    self._bulletin.tell_load(load)
            case ShutdownAsked():
                self._shutdown(at)
            case ElectionAsked():
                cluster.emit(BroadcastToPeers(Elect(cluster.ring, "a person asked for it")))
            case RingDescribed(configured):
                for node, name in configured.items():
                    cluster.peers.learn(node, name)
            case _:
                assert_never(event)

    def _forgive(self) -> None:
        """Let a lost node count as clean once the CIB says that it is down, or a member where nobody fences."""
        suspects = [peer for peer in self.cluster.peers.all() if peer.unclean or peer.unwritten]
        if suspects:
            fencing = status.has_fencing(self.cluster.document)
            for peer in suspects:
                standing = self.cluster.standing(peer)
                if standing == status.GONE:
                    peer.unclean = peer.unwritten = False
                elif standing == status.MEMBER and not fencing:
                    peer.unclean = False

    def _disown_history(self) -> None:
        """Erase what an adopted CIB says about our resources: it may be of an earlier life, and is probed instead.

        The DC erases the history of who joins afresh. That does not cover a node that restarted, led a partition of
        its own meanwhile, and met others who never saw it go.
        """
        me = self.cluster.me
        if changes.lrm_resources(status.node_states(self.cluster.document).get(me.node_id)):
            self.cluster.write(status.erase_history(me.node_id))

    def _view(self, at: Instant, view: ViewChanged) -> None:
        cluster = self.cluster
        lost, arrived = self._attendance.leave(view)
        if lost:
            cluster.log("NOTICE", f"Lost from the view: {', '.join(peer.name for peer in lost)}")
        quorum_changed = cluster.quorate != view.quorate
        if view.ring_id != cluster.ring:
            cluster.emit(AwaitReplica(view.ring_id))
        cluster.ring, cluster.quorate = view.ring_id, view.quorate
        votes = self._candidacy.view(at, view.ring_id)
        if quorum_changed:
            cluster.log("NOTICE", "Quorum acquired" if view.quorate else "Quorum lost")
        self.coordinator.view_changed(at, lost)
        self._candidacy.proceed(at, votes)
        self._attendance.arrive(view.ring_id, lost, arrived)

    def _group(self, at: Instant, group: GroupChanged) -> None:
        cluster = self.cluster
        arrived, left = self._attendance.regroup(group)
        # Our predecessor may have been in the group up to now: then nobody is told that we arrive.
        begins = self.state is State.STARTING and cluster.me.id in group.members
        if begins:
            cluster.post(Input.GROUP_JOINED)
        here = bool(group.arrived) or begins
        effects = self._candidacy.group(at, frozenset(group.members), arrived=here)
        self.coordinator.controllers_changed(at, arrived, left)
        self._candidacy.proceed(at, effects)

    def _said(self, at: Instant, sender: int, message: object) -> None:
        cluster, coordinator = self.cluster, self.coordinator
        peer = cluster.peers.learn(sender, "")
        match message:
            case Vote():
                self._candidacy.voted(at, peer, message)
            case Elect(ring, cause):
                self._candidacy.called(at, ring, cause)
            case JoinOffer():
                self._candidacy.offered(sender, message)
            case JoinRequest():
                coordinator.membership.requested(sender, message)
            case JoinAck():
                self._candidacy.acknowledged(sender, message)
                self._bulletin.tell_features()
                self._rehearsal.plan_first(at.now)
            case JoinConfirm():
                coordinator.membership.confirmed(sender, message)
            case ThrottleChanged(mode):
                peer.throttle = read_throttle(mode)
                coordinator.throttle_changed(at)
            case PerformAction():
                self._perform(at, sender, message)
            case ActionDone():
                coordinator.action_done(at, message)
            case LeaveCluster():
                if sender == self._candidacy.dc:
                    cluster.post(Input.STOP)
            case PeerRefresh(resource):
                self._local(self.operations.refresh(resource))
            case PeerFail(resource):
                self._fail(at, resource)
            case PeerReprobe(node):
                if node in ("", cluster.me.name):
                    cluster.write(status.erase_history(cluster.me.node_id))
            case PeerForget(name):
                if cluster.peers.forget(name):
                    cluster.log("NOTICE", f"Forgot node {name}")
            case PeerQuestion(question):
                cluster.emit(SendToPeer(sender, PeerAnswer(question, self.describe())))
            case _:
                # Answers to questions are for the shell, which asked them.
                return

    # --- member

    def _perform(self, at: Instant, sender: int, action: PerformAction) -> None:
        if sender != self._candidacy.dc or self.state is not State.NOT_DC:
            self.cluster.log("warning", f"Ignored {action.operation_key} from node {sender}, which is not our DC")
            return
        self._has_served = True
        self._local(self.operations.perform(at.epoch, action))

    def _local(self, effects: list[OperationEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Reply):
                self.cluster.to_report.append(effect.done)
            else:
                self.cluster.emit(effect)

    def _written(self, at: Instant, tag: int, error: str) -> None:
        self.cluster.writes.pop(tag, None)
        if error:
            self.cluster.log("error", f"A change of the CIB failed: {error}")
        self._local(self.operations.written(tag))
        self.coordinator.written(at, tag, error)

    def _fail(self, at: Instant, resource: str) -> None:
        state = status.node_states(self.cluster.document).get(self.cluster.me.node_id)
        known = changes.lrm_resources(state).get(resource)
        if known is not None:
            identity = ResourceIdentity(
                resource, known.get("class", ""), known.get("provider", ""), known.get("type", "")
            )
            self._local(self.operations.fail(at.epoch, identity, self.cluster.me.uuid))

    def _fencing_seen(self, at: Instant, event: FencingSeen) -> None:
        peer = self.cluster.peers.named(event.target)
        if event.action == "on" or peer is None:
            return
        rebooted = peer.has_arrived_since(event.ring)
        if peer.id == self.cluster.me.id and not (rebooted or self._is_of_an_earlier_life(peer, event.ring)):
            self.cluster.log("error", "This node was fenced, and yet it runs: leaving the cluster at once")
            reaction = status.cluster_option(self.cluster.document, "fence-reaction", "stop")
            end = EXIT_PANIC if reaction == "panic" else EXIT_STAY_DOWN
            self.cluster.emit(EndProcess(end, "our own fencing was reported"))
        elif peer.id != self.cluster.me.id:
            peer.unclean = False
            self.coordinator.fencing_seen(at, peer, rebooted=rebooted)

    def _is_of_an_earlier_life(self, me: Peer, ring: str) -> bool:
        """Say whether a fencing of this node that was begun in a ring was of its earlier life: the news came late."""
        return not self._has_served or me.has_begun_beside(ring)

    def _shutdown(self, at: Instant) -> None:
        cluster = self.cluster
        if self._shutting_down:
            return
        self._shutting_down = True
        if self.state not in DC_STATES and self.state is not State.NOT_DC:
            cluster.post(Input.STOP)
            return
        cluster.log("NOTICE", "Shutting down: the DC is asked to move our resources away")
        limit = status.option_seconds(cluster.document, "shutdown-escalation", DEFAULT_ESCALATION_S)
        self._escalation = at.now + limit
        cluster.emit(SetAttributes(UpdateAttribute("shutdown", str(at.epoch), node=cluster.me.name)))

    # --- the state table

    def _drain(self, at: Instant) -> list[Effect]:
        """Work off what the parts left for each other, until all is quiet."""
        cluster = self.cluster
        for _ in range(_MOST_INPUTS):
            if cluster.inputs:
                self._input(at, cluster.inputs.pop(0))
            elif cluster.to_perform:
                self._has_served = True
                self._local(self.operations.perform(at.epoch, cluster.to_perform.pop(0)))
            elif cluster.to_report:
                self._report(at, cluster.to_report.pop(0))
            else:
                before = len(cluster.effects)
                self._candidacy.answer_offer()
                cause = self.coordinator.next_input(self.state)
                if cause is not None:
                    cluster.post(cause)
                if self.state is State.POLICY_ENGINE:
                    self.coordinator.schedule_if_ready(at)
                elif self.state in (State.INTEGRATION, State.FINALIZE_JOIN):
                    self.coordinator.guess(at)
                if self.state is State.STOPPING and not cluster.writes:
                    cluster.post(Input.STOPPED)
                if not cluster.inputs and len(cluster.effects) == before:
                    break
        self._announce()
        effects, cluster.effects = cluster.effects, []
        return effects

    def _input(self, at: Instant, cause: Input) -> None:
        if is_overtaken(self.state, cause, is_dc=self.coordinator.active):
            return
        old = self.state
        self.state, actions = step(old, cause)
        if self.state is not old:
            self.cluster.log(
                "NOTICE" if Action.RELEASE in actions else "info",
                f"State {old.value} -> {self.state.value} ({cause.name})",
            )
        for action in actions:
            self._do(at, action)

    def _do(self, at: Instant, action: Action) -> None:
        coordinator = self.coordinator
        match action:
            case Action.TAKE_OVER:
                coordinator.take_over(at)
            case Action.RELEASE:
                coordinator.release()
            case Action.OFFER:
                coordinator.membership.offer(at)
            case Action.FINALIZE:
                coordinator.membership.finalize()
            case Action.SCHEDULE:
                self._bulletin.tell_features()
                coordinator.schedule()
            case Action.CANCEL_TRANSITION:
                coordinator.abort(at, "the membership of controllers changed")
            case Action.RUN:
                coordinator.run(at)
            case Action.SETTLE:
                coordinator.settle(at)
                self._rehearsal.plan_first(at.now)
            case Action.LEAVE:
                self._escalation = at.now + LAST_WRITES_S
                self._candidacy.withdraw()
            case Action.END:
                self.cluster.emit(EndProcess(EXIT_OK, "the node leaves the cluster in order"))
            case _:
                assert_never(action)

    def _report(self, at: Instant, done: ActionDone) -> None:
        if self.coordinator.active:
            self.coordinator.action_done(at, done)
        elif self._candidacy.dc:
            self.cluster.emit(SendToPeer(self._candidacy.dc, done))

    def _announce(self) -> None:
        state = self.describe()
        if state != self._announced:
            self._announced = state
            self.cluster.emit(Announce(state))
