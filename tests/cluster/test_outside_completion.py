"""Completion of ``crm`` in bash and zsh, typed at their prompts on a terminal."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.test_interactive_shell import CIB
from tests.support import requires
from tests.support.terminal import SOURCE, Terminal

COMPLETIONS = SOURCE / "share" / "completions"
START = {
    "bash": (("--norc", "--noprofile", "-i"), f"source {COMPLETIONS}/bash/crm"),
    "zsh": (("-f", "-i"), f"fpath=({COMPLETIONS}/zsh $fpath); autoload -U compinit; compinit -u -D"),
}
Start = Callable[[str], Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "cib.xml").write_text(CIB, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    crm = tmp_path / "bin" / "crm"
    crm.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SOURCE}/bin/crm" "$@"\n', encoding="utf-8")
    crm.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CIB_file": str(tmp_path / "cib.xml"),
        "LC_ALL": "C.UTF-8",
        "PS1": "starting> ",
    }
    started: list[Terminal] = []

    def begin(shell: str) -> Terminal:
        path = requires.program(shell, shell)
        options, setup = START[shell]
        terminal = Terminal([path, *options], environment, folder=tmp_path)
        started.append(terminal)
        terminal.wait_until(lambda t: t.cursor != "", "a prompt")
        terminal.enter(f"PS1='ready> '; {setup}; clear")
        terminal.wait_until(lambda t: t.cursor == "ready> " and t.text == "ready>", "a clear prompt")
        return terminal

    yield begin
    for terminal in started:
        terminal.close()


@pytest.mark.parametrize("shell", START)
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("crm conf", "crm configure "),
        ("crm configure prim", "crm configure primitive "),
        ("crm resource stop we", "crm resource stop web "),
        ("crm node standby al", "crm node standby alpha "),
        ("crm configure property no-quo", "crm configure property no-quorum-policy="),
        ("crm configure property no-quorum-policy=fr", "crm configure property no-quorum-policy=freeze "),
        (
            "crm configure primitive x ocf:pacemaker:Stateful op promo",
            "crm configure primitive x ocf:pacemaker:Stateful op promote ",
        ),
        ("crm configure load update cib.x", "crm configure load update cib.xml "),
    ],
)
def test_tab_completes_a_word(start: Start, shell: str, typed: str, completed: str) -> None:
    terminal = start(shell)
    terminal.type(typed, "tab")
    terminal.wait_until(lambda t: t.cursor == f"ready> {completed}", completed, 15)


@pytest.mark.parametrize("shell", START)
def test_two_tabs_list_what_can_follow(start: Start, shell: str) -> None:
    terminal = start(shell)
    terminal.type("crm resource st", "tab", "tab")
    shown = terminal.shows(r"start[\s\S]*status[\s\S]*stop", 15)
    assert "configure" not in shown
