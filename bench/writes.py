"""How many writes a lab of three takes: attributes and durable configuration changes, many at once and one by one."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.table import Figure, print_table
from hatools.ipc.client import Connection
from hatools.ipc.clients.messaging import GroupEvent, MessagingClient
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.ipc.messages.cib import Change, CibOperation
from hatools.ipc.messages.messaging import Delivered
from hatools.runtime.directories import Directories
from tests.support.lab import RunningLab, running_lab

PORT = 15690
OUTSTANDING = 32
ATTRIBUTES = 3000
CONFIGURATIONS = 800
SINGLE = 200
TAKE_IN_S = 0.08
"""Pause before a single write: the DC calculates after each, on the same two processors in a lab."""
BUSY = 100_000
"""Messages of each of those that keep the ring busy; more than will be sent."""


def run() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="hatools-bench-") as folder,
        running_lab(Path(folder) / "lab", port=PORT) as lab,
    ):
        figures = asyncio.run(_measure(lab))
    print_table("Writes on a lab of 3 nodes", figures)


async def _measure(lab: RunningLab) -> list[Figure]:
    folders = lab.lab.directories(lab.lab.node("node2"))
    attrd = await Connection.open(folders.socket("attrd"), "attrd", name="bench")
    cib = await Connection.open(folders.socket("cib"), "cib", name="bench")
    attributes = await _flood(attrd, lambda n: UpdateAttribute(f"bench-{n % 16}", str(n)), ATTRIBUTES)
    configurations = await _flood(cib, _configuration, CONFIGURATIONS)
    chained = [await _timed(cib, _configuration(n)) for n in range(SINGLE)]
    single = [await _timed(cib, _configuration(n), pause_s=TAKE_IN_S) for n in range(SINGLE)]
    empty = [await _timed(attrd, UpdateAttribute("bench-one", str(n))) for n in range(SINGLE)]
    one, sync = statistics.median(single) * 1000, _sync_ms(folders.cib)
    idle, busy = await _turns_ms(folders)
    allowed = 3 * (idle + sync)
    return [
        Figure("attribute updates, 32 outstanding", attributes, "/s", None, ">= 500 /s", attributes >= 500),
        Figure("configuration writes, durable", configurations, "/s", None, ">= 100 /s", configurations >= 100),
        Figure("one configuration write, p50", one, "ms", None, f"<= {allowed:.1f} ms", one <= allowed),
        Figure("the same, one right behind the other, p50", statistics.median(chained) * 1000, "ms"),
        Figure("one configuration write, p95", statistics.quantiles(single, n=20)[-1] * 1000, "ms"),
        Figure("one attribute update, p50", statistics.median(empty) * 1000, "ms"),
        Figure("a token turn: one ordered message, idle ring, p50", idle, "ms"),
        Figure("the same on a busy ring", busy, "ms"),
        Figure("one sync of this disk, p50", sync, "ms"),
        Figure("a configuration write by turn plus sync", one / (idle + sync), "", None, "<= 3", one <= allowed),
    ]


def _configuration(number: int) -> Change:
    xml = (
        '<crm_config><cluster_property_set id="cib-bootstrap-options">'
        f'<nvpair id="bench-{number % 16}" name="bench-{number % 16}" value="{number}-{time.monotonic_ns()}"/>'
        "</cluster_property_set></crm_config>"
    )
    return Change(CibOperation.MODIFY, section="crm_config", xml=xml.encode(), allow_create=True, origin="bench")


async def _turns_ms(folders: Directories) -> tuple[float, float]:
    """Return the median time until an ordered message is back, on an idle ring and on one where others send."""
    arrived: dict[bytes, asyncio.Future[None]] = {}

    def on_event(event: GroupEvent) -> None:
        if isinstance(event, Delivered) and event.payload in arrived:
            arrived.pop(event.payload).set_result(None)

    ring = await MessagingClient.open(folders.socket("messaging"), name="bench", on_event=on_event)
    await ring.join("bench")

    async def turn(payload: bytes) -> float:
        began = time.monotonic()
        arrived[payload] = asyncio.get_running_loop().create_future()
        back = arrived[payload]
        ring.broadcast("bench", payload)
        await back
        return time.monotonic() - began

    async def keep_busy(number: int) -> None:
        for count in range(BUSY):
            await turn(b"%d %d" % (number, count))

    await turn(b"first")
    idle = [await turn(b"idle %d" % number) for number in range(SINGLE)]
    others = [asyncio.create_task(keep_busy(number)) for number in range(8)]
    busy = [await turn(b"busy %d" % number) for number in range(SINGLE)]
    for other in others:
        other.cancel()
    ring.close()
    return statistics.median(idle) * 1000, statistics.median(busy) * 1000


async def _flood(connection: Connection, make: Callable[[int], Any], count: int) -> float:
    gate = asyncio.Semaphore(OUTSTANDING)
    began = time.monotonic()

    async def one(number: int) -> None:
        async with gate:
            await connection.request(make(number))

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))
    return count / (time.monotonic() - began)


async def _timed(connection: Connection, message: Any, *, pause_s: float = 0.0) -> float:
    if pause_s:
        await asyncio.sleep(pause_s)
    began = time.monotonic()
    await connection.request(message)
    return time.monotonic() - began


def _sync_ms(folder: Path) -> float:
    """Return the median time of appending a small record and syncing it, as the journal does."""
    times = []
    path = folder / "bench-sync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for _ in range(100):
        began = time.monotonic()
        os.write(descriptor, b"x" * 300)
        os.fdatasync(descriptor)
        times.append(time.monotonic() - began)
    os.close(descriptor)
    path.unlink()
    return statistics.median(times) * 1000
