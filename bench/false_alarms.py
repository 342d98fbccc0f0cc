"""Ten minutes of misery: both cores saturated, 5 % of all datagrams lost, 100 forks a second. No member may be lost.

A lab of three, which has no real-time scheduling to help it. ``HATOOLS_MISERY_SECONDS`` shortens it. It takes so long
that it is no part of a plain ``python -m bench``: name it, ``python -m bench false_alarms``.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Figure, print_table
from hatools.ipc.blocking import BlockingConnection
from hatools.ipc.messages.messaging import SetFault
from tests.support.lab import RunningLab, running_lab

SECONDS = float(os.environ.get("HATOOLS_MISERY_SECONDS", "600"))
LOSS_PERCENT = 5
PORT = 15695
ONLY_BY_NAME = True

_SPIN = "while True: pass"
_FORK = (
    "import os, time\n"
    "while True:\n"
    "    pid = os.fork()\n"
    "    if pid == 0: os._exit(0)\n"
    "    os.waitpid(pid, 0)\n"
    "    time.sleep(0.009)\n"
)


def run() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder,
        running_lab(Path(folder) / "lab", port=PORT) as lab,
    ):
        _lose_datagrams(lab)
        before = _views(lab)
        load = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(os.cpu_count() or 2)]
        load.append(subprocess.Popen([sys.executable, "-c", _FORK]))
        try:
            time.sleep(SECONDS)
            changes = _views(lab) - before
        finally:
            for process in load:
                process.kill()
                process.wait()
    title = f"False alarms in {SECONDS:g} s: both cores busy, {LOSS_PERCENT} % loss, 100 forks a second"
    print_table(title, [Figure("view changes", float(changes), "", None, "0", changes == 0)])


def _lose_datagrams(lab: RunningLab) -> None:
    for node in lab.lab.nodes:
        path = lab.lab.directories(node).socket("messaging")
        with BlockingConnection(path, "messaging", name="bench") as connection:
            for peer in lab.lab.nodes:
                if peer != node:
                    connection.request(SetFault(peer.id, loss_percent=LOSS_PERCENT))


def _views(lab: RunningLab) -> int:
    """Return how many views the nodes have logged."""
    logs = [lab.lab.directories(node).log_file.read_text() for node in lab.lab.nodes]
    return sum(line.count("notice: view ") for text in logs for line in text.splitlines())
