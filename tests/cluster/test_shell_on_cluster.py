"""The interactive crm shell on a running cluster, with somebody else changing the configuration at the same time."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.support.lab import RunningLab, running_lab
from tests.support.terminal import Terminal

PORT = 15980
Start = Callable[..., Terminal]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("shell") / "lab", 1, port=PORT, fencing=False) as running:
        yield running


@pytest.fixture
def configure(lab: RunningLab) -> Iterator[Terminal]:
    lab.configure("primitive web ocf:pacemaker:Dummy params fake=one\nprimitive db ocf:pacemaker:Dummy")
    environment = dict(os.environ) | lab.lab.environment(lab.lab.node("node1"))
    terminal = Terminal(["crm", "configure"], environment | {"PAGER": "cat", "HOME": str(lab.lab.folder)})
    terminal.prompt("configure")
    yield terminal
    terminal.close()


def _value(lab: RunningLab, name: str = "fake") -> str:
    return lab.on("node1", "crm_resource", "-r", "web", "-g", name).strip()


def test_the_bottom_line_shows_the_cluster_and_what_is_pending(lab: RunningLab, configure: Terminal) -> None:
    configure.shows(r"1 of 1 nodes online +quorum")
    configure.run("set web.fake two", "configure")
    configure.shows(r"1 of 1 nodes online +quorum .*1 change not committed")


def test_somebody_elses_change_is_merged_or_settled(lab: RunningLab, configure: Terminal) -> None:
    configure.run("set web.fake two", "configure")
    lab.on("node1", "crm_resource", "-r", "db", "-p", "fake", "-v", "other")
    shown = configure.run("commit", "configure")
    assert "by root with crm_resource on node1: db" in shown
    assert _value(lab) == "two"
    configure.run("set web.fake three", "configure")
    lab.on("node1", "crm_resource", "-r", "web", "-p", "fake", "-v", "four")
    configure.enter("commit")
    configure.shows("params fake: was two, theirs four, yours three")
    configure.shows("Your choice")
    configure.enter("t")
    configure.prompt("configure")
    assert _value(lab) == "four"


def test_a_lost_cluster_refuses_the_commit_and_keeps_the_changes(lab: RunningLab, configure: Terminal) -> None:
    configure.shows(r"1 of 1 nodes online")
    configure.run("set web.fake five", "configure")
    cib = lab.pid("node1", "cib")
    directories = lab.lab.directories(lab.lab.node("node1"))
    supervisor = int(directories.pid_file("pacemakerd").read_text())
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(cib, signal.SIGKILL)
        configure.shows("no cluster answers")
        shown = configure.run("commit", "configure")
        assert "ERROR" in shown
        assert "fake=five" in configure.run("show changed", "configure")
    finally:
        os.kill(supervisor, signal.SIGCONT)
    configure.shows(r"1 of 1 nodes online", 60)
    configure.run("commit", "configure")
    assert _value(lab) == "five"
