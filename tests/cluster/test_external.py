"""A cluster on a real Corosync (three of them, encrypted knet, a namespace each). Needs root and Debian's corosync.

Corosync dies with its node, dies alone, hangs; messaging dies alone. Each time the node is fenced before what it had
starts elsewhere. Then the refusals: of a Corosync that somebody else uses, and beside one that we are not to use.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.cluster.recording import intervals, overlaps, read_calls, read_deaths
from tests.support import requires
from tests.support.corosync import HOLD, need_corosync, prepare_external, signal_program, start_corosync
from tests.support.namespaces import SOURCE, NamespaceCluster, namespace_cluster, uptime, wait_until

LIMIT = 90.0
CONFIGURATION = """\
property stonith-enabled=true
primitive fencing stonith:fence_lab params control="{control}" pcmk_host_list="{hosts}"
primitive thing ocf:recorded:Dummy op monitor interval=5s timeout=20s
"""
ALL_ONLINE = "Online: [ node1 node2 node3 ]"


OWN_RING = HOLD.with_name("own-ring")
"""While this file is there, a node boots with our own ring and without Corosync."""


def prepare(node: str) -> None:
    if OWN_RING.exists():
        HOLD.with_name("pacemaker").write_text("HATOOLS_MESSAGING=corosync\n")
        return
    if node == "node1" and not HOLD.with_name("booted").exists():
        HOLD.touch()
        HOLD.with_name("booted").touch()
    prepare_external(node)


@pytest.fixture(scope="module")
def cluster() -> Iterator[NamespaceCluster]:
    need_corosync()
    requires.program("pkill", "procps")
    requires.file("/usr/lib/ocf/resource.d/pacemaker/Dummy", "pacemaker-resource-agents")
    with namespace_cluster(3, prepare=prepare) as running:
        wait_until(lambda: "waiting for a running corosync" in log(running, "node1"), 30.0)
        (running.folder / "node1/etc/default" / HOLD.name).unlink()
        start_corosync(running, "node1")
        wait_until(lambda: ALL_ONLINE in running.on("node1", "crm_mon", "-1", check=False), 60.0, 0.2)
        file = running.folder / "site.crm"
        file.write_text(CONFIGURATION.format(control=running.control, hosts=" ".join(running.nodes)))
        running.on("node1", "crm", "configure", "load", "update", str(file))
        yield running


def log(cluster: NamespaceCluster, node: str) -> str:
    file = cluster.folder / node / "var/log/pacemaker/pacemaker.log"
    return file.read_text(errors="replace") if file.exists() else ""


def settle(cluster: NamespaceCluster) -> None:
    def settled() -> bool:
        for node in cluster.nodes:
            try:
                text = cluster.on(node, "crm_mon", "-1", check=False, timeout=10)
            except (OSError, ValueError, subprocess.TimeoutExpired):
                return False
            if ALL_ONLINE not in text or "Started node" not in text.partition("thing")[2]:
                return False
        return "S_IDLE" in cluster.on("node1", "crmadmin", "-S", dc(cluster), check=False)

    wait_until(settled, LIMIT, 0.2)


def dc(cluster: NamespaceCluster) -> str:
    return (cluster.on("node1", "crmadmin", "-D", check=False).split() or ["node1"])[-1]


def holder(cluster: NamespaceCluster) -> str:
    text = cluster.on("node1", "crm_resource", "-W", "-r", "thing")
    return text.split()[-1]


def fails_over(cluster: NamespaceCluster, victim: str, began: float) -> None:
    """Wait until the resource runs elsewhere, and check that its old node was dead before."""

    def started() -> list[float]:
        return [
            call.time
            for call in read_calls(cluster.log)
            if (call.resource, call.operation, call.phase) == ("thing", "start", "begin")
            and call.node != victim
            and call.time > began
        ]

    wait_until(lambda: bool(started()), LIMIT)
    deaths = [moment for moment in read_deaths(cluster.control, victim) if moment >= began - 0.02]
    assert deaths, f"{victim} was not fenced"
    assert min(started()) + 0.011 >= min(deaths)
    all_deaths = {node: read_deaths(cluster.control, node) for node in cluster.nodes}
    assert overlaps(intervals(read_calls(cluster.log), all_deaths, "thing", "start", "stop")) == []


@pytest.mark.timeout(300)
def test_the_cluster_runs_on_corosync_and_says_so(cluster: NamespaceCluster) -> None:
    settle(cluster)

    infrastructure = cluster.on(
        "node2", "crm_attribute", "-t", "crm_config", "-n", "cluster-infrastructure", "-q", "-G"
    )
    assert infrastructure.strip() == "corosync"
    status = cluster.on("node3", "corosync-quorumtool", "-s", check=False)
    real = cluster.on("node3", "/usr/sbin/corosync-quorumtool", "-s", check=False)
    for line in ("Total votes:      3", "Quorum:           2", "Flags:            Quorate"):
        assert line in status and line in real
    assert "not encrypted" not in cluster.on("node1", "crm_mon", "-1")
    for prefix in ("totem.", "nodelist.", "quorum."):
        ours = cluster.on("node1", "corosync-cmapctl", prefix)
        assert ours and ours == cluster.on("node1", "/usr/sbin/corosync-cmapctl", prefix)
    links = cluster.on("node1", "corosync-cfgtool", "-s")
    assert links.count("connected") == 2 and "disconnected" not in links


@pytest.mark.timeout(300)
def test_a_configuration_of_more_than_a_megabyte_is_the_same_everywhere(cluster: NamespaceCluster) -> None:
    settle(cluster)
    pairs = "".join(f'<nvpair id="big-{n}" name="p{n}" value="{n:0100}"/>' for n in range(10_000))
    file = cluster.folder / "big.xml"
    file.write_text(
        '<template id="big" class="ocf" provider="pacemaker" type="Dummy">'
        f'<instance_attributes id="big-attributes">{pairs}</instance_attributes></template>'
    )
    assert file.stat().st_size > 1_400_000

    cluster.on("node1", "cibadmin", "-C", "-o", "resources", "-x", str(file), timeout=60)

    def digests() -> set[str]:
        found = [cluster.on(node, "cibadmin", "-Q", "-o", "configuration", "-l") for node in cluster.nodes]
        assert all(len(text) > 1_400_000 for text in found)
        return {hashlib.sha256(text.encode()).hexdigest() for text in found}

    assert len(digests()) == 1
    cluster.on("node2", "cibadmin", "-D", "-o", "resources", "-X", '<template id="big"/>', timeout=60)


@pytest.mark.timeout(300)
def test_a_killed_node_is_fenced_and_comes_back(cluster: NamespaceCluster) -> None:
    settle(cluster)
    victim = holder(cluster)
    began = uptime()

    cluster.tell(victim, "kill")

    fails_over(cluster, victim, began)
    settle(cluster)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("signal", "words"),
    [("KILL", "corosync does not run"), ("STOP", "corosync has not answered")],
)
def test_a_node_whose_corosync_dies_or_hangs_alone_has_left_and_is_fenced(
    cluster: NamespaceCluster, signal: str, words: str
) -> None:
    settle(cluster)
    victim = holder(cluster)
    began = uptime()

    signal_program(cluster, victim, "corosync", signal)

    fails_over(cluster, victim, began)
    assert words in log(cluster, victim)
    settle(cluster)


@pytest.mark.timeout(300)
def test_a_node_whose_messaging_dies_alone_is_fenced(cluster: NamespaceCluster) -> None:
    settle(cluster)
    victim = holder(cluster)
    began = uptime()

    signal_program(cluster, victim, "hatools-messagi", "KILL")

    fails_over(cluster, victim, began)
    settle(cluster)


@pytest.mark.timeout(300)
def test_a_node_on_which_all_but_corosync_is_frozen_is_thrown_out_and_fenced(cluster: NamespaceCluster) -> None:
    settle(cluster)
    victim = holder(cluster)
    began = uptime()

    for name in ("pacemakerd", "hatools-messagi"):
        signal_program(cluster, victim, name, "STOP")
    other = next(node for node in cluster.nodes if node != victim)
    cluster.on(other, "crm_attribute", "-t", "crm_config", "-n", "batch-limit", "-v", "7", check=False, timeout=60)

    fails_over(cluster, victim, began)
    assert any(f"throwing out node {victim[-1]}" in log(cluster, node) for node in cluster.nodes)
    settle(cluster)


@pytest.mark.timeout(300)
def test_a_node_that_stops_in_order_has_left_and_is_not_fenced(cluster: NamespaceCluster) -> None:
    settle(cluster)
    deaths = len(read_deaths(cluster.control, "node3"))
    assert "could not" in cluster.on("node3", "sh", "-c", "/usr/sbin/corosync-cfgtool -H 2>&1 || true").lower()

    cluster.tell("node3", "stop")
    wait_until(lambda: "Online: [ node1 node2 ]" in cluster.on("node1", "crm_mon", "-1"), 30.0)

    assert "left: node3" in log(cluster, "node1")
    assert len(read_deaths(cluster.control, "node3")) == deaths + 1, "it stopped, and nobody fenced it"
    cluster.tell("node3", "start")
    settle(cluster)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("style", ["corosync", "heartbeat"])
def test_another_style_is_refused_beside_the_running_corosync(cluster: NamespaceCluster, style: str) -> None:
    settle(cluster)
    script = f"cd / && PYTHONPATH={SOURCE}/lib HATOOLS_LOG_STDERR=1 HATOOLS_MESSAGING={style} "
    script += f"{sys.executable} -m hatools.daemons.messaging 2>&1; echo status $?"

    said = cluster.on("node2", "sh", "-c", script, check=False)

    assert "corosync runs on this node as process" in said
    assert "status 100" in said


@pytest.mark.timeout(300)
def test_our_own_ring_on_the_port_of_a_real_corosync_meets_nobody(cluster: NamespaceCluster) -> None:
    """Same file, same key, same port, another style: each takes the other's datagrams for noise."""
    settle(cluster)
    marker = cluster.folder / "node2/etc/default" / OWN_RING.name
    cluster.tell("node2", "stop")
    arrivals = log(cluster, "node1").count("arrived: node2")
    marker.touch()
    try:
        cluster.tell("node2", "start")
        wait_until(lambda: "ignored a datagram from 10.89.11." in log(cluster, "node2"), 30.0)
        wait_until(lambda: "members: node2; arrived: node2; not quorate" in log(cluster, "node2"), 30.0)
        time.sleep(3.0)
        assert log(cluster, "node1").count("arrived: node2") == arrivals
        assert "Online: [ node1 node3 ]" in cluster.on("node1", "crm_mon", "-1")
    finally:
        marker.unlink()
    cluster.tell("node2", "kill")
    cluster.tell("node2", "start")
    settle(cluster)


_PRETENDER = """
import select, sys
from hatools.messaging.external.cpg import ProcessGroup
told = []
group = ProcessGroup(lambda event: told or told.append(print("in", flush=True)))
group.open()
group.join("crmd")
while sys.stdin not in select.select([group.descriptor, sys.stdin], [], [])[0]:
    group.dispatch()
"""


@pytest.mark.timeout(300)
def test_a_corosync_that_serves_pacemaker_is_refused(cluster: NamespaceCluster) -> None:
    """Something on node1 is in the process group of Pacemaker's controller; node2 boots and looks."""
    settle(cluster)
    cluster.tell("node2", "stop")
    command = cluster.command("node1", f"PYTHONPATH={SOURCE}/lib", sys.executable, "-c", _PRETENDER)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pretender:
        assert pretender.stdin is not None and pretender.stdout is not None and pretender.stdout.readline() == b"in\n"
        try:
            cluster.tell("node2", "start")
            wait_until(lambda: "Pacemaker uses this corosync" in log(cluster, "node2"), 60.0)
            assert "on node1, group crmd" in log(cluster, "node2")
        finally:
            pretender.stdin.close()
    cluster.tell("node2", "kill")
    cluster.tell("node2", "start")
    settle(cluster)
