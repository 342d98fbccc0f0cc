"""Clusters of the heartbeat style on virtual time: who is alive, views, order, and what is refused.

``HATOOLS_HEARTBEAT_SEEDS`` says how many storms of faults are played, ``HATOOLS_HEARTBEAT_FIRST`` with which seed
to begin, ``HATOOLS_HEARTBEAT_SCHEDULE`` holds a schedule to play again.
"""

import os
import random

import pytest

from hatools.messaging.heartbeat.authkeys import read_authkeys
from hatools.messaging.heartbeat.peers import Status
from hatools.values.nodenumber import number_of_name
from tests.scenarios.messaging.heartbeat_network import (
    DEADTIME_S,
    KEYS,
    HeartbeatNetwork,
    HeartbeatStory,
    ha_cf,
)
from tests.scenarios.messaging.network import Weather, check, check_complete
from tests.scenarios.messaging.schedules import Schedule, make_schedule, shrink

SEEDS = int(os.environ.get("HATOOLS_HEARTBEAT_SEEDS") or "40")
FIRST = int(os.environ.get("HATOOLS_HEARTBEAT_FIRST") or "100")
BATCH = 5


def settled(count: int, seed: int = 2) -> HeartbeatNetwork:
    """Return a cluster in which everybody has been there for a while."""
    network = HeartbeatNetwork(count, seed)
    network.start_all()
    network.run_until(network.is_settled, 5)
    network.run(6)
    return network


def view_of(network: HeartbeatNetwork, number: int):  # type: ignore[no-untyped-def]
    life = network.nodes[number].life
    assert life is not None and life.view is not None
    return life.view


def test_all_nodes_become_active_and_agree_on_one_quorate_view() -> None:
    network = settled(3)

    assert {view_of(network, number).ring_id for number in (1, 2, 3)} == {view_of(network, 1).ring_id}
    assert view_of(network, 1).quorate
    for number in (1, 2, 3):
        core = network.engine(number).heartbeat
        assert core.status is Status.ACTIVE
        assert {peer.status for peer in core.peers.values()} == {Status.ACTIVE}


def test_messages_of_all_nodes_come_in_one_order() -> None:
    network = settled(3)

    for index in range(60):
        network.send(1 + index % 3, 100 + 700 * (index % 7))
    network.run(2)

    logs = [node.life.delivered() for node in network.nodes.values() if node.life]
    assert len(logs[0]) == 60
    assert logs[0] == logs[1] == logs[2]
    check(network)
    check_complete(network)


@pytest.mark.parametrize("seed", range(6))
def test_a_dead_node_is_given_up_after_deadtime_and_at_most_a_tenth_later(seed: int) -> None:
    network = settled(3, seed)
    network.run(network.random.uniform(0, 1))
    before = view_of(network, 1).ring_id
    began = network.now

    network.crash(3)
    network.run_until(lambda: view_of(network, 1).ring_id != before, 10)

    assert DEADTIME_S * 0.99 <= network.now - began <= DEADTIME_S * 1.1
    assert network.engine(1).heartbeat.peers["n3"].status is Status.DEAD
    assert view_of(network, 1).lost == (number_of_name("n3"),)
    assert view_of(network, 1).quorate


def test_a_pause_shorter_than_deadtime_loses_nobody() -> None:
    network = settled(3)
    members = view_of(network, 1).members

    network.pause(2, DEADTIME_S * 0.9)
    network.send(1)
    network.run(8)

    lives = [node.life for node in network.nodes.values() if node.life]
    assert all(not chapter.view.lost and not chapter.view.left for life in lives for chapter in life.chapters)
    assert view_of(network, 1).members == members
    assert all(
        peer.status is Status.ACTIVE for number in (1, 2, 3) for peer in network.engine(number).heartbeat.peers.values()
    )
    check_complete(network)


def test_a_fifth_of_all_datagrams_lost_and_delays_lose_nobody() -> None:
    network = settled(3)
    network.weather = Weather(0.2, 0.05, (0.01, 0.09))

    for step in range(200):
        network.at(network.now + step * 0.1, lambda: network.send(network.random.choice((1, 2, 3)), 300))
    network.run(30)

    lives = [node.life for node in network.nodes.values() if node.life]
    assert all(not chapter.view.lost for life in lives for chapter in life.chapters)
    network.heal()
    network.run(3)
    check(network)
    check_complete(network)


def test_who_says_goodbye_has_left_and_is_dead_to_heartbeat_at_once() -> None:
    network = settled(3)
    began = network.now

    network.leave(3)
    network.run_until(lambda: len(view_of(network, 1).members) == 2, 5)

    assert network.now - began < DEADTIME_S / 2
    assert view_of(network, 1).left == (number_of_name("n3"),)
    assert network.engine(1).heartbeat.peers["n3"].status is Status.DEAD


def test_a_node_alone_is_not_quorate_before_initdead_and_one_of_three_never() -> None:
    network = HeartbeatNetwork(3, 1)
    network.start(1)
    network.start(2)
    network.run_until(network.is_settled, 5)
    assert not view_of(network, 1).quorate

    network.run(10.5)
    assert view_of(network, 1).quorate
    network.crash(2)
    network.run(5)
    assert not view_of(network, 1).quorate


def test_of_two_nodes_each_is_quorate_alone_once_the_other_was_given_up() -> None:
    network = HeartbeatNetwork(2, 1)
    network.start(1)
    network.run(9)
    assert not view_of(network, 1).quorate

    network.run(2)
    assert view_of(network, 1).quorate


def test_a_node_that_nobody_orders_with_is_heard_and_the_rest_is_quorate_after_initdead() -> None:
    """A real heartbeat daemon, played by a node whose ring is deaf and mute: it counts, but it has no part in views."""
    network = HeartbeatNetwork(3, 1)
    for number in (2, 1, 3):
        network.start(number)
        if number == 3:
            network.engine(3)._carry = lambda now, effects: []  # type: ignore[method-assign]
        network.run(0.3)
    network.run(11)

    assert view_of(network, 1).member_ids == {number_of_name("n1"), number_of_name("n2")}
    assert view_of(network, 1).quorate
    network.crash(2)
    network.run(5)
    assert not view_of(network, 1).quorate
    network.start(2)
    network.run(3)
    assert view_of(network, 1).quorate


@pytest.mark.parametrize("seed", range(8))
def test_two_nodes_that_start_together_are_never_quorate_one_without_the_other(seed: int) -> None:
    network = HeartbeatNetwork(2, seed)
    network.fair = network.weather = Weather(0.2, 0.0, (0.001, 0.2))
    network.start_all()
    network.run(9)

    verdicts = [view for life in network.lives for _, view in life.verdicts]
    assert verdicts[-1].quorate
    assert all(len(view.members) == 2 for view in verdicts if view.quorate)


def test_a_restarted_node_comes_back_as_a_new_life() -> None:
    network = settled(3)

    network.crash(2)
    network.start(2)
    network.run_until(network.is_settled, 10)

    assert any("restart on node n2" in text for _, _, text in network.remarks)
    arrived = [chapter.view.arrived for chapter in network.nodes[1].life.chapters]  # type: ignore[union-attr]
    assert (number_of_name("n2"),) in arrived
    check(network)


def test_lost_status_messages_are_asked_for_and_sent_again() -> None:
    network = settled(2)
    network.blocked.add((1, 2))
    network.run(0.6)
    network.blocked.clear()
    network.run(1.5)

    tracked = network.engine(2).heartbeat.peers["n1"].sequence
    assert not tracked.missing
    assert tracked.last == network.engine(1).heartbeat.messages_sent


def test_a_wrong_key_keeps_a_node_out_and_is_remarked_once_per_peer() -> None:
    network = HeartbeatNetwork(3, 1)
    network.keys[3] = read_authkeys("auth 1\n1 sha1 not-the-key-of-the-others\n")
    network.start_all()
    network.run(15)

    assert view_of(network, 1).member_ids == {number_of_name("n1"), number_of_name("n2")}
    remarks = [text for _, node, text in network.remarks if node == number_of_name("n1") and "wrong signature" in text]
    assert len(remarks) == 1
    assert network.engine(1).rejections.total > 10


def test_another_cluster_name_keeps_a_node_out_of_the_ring() -> None:
    network = HeartbeatNetwork(3, 1)
    network.own_ha_configurations[3] = ha_cf(3, "cluster other\n")
    network.start_all()
    network.run(15)

    assert view_of(network, 1).member_ids == {number_of_name("n1"), number_of_name("n2")}
    remarks = [text for _, node, text in network.remarks if node == number_of_name("n1") and "from node n3" in text]
    assert len(remarks) == 1


def test_a_node_that_is_in_no_ha_cf_is_refused() -> None:
    network = HeartbeatNetwork(3, 1, conf=ha_cf(2))
    network.own_ha_configurations[3] = ha_cf(3)
    network.start_all()
    network.run(15)

    assert view_of(network, 1).member_ids == {number_of_name("n1"), number_of_name("n2")}
    assert any("node n3 is not in ha.cf" in text for _, _, text in network.remarks)


def test_a_second_machine_of_the_same_name_is_noticed() -> None:
    network = HeartbeatNetwork(3, 1)
    network.names[3] = "n1"
    network.start_all()
    network.run(3)

    assert any("another machine calls itself n1" in text for _, _, text in network.remarks)


def test_nodes_join_by_themselves_where_autojoin_lets_them() -> None:
    conf = ha_cf(1, "autojoin any\n")
    network = HeartbeatNetwork(3, 1, conf=conf)
    network.start_all()
    network.run_until(network.is_settled, 20)
    network.run(3)

    assert len(view_of(network, 2).members) == 3
    assert view_of(network, 2).quorate
    network.send(2)
    network.run(1)
    check(network)


def test_steps_of_the_clock_change_nothing() -> None:
    network = settled(3)
    before = view_of(network, 1)

    for number, step in ((1, 1e6), (2, -1e6), (3, 3600.0)):
        network.nodes[number].clock += step
    network.run(10)

    assert view_of(network, 1) == before


def test_recordings_of_an_earlier_life_are_refused() -> None:
    network = settled(3)
    recorded = list(network._recorded)
    network.crash(2)
    network.start(2)
    network.run_until(network.is_settled, 10)
    network.run(2)
    before = view_of(network, 1)

    dice = random.Random(4)
    for data in dice.sample(recorded, min(200, len(recorded))):
        network.at(network.now + dice.uniform(0, 1), lambda data=data: network._arrive(2, 1, data))
    network.run(5)

    assert view_of(network, 1) == before
    assert network.engine(1).heartbeat.peers["n2"].status is Status.ACTIVE
    assert any("earlier life of n2" in text for _, _, text in network.remarks)
    check(network)


def failure_of(schedule: Schedule) -> str:
    try:
        HeartbeatStory(schedule).play()
    except Exception as error:  # whatever the code under test raises is a finding
        return f"{type(error).__name__}: {error}"
    return ""


def play(schedule: Schedule) -> None:
    failure = failure_of(schedule)
    if failure:
        kind = failure.partition(":")[0]
        small = shrink(schedule, lambda candidate: failure_of(candidate).partition(":")[0] == kind, 60)
        pytest.fail(f"{failure}\nHATOOLS_HEARTBEAT_SCHEDULE='{small.to_text()}'", pytrace=False)


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, BATCH))
def test_a_storm_of_faults_breaks_no_promise(first: int) -> None:
    for seed in range(first, min(first + BATCH, FIRST + SEEDS)):
        play(make_schedule(seed))


def test_replay() -> None:
    text = os.environ.get("HATOOLS_HEARTBEAT_SCHEDULE")
    if text:
        HeartbeatStory(Schedule.from_text(text)).play()


def test_keys_can_be_replaced_one_node_after_the_other() -> None:
    network = HeartbeatNetwork(3, 1)
    both = KEYS + "2 sha1 the-key-that-comes-next\n"
    network.keys = dict.fromkeys((1, 2, 3), read_authkeys(both))
    network.keys[3] = read_authkeys(both.replace("auth 1", "auth 2"))
    network.start_all()

    network.run_until(network.is_settled, 10)
