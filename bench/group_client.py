"""A member of one of our groups in a process of its own, as ``corosync_cpg`` is one of Corosync's: listener or sender.

``listen SOCKET`` counts what arrives; ``send SOCKET NODES`` waits until the group has so many nodes, says ``ready``,
and answers each line ``SIZE COUNT OUTSTANDING`` with ``MESSAGES_PER_S OWN_DELIVERY_S``. The sender floods: it always
keeps so many of its messages on their way, and counts those that were delivered to itself.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path

from hatools.ipc.clients.messaging import GroupEvent, MessagingClient
from hatools.ipc.messages.messaging import Delivered, GroupChanged

GROUP = "bench"
_CHUNK = 64
"""Messages handed over before the event loop gets its turn."""


class Sender:
    """Floods the group."""

    def __init__(self) -> None:
        self.client: MessagingClient
        self.nodes = 0
        self.changed = asyncio.Event()
        self._sent_at: dict[int, float] = {}
        self._taken: list[float] = []
        self._payload = b""
        self._count = self._outstanding = 0
        self._sent = 0
        self._done = asyncio.Event()
        self._queued: asyncio.Future[object] | None = None

    def on_event(self, event: GroupEvent) -> None:
        """Take a delivery; its place in the flood is free again."""
        if isinstance(event, GroupChanged):
            self.nodes = len(event.members)
            self.changed.set()
        elif isinstance(event, Delivered) and event.tag in self._sent_at:
            self._taken.append(time.perf_counter() - self._sent_at.pop(event.tag))
            if len(self._taken) == self._count:
                self._done.set()
            elif len(self._sent_at) <= self._outstanding - min(_CHUNK, self._outstanding):
                self._fill()

    def _fill(self) -> None:
        while self._sent < self._count and len(self._sent_at) < self._outstanding:
            self._sent += 1
            self._sent_at[self._sent] = time.perf_counter()
            queued = self.client.broadcast(GROUP, self._payload, self._sent)
            if queued is not self._queued:
                self._queued = queued
                queued.add_done_callback(asyncio.Future.exception)

    async def flood(self, size: int, count: int, outstanding: int) -> tuple[float, float]:
        """Return messages a second and the median time until an own message is delivered."""
        self._payload, self._count, self._outstanding = bytes(size), count, outstanding
        self._sent, self._taken = 0, []
        self._done.clear()
        began = time.perf_counter()
        self._fill()
        await self._done.wait()
        return count / (time.perf_counter() - began), statistics.median(self._taken)


async def _send(path: Path, nodes: int) -> None:
    sender = Sender()
    sender.client = await MessagingClient.open(path, name="bench", on_event=sender.on_event, deadline_s=10)
    await sender.client.join(GROUP)
    while sender.nodes != nodes:
        sender.changed.clear()
        await sender.changed.wait()
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        size, count, outstanding = map(int, line.split())
        rate, own = await sender.flood(size, count, outstanding)
        print(rate, own, flush=True)


async def _listen(path: Path) -> None:
    client = await MessagingClient.open(path, name="bench", on_event=lambda _: None, deadline_s=10)
    await client.join(GROUP)
    await client.closed


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["listen", socket_path]:
            asyncio.run(_listen(Path(socket_path)))
        case ["send", socket_path, number]:
            asyncio.run(_send(Path(socket_path), int(number)))
