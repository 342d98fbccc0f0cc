"""The ring protocol of one node: GATHER, COMMIT, RECOVERY, OPERATIONAL. Pure.

After Amir, Moser, Melliar-Smith, Agarwal and Ciarfella, "The Totem single-ring ordering and
membership protocol" (1995), with the timers that corosync.conf documents. Packets and time go in,
effects come out; the caller performs them in order, calls :meth:`Totem.wake` if then something waits
to be sent, and :meth:`Totem.expire` at ``deadline``::

    start ─► GATHER ──all agree──► COMMIT ──token back──► RECOVERY ──all recovered──► OPERATIONAL
               ▲  └─silent: failed─┘ │                      │                            │
               └───── token lost, a vote changed, a stranger, a goodbye ─────────────────┘

A member is given up only after the token timeout (since its last sign) and the consensus timeout.
"""

from hatools.messaging.corosync.totem.effects import (
    SEQUENCE_RESERVE,
    SEQUENCE_STEP,
    Effect,
    KeepSequence,
    Ordered,
    PacketsSafe,
    RingFormed,
    State,
    StateChanged,
    Timing,
    TokenLate,
    Transmit,
)
from hatools.messaging.corosync.totem.membership import Gathering, Vote, fill_entry
from hatools.messaging.corosync.totem.packets import (
    Commit,
    CommitEntry,
    HoldCancel,
    Join,
    Merge,
    Message,
    Packet,
    Probe,
    Token,
    encode,
    encode_message,
    encode_token,
)
from hatools.messaging.corosync.totem.recovery import Recovery
from hatools.messaging.corosync.totem.ring import FlowLimits, Ring, Source
from hatools.messaging.views import NO_RING, RingId

QUICK_TURNS = 4
PAUSE_S = 0.005
"""After so many idle turns each further one waits so long, until the idle turns of the configuration have passed and
the token is held. A token that only runs would keep the processors from those who are about to say something; whoever
wants to send cancels the pause as it cancels the hold."""


class Totem:
    """The protocol's state at one node.

    Args:
        me: our node id.
        nodes: ids of all configured nodes, ourselves included.
        sequence: larger than every ring sequence this node used before, 0 on its first start.
        reserved: up to which sequences are stored as used; the last :class:`KeepSequence`.
        source: yields the payloads of new messages.
    """

    def __init__(
        self,
        me: int,
        nodes: frozenset[int],
        timing: Timing,
        source: Source,
        *,
        limits: FlowLimits | None = None,
        sequence: int = 0,
        reserved: int = 0,
    ) -> None:
        self.me = me
        self.state = State.LEFT
        self.timing = timing
        self.limits = limits or FlowLimits()
        self.ring: Ring | None = None
        """The last operational ring; still the old one during GATHER, COMMIT and RECOVERY."""
        self.token_losses = 0
        self._peers = tuple(sorted(nodes - {me}))
        self._source = source
        self._sequence = sequence
        self._stored = reserved
        self._gathering = Gathering(me, frozenset({me}))
        self._heard: dict[int, float] = {}
        self._told: frozenset[int] = frozenset()
        self._commit: Commit | None = None
        self._abandoned = 0
        """Sequence of the newest ring we committed to and then gave up: its token may still be on its way, and
        who took it again would chase the votes for the next ring for ever."""
        self._recovery: Recovery | None = None
        self._held: Token | None = None
        self._idle = 0
        self._resend: tuple[int, bytes] | None = None
        self._resend_above = 0
        self._token_deadline: float | None = None
        self._late_deadline: float | None = None
        self._resend_deadline: float | None = None
        self._hold_deadline: float | None = None
        self._join_deadline: float | None = None
        self._consensus_deadline: float | None = None
        self._merge_deadline: float | None = None
        self._effects: list[Effect] = []

    # -- the caller's side

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        times = [
            time
            for time in (
                self._token_deadline,
                self._late_deadline,
                self._resend_deadline,
                self._hold_deadline,
                self._join_deadline,
                self._consensus_deadline,
                self._merge_deadline,
            )
            if time is not None
        ]
        return min(times, default=None)

    @property
    def members(self) -> tuple[int, ...]:
        """Return the members of the last operational ring."""
        return self.ring.members if self.ring else ()

    def start(self, now: float) -> list[Effect]:
        """Begin, alone; merging with others follows as soon as they are heard."""
        self._enter_gather(now, "start")
        return self._take()

    def receive(self, now: float, sender: int, packet: Packet) -> list[Effect]:
        """Process a packet that really comes from ``sender``."""
        if self.state is State.LEFT:
            return []
        self._heard[sender] = now
        match packet:
            case Token():
                self._on_token(now, packet)
            case Message():
                self._on_message(packet)
            case Join():
                self._on_join(now, sender, packet)
            case Commit():
                self._on_commit(now, packet)
            case Merge():
                self._on_merge(now, sender, packet)
            case HoldCancel(ring_id):
                self._on_hold_cancel(now, ring_id)
            case Probe():
                pass  # a matter of the links
        return self._take()

    def expire(self, now: float) -> list[Effect]:
        """Act on every deadline that has passed."""
        if _due(self._late_deadline, now):
            self._late_deadline = None
            if self.state is State.OPERATIONAL and self._held is None:
                self._effects.append(TokenLate(self.timing.token * self.timing.warning))
        if _due(self._token_deadline, now):
            self.token_losses += 1
            self._enter_gather(now, f"no token for {self.timing.token:g} s")
        if _due(self._consensus_deadline, now):
            silent = self._gathering.give_up_silent()
            self._enter_gather(now, f"no agreement from {sorted(silent)} within {self.timing.consensus:g} s")
        if _due(self._join_deadline, now):
            self._send_join(now)
        if _due(self._resend_deadline, now) and self._resend:
            target, data = self._resend
            self._effects.append(Transmit((target,), data))
            self._resend_deadline = now + self.timing.retransmit
        if _due(self._hold_deadline, now):
            self._release_held(now)
        if _due(self._merge_deadline, now):
            self._send_merge(now)
        return self._take()

    def wake(self, now: float) -> list[Effect]:
        """Say that the source has something to send."""
        if self.state is State.OPERATIONAL and self.ring is not None:
            if len(self.ring.members) == 1:
                self._run_alone(self.ring)
            elif self._held is not None:
                self._idle = 0
                self._release_held(now)
            elif self._idle >= max(1, self._quick_turns - 2) and self.me != self.ring.ring_id.leader:
                self._idle = 0
                cancel = encode(HoldCancel(self.ring.ring_id))
                self._effects.append(Transmit((self.ring.ring_id.leader,), cancel))
        return self._take()

    def set_nodes(self, now: float, nodes: frozenset[int]) -> list[Effect]:
        """Take over a changed list of all nodes: who is new may join, who is gone is thrown out."""
        gone = frozenset(self._peers) - nodes
        self._peers = tuple(sorted(nodes - {self.me}))
        for node in gone:
            self._heard.pop(node, None)
        if self.state is State.OPERATIONAL:
            expelled = gone & frozenset(self.members)
            if expelled:
                self._gathering = Gathering(self.me, frozenset(self.members), expelled)
                self._enter_gather(now, f"removed from the nodelist: {sorted(expelled)}")
            else:
                self._merge_deadline = now  # perhaps somebody is outside now who was not there before
        elif self.state is not State.LEFT and gone & self._gathering.candidates:
            self._gathering.failed |= gone & self._gathering.candidates
            self._enter_gather(now, f"removed from the nodelist: {sorted(gone)}")
        return self._take()

    def leave(self, now: float) -> list[Effect]:
        """Say goodbye and stop; peers need not wait for our token."""
        if self.state is not State.LEFT:
            farewell = Join(
                self._gathering.candidates | frozenset(self.members),
                frozenset({self.me}),
                self.heard(now),
                self._sequence,
                True,
            )
            self._effects += [Transmit(self._peers, encode(farewell))] * 2
            self._change_state(State.LEFT, "leaving")
            self._stop_timers()
        return self._take()

    # -- GATHER

    def _enter_gather(self, now: float, cause: str) -> None:
        if self.state in (State.OPERATIONAL, State.LEFT):
            members = frozenset(self.members) | {self.me}
            self._gathering.candidates = members | (self._gathering.candidates - self._gathering.failed)
        self._stop_timers()
        self._held = None
        if self._commit is not None:
            self._abandoned = max(self._abandoned, self._commit.ring.sequence)
        self._commit = None
        self._recovery = None
        self._gathering.restart()
        self._change_state(State.GATHER, cause)
        self._consensus_deadline = now + self.timing.consensus
        self._send_join(now)
        self._check_consensus(now)

    def _send_join(self, now: float) -> None:
        self._told = self.heard(now)
        join = Join(self._gathering.candidates, self._gathering.failed, self._told, self._sequence, False)
        if self._peers:
            self._effects.append(Transmit(self._peers, encode(join)))
        self._join_deadline = now + self.timing.join

    def heard(self, now: float) -> frozenset[int]:
        """Return the nodes that we heard lately."""
        since = now - max(3 * self.timing.merge, 4 * self.timing.join)
        return frozenset(node for node, time in self._heard.items() if time >= since)

    def _on_join(self, now: float, sender: int, join: Join) -> None:
        if self.state is State.OPERATIONAL and self.ring is not None:
            self._join_while_operational(now, sender, join, self.ring)
        elif self.state is State.GATHER:
            self._join_while_gathering(now, sender, join)
        elif self._commit is not None:
            self._join_while_committed(now, sender, join, self._commit)

    def _join_while_operational(self, now: float, sender: int, join: Join, ring: Ring) -> None:
        is_member = sender in ring.members
        if is_member and join.ring_sequence < ring.ring_id.sequence:
            return  # delayed: it was sent before the ring formed
        if not is_member and (join.leaving or self.me in join.failed):
            return  # not for us, or not yet: once it has formed its own ring it will vote anew
        if not is_member and self.me not in join.heard:
            self._effects.append(Transmit((sender,), self._own_merge(now)))
            return
        self._prepare_gathering(join, sender)
        self._enter_gather(now, f"node {sender} {'leaves' if join.leaving else 'gathers'}")
        self._count_vote(now, sender, join)

    def _join_while_gathering(self, now: float, sender: int, join: Join) -> None:
        self._sequence = max(self._sequence, join.ring_sequence)
        is_stranger = not join.leaving and sender not in self._gathering.candidates
        if not (is_stranger and self.me not in join.heard):
            self._vote(now, sender, join)
        self._tell_heard(now)

    def _join_while_committed(self, now: float, sender: int, join: Join, commit: Commit) -> None:
        if sender not in {entry.node for entry in commit.entries}:
            return  # it will be heard once the ring has formed
        if join.ring_sequence >= commit.ring.sequence:
            self._gathering.receive(sender, join, frozenset(self.members))
            self._enter_gather(now, f"node {sender} gathers again")
        elif self.state is State.COMMIT:
            self._sequence = max(self._sequence, join.ring_sequence)
            self._vote(now, sender, join)

    def _vote(self, now: float, sender: int, join: Join) -> None:
        match self._gathering.receive(sender, join, frozenset(self.members)):
            case Vote.CHANGED:
                self._enter_gather(now, f"the vote of node {sender} differs")
                self._count_vote(now, sender, join)
            case Vote.AGREED:
                self._check_consensus(now)
            case Vote.IGNORED:
                pass

    def _count_vote(self, now: float, sender: int, join: Join) -> None:
        """After our own vote changed because of a join: it may agree with what we vote for now."""
        if self.state is State.GATHER and self._gathering.receive(sender, join, frozenset(self.members)) is Vote.AGREED:
            self._check_consensus(now)

    def _prepare_gathering(self, join: Join, sender: int) -> None:
        """From OPERATIONAL: what to vote for, given the first foreign or renewed join."""
        self._sequence = max(self._sequence, join.ring_sequence)
        self._gathering = Gathering(self.me, frozenset(self.members))
        if not join.leaving:
            self._gathering.candidates |= {sender}
        self._gathering.receive(sender, join, frozenset(self.members))

    def _tell_heard(self, now: float) -> None:
        """Vote again at once if somebody does not know yet that we hear it."""
        if self.state is State.GATHER and not (self.heard(now) <= self._told):
            self._send_join(now)

    def _check_consensus(self, now: float) -> None:
        if self.state is not State.GATHER or not self._gathering.is_complete():
            return
        proposed = tuple(sorted(self._gathering.proposed))
        self._consensus_deadline = None
        self._token_deadline = now + self.timing.token
        if proposed[0] == self.me:
            self._create_commit(now, proposed)

    def _on_merge(self, now: float, sender: int, merge: Merge) -> None:
        if self.state is State.OPERATIONAL and self.ring is not None:
            ring_id = self.ring.ring_id
            if merge.ring == ring_id or (sender in self.ring.members and merge.ring.sequence < ring_id.sequence):
                return
        elif self.state is not State.GATHER or sender in self._gathering.candidates:
            return
        if self.me not in merge.heard:
            if self.state is State.OPERATIONAL:
                self._effects.append(Transmit((sender,), self._own_merge(now)))
            return
        if self.state is State.OPERATIONAL:
            self._gathering = Gathering(self.me, frozenset(self.members))
        self._gathering.candidates |= {sender}
        self._enter_gather(now, f"node {sender} is in another ring")

    def _send_merge(self, now: float) -> None:
        if self.state is not State.OPERATIONAL or self.ring is None:
            self._merge_deadline = None
            return
        outside = tuple(node for node in self._peers if node not in self.ring.members)
        if not outside or self.ring.ring_id.leader != self.me:
            self._merge_deadline = None
            return
        self._effects.append(Transmit(outside, self._own_merge(now)))
        self._merge_deadline = now + self.timing.merge

    def _own_merge(self, now: float) -> bytes:
        assert self.ring is not None
        return encode(Merge(self.ring.ring_id, self.heard(now)))

    # -- COMMIT

    def _create_commit(self, now: float, proposed: tuple[int, ...]) -> None:
        ring_id = RingId(self._sequence + SEQUENCE_STEP, self.me)
        self._use_sequence(ring_id.sequence)
        if len(proposed) == 1:
            self._form_alone(now, ring_id)
            return
        entries = tuple(CommitEntry(node, False, NO_RING, 0, 0) for node in proposed)
        commit = Commit(ring_id, self.me, 0, entries)
        self._change_state(State.COMMIT, f"all of {list(proposed)} agree")
        self._stop_timers()
        self._pass_commit(now, commit)

    def _on_commit(self, now: float, commit: Commit) -> None:
        if commit.target != self.me:
            return
        mine = self._commit
        if self.state is State.GATHER:
            nodes = [entry.node for entry in commit.entries]
            if nodes != sorted(self._gathering.proposed) or commit.ring.sequence <= self._oldest_acceptable():
                return
            self._use_sequence(commit.ring.sequence)
            self._change_state(State.COMMIT, f"commit token of node {commit.ring.leader}")
            self._stop_timers()
            self._pass_commit(now, commit)
        elif mine is None or not _continues(mine, commit):
            return
        elif self.state is State.COMMIT and all(entry.filled for entry in commit.entries):
            self._pass_commit(now, commit)
            self._enter_recovery(commit)
        elif self._recovery is not None and commit.ring.leader == self.me and not self._recovery.ring.turn:
            self._commit = commit
            self._on_token(now, self._recovery.ring.first_token())

    def _pass_commit(self, now: float, commit: Commit) -> None:
        ring = self.ring
        entries = commit.entries
        if any(entry.node == self.me and not entry.filled for entry in entries):
            if ring is None:
                entries = fill_entry(commit, self.me, NO_RING, 0, 0)
            else:
                entries = fill_entry(commit, self.me, ring.ring_id, ring.aru, ring.highest)
        nodes = [entry.node for entry in entries]
        target = nodes[(nodes.index(self.me) + 1) % len(nodes)]
        self._commit = Commit(commit.ring, target, commit.turn + 1, entries)
        self._token_deadline = now + self.timing.token
        self._send_and_repeat(now, target, encode(self._commit))

    def _oldest_acceptable(self) -> int:
        """Return the sequence that a new ring must exceed."""
        return max(self.ring.ring_id.sequence if self.ring else 0, self._abandoned)

    def _use_sequence(self, sequence: int) -> None:
        self._sequence = max(self._sequence, sequence)
        if sequence > self._stored:
            self._stored = sequence + SEQUENCE_RESERVE
            self._effects.append(KeepSequence(self._stored))

    # -- RECOVERY

    def _enter_recovery(self, commit: Commit) -> None:
        self._recovery = Recovery(commit, self.me, self.ring, self.limits)
        self._change_state(State.RECOVERY, f"ring {commit.ring} is committed")

    def _recover_with(self, now: float, recovery: Recovery, token: Token) -> None:
        visit = recovery.take_token(token)
        ring = recovery.ring
        for message in visit.messages:
            self._effects.append(Transmit(self._others(ring), encode_message(message)))
        if recovery.is_complete:
            self._install_ring(now, ring, recovery.survivors)
        self._pass_token(now, ring, token)

    def _install_ring(self, now: float, ring: Ring, survivors: frozenset[int]) -> None:
        if self.ring is not None:
            self._deliver(self.ring.remainder(survivors))
        self.ring = ring
        self._recovery = None
        self._commit = None
        self._idle = 0
        self._gathering = Gathering(self.me, frozenset(ring.members))
        self._join_deadline = None
        self._consensus_deadline = None
        self._change_state(State.OPERATIONAL, f"ring {ring.ring_id}: {list(ring.members)}")
        self._effects.append(RingFormed(ring.ring_id, ring.members, survivors))
        self._deliver(ring.deliverable())
        self._merge_deadline = now + self.timing.merge

    def _form_alone(self, now: float, ring_id: RingId) -> None:
        self._stop_timers()
        # What waits in the source is not for this ring before the caller has performed RingFormed; then it wakes us.
        self._install_ring(now, Ring(ring_id, (self.me,), self.me, self.limits), frozenset({self.me}))

    # -- OPERATIONAL

    def _on_token(self, now: float, token: Token) -> None:
        ring = self._recovery.ring if self._recovery is not None else self.ring
        if self.state not in (State.RECOVERY, State.OPERATIONAL) or ring is None:
            return
        if token.ring != ring.ring_id or token.target != self.me or token.turn <= ring.turn:
            return
        ring.check_token(token)
        self._resend = None
        self._resend_deadline = None
        self._token_deadline = now + self.timing.token
        if self._recovery is not None:
            self._recover_with(now, self._recovery, token)
            return
        quiet = token.sequence == ring.highest == ring.safe and not token.missing and not self._source.backlog()
        self._idle = self._idle + 1 if quiet else 0
        ring.turn = token.turn
        if self._idle > self.timing.idle_turns:
            # The leader holds the token: whoever dies meanwhile gets the whole margin from then on.
            self._token_deadline += self.timing.hold
        if self.timing.warning:
            self._late_deadline = self._token_deadline - self.timing.token * (1 - self.timing.warning)
        if self._idle > self._quick_turns and ring.ring_id.leader == self.me:
            self._held = token
            self._hold_deadline = now + (self.timing.hold if self._idle > self.timing.idle_turns else PAUSE_S)
            return
        self._operate(now, ring, token)

    @property
    def _quick_turns(self) -> int:
        """Return after how many idle turns the leader no longer passes the token on at once."""
        return min(self.timing.idle_turns, QUICK_TURNS)

    def _operate(self, now: float, ring: Ring, token: Token) -> None:
        safe = ring.safe
        visit = ring.take_token(token, self._source)
        if ring.stalled > self.timing.fail_to_receive and token.aru_node != self.me:
            self._gathering.failed |= {token.aru_node}
            self._enter_gather(now, f"node {token.aru_node} receives nothing")
            return
        others = self._others(ring)
        for message in visit.messages:
            self._effects.append(Transmit(others, encode_message(message)))
        self._pass_token(now, ring, token)
        self._deliver(ring.deliverable())
        if ring.safe > safe:
            self._effects.append(PacketsSafe(ring.safe))

    def _pass_token(self, now: float, ring: Ring, token: Token) -> None:
        self._resend_above = token.sequence
        self._send_and_repeat(now, ring.next_member, encode_token(token))

    def _release_held(self, now: float) -> None:
        token, ring = self._held, self.ring
        self._held = None
        self._hold_deadline = None
        if token is not None and ring is not None:
            self._operate(now, ring, token)

    def _on_hold_cancel(self, now: float, ring_id: RingId) -> None:
        if self.state is State.OPERATIONAL and self.ring is not None and ring_id == self.ring.ring_id:
            self._idle = 0
            self._release_held(now)

    def _on_message(self, message: Message) -> None:
        ring = self._ring_of(message)
        if ring is None or not ring.store(message):
            return
        if message.sequence > self._resend_above and self._resend is not None and self.state is not State.COMMIT:
            self._resend = None  # somebody behind us has the token
            self._resend_deadline = None
        if message.wrapped and self._recovery is not None:
            self._recovery.take_wrapped(message)
        if ring is self.ring and self.state is State.OPERATIONAL:
            self._deliver(ring.deliverable())

    def _ring_of(self, message: Message) -> Ring | None:
        """Return the ring a message may be stored in. Once we have stated in COMMIT what we hold of the
        old ring, nothing may be added to it but what all survivors are given."""
        if self._recovery is not None and message.ring == self._recovery.ring.ring_id:
            return self._recovery.ring
        if self.ring is not None and message.ring == self.ring.ring_id:
            return self.ring if self.state in (State.OPERATIONAL, State.GATHER) else None
        return None

    def _run_alone(self, ring: Ring) -> None:
        while ring.run_alone(self._source):
            self._deliver(ring.deliverable())
            ring.release_alone()
            self._effects.append(PacketsSafe(ring.safe))

    def _deliver(self, messages: list[Message]) -> None:
        for message in messages:
            if not message.wrapped:
                self._effects.append(Ordered(message.origin, message.sequence, message.payload))

    # -- small things

    def _others(self, ring: Ring) -> tuple[int, ...]:
        return tuple(node for node in ring.members if node != self.me)

    def _send_and_repeat(self, now: float, target: int, data: bytes) -> None:
        self._effects.append(Transmit((target,), data))
        self._resend = (target, data)
        self._resend_deadline = now + self.timing.retransmit

    def _stop_timers(self) -> None:
        self._token_deadline = None
        self._late_deadline = None
        self._resend_deadline = None
        self._hold_deadline = None
        self._join_deadline = None
        self._consensus_deadline = None
        self._merge_deadline = None
        self._resend = None

    def _change_state(self, new: State, cause: str) -> None:
        if self.state is not new or new is State.GATHER:
            self._effects.append(StateChanged(self.state, new, cause))
        self.state = new

    def _take(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects


def _due(deadline: float | None, now: float) -> bool:
    return deadline is not None and deadline <= now


def _continues(mine: Commit, commit: Commit) -> bool:
    """Say whether a commit token is a later turn of the one that we passed on."""
    is_same = commit.ring == mine.ring and commit.turn > mine.turn
    return is_same and [entry.node for entry in commit.entries] == [entry.node for entry in mine.entries]
