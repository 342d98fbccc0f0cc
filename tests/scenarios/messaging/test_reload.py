"""Reloads while the ring runs: nodes come and go, timers and votes change, everywhere at the same place."""

import pytest

from tests.scenarios.messaging.network import Network, check, check_complete, configuration


def running(count: int, configured: int = 0) -> Network:
    """Nodes 1 to ``count`` run; the network has ``configured`` machines."""
    network = Network(max(count, configured), 5, conf=configuration(count))
    for number in range(1, count + 1):
        network.start(number)
    network.run_until(network.is_settled, 5)
    return network


def members(network: Network, number: int) -> set[int]:
    life = network.nodes[number].life
    assert life is not None and life.view is not None
    return set(life.view.member_ids)


def is_quorate(network: Network, number: int) -> bool:
    life = network.nodes[number].life
    assert life is not None and life.view is not None
    return life.view.quorate


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_new_node_joins_after_the_reload_and_not_before(count: int) -> None:
    network = running(count, count + 1)
    grown = configuration(count + 1)
    network.own_configurations[count + 1] = grown
    network.start(count + 1)
    network.run(10)
    assert members(network, 1) == set(range(1, count + 1))

    network.reload(1, grown)
    took = network.run_until(network.is_settled, 10)

    assert took < 1
    assert members(network, count + 1) == set(range(1, count + 2))
    verdict = network.nodes[1].engine.quorum.verdict  # type: ignore[union-attr]
    assert (verdict.highest_expected, verdict.total_votes) == (count + 1, count + 1)
    check(network)


def test_a_reload_without_a_new_ring_keeps_the_view() -> None:
    network = running(3)
    before = network.nodes[1].life.view  # type: ignore[union-attr]

    network.reload(2, configuration(3, token_ms=2000, totem=" config_version: 2\n"))
    network.run(5)

    assert network.nodes[1].life.view == before  # type: ignore[union-attr]
    assert {node.engine.totem.timing.token for node in network.nodes.values() if node.engine} == {2.65}
    cards = network.nodes[3].engine.groups.cards  # type: ignore[union-attr]
    assert {card.facts["config_version"] for card in cards.values()} == {2}


def test_a_removed_node_stops_and_the_others_go_on_at_once_with_fewer_votes() -> None:
    network = running(4)

    network.reload(1, configuration(3))
    took = network.run_until(lambda: members(network, 1) == {1, 2, 3}, 5)

    assert took < 0.2
    assert network.nodes[4].engine is None
    assert any("removed from the nodelist" in text for _, number, text in network.remarks if number == 4)
    verdict = network.nodes[1].engine.quorum.verdict  # type: ignore[union-attr]
    assert (verdict.highest_expected, verdict.total_votes, verdict.quorum) == (3, 3, 2)
    network.send(1)
    network.run(1)
    check(network)
    check_complete(network)


def test_a_removed_node_that_did_not_get_the_new_file_is_expelled_all_the_same() -> None:
    network = running(4)
    network.own_configurations[4] = configuration(4)

    network.reload(1, configuration(3))
    network.run(10)

    assert members(network, 1) == {1, 2, 3} and is_quorate(network, 1)
    assert members(network, 4) == {4} and not is_quorate(network, 4)


def test_two_nodes_become_three_and_two_again() -> None:
    network = Network(3, 5, conf=configuration(2, quorum=" two_node: 1\n"))
    network.start(1)
    network.start(2)
    network.run_until(network.is_settled, 5)
    network.reload(1, configuration(3))
    network.run(0.5)
    assert is_quorate(network, 1) and is_quorate(network, 2)

    network.start(3)
    network.run_until(network.is_settled, 5)
    network.crash(1)
    network.run_until(network.is_settled, 20)
    assert is_quorate(network, 2)
    network.crash(3)
    network.run_until(network.is_settled, 20)
    assert not is_quorate(network, 2)
    network.start(1)
    network.start(3)
    network.run_until(network.is_settled, 20)
    network.reload(2, configuration(2, quorum=" two_node: 1\n"))
    network.run_until(lambda: members(network, 1) == {1, 2}, 5)
    network.crash(1)
    network.run_until(lambda: members(network, 2) == {2}, 20)

    assert is_quorate(network, 2)


def test_changed_votes_hold_everywhere_after_the_reload() -> None:
    network = running(3)
    text = configuration(3)
    heavy = configuration(3, quorum=" expected_votes: 7\n")
    assert text != heavy

    network.reload(3, heavy)
    network.run(1)

    assert not is_quorate(network, 1)
    assert {node.engine.quorum.verdict.quorum for node in network.nodes.values() if node.engine} == {4}


def test_a_reload_that_was_asked_for_while_no_ring_is_there_happens_afterwards() -> None:
    network = running(3)
    network.crash(3)
    network.run(1.8)  # the token is lost, the survivors gather
    network.reload(1, configuration(3, token_ms=1500))
    network.run(10)

    assert network.nodes[2].engine.totem.timing.token == 2.15  # type: ignore[union-attr]


def test_a_node_that_read_another_file_is_named() -> None:
    network = running(3)
    network.own_configurations[2] = network.configuration

    network.reload(1, configuration(3, totem=" config_version: 9\n"))
    network.run(1)

    assert any("has config_version 9" in text for _, number, text in network.remarks if number == 2)
    assert any("n2 has config_version 0" in text for _, number, text in network.remarks if number == 1)
