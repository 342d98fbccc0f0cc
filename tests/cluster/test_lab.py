"""`crm lab`: start, faults, clear answers to what cannot be done. No root needed."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.lab import cluster
from hatools.lab.nodes import Lab
from hatools.values.errors import NoSuchObjectError
from tests.support.lab import SOURCE

PORT = "15620"


class LabCommand:
    """Runs `crm lab` with a lab folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        environment = dict(os.environ) | {"HATOOLS_LAB": str(self.folder)}
        return subprocess.run(
            [sys.executable, str(SOURCE / "bin" / "crm"), "lab", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def must(self, *words: str) -> str:
        done = self(*words)
        assert done.returncode == 0, f"crm lab {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def boots(self, node: str) -> int:
        """Return how often a node was booted."""
        return (self.folder / "control" / f"{node}.events").read_text().count("boot")

    def wait_for_boot(self, node: str, before: int) -> None:
        """Wait until a node was booted again."""
        deadline = time.monotonic() + 60.0
        while self.boots(node) == before:
            assert time.monotonic() < deadline, f"{node} was not fenced"
            time.sleep(0.1)

    def until(self, condition: str, *words: str, timeout_s: float = 60.0) -> str:
        """Repeat a command until its output holds a text."""
        deadline = time.monotonic() + timeout_s
        text = ""
        while time.monotonic() < deadline:
            text = self(*words).stdout
            if condition in text:
                return text
            time.sleep(0.2)
        raise AssertionError(f"{condition!r} never appeared in: {text}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCommand]:
    command = LabCommand(tmp_path_factory.mktemp("lab") / "lab")
    try:
        yield command
    finally:
        # The folder stays, for a look at the logs of a failed test.
        with contextlib.suppress(NoSuchObjectError):
            cluster.shut_down(Lab.load(command.folder), hard=True)


def test_a_used_port_is_named_before_anything_is_made(lab: LabCommand) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.2", int(PORT)))
        done = lab("start", "3", "--port", PORT)
    assert done.returncode != 0
    assert f"UDP port {PORT} on 127.0.0.2 cannot be used" in done.stderr
    assert not lab.folder.exists()


def test_start_brings_three_nodes_online(lab: LabCommand) -> None:
    assert "3 nodes online" in lab.must("start", "3", "--port", PORT)
    assert "Online: [ node1 node2 node3 ]" in lab.must("exec", "node1", "crm_mon", "-1")


def test_starting_twice_is_refused(lab: LabCommand) -> None:
    done = lab("start", "3")
    assert done.returncode != 0
    assert "already runs" in done.stderr


def test_a_killed_node_is_fenced_and_comes_back(lab: LabCommand) -> None:
    boots = lab.boots("node3")
    assert "no process of it lives any more" in lab.must("kill", "node3")
    lab.wait_for_boot("node3", boots)
    lab.until("Online: [ node1 node2 node3 ]", "exec", "node1", "crm_mon", "-1")
    history = lab.must("exec", "node1", "stonith_admin", "-H", "node3")
    assert "node3" in history and "reboot" in history


def test_a_cut_off_node_is_fenced(lab: LabCommand) -> None:
    boots = lab.boots("node2")
    lab.must("cut", "node2")
    lab.wait_for_boot("node2", boots)
    lab.must("heal")
    lab.until("Online: [ node1 node2 node3 ]", "exec", "node1", "crm_mon", "-1")


def test_slow_messages_do_not_cost_a_node(lab: LabCommand) -> None:
    boots = lab.boots("node3")
    lab.must("slow", "node3", "40ms")
    time.sleep(3)
    lab.must("exec", "node3", "crm_attribute", "-t", "crm_config", "-n", "slow", "-v", "yes")
    lab.must("heal")
    assert lab.boots("node3") == boots


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("kill", "node9"), "it has node1, node2, node3"),
        (("frobnicate",), "does not exist: the commands are"),
        (("slow", "node1", "fast"), "give a delay"),
        (("start", "4"), "already runs"),
        (("exec", "node1", "no-such-command"), "was not found"),
    ],
)
def test_what_cannot_be_done_is_answered(lab: LabCommand, words: tuple[str, ...], answer: str) -> None:
    done = lab(*words)
    assert done.returncode != 0
    assert answer in done.stderr


def test_status_lists_power_and_controllers(lab: LabCommand) -> None:
    text = lab.must("status")
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["node1", "node2", "node3"]
    assert text.count(" up ") == 3


def test_a_stopped_lab_starts_again_with_its_configuration(lab: LabCommand) -> None:
    lab.must("exec", "node1", "crm_attribute", "-t", "crm_config", "-n", "kept", "-v", "yes")
    lab.must("stop")
    assert "found a stopped lab of 3 nodes" in lab.must("start")
    assert 'value="yes"' in lab.must("exec", "node2", "cibadmin", "-Q", "--xpath", "//nvpair[@name='kept']")


def test_destroy_leaves_nothing(lab: LabCommand) -> None:
    lab.must("destroy")
    assert not lab.folder.exists()
    done = lab("status")
    assert done.returncode != 0
    assert "crm lab start 3" in done.stderr
