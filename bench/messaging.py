"""The ring alone: throughput, delivery, detection, idle processor time, many nodes; and Corosync's CPG in the same run.

Three daemons of ours on 127.0.0.1 to 127.0.0.3, encrypted, one sender flooding in Python, a listener in a process of
its own at each of the others. Corosync runs the same with encrypted knet through libcpg, each node in a network
namespace of its own, and carries our external style in another row; both are left out where corosync is not installed
or namespaces may not be made. The floods take turns, several times, and the best of each counts: what else the machine
does hits all alike. Then all of it again with agents forking beside.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.table import Figure, print_table
from hatools.ipc.clients.messaging import BlockingMessaging
from hatools.ipc.messages.messaging import RingState
from hatools.runtime.directories import Directories
from hatools.values.errors import DisconnectedError

PORT = 15790
NODES = (1, 2, 3)
TOKEN_MS = 1000
MARGIN_S = (TOKEN_MS + 650) / 1000 * 2.2
LOADS = ((100, 5000, 500), (10_000, 1500, 100))
"""(bytes, messages, outstanding) of each flood."""
SHARES = {100: 1.0, 10_000: 0.3}
"""How much of CPG's throughput is wanted, by message size."""
ROUNDS = int(os.environ.get("HATOOLS_BENCH_ROUNDS", "5"))
OWN_DELIVERIES = 300
IDLE_S = 10.0
MANY = tuple(range(1, 17))
MANY_S = 30.0
AGENTS_PER_S = 20
LIB = Path(__file__).resolve().parents[1] / "lib"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(LIB)}

_AGENT = "/usr/lib/ocf/resource.d/heartbeat/Dummy"
_FORKING = (
    "import os, subprocess, sys, time\n"
    "agent, pause = sys.argv[1], float(sys.argv[2])\n"
    "command = [agent, 'monitor'] if os.access(agent, os.X_OK) else ['sh', '-c', ': | cat; : | cat; exit 7']\n"
    "environment = {**os.environ, 'OCF_ROOT': '/usr/lib/ocf', 'OCF_RESOURCE_INSTANCE': 'bench',"
    " 'OCF_RESKEY_state': '/tmp/hatools-bench-no-such-state', 'OCF_RESKEY_CRM_meta_interval': '0'}\n"
    "while True:\n"
    "    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    "    time.sleep(pause)\n"
)


def run() -> None:
    """Measure and print."""
    print_table("The ring of 3 nodes on one machine", _measure())
    with _forking_agents():
        print_table(f"The same with agents forking beside ({AGENTS_PER_S} a second)", _measure())


def _measure() -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="hatools-bench-") as name:
        folder = Path(name)
        with _ring(folder / "fast", NODES, TOKEN_MS) as processes:
            figures += _floods(folder / "fast", folder / "original")
            figures.append(_detection(folder / "fast", processes))
        with _ring(folder / "default", NODES, None) as processes:
            share = busiest(list(processes.values()), IDLE_S)
            figures.append(
                Figure("idle at default timers, busiest node", share, "% of a core", None, "< 1 %", share < 1)
            )
        with _ring(folder / "many", MANY, None) as processes:
            figures += _stability(folder / "many", processes)
    return figures


@contextlib.contextmanager
def _forking_agents() -> Iterator[None]:
    """Run agents one after the other for as long as the context lasts."""
    forker = subprocess.Popen([sys.executable, "-c", _FORKING, _AGENT, str(1 / AGENTS_PER_S)])
    try:
        yield
    finally:
        forker.kill()
        forker.wait()


# -- daemons


def _directories(folder: Path, number: int) -> Directories:
    return Directories(folder / f"n{number}")


@contextlib.contextmanager
def _ring(
    folder: Path, numbers: tuple[int, ...], token_ms: int | None
) -> Iterator["dict[int, subprocess.Popen[bytes]]"]:
    """Run daemons that have formed one ring; ``token_ms`` None means the default."""
    processes = {number: _start(folder, number, numbers, token_ms) for number in numbers}
    try:
        _wait_for(folder, set(numbers), numbers)
        yield processes
    finally:
        for process in processes.values():
            process.kill()
        for process in processes.values():
            process.wait()


def _start(folder: Path, number: int, numbers: tuple[int, ...], token_ms: int | None) -> "subprocess.Popen[bytes]":
    directories = _directories(folder, number)
    directories.prepare()
    directories.corosync_conf.parent.mkdir(parents=True)
    nodes = "".join(f"node {{\n nodeid: {n}\n name: n{n}\n ring0_addr: 127.0.0.{n}\n}}\n" for n in numbers)
    token = "" if token_ms is None else f" token: {token_ms}\n"
    directories.corosync_conf.write_text(
        f"totem {{\n version: 2\n cluster_name: bench\n{token} interface {{\n  mcastport: {PORT}\n }}\n}}\n"
        f"nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n}}\n"
    )
    directories.corosync_authkey.write_bytes(random.Random(1).randbytes(256))
    directories.corosync_authkey.chmod(0o400)
    environment = {**ENVIRONMENT, "HATOOLS_ROOT": str(directories.root), "HATOOLS_NODE_NAME": f"n{number}"}
    return subprocess.Popen([sys.executable, "-m", "hatools.daemons.messaging"], env=environment)


def _describe(directories: Directories) -> RingState | None:
    try:
        messaging = BlockingMessaging(directories, name="bench")
    except DisconnectedError:
        return None
    try:
        return messaging.describe()
    except DisconnectedError:
        return None
    finally:
        messaging.close()


def _members(directories: Directories) -> set[int]:
    state = _describe(directories)
    return {member.id for member in state.members} if state else set()


def _wait_for(folder: Path, members: set[int], numbers: tuple[int, ...]) -> float:
    begin = time.monotonic()
    while not all(_members(_directories(folder, number)) == members for number in numbers):
        if time.monotonic() - begin > 60:
            raise RuntimeError("the ring did not form")
        time.sleep(0.01)
    return time.monotonic() - begin


# -- floods


class Flooder:
    """A process that floods on request, see ``group_client`` and ``corosync_cpg``; keeps the best of its answers."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.rates = dict.fromkeys(SHARES, 0.0)
        self.own = dict.fromkeys(SHARES, float("inf"))
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        if self._output.readline() != "ready\n":
            self.close()
            raise RuntimeError(f"{' '.join(command)} did not get ready")

    def flood(self, size: int, count: int, outstanding: int) -> None:
        """Measure once more."""
        self._input.write(f"{size} {count} {outstanding}\n")
        self._input.flush()
        rate, own = map(float, self._output.readline().split())
        if outstanding == 1:
            self.own[size] = min(self.own[size], own)
        else:
            self.rates[size] = max(self.rates[size], rate)

    def close(self) -> None:
        """End it, and whatever it has started."""
        self._input.close()
        self._process.wait()
        self._output.close()


@contextlib.contextmanager
def flooding(roots: list[Directories]) -> Iterator[Flooder]:
    """Flood from the first node, with listeners on the others."""
    script = str(Path(__file__).with_name("group_client.py"))
    sockets = [str(root.socket("messaging")) for root in roots]
    listeners = [
        subprocess.Popen([sys.executable, script, "listen", socket], env=ENVIRONMENT, stdin=subprocess.DEVNULL)
        for socket in sockets[1:]
    ]
    try:
        flooder = Flooder([sys.executable, script, "send", sockets[0], str(len(sockets))], ENVIRONMENT)
        try:
            yield flooder
        finally:
            flooder.close()
    finally:
        for listener in listeners:
            listener.kill()
            listener.wait()


def _floods(ours: Path, original: Path) -> list[Figure]:
    with contextlib.ExitStack() as stack:
        flooders = [stack.enter_context(flooding([_directories(ours, number) for number in NODES]))]
        original.mkdir()
        corosync = _corosync(original)
        if corosync is not None:
            stack.callback(corosync.close)
            roots = [Directories(original / f"x{number}") for number in NODES]
            while not all(_members(root) == set(NODES) for root in roots):
                time.sleep(0.05)
            flooders += [corosync, stack.enter_context(flooding(roots))]
        for _ in range(ROUNDS):
            for size, count, outstanding in LOADS:
                for flooder in flooders:
                    flooder.flood(size, count, outstanding)
                    flooder.flood(size, OWN_DELIVERIES, 1)
        share = _share(_processes_below(original), IDLE_S) if corosync is not None else 0.0
    figures = _compare("", flooders[0], corosync, judged=True)
    if corosync is None:
        return figures
    idle = Figure("idle, external style, busiest node", share, "% of a core", None, "< 1 %", share < 1)
    return [*figures, *_compare(", external style", flooders[2], corosync, judged=False), idle]


def _compare(label: str, measured: Flooder, other: Flooder | None, *, judged: bool) -> list[Figure]:
    figures = []
    for size, share in SHARES.items():
        rate, own = measured.rates[size], measured.own[size]
        theirs = other.rates[size] if other else None
        their_own = other.own[size] if other else None
        rate_met = rate >= share * theirs if judged and theirs is not None else None
        own_met = own <= 3 * their_own if judged and their_own is not None else None
        goals = (f">= {share} of it", "<= 3 times") if judged else ("", "")
        figures.append(Figure(f"{size} bytes, flood{label}", rate, "/s", theirs, goals[0], rate_met))
        shown = None if their_own is None else their_own * 1000
        figures.append(Figure(f"{size} bytes, own delivery p50{label}", own * 1000, "ms", shown, goals[1], own_met))
    return figures


def _corosync(folder: Path) -> Flooder | None:
    """Return the flooder through CPG; None where corosync cannot be measured here."""
    if os.geteuid() != 0 or not shutil.which("corosync") or not shutil.which("ip"):
        return None
    script = Path(__file__).with_name("corosync_cpg.py")
    try:
        return Flooder(["unshare", "-n", sys.executable, str(script), str(folder), str(TOKEN_MS)], ENVIRONMENT)
    except (RuntimeError, OSError) as error:
        print(f"bench.messaging: corosync could not be measured: {error}")
        return None


# -- quiet


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busiest(processes: "list[subprocess.Popen[bytes]]", seconds: float) -> float:
    """Return the processor use of the busiest process over some seconds, in percent of a core."""
    return _share([process.pid for process in processes], seconds)


def _processes_below(folder: Path) -> list[int]:
    """Return the daemons whose root lies below a folder."""
    wanted = f"\0HATOOLS_ROOT={folder}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and wanted in b"\0" + (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def _share(pids: list[int], seconds: float) -> float:
    time.sleep(1)
    before = [_processor_time(pid) for pid in pids]
    time.sleep(seconds)
    after = [_processor_time(pid) for pid in pids]
    return max(late - early for early, late in zip(before, after, strict=True)) / seconds * 100


def _detection(folder: Path, processes: "dict[int, subprocess.Popen[bytes]]") -> Figure:
    begin = time.monotonic()
    processes[3].send_signal(signal.SIGKILL)
    _wait_for(folder, {1, 2}, (1, 2))
    took = time.monotonic() - begin
    goal = f"{MARGIN_S:.2f} to {MARGIN_S * 1.1:.2f} s"
    return Figure("killed node to new view", took, "s", None, goal, MARGIN_S <= took <= MARGIN_S * 1.1)


def _stability(folder: Path, processes: "dict[int, subprocess.Popen[bytes]]") -> list[Figure]:
    """Watch many nodes, some of the time with messages: the ring they have formed must last."""

    def rings() -> set[str]:
        states = [_describe(_directories(folder, number)) for number in MANY]
        return {state.ring_id if state else "none" for state in states}

    before = rings()
    with flooding([_directories(folder, number) for number in MANY]) as flooder:
        for size, count, outstanding in LOADS:
            flooder.flood(size, count, outstanding)
    share = busiest(list(processes.values()), MANY_S)
    changes = len(rings() | before) - 1
    title = f"{len(MANY)} nodes, new rings in {MANY_S:g} s after a flood"
    return [
        Figure(title, float(changes), "", None, "0", changes == 0),
        Figure(f"{len(MANY)} nodes, 100 bytes, flood", flooder.rates[100], "/s"),
        Figure(f"{len(MANY)} nodes, idle, busiest node", share, "% of a core", None, "< 1 %", share < 1),
    ]
