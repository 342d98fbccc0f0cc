"""A cluster of messaging engines on virtual time and a scripted network, and what must always hold.

Nothing here sleeps or opens a socket. Everything random comes from one seeded generator, so a seed
that fails can be replayed.
"""

import heapq
import random
from collections.abc import Callable

from hatools.messaging.corosync.conf import Configuration, read_configuration
from hatools.messaging.corosync.crypto import Envelope, Keys
from hatools.messaging.corosync.engine import (
    EXPECTED_VOTES,
    RING_SEQUENCE,
    AskArbiter,
    CorosyncEngine,
    Identity,
    ReadConfiguration,
    TellArbiter,
)
from hatools.messaging.corosync.totem.effects import SEQUENCE_RESERVE
from hatools.messaging.views import (
    CutOff,
    Datagram,
    Departed,
    DirectMessage,
    Effect,
    Expelled,
    ForStyle,
    GroupMembersChanged,
    GroupMessage,
    Keep,
    Remark,
    SafeUpTo,
    View,
    ViewInstalled,
)
from hatools.values.records import dataclass, field

GROUP = "app"
SECRET = bytes(range(256))


def configuration(count: int, *, token_ms: int = 1000, quorum: str = "", totem: str = "") -> Configuration:
    """Return a corosync.conf for a number of nodes."""
    nodes = "".join(
        f"node {{\n nodeid: {number}\n name: n{number}\n ring0_addr: 10.0.0.{number}\n}}\n"
        for number in range(1, count + 1)
    )
    return read_configuration(
        f"totem {{\n version: 2\n cluster_name: sim\n token: {token_ms}\n{totem}}}\nnodelist {{\n{nodes}}}\n"
        f"quorum {{\n provider: corosync_votequorum\n{quorum}}}\n"
    )


@dataclass(slots=True)
class Chapter:
    """What one node did in one view. ``complete`` once a later view was installed."""

    view: View
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    safe: int = 0
    complete: bool = False
    successor: View | None = None


@dataclass(slots=True)
class Life:
    """One incarnation of a node, as its clients saw it."""

    node: int
    chapters: list[Chapter] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    direct: list[tuple[int, bytes]] = field(default_factory=list)
    members: tuple[int, ...] = ()
    verdicts: list[tuple[float, View]] = field(default_factory=list)
    """When which view, or another verdict on it, was installed."""
    ended: bool = False
    ended_at: float = float("inf")

    @property
    def view(self) -> View | None:
        return self.chapters[-1].view if self.chapters else None

    def delivered(self) -> list[tuple[int, bytes]]:
        return [message for chapter in self.chapters for message in chapter.messages]


@dataclass(slots=True)
class Node:
    """A machine: what survives a crash, and the engine while it runs."""

    id: int
    engine: CorosyncEngine | None = None
    life: Life | None = None
    epoch: int = 0
    epochs: int = 0
    """How often it was started."""
    clock: float = 1e9
    """What its wall clock is ahead of virtual time; steps change it."""
    ring_sequence: int = 0
    expected_votes: int = 0
    paused_until: float = 0.0
    due: float | None = None


LEAST_DELAY_S = 1e-5
"""No datagram arrives at the instant it was sent: time that stands still keeps two nodes from ever growing tired of
answering each other (seed 2687 once did so for ever), which no machine can do."""


@dataclass(slots=True)
class Weather:
    """What the network does to a datagram."""

    loss: float = 0.0
    duplication: float = 0.0
    delay: tuple[float, float] = (0.0001, 0.0005)


class Network:
    """All nodes, the clock, and the datagrams on their way."""

    def __init__(self, count: int, seed: int, *, conf: Configuration | None = None) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.configuration = conf or configuration(count)
        self.own_configurations: dict[int, Configuration] = {}
        """Of nodes that have another one."""
        self.nodes = {number: Node(number) for number in range(1, count + 1)}
        self.fair = Weather()
        """What the network is like when nothing disturbs it."""
        self.weather = self.fair
        self.blocked: set[tuple[int, int]] = set()
        """(from, to) pairs between which nothing passes."""
        self.lives: list[Life] = []
        self.remarks: list[tuple[float, int, str]] = []
        self.datagrams = 0
        self.two_quorate_partitions_allowed = False
        self.arbiter: Callable[[tuple[int, ...]], bool] | None = None
        """What the quorum device says about a ring's members; None: it does not answer."""
        self.arbiter_delay = 0.05
        self._recorded: list[bytes] = []
        """What an attacker has seen so far."""
        self._dice = random.Random(f"attack {seed}")
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self._messages = 0
        self.addressed: dict[tuple[int, bytes], int] = {}
        """The targets of direct messages, by sender and content."""

    # -- what a test does

    def start(self, number: int) -> None:
        """Start a node, or start it again after a crash."""
        node = self.nodes[number]
        node.epoch = max(node.epoch + 1, int(self.now + node.clock))
        node.epochs += 1
        first = node.ring_sequence
        node.ring_sequence += SEQUENCE_RESERVE
        identity = Identity(
            number, node.epoch, first, node.ring_sequence, 1500, (SECRET,), self.random.randbytes, node.expected_votes
        )
        node.engine = CorosyncEngine(self.own_configurations.get(number, self.configuration), identity)
        node.life = Life(number)
        node.due = None
        node.paused_until = 0.0
        self.lives.append(node.life)
        self._perform(node, node.engine.start(self.now))
        self._perform(node, node.engine.join_group(self.now, GROUP))

    def reload(self, number: int, conf: Configuration) -> None:
        """Put another corosync.conf on every node and have the cluster reload it, asked for at one node."""
        self.configuration = conf
        node = self.nodes[number]
        assert node.engine is not None
        self._perform(node, node.engine.reload(self.now))

    def reload_somewhere(self) -> None:
        """Have the cluster reload its unchanged configuration, asked for at the first node that runs."""
        for number, node in self.nodes.items():
            if node.engine is not None and node.paused_until <= self.now:
                self.reload(number, self.configuration)
                return

    def attack(self, number: int, count: int) -> None:
        """Somebody without the key sends a node what was recorded, what was recorded and changed, and garbage."""
        dice = self._dice
        foreign = Keys(SECRET[::-1], "sim", self.configuration.protection, dice.randbytes)
        stranger = Envelope(dice.choice(list(self.nodes)), (foreign,), 2**40, frozenset(), dice.randbytes)
        for _ in range(count):
            data = dice.choice(self._recorded) if self._recorded else b""
            match dice.randrange(4):
                case 1 if data:
                    place = dice.randrange(len(data))
                    data = data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
                case 2:
                    data = data[: dice.randrange(len(data) + 1)] + dice.randbytes(dice.choice((0, 3, 2000)))
                case 3:
                    data = stranger.seal(dice.randbytes(60))
            self.at(self.now + dice.uniform(0, 0.5), lambda data=data: self._arrive(number, number, data))

    def start_all(self) -> None:
        for number in self.nodes:
            self.start(number)

    def crash(self, number: int) -> None:
        """The node is gone at once."""
        node = self.nodes[number]
        if node.life is not None:
            node.life.ended = True
            node.life.ended_at = self.now
        node.engine = None
        node.life = None

    def leave(self, number: int) -> None:
        """The node says goodbye and stops."""
        node = self.nodes[number]
        if node.engine is not None:
            self._perform(node, node.engine.depart(self.now))

    def pause(self, number: int, seconds: float) -> None:
        """The node does nothing for a while; datagrams wait in its socket."""
        node = self.nodes[number]
        node.paused_until = self.now + seconds
        if seconds > self.configuration.timing.token and node.engine is not None and len(node.engine.totem.members) > 1:
            self.at(node.paused_until, lambda: self.crash(number))  # the daemon ends itself

    def partition(self, *sides: set[int]) -> None:
        """Cut all traffic between nodes of different sides."""
        side_of = {number: index for index, side in enumerate(sides) for number in side}
        self.blocked = {
            (one, other) for one in self.nodes for other in self.nodes if side_of.get(one) != side_of.get(other)
        }

    def heal(self) -> None:
        self.blocked.clear()
        self.weather = self.fair

    def send(self, number: int, size: int = 40) -> None:
        """Let a client of the node broadcast a message."""
        node = self.nodes[number]
        if node.engine is None or node.life is None:
            return
        self._messages += 1
        payload = f"{number}:{self._messages}:".encode().ljust(size, b".")
        node.life.sent.append(payload)
        self._perform(node, node.engine.broadcast(self.now, GROUP, (payload,), self._messages))

    def send_direct(self, number: int, target: int, payload: bytes) -> None:
        node = self.nodes[number]
        if node.engine is not None:
            self.addressed[number, payload] = target
            self._perform(node, node.engine.send_to(self.now, GROUP, target, (payload,)))

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Have something happen later."""
        self._serial += 1
        heapq.heappush(self._queue, (time, self._serial, action))

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            time, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, time)
            action()
        self.now = end

    def run_until(self, condition: Callable[[], bool], seconds: float) -> float:
        """Let time pass until the condition holds; return how long it took."""
        begin = self.now
        while not condition():
            assert self.now - begin < seconds, f"did not hold within {seconds} s: {self.describe()}"
            self.run(0.01)
        return self.now - begin

    def is_settled(self) -> bool:
        """Say whether all running nodes share one view of exactly the running nodes."""
        running = [node for node in self.nodes.values() if node.engine is not None]
        views = {node.life.view.ring_id for node in self.nodes.values() if node.life and node.life.view}
        return len(views) == 1 and all(
            node.life is not None
            and node.life.view is not None
            and set(node.life.view.member_ids) == {each.id for each in running}
            and node.engine is not None
            and node.engine.groups.is_synchronised
            for node in running
        )

    def describe(self) -> str:
        parts = []
        for number, node in self.nodes.items():
            if node.engine is not None and node.life is not None:
                parts.append(f"{number}: {node.engine.totem.state} {node.life.view}")
        return "; ".join(parts) + "\n" + "\n".join(f"{t:.4f} {n} {text}" for t, n, text in self.remarks[-40:])

    # -- the machinery

    def _perform(self, node: Node, effects: list[Effect]) -> None:
        life = node.life
        assert life is not None
        for effect in effects:
            match effect:
                case Datagram(targets, data):
                    for target in targets:
                        self._transmit(node.id, target, data)
                case ViewInstalled(view) if life.view is not None and life.view.ring_id == view.ring_id:
                    life.chapters[-1].view = view  # the same members with another verdict; the count goes on
                    life.verdicts.append((self.now, view))
                case ViewInstalled(view):
                    life.verdicts.append((self.now, view))
                    if life.chapters:
                        life.chapters[-1].complete = True
                        life.chapters[-1].successor = view
                    life.chapters.append(Chapter(view))
                case GroupMessage():
                    chapter = life.chapters[-1]
                    chapter.messages.append((effect.sender, b"".join((*effect.before, effect.payload))))
                    assert effect.sequence == len(chapter.messages)
                case SafeUpTo(sequence):
                    chapter = life.chapters[-1]
                    assert chapter.safe < sequence <= len(chapter.messages)
                    chapter.safe = sequence
                case GroupMembersChanged():
                    life.members = effect.members
                case DirectMessage():
                    life.direct.append((effect.sender, effect.payload))
                case Keep(name, value) if name == RING_SEQUENCE:
                    node.ring_sequence = value
                case Keep(name, value):
                    assert name == EXPECTED_VOTES and value > node.expected_votes
                    node.expected_votes = value
                case Remark():
                    self.remarks.append((self.now, node.id, effect.text))
                case ForStyle(ReadConfiguration()):
                    self.at(self.now, lambda: self._read_again(node, life))
                case ForStyle(AskArbiter() as question):
                    if self.arbiter is not None:
                        self.at(self.now + self.arbiter_delay, lambda: self._arbiter_answers(node, life, question))
                case ForStyle(TellArbiter()):
                    pass
                case ForStyle() | CutOff():
                    raise AssertionError(f"unexpected {effect}")
                case Expelled(reason):
                    self.remarks.append((self.now, node.id, reason))
                    self.crash(node.id)
                    return
                case Departed():
                    if node.engine is not None:
                        farewell = node.engine.leave(self.now)
                        self._perform(node, farewell)
                        self.crash(node.id)
                        return
        self._arm(node)

    def _transmit(self, source: int, target: int, data: bytes) -> None:
        self.datagrams += 1
        if len(self._recorded) < 500 or self.datagrams % 50 == 0:
            self._recorded.append(data)
        if (source, target) in self.blocked:
            return
        weather = self.weather
        copies = 2 if self.random.random() < weather.duplication else 1
        for _ in range(copies):
            if self.random.random() >= weather.loss:
                delay = max(LEAST_DELAY_S, self.random.uniform(*weather.delay))
                self.at(self.now + delay, lambda: self._arrive(source, target, data))

    def _arrive(self, source: int, target: int, data: bytes) -> None:
        node = self.nodes[target]
        if node.engine is None or (source, target) in self.blocked:
            return
        if node.paused_until > self.now:
            self.at(node.paused_until, lambda: self._arrive(source, target, data))
            return
        self._perform(node, node.engine.receive(self.now, data, f"10.0.0.{source}"))

    def _arbiter_answers(self, node: Node, life: Life, question: AskArbiter) -> None:
        if node.engine is not None and node.life is life and self.arbiter is not None:
            vote = self.arbiter(question.members)
            self._perform(node, node.engine.device_answered(self.now, question.ring_id, vote))

    def _read_again(self, node: Node, life: Life) -> None:
        if node.engine is not None and node.life is life:
            wanted = self.own_configurations.get(node.id, self.configuration)
            self._perform(node, node.engine.reconfigure(self.now, wanted))

    def _arm(self, node: Node) -> None:
        if node.engine is None:
            return
        deadline = node.engine.deadline
        if deadline is not None and (node.due is None or deadline < node.due):
            node.due = max(deadline, self.now)
            life = node.life
            self.at(node.due, lambda: self._expire(node, life))

    def _expire(self, node: Node, life: Life | None) -> None:
        if node.engine is None or node.life is not life:
            return
        if node.paused_until > self.now:
            self.at(node.paused_until, lambda: self._expire(node, life))
            return
        if node.due is not None and node.due <= self.now:
            node.due = None
        deadline = node.engine.deadline
        if deadline is not None and deadline <= self.now:
            self._perform(node, node.engine.expire(self.now))
        else:
            self._arm(node)


# -- what must always hold


def check(network: Network) -> None:
    """Assert every promise of ``views.py`` on what the clients of all lives saw."""
    _check_ring_ids(network.lives)
    _check_order(network.lives)
    _check_virtual_synchrony(network.lives)
    _check_senders(network.lives)
    _check_safety(network.lives)
    _check_genuine(network.lives)
    _check_direct(network)
    if not network.two_quorate_partitions_allowed:
        _check_quorum(network.lives)


def check_complete(network: Network) -> None:
    """Assert that every message of a life that goes on was delivered to its sender, once."""
    for node in network.nodes.values():
        if node.life is not None:
            own = [payload for sender, payload in node.life.delivered() if sender == node.id]
            assert own == node.life.sent, f"node {node.id} did not get its own messages"


def _check_ring_ids(lives: list[Life]) -> None:
    members: dict[object, object] = {}
    newest: dict[int, object] = {}
    for life in lives:
        for chapter in life.chapters:
            view = chapter.view
            assert members.setdefault(view.ring_id, view.members) == view.members, "one ring id, two memberships"
            assert life.node in view.member_ids
            previous = newest.get(life.node)
            assert previous is None or view.ring_id >= previous, "a ring id went back"  # type: ignore[operator]
            newest[life.node] = view.ring_id


def _check_order(lives: list[Life]) -> None:
    by_ring: dict[object, list[list[tuple[int, bytes]]]] = {}
    for life in lives:
        seen: set[bytes] = set()
        for chapter in life.chapters:
            by_ring.setdefault(chapter.view.ring_id, []).append(chapter.messages)
            for _, payload in chapter.messages:
                assert payload not in seen, "delivered twice"
                seen.add(payload)
    for logs in by_ring.values():
        longest = max(logs, key=len)
        place = {payload: index for index, (_, payload) in enumerate(longest)}
        for log in logs:
            places = [place[payload] for _, payload in log if payload in place]
            assert places == sorted(places), "two members saw different orders"


def _check_virtual_synchrony(lives: list[Life]) -> None:
    chapters: dict[tuple[object, int], list[Chapter]] = {}
    for life in lives:
        for chapter in life.chapters:
            chapters.setdefault((chapter.view.ring_id, life.node), []).append(chapter)
    for (ring, node), own in chapters.items():
        for chapter in own:
            if chapter.successor is None or chapter.successor.ring_id == ring:
                continue
            after = chapter.successor
            stayed = (chapter.view.member_ids & after.member_ids) - set(after.arrived) - set(after.lost)
            for peer in stayed:
                others = [other for other in chapters.get((ring, peer), []) if other.successor is not None]
                for other in others:
                    if other.successor is None or other.successor.ring_id != after.ring_id:
                        continue
                    theirs = other.successor
                    assert node not in theirs.arrived, f"{peer} stayed for {node}, but not the other way round"
                    assert chapter.messages == other.messages, f"{node} and {peer} went on together from {ring}"


def _check_senders(lives: list[Life]) -> None:
    for life in lives:
        for chapter in life.chapters:
            for sender, _ in chapter.messages:
                assert sender in chapter.view.member_ids, "a message from outside the view"


def _check_genuine(lives: list[Life]) -> None:
    sent = {(life.node, payload) for life in lives for payload in life.sent}
    for life in lives:
        for message in life.delivered():
            assert message in sent, f"node {life.node} was given what nobody sent: {message!r}"


def _check_direct(network: Network) -> None:
    for life in network.lives:
        for message in life.direct:
            assert network.addressed.get(message) == life.node, f"{message!r} was not meant for {life.node}"
        assert len(set(life.direct)) == len(life.direct), "a direct message was delivered twice"


def _check_quorum(lives: list[Life]) -> None:
    """At no time two quorate partitions: views without a common member that hold at the same time."""
    rings: dict[object, tuple[frozenset[int], float, float]] = {}
    for life in lives:
        ends = [*(time for time, _ in life.verdicts[1:]), life.ended_at]
        for (since, view), until in zip(life.verdicts, ends, strict=True):
            if view.quorate:
                _, first, last = rings.get(view.ring_id, (view.member_ids, since, until))
                rings[view.ring_id] = (view.member_ids, min(since, first), max(until, last))
    listed = sorted(rings.items(), key=lambda item: item[1][1])
    for index, (ring, (members, _, until)) in enumerate(listed):
        for other, (others, since, _) in listed[index + 1 :]:
            if since >= until:
                break
            assert members & others, f"two quorate partitions: {ring} {set(members)} and {other} {set(others)}"


def _check_safety(lives: list[Life]) -> None:
    newest: dict[object, list[tuple[int, bytes]]] = {}
    for life in lives:
        for chapter in life.chapters:
            safe = chapter.messages[: chapter.safe]
            if len(safe) > len(newest.get(chapter.view.ring_id, [])):
                newest[chapter.view.ring_id] = safe
    for life in lives:
        for chapter in life.chapters:
            if chapter.complete and chapter.view.ring_id in newest:
                safe = newest[chapter.view.ring_id]
                assert chapter.messages[: len(safe)] == safe, f"node {life.node} lacks what was called safe"
