"""Whole clusters in the heartbeat style: nodes in namespaces that hear each other by broadcast, and the lab."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatools.lab import cluster as commands
from tests.support import requires
from tests.support.heartbeat import ha_cf
from tests.support.lab import running_lab
from tests.support.namespaces import NamespaceCluster, namespace_cluster, wait_until

DEADTIME_S = 4.0
NODES = ["node1", "node2", "node3"]
CONFIGURATION = """\
property stonith-enabled=true
primitive fencing stonith:fence_lab params control="{control}" pcmk_host_list="node1 node2 node3"
primitive thing ocf:pacemaker:Dummy op monitor interval=2s timeout=20s
location thing-on-node3 thing 50: node3
"""


def be_heartbeat_node(node: str) -> None:
    """Inside a node, before its daemons start: exchange the files of the corosync style for Heartbeat's."""
    for name in ("corosync.conf", "authkey"):
        Path("/etc/corosync", name).unlink(missing_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "ha.d", "/etc/ha.d"], check=True)
    Path("/etc/ha.d/ha.cf").write_text(ha_cf(NODES, "bcast eth0", crm="respawn", cluster="spaces"))
    keys = Path("/etc/ha.d/authkeys")
    keys.write_text("auth 1\n1 sha1 KeyOfTheHeartbeatClusterTest\n")
    keys.chmod(0o600)
    Path("/etc/default/pacemaker").write_text("HATOOLS_MESSAGING=heartbeat\n")


@pytest.fixture(scope="module")
def cluster() -> Iterator[NamespaceCluster]:
    requires.root()
    requires.program("nsenter", "util-linux")
    requires.file("/etc/ha.d", "resource-agents")
    requires.file("/usr/lib/ocf/resource.d/pacemaker/Dummy", "pacemaker-resource-agents")
    with namespace_cluster(3, prepare=be_heartbeat_node) as made:
        wait_until(lambda: "Online: [ node1 node2 node3 ]" in status(made, "node1"), 60.0)
        configuration = made.folder / "thing.crm"
        configuration.write_text(CONFIGURATION.format(control=made.control))
        made.on("node1", "crm", "configure", "load", "update", str(configuration))
        wait_until(lambda: "Started node3" in line_of(made, "node1", "thing"), 30.0)
        yield made


def status(cluster: NamespaceCluster, node: str) -> str:
    return cluster.on(node, "crm_mon", "-1", check=False)


def line_of(cluster: NamespaceCluster, node: str, resource: str) -> str:
    return next((line for line in status(cluster, node).splitlines() if f"* {resource}\t" in line), "")


def test_three_nodes_form_a_cluster_and_say_by_which_messaging(cluster: NamespaceCluster) -> None:
    text = status(cluster, "node2")

    assert "Stack: Heartbeat" in text
    assert "partition with quorum" in text
    cluster.on("node2", "cibadmin", "-Q")
    assert cluster.on("node1", "crm_node", "-q").strip() == "1"


def test_cl_status_tells_what_the_original_would(cluster: NamespaceCluster) -> None:
    assert cluster.on("node1", "cl_status", "hbstatus") == "Heartbeat is running on this machine.\n"
    assert cluster.on("node1", "cl_status", "listnodes") == "node3\nnode2\nnode1\n"
    assert cluster.on("node1", "cl_status", "nodestatus", "node2") == "active\n"
    assert cluster.on("node1", "cl_status", "hblinkstatus", "node2", "eth0") == "up\n"
    assert cluster.on("node1", "cl_status", "hbparameter", "-p", "deadtime") == "4\n"


def test_a_killed_node_is_fenced_and_its_resource_starts_elsewhere(cluster: NamespaceCluster) -> None:
    began = time.monotonic()
    cluster.tell("node3", "kill")

    wait_until(lambda: "node3" not in line_of(cluster, "node1", "thing") != "", 40.0)
    taken = time.monotonic() - began

    assert taken > DEADTIME_S
    history = cluster.on("node1", "stonith_admin", "--history", "node3", check=False)
    assert "node3" in history
    wait_until(lambda: "Online: [ node1 node2 node3 ]" in status(cluster, "node1"), 60.0)


def test_a_node_that_is_cut_off_loses_quorum_and_comes_back(cluster: NamespaceCluster) -> None:
    wait_until(lambda: "Online: [ node1 node2 node3 ]" in status(cluster, "node1"), 60.0)
    cluster.set_link("node2", "down")
    try:
        wait_until(lambda: "node2" not in online(cluster, "node1"), 30.0)
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # fenced meanwhile, it boots with a new cable
            cluster.set_link("node2", "up")
    wait_until(lambda: "Online: [ node1 node2 node3 ]" in status(cluster, "node1"), 90.0)


def online(cluster: NamespaceCluster, node: str) -> str:
    return next((line for line in status(cluster, node).splitlines() if "Online:" in line), "")


def test_a_node_that_stops_says_goodbye(cluster: NamespaceCluster) -> None:
    wait_until(lambda: "Online: [ node1 node2 node3 ]" in status(cluster, "node1"), 90.0)
    began = time.monotonic()
    cluster.on("node2", "pacemakerd", "--shutdown", check=False, timeout=40)

    wait_until(lambda: cluster.on("node1", "cl_status", "nodestatus", "node2", check=False) == "dead\n", 30.0)

    assert "OFFLINE: [ node2 ]" in status(cluster, "node1") or time.monotonic() - began < 30
    assert "UNCLEAN" not in status(cluster, "node1")


def test_a_lab_can_have_this_style(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", port=free_port(), messaging="heartbeat") as lab:
        lab.on("node1", "crm", "configure", "primitive", "d", "ocf:pacemaker:Dummy", "op", "monitor", "interval=2s")
        (victim,) = lab.wait_active("d", lambda where: len(where) == 1)
        observer = next(node for node in NODES if node != victim)
        commands.command_node(lab.lab, lab.lab.node(victim), "kill")
        (heir,) = lab.wait_active("d", lambda where: len(where) == 1 and where != [victim], observer)

        third = next(node for node in NODES if node not in (victim, heir))
        commands.set_fault(lab.lab, lab.lab.node(heir), lab.lab.node(third), drop=True)
        commands.heal(lab.lab)
        assert lab.on(heir, "cl_status", "nodestatus", third) == "active\n"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
