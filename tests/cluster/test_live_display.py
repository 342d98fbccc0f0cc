"""The live view of crm_mon on a terminal, as a person sees it: a lab of one node and a pseudo-terminal."""

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import SOURCE, RunningLab, running_lab

PORT = 15640


class Terminal:
    """crm_mon on a pseudo-terminal; what it wrote can be waited for."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            command = [sys.executable, str(SOURCE / "bin" / "crm_mon")]
            os.execve(sys.executable, command, environment | {"TERM": "xterm"})
        termios.tcsetwinsize(self.master, (50, 120))

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def wait_for(self, text: str, timeout_s: float = 30.0) -> str:
        """Return what was written until a text came, without the terminal's control sequences."""
        deadline = time.monotonic() + timeout_s
        seen = ""
        while text not in seen:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(0.0, left))
            assert ready, f"{text!r} never appeared after {seen!r}"
            seen += re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", os.read(self.master, 65536).decode())
        return seen

    def exit_status(self) -> int:
        """Wait for the end; return the exit status."""
        while True:
            try:
                if not os.read(self.master, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("live") / "lab", 1, port=PORT, fencing=False) as running:
        yield running


@pytest.fixture
def terminal(lab: RunningLab) -> Iterator[Terminal]:
    started = Terminal(dict(os.environ) | lab.lab.environment(lab.lab.node("node1")))
    yield started
    os.close(started.master)


def test_changes_keys_and_the_end(lab: RunningLab, terminal: Terminal) -> None:
    terminal.wait_for("Online: [ node1 ]")
    lab.on("node1", "crm_attribute", "-N", "node1", "-n", "color", "-v", "green")
    terminal.press("A")
    terminal.wait_for("color")
    terminal.press("?")
    terminal.wait_for("Toggle fields via field letter")
    terminal.press("n")
    terminal.press("x")
    terminal.wait_for("Node node1: online")
    lab.on("node1", "crm_attribute", "-N", "node1", "-n", "shape", "-v", "round")
    terminal.wait_for("shape")
    terminal.press("\x03")
    assert terminal.exit_status() == 0


def test_a_cluster_that_goes_away_leaves_a_stale_view(lab: RunningLab, terminal: Terminal) -> None:
    terminal.wait_for("Online: [ node1 ]")
    os.kill(lab.pid("node1", "cib"), signal.SIGKILL)
    terminal.wait_for("What follows is stale")
    terminal.wait_for("Cluster Summary")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.exit_status() == 0


def test_without_cluster_it_waits(tmp_path: Path) -> None:
    waiting = Terminal(dict(os.environ) | {"HATOOLS_ROOT": str(tmp_path)})
    waiting.wait_for("Waiting until cluster is available on this node ...")
    waiting.press("\x03")
    assert waiting.exit_status() == 0
    os.close(waiting.master)
