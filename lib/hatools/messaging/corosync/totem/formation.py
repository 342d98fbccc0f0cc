"""Who shall be in the next ring: GATHER and COMMIT at one node. Pure.

Everybody votes (joins), who agrees with whom is counted in :class:`Gathering`; the lowest node that all agree upon
sends a commit token around, in which each enters what it brings from its old ring. What a join or a merge means
depends on the state; each state has a method of its own.
"""

from abc import ABC, abstractmethod

from hatools.messaging.corosync.totem.counters import Counters
from hatools.messaging.corosync.totem.effects import (
    SEQUENCE_RESERVE,
    SEQUENCE_STEP,
    Effect,
    KeepSequence,
    State,
    StateChanged,
    Timing,
    Transmit,
)
from hatools.messaging.corosync.totem.membership import Gathering, Vote, fill_entry
from hatools.messaging.corosync.totem.packets import Commit, CommitEntry, Join, Merge, Token, encode
from hatools.messaging.corosync.totem.recovery import Recovery
from hatools.messaging.corosync.totem.ring import FlowLimits, Ring
from hatools.messaging.corosync.totem.timers import Timers
from hatools.messaging.views import NO_RING, RingId


class Formation(ABC):
    """The part of the protocol that finds out who forms a ring; what then happens in it is the subclass's."""

    def __init__(
        self, me: int, nodes: frozenset[int], timing: Timing, limits: FlowLimits, sequence: int, reserved: int
    ) -> None:
        self.me = me
        self.state = State.LEFT
        self.timing = timing
        self.limits = limits
        self.counters = Counters()
        self.ring: Ring | None = None
        """The last operational ring; still the old one during GATHER, COMMIT and RECOVERY."""
        self._peers = tuple(sorted(nodes - {me}))
        self._sequence = sequence
        self._stored = reserved
        self._gathering = Gathering(me, frozenset({me}))
        self._heard: dict[int, float] = {}
        self._heard_by: dict[int, float] = {}
        """When a node last said that it hears us."""
        self._told: frozenset[int] = frozenset()
        self._commit: Commit | None = None
        self._abandoned = 0
        """Sequence of the newest ring we committed to and then gave up: its token may still be on its way, and
        who took it again would chase the votes for the next ring for ever."""
        self._recovery: Recovery | None = None
        self._held: Token | None = None
        self._resend: tuple[int, bytes] | None = None
        self._timers = Timers()
        self._effects: list[Effect] = []

    @property
    def members(self) -> tuple[int, ...]:
        """Return the members of the last operational ring."""
        return self.ring.members if self.ring else ()

    # -- what the subclass does with the result

    @abstractmethod
    def _form_alone(self, now: float, ring_id: RingId) -> None:
        """Begin a ring of ourselves only."""

    @abstractmethod
    def _enter_recovery(self, commit: Commit) -> None:
        """All have filled their entries: recover the messages of the old rings."""

    @abstractmethod
    def _begin_recovery(self, now: float, recovery: Recovery) -> None:
        """The commit token is back at its leader: send the first token of the new ring."""

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
        self._timers.consensus = now + self.timing.consensus
        self._send_join(now)
        self._check_consensus(now)

    def _send_join(self, now: float) -> None:
        self._told = self.heard(now)
        gathering = self._gathering
        join = Join(gathering.candidates, gathering.failed, self._told, self._sequence, False, self.mutual(now))
        if self._peers:
            self._effects.append(Transmit(self._peers, encode(join)))
            self.counters.memb_join_tx += 1
        self._timers.join = now + self.timing.join

    def heard(self, now: float) -> frozenset[int]:
        """Return the nodes that we heard lately."""
        since = self._lately(now)
        return frozenset(node for node, time in self._heard.items() if time >= since)

    def mutual(self, now: float) -> frozenset[int]:
        """Return the nodes that we heard lately and that said that they hear us."""
        since = self._lately(now)
        return frozenset(node for node in self.heard(now) if self._heard_by.get(node, 0.0) >= since)

    def _lately(self, now: float) -> float:
        return now - max(5 * self.timing.merge, 4 * self.timing.join)

    def _on_join(self, now: float, sender: int, join: Join) -> None:
        if self.me in join.heard:
            self._heard_by[sender] = now
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
        if not is_member and not frozenset(ring.members) <= join.mutual:
            return  # with some of us it is not in touch both ways: a ring with it and them could not last
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
        self._timers.consensus = None
        self._timers.token = now + self.timing.token
        if proposed[0] == self.me:
            self._create_commit(now, proposed)

    def _on_merge(self, now: float, sender: int, merge: Merge) -> None:
        if self.me in merge.heard:
            self._heard_by[sender] = now
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
            theirs, ours = merge.members - {self.me}, frozenset(self.members) - {sender}
            if not (theirs <= self.mutual(now) and ours <= merge.mutual):
                return
            self._gathering = Gathering(self.me, frozenset(self.members))
        self._gathering.candidates |= {sender}
        self._enter_gather(now, f"node {sender} is in another ring")

    def _send_merge(self, now: float) -> None:
        if self.state is not State.OPERATIONAL or self.ring is None:
            self._timers.merge = None
            return
        outside = tuple(node for node in self._peers if node not in self.ring.members)
        if not outside:
            self._timers.merge = None
            return
        self._effects.append(Transmit(outside, self._own_merge(now)))
        self.counters.memb_merge_detect_tx += 1
        self._timers.merge = now + self.timing.merge

    def _own_merge(self, now: float) -> bytes:
        assert self.ring is not None
        members = frozenset(self.ring.members)
        return encode(Merge(self.ring.ring_id, self.heard(now), self.mutual(now), members))

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
            self._begin_recovery(now, self._recovery)

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
        self._timers.token = now + self.timing.token
        self._send_and_repeat(now, target, encode(self._commit))
        self.counters.memb_commit_token_tx += 1

    def _oldest_acceptable(self) -> int:
        """Return the sequence that a new ring must exceed."""
        return max(self.ring.ring_id.sequence if self.ring else 0, self._abandoned)

    def _use_sequence(self, sequence: int) -> None:
        self._sequence = max(self._sequence, sequence)
        if sequence > self._stored:
            self._stored = sequence + SEQUENCE_RESERVE
            self._effects.append(KeepSequence(self._stored))

    # -- small things

    def _send_and_repeat(self, now: float, target: int, data: bytes) -> None:
        self._effects.append(Transmit((target,), data))
        self._resend = (target, data)
        self._timers.resend = now + self.timing.retransmit

    def _stop_timers(self) -> None:
        self._timers.stop()
        self._resend = None

    def _change_state(self, new: State, cause: str) -> None:
        if self.state is not new or new is State.GATHER:
            self._effects.append(StateChanged(self.state, new, cause))
            name = f"{new.value}_entered"
            if new is not State.LEFT:
                setattr(self.counters, name, getattr(self.counters, name) + 1)
        self.state = new

    def _take(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects


def _continues(mine: Commit, commit: Commit) -> bool:
    """Say whether a commit token is a later turn of the one that we passed on."""
    is_same = commit.ring == mine.ring and commit.turn > mine.turn
    return is_same and [entry.node for entry in commit.entries] == [entry.node for entry in mine.entries]
