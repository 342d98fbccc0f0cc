"""The ring protocol of one node: RECOVERY, OPERATIONAL, and the way in and out; GATHER and COMMIT are in
``formation.py``. Pure.

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
    Effect,
    Ordered,
    PacketsSafe,
    RingFormed,
    State,
    Timing,
    TokenLate,
    Transmit,
)
from hatools.messaging.corosync.totem.formation import Formation
from hatools.messaging.corosync.totem.membership import Gathering
from hatools.messaging.corosync.totem.packets import (
    Commit,
    Escorted,
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
    join_escorted,
)
from hatools.messaging.corosync.totem.recovery import Recovery
from hatools.messaging.corosync.totem.ring import FlowLimits, Ring, Source
from hatools.messaging.views import RingId

QUICK_TURNS = 1
PAUSE_S = 0.005
"""After so many idle turns each further one waits so long, until the idle turns of the configuration have passed and
the token is held. A token that only runs would keep the processors from those who are about to say something; whoever
wants to send cancels the pause as it cancels the hold."""
_LARGEST_ESCORT = 384
"""Bytes of a message that travels in one packet with the token. Such a packet is still small enough to go over every
link, as the token does."""


class Totem(Formation):
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
        super().__init__(me, nodes, timing, limits or FlowLimits(), sequence, reserved)
        self.token_losses = 0
        self._source = source
        self._idle = 0
        self._resend_above = 0

    # -- the caller's side

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`expire` wants to be called."""
        return self._timers.earliest

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
                self.counters.orf_token_rx += 1
                self._on_token(now, packet)
            case Message():
                self.counters.mcast_rx += 1
                self._on_message(packet)
            case Escorted(message, token):
                self.counters.mcast_rx += 1
                self._on_message(message)
                self.counters.orf_token_rx += 1
                self._on_token(now, token)
            case Join():
                self.counters.memb_join_rx += 1
                self._on_join(now, sender, packet)
            case Commit():
                self.counters.memb_commit_token_rx += 1
                self._on_commit(now, packet)
            case Merge():
                self.counters.memb_merge_detect_rx += 1
                self._on_merge(now, sender, packet)
            case HoldCancel(ring_id):
                self.counters.token_hold_cancel_rx += 1
                self._on_hold_cancel(now, ring_id)
            case Probe():
                pass  # a matter of the links
        return self._take()

    def expire(self, now: float) -> list[Effect]:
        """Act on every deadline that has passed."""
        if _due(self._timers.late, now):
            self._timers.late = None
            if self.state is State.OPERATIONAL and self._held is None:
                self._effects.append(TokenLate(self.timing.token * self.timing.warning))
        if _due(self._timers.token, now):
            self.token_losses += 1
            lost = f"{self.state.value}_token_lost"
            setattr(self.counters, lost, getattr(self.counters, lost) + 1)
            self._enter_gather(now, f"no token for {self.timing.token:g} s")
        if _due(self._timers.consensus, now):
            self.counters.consensus_timeouts += 1
            silent = self._gathering.give_up_silent()
            self._enter_gather(now, f"no agreement from {sorted(silent)} within {self.timing.consensus:g} s")
        if _due(self._timers.join, now):
            self._send_join(now)
        if _due(self._timers.resend, now) and self._resend:
            target, data = self._resend
            self._effects.append(Transmit((target,), data))
            self._timers.resend = now + self.timing.retransmit
        if _due(self._timers.hold, now):
            self._release_held(now)
        if _due(self._timers.merge, now):
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
                self.counters.token_hold_cancel_tx += 1
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
                self._timers.merge = now  # perhaps somebody is outside now who was not there before
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

    # -- RECOVERY

    def _enter_recovery(self, commit: Commit) -> None:
        self._recovery = Recovery(commit, self.me, self.ring, self.limits)
        self._change_state(State.RECOVERY, f"ring {commit.ring} is committed")

    def _begin_recovery(self, now: float, recovery: Recovery) -> None:
        self._on_token(now, recovery.ring.first_token())

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
        self._timers.join = None
        self._timers.consensus = None
        self._change_state(State.OPERATIONAL, f"ring {ring.ring_id}: {list(ring.members)}")
        self._effects.append(RingFormed(ring.ring_id, ring.members, survivors))
        self._deliver(ring.deliverable())
        self._timers.merge = now + self.timing.merge

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
        self._timers.resend = None
        self._timers.token = now + self.timing.token
        if self._recovery is not None:
            self._recover_with(now, self._recovery, token)
            return
        quiet = token.sequence == ring.highest == ring.safe and not token.missing and not self._source.backlog()
        self._idle = self._idle + 1 if quiet else 0
        ring.turn = token.turn
        if self._idle > self.timing.idle_turns:
            # The leader holds the token: whoever dies meanwhile gets the whole margin from then on.
            self._timers.token += self.timing.hold
        if self.timing.warning:
            self._timers.late = self._timers.token - self.timing.token * (1 - self.timing.warning)
        if self._idle > self._quick_turns and ring.ring_id.leader == self.me:
            self._held = token
            self._timers.hold = now + (self.timing.hold if self._idle > self.timing.idle_turns else PAUSE_S)
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
        self.counters.mcast_tx += visit.created
        self.counters.mcast_retx += len(visit.messages) - visit.created
        self._send_with_token(now, ring, token, [encode_message(message) for message in visit.messages])
        self._deliver(ring.deliverable())
        if ring.safe > safe:
            self._effects.append(PacketsSafe(ring.safe))

    def _send_with_token(self, now: float, ring: Ring, token: Token, packets: list[bytes]) -> None:
        """Send messages and pass the token on; a small last message goes with it.

        Everybody waits for the next member's turn, so that gets its datagram before the others get theirs.
        """
        escort = packets.pop() if packets and len(packets[-1]) <= _LARGEST_ESCORT else b""
        others = self._others(ring) if packets or escort else ()
        self._effects += [Transmit(others, data) for data in packets]
        self._pass_token(now, ring, token, escort)
        if escort and len(others) > 1:
            self._effects.append(Transmit(tuple(node for node in others if node != ring.next_member), escort))

    def _pass_token(self, now: float, ring: Ring, token: Token, escort: bytes = b"") -> None:
        self._resend_above = token.sequence
        self.counters.orf_token_tx += 1
        data = encode_token(token)
        self._send_and_repeat(now, ring.next_member, join_escorted(escort, data) if escort else data)

    def _release_held(self, now: float) -> None:
        token, ring = self._held, self.ring
        self._held = None
        self._timers.hold = None
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
            self._timers.resend = None
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

    def _others(self, ring: Ring) -> tuple[int, ...]:
        return tuple(node for node in ring.members if node != self.me)


def _due(deadline: float | None, now: float) -> bool:
    return deadline is not None and deadline <= now
