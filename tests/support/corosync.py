"""A real Corosync inside the nodes of a :class:`NamespaceCluster`, started as the system's service would."""

import os
import subprocess
from pathlib import Path

from tests.support import requires
from tests.support.namespaces import NamespaceCluster

PROGRAM = "/usr/sbin/corosync"
HOLD = Path("/etc/default/hold-corosync")
"""While this file is there, a node boots without its Corosync."""


def need_corosync() -> None:
    """Need the program and the libraries."""
    requires.root()
    requires.file(PROGRAM, "corosync")
    for library in ("libcpg.so.4", "libquorum.so.5", "libvotequorum.so.8", "libcfg.so.7", "libcmap.so.4"):
        requires.file(f"/usr/lib/{os.uname().machine}-linux-gnu/{library}", "corosync")


def prepare_external(node: str) -> None:
    """Choose the external style, encrypt, and start Corosync: runs in the node before its daemons."""
    Path("/etc/default/pacemaker").write_text("HATOOLS_MESSAGING=external\n")
    conf = Path("/etc/corosync/corosync.conf")
    conf.write_text(conf.read_text().replace("totem {\n", "totem {\n  crypto_cipher: aes256\n  crypto_hash: sha256\n"))
    for folder in ("/var/lib/corosync", "/var/log/corosync"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    if not HOLD.exists():
        run_corosync()


def run_corosync() -> None:
    """Start Corosync in this node; whoever is process 1 there reaps it."""
    with Path("/var/log/corosync/stderr.log").open("ab") as log:
        subprocess.Popen([PROGRAM, "-f"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")


def start_corosync(cluster: NamespaceCluster, node: str) -> None:
    """Start Corosync in a node from outside."""
    script = f"cd / && setsid {PROGRAM} -f </dev/null >>/var/log/corosync/stderr.log 2>&1 &"
    cluster.on(node, "sh", "-c", script)


def signal_program(cluster: NamespaceCluster, node: str, name: str, signal: str) -> None:
    """Send a signal to the programs of a node that have this name (as ``ps -o comm`` shows it)."""
    cluster.on(node, "pkill", f"-{signal}", "-x", name)
