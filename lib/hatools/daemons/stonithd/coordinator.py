"""What the fencers of a cluster do together: the core of stonithd. Pure.

Whoever is asked to fence (the *origin*) announces it to all in the total order, so that every fencer knows of every
operation and nothing is done twice at a time. The origin runs the :class:`Operation`; the others offer devices and run
what they are told. The outcome is announced to all again, the target included. A request that concerns the very node it
was made on is passed to a peer, because its origin is about to lose power.

Times called ``now`` are monotonic, ``epoch`` is the time of day in seconds.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from hatools.daemons.stonithd.effects import (
    Answer,
    BroadcastPeers,
    CancelHere,
    Effect,
    FindOffers,
    Notify,
    PeerMessage,
    Refuse,
    RunHere,
    SendPeer,
)
from hatools.daemons.stonithd.history import FAILED, PENDING, SUCCESS, History
from hatools.daemons.stonithd.operation import (
    NO_DEVICE,
    TIMED_OUT,
    CancelTask,
    Conclude,
    Operation,
    Request,
    RunTask,
)
from hatools.daemons.stonithd.operation import Effect as OperationEffect
from hatools.ipc.messages.stonith import (
    CleanHistory,
    ConfirmDown,
    DeviceOffer,
    DeviceResult,
    Fence,
    FencingDone,
    FencingRecord,
    PeerAccepted,
    PeerArrival,
    PeerCancel,
    PeerClean,
    PeerExecute,
    PeerExecuted,
    PeerHistory,
    PeerMerged,
    PeerOffers,
    PeerOutcome,
    PeerQuery,
    PeerRelay,
)
from hatools.values.errors import DeadlineError, HatoolsError, InputError, NoSuchObjectError
from hatools.values.records import dataclass, field, replace

ACTIONS = ("off", "on", "reboot")
HUMAN = "a human"
"""The executioner of what a person confirmed."""

Levels = Callable[[str], tuple[tuple[str, ...], ...]]
"""Finds the topology levels of a node, by name."""


@dataclass(slots=True)
class _Relayed:
    relay: PeerRelay
    peer: int


@dataclass(slots=True)
class Coordinator:
    """One node's part in the cluster's fencing.

    Args:
        local: our node id.
        name: our node's name.
        levels: the topology as it is now.
    """

    local: int
    name: str
    levels: Levels
    history: History = field(default_factory=History)
    ring: str = ""
    """Id of the present ring; set by :meth:`enter_ring`."""
    members: dict[int, str] = field(default_factory=dict)
    """Names of the cluster's members by id."""
    peers: frozenset[int] = frozenset()
    """Members whose fencer takes part."""
    _first_ring: int = 0
    _starting: dict[str, tuple[Request, float]] = field(default_factory=dict)
    """Announced by us and not yet delivered, with the epoch second of the announcement."""
    _operations: dict[str, Operation] = field(default_factory=dict)
    _newcomers: frozenset[int] = frozenset()
    """Peers that have not been told the history yet."""
    _under_way: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Target and action of what has begun and not ended in the total order: the same at all peers at each delivery,
    while the history has the outcome of our own operations before it is delivered."""
    _waiters: dict[str, list[int]] = field(default_factory=dict)
    _relayed: dict[str, _Relayed] = field(default_factory=dict)

    @property
    def is_fencing(self) -> bool:
        """Say whether an operation is under way anywhere, as far as we have been told."""
        return bool(self._under_way)

    @property
    def deadline(self) -> float | None:
        """When :meth:`expire` wants to be called."""
        deadlines = [op.deadline for op in self._operations.values() if op.deadline is not None]
        return min(deadlines, default=None)

    # What clients ask for

    def fence(self, now: float, epoch: float, waiter: int, request: Fence, identifier: str) -> list[Effect]:
        """Begin an operation; the waiter is answered when it is over.

        Raises:
            InputError: the action or a time is none.
        """
        if request.action not in ACTIONS or not request.target:
            raise InputError(f"cannot carry out {request.action!r} on {request.target!r}: use off, on or reboot")
        if request.tolerance_ms > 0:
            since = epoch - request.tolerance_ms / 1000
            done = self.history.recent_success(request.target, request.action, since)
            if done is not None:
                return [Answer(waiter, replace(_done(done), already_done=True))]
        self._waiters.setdefault(identifier, []).append(waiter)
        query = PeerQuery(identifier, request.target, request.action, request.client, self.name)
        timeout_ms = max(1000, request.timeout_ms)
        others = sorted(self.peers - {self.local})
        if request.target.lower() == self.name.lower() and request.action != "on" and others:
            relay = PeerRelay(query, timeout_ms, request.delay_ms)
            self._relayed[identifier] = _Relayed(relay, others[0])
            return [SendPeer(others[0], relay)]
        return self._announce(epoch, query, timeout_ms, request.delay_ms)

    def confirm(self, epoch: float, waiter: int, request: ConfirmDown, identifier: str) -> list[Effect]:
        """Take a person's word that a node is down."""
        self._waiters.setdefault(identifier, []).append(waiter)
        record = FencingRecord(
            identifier,
            request.target,
            "off",
            HUMAN,
            request.client,
            self.name,
            SUCCESS,
            epoch,
            "manually confirmed",
            ring=self.ring,
        )
        return [BroadcastPeers(PeerOutcome(record)), *self._take_outcome(epoch, record)]

    def clean(self, request: CleanHistory) -> list[Effect]:
        """Forget history everywhere, or with ``broadcast`` tell the peers what we know."""
        if request.broadcast:
            return [self._tell_history()]
        return [BroadcastPeers(PeerClean(request.target))]

    def client_left(self, waiter: int) -> None:
        """Forget a client that went away; what it asked for goes on."""
        for waiters in self._waiters.values():
            if waiter in waiters:
                waiters.remove(waiter)

    # What the cluster tells

    def enter_ring(self, ring: str) -> None:
        """Note the ring that deliveries belong to from now on."""
        self.ring = ring
        self._first_ring = self._first_ring or _sequence(ring)

    def members_changed(
        self,
        now: float,
        epoch: float,
        members: Mapping[int, str],
        peers: frozenset[int],
        arrived: frozenset[int] = frozenset(),
    ) -> list[Effect]:
        """Take a new membership, of the cluster and of the fencers.

        Args:
            arrived: the fencers that are new. One that was a peer before is another process now: it knows nothing, and
                nobody goes on with what the earlier one did. If we are not named when we begin, our predecessor
                may have been in the group up to now, and nobody sees us arrive: then we say it.
        """
        before = self.peers
        is_unseen = not before and self.local in peers - arrived and len(peers) > 1
        back = (arrived & before & peers) - {self.local}
        gone, arrived = before - peers | back, peers - before | back
        names = {**self.members, **members}
        self.members = dict(members)
        self.peers = peers
        effects: list[Effect] = [BroadcastPeers(PeerArrival())] if is_unseen else []
        for identifier, operation in list(self._operations.items()):
            for node in sorted(gone):
                effects += self._perform(epoch, identifier, operation.peer_lost(now, node))
        for node in sorted(gone - {self.local}):
            for record in self.history.abandon(names.get(node, ""), epoch):
                self._under_way.pop(record.id, None)
                effects += [Notify(record), *self._settle(record)]
        for relayed in list(self._relayed.values()):
            if relayed.peer in gone:
                effects += self._relay_again(epoch, relayed)
        self._newcomers = (self._newcomers | (arrived if before else frozenset())) & peers
        informed = (before & peers) - self._newcomers
        # Whoever was to tell the newcomers may be gone: the next one does it.
        if self._newcomers and (arrived or gone) and self.local == min(informed, default=0):
            effects.append(self._tell_history())
        return effects

    def _tell_history(self) -> BroadcastPeers:
        return BroadcastPeers(PeerHistory(self.history.listing(), tuple(sorted(self.peers))))

    def received(self, now: float, epoch: float, sender: int, message: PeerMessage) -> list[Effect]:
        """Take a message from a peer, broadcast or direct, in the order it was delivered."""
        match message:
            case PeerQuery():
                return self._take_query(now, epoch, sender, message)
            case PeerOffers(identifier, offers):
                return self._with(epoch, identifier, lambda op: op.offered(now, sender, offers))
            case PeerRelay(query, timeout_ms, delay_ms):
                is_known = query.id in self._starting or self.history.get(query.id) is not None
                return [] if is_known else self._announce(epoch, query, timeout_ms, delay_ms)
            case PeerExecute():
                return [SendPeer(sender, PeerAccepted(message.id, message.step)), RunHere(sender, message)]
            case PeerAccepted(identifier, step):
                operation = self._operations.get(identifier)
                if operation is not None:
                    operation.accepted(step)
                return []
            case PeerCancel(identifier, step):
                return [CancelHere(sender, identifier, step)]
            case PeerExecuted(identifier, step, result):
                return self._with(epoch, identifier, lambda op: op.executed(now, step, result))
            case PeerMerged(identifier, into):
                return self._take_merger(sender, identifier, into)
            case PeerOutcome(record):
                self._under_way.pop(record.id, None)
                return self._take_outcome(epoch, record)
            case PeerArrival():
                return self.members_changed(now, epoch, self.members, self.peers, frozenset({sender}))
            case PeerHistory(records, told):
                if sender not in self._newcomers:  # what newcomers remember themselves does not tell them ours
                    self._newcomers -= frozenset(told)
                return self._take_history(epoch, records)
            case PeerClean(target):
                self.history.clean(target)
                return []
            case _:
                assert_never(message)

    # What the shell found out

    def offers_found(
        self, now: float, epoch: float, origin: int, identifier: str, offers: tuple[DeviceOffer, ...]
    ) -> list[Effect]:
        """Pass on what this node could do for an operation."""
        answer = PeerOffers(identifier, offers)
        return self.received(now, epoch, self.local, answer) if origin == self.local else [SendPeer(origin, answer)]

    def ran_here(self, now: float, epoch: float, origin: int, order: PeerExecute, result: DeviceResult) -> list[Effect]:
        """Pass on how a device's run ended."""
        answer = PeerExecuted(order.id, order.step, result)
        return self.received(now, epoch, self.local, answer) if origin == self.local else [SendPeer(origin, answer)]

    def expire(self, now: float, epoch: float) -> list[Effect]:
        """Act on deadlines that have passed."""
        effects: list[Effect] = []
        for identifier, operation in list(self._operations.items()):
            if operation.deadline is not None and operation.deadline <= now:
                effects += self._perform(epoch, identifier, operation.expire(now))
        return effects

    def _announce(self, epoch: float, query: PeerQuery, timeout_ms: int, delay_ms: int) -> list[Effect]:
        request = Request(query.id, query.target, query.action, timeout_ms, delay_ms)
        self._starting[query.id] = (request, epoch)
        return [BroadcastPeers(replace(query, origin=self.name, ring=self.ring))]

    def _take_query(self, now: float, epoch: float, sender: int, query: PeerQuery) -> list[Effect]:
        self._relayed.pop(query.id, None)
        starting = self._starting.pop(query.id, None)
        if query.id in self._under_way:
            return []  # it was passed on twice, as the first to get it seemed to be gone
        wanted = (query.target.lower(), query.action)
        same = next((identifier for identifier, what in self._under_way.items() if what == wanted), None)
        if same is not None:
            # Who has just arrived may not know that, and its peers tell it; who knows of the new one forgets it.
            merged = PeerMerged(query.id, same)
            told: list[Effect] = [BroadcastPeers(merged) if sender == self.local else SendPeer(sender, merged)]
            return [*told, *self._wait_for(query.id, same)]
        self._under_way[query.id] = wanted
        record = FencingRecord(
            query.id, query.target, query.action, "", query.client, query.origin, PENDING, epoch, ring=query.ring
        )
        self.history.add(record)
        effects: list[Effect] = [Notify(record), FindOffers(query, sender)]
        if starting is not None:
            request, announced = starting
            done = self.history.recent_success(query.target, query.action, announced)
            if done is not None and query.action != "on":
                # The announcement was held up while the ring lost the target, which somebody else fenced meanwhile.
                outcome = replace(record, executioner=done.executioner, state=SUCCESS, completed=done.completed)
                return [*effects, BroadcastPeers(PeerOutcome(outcome)), *self._take_outcome(epoch, outcome)]
            target_id = next((n for n, name in self.members.items() if name.lower() == query.target.lower()), 0)
            operation = Operation(request, self.peers | {self.local}, target_id, self.local, self.levels(query.target))
            self._operations[query.id] = operation
            effects += self._perform(epoch, query.id, operation.start(now))
        return effects

    def _take_merger(self, sender: int, identifier: str, into: str) -> list[Effect]:
        operation = self._operations.get(identifier)
        if operation is not None and (sender == self.local or not operation.withdraw()):
            return []
        self.history.forget_pending(identifier)
        self._under_way.pop(identifier, None)
        effects = self._wait_for(identifier, into)
        if operation is not None:
            del self._operations[identifier]
            effects.append(BroadcastPeers(PeerMerged(identifier, into)))
        return effects

    def _wait_for(self, identifier: str, other: str) -> list[Effect]:
        """Let those who wait for one operation wait for another, which may be over."""
        self._relayed.pop(identifier, None)
        self._waiters.setdefault(other, []).extend(self._waiters.pop(identifier, []))
        record = self.history.get(other)
        return self._settle(record) if record is not None and record.state != PENDING else []

    def _take_outcome(self, epoch: float, record: FencingRecord) -> list[Effect]:
        if not self.history.add(record):
            return []
        effects: list[Effect] = self._settle(record)
        if not self._was_before_us(record):
            effects.insert(0, Notify(record))
        if record.executioner == HUMAN and record.state == SUCCESS:
            for identifier, operation in list(self._operations.items()):
                if operation.request.target.lower() == record.target.lower() and operation.request.action != "on":
                    effects += self._perform(epoch, identifier, operation.confirmed())
        return effects

    def _take_history(self, epoch: float, records: tuple[FencingRecord, ...]) -> list[Effect]:
        effects: list[Effect] = []
        present = {self.members.get(peer) for peer in self.peers}
        for record in self.history.merge(records):
            if record.state == PENDING:
                self._under_way[record.id] = (record.target.lower(), record.action)
            if record.state != PENDING:
                effects += self._settle(record)
            elif record.origin == self.name or record.origin not in present:
                # Its origin ended, and may have begun anew, while this was on its way: nobody carries it out.
                lost = replace(record, state=FAILED, completed=epoch, reason=f"{record.origin} was lost")
                effects += [BroadcastPeers(PeerOutcome(lost)), *self._take_outcome(epoch, lost)]
        return effects

    def _was_before_us(self, record: FencingRecord) -> bool:
        """Whether an outcome is about an earlier incarnation of this node, which was booted again while it was told."""
        begun = _sequence(record.ring)
        return record.target.lower() == self.name.lower() and 0 < begun < self._first_ring

    def _settle(self, record: FencingRecord) -> list[Effect]:
        """Answer those who waited for an operation that is over."""
        self._relayed.pop(record.id, None)
        waiters = self._waiters.pop(record.id, [])
        if record.state == SUCCESS:
            return [Answer(waiter, _done(record)) for waiter in waiters]
        return [Refuse(waiter, _error(record)) for waiter in waiters]

    def _with(self, epoch: float, identifier: str, step: Callable[[Operation], list[OperationEffect]]) -> list[Effect]:
        operation = self._operations.get(identifier)
        return [] if operation is None else self._perform(epoch, identifier, step(operation))

    def _perform(self, epoch: float, identifier: str, steps: list[OperationEffect]) -> list[Effect]:
        effects: list[Effect] = []
        for step in steps:
            match step:
                case RunTask(number, node, device, action, timeout_ms, delay_ms):
                    target = self._operations[identifier].request.target
                    order = PeerExecute(identifier, number, device, action, target, timeout_ms, delay_ms)
                    effects.append(RunHere(node, order) if node == self.local else SendPeer(node, order))
                case CancelTask(number, node):
                    if node == self.local:
                        effects.append(CancelHere(node, identifier, number))
                    else:
                        effects.append(SendPeer(node, PeerCancel(identifier, number)))
                case Conclude():
                    record = self._outcome(epoch, identifier, step)
                    # Those who wait here need not wait for the ring, which may have to find itself without the target.
                    effects += [BroadcastPeers(PeerOutcome(record)), *self._take_outcome(epoch, record)]
                case _:
                    assert_never(step)
        return effects

    def _outcome(self, epoch: float, identifier: str, end: Conclude) -> FencingRecord:
        request = self._operations.pop(identifier).request
        begun = self.history.get(identifier)
        executioner = self.members.get(end.executioner, "")
        if end.success and not end.executioner:
            executioner = HUMAN
        return FencingRecord(
            identifier,
            request.target,
            request.action,
            executioner,
            begun.client if begun is not None else "",
            self.name,
            SUCCESS if end.success else FAILED,
            epoch,
            end.reason,
            end.exit_reason,
            begun.ring if begun is not None else "",
        )

    def _relay_again(self, epoch: float, relayed: _Relayed) -> list[Effect]:
        """The peer that was to fence us is gone before it announced anything: ask another one, or do it alone."""
        others = sorted(self.peers - {self.local})
        if others:
            relayed.peer = others[0]
            return [SendPeer(others[0], relayed.relay)]
        del self._relayed[relayed.relay.query.id]
        return self._announce(epoch, relayed.relay.query, relayed.relay.timeout_ms, relayed.relay.delay_ms)


def _sequence(ring: str) -> int:
    """Return the sequence number in a ring's id (``LEADER.SEQUENCE``, hexadecimal); 0 if there is none."""
    digits = ring.rpartition(".")[2]
    try:
        return int(digits, 16)
    except ValueError:
        return 0


def _done(record: FencingRecord) -> FencingDone:
    return FencingDone(record.target, record.action, record.executioner, record.completed)


def _error(record: FencingRecord) -> HatoolsError:
    """Return what a waiting client is told; the text is also what stonith_admin prints after the target's name."""
    text = record.reason or "Error"
    if record.exit_reason and record.exit_reason != text:
        text += f" ({record.exit_reason})"
    if record.reason == NO_DEVICE:
        return NoSuchObjectError(text)
    return DeadlineError(text) if record.reason == TIMED_OUT else HatoolsError(text)
