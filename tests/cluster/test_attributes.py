"""Transient attributes in a running cluster: whatever dies or is erased, the CIB holds them again."""

import os
import signal
import time
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from hatools.lab.cluster import command_node
from tests.support.lab import RunningLab, running_lab

PORT = 15690
NODES = ("node1", "node2", "node3")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("lab") / "lab", port=PORT, fencing=False) as lab:
        lab.settle()
        for node in NODES:
            lab.on(node, "attrd_updater", "-n", "height", "-U", "1")
        yield lab


def in_cib(lab: RunningLab) -> dict[str, str]:
    """Return the attribute by node, as the CIB has it."""
    status = ElementTree.fromstring(lab.on("node2", "cibadmin", "-Q", "-o", "status"))
    return {
        state.get("uname", ""): pair.get("value", "")
        for state in status.iter("node_state")
        for pair in state.iterfind("transient_attributes//nvpair[@name='height']")
    }


def wait_for(lab: RunningLab, expected: dict[str, str]) -> None:
    deadline = time.monotonic() + 30.0
    while (found := in_cib(lab)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_what_is_erased_from_the_cib_is_written_again(running: RunningLab) -> None:
    wait_for(running, dict.fromkeys(NODES, "1"))
    running.on("node1", "cibadmin", "-D", "--xpath", "//node_state[@uname='node3']/transient_attributes")
    wait_for(running, dict.fromkeys(NODES, "1"))


@pytest.mark.parametrize("daemon", ["attrd", "cib"])
def test_the_death_of_the_writer_or_its_cib_loses_no_count(running: RunningLab, daemon: str) -> None:
    before = in_cib(running)
    os.kill(running.pid("node1", daemon), signal.SIGKILL)
    running.on("node3", "attrd_updater", "-n", "height", "-U", "value++")
    wait_for(running, before | {"node3": str(int(before["node3"]) + 1)})


def test_when_the_writers_node_dies_the_next_one_writes(running: RunningLab) -> None:
    running.on("node3", "attrd_updater", "-n", "height", "-U", "7")
    command_node(running.lab, running.lab.node("node1"), "kill")
    running.on("node3", "attrd_updater", "-n", "height", "-U", "8")
    wait_for(running, {"node2": "1", "node3": "8"})
