"""Unit tests of what a supervisor's answer means."""

import pytest

from hatools.lab.supervisor import Answer, parse_answer


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("ok state=down alive=0 node=n1 pid=77\n", Answer(True, "ok state=down alive=0 node=n1 pid=77", "down", 0, 77)),
        ("ok state=up", Answer(True, "ok state=up", "up")),
        ("error unknown command 'x'\n", Answer(False, "error unknown command 'x'")),
        ("", Answer(False, "")),
        ("okay alive=0", Answer(False, "okay alive=0")),
        ("ok alive=many", Answer(True, "ok alive=many")),
    ],
)
def test_only_a_clear_yes_of_a_supervisor_counts(line: str, answer: Answer) -> None:
    assert parse_answer(line) == answer
