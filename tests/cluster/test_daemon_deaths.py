"""Each daemon killed and each daemon frozen under load: the node recovers as the architecture promises."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.daemons.pacemakerd.supervision import STARTUP_ORDER
from hatools.values.errors import UnavailableError
from tests.support.lab import RunningLab, running_lab

PORT = 15610
CONFIGURATION = """\
primitive a ocf:hatools:Dummy op monitor interval=1s timeout=20s
primitive b ocf:hatools:Dummy op monitor interval=1s timeout=20s
primitive c ocf:hatools:Dummy op monitor interval=1s timeout=20s
clone everywhere c
location a-on-node2 a 100: node2
location b-on-node3 b 100: node3
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("lab") / "lab", port=PORT) as lab:
        lab.configure(CONFIGURATION)
        lab.settle()
        yield lab


class Load:
    """Writes attributes and configuration through a node that is left alone, until stopped."""

    def __init__(self, lab: RunningLab, node: str) -> None:
        self._lab = lab
        self._node = node
        self._stopping = threading.Event()
        self.acknowledged: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            value = f"{os.getpid()}-{number}"
            words = ("crm_attribute", "-t", "crm_config", "-n", f"load-{number % 50}", "-v", value)
            if self._lab.command(self._node, *words).returncode == 0:
                self.acknowledged.append(value)
            self._lab.command(self._node, "attrd_updater", "-n", "load", "-U", value)


def everything_runs(lab: RunningLab) -> None:
    lab.settle(timeout_s=120.0)
    lab.wait_active("a", lambda nodes: nodes == ["node2"])
    lab.wait_active("b", lambda nodes: nodes == ["node3"])
    lab.wait_active("c", lambda nodes: nodes == ["node1", "node2", "node3"])


def wait_for_new_pid(lab: RunningLab, node: str, daemon: str, old: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(UnavailableError):
            state = next(item for item in lab.processes(node).daemons if item.name == daemon)
            if state.ready and state.pid not in (0, old):
                return
        time.sleep(0.05)
    raise AssertionError(f"{daemon} on {node} did not come back")


def starts_of(lab: RunningLab, node: str) -> int:
    events = lab.lab.control / f"{node}.events"
    return events.read_text().count("boot")


@pytest.mark.parametrize("daemon", STARTUP_ORDER)
def test_a_killed_daemon_comes_back_and_nothing_is_lost(running: RunningLab, daemon: str) -> None:
    everything_runs(running)
    boots = starts_of(running, "node2")
    with Load(running, "node1") as load:
        old = running.pid("node2", daemon)
        os.kill(old, signal.SIGKILL)
        wait_for_new_pid(running, "node2", daemon, old, 60.0)
        time.sleep(1.0)
    everything_runs(running)
    config = running.on("node1", "cibadmin", "-Q", "-o", "crm_config")
    kept = [value for value in load.acknowledged[-50:] if f'"{value}"' in config]
    assert kept == load.acknowledged[-50:]
    if daemon == "messaging":
        assert starts_of(running, "node2") > boots, "a node that left the cluster must be fenced"
    else:
        assert starts_of(running, "node2") == boots, f"the loss of {daemon} must not cost the node"


@pytest.mark.parametrize("daemon", ["cib", "attrd", "crmd", "lrmd", "stonithd", "pengine", "messaging"])
def test_a_frozen_daemon_is_replaced(running: RunningLab, daemon: str) -> None:
    everything_runs(running)
    old = running.pid("node3", daemon)
    os.kill(old, signal.SIGSTOP)
    wait_for_new_pid(running, "node3", daemon, old, 90.0)
    everything_runs(running)


def test_a_second_pacemakerd_on_the_same_root_is_refused(running: RunningLab) -> None:
    done = running.command("node1", "pacemakerd", "-f")
    assert done.returncode == 108
    assert "already runs on this root as process" in done.stderr


def test_when_pacemakerd_dies_its_daemons_die_and_the_node_is_fenced(running: RunningLab) -> None:
    everything_runs(running)
    boots = starts_of(running, "node3")
    pids = [item.pid for item in running.processes("node3").daemons]
    main = int(running.lab.directories(running.lab.node("node3")).pid_file("pacemakerd").read_text())
    os.kill(main, signal.SIGKILL)
    deadline = time.monotonic() + 5.0
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "daemons outlived pacemakerd"
        time.sleep(0.02)
    deadline = time.monotonic() + 60.0
    while starts_of(running, "node3") == boots:
        assert time.monotonic() < deadline, "the node was not fenced"
        time.sleep(0.1)
    everything_runs(running)
