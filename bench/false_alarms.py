"""Ten minutes of misery: both cores saturated, 5 % of all datagrams lost, 100 forks a second. No member may be lost.

Needs root. ``HATOOLS_MISERY_SECONDS`` shortens it. It is no part of a plain ``python -m bench`` run, as it takes so
long: name it, ``python -m bench false_alarms``.
"""

import contextlib
import os
import subprocess
import sys
import time

from bench.table import Figure, print_table
from tests.support.namespaces import NamespaceCluster, namespace_cluster, wait_until

SECONDS = float(os.environ.get("HATOOLS_MISERY_SECONDS", "600"))
ONLY_BY_NAME = True

_SPIN = "while True: pass"
_FORK = (
    "import os, time\n"
    "while True:\n"
    "    pid = os.fork()\n"
    "    if pid == 0: os._exit(0)\n"
    "    os.waitpid(pid, 0)\n"
    "    time.sleep(0.01)\n"
)


def run() -> None:
    """Measure and print."""
    if os.geteuid() != 0:
        print("bench.false_alarms: left out, it needs root for network namespaces")
        return
    with namespace_cluster(3) as cluster:
        wait_until(lambda: "Online: [ node1 node2 node3 ]" in cluster.on("node1", "crm_mon", "-1", check=False), 60.0)
        for node in cluster.nodes:
            drop = ("-p", "udp", "-m", "statistic", "--mode", "random", "--probability", "0.05", "-j", "DROP")
            cluster.on(node, "iptables", "-A", "INPUT", *drop)
        load = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(os.cpu_count() or 2)]
        load.append(subprocess.Popen([sys.executable, "-c", _FORK]))
        try:
            views = _views(cluster)
            time.sleep(SECONDS)
            changes = _views(cluster) - views
        finally:
            for process in load:
                process.kill()
                process.wait()
    print_table(
        f"False alarms in {SECONDS:g} s under load, loss and forks",
        [Figure("view changes", float(changes), "", None, "0", changes == 0)],
    )


def _views(cluster: NamespaceCluster) -> int:
    """Return how many views the nodes have logged."""
    count = 0
    for node in cluster.nodes:
        with contextlib.suppress(AssertionError):
            text = cluster.on(node, "cat", "/var/log/pacemaker/pacemaker.log")
            count += sum(1 for line in text.splitlines() if "notice: view " in line)
    return count
