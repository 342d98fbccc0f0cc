"""How attribute daemons agree, whatever happens in which order: rings of simulated daemons around one real order.

The order is made as ``messaging/groups.py`` makes it: what a member sends waits until its ring delivers it, also over a
change of the view; those who go together from one view to the next have delivered the same.
"""

import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from hatools.daemons.attrd.attributes import Attributes
from hatools.daemons.attrd.peers import Peers
from hatools.ipc.messages.attrd import PeerArrival, PeerDump, PeerPlace, PeerRemoval, UpdateAttribute

Message = PeerArrival | PeerPlace | PeerDump | PeerRemoval | UpdateAttribute


@dataclass
class Daemon:
    """One node's attrd, and what its messaging daemon holds for it."""

    id: int
    births: int = 0
    in_group: bool = False
    outbox: deque[Message] = field(default_factory=deque)
    attributes: Attributes = field(default_factory=Attributes)
    peers: Peers | None = None

    def start(self) -> None:
        self.births += 1
        self.attributes = Attributes()
        self.peers = Peers(self.id, f"n{self.id}", self.attributes, f"{self.id}/{self.births}")

    def view(self, ring: frozenset[int], departed: tuple[int, ...] = ()) -> None:
        if self.peers is not None:
            for name in self.peers.view({node: f"n{node}" for node in ring}, departed):
                self.peers.removed(name)
                self.attributes.remove_node(name)

    def deliver(self, sender: int, message: Message) -> None:
        if self.peers is None or not self.in_group:
            return
        match message:
            case UpdateAttribute():
                self.peers.updated(message)
                self.attributes.apply(message)
            case PeerRemoval(node):
                self.peers.removed(node)
                self.attributes.remove_node(node)
            case PeerArrival():
                self.outbox.extend(self.peers.arrived(sender))
            case PeerPlace(place):
                self.outbox.extend(self.peers.placed(place))
            case PeerDump():
                self.peers.dumped(message)


class Cluster:
    """Nodes 1..n, each in a ring of its own at first and without an attrd."""

    def __init__(self, count: int = 3) -> None:
        self.daemons = {node: Daemon(node) for node in range(1, count + 1)}
        self.rings = [frozenset({node}) for node in self.daemons]

    def ring_of(self, node: int) -> frozenset[int]:
        return next(ring for ring in self.rings if node in ring)

    def group_of(self, ring: frozenset[int]) -> frozenset[int]:
        return frozenset(node for node in ring if self.daemons[node].in_group)

    def regroup(self, ring: frozenset[int], arrived: dict[int, frozenset[int]]) -> None:
        """Tell the members of a ring who is in the group; ``arrived`` by whose eyes."""
        group = self.group_of(ring)
        for node in sorted(group):
            daemon = self.daemons[node]
            if daemon.peers is not None:
                daemon.outbox.extend(daemon.peers.group(group, arrived[node] & group))

    def join(self, node: int, *, unseen: bool = False) -> None:
        """Start an attrd; ``unseen``: its predecessor is in the group up to now, and nobody sees the change."""
        daemon = self.daemons[node]
        ring = self.ring_of(node)
        daemon.start()
        daemon.view(ring)
        if unseen and daemon.in_group:
            assert daemon.peers is not None
            daemon.outbox.extend(daemon.peers.group(self.group_of(ring), frozenset()))
            return
        if daemon.in_group:
            daemon.in_group = False
            self.regroup(ring, dict.fromkeys(ring, frozenset()))
        daemon.in_group = True
        self.regroup(ring, dict.fromkeys(ring, frozenset({node})))

    def form(self, ring: frozenset[int]) -> None:
        """Let a new ring form of some nodes; those who are left behind form their own."""
        old = {node: self.ring_of(node) for node in self.daemons}
        touched = {node for member in ring for node in old[member]}
        rest = [left for found in self.rings if (left := found - ring) and found & touched]
        self.rings = [found for found in self.rings if not found & touched] + rest + [ring]
        for formed in [*rest, ring]:
            for node in sorted(formed):
                self.daemons[node].view(formed, tuple(old[node] - formed))
            self.regroup(formed, {node: formed - old[node] for node in formed})

    def deliver(self, node: int) -> None:
        """Deliver the next message of a node to its ring."""
        if not self.daemons[node].outbox:
            return
        message = self.daemons[node].outbox.popleft()
        for member in sorted(self.ring_of(node)):
            self.daemons[member].deliver(node, message)

    def settle(self) -> None:
        for _ in range(1000):
            waiting = [node for node, daemon in self.daemons.items() if daemon.outbox]
            if not waiting:
                return
            self.deliver(waiting[0])
        raise AssertionError("it never settles")

    def values(self, node: int) -> dict[tuple[str, str], str]:
        return {(found.name, found.node): found.value for found in self.daemons[node].attributes.query("", "")}

    def check(self) -> None:
        """Everybody holds the same, and one of them writes."""
        for ring in self.rings:
            group = self.group_of(ring)
            writers = [node for node in group if (peers := self.daemons[node].peers) is not None and peers.is_writer]
            assert writers == ([min(group)] if group else [])
            for node in group:
                assert self.values(node) == self.values(min(group))


def update(name: str, value: str | None, node: str) -> UpdateAttribute:
    return UpdateAttribute(name, value, node)


def together(count: int = 3) -> Cluster:
    cluster = Cluster(count)
    for node in cluster.daemons:
        cluster.join(node)
    cluster.form(frozenset(cluster.daemons))
    cluster.settle()
    return cluster


def test_who_arrives_behind_an_earlier_question_is_not_left_out():
    cluster = Cluster()
    cluster.form(frozenset({1, 2, 3}))
    cluster.join(2)
    cluster.join(3)
    cluster.deliver(2)
    cluster.join(1)
    cluster.settle()
    cluster.check()


def test_views_that_grow_while_states_are_under_way_lose_nothing():
    cluster = Cluster()
    for node in (1, 2, 3):
        cluster.join(node)
        cluster.daemons[node].outbox.append(update("a", str(node), f"n{node}"))
        cluster.settle()
    cluster.form(frozenset({1, 2}))
    cluster.deliver(1)
    cluster.form(frozenset({1, 2, 3}))
    cluster.settle()
    cluster.check()
    assert cluster.values(1) == {("a", f"n{node}"): str(node) for node in (1, 2, 3)}


@pytest.mark.parametrize("unseen", [False, True])
def test_a_newcomer_learns_what_the_others_know_even_of_itself_and_loses_no_count(unseen: bool):
    cluster = together(2)
    cluster.daemons[1].outbox += [update("a", "1", "n1"), update("b", "5", "n2")]
    cluster.settle()
    cluster.join(1, unseen=unseen)
    cluster.daemons[2].outbox.append(update("b", "value++", "n2"))
    cluster.deliver(2)
    cluster.settle()
    cluster.check()
    assert cluster.values(1) == {("a", "n1"): "1", ("b", "n2"): "6"}


def test_a_node_removed_while_states_are_under_way_stays_removed():
    cluster = together(3)
    cluster.daemons[1].outbox.append(update("a", "1", "remote"))
    cluster.settle()
    cluster.join(1)
    cluster.deliver(1)
    cluster.daemons[2].outbox.appendleft(PeerRemoval("remote"))
    cluster.settle()
    cluster.check()
    assert cluster.values(1) == {}


@pytest.mark.parametrize("batch", range(10))
def test_after_any_joins_splits_and_merges_there_is_one_writer_and_nothing_is_lost(batch: int):
    for seed in range(batch * 150, (batch + 1) * 150):
        luck = random.Random(seed)
        cluster = Cluster(luck.choice((2, 3, 3, 4)))
        nodes = list(cluster.daemons)
        for _ in range(luck.randrange(4, 40)):
            node = luck.choice(nodes)
            match luck.randrange(8):
                case 0:
                    cluster.join(node, unseen=luck.random() < 0.3)
                case 1:
                    cluster.form(frozenset(luck.sample(nodes, luck.randrange(1, len(nodes) + 1))))
                case 2 if cluster.daemons[node].in_group:
                    value = luck.choice(("value++", "7", None))
                    cluster.daemons[node].outbox.append(update(luck.choice("ab"), value, f"n{luck.choice(nodes)}"))
                case _:
                    cluster.deliver(node)
        for node in nodes:
            if not cluster.daemons[node].in_group:
                cluster.join(node)
        cluster.form(frozenset(nodes))
        for node in nodes:
            cluster.daemons[node].outbox.append(update("mine", str(node), f"n{node}"))
        cluster.settle()
        cluster.check()
        assert all(cluster.values(1)["mine", f"n{node}"] == str(node) for node in nodes), f"seed {seed}"


def test_when_the_writer_dies_the_next_one_writes_without_asking_anybody():
    cluster = together(3)
    cluster.form(frozenset({2, 3}))
    assert cluster.daemons[2].peers is not None
    assert cluster.daemons[2].peers.is_writer
    assert not cluster.daemons[2].outbox
