"""Nodes and their arbiter on a network that delivers at once: who gets the vote, and never two at a time."""

import random

import pytest

from hatools.messaging.corosync.votequorum import DeviceOptions
from hatools.messaging.qdevice.arbiter import Arbiter, BeginTls, Close, SendTo
from hatools.messaging.qdevice.device import Device, DeviceEffect, Hang, Send, Stage, StartTls, VoteGiven
from hatools.messaging.qdevice.messages import Tls
from hatools.messaging.views import RingId


class Site:
    """An arbiter, nodes with their connections, and what each node was told about the vote."""

    def __init__(self, count: int, arbiter: Arbiter | None = None, **options: object) -> None:
        self.arbiter = arbiter or Arbiter()
        self.now = 0.0
        settings = DeviceOptions(votes=1, host="q", **options)  # type: ignore[arg-type]
        nodes = frozenset(range(1, count + 1))
        self.devices = {node: Device(settings, "c", node, nodes, 0) for node in nodes}
        self.votes: dict[int, bool] = {}
        self.hung: dict[int, str] = {}
        self.linked: set[int] = set()
        self._rings = 0

    def connect(self, *nodes: int) -> None:
        for node in nodes:
            self.arbiter.connected(self.now, node, f"10.0.0.{node}:1")
            self.linked.add(node)
            self._node(node, self.devices[node].connected(self.now))

    def disconnect(self, node: int, *, noticed: bool = True) -> None:
        """Cut a node's connection; the arbiter learns of it only if it is noticed."""
        self.linked.discard(node)
        self._node(node, self.devices[node].lost())
        if noticed:
            self._arbiter(self.arbiter.lost(node))

    def partition(self, *sides: tuple[int, ...]) -> None:
        for side in sides:
            self._rings += 4
            ring = RingId(self._rings, min(side))
            for node in side:
                self.votes[node] = False  # it was for the old ring
                self._node(node, self.devices[node].ring_formed(ring, side))

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 0.25
            for node in sorted(self.linked):
                device = self.devices[node]
                if device.deadline is not None and device.deadline <= self.now:
                    self._node(node, device.expire(self.now))
            if self.arbiter.deadline is not None and self.arbiter.deadline <= self.now:
                self._arbiter(self.arbiter.expire(self.now))

    @property
    def holders(self) -> set[int]:
        return {node for node, vote in self.votes.items() if vote}

    def _node(self, node: int, effects: list[DeviceEffect]) -> None:
        for effect in effects:
            match effect:
                case Send(data) if node in self.linked:
                    self._arbiter(self.arbiter.received(self.now, node, data))
                case VoteGiven(_, vote):
                    self.votes[node] = vote
                    self._check()
                case Hang(reason):
                    self.hung[node] = reason
                    self.disconnect(node)
                case StartTls():
                    self._node(node, self.devices[node].tls_started(self.now))

    def _arbiter(self, effects: list[object]) -> None:
        for effect in effects:
            match effect:
                case SendTo(node, data) if node in self.linked:
                    self._node(node, self.devices[node].received(self.now, data))
                case Close(node, _) if node in self.linked:
                    self.linked.discard(node)
                    self._node(node, self.devices[node].lost())
                case BeginTls(node, _):
                    self.arbiter.tls_started(node)

    def _check(self) -> None:
        """Nodes that hold the vote now are in one ring."""
        rings = {self.devices[node]._ring for node in self.holders}
        assert len(rings) <= 1, f"two partitions hold the vote: {rings}"


def together(count: int, **options: object) -> Site:
    site = Site(count, **options)
    site.connect(*site.devices)
    site.partition(tuple(site.devices))
    assert site.holders == set(site.devices)
    return site


@pytest.mark.parametrize("algorithm", ["ffsplit", "lms"])
def test_nodes_that_are_together_have_the_vote(algorithm: str) -> None:
    together(4, algorithm=algorithm)


@pytest.mark.parametrize(
    ("tie_breaker", "winners"), [("lowest", {1, 2}), ("highest", {3, 4}), ("2", {1, 2}), ("3", {3, 4})]
)
@pytest.mark.parametrize("algorithm", ["ffsplit", "lms"])
def test_an_even_split_is_decided_by_the_tie_breaker(algorithm: str, tie_breaker: str, winners: set[int]) -> None:
    site = together(4, algorithm=algorithm, tie_breaker=tie_breaker)

    site.partition((1, 2), (3, 4))

    assert site.holders == winners


def test_the_half_with_more_connected_nodes_wins_before_the_tie_breaker() -> None:
    site = together(4)
    site.disconnect(1)

    site.partition((1, 2), (3, 4))

    assert site.holders == {3, 4}


def test_the_half_that_was_active_wins_before_the_tie_breaker_if_that_is_asked_for() -> None:
    site = together(2, keep_active=True)
    site.disconnect(1)
    site.partition((1,), (2,))
    assert site.holders == {2}
    site.connect(1)
    site.partition((1,))

    assert site.holders == {2}


@pytest.mark.parametrize(("algorithm", "winners"), [("ffsplit", {3, 4, 5}), ("lms", {3, 4, 5})])
def test_the_majority_of_an_odd_cluster_wins(algorithm: str, winners: set[int]) -> None:
    site = together(5, algorithm=algorithm)

    site.partition((1, 2), (3, 4, 5))

    assert site.holders == winners


def test_with_lms_a_single_node_may_be_left() -> None:
    site = together(3, algorithm="lms")
    for node in (1, 2):
        site.disconnect(node)

    site.partition((3,))

    assert site.holders == {3}


def test_with_lms_a_newcomer_does_not_take_the_vote_from_who_has_it() -> None:
    site = Site(3, algorithm="lms")
    site.connect(3)
    site.partition((3,))
    assert site.holders == {3}

    site.connect(1, 2)
    site.partition((1, 2))

    assert site.holders == {3}


def test_the_vote_goes_to_the_other_half_when_the_first_is_gone() -> None:
    site = together(2)
    site.partition((1,), (2,))
    assert site.holders == {1}

    site.disconnect(1)

    assert site.holders == {2}


def test_a_silent_node_drops_its_vote_before_the_arbiter_gives_it_away() -> None:
    site = together(2)
    site.partition((1,), (2,))
    site.linked.discard(1)  # the cable is cut: neither side is told
    device = site.devices[1]

    for _ in range(200):
        site.pass_time(0.25)
        if device.deadline is not None and device.deadline <= site.now:
            for effect in device.expire(site.now):
                if isinstance(effect, Hang):
                    site.votes[1] = False
                    device.lost()

    assert site.holders == {2}


def test_without_a_connection_the_answer_is_no_at_once() -> None:
    site = Site(2)

    site.partition((1, 2))

    assert site.votes == {1: False, 2: False}


def test_heartbeats_keep_idle_connections() -> None:
    site = together(2)

    site.pass_time(120)

    assert site.hung == {}
    assert site.holders == {1, 2}


def test_a_node_id_that_is_connected_already_is_refused() -> None:
    site = together(2)
    twin = Device(site.devices[1].options, "c", 1, frozenset({1, 2}), 0)
    site.devices[9] = twin
    site.connect(9)

    assert "duplicate node id" in site.hung[9]
    assert site.holders == {1, 2}


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"algorithm": "lms"}, "algorithm differs"), ({"tie_breaker": "highest"}, "tie breaker differs")],
)
def test_nodes_must_agree_on_how_to_decide(change: dict[str, str], reason: str) -> None:
    site = Site(2)
    site.connect(1)
    site.devices[2] = Device(DeviceOptions(votes=1, host="q", **change), "c", 2, frozenset({1, 2}), 0)  # type: ignore[arg-type]
    site.connect(2)

    assert reason in site.hung[2]


@pytest.mark.parametrize(
    ("tls", "offered", "reason"),
    [("required", Tls.UNSUPPORTED, "has no TLS"), ("off", Tls.REQUIRED, "requires TLS")],
)
def test_tls_that_one_side_insists_on_is_not_given_up(tls: str, offered: Tls, reason: str) -> None:
    site = Site(1, Arbiter(offered), tls=tls)

    site.connect(1)

    assert reason in site.hung[1]


def test_tls_is_used_if_both_can() -> None:
    site = Site(1, Arbiter(Tls.SUPPORTED), tls="on")

    site.connect(1)

    assert site.arbiter.sessions[1].is_secure
    assert site.devices[1].stage is Stage.READY


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("algorithm", ["ffsplit", "lms"])
def test_whatever_happens_one_partition_holds_the_vote_at_most(algorithm: str, seed: int) -> None:
    dice = random.Random(seed)
    count = dice.randint(2, 6)
    site = Site(count, algorithm=algorithm, tie_breaker=dice.choice(("lowest", "highest", "1")))
    for _ in range(40):
        node = dice.randint(1, count)
        match dice.randrange(4):
            case 0:
                if node not in site.linked:
                    site.connect(node)
            case 1:
                if node in site.linked:
                    site.disconnect(node)
            case 2:
                side = tuple(one for one in site.devices if dice.random() < 0.5)
                rest = tuple(one for one in site.devices if one not in side)
                site.partition(*(part for part in (side, rest) if part))
            case 3:
                site.pass_time(dice.choice((1.0, 20.0)))
    for node in site.devices:
        if node not in site.linked:
            site.connect(node)
    site.partition(tuple(site.devices))

    assert site.holders == set(site.devices)


@pytest.mark.parametrize("seed", range(50))
def test_garbage_ends_its_own_connection_only(seed: int) -> None:
    site = together(2)
    dice = random.Random(seed)
    site.arbiter.connected(site.now, 77, "evil:1")

    site._arbiter(site.arbiter.received(site.now, 77, dice.randbytes(dice.randrange(1, 300))))

    assert site.holders == {1, 2}
