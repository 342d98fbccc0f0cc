"""Several fencers together, over a network that orders broadcasts and loses nodes. No sockets, no clock."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from hatools.daemons.stonithd.coordinator import HUMAN, Coordinator
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
from hatools.ipc.messages.stonith import (
    CleanHistory,
    ConfirmDown,
    DeviceOffer,
    DeviceResult,
    Fence,
    FencingRecord,
    PeerOutcome,
)
from hatools.values.errors import InputError

OK = DeviceResult(0, 0, "")
FAILED = DeviceResult(4, 1, "", "no answer")


@dataclass
class Node:
    core: Coordinator
    devices: tuple[str, ...] = ("ipmi",)
    answers: dict[int, object] = field(default_factory=dict)
    notices: list[FencingRecord] = field(default_factory=list)


class Cluster:
    """Nodes 1..N named n1..nN. Broadcasts are delivered to all at once, direct messages in order, at random times."""

    def __init__(self, size: int, random: Random | None = None) -> None:
        self.random = random
        self.now = 100.0
        self.nodes = {number: self._node(number) for number in range(1, size + 1)}
        self.queue: deque[tuple[int, int, PeerMessage]] = deque()  # sender, receiver or 0, message
        self.agent_results: dict[str, DeviceResult] = {}
        self.ran: list[tuple[str, str, str]] = []
        self.waiter = 0
        self.change_members(*self.nodes)

    def _node(self, number: int) -> Node:
        return Node(Coordinator(number, f"n{number}", lambda target: ()))

    def change_members(self, *arrived: int) -> None:
        members = {number: f"n{number}" for number in self.nodes}
        peers = frozenset(members)
        for number, node in list(self.nodes.items()):
            self.perform(number, node.core.members_changed(self.now, self.now, members, peers, frozenset(arrived)))

    def kill(self, number: int) -> None:
        del self.nodes[number]
        self.queue = deque(entry for entry in self.queue if entry[0] != number)
        self.change_members()

    def boot(self, number: int) -> None:
        self.nodes[number] = self._node(number)
        self.change_members(number)

    def reboot_unseen(self, number: int) -> None:
        """Kill and boot so quickly that no view shows the others without it, and it has been on its own already."""
        self.queue = deque(entry for entry in self.queue if entry[0] != number)
        self.nodes[number] = self._node(number)
        self.nodes[number].core.members_changed(
            self.now, self.now, {number: f"n{number}"}, frozenset({number}), frozenset({number})
        )
        self.change_members(number)

    def restart_unseen(self, number: int) -> None:
        """A new process takes the place of one that is still in the group; nobody is told."""
        self.queue = deque(entry for entry in self.queue if entry[0] != number)
        self.nodes[number] = self._node(number)
        self.perform(
            number,
            self.nodes[number].core.members_changed(
                self.now, self.now, {n: f"n{n}" for n in self.nodes}, frozenset(self.nodes)
            ),
        )

    def fence(self, number: int, target: str, action: str = "reboot", **more: int) -> int:
        self.waiter += 1
        request = Fence(target, action, client="test.1", **more)  # type: ignore[arg-type]
        node = self.nodes[number]
        self.perform(number, node.core.fence(self.now, self.now, self.waiter, request, f"op{self.waiter}"))
        return self.waiter

    def perform(self, number: int, effects: list[Effect]) -> None:
        node = self.nodes.get(number)
        for effect in effects:
            if node is None:
                return
            match effect:
                case SendPeer(receiver, message):
                    self.queue.append((number, receiver, message))
                case BroadcastPeers(message):
                    self.queue.append((number, 0, message))
                case FindOffers(query, origin):
                    offers = tuple(DeviceOffer(d, 5000, 0, off_on=(5000, 5000)) for d in node.devices)
                    self.perform(number, node.core.offers_found(self.now, self.now, origin, query.id, offers))
                case RunHere(origin, order):
                    self.run_agent(number, origin, order.target, order.action, effect)
                case CancelHere():
                    pass
                case Answer(waiter, done):
                    node.answers[waiter] = done.executioner
                case Refuse(waiter, error):
                    node.answers[waiter] = error
                case Notify(record):
                    node.notices.append(record)

    def run_agent(self, number: int, origin: int, target: str, action: str, run: RunHere) -> None:
        self.ran.append((f"n{number}", action, target))
        result = self.agent_results.get(run.order.device, OK)
        victim = int(target[1:])
        if result is OK and action != "on" and victim in self.nodes:
            self.kill(victim)
        node = self.nodes.get(number)
        if node is not None:
            self.perform(number, node.core.ran_here(self.now, self.now, origin, run.order, result))

    def deliver(self) -> None:
        """Deliver one message: the first, or with a generator one that no earlier one of its sender precedes."""
        index = 0 if self.random is None else self.random.randrange(len(self.queue))
        sender = self.queue[index][0]
        index = next(i for i, entry in enumerate(self.queue) if entry[0] == sender)
        sender, receiver, message = self.queue[index]
        del self.queue[index]
        for number in [receiver] if receiver else sorted(self.nodes):
            node = self.nodes.get(number)
            if node is not None:
                self.perform(number, node.core.received(self.now, self.now, sender, message))

    def settle(self) -> None:
        for _ in range(10_000):
            while self.queue:
                self.now += 0.001
                self.deliver()
            deadlines = [d for node in self.nodes.values() if (d := node.core.deadline) is not None]
            if not deadlines:
                return
            self.now = max(self.now, min(deadlines))
            for number, node in list(self.nodes.items()):
                self.perform(number, node.core.expire(self.now, self.now))
        raise AssertionError("it does not settle")


def outcomes(node: Node) -> list[tuple[str, str, str, str]]:
    return [(r.action, r.target, r.state, r.executioner) for r in node.core.history.listing()]


def test_a_request_is_carried_out_once_and_every_node_hears_of_it() -> None:
    cluster = Cluster(3)
    waiter = cluster.fence(1, "n3")
    cluster.settle()
    assert cluster.nodes[1].answers == {waiter: "n1"}
    assert cluster.ran == [("n1", "reboot", "n3")]
    assert [[r.state for r in cluster.nodes[number].notices] for number in (1, 2)] == [["pending", "success"]] * 2


def test_two_requests_for_the_same_are_one_operation() -> None:
    cluster = Cluster(3)
    first, second = cluster.fence(1, "n3"), cluster.fence(2, "n3")
    cluster.settle()
    assert len(cluster.ran) == 1
    assert (cluster.nodes[1].answers, cluster.nodes[2].answers) == ({first: "n1"}, {second: "n1"})


def test_a_request_about_the_node_itself_is_carried_out_by_a_peer() -> None:
    cluster = Cluster(3)
    cluster.fence(3, "n3", "off")
    cluster.settle()
    assert cluster.ran == [("n1", "off", "n3")]
    assert outcomes(cluster.nodes[2]) == [("off", "n3", "success", "n1")]


def test_a_lone_node_fences_itself() -> None:
    cluster = Cluster(1)
    cluster.fence(1, "n1", "off")
    cluster.settle()
    assert cluster.ran == [("n1", "off", "n1")]


def test_the_failure_of_every_way_is_told_with_its_reason() -> None:
    cluster = Cluster(2)
    cluster.agent_results["ipmi"] = FAILED
    waiter = cluster.fence(1, "n9")
    cluster.settle()
    assert str(cluster.nodes[1].answers[waiter]) == "No data available (no answer)"
    assert outcomes(cluster.nodes[2]) == [("reboot", "n9", "failed", "")]


def test_a_recent_success_is_good_enough_if_the_caller_says_so() -> None:
    cluster = Cluster(2)
    cluster.fence(1, "n9")
    cluster.settle()
    waiter = cluster.fence(1, "n9", tolerance_ms=60_000)
    assert cluster.nodes[1].answers[waiter] == "n1"
    assert len(cluster.ran) == 1


def test_what_a_lost_origin_began_has_failed_everywhere_and_can_be_asked_for_again() -> None:
    cluster = Cluster(3)
    cluster.fence(2, "n9")
    cluster.deliver()  # everybody knows of it, and then its origin dies
    cluster.kill(2)
    assert [state for _, _, state, _ in outcomes(cluster.nodes[1])] == ["failed"]
    waiter = cluster.fence(1, "n9")
    cluster.settle()
    assert cluster.nodes[1].answers[waiter] == "n1"


def test_a_peer_that_dies_before_it_passes_a_request_on_is_replaced() -> None:
    cluster = Cluster(3)
    cluster.fence(3, "n3", "off")
    cluster.kill(1)
    cluster.settle()
    assert cluster.ran == [("n2", "off", "n3")]


def test_a_persons_word_counts_for_what_is_under_way() -> None:
    cluster = Cluster(2)
    cluster.nodes[1].devices = cluster.nodes[2].devices = ()
    cluster.agent_results["ipmi"] = FAILED
    waiter = cluster.fence(1, "n9")
    cluster.deliver()  # the announcement; the peer's answer is still on its way
    node = cluster.nodes[2]
    cluster.perform(2, node.core.confirm(cluster.now, 77, ConfirmDown("n9", "me.1"), "by-hand"))
    cluster.queue.rotate(1)
    cluster.settle()
    assert node.answers == {77: HUMAN}
    assert cluster.nodes[1].answers == {waiter: HUMAN}


def test_a_node_that_arrives_learns_the_history() -> None:
    cluster = Cluster(3)
    cluster.fence(1, "n9")
    cluster.settle()
    cluster.kill(3)
    cluster.boot(3)
    cluster.settle()
    assert outcomes(cluster.nodes[3]) == [("reboot", "n9", "success", "n1")]


@pytest.mark.parametrize("way", [Cluster.reboot_unseen, Cluster.restart_unseen])
def test_a_fencer_that_is_another_one_all_of_a_sudden_learns_the_history(way: Callable[[Cluster, int], None]) -> None:
    cluster = Cluster(3)
    cluster.fence(1, "n9")
    cluster.settle()
    way(cluster, 3)
    cluster.settle()
    assert outcomes(cluster.nodes[3]) == [("reboot", "n9", "success", "n1")]


@pytest.mark.parametrize("way", [Cluster.reboot_unseen, Cluster.restart_unseen])
def test_what_a_fencer_had_begun_has_failed_when_it_is_another_one(way: Callable[[Cluster, int], None]) -> None:
    cluster = Cluster(3)
    cluster.fence(3, "n9")
    cluster.deliver()
    way(cluster, 3)
    cluster.settle()
    assert [outcomes(node) for node in cluster.nodes.values()] == [[("reboot", "n9", "failed", "")]] * 3


def test_what_a_newcomer_tells_is_not_what_it_is_told() -> None:
    """It was alone and tells its history, too; who was to tell it ours dies before that, and the next one does it."""
    cluster = Cluster(3)
    cluster.fence(1, "n9")
    cluster.settle()
    del cluster.nodes[3]
    cluster.change_members()
    cluster.nodes[3] = cluster._node(3)
    cluster.nodes[3].core.members_changed(cluster.now, cluster.now, {3: "n3"}, frozenset({3}), frozenset({3}))
    members, peers = {n: f"n{n}" for n in cluster.nodes}, frozenset(cluster.nodes)
    for number, arrived in ((1, {3}), (2, {3}), (3, {1, 2})):
        core = cluster.nodes[number].core
        cluster.perform(number, core.members_changed(cluster.now, cluster.now, members, peers, frozenset(arrived)))
    cluster.queue = deque(entry for entry in cluster.queue if entry[0] == 3)
    cluster.deliver()
    cluster.kill(1)
    cluster.settle()
    assert outcomes(cluster.nodes[3]) == [("reboot", "n9", "success", "n1")]


def test_a_node_that_booted_again_is_not_told_that_it_was_fenced() -> None:
    outcome = FencingRecord("op1", "n2", "reboot", "n1", "test.1", "n1", "success", 100.0, ring="1.8")
    reborn, survivor = Coordinator(2, "n2", lambda target: ()), Coordinator(3, "n2", lambda target: ())
    reborn.enter_ring("1.c")
    survivor.enter_ring("1.8")
    assert reborn.received(100.0, 100.0, 1, PeerOutcome(outcome)) == []
    assert survivor.received(100.0, 100.0, 1, PeerOutcome(outcome)) == [Notify(outcome)]


def test_cleaning_the_history_cleans_it_everywhere() -> None:
    cluster = Cluster(2)
    cluster.fence(1, "n9")
    cluster.settle()
    cluster.perform(2, cluster.nodes[2].core.clean(CleanHistory("n9")))
    cluster.settle()
    assert [outcomes(node) for node in cluster.nodes.values()] == [[], []]


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(InputError):
        Cluster(1).fence(1, "n9", "explode")


@pytest.mark.parametrize("seed", range(150))
def test_whatever_dies_everybody_is_answered_and_the_histories_agree(seed: int) -> None:
    """Requests, deaths and boots at random: no waiter is forgotten, nothing stays pending, all remember the same."""
    random = Random(seed)
    cluster = Cluster(random.randint(2, 5), random)
    asked: list[tuple[int, Node, int]] = []
    for _ in range(random.randint(3, 12)):
        choice = random.random()
        alive = sorted(cluster.nodes)
        if choice < 0.5:
            number = random.choice(alive)
            node = cluster.nodes[number]
            action = random.choice(("off", "reboot", "on"))
            asked.append((number, node, cluster.fence(number, f"n{random.randint(1, 6)}", action)))
        elif choice < 0.65 and len(alive) > 1:
            cluster.kill(random.choice(alive))
        elif choice < 0.8:
            number = random.randint(1, 5)
            if number not in cluster.nodes:
                cluster.boot(number)
        elif choice < 0.9 and len(alive) > 1:
            random.choice((cluster.reboot_unseen, cluster.restart_unseen))(random.choice(alive))
        for _ in range(random.randint(0, 6)):
            if cluster.queue:
                cluster.deliver()
        if not cluster.nodes:
            return
    cluster.settle()
    for number, node, waiter in asked:
        if cluster.nodes.get(number) is node:
            assert waiter in node.answers
    remembered = [
        sorted((r.id, r.state, r.executioner) for r in node.core.history.listing()) for node in cluster.nodes.values()
    ]
    assert all("pending" not in entry for each in remembered for entry in each)
    # Those that were there from the beginning or were told by them remember the same.
    assert all(each == remembered[0] for each in remembered)
