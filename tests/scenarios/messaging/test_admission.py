"""A node that speaks another protocol comes to a ring that works: it goes, and the ring goes on."""

import pytest

from tests.scenarios.messaging.network import Network


@pytest.mark.parametrize("newcomer", [1, 2, 3])
def test_a_newcomer_of_another_protocol_is_refused_and_the_others_go_on(newcomer: int) -> None:
    network = Network(3, seed=5)
    others = sorted({1, 2, 3} - {newcomer})
    for number in others:
        network.start(number)
    network.run(10.0)

    network.start(newcomer)
    engine = network.nodes[newcomer].engine
    assert engine is not None
    facts = engine._facts
    engine.groups._facts = lambda: {**facts(), "protocol": 99}
    network.run(10.0)

    assert network.nodes[newcomer].engine is None, "it has ended"
    for number in others:
        engine = network.nodes[number].engine
        assert engine is not None and engine.view is not None
        assert sorted(engine.view.member_ids) == others and engine.groups.is_synchronised
    assert any(f"refused: n{newcomer}" in text for _, _, text in network.remarks)
