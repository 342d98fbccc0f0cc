"""The DC's duties put together: when to calculate, what to calculate from, how the transition goes on. Pure.

Everything here happens in reaction to an event. When a calculation is due it waits for what the events still have to
bring (:class:`~hatools.daemons.crmd.holds.Holds`), never for a fixed time. Who is in the cluster is the book of
:class:`~hatools.daemons.crmd.membership.Membership`, what the DC does with its own hands
:class:`~hatools.daemons.crmd.duties.Duties`.
"""

from hatools.daemons.crmd import status
from hatools.daemons.crmd.calculations import Calculations
from hatools.daemons.crmd.changes import (
    AttributeChanged,
    ConfigurationChanged,
    Fact,
    HistoryErased,
    OperationRecorded,
    TicketsChanged,
)
from hatools.daemons.crmd.cluster import Cluster
from hatools.daemons.crmd.duties import HELP, Duties, attribute_hold
from hatools.daemons.crmd.events import FencingEnded, Instant, Scheduled
from hatools.daemons.crmd.fsa import Input, State
from hatools.daemons.crmd.history import FEATURE_ATTRIBUTE
from hatools.daemons.crmd.holds import Holds
from hatools.daemons.crmd.membership import REPLICAS, Membership, grace_hold
from hatools.daemons.crmd.peers import Peer
from hatools.daemons.crmd.throttle import batch_limit, job_limit, most_jobs
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
from hatools.ipc.messages.crmd import ActionDone, PerformAction
from hatools.transition.execution import Limits
from hatools.transition.graph import Graph
from hatools.values.result import ExecStatus

_REST = "attributes to come to rest"
REST_SHARE = 4
LONGEST_REST_S = 0.25
"""Where attributes change in a row and nothing follows from it, the next calculation waits so many times as long as
the last one took, but no longer than this: somebody who counts something must not keep a processor busy."""


class Coordinator:
    """The part of a controller that works only while it is the DC (``active``)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.active = False
        self.holds = Holds()
        self.transitioner = Transitioner(cluster.me.uuid)
        self.membership = Membership(cluster, self.holds, self.want)
        self._duties = Duties(cluster, self.holds, self.membership)
        self._wanted = ""
        self._graph: Graph | None = None
        self._calculations = Calculations(cluster)
        self._recheck: float | None = None
        self._recheck_by = 0
        self._is_urgent = False
        """Whether anything but changed attributes calls for a calculation."""
        self._rests_until = 0.0

    # --- a DC's beginning and end

    def take_over(self, at: Instant) -> None:
        """Become the DC: write who leads, and how the nodes stand that are not with us."""
        cluster = self._cluster
        self.active = True
        self._wanted = "this node became the DC"
        self._is_urgent = True
        cluster.log("NOTICE", f"{cluster.me.name} is the DC of the partition now")
        self._await_replicas()
        self.membership.survey(at)

    def release(self) -> None:
        """Be the DC no more."""
        self.active = False
        self.holds.clear()
        self.transitioner = Transitioner(self._cluster.me.uuid)
        self.membership = Membership(self._cluster, self.holds, self.want)
        self._duties = Duties(self._cluster, self.holds, self.membership)
        self._wanted = ""
        self._graph = None
        self._calculations.void()
        self._recheck = None
        self._is_urgent = False
        self._rests_until = 0.0

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = [self.transitioner.deadline, self.holds.deadline, self.membership.joins.deadline, self._recheck]
        return min((time for time in times if time is not None), default=None) if self.active else None

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is wanted, asked for, running or being written."""
        is_busy = self._calculations.is_awaited or self.transitioner.is_running
        return not (self._wanted or is_busy or self._cluster.writes)

    def expire(self, at: Instant) -> None:
        """Act on what is late."""
        if not self.active:
            return
        for reason in self.holds.expire(at.now):
            self._cluster.log("info", f"No longer waiting for {reason}")
            self.membership.hold_expired(reason)
        self.membership.expire(at)
        self._act(at, self.transitioner.expire(at.now))
        if self._recheck is not None and self._recheck <= at.now:
            self._recheck = None
            self.want(at, "it is time to look again")

    # --- who is here

    def view_changed(self, at: Instant, lost: list[Peer]) -> None:
        """React to a new view."""
        if not self.active:
            return
        self._await_replicas()
        self._cluster.write(status.write_root(self.membership.root_attributes()))
        for peer in lost:
            self.membership.joins.drop(peer.id)
            self.membership.mark_lost(at, peer, self._cluster.standing(peer))
            self._act(at, self.transitioner.node_lost(at.now, peer.name))
        if lost:
            self.membership.hasten(at)
        self.want(at, "the membership changed")

    def controllers_changed(self, at: Instant, arrived: list[Peer], left: list[Peer]) -> None:
        """React to controllers that came or went while their nodes stayed."""
        if not self.active:
            return
        for peer in left:
            self.membership.joins.drop(peer.id)
            if peer.in_view:
                self._act(at, self.transitioner.node_lost(at.now, peer.name))
                self.membership.controller_left(at, peer)
                self.membership.hasten(at)
        for peer in arrived:
            self.holds.release(grace_hold(peer.name))
        if arrived:
            self.abort(at, "controllers arrived")

    def replicas_agree(self, at: Instant) -> None:
        """Note that the CIB's replicas agree in this view."""
        if self.holds.release(REPLICAS):
            self.membership.survey(at)

    def content_replaced(self, at: Instant) -> None:
        """Note that the CIB is another one now, from another partition."""
        if self.active:
            self.membership.survey(at)
            self.want(at, "the CIB was replaced")

    def next_input(self, state: State) -> Input | None:
        """Return what the joins mean for the state table now, if anything."""
        return self.membership.next_input(state) if self.active else None

    def _await_replicas(self) -> None:
        if self._cluster.agreed_ring != self._cluster.ring:
            self.holds.add(REPLICAS)

    # --- calculation

    def want(self, at: Instant, reason: str, *, news: bool = True) -> None:
        """A calculation is due, as soon as nothing stands against it; ``news`` is what may help where all failed."""
        if not self.active:
            return
        if not self._wanted:
            self._wanted = reason
        if news:
            self.holds.release_matching(HELP)
        self._is_urgent = True
        self.holds.release(_REST)
        self._cluster.log("info", f"Transition wanted: {reason}")
        self._calculations.void()
        if not self.transitioner.is_running:
            self._cluster.post(Input.CALCULATE)

    def schedule(self) -> None:
        """Note that the state table calls for a calculation."""
        if not self._wanted:
            self._wanted = "members joined"
            self._is_urgent = True

    def schedule_if_ready(self, at: Instant) -> None:
        """Ask the scheduler if a calculation is due and nothing is to be waited for."""
        if not self._is_due:
            return
        self.membership.hold_for_unseen(at)
        self.membership.correct_standings(at)
        if self.holds or not self._cluster.is_current:
            self.guess(at)
            return
        self._wanted = ""
        self._is_urgent = False
        self._recheck = None
        guessed = self._calculations.ask(at)
        if guessed is not None:
            self._calculated(at, guessed)

    def guess(self, at: Instant) -> None:
        """Ask the scheduler already, if nothing stands against it but what we are writing ourselves."""
        if not self._is_due or not self._cluster.has_document:
            return
        self.membership.hold_for_unseen(at)
        if set(self.holds.reasons) <= {REPLICAS}:
            self._calculations.guess(at, self.membership.root_attributes())

    @property
    def _is_due(self) -> bool:
        is_busy = self._calculations.is_awaited or self.transitioner.is_running or self._cluster.electing
        return self.active and bool(self._wanted) and not is_busy

    def scheduled(self, at: Instant, event: Scheduled) -> None:
        """Take the scheduler's answer, if it is to the latest question."""
        counts = self._calculations.take(at, event)
        if event.graph is not None:
            rest = min(REST_SHARE * self._calculations.took, LONGEST_REST_S)
            self._rests_until = 0.0 if len(event.graph) else at.now + rest
        if self.holds.release(_REST):
            self._rest(at)
        if counts:
            self._calculated(at, event)

    def _rest(self, at: Instant) -> None:
        """Let attributes change a little longer, if that seems to have no consequence."""
        if self._calculations.is_under_way:
            self.holds.add(_REST, at.now + LONGEST_REST_S)
        elif at.now < self._rests_until:
            self.holds.add(_REST, self._rests_until)

    def _calculated(self, at: Instant, event: Scheduled) -> None:
        if event.graph is None:
            self._cluster.log("error", f"The scheduler failed: {event.note}")
            self.holds.add("the scheduler's recovery", at.now + 1.0)
            self.want(at, "the scheduler failed", news=False)
            return
        self._graph = event.graph
        self._cluster.post(Input.CALCULATED)

    def run(self, at: Instant) -> None:
        """Begin the transition that was calculated."""
        graph, self._graph = self._graph, None
        if graph is None:
            return
        self._recheck_by = graph.recheck_by
        self._act(at, self.transitioner.begin(at.now, graph, self._limits(graph)))

    def throttle_changed(self, at: Instant) -> None:
        """A machine is loaded more or less than before: the present transition takes that into account."""
        execution = self.transitioner.execution
        if self.active and execution is not None:
            execution.limits = self._limits(execution.graph)
            self._act(at, self.transitioner.advance(at.now))

    def _limits(self, graph: Graph) -> Limits:
        peers = self._cluster.peers
        option = status.cluster_option(self._cluster.document, "node-action-limit")
        node_jobs = {
            peer.name: job_limit(peer.throttle, most_jobs(peer.job_limit, option, peer.cores)) for peer in peers.all()
        }
        members = [peer for peer in peers.all() if peer.in_view]
        batch = batch_limit(graph.batch_limit, (peer.throttle for peer in members), len(members))
        return Limits(batch, node_jobs, graph.migration_limit)

    def settle(self, at: Instant) -> None:
        """Arm the timer that looks again even if nothing happens."""
        document = self._cluster.document
        interval = status.option_seconds(document, "cluster-recheck-interval", status.DEFAULT_RECHECK_S)
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

    def cib_changed(self, at: Instant, facts: list[Fact]) -> None:
        """React to what the CIB says now."""
        if not self.active:
            return
        self.membership.correct_standings(at)
        is_urgent = self._is_urgent or self.transitioner.is_running
        for fact in facts:
            match fact:
                case ConfigurationChanged(section):
                    self.abort(at, f"the configuration changed ({section})")
                case TicketsChanged():
                    self.abort(at, "a ticket changed")
                case AttributeChanged(node_id, node, name, value):
                    self.holds.release(attribute_hold(node, name))
                    if name == FEATURE_ATTRIBUTE:
                        continue  # nothing is decided by it
                    if value is not None or self.membership.is_present(node_id):
                        self.abort(at, f"{name} of {node} is {value or 'gone'} now")
                case OperationRecorded():
                    news = self.transitioner.recorded(at.now, fact)
                    if any(isinstance(effect, Aborted) for effect in news):
                        self.membership.hasten(at)
                    self._act(at, news)
                case HistoryErased(node_id):
                    if self.membership.is_present(node_id):
                        self._act(at, self.transitioner.erased(at.now, fact))
        if self._wanted and not is_urgent and all(isinstance(fact, AttributeChanged) for fact in facts):
            self._is_urgent = False
            self._rest(at)

    def written(self, at: Instant, tag: int, error: str) -> None:
        """React to the end of a write."""
        key = self._duties.written(tag)
        if key is not None:
            self._act(at, self.transitioner.finish(at.now, key, failed=bool(error)))
        self.membership.written(at, tag, error)

    def action_done(self, at: Instant, done: ActionDone) -> None:
        """React to the end of an action that was reported by message."""
        if self.active:
            failed = done.exec_status != ExecStatus.DONE or done.exit_status != 0
            self._act(at, self.transitioner.finish(at.now, done.key, failed=failed))

    def fencing_ended(self, at: Instant, event: FencingEnded) -> None:
        """React to the end of a fencing that we asked for."""
        success = self._duties.fencing_ended(at, event)
        if success is not None:
            self._act(at, self.transitioner.finish(at.now, event.key, failed=not success))

    def fencing_seen(self, at: Instant, peer: Peer, *, rebooted: bool = False) -> None:
        """React to anybody's successful fencing of a node; ``rebooted``: its next incarnation is here already."""
        if not self.active:
            peer.unwritten = not rebooted
        elif self._duties.fencing_seen(peer.name) and not (rebooted and peer.joined):
            self.membership.mark_fenced(peer, rebooted=rebooted)
            self._act(at, self.transitioner.node_lost(at.now, peer.name))
            self.want(at, f"{peer.name} was fenced")

    # --- the transition

    def _act(self, at: Instant, effects: list[TransitionEffect]) -> None:
        for effect in effects:
            match effect:
                case Perform(node_id, action):
                    self._initiate(at, node_id, action)
                case PerformHere(key, action):
                    success = self._duties.perform(key, action)
                    if success is not None:
                        self._act(at, self.transitioner.finish(at.now, key, failed=not success))
                case CountFailure():
                    self._duties.count_failure(at, effect)
                case MarkLost(action, key):
                    self._duties.record_timeout(at, action, key)
                case Aborted(reason):
                    self.want(at, reason)
                case Ended(_, restart, summary):
                    self._cluster.log("NOTICE", summary)
                    if restart or self._wanted:
                        self.want(at, self._wanted or "the transition did not reach its end", news=False)
                    else:
                        self._cluster.post(Input.TRANSITION_DONE)

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
