"""A cluster of three, ours beside the original's, in the same namespaces on the same machine. Needs root.

Measured for both with the same corosync.conf, the same fence agent and the same resources: the time from boot to all
resources started, the time from the death of a node to the first start elsewhere, writes, memory and idle processor
time. The original is left out where its packages are not installed.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.table import Figure, median, print_table
from tests.cluster.recording import read_calls, read_deaths
from tests.support.namespaces import NamespaceCluster, namespace_cluster, uptime, wait_until

FAILOVERS = int(os.environ.get("HATOOLS_BENCH_ROUNDS", "3"))
RESOURCES = 10
TOKEN_MS = 1000
EFFECTIVE_TOKEN_S = (TOKEN_MS + 650) / 1000
DETECTION_S = EFFECTIVE_TOKEN_S * 2.2
"""Token with its coefficient for three nodes, then consensus of 1.2 tokens."""

OUR_DAEMONS = ("pacemakerd", "hatools-")
ORIGINAL_DAEMONS = ("pacemakerd", "pacemaker-", "corosync")


@dataclass
class Measured:
    """What one stack showed."""

    start_s: float = 0.0
    detection_s: list[float] = field(default_factory=list)
    failover_s: list[float] = field(default_factory=list)
    after_death_s: list[float] = field(default_factory=list)
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
    print_table(f"Cluster of 3 nodes, {RESOURCES} resources and a clone, token {TOKEN_MS} ms", figures(ours, other))


def figures(ours: Measured, other: Measured | None) -> list[Figure]:
    """Lay out what was measured."""
    first, total = median(ours.after_death_s), median(ours.failover_s)
    slowest = max(ours.detection_s)
    return [
        Figure(
            "boot to all resources started",
            ours.start_s,
            "s",
            other.start_s if other else None,
            "<= 0.5 of the original at its best setting",
            ours.start_s <= 0.5 * other.start_s if other else None,
        ),
        Figure(
            "kill of a node to its fencing (detection)",
            median(ours.detection_s),
            "s",
            median(other.detection_s) if other else None,
            f"{DETECTION_S:.2f} to {DETECTION_S * 1.1:.2f} s",
            min(ours.detection_s) >= DETECTION_S - EFFECTIVE_TOKEN_S * 0.25 and slowest <= DETECTION_S * 1.1 + 0.1,
        ),
        Figure(
            "fenced to first start elsewhere",
            first,
            "s",
            median(other.after_death_s) if other else None,
            "<= 0.5 of the original, <= 0.2 s",
            first <= 0.2 and (other is None or first <= 0.5 * median(other.after_death_s)),
        ),
        Figure("kill to first start elsewhere", total, "s", median(other.failover_s) if other else None),
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
        for turn in range(FAILOVERS):
            _fail_over(cluster, cluster.nodes[turn % 3], found)
    return found


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
    began = uptime()
    cluster.tell(victim, "kill")

    def first_start() -> float | None:
        return min(
            (
                call.time
                for call in read_calls(cluster.log)
                if call.time > began and call.node in others and call.operation == "start" and call.phase == "begin"
            ),
            default=None,
        )

    wait_until(lambda: first_start() is not None, 120.0, 0.02)
    start = first_start()
    assert start is not None
    # The first note of a death is our own kill; the fence agent's reboot notes the next.
    fenced = min(time_ for time_ in read_deaths(cluster.control, victim) if time_ > began + 0.5)
    found.detection_s.append(fenced - began)
    found.after_death_s.append(start - fenced)
    found.failover_s.append(start - began)


def _online(cluster: NamespaceCluster, node: str) -> int:
    for line in cluster.on(node, "crm_mon", "-1", check=False).splitlines():
        if "Online: [" in line:
            return len(line.partition("[")[2].partition("]")[0].split())
    return 0


def _command_writes(cluster: NamespaceCluster) -> float:
    count = 40
    script = f"i=0; while [ $i -lt {count} ]; do crm_attribute -N node1 -n bench -l reboot -v $i; i=$((i+1)); done"
    began = time.monotonic()
    cluster.on("node1", "sh", "-c", script, timeout=120)
    return count / (time.monotonic() - began)


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
