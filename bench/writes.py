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
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.ipc.messages.cib import Change, CibOperation
from tests.support.lab import RunningLab, running_lab

PORT = 15690
OUTSTANDING = 32
ATTRIBUTES = 3000
CONFIGURATIONS = 800
SINGLE = 200


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
    single = [await _timed(cib, _configuration(n)) for n in range(SINGLE)]
    empty = [await _timed(attrd, UpdateAttribute("bench-one", str(n))) for n in range(SINGLE)]
    return [
        Figure("attribute updates, 32 outstanding", attributes, "/s", None, ">= 500 /s", attributes >= 500),
        Figure("configuration writes, durable", configurations, "/s", None, ">= 100 /s", configurations >= 100),
        Figure("one configuration write, p50", statistics.median(single) * 1000, "ms"),
        Figure("one configuration write, p95", statistics.quantiles(single, n=20)[-1] * 1000, "ms"),
        Figure("one attribute update, p50", statistics.median(empty) * 1000, "ms"),
        Figure("one sync of this disk, p50", _sync_ms(folders.cib), "ms"),
    ]


def _configuration(number: int) -> Change:
    xml = (
        '<crm_config><cluster_property_set id="cib-bootstrap-options">'
        f'<nvpair id="bench-{number % 16}" name="bench-{number % 16}" value="{number}-{time.monotonic_ns()}"/>'
        "</cluster_property_set></crm_config>"
    )
    return Change(CibOperation.MODIFY, section="crm_config", xml=xml.encode(), allow_create=True, origin="bench")


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


async def _timed(connection: Connection, message: Any) -> float:
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
