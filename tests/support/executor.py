"""A real lrmd in a folder of its own, with agents written by the test. No root needed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hatools.ipc.clients.lrm import LrmClient
from hatools.ipc.messages.lrm import Execute, OperationDone
from hatools.runtime.directories import Directories
from hatools.values.agentname import AgentName
from hatools.values.errors import DisconnectedError

SOURCE = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0

AGENT = """#!/bin/sh
# An OCF agent for one test: the shell code below is all it does.
[ "$1" = meta-data ] && {{ echo '<resource-agent name="x"><version>1.0</version></resource-agent>'; exit 0; }}
{code}
"""


class RealExecutor:
    """An lrmd process below a folder; use :meth:`start` and, in ``finally``, :meth:`stop`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.directories = Directories(self.root)
        self.ocf = folder / "ocf"
        self.process: subprocess.Popen[bytes] | None = None
        self.extra: dict[str, str] = {}
        self.directories.prepare()

    def agent(self, name: str, code: str) -> AgentName:
        """Write an agent ``ocf:test:NAME``."""
        path = self.ocf / "resource.d" / "test" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(AGENT.format(code=code))
        path.chmod(0o755)
        return AgentName("ocf", "test", name)

    def start(self) -> None:
        """Start lrmd; the first connection waits until it listens."""
        environment = dict(os.environ) | {
            "HATOOLS_ROOT": str(self.root),
            "HATOOLS_NODE_NAME": "node1",
            "OCF_ROOT": str(self.ocf),
            "PYTHONPATH": str(SOURCE / "lib"),
            **self.extra,
        }
        self.process = subprocess.Popen([sys.executable, "-m", "hatools.daemons.lrmd"], env=environment)

    def kill(self) -> None:
        """Kill lrmd, and nothing else, at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End lrmd in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    async def session(self) -> "Session":
        """Connect; an lrmd that was killed a moment ago may still take a connection that it never answers."""
        session, path = Session(), self.directories.socket("lrmd")
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    session.client = await LrmClient.connect(
                        path, name="test", on_done=session.take, deadline_s=PATIENCE_S
                    )
                    return session
                except DisconnectedError:
                    await asyncio.sleep(0.05)


@dataclass
class Session:
    """A connection that collects results."""

    client: LrmClient = field(init=False)
    results: list[OperationDone] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, done: OperationDone) -> None:
        self.results.append(done)
        self._news.set()

    async def run(self, resource: str, agent: AgentName, operation: str, **more: object) -> OperationDone:
        """Run one operation and return its first result."""
        await self.client.register(resource, agent)
        call_id = await self.client.execute(Execute(resource, operation, **more))  # type: ignore[arg-type]
        return await self.wait_for(lambda done: done.call_id == call_id)

    async def wait_for(self, wanted: Callable[[OperationDone], bool]) -> OperationDone:
        """Return the first result that is wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for done in self.results:
                    if wanted(done):
                        return done
                self._news.clear()
                await self._news.wait()


def is_alive(pid: int) -> bool:
    """Say whether a process lives (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true: {what}"
        time.sleep(0.02)


def read_pid(path: Path) -> int:
    """Return the process id that an agent wrote to a file."""
    wait_until(lambda: path.exists() and path.read_text().strip() != "", f"{path} is written")
    return int(path.read_text())


def end(pid: int) -> None:
    """Kill a process that a test's agent left."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
