"""The live view of crm_mon as a person sees it: a lab of one node, and a terminal."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.lab import RunningLab, running_lab
from tests.support.terminal import Terminal

PORT = 15640
Start = Callable[..., Terminal]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("live") / "lab", 1, port=PORT, fencing=False) as running:
        resources = [f"primitive r{number} ocf:pacemaker:Dummy op monitor interval=10s" for number in range(8)]
        running.configure("\n".join([*resources, "clone all r7"]))
        yield running


@pytest.fixture
def start(lab: RunningLab) -> Iterator[Start]:
    started: list[Terminal] = []

    def begin(*words: str, rows: int = 50, columns: int = 120) -> Terminal:
        environment = dict(os.environ) | lab.lab.environment(lab.lab.node("node1"))
        terminal = Terminal(["crm_mon", *words], environment, rows=rows, columns=columns)
        started.append(terminal)
        return terminal

    yield begin
    for terminal in started:
        terminal.close()


def test_changes_appear_as_they_happen(lab: RunningLab, start: Start) -> None:
    terminal = start("-A", "-r")
    terminal.shows(r"Online: \[ node1 \]")
    lab.on("node1", "crm_attribute", "-N", "node1", "-n", "color", "-v", "green")
    terminal.shows(r"\* color +: green", 5)
    lab.on("node1", "crm", "resource", "stop", "r0")
    terminal.shows(r"r0\s.*Stopped", 10)
    lab.on("node1", "crm", "resource", "start", "r0")
    terminal.shows(r"r0\s.*Started node1", 10)


@pytest.mark.parametrize(
    ("key", "appears"),
    [
        ("n", r"Node node1: online"),
        ("o", r"Operations:"),
        ("f", r"Migration Summary:"),
        ("t", r"last-run|Operations:|last-rc-change"),
        ("r", r"Full List of Resources:"),
        ("b", r"\* (Started|1/1|8/8|7/7).*ocf::pacemaker:Dummy|ocf.*pacemaker.*Dummy"),
        ("A", r"Node Attributes:"),
        ("L", r"Negative Location Constraints:|Online:"),
        ("?", r"Toggle fields via field letter"),
    ],
)
def test_a_key_shows_its_section(start: Start, key: str, appears: str) -> None:
    terminal = start()
    terminal.shows(r"Online: \[ node1 \]")
    terminal.press("o" if key == "t" else "", key)
    terminal.shows(appears, 5)


def test_a_key_pressed_twice_takes_its_section_away_again(start: Start) -> None:
    terminal = start()
    terminal.shows(r"Online: \[ node1 \]")
    terminal.press("o")
    terminal.shows("Operations:", 5)
    terminal.press("o")
    terminal.wait_until(lambda t: "Operations:" not in t.text, "no operations", 5)


def test_the_letter_d_hides_and_shows_the_summary(start: Start) -> None:
    terminal = start()
    terminal.shows("Cluster Summary:")
    terminal.press("D")
    terminal.wait_until(lambda t: "Cluster Summary:" not in t.text and "Online" in t.text, "no summary", 5)
    terminal.press("D")
    terminal.shows("Cluster Summary:", 5)


def test_a_resized_window_is_filled_anew(start: Start) -> None:
    terminal = start(rows=50)
    terminal.shows(r"r6\s.*Started node1")
    terminal.resize(12, 80)
    terminal.wait_until(lambda t: "Cluster Summary:" in t.text and "r6" not in t.text, "fewer lines", 10)
    assert all(len(line) <= 80 for line in terminal.lines)
    terminal.resize(50, 120)
    terminal.shows(r"Cluster Summary:[\s\S]*r6\s.*Started node1", 10)


def test_a_lost_cluster_leaves_a_stale_view_until_it_is_back(lab: RunningLab, start: Start) -> None:
    terminal = start()
    terminal.shows(r"Online: \[ node1 \]")
    os.kill(lab.pid("node1", "cib"), signal.SIGKILL)
    terminal.shows(r"What follows is stale[\s\S]*Cluster Summary")
    terminal.wait_until(
        lambda t: "stale" not in t.text and re.search(r"Online: \[ node1 \]", t.text) is not None,
        "the cluster again",
        60,
    )
    lab.on("node1", "crm_attribute", "-N", "node1", "-n", "back", "-v", "again")
    terminal.press("A")
    terminal.shows(r"\* back +: again", 10)


@pytest.mark.parametrize("key", ["ctrl-c", "q"])
def test_it_ends_when_told_to(start: Start, key: str) -> None:
    terminal = start()
    terminal.shows(r"Online: \[ node1 \]")
    if key == "q":
        terminal.child.kill(signal.SIGTERM)
    else:
        terminal.press(key)
    assert terminal.end() == 0


def test_without_cluster_it_waits(tmp_path: Path) -> None:
    terminal = Terminal(["crm_mon"], dict(os.environ) | {"HATOOLS_ROOT": str(tmp_path)})
    terminal.shows("Waiting until cluster is available on this node")
    terminal.press("ctrl-c")
    assert terminal.end() == 0


def test_once_on_a_terminal_it_warns_first_and_into_a_pipe_it_does_not(lab: RunningLab, start: Start) -> None:
    start("-1").shows(r"Warning: fencing is disabled.*\n.*Cluster Summary", 10)

    assert "Warning" not in lab.on("node1", "crm_mon", "-1")
    assert lab.on("node1", "crm_mon", "-1", "--warnings").startswith("Warning: fencing is disabled")
