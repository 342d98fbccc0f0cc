"""LSB init scripts."""

import pytest

from hatools.agents.lsb import header_fields, lsb_exit_status, script_action

SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          webd
# Required-Start:    $network
# Short-Description: A web server
# Description:       Serves pages
#                    to people
# Default-Start:     2 3
### END INIT INFO
# Provides: nothing
"""


def test_a_monitor_is_the_status_action() -> None:
    assert [script_action(word) for word in ("monitor", "start", "stop")] == ["status", "start", "stop"]


@pytest.mark.parametrize(("status", "result"), [(0, 0), (1, 7), (2, 7), (3, 7), (4, 4), (150, 5), (99, 1)])
def test_a_status_has_a_numbering_of_its_own(status: int, result: int) -> None:
    assert lsb_exit_status("monitor", status) == result


@pytest.mark.parametrize(("status", "result"), [(0, 0), (5, 5), (7, 7), (8, 1), (-9, 1)])
def test_other_actions_end_with_the_results_of_ocf(status: int, result: int) -> None:
    assert lsb_exit_status("start", status) == result


def test_the_header_is_read_with_a_description_of_several_lines() -> None:
    fields = {name: value.split() for name, value in header_fields(SCRIPT).items()}
    assert fields == {
        "Provides": ["webd"],
        "Required-Start": ["$network"],
        "Short-Description": ["A", "web", "server"],
        "Description": ["Serves", "pages", "to", "people"],
        "Default-Start": ["2", "3"],
    }


def test_a_script_without_a_header_has_no_fields() -> None:
    assert header_fields("#!/bin/sh\n") == {}
