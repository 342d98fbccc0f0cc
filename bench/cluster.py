"""A cluster of three, ours beside the original's, in the same namespaces on the same machine. Needs root.

Measured for both with the same corosync.conf, the same fence agent and the same resources: the time from boot to all
resources started, the time from the death of a node to the first start elsewhere, writes, memory and idle processor
time. The original is left out where its packages are not installed.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench.table import Figure, median, print_table
from hatools.lab import cluster as lab_cluster
from tests.cluster.recording import read_calls, read_deaths
from tests.support.lab import running_lab
from tests.support.namespaces import NamespaceCluster, namespace_cluster, uptime, wait_until

FAILOVERS = int(os.environ.get("HATOOLS_BENCH_ROUNDS", "3"))
RESOURCES = 10
LAB_PORT = 15697
TOKEN_MS = 1000
EFFECTIVE_TOKEN_S = (TOKEN_MS + 650) / 1000
DETECTION_S = EFFECTIVE_TOKEN_S * 2.2
"""Token with its coefficient for three nodes, then consensus of 1.2 tokens."""

FENCE_LAB = Path(__file__).resolve().parents[1] / "lib/hatools/agents/shipped/fence/fence_lab"
OUR_DAEMONS = ("pacemakerd", "hatools-")
ORIGINAL_DAEMONS = ("pacemakerd", "pacemaker-", "corosync")


@dataclass
class Measured:
    """What one stack showed."""

    start_s: float = 0.0
    lab_start_s: float = 0.0
    """From the command to all resources started, in a lab."""
    detection_s: list[float] = field(default_factory=list)
    """From the death of a node's last process to the view without it."""
    reaction_s: list[float] = field(default_factory=list)
    """From that view to the last start call elsewhere, fence agent included."""
    failover_s: list[float] = field(default_factory=list)
    """From the death to the last start call."""
    fence_agent_s: float = 0.0
    """What one run of the fence agent takes."""
    command_writes: float = 0.0
    memory_mib: float = 0.0
    idle_percent: float = 0.0


def run() -> None:
    """Measure both and print the table."""
    if os.geteuid() != 0:
        print("bench.cluster: left out, it needs root for network namespaces")
        return
    ours = measure(original=False)
    has_original = shutil.which("corosync", path="/usr/sbin") and shutil.which("pacemakerd", path="/usr/sbin")
    other = measure(original=True) if has_original else None
    ours.lab_start_s = lab_start()
    print_table(f"Cluster of 3 nodes, {RESOURCES} resources and a clone, token {TOKEN_MS} ms", figures(ours, other))


def figures(ours: Measured, other: Measured | None) -> list[Figure]:
    """Lay out what was measured."""
    reaction, total = median(ours.reaction_s), median(ours.failover_s)
    detection = median(ours.detection_s)
    besides = reaction - ours.fence_agent_s
    return [
        Figure(
            "lab: command to all resources started",
            ours.lab_start_s,
            "s",
            other.start_s if other else None,
            "<= 0.5 of the original's boot",
            ours.lab_start_s <= 0.5 * other.start_s if other else None,
        ),
        Figure("namespaces: boot to all resources started", ours.start_s, "s", other.start_s if other else None),
        Figure(
            "death of a node to the view without it",
            detection,
            "s",
            median(other.detection_s) if other else None,
            f"{DETECTION_S:.2f} to {DETECTION_S * 1.1:.2f} s",
            # The last token may have passed up to one retransmission interval before the death.
            min(ours.detection_s) >= DETECTION_S - 0.4 and max(ours.detection_s) <= DETECTION_S * 1.1,
        ),
        Figure(
            "view to the last start call",
            reaction,
            "s",
            median(other.reaction_s) if other else None,
            "<= 0.5 of the original",
            reaction <= 0.5 * median(other.reaction_s) if other else None,
        ),
        Figure("of it besides the fence agent", besides, "s", None, "<= 0.2 s", besides <= 0.2),
        Figure("death to the last start call", total, "s", median(other.failover_s) if other else None),
        Figure(
            "attribute writes by command line",
            ours.command_writes,
            "/s",
            other.command_writes if other else None,
            ">= the original",
            ours.command_writes >= other.command_writes if other else None,
        ),
        Figure(
            "memory of a node's daemons (PSS)",
            ours.memory_mib,
            "MiB",
            other.memory_mib if other else None,
            "<= 130 MiB",
            ours.memory_mib <= 130,
        ),
        Figure(
            "idle processor time of a node's daemons",
            ours.idle_percent,
            "% of a core",
            other.idle_percent if other else None,
            "<= 2 %",
            ours.idle_percent <= 2.0,
        ),
    ]


def configuration(cluster: NamespaceCluster) -> str:
    """Return the CIB's configuration section: fencing, dummies spread over the nodes, a clone."""
    dummies = "".join(
        f'<primitive id="d{n}" class="ocf" provider="recorded" type="Dummy"><operations>'
        f'<op id="d{n}-monitor" name="monitor" interval="10s" timeout="20s"/></operations></primitive>'
        for n in range(RESOURCES)
    )
    return f"""<configuration>
      <crm_config><cluster_property_set id="cib-bootstrap-options">
        <nvpair id="o1" name="stonith-enabled" value="true"/><nvpair id="o2" name="dc-deadtime" value="2s"/>
      </cluster_property_set></crm_config>
      <resources>
      <primitive id="fencing" class="stonith" type="{cluster.fence_agent}"><instance_attributes id="fencing-p">
        <nvpair id="f1" name="control" value="{cluster.control}"/>
        <nvpair id="f2" name="pcmk_host_list" value="{" ".join(cluster.nodes)}"/>
      </instance_attributes></primitive>{dummies}
      <clone id="everywhere"><primitive id="c" class="ocf" provider="recorded" type="Dummy"/></clone>
      </resources></configuration>"""


def measure(*, original: bool) -> Measured:
    """Boot a cluster and put it through everything."""
    found = Measured()
    with namespace_cluster(3, token_ms=TOKEN_MS, original=original) as cluster:
        print(f"bench.cluster: {'the original' if original else 'hatools'} is up in {cluster.folder}", file=sys.stderr)
        _configure(cluster)
        wait_until(lambda: _all_started(cluster, 0.0), 120.0, 0.05)
        found.start_s = _cold_start(cluster)
        time.sleep(5.0)
        found.memory_mib, found.idle_percent = _footprint(cluster, ORIGINAL_DAEMONS if original else OUR_DAEMONS)
        found.command_writes = _command_writes(cluster)
        found.fence_agent_s = _fence_agent_time(cluster)
        for turn in range(FAILOVERS):
            _fail_over(cluster, cluster.nodes[turn % 3], found)
    return found


def lab_start() -> float:
    """Return the time from starting a stopped lab to its last resource started, with the same number of resources."""
    dummies = "".join(
        f"primitive d{n} ocf:pacemaker:Dummy op monitor interval=10s timeout=20s\n" for n in range(RESOURCES)
    )
    times = []
    with (
        tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder,
        running_lab(Path(folder) / "lab", port=LAB_PORT) as lab,
    ):
        lab.configure(dummies + "primitive c ocf:pacemaker:Dummy\nclone everywhere c\n")
        for _ in range(3):
            lab.settle()
            lab_cluster.shut_down(lab.lab)
            began = time.monotonic()
            lab_cluster.boot(lab.lab)
            lab.settle()
            times.append(time.monotonic() - began)
            idle = [f"d{n}" for n in range(RESOURCES) if len(lab.active(f"d{n}")) != 1]
            assert idle == [] and len(lab.active("c")) == 3, f"not started after the lab settled: {idle}"
    return median(times)


def _configure(cluster: NamespaceCluster) -> None:
    file = cluster.folder / "configuration.xml"
    file.write_text(configuration(cluster))

    def accepted() -> bool:
        with contextlib.suppress(AssertionError, OSError, ValueError, subprocess.TimeoutExpired):
            cluster.on("node1", "cibadmin", "-M", "-c", "-o", "configuration", "-x", str(file), timeout=20)
            return True
        return False

    wait_until(accepted, 90.0, 0.2)


def _expected() -> set[str]:
    return {f"d{n}" for n in range(RESOURCES)} | {"c"}


def _all_started(cluster: NamespaceCluster, since: float) -> bool:
    calls = [call for call in read_calls(cluster.log) if call.time >= since and call.operation == "start"]
    ended = [call.resource for call in calls if call.phase == "end" and call.rc == "0"]
    return set(ended) >= _expected() and ended.count("c") >= 3


def _cold_start(cluster: NamespaceCluster) -> float:
    """Stop all nodes in order, start them together, and wait until every resource has started again."""
    stops = [
        subprocess.Popen([sys.executable, "-c", _ASK, str(cluster.control), node, "stop"]) for node in cluster.nodes
    ]
    for stop in stops:
        stop.wait(timeout=180)
    began = uptime()
    for node in cluster.nodes:
        cluster.tell(node, "start")
    wait_until(lambda: _all_started(cluster, began), 180.0, 0.02)
    last = max(call.time for call in read_calls(cluster.log) if call.operation == "start" and call.phase == "end")
    return last - began


_ASK = (
    "import sys; from pathlib import Path; from hatools.lab.supervisor import ask_supervisor;"
    "ask_supervisor(Path(sys.argv[1]), sys.argv[2], sys.argv[3], timeout_s=150)"
)


def _fail_over(cluster: NamespaceCluster, victim: str, found: Measured) -> None:
    """Kill a node and time its fencing and the first start elsewhere; then let it come back."""
    others = [node for node in cluster.nodes if node != victim]
    wait_until(lambda: _online(cluster, others[0]) == 3, 120.0, 0.2)
    time.sleep(3.0)
    held = _active_on(cluster, victim)
    began = uptime()
    cluster.tell(victim, "kill")
    death = min(time_ for time_ in read_deaths(cluster.control, victim) if time_ >= began - 0.02)

    def starts() -> dict[str, float]:
        return {
            call.resource: call.time
            for call in read_calls(cluster.log)
            if call.time > death and call.node in others and (call.operation, call.phase) == ("start", "begin")
        }

    wait_until(lambda: set(starts()) >= held, 120.0, 0.02)
    last = max(starts()[resource] for resource in held)
    view = _view_time(cluster, others, victim, death)
    found.detection_s.append(view - death)
    found.reaction_s.append(last - view)
    found.failover_s.append(last - death)


def _active_on(cluster: NamespaceCluster, node: str) -> set[str]:
    """Return the dummies whose last start or stop on a node was a start."""
    active: set[str] = set()
    for call in read_calls(cluster.log):
        if call.node == node and call.resource.startswith("d") and call.phase == "end" and call.rc == "0":
            if call.operation == "start":
                active.add(call.resource)
            elif call.operation == "stop":
                active.discard(call.resource)
    return active


def _view_time(cluster: NamespaceCluster, others: list[str], victim: str, death: float) -> float:
    """Return when (seconds of uptime) the survivors had a view without a node, from their logs' time stamps."""
    number = victim.removeprefix("node")
    if cluster.original:
        file, mark = "corosync/corosync.log", re.compile(rf"A new membership .*left: {number}\b")
    else:
        file, mark = "pacemaker/pacemaker.log", re.compile(rf"view .*lost: {victim}\b")
    offset = time.time() - uptime()
    year = time.localtime().tm_year
    times = []
    for node in others:
        for line in (cluster.folder / node / "var/log" / file).read_text(errors="replace").splitlines():
            if mark.search(line):
                stamp = datetime.strptime(f"{year} {line[:19]}", "%Y %b %d %H:%M:%S.%f")
                times.append(stamp.timestamp() - offset)
    return min(moment for moment in times if moment >= death)


def _fence_agent_time(cluster: NamespaceCluster) -> float:
    """Return what a run of the fence agent takes inside a node."""
    agent = "/usr/sbin/fence_dummy" if cluster.original else str(FENCE_LAB)
    script = f"printf 'action=status\\nport=node2\\ncontrol={cluster.control}\\n' | {agent}"
    times = []
    for _ in range(5):
        began = time.monotonic()
        cluster.on("node1", "sh", "-c", script, check=False)
        times.append(time.monotonic() - began)
    return median(times)


def _online(cluster: NamespaceCluster, node: str) -> int:
    for line in cluster.on(node, "crm_mon", "-1", check=False).splitlines():
        if "Online: [" in line:
            return len(line.partition("[")[2].partition("]")[0].split())
    return 0


def _command_writes(cluster: NamespaceCluster) -> float:
    """Return how many attribute writes a loop in a shell makes per second, the median of five loops."""
    count = 40
    script = f"i=0; while [ $i -lt {count} ]; do crm_attribute -N node1 -n bench -l reboot -v $i; i=$((i+1)); done"
    rates = []
    for _ in range(5):
        began = time.monotonic()
        cluster.on("node1", "sh", "-c", script, timeout=120)
        rates.append(count / (time.monotonic() - began))
    return median(rates)


def _footprint(cluster: NamespaceCluster, names: tuple[str, ...]) -> tuple[float, float]:
    """Return proportional memory (MiB) and processor use over ten idle seconds (percent of a core) of one node."""
    pids = []
    inside = f"/proc/{cluster.pid_inside('node1')}/ns/pid"
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            comm = (entry / "comm").read_text().strip()
            if comm.startswith(names) and os.readlink(entry / "ns/pid") == os.readlink(inside):
                pids.append(entry)
    memory = sum(_pss_kib(entry) for entry in pids) / 1024
    before = sum(_ticks(entry) for entry in pids)
    time.sleep(10.0)
    after = sum(_ticks(entry) for entry in pids)
    return memory, (after - before) / os.sysconf("SC_CLK_TCK") / 10.0 * 100


def _pss_kib(entry: Path) -> int:
    for line in (entry / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _ticks(entry: Path) -> int:
    fields = (entry / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
