"""Bad input to a running cluster: each is answered clearly, and nothing changes."""

import os
import socket
import time
from collections.abc import Iterator

import pytest

from hatools.lab import cluster
from tests.support.lab import RunningLab, running_lab

PORT = 15630


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("lab") / "lab", port=PORT) as lab:
        lab.configure("primitive a ocf:hatools:Dummy op monitor interval=5s timeout=20s\n")
        lab.settle()
        yield lab


def configuration(lab: RunningLab) -> str:
    return lab.on("node2", "cibadmin", "-Q", "-o", "configuration")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("primtive b ocf:hatools:Dummy", "primtive"),
        ("primitive b", "b"),
        ("primitive b ocf:hatools:NoSuchAgent", "NoSuchAgent"),
        ("location l a 50: ", "l"),
        ('primitive b ocf:hatools:Dummy params state="', "quot"),
    ],
)
def test_a_broken_line_is_answered_and_changes_nothing(running: RunningLab, line: str, answer: str) -> None:
    before = configuration(running)
    done = running.command("node1", "crm", "configure", "load", "update", "-", stdin=line + "\n")
    assert done.returncode != 0
    assert answer.lower() in (done.stdout + done.stderr).lower()
    assert "Traceback" not in done.stderr
    assert configuration(running) == before


@pytest.mark.parametrize(
    "xml",
    [
        "<resources><primitive id='b'/></resources>",
        "<resources><primitive id='a' class='ocf' provider='x' type='y' colour='red'/></resources>",
        "<resources><primitive",
        "no xml at all",
        "<cib/>",
    ],
)
def test_an_invalid_cib_is_refused_and_changes_nothing(running: RunningLab, xml: str) -> None:
    before = configuration(running)
    done = running.command("node1", "cibadmin", "-R", "-o", "resources", "-p", stdin=xml)
    assert done.returncode != 0
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert configuration(running) == before


def test_garbage_on_the_ring_changes_nothing(running: RunningLab) -> None:
    boots = [(running.lab.control / f"{name}.events").read_text() for name in running.names]
    dc = running.settle()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(2000):
            node = running.lab.nodes[number % 3]
            stranger.sendto(os.urandom(number % 1400 + 1), (node.address, PORT))
    time.sleep(1.0)
    assert running.settle() == dc
    assert [(running.lab.control / f"{name}.events").read_text() for name in running.names] == boots


def test_a_node_with_another_key_stays_outside_and_says_so(running: RunningLab) -> None:
    node = running.lab.node("node3")
    key = running.lab.directories(node).corosync_authkey
    good = key.read_bytes()
    cluster.command_node(running.lab, node, "stop")
    running.settle(["node1", "node2"])
    try:
        key.chmod(0o600)
        key.write_bytes(os.urandom(256))
        key.chmod(0o400)
        cluster.command_node(running.lab, node, "start")
        time.sleep(3.0)
        running.settle(["node1", "node2"])
        assert running.on("node1", "crm_node", "-p").split() == ["node1", "node2"]
    finally:
        cluster.command_node(running.lab, node, "kill")
        key.chmod(0o600)
        key.write_bytes(good)
        key.chmod(0o400)
    log = running.lab.directories(running.lab.node("node1")).log_file.read_text()
    assert node.address in log.rpartition("left: node3")[2]
    cluster.command_node(running.lab, node, "start")
    running.settle(timeout_s=90.0)


@pytest.mark.parametrize(("content", "mode"), [(b"short", 0o400), (b"x" * 256, 0o644)])
def test_an_unusable_key_stops_messaging_with_a_message(running: RunningLab, content: bytes, mode: int) -> None:
    node = running.lab.node("node3")
    key = running.lab.directories(node).corosync_authkey
    good = key.read_bytes()
    cluster.command_node(running.lab, node, "stop")
    try:
        key.chmod(0o600)
        key.write_bytes(content)
        key.chmod(mode)
        cluster.command_node(running.lab, node, "start")
        deadline = time.monotonic() + 20.0
        while "authkey" not in running.lab.directories(node).log_file.read_text()[-5000:]:
            assert time.monotonic() < deadline, "no message about the key"
            time.sleep(0.1)
    finally:
        cluster.command_node(running.lab, node, "kill")
        key.chmod(0o600)
        key.write_bytes(good)
        key.chmod(0o400)
    cluster.command_node(running.lab, node, "start")
    running.settle(timeout_s=90.0)
