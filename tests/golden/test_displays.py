"""Displays of crm_mon and crm_simulate: each ``.txt`` file holds a command and what it prints.

The clusters are those of the ``.xml`` files beside them. ``--update-golden`` writes the files
anew: review the difference.
"""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hatools.cli import crm_mon, crm_simulate

FOLDER = Path(__file__).parent
CASES = [*sorted((FOLDER / "crm_mon").glob("*.txt")), *sorted((FOLDER / "simulate").glob("*.txt"))]
NOW = 1_769_774_400.0
COMMANDS: dict[str, Callable[[list[str]], int]] = {"crm_mon": crm_mon.main, "crm_simulate": crm_simulate.main}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_display(
    case: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first, _, expected = case.read_text(encoding="utf-8").partition("\n")
    words = shlex.split(first.removeprefix("$ "))
    monkeypatch.chdir(case.parent)
    monkeypatch.setenv("TZ", "UTC")
    while "=" in words[0]:
        monkeypatch.setenv(*words.pop(0).split("=", 1))
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(time, "time", lambda: NOW)
    COMMANDS[words[0]](words[1:])
    shown = capfd.readouterr().out
    if update_golden:
        case.write_text(f"{first}\n{shown}", encoding="utf-8")
        return
    assert shown == expected
