"""The DC's duties: take members in, write how nodes stand, decide when to calculate, run the transition. Pure.

Everything here happens in reaction to an event. When a calculation is due it waits for what the events still have to
bring (:class:`~hatools.daemons.crmd.holds.Holds`), never for a fixed time.
"""

from hatools.cib.document import Document, Version
from hatools.daemons.crmd import status
from hatools.daemons.crmd.changes import (
    AttributeChanged,
    ConfigurationChanged,
    Fact,
    HistoryErased,
    OperationRecorded,
    TicketsChanged,
    transient_attributes,
)
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.cutoff import cut_off_wait_s
from hatools.daemons.crmd.effects import (
    ComputeTransition,
    FenceNode,
    SendToPeer,
    SetAttributes,
)
from hatools.daemons.crmd.events import FencingEnded, Instant, Scheduled
from hatools.daemons.crmd.fsa import Input, State
from hatools.daemons.crmd.history import (
    FEATURE_SET,
    PENDING_EXIT_STATUS,
    Outcome,
    ResourceIdentity,
    history_entries,
    status_with_history,
)
from hatools.daemons.crmd.holds import Holds
from hatools.daemons.crmd.join import Joins, refusal_reason
from hatools.daemons.crmd.peers import Peer
from hatools.daemons.crmd.transitioner import (
    Aborted,
    CountFailure,
    Ended,
    MarkLost,
    Perform,
    PerformHere,
    TransitionEffect,
    Transitioner,
)
from hatools.ipc.messages.attrd import ClearFailures, RemovePeer, UpdateAttribute
from hatools.ipc.messages.cib import Change, CibOperation
from hatools.ipc.messages.crmd import (
    ActionDone,
    JoinAck,
    JoinConfirm,
    JoinOffer,
    JoinRequest,
    LeaveCluster,
    PerformAction,
)
from hatools.transition.execution import Limits
from hatools.transition.graph import Graph, GraphAction
from hatools.values.duration import parse_interval_ms
from hatools.values.opkey import format_operation_key
from hatools.values.result import ExecStatus

CONTROLLER_GRACE_S = 10.0
"""Seconds a node whose controller died, but not the node, has for the controller to be back before it is fenced."""

FAIL_COUNT_PATIENCE_S = 5.0
"""Seconds at most that a calculation waits for a fail count to reach the CIB."""

SCHEDULER_PATIENCE_S = 120.0
DEFAULT_RECHECK_S = 15 * 60.0
DEFAULT_DEADTIME_S = 20.0
DEFAULT_FENCING_TIMEOUT_MS = 60_000
DEFAULT_MAX_ATTEMPTS = 10
LONGEST_FENCING_PAUSE_S = 10.0


class Coordinator:
    """The part of a controller that works only while it is the DC (``active``)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.active = False
        self.joins = Joins()
        self.holds = Holds()
        self.transitioner = Transitioner(cluster.me.uuid)
        self._wanted = ""
        self._graph: Graph | None = None
        self._request = 0
        self._requested = False
        self._recheck: float | None = None
        self._recheck_by = 0
        self._finalizing: int | None = None
        self._after_write: dict[int, str] = {}
        self._fencing: dict[str, str] = {}
        self._failed_fencings: dict[str, int] = {}
        self._standings: dict[str, status.NodeStanding] = {}

    # --- a DC's beginning and end

    def take_over(self, at: Instant) -> None:
        """Become the DC: write who leads, and how the nodes stand that are not with us."""
        cluster = self._cluster
        self.active = True
        self.joins = Joins()
        self._wanted = "this node became the DC"
        cluster.log("NOTICE", f"{cluster.me.name} is the DC of the partition now")
        self._await_replica()
        self._survey(at)

    def release(self) -> None:
        """Be the DC no more."""
        self.active = False
        self.transitioner.cancel()
        self.transitioner = Transitioner(self._cluster.me.uuid)
        self.holds.clear()
        self._wanted = ""
        self._graph = None
        self._requested = False
        self._recheck = None
        self._finalizing = None
        self._after_write.clear()
        self._fencing.clear()
        self._standings.clear()
        self.joins = Joins()

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = [self.transitioner.deadline, self.holds.deadline, self.joins.deadline, self._recheck]
        return min((time for time in times if time is not None), default=None) if self.active else None

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is wanted, asked for, running or being written."""
        return not (self._wanted or self._requested or self.transitioner.is_running or self._cluster.writes)

    def expire(self, at: Instant) -> None:
        """Act on what is late."""
        if not self.active:
            return
        for reason in self.holds.expire(at.now):
            self._hold_expired(reason)
        if self.joins.deadline is not None and self.joins.deadline <= at.now:
            silent = self.joins.give_up()
            self._cluster.log("warning", f"controllers {silent} did not answer: they stay outside")
        self._act(at, self.transitioner.expire(at.now))
        if self._recheck is not None and self._recheck <= at.now:
            self._recheck = None
            self.want(at, "it is time to look again")

    # --- members

    def offer(self, at: Instant) -> None:
        """Offer every controller that may join and has not."""
        cluster = self._cluster
        members = [peer.id for peer in cluster.peers.in_group() if self._may_join(peer)]
        for member in self.joins.offer(at.now, members):
            if member == cluster.me.id:
                self.joins.request(member, self.own_request(self.joins.join_id))
            else:
                cluster.emit(SendToPeer(member, JoinOffer(self.joins.join_id, cluster.me.name)))

    def own_request(self, join_id: int) -> JoinRequest:
        """Return what this node answers to an offer; whether it is fresh is the controller's to say."""
        me = self._cluster.me
        fresh = not (self._cluster.peers.learn(me.id, me.name).joined)
        newest = max(self._cluster.newest, self._cluster.document.version)
        seen = (newest.admin_epoch, newest.epoch, newest.num_updates)
        return JoinRequest(join_id, me.name, FEATURE_SET, me.style, fresh, seen, me.start_state)

    def requested(self, at: Instant, member: int, request: JoinRequest) -> None:
        """Take an answer to an offer."""
        if self.active and self.joins.request(member, request):
            self._cluster.newest = max(self._cluster.newest, Version(*request.seen))

    def confirmed(self, member: int, confirm: JoinConfirm) -> None:
        """Take a confirmation."""
        if self.active:
            self.joins.confirm(member, confirm.join_id)

    def next_input(self, state: State) -> Input | None:
        """Return what the joins mean for the state table now, if anything."""
        cluster = self._cluster
        if not self.active or cluster.electing:
            return None
        if any(self._may_join(peer) and not self.joins.has(peer.id) for peer in cluster.peers.in_group()):
            return Input.JOIN_NEEDED
        if state is State.INTEGRATION and self.joins.all_answered:
            return Input.INTEGRATED
        if state is State.FINALIZE_JOIN and self._finalizing is None and self.joins.all_confirmed:
            self.joins.deadline = None
            return Input.FINALIZED
        return None

    def finalize(self, at: Instant) -> None:
        """Write the members that asked to the CIB; they are acknowledged when that is done."""
        cluster = self._cluster
        changes = [status.write_root(self._root_attributes())]
        names = {str(peer.id): peer.name for peer in cluster.peers.all() if peer.name}
        known = status.configured_nodes(cluster.document)
        missing = {key: name for key, name in names.items() if known.get(key) != name}
        if missing:
            changes.append(status.write_nodes(missing))
        options = self._own_options()
        if options:
            changes.append(status.write_options(options))
        for member, request in self.joins.requests().items():
            peer = cluster.peers.learn(member, request.name)
            reason = refusal_reason(request, FEATURE_SET, cluster.me.style)
            if reason:
                self._refuse(peer, reason)
                continue
            standing = cluster.standing(peer)
            if request.fresh or standing is None or not (standing.in_ccm and standing.crmd):
                changes.append(status.erase_history(peer.node_id))
            changes.append(self._stand(peer, status.MEMBER, "do_dc_join_finalize"))
            if request.start_state in ("standby", "online"):
                value = "on" if request.start_state == "standby" else "off"
                cluster.emit(SetAttributes(UpdateAttribute("standby", value, node=peer.name)))
        self._finalizing = cluster.write(*changes)

    def view_changed(self, at: Instant, lost: list[Peer], arrived: list[Peer]) -> None:
        """React to a new view."""
        if not self.active:
            return
        self._await_replica()
        self._cluster.write(status.write_root(self._root_attributes()))
        for peer in lost:
            self.joins.drop(peer.id)
            self._mark_lost(at, peer, self._cluster.standing(peer))
            self._act(at, self.transitioner.node_lost(at.now, peer.name))
        self.want(at, "the membership changed")

    def controllers_changed(self, at: Instant, arrived: list[Peer], left: list[Peer]) -> None:
        """React to controllers that came or went while their nodes stayed."""
        if not self.active:
            return
        for peer in left:
            self.joins.drop(peer.id)
            if not peer.in_view:
                continue
            self._act(at, self.transitioner.node_lost(at.now, peer.name))
            known = self._cluster.standing(peer)
            if peer.leaving or (known is not None and known.expected == "down" and not peer.joined):
                standing = status.NodeStanding(True, False, "down", "down")
                self._cluster.write(self._stand(peer, standing, "peer_update_callback"))
                self.want(at, f"{peer.name} left")
            else:
                self._grant_grace(at, peer)
        for peer in arrived:
            self.holds.release(_grace(peer.name))
        if arrived:
            self.abort(at, "controllers arrived")

    # --- calculation

    def want(self, at: Instant, reason: str) -> None:
        """A calculation is due, as soon as nothing stands against it."""
        if not self.active:
            return
        if not self._wanted:
            self._wanted = reason
        self._cluster.log("info", f"Transition wanted: {reason}")
        # An answer that is on its way rests on an older state.
        self._requested = False
        if not self.transitioner.is_running:
            self._cluster.post(Input.CALCULATE)

    def schedule(self) -> None:
        """Note that the state table calls for a calculation."""
        self._wanted = self._wanted or "members joined"

    def schedule_if_ready(self, at: Instant) -> None:
        """Ask the scheduler if a calculation is due and nothing is to be waited for."""
        cluster = self._cluster
        if not self._wanted or self._requested or self.transitioner.is_running or cluster.electing:
            return
        self._hold_for_unseen(at)
        self._correct_standings(at)
        if self.holds or not cluster.is_current:
            return
        self._wanted = ""
        self._requested = True
        self._recheck = None
        self._request += 1
        cluster.emit(ComputeTransition(self._request, cluster.document))

    def scheduled(self, at: Instant, event: Scheduled) -> None:
        """Take the scheduler's answer, if it is to the latest question."""
        if not self._requested or event.request != self._request:
            return
        self._requested = False
        if event.graph is None:
            self._cluster.log("error", f"The scheduler failed: {event.note}")
            self.holds.add("the scheduler's recovery", at.now + 1.0)
            self.want(at, "the scheduler failed")
            return
        self._graph = event.graph
        self._cluster.post(Input.CALCULATED)

    def run(self, at: Instant) -> None:
        """Begin the transition that was calculated."""
        graph, self._graph = self._graph, None
        if graph is None:
            return
        self._recheck_by = graph.recheck_by
        node_jobs = {peer.name: peer.job_limit for peer in self._cluster.peers.all() if peer.job_limit > 0}
        limits = Limits(graph.batch_limit, node_jobs, graph.migration_limit)
        self._act(at, self.transitioner.begin(at.now, graph, limits))

    def settle(self, at: Instant) -> None:
        """Arm the timer that looks again even if nothing happens."""
        interval = status.option_seconds(self._cluster.document, "cluster-recheck-interval", DEFAULT_RECHECK_S)
        due = at.now + interval if interval > 0 else None
        if self._recheck_by:
            soon = at.now + max(0.0, self._recheck_by - at.epoch) + 0.1
            due = soon if due is None else min(due, soon)
        self._recheck = due

    def abort(self, at: Instant, reason: str) -> None:
        """Begin nothing more of the present transition."""
        if self.active:
            self._act(at, self.transitioner.abort(at.now, reason))

    # --- news

    def cib_changed(self, at: Instant, old: Document, facts: list[Fact]) -> None:
        """React to what the CIB says now."""
        if not self.active:
            return
        self._correct_standings(at)
        for fact in facts:
            match fact:
                case ConfigurationChanged(section):
                    self.abort(at, f"the configuration changed ({section})")
                case TicketsChanged():
                    self.abort(at, "a ticket changed")
                case AttributeChanged():
                    self._attribute_changed(at, fact)
                case OperationRecorded():
                    self._act(at, self.transitioner.recorded(at.now, fact))
                case HistoryErased(node_id):
                    if self._is_present(node_id):
                        self._act(at, self.transitioner.erased(at.now, fact))

    def written(self, at: Instant, tag: int, error: str) -> None:
        """React to the end of a write."""
        key = self._after_write.pop(tag, None)
        if key is not None:
            self._act(at, self.transitioner.finish(at.now, key, failed=bool(error)))
        if tag == self._finalizing:
            self._finalizing = None
            self._acknowledge(at)

    def action_done(self, at: Instant, done: ActionDone) -> None:
        """React to the end of an action that was reported by message."""
        if self.active:
            failed = done.exec_status != ExecStatus.DONE or done.exit_status != 0
            self._act(at, self.transitioner.finish(at.now, done.key, failed=failed))

    def fencing_ended(self, at: Instant, event: FencingEnded) -> None:
        """React to the end of a fencing that we asked for."""
        if self._fencing.pop(event.key, None) is None:
            return
        peer = self._cluster.peers.named(event.target)
        if event.confirmed:
            self._failed_fencings.pop(event.target, None)
            self._cluster.log("NOTICE", f"Fencing of {event.target} is confirmed")
            if peer is not None:
                self._after_write[self._mark_fenced(peer)] = event.key
                return
            self._act(at, self.transitioner.finish(at.now, event.key, failed=False))
            return
        failures = self._failed_fencings.get(event.target, 0) + 1
        self._failed_fencings[event.target] = failures
        self._cluster.log("error", f"Fencing of {event.target} failed (attempt {failures}): {event.reason}")
        maximum = self._number_option("stonith-max-attempts", DEFAULT_MAX_ATTEMPTS)
        if failures < maximum:
            pause = min(LONGEST_FENCING_PAUSE_S, 0.25 * 2**failures)
            self.holds.add(f"another try to fence {event.target}", at.now + pause)
        else:
            recheck = status.option_seconds(self._cluster.document, "cluster-recheck-interval", DEFAULT_RECHECK_S)
            self.holds.add(f"help: {event.target} cannot be fenced", at.now + recheck)
        self._act(at, self.transitioner.finish(at.now, event.key, failed=True))

    def fencing_seen(self, at: Instant, target: str) -> None:
        """React to anybody's successful fencing of a node."""
        self._failed_fencings.pop(target, None)
        for prefix in ("another try to fence ", "help: "):
            self.holds.release_matching(prefix)
        peer = self._cluster.peers.named(target)
        if peer is None:
            return
        if not self.active:
            peer.unwritten = True
        elif target not in self._fencing.values():
            self._mark_fenced(peer)
            self._act(at, self.transitioner.node_lost(at.now, target))
            self.want(at, f"{target} was fenced")

    # --- inside

    def _stand(self, peer: Peer, standing: status.NodeStanding, origin: str) -> Change:
        """Return the change that writes how a node stands, and remember that we said so."""
        self._standings[peer.node_id] = standing
        return status.write_standing(peer.node_id, peer.name, standing, origin)

    def _correct_standings(self, at: Instant) -> None:
        """Write again what is not as we said: overwritten by a node that was a DC until we met, or replaced as a whole.

        What such a CIB says about the resources of a member is void as well: they are probed.
        """
        cluster = self._cluster
        if cluster.writes or cluster.electing or "the CIB's replicas" in self.holds or not cluster.has_document:
            return
        states = status.node_states(cluster.document)
        wrong = [
            (peer, standing)
            for peer in cluster.peers.all()
            if (standing := self._standings.get(peer.node_id)) is not None
            and status.standing_of(states.get(peer.node_id)) != standing
        ]
        if wrong:
            names = ", ".join(peer.name for peer, _ in wrong)
            cluster.log("warning", f"Correcting how {names} stand in the CIB")
            changes = [self._stand(peer, standing, "correct_standings") for peer, standing in wrong]
            changes += [status.erase_history(peer.node_id) for peer, standing in wrong if standing == status.MEMBER]
            cluster.write(*changes)
            self.want(at, f"{names} stood otherwise in the CIB")
        root = self._root_attributes()
        if any(cluster.document.root.get(name) != value for name, value in root.items()):
            cluster.write(status.write_root(root))

    def _survey(self, at: Instant) -> None:
        """Compare how the nodes stand in the CIB with who is here; the CIB may come from another partition."""
        cluster = self._cluster
        for node_id, state in status.node_states(cluster.document).items():
            if node_id.isdigit():
                cluster.peers.learn(int(node_id), state.get("uname", ""))
        for peer in cluster.peers.all():
            known = cluster.standing(peer)
            if peer.unwritten:
                self._mark_fenced(peer)
            elif known is None or known == status.GONE or (known == status.LOST and not peer.in_view):
                continue
            elif not peer.in_view or (peer.unclean and status.has_fencing(cluster.document)):
                self._mark_lost(at, peer, known)
            elif not peer.in_group and known.crmd:
                self._grant_grace(at, peer)

    def _await_replica(self) -> None:
        if self._cluster.agreed_ring != self._cluster.ring:
            self.holds.add("the CIB's replicas")

    def replica_synchronised(self, at: Instant) -> None:
        """Note that the replicas of this view agree."""
        if self.holds.release("the CIB's replicas"):
            seen = [Version(*request.seen) for request in self.joins.all_requests()]
            self._cluster.newest = max([self._cluster.newest, *seen])
            self._survey(at)

    def _may_join(self, peer: Peer) -> bool:
        standing = self._cluster.standing(peer)
        if peer.fenced or peer.leaving:
            return False
        if peer.unclean and status.has_fencing(self._cluster.document):
            return False
        if standing is None or (standing.in_ccm and standing.crmd) or standing.expected != "member":
            return True
        return not status.has_fencing(self._cluster.document)

    def _acknowledge(self, at: Instant) -> None:
        cluster = self._cluster
        for member in self.joins.requests():
            self.joins.acknowledge(member, True)
            peer = cluster.peers.get(member)
            if peer is not None:
                peer.joined = True
            if member == cluster.me.id:
                self.joins.confirm(member, self.joins.join_id)
            else:
                cluster.emit(SendToPeer(member, JoinAck(self.joins.join_id, True)))

    def _refuse(self, peer: Peer, reason: str) -> None:
        self._cluster.log("error", f"{peer.name} is refused: {reason}")
        self.joins.acknowledge(peer.id, False)
        self._cluster.emit(SendToPeer(peer.id, JoinAck(self.joins.join_id, False, reason)))

    def _root_attributes(self) -> dict[str, str]:
        return {"have-quorum": "1" if self._cluster.quorate else "0", "dc-uuid": self._cluster.me.node_id}

    def _own_options(self) -> dict[str, str]:
        me, document = self._cluster.me, self._cluster.document
        infrastructure = {"external": "corosync"}.get(me.style, me.style)
        values = {"have-watchdog": "false", "dc-version": me.version, "cluster-infrastructure": infrastructure}
        if me.cluster_name and not status.cluster_option(document, "cluster-name"):
            values["cluster-name"] = me.cluster_name
        return {name: value for name, value in values.items() if status.cluster_option(document, name) != value}

    def _mark_lost(self, at: Instant, peer: Peer, known: status.NodeStanding | None) -> None:
        cluster = self._cluster
        self.holds.release(_grace(peer.name))
        if known is None and not peer.joined:
            return
        # The CIB may still show an earlier departure of a node that has just joined again.
        in_order = peer.fenced or peer.leaving or (known is not None and known.expected == "down" and not peer.joined)
        standing = status.GONE if in_order else status.LOST
        peer.joined = False
        cluster.write(self._stand(peer, standing, "peer_update_callback"))
        if in_order:
            cluster.log("NOTICE", f"{peer.name} has left")
            return
        cluster.log("warning", f"{peer.name} was lost without saying goodbye")
        wait = cut_off_wait_s(cluster.document, peer.node_id, quorate=cluster.quorate)
        if wait > 0:
            self.holds.add(f"{peer.name} to stop what it may still run", at.now + wait)

    def _mark_fenced(self, peer: Peer) -> int:
        """Write that a node is down for certain and holds nothing; return the write's tag."""
        peer.fenced = peer.in_view
        peer.joined = peer.unclean = peer.unwritten = False
        self.joins.drop(peer.id)
        self.holds.release(_grace(peer.name))
        self.holds.release(f"{peer.name} to stop what it may still run")
        self._cluster.emit(SetAttributes(RemovePeer(peer.name)))
        return self._cluster.write(
            self._stand(peer, status.GONE, "send_stonith_update"),
            status.erase_history(peer.node_id),
            status.erase_attributes(peer.node_id),
        )

    def _grant_grace(self, at: Instant, peer: Peer) -> None:
        self._cluster.log("warning", f"The controller of {peer.name} is gone: waiting for it to be back")
        self.holds.add(_grace(peer.name), at.now + CONTROLLER_GRACE_S)

    def _hold_expired(self, reason: str) -> None:
        self._cluster.log("info", f"No longer waiting for {reason}")
        for peer in self._cluster.peers.all():
            if reason == _grace(peer.name) and not peer.in_group:
                standing = status.NodeStanding(peer.in_view, False, "down", "member")
                self._cluster.write(self._stand(peer, standing, "peer_update_callback"))

    def _hold_for_unseen(self, at: Instant) -> None:
        """Wait, when the cluster starts, for configured nodes nobody has seen yet."""
        cluster = self._cluster
        dead_time = status.option_seconds(cluster.document, "dc-deadtime", DEFAULT_DEADTIME_S)
        deadline = cluster.started + dead_time
        reason = "configured nodes that nobody has seen yet"
        states = status.node_states(cluster.document)
        unseen = [
            name
            for node_id, name in status.configured_nodes(cluster.document).items()
            if not _is_in_group(cluster, node_id) and status.standing_of(states.get(node_id)) is None
        ]
        if unseen and at.now < deadline:
            self.holds.add(reason, deadline)
        else:
            self.holds.release(reason)

    def _attribute_changed(self, at: Instant, fact: AttributeChanged) -> None:
        self.holds.release(_attribute(fact.node, fact.name))
        if fact.value is not None or self._is_present(fact.node_id):
            self.abort(at, f"{fact.name} of {fact.node} is {fact.value or 'gone'} now")

    def _is_present(self, node_id: str) -> bool:
        """Say whether a node is in the cluster: what is erased about one that is not was expected."""
        standing = status.standing_of(status.node_states(self._cluster.document).get(node_id))
        return standing is None or standing.in_ccm

    def _act(self, at: Instant, effects: list[TransitionEffect]) -> None:
        cluster = self._cluster
        for effect in effects:
            match effect:
                case Perform(node_id, action):
                    self._initiate(at, node_id, action)
                case PerformHere(key, action):
                    self._perform_here(at, key, action)
                case CountFailure():
                    self._count_failure(at, effect)
                case MarkLost(action, key):
                    self._record_timeout(at, action, key)
                case Aborted(reason):
                    self.want(at, reason)
                case Ended(_, restart, summary):
                    cluster.log("NOTICE", summary)
                    if restart or self._wanted:
                        self.want(at, self._wanted or "the transition did not reach its end")
                    else:
                        cluster.post(Input.TRANSITION_DONE)

    def _initiate(self, at: Instant, node_id: int, action: PerformAction) -> None:
        cluster = self._cluster
        peer = cluster.peers.get(node_id)
        if peer is not None and peer.in_group:
            cluster.log("info", f"Initiating {action.operation_key} on {action.on_node}")
            cluster.ask(node_id, action)
            return
        cluster.log("error", f"{action.operation_key} cannot be asked of {action.on_node}: no controller answers there")
        self.holds.add(f"a controller on {action.on_node}", at.now + 1.0)
        self._act(at, self.transitioner.finish(at.now, action.key, failed=True))

    def _perform_here(self, at: Instant, key: str, action: GraphAction) -> None:
        cluster = self._cluster
        node = action.node or ""
        failed = False
        match action.operation:
            case "stonith":
                self._fence(key, action)
                return
            case "do_shutdown":
                self._let_go(node)
            case "clear_failcount":
                request = ClearFailures(
                    action.resource_id or "", action.meta("operation") or "", action.interval_ms, node
                )
                cluster.emit(SetAttributes(request))
            case "lrm_delete" | "delete":
                change = status.erase_resource(action.node_id or "", action.resource_id or "")
                self._after_write[cluster.write(change)] = key
                return
            case "probe_again":
                cluster.write(status.erase_history(action.node_id or ""))
            case _:
                cluster.log("error", f"The graph asks for {action.operation}, which nobody can do")
                failed = True
        self._act(at, self.transitioner.finish(at.now, key, failed=failed))

    def _fence(self, key: str, action: GraphAction) -> None:
        document = self._cluster.document
        target = action.node or ""
        kind = action.meta("stonith_action") or status.cluster_option(document, "stonith-action", "reboot")
        timeout = parse_interval_ms(status.cluster_option(document, "stonith-timeout")) or DEFAULT_FENCING_TIMEOUT_MS
        self._fencing[key] = target
        self._cluster.log("NOTICE", f"Requesting fencing ({kind}) of {target}")
        delay = int((action.extra.get("priority-fencing-delay") or action.meta("priority_fencing_delay")) or 0)
        self._cluster.emit(FenceNode(key, target, kind, timeout, delay))

    def _let_go(self, name: str) -> None:
        """Tell a drained node that it may leave, after writing down that its going is expected."""
        cluster = self._cluster
        peer = cluster.peers.named(name)
        if peer is None:
            return
        peer.leaving = True
        standing = status.NodeStanding(peer.in_view, peer.in_group, "member", "down")
        cluster.write(self._stand(peer, standing, "do_shutdown"))
        if peer.id == cluster.me.id:
            cluster.post(Input.STOP)
        else:
            cluster.emit(SendToPeer(peer.id, LeaveCluster()))

    def _count_failure(self, at: Instant, failure: CountFailure) -> None:
        cluster = self._cluster
        suffix = f"{failure.resource}#{failure.operation}_{failure.interval_ms}"
        what = format_operation_key(failure.resource, failure.operation, failure.interval_ms)
        cluster.log("warning", f"{what} on {failure.node} failed")
        last = UpdateAttribute(f"last-failure-{suffix}", str(at.epoch), node=failure.node)
        cluster.emit(SetAttributes(last))
        if failure.value is None:
            return
        name = f"fail-count-{suffix}"
        value = "value++" if failure.value == "value++" else failure.value
        peer = cluster.peers.named(failure.node)
        state = None if peer is None else status.node_states(cluster.document).get(peer.node_id)
        present = transient_attributes(state).get(name)
        cluster.emit(SetAttributes(UpdateAttribute(name, value, node=failure.node)))
        if present != "INFINITY":
            self.holds.add(_attribute(failure.node, name), at.now + FAIL_COUNT_PATIENCE_S)

    def _record_timeout(self, at: Instant, action: GraphAction, key: str) -> None:
        """Write a result for an operation whose node does not tell one."""
        primitive = action.primitive or {}
        identity = ResourceIdentity(
            primitive.get("id", ""),
            primitive.get("class", ""),
            primitive.get("provider", ""),
            primitive.get("type", ""),
        )
        outcome = Outcome(
            resource=identity,
            operation=action.operation,
            interval_ms=action.interval_ms,
            key=key,
            exec_status=int(ExecStatus.TIMEOUT),
            exit_status=1 if action.operation != "monitor" else PENDING_EXIT_STATUS,
            call_id=-1,
            exit_reason="the node did not report a result in time",
            last_change=at.epoch,
            parameters=action.attributes,
        )
        entries = history_entries(outcome, action.node or "", None, "action_timer_callback")
        state = status_with_history(action.node_id or "", action.node or "", identity, entries)
        self._cluster.write(status.change(CibOperation.MODIFY, "status", state))

    def _number_option(self, name: str, default: int) -> int:
        text = status.cluster_option(self._cluster.document, name)
        return int(text) if text.isdigit() else default


def _grace(name: str) -> str:
    return f"the controller of {name}"


def _attribute(node: str, name: str) -> str:
    return f"{name} of {node} in the CIB"


def _is_in_group(cluster: Cluster, node_id: str) -> bool:
    peer = cluster.peers.get(int(node_id)) if node_id.isdigit() else None
    return peer is not None and peer.in_group
