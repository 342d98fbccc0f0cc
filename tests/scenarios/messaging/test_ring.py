"""The ring on virtual time: formation, failure, goodbye, partitions, and seeded storms of faults."""

import pytest

from tests.scenarios.messaging.network import Network, Weather, check, check_complete, configuration


def settled(count: int, seed: int = 1, **options: object) -> Network:
    network = Network(count, seed, **options)  # type: ignore[arg-type]
    network.start_all()
    network.run_until(network.is_settled, 5)
    return network


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16])
def test_nodes_that_start_together_form_one_ring_within_half_a_second(count: int) -> None:
    network = Network(count, seed=3)
    network.start_all()

    took = network.run_until(network.is_settled, 5)

    assert took < 0.5
    check(network)


def test_messages_of_all_sizes_arrive_in_one_order_everywhere() -> None:
    network = settled(3)

    for size in (1, 10, 1000, 1500, 5000, 200_000):
        for number in network.nodes:
            network.send(number, size)
    network.run(2)

    logs = [node.life.delivered() for node in network.nodes.values() if node.life]
    assert len(logs[0]) == 18
    assert logs[0] == logs[1] == logs[2]
    check(network)
    check_complete(network)


def test_every_delivery_becomes_safe() -> None:
    network = settled(3)

    network.send(2)
    network.run(0.1)

    for node in network.nodes.values():
        assert node.life is not None and node.life.chapters[-1].safe == 1


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.2, 0.3])
def test_a_crashed_node_is_lost_after_token_and_consensus_and_not_before(moment: float) -> None:
    network = settled(3)
    network.run(3 + moment)
    timing = network.configuration.timing

    network.crash(3)
    took = network.run_until(network.is_settled, 20)

    assert timing.token + timing.consensus <= took <= (timing.token + timing.consensus) * 1.1
    view = network.nodes[1].life.view  # type: ignore[union-attr]
    assert view is not None and view.lost == (3,) and view.left == () and view.quorate


def test_a_node_that_says_goodbye_has_left_and_the_others_go_on_at_once() -> None:
    network = settled(3)
    network.run(3)

    network.leave(3)
    took = network.run_until(lambda: network.nodes[3].engine is None and network.is_settled(), 20)

    assert took < 0.1
    view = network.nodes[1].life.view  # type: ignore[union-attr]
    assert view is not None and view.left == (3,) and view.lost == ()


def test_a_node_that_restarts_within_the_token_was_lost() -> None:
    network = settled(3)
    network.run(3)

    network.crash(3)
    network.start(3)
    network.run_until(lambda: network.nodes[3].life.view is not None, 5)  # type: ignore[union-attr]
    took = network.run_until(network.is_settled, 20)

    assert took < 1
    for number in (1, 2):
        life = network.nodes[number].life
        assert life is not None
        assert any(3 in chapter.view.lost for chapter in life.chapters)
        assert 3 in life.members
    check(network)


def test_a_partition_splits_the_views_and_heals_into_one() -> None:
    network = settled(5)
    network.run(1)

    network.partition({1, 2}, {3, 4, 5})
    network.run(10)
    minority, majority = network.nodes[1].life, network.nodes[4].life
    assert minority is not None and majority is not None and minority.view and majority.view
    assert (minority.view.member_ids, minority.view.quorate) == ({1, 2}, False)
    assert (majority.view.member_ids, majority.view.quorate) == ({3, 4, 5}, True)
    network.send(1)
    network.send(4)
    network.heal()
    took = network.run_until(network.is_settled, 10)

    assert took < 1.5
    assert majority.view.arrived == (1, 2) and majority.view.lost == ()
    check(network)
    check_complete(network)


def test_a_link_that_works_in_one_direction_only_does_not_disturb_the_ring() -> None:
    network = settled(3)
    network.partition({1, 2}, {3})
    network.run_until(lambda: network.nodes[1].life.view.member_ids == {1, 2}, 20)  # type: ignore[union-attr]
    network.run(5)

    network.blocked = {(1, 3), (2, 3)}  # 3 is heard but hears nobody
    before = network.nodes[1].life.view  # type: ignore[union-attr]
    network.run(20)

    assert network.nodes[1].life.view == before  # type: ignore[union-attr]


def test_an_idle_ring_sends_few_datagrams() -> None:
    network = settled(3)
    network.run(2)
    before = network.datagrams

    network.run(10)

    assert (network.datagrams - before) / 10 < 3 * 3 / network.configuration.timing.hold


def test_a_message_on_an_idle_ring_does_not_wait_for_the_held_token() -> None:
    network = settled(3)
    network.run(5)

    network.send(3)
    network.run(0.02)

    assert all(len(node.life.delivered()) == 1 for node in network.nodes.values() if node.life)


@pytest.mark.parametrize("seed", range(5))
def test_loss_delay_and_reordering_cost_nobody_its_membership(seed: int) -> None:
    network = settled(3, seed)
    network.weather = Weather(loss=0.1, duplication=0.05, delay=(0.0001, 0.02))
    before = network.nodes[1].life.view  # type: ignore[union-attr]

    for step in range(300):
        network.at(network.now + step * 0.1, lambda: network.send(network.random.choice((1, 2, 3)), 300))
    network.run(60)

    assert network.nodes[1].life.view == before  # type: ignore[union-attr]
    network.heal()
    network.run(2)
    check(network)
    check_complete(network)


def test_a_pause_shorter_than_the_token_changes_nothing() -> None:
    network = settled(3)
    network.run(1)
    before = network.nodes[1].life.view  # type: ignore[union-attr]

    network.pause(2, network.configuration.timing.token * 0.7)
    network.send(1)
    network.run(10)

    assert network.nodes[1].life.view == before  # type: ignore[union-attr]
    check_complete(network)


def test_a_large_message_does_not_hold_up_another_group_and_both_arrive() -> None:
    network = settled(3)
    for node in network.nodes.values():
        assert node.engine is not None
        network._perform(node, node.engine.join_group(network.now, "bulk"))
    network.run(0.1)
    engine = network.nodes[1].engine
    assert engine is not None
    network._perform(network.nodes[1], engine.broadcast(network.now, "bulk", (b"B" * 3_000_000,), 0))
    network.run(0.01)

    network.send(1)
    network.run(0.02)

    log = network.nodes[2].life.delivered()  # type: ignore[union-attr]
    assert [payload[:4] for _, payload in log] == [b"1:1:"]
    network.run(60)
    log = network.nodes[2].life.delivered()  # type: ignore[union-attr]
    assert [len(payload) for _, payload in log] == [40, 3_000_000]


def test_point_to_point_messages_reach_only_their_target_in_order() -> None:
    network = settled(3)

    for index in range(50):
        network.send_direct(1, 3, b"%d" % index * 100)
    network.run(1)

    assert network.nodes[3].life.direct == [(1, b"%d" % index * 100) for index in range(50)]  # type: ignore[union-attr]
    assert network.nodes[2].life.direct == []  # type: ignore[union-attr]


def test_wait_for_all_holds_back_quorum_until_all_were_there_once() -> None:
    conf = configuration(3, quorum=" wait_for_all: 1\n")
    network = Network(3, 1, conf=conf)
    network.start(1)
    network.start(2)
    network.run_until(network.is_settled, 5)
    assert not network.nodes[1].life.view.quorate  # type: ignore[union-attr]

    network.start(3)
    network.run_until(network.is_settled, 5)
    assert network.nodes[1].life.view.quorate  # type: ignore[union-attr]
    network.crash(3)
    network.run_until(network.is_settled, 20)
    assert network.nodes[1].life.view.quorate  # type: ignore[union-attr]
    network.crash(2)
    network.start(2)
    network.run_until(lambda: network.nodes[2].life.view is not None, 5)  # type: ignore[union-attr]
    network.run_until(network.is_settled, 20)
    assert network.nodes[2].life.view.quorate  # type: ignore[union-attr]


def test_two_node_clusters_keep_quorum_when_the_peer_dies_but_wait_for_it_at_start() -> None:
    conf = configuration(2, quorum=" two_node: 1\n")
    network = Network(2, 1, conf=conf)
    network.start(1)
    network.run(3)
    assert not network.nodes[1].life.view.quorate  # type: ignore[union-attr]
    network.start(2)
    network.run_until(network.is_settled, 5)
    assert network.nodes[1].life.view.quorate  # type: ignore[union-attr]

    network.crash(2)
    network.run_until(network.is_settled, 20)

    assert network.nodes[1].life.view.quorate  # type: ignore[union-attr]


def test_a_node_with_an_outdated_configuration_stops_when_it_meets_the_others() -> None:
    network = Network(3, 1, conf=configuration(3, totem=" config_version: 5\n"))
    network.own_configurations[2] = configuration(3, totem=" config_version: 4\n")
    network.start_all()

    network.run(3)

    assert network.nodes[2].engine is None
    assert any("config_version 4" in text for _, node, text in network.remarks if node == 2)
    assert network.nodes[1].life.view.quorate  # type: ignore[union-attr]


def test_a_late_token_is_warned_about_before_the_ring_breaks() -> None:
    network = settled(3)
    network.run(3)

    network.crash(3)
    network.run(network.configuration.timing.token * 0.9 + network.configuration.timing.hold)

    assert any("the ring breaks after 1650" in text for _, _, text in network.remarks)


def test_the_last_men_standing_stay_quorate_one_after_the_other() -> None:
    conf = configuration(4, quorum=" last_man_standing: 1\n wait_for_all: 1\n last_man_standing_window: 5000\n")
    network = Network(4, 1, conf=conf)
    network.start_all()
    network.run_until(network.is_settled, 5)

    for number in (4, 3):
        network.crash(number)
        network.run_until(network.is_settled, 20)
        network.run(6)

    view = network.nodes[1].life.view  # type: ignore[union-attr]
    assert view is not None and view.member_ids == {1, 2} and view.quorate


def test_an_administrator_makes_those_present_quorate_whoever_has_started_again_since() -> None:
    network = Network(5, 1, conf=configuration(5))
    network.start_all()
    network.run_until(network.is_settled, 5)
    for number in (2, 3, 4, 5):
        network.crash(number)
    network.start(2)
    network.run_until(network.is_settled, 20)
    life, engine = network.nodes[1].life, network.nodes[1].engine
    assert life is not None and engine is not None and life.view is not None and not life.view.quorate

    network._perform(network.nodes[1], engine.set_expected_votes(network.now, 2))
    network.run(1)

    assert life.view.member_ids == {1, 2} and life.view.quorate
    network.crash(1)
    network.run_until(network.is_settled, 20)
    alone = network.nodes[2].life
    assert alone is not None and alone.view is not None and not alone.view.quorate
