"""A Corosync without a network, for the engines of the external style: rings, one process group, one total order.

What the real one does with messages that were sent and not yet ordered when the group changes is done here, too:
they are delivered behind the change, to the members of the ring that their sender is in by then.
"""

import random
from dataclasses import dataclass, field

from hatools.messaging.admission import PROTOCOL
from hatools.messaging.external.engine import ExternalEngine
from hatools.messaging.external.events import (
    Event,
    MembersChanged,
    Message,
    Process,
    QuorumChanged,
    Reason,
    RingChanged,
)
from hatools.messaging.views import (
    CutOff,
    Datagram,
    Effect,
    Expelled,
    GroupMembersChanged,
    GroupMessage,
    Keep,
    NodeIdentity,
    Remark,
    RingId,
    SafeUpTo,
    ViewInstalled,
)

Seen = Effect


@dataclass
class Node:
    """One node: its Corosync, and the engine that uses it."""

    number: int
    pid: int = 0
    engine: ExternalEngine | None = None
    ring: RingId = field(default_factory=lambda: RingId(0, 0))
    ring_nodes: frozenset[int] = frozenset()
    members: tuple[Process, ...] = ()
    queue: list[bytes] = field(default_factory=list)
    """Sent and not yet ordered."""
    late_quorum: list[QuorumChanged] = field(default_factory=list)
    """On its way to the engine, over a connection of its own."""
    seen: list[Seen] = field(default_factory=list)
    stored: int = 0

    @property
    def process(self) -> Process:
        return Process(self.number, self.pid)


class FakeCorosync:
    """All nodes of a cluster; ``order()`` and ``tell_quorum()`` make time pass."""

    def __init__(self, count: int, *, quorum: int = 0) -> None:
        self.nodes = {number: Node(number) for number in range(1, count + 1)}
        self.quorum = quorum or count // 2 + 1
        self.now = 0.0
        self._sequence = 4
        self._pid = 100
        self.hurry = True
        """Whether the quorum is told together with the ring."""
        for number in self.nodes:
            self.form(number)

    def form(self, *numbers: int) -> None:
        """Make one ring of these nodes; their earlier companions see them go."""
        self._sequence += 4
        ring, nodes = RingId(self._sequence, min(numbers)), frozenset(numbers)
        before = {number: self.nodes[number].ring_nodes for number in numbers}
        for number in sorted(numbers):
            self.nodes[number].ring, self.nodes[number].ring_nodes = ring, nodes
        members = tuple(self.nodes[n].process for n in sorted(numbers) if self.nodes[n].engine is not None)
        for number in sorted(numbers):
            node = self.nodes[number]
            companions = nodes & before[number] if before[number] else frozenset({number})
            # Who came with us is known by being in our last ring and in the same last ring as we.
            together = {n for n in companions if before[n] == before[number]}
            self._change(node, members, together, Reason.NODEDOWN)
            self._feed(node, RingChanged(ring, nodes))
            self._quorum(node, QuorumChanged(ring, len(nodes) >= self.quorum, nodes))

    def _change(self, node: Node, members: tuple[Process, ...], together: set[int], reason: Reason) -> None:
        left = tuple((old, reason) for old in node.members if old not in members or old.node not in together)
        gone = {process for process, _ in left}
        kept = tuple(old for old in node.members if old not in gone)
        joined = tuple(process for process in members if process not in kept)
        node.members = members
        if node.engine is None:
            return
        if left:
            self._feed(node, MembersChanged(kept, left, ()))
        if joined:
            self._feed(node, MembersChanged(members, (), joined))

    def _quorum(self, node: Node, change: QuorumChanged) -> None:
        node.late_quorum.append(change)
        if self.hurry:
            self.tell_quorum(node.number)

    def tell_quorum(self, number: int) -> None:
        """Let the quorum's news arrive at a node."""
        node = self.nodes[number]
        while node.late_quorum:
            self._feed(node, node.late_quorum.pop(0))

    def start(self, *numbers: int, protocol: int = PROTOCOL) -> None:
        """Start messaging on nodes: it joins the group."""
        for number in numbers:
            node = self.nodes[number]
            self._pid += 1
            node.pid = self._pid
            node.engine = ExternalEngine(
                NodeIdentity(number, f"n{number}"), node.process, node.stored, protocol=protocol
            )
            self._perform(node, node.engine.start(self.now))
            quorate = len(node.ring_nodes) >= self.quorum
            node.members = ()
            self._regroup(number)
            self._feed(node, RingChanged(node.ring, node.ring_nodes))
            self._quorum(node, QuorumChanged(node.ring, quorate, node.ring_nodes))

    def kill(self, number: int, *, reason: Reason = Reason.PROCDOWN) -> None:
        """End the messaging daemon of a node: Corosync there goes on."""
        node = self.nodes[number]
        node.engine = None
        node.queue.clear()
        node.members = ()
        self._regroup(number, reason)

    def _regroup(self, number: int, reason: Reason = Reason.PROCDOWN) -> None:
        """A process of the node's ring came or went."""
        ring = sorted(self.nodes[number].ring_nodes)
        members = tuple(self.nodes[n].process for n in ring if self.nodes[n].engine is not None)
        for other in ring:
            self._change(self.nodes[other], members, set(ring), reason)

    def order(self, chooser: random.Random | None = None, limit: int = 100_000) -> bool:
        """Put what was sent into the order of each ring, message by message, until nobody says anything more."""
        progress = False
        for _ in range(limit):
            ready = [number for number, node in self.nodes.items() if node.queue and node.engine is not None]
            if not ready:
                return progress
            progress = True
            number = chooser.choice(ready) if chooser else ready[0]
            sender = self.nodes[number]
            data = sender.queue.pop(0)
            for other in sorted(sender.ring_nodes):
                if self.nodes[other].engine is not None:
                    self._feed(self.nodes[other], Message(sender.process, data))
        raise AssertionError("they never stop talking")

    def settle(self, chooser: random.Random | None = None) -> None:
        """Let everything arrive and time pass until nothing happens any more."""
        for number in self.nodes:
            self.tell_quorum(number)
        for _ in range(200):
            progress = self.order(chooser)
            self.now += 0.01
            for node in self.nodes.values():
                if node.engine is not None and node.engine.deadline is not None and node.engine.deadline <= self.now:
                    self._perform(node, node.engine.expire(self.now))
            if not progress and not any(node.queue for node in self.nodes.values()):
                return
        raise AssertionError("they never come to rest")

    def _feed(self, node: Node, event: Event) -> None:
        if node.engine is not None:
            self._perform(node, node.engine.take(self.now, [event]))

    def perform(self, number: int, effects: list[Effect]) -> None:
        """Do what a call of the test made an engine ask for."""
        self._perform(self.nodes[number], effects)

    def _perform(self, node: Node, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Datagram(_, data):
                    node.queue.append(data)
                case Keep(_, value):
                    assert value > node.stored
                    node.stored = value
                case Remark():
                    continue
                case Expelled() | CutOff():
                    node.seen.append(effect)
                    self.kill(node.number, reason=Reason.LEAVE)
                    return
                case ViewInstalled(view):
                    assert view.ring_id.sequence <= node.stored, "a view's number is used before it is kept"
                    node.seen.append(effect)
                case _:
                    node.seen.append(effect)

    # -- what the test looks at

    def of(self, number: int) -> ExternalEngine:
        engine = self.nodes[number].engine
        assert engine is not None
        return engine

    def take(self, number: int) -> list[Seen]:
        """Return what a node has been told since the last call."""
        seen, self.nodes[number].seen = self.nodes[number].seen, []
        return seen

    def members(self, number: int) -> list[int]:
        view = self.of(number).view
        return sorted(view.member_ids) if view else []

    def say(self, number: int, text: bytes, *, group: str = "talk", tag: int = 0) -> None:
        self.perform(number, self.of(number).broadcast(self.now, group, (text,), tag))


__all__ = ["FakeCorosync", "GroupMembersChanged", "GroupMessage", "SafeUpTo"]
