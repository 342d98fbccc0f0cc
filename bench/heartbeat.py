"""The heartbeat style: throughput, detection of a killed node, idle processor time, on one machine.

Three messaging daemons on 127.0.0.1 to 127.0.0.3 that speak Heartbeat's protocol with our ring inside, driven by the
same flooding sender as in ``bench.messaging``; its rows show the style without Heartbeat around the ring.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.messaging import ENVIRONMENT, LOADS, OWN_DELIVERIES, ROUNDS, busiest, flooding
from bench.table import Figure, print_table
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.lab.heartbeat_files import ha_cf, write_heartbeat_files
from hatools.runtime.directories import Directories
from hatools.values.errors import DisconnectedError

PORT = 15794
DEADTIME_S = 4.4
NODES = {"n1": "127.0.0.1", "n2": "127.0.0.2", "n3": "127.0.0.3"}
IDLE_S = 10.0
DEFAULT_TIMES = "deadtime 30\nkeepalive 1\nwarntime 15\ninitdead 60\n"


def run() -> None:
    """Measure and print."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="hatools-bench-") as name:
        folder = Path(name)
        with _cluster(folder / "fast", "") as processes:
            figures += _floods(folder / "fast")
            figures.append(_detection(folder / "fast", processes))
        with _cluster(folder / "default", DEFAULT_TIMES) as processes:
            share = busiest(list(processes.values()), IDLE_S)
            figures.append(
                Figure("idle at default timers, busiest node", share, "% of a core", None, "< 1 %", share < 1)
            )
    print_table("The heartbeat style, 3 nodes on one machine", figures)


@contextlib.contextmanager
def _cluster(folder: Path, times: str) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """Run daemons that have formed one view; directives in ``times`` come last, and so they hold."""
    processes = {name: _start(_directories(folder, name), name, times) for name in NODES}
    try:
        _wait_for(folder, set(NODES))
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def _directories(folder: Path, name: str) -> Directories:
    return Directories(folder / name)


def _start(directories: Directories, name: str, times: str) -> "subprocess.Popen[bytes]":
    directories.prepare()
    write_heartbeat_files(directories, ha_cf(NODES, PORT, round(DEADTIME_S * 1000 / 2.2)) + times, bytes(range(32)))
    environment = {
        **ENVIRONMENT,
        "HATOOLS_ROOT": str(directories.root),
        "HATOOLS_NODE_NAME": name,
        "HATOOLS_NODE_ADDRESS": NODES[name],
        "HATOOLS_MESSAGING": "heartbeat",
    }
    return subprocess.Popen([sys.executable, "-m", "hatools.daemons.messaging"], env=environment)


def _members(directories: Directories) -> set[str]:
    try:
        messaging = BlockingMessaging(directories, name="bench")
        try:
            return {member.name for member in messaging.describe().members}
        finally:
            messaging.close()
    except DisconnectedError:
        return set()


def _wait_for(folder: Path, members: set[str]) -> None:
    begin = time.monotonic()
    while not all(_members(_directories(folder, name)) == members for name in members):
        if time.monotonic() - begin > 60:
            raise RuntimeError("the nodes did not form a view")
        time.sleep(0.01)


def _floods(folder: Path) -> list[Figure]:
    figures = []
    with flooding([_directories(folder, name) for name in NODES]) as sender:
        for _ in range(ROUNDS):
            for size, count, outstanding in LOADS:
                sender.flood(size, count, outstanding)
                sender.flood(size, OWN_DELIVERIES, 1)
    for size, _, _ in LOADS:
        figures.append(Figure(f"{size} bytes, flood", sender.rates[size], "/s"))
        figures.append(Figure(f"{size} bytes, own delivery p50", sender.own[size] * 1000, "ms"))
    return figures


def _detection(folder: Path, processes: dict[str, "subprocess.Popen[bytes]"]) -> Figure:
    begin = time.monotonic()
    processes["n3"].send_signal(signal.SIGKILL)
    _wait_for(folder, {"n1", "n2"})
    took = time.monotonic() - begin
    goal = f"{DEADTIME_S:.2f} to {DEADTIME_S * 1.1:.2f} s"
    return Figure("killed node to new view", took, "s", None, goal, DEADTIME_S <= took <= DEADTIME_S * 1.1)
