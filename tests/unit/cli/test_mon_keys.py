"""The keys of the live view."""

import pytest

from hatools.cli.mon_keys import Choice, help_text, press
from hatools.cli.mon_request import FENCING_LEVELS
from hatools.status.view import Section, Show


def choice() -> Choice:
    return Choice(Section.DEFAULT | FENCING_LEVELS[1], Show.PENDING, 1)


@pytest.mark.parametrize("key", list("cfnortALDRbj"))
def test_every_key_is_undone_by_itself(key: str) -> None:
    changed = choice()
    press(changed, key)
    assert (changed.sections, changed.show) != (choice().sections, choice().show)
    press(changed, key)
    if key == "t":
        press(changed, "o")
    assert (changed.sections, changed.show) == (choice().sections, choice().show)


def test_the_fencing_levels_go_round() -> None:
    changed = choice()
    levels = []
    for _ in range(4):
        press(changed, "m")
        levels.append(changed.fence_level)
    assert levels == [2, 3, 0, 1]
    assert changed == choice()


def test_timing_brings_operations_which_take_it_along() -> None:
    changed = choice()
    press(changed, "t")
    assert Section.OPERATIONS in changed.sections
    press(changed, "o")
    assert Show.TIMING not in changed.show


def test_other_keys_mean_nothing() -> None:
    changed = choice()
    assert not press(changed, "x")
    assert changed == choice()


def test_the_help_marks_what_is_on() -> None:
    changed = choice()
    press(changed, "A")
    lines = help_text(changed).splitlines()
    assert any(line.startswith("* A:") for line in lines)
    assert any(line.startswith("  n:") for line in lines)
    assert any(line.startswith("1 m:") for line in lines)
