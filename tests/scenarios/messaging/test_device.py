"""The ring with a quorum device: its vote decides, is waited for at each change, and never flickers."""

from tests.scenarios.messaging.network import Network, check, configuration

DEVICE = " device {\n model: net\n votes: 1\n sync_timeout: 5000\n net {\n host: q\n algorithm: ffsplit\n }\n }\n"


def cluster(count: int, extra: str = "") -> Network:
    network = Network(count, 9, conf=configuration(count, quorum=DEVICE + extra))
    network.arbiter = lambda members: 1 in members
    network.start_all()
    network.run_until(network.is_settled, 15)
    return network


def verdicts(network: Network, number: int) -> list[bool]:
    life = network.nodes[number].life
    assert life is not None
    return [view.quorate for _, view in life.verdicts]


def is_quorate(network: Network, number: int) -> bool:
    return verdicts(network, number)[-1]


def test_one_of_two_nodes_goes_on_with_the_devices_vote_and_quorum_is_never_lost() -> None:
    network = cluster(2)
    network.run(3)
    before = len(verdicts(network, 1))

    network.crash(2)
    network.run_until(network.is_settled, 20)

    assert verdicts(network, 1)[before:] == [True]
    verdict = network.nodes[1].engine.quorum.verdict  # type: ignore[union-attr]
    assert (verdict.total_votes, verdict.quorum, verdict.device_votes) == (2, 2, 1)
    assert "Qdevice" in verdict.flags
    check(network)


def test_the_half_that_the_device_does_not_choose_loses_quorum() -> None:
    network = cluster(4)

    network.partition({1, 2}, {3, 4})
    network.run(8)

    assert [is_quorate(network, number) for number in (1, 2, 3, 4)] == [True, True, False, False]
    network.heal()
    network.run_until(network.is_settled, 20)
    assert all(is_quorate(network, number) for number in (1, 2, 3, 4))
    check(network)


def test_a_device_that_does_not_answer_is_waited_for_and_then_done_without() -> None:
    network = cluster(3)
    network.run(3)
    network.arbiter = None
    network.crash(3)
    margin = network.configuration.timing.token + network.configuration.timing.consensus
    network.run(margin + 3)
    assert not network.is_settled(), "the view waits for the device"

    network.run_until(network.is_settled, 10)

    assert not is_quorate(network, 1), "two of four votes"
    view = network.nodes[1].life.view  # type: ignore[union-attr]
    assert view is not None
    for number in (1, 2):
        node = network.nodes[number]
        assert node.engine is not None
        network._perform(node, node.engine.device_answered(network.now, view.ring_id, True))
    network.run(1)
    assert is_quorate(network, 1) and is_quorate(network, 2)


def test_a_vote_that_is_withdrawn_or_unregistered_counts_no_more() -> None:
    network = cluster(2)
    network.crash(2)
    network.run_until(network.is_settled, 20)
    node = network.nodes[1]
    assert node.engine is not None and is_quorate(network, 1)

    network._perform(node, node.engine.device_lost(network.now))
    network.run(0.1)
    assert not is_quorate(network, 1)
    view = node.life.view  # type: ignore[union-attr]
    assert view is not None
    network._perform(node, node.engine.device_answered(network.now, view.ring_id, True))
    network.run(0.1)
    assert is_quorate(network, 1)
    network._perform(node, node.engine.unregister_device(network.now))
    network.run(0.1)

    assert not is_quorate(network, 1)
    assert "Qdevice" not in node.engine.quorum.verdict.flags


def test_an_answer_about_an_older_ring_changes_nothing() -> None:
    network = cluster(2)
    node = network.nodes[1]
    assert node.engine is not None
    old = node.life.view.ring_id  # type: ignore[union-attr]
    network.crash(2)
    network.run_until(network.is_settled, 20)

    network._perform(node, node.engine.device_answered(network.now, old, False))
    network.run(0.5)

    assert is_quorate(network, 1)


def test_the_most_expected_votes_ever_seen_are_the_least_after_a_restart() -> None:
    network = Network(3, 9, conf=configuration(2, quorum=" expected_votes_tracking: 1\n"))
    network.start(1)
    network.start(2)
    network.run_until(network.is_settled, 5)
    network.reload(1, configuration(3, quorum=" expected_votes_tracking: 1\n"))
    network.start(3)
    network.run_until(network.is_settled, 5)
    assert network.nodes[1].expected_votes == 3

    for number in (1, 2, 3):
        network.crash(number)
    network.configuration = configuration(2, quorum=" expected_votes_tracking: 1\n")
    network.start(1)
    network.run(3)

    assert network.nodes[1].engine.quorum.verdict.highest_expected == 3  # type: ignore[union-attr]
