"""The state table: complete where it must be, and drawn in the documents as it is."""

from pathlib import Path

import pytest

from hatools.daemons.crmd.fsa import DC_STATES, TABLE, Action, Input, State, diagram, step
from hatools.values.errors import LocalError

PAGE = Path(__file__).resolve().parents[4] / "docs" / "controller.md"


def test_an_input_that_cannot_come_is_an_error():
    with pytest.raises(LocalError):
        step(State.STARTING, Input.CALCULATED)


def test_every_state_can_be_told_to_stop():
    assert all((state, Input.STOP) in TABLE for state in State)


def test_a_dc_that_is_no_longer_wanted_lets_go_of_everything():
    for state in DC_STATES:
        for cause in (Input.LOST, Input.NO_DC, Input.STOP):
            target, actions = step(state, cause)
            assert target not in DC_STATES
            assert Action.RELEASE in actions


def test_only_winning_an_election_makes_a_dc():
    entries = {
        cause for (source, cause), (target, _) in TABLE.items() if target in DC_STATES and source not in DC_STATES
    }
    assert entries == {Input.WON}


def test_the_documents_show_the_table():
    assert diagram() in PAGE.read_text(encoding="utf-8")
