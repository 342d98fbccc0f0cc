"""The ring alone: throughput, delivery time, detection and idle processor time; Corosync's CPG in the same run.

Three daemons of ours on 127.0.0.1 to 127.0.0.3, encrypted, one sender flooding in Python. Corosync runs with
encrypted knet and a Python sender through libcpg, each node in a network namespace of its own; it is left out
where it is not installed or namespaces may not be made.
"""

import asyncio
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Figure, print_table
from hatools.ipc.clients.messaging import BlockingMessaging, GroupEvent, MessagingClient
from hatools.ipc.messages.messaging import Delivered, GroupChanged
from hatools.runtime.directories import Directories
from hatools.values.errors import DisconnectedError

PORT = 15790
NODES = (1, 2, 3)
TOKEN_MS = 1000
MARGIN_S = (TOKEN_MS + 650) / 1000 * 2.2
LOADS = ((100, 5000, 500), (10_000, 1500, 100))
"""(bytes, messages, outstanding) of each flood."""
IDLE_S = 10.0
LIB = Path(__file__).resolve().parents[1] / "lib"


def run() -> None:
    """Measure and print."""
    figures: list[Figure] = []
    original = _corosync()
    with tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder:
        processes = {number: _start(Path(folder), number) for number in NODES}
        try:
            _wait_for(Path(folder), set(NODES), NODES)
            figures += asyncio.run(_floods(Path(folder), original))
            figures.append(_idle(processes))
            figures.append(_detection(Path(folder), processes))
        finally:
            for process in processes.values():
                process.kill()
                process.wait()
    print_table("The ring of 3 nodes on one machine", figures)


def _directories(folder: Path, number: int) -> Directories:
    return Directories(folder / f"n{number}")


def _start(folder: Path, number: int) -> "subprocess.Popen[bytes]":
    directories = _directories(folder, number)
    directories.prepare()
    directories.corosync_conf.parent.mkdir(parents=True)
    nodes = "".join(f"node {{\n nodeid: {n}\n name: n{n}\n ring0_addr: 127.0.0.{n}\n}}\n" for n in NODES)
    directories.corosync_conf.write_text(
        f"totem {{\n version: 2\n cluster_name: bench\n token: {TOKEN_MS}\n"
        f" interface {{\n  mcastport: {PORT}\n }}\n}}\n"
        f"nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n}}\n"
    )
    directories.corosync_authkey.write_bytes(random.Random(1).randbytes(256))
    directories.corosync_authkey.chmod(0o400)
    environment = {
        **os.environ,
        "HATOOLS_ROOT": str(directories.root),
        "HATOOLS_NODE_NAME": f"n{number}",
        "PYTHONPATH": str(LIB),
    }
    return subprocess.Popen([sys.executable, "-m", "hatools.daemons.messaging"], env=environment)


def _members(folder: Path, number: int) -> set[int]:
    try:
        messaging = BlockingMessaging(_directories(folder, number), name="bench")
    except DisconnectedError:
        return set()
    state = messaging.describe()
    messaging.close()
    return {member.id for member in state.members}


def _wait_for(folder: Path, members: set[int], numbers: tuple[int, ...]) -> float:
    begin = time.monotonic()
    while not all(_members(folder, number) == members for number in numbers):
        if time.monotonic() - begin > 30:
            raise RuntimeError("the ring did not form")
        time.sleep(0.01)
    return time.monotonic() - begin


async def _floods(folder: Path, original: dict[int, tuple[float, float]]) -> list[Figure]:
    figures = []
    for size, count, outstanding in LOADS:
        rate, _ = await _flood(folder, size, count, outstanding)
        _, own = await _flood(folder, size, 300, 1)
        other_rate, other_own = original.get(size, (None, None))
        goal = {100: 1.0, 10_000: 0.3}[size]
        rate_met = None if other_rate is None else rate >= goal * other_rate
        own_met = None if other_own is None else own <= 3 * other_own
        figures.append(Figure(f"{size} bytes, flood", rate, "/s", other_rate, f">= {goal} of it", rate_met))
        figures.append(Figure(f"{size} bytes, own delivery p50", own * 1000, "ms",
                              None if other_own is None else other_own * 1000, "<= 3 times", own_met))  # fmt: skip
    return figures


async def _flood(folder: Path, size: int, count: int, outstanding: int) -> tuple[float, float]:
    """Return messages per second and the median time until the sender's own message is delivered."""
    room = asyncio.Semaphore(outstanding)
    together, done = asyncio.Event(), asyncio.Event()
    sent_at: dict[int, float] = {}
    taken: list[float] = []
    arrived = dict.fromkeys(NODES, 0)

    def listener(number: int) -> Callable[[GroupEvent], None]:
        def on_event(event: GroupEvent) -> None:
            if isinstance(event, GroupChanged) and number == 1 and event.members == NODES:
                together.set()
            elif isinstance(event, Delivered):
                arrived[number] += 1
                if number == 1:
                    taken.append(time.perf_counter() - sent_at[event.tag])
                    room.release()
                if all(seen == count for seen in arrived.values()):
                    done.set()

        return on_event

    clients = []
    for number in NODES:
        path = _directories(folder, number).socket("messaging")
        clients.append(await MessagingClient.open(path, name="bench", on_event=listener(number)))
        await clients[-1].join("bench")
    await together.wait()
    begin = time.perf_counter()
    for tag in range(count):
        await room.acquire()
        sent_at[tag] = time.perf_counter()
        clients[0].broadcast("bench", bytes(size), tag).add_done_callback(asyncio.Future.exception)
    await done.wait()
    rate = count / (time.perf_counter() - begin)
    for client in clients:
        client.close()
    await asyncio.sleep(0.2)
    return rate, statistics.median(taken)


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _idle(processes: "dict[int, subprocess.Popen[bytes]]") -> Figure:
    time.sleep(1)
    before = [_processor_time(process.pid) for process in processes.values()]
    time.sleep(IDLE_S)
    after = [_processor_time(process.pid) for process in processes.values()]
    share = max(late - early for early, late in zip(before, after, strict=True)) / IDLE_S * 100
    return Figure("idle, busiest node", share, "% of a core", None, "< 1 %", share < 1)


def _detection(folder: Path, processes: "dict[int, subprocess.Popen[bytes]]") -> Figure:
    begin = time.monotonic()
    processes[3].send_signal(signal.SIGKILL)
    _wait_for(folder, {1, 2}, (1, 2))
    took = time.monotonic() - begin
    goal = f"{MARGIN_S:.2f} to {MARGIN_S * 1.1:.2f} s"
    return Figure("killed node to new view", took, "s", None, goal, MARGIN_S <= took <= MARGIN_S * 1.1)


# -- the original


def _corosync() -> dict[int, tuple[float, float]]:
    """Return (messages/s, own delivery in s) by message size; empty where corosync cannot be measured here."""
    if os.geteuid() != 0 or not shutil.which("corosync") or not shutil.which("ip"):
        return {}
    script = Path(__file__).with_name("corosync_cpg.py")
    with tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder:
        command = ["unshare", "-n", sys.executable, str(script), folder, str(TOKEN_MS)]
        command += [f"{size}:{count}:{outstanding}" for size, count, outstanding in LOADS]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            print(f"bench.messaging: corosync could not be measured: {getattr(error, 'stderr', '') or error}")
            return {}
    figures = {}
    for line in result.stdout.splitlines():
        size, rate, own = line.split()
        figures[int(size)] = (float(rate), float(own))
    return figures
