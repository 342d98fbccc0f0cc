"""The shell around :class:`Supervision`: forks, signals, readiness pipes, pings and the socket. I/O."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import time
from typing import Any, assert_never

from hatools.daemons.pacemakerd.image import fork_daemon, freeze, load
from hatools.daemons.pacemakerd.supervision import Effect, Finish, Panic, SendPing, Spawn, Supervision, Terminate
from hatools.ipc.client import Connection
from hatools.ipc.messages.pacemakerd import DaemonState, DescribeNode, NodeProcesses, StopNode
from hatools.ipc.messages.session import Done, Ping
from hatools.ipc.rights import Rights
from hatools.ipc.server import Client, Server
from hatools.runtime.daemon import STILL_WAITING, Serve, access_policy
from hatools.runtime.directories import Directories
from hatools.runtime.logs import notice
from hatools.runtime.panic import panic
from hatools.values.errors import AlreadyExistsError, HatoolsError, RemoteError
from hatools.values.records import dataclass

_log = logging.getLogger(__name__)


class InstanceLock:
    """The pid file of a running pacemakerd, locked for as long as it lives."""

    def __init__(self, directories: Directories) -> None:
        self._path = directories.pid_file("pacemakerd")
        self._descriptor = -1

    def take(self) -> None:
        """Become the one instance of this root.

        Raises:
            AlreadyExistsError: another one runs; the message names its process.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise AlreadyExistsError(
                f"pacemakerd already runs on this root as process {holder} ({self._path}); "
                "stop it with `pacemakerd --shutdown` before you start another"
            ) from None
        self._descriptor = descriptor
        self.write()

    def write(self) -> None:
        """Put the present process id into the file (again, after becoming a daemon)."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Remove the file and let go of it."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        os.close(self._descriptor)


@dataclass(slots=True)
class _Process:
    pid: int
    ready_fd: int
    connection: Connection | None = None


class Supervisor:
    """One node's pacemakerd."""

    def __init__(self, directories: Directories) -> None:
        self._directories = directories
        self._core = Supervision()
        self._serves: dict[str, Serve] = {}
        self._processes: dict[str, _Process] = {}
        self._to_fork: list[str] = []
        self._exit_status: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None

    def run(self) -> int:
        """Start the daemons and stay until everything has stopped; return the exit status."""
        for name in self._core.order:
            self._serves[name] = load(name)
        freeze()
        loop = self._loop
        asyncio.set_event_loop(loop)
        loop.run_until_complete(self._open())
        self._perform(self._core.start(time.monotonic()))
        while self._exit_status is None:
            # Forks happen here, while the loop stands still (see image.py).
            for name in self._to_fork:
                self._fork(name)
            self._to_fork.clear()
            loop.run_forever()
        loop.run_until_complete(self._close())
        loop.close()
        return self._exit_status

    async def _open(self) -> None:
        loop = self._loop
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        self._server = Server(
            "pacemakerd", self._directories.socket("pacemakerd"), self._answer, policy=access_policy()
        )
        await self._server.open()

    async def _close(self) -> None:
        if self._server is not None:
            await self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(0)

    async def _answer(self, client: Client, message: Any) -> Any:
        match message:
            case DescribeNode():
                return self._describe()
            case StopNode():
                client.require(Rights.FULL)
                self._loop.call_soon(self._stop)
                return Done()
            case _:
                raise RemoteError(f"pacemakerd does not understand {type(message).__name__}")

    def _describe(self) -> NodeProcesses:
        daemons = tuple(
            DaemonState(
                name,
                self._processes[name].pid if name in self._processes else 0,
                self._core.is_ready(name),
                self._core.restarts(name),
            )
            for name in self._core.order
        )
        return NodeProcesses(
            self._core.state, daemons, int(time.time()), os.environ.get("HATOOLS_NODE_NAME") or os.uname().nodename
        )

    def _stop(self) -> None:
        notice(_log, "stopping this node")
        self._perform(self._core.stop(time.monotonic()))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Spawn():
                    self._to_fork.append(effect.name)
                    self._loop.stop()
                case Terminate():
                    self._terminate(effect)
                case SendPing():
                    self._spawn_task(self._ping(effect.name))
                case Panic():
                    _log.error("this machine is to be restarted at once: %s", panic(self._directories) or "now")
                case Finish():
                    self._exit_status = effect.status
                    self._loop.stop()
                case _:
                    assert_never(effect)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (deadline := self._core.deadline) is not None:
            self._timer = self._loop.call_later(max(0.0, deadline - time.monotonic()), self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self._core.expire(time.monotonic()))

    def _fork(self, name: str) -> None:
        pid, ready_fd = fork_daemon(name, self._serves[name], self._directories, self._loop)
        _log.info("started %s as process %s", name, pid)
        process = _Process(pid, ready_fd)
        self._processes[name] = process
        self._loop.add_reader(ready_fd, self._ready_readable, name, process)

    def _ready_readable(self, name: str, process: _Process) -> None:
        said = os.read(process.ready_fd, 1)
        if said == STILL_WAITING:
            self._perform(self._core.waiting(time.monotonic(), name))
            return
        self._close_ready(process)
        if said and self._processes.get(name) is process:
            _log.info("%s is ready", name)
            self._perform(self._core.ready(time.monotonic(), name))

    def _close_ready(self, process: _Process) -> None:
        if process.ready_fd >= 0:
            self._loop.remove_reader(process.ready_fd)
            os.close(process.ready_fd)
            process.ready_fd = -1

    def _reap(self) -> None:
        for name, process in list(self._processes.items()):
            pid, status = os.waitpid(process.pid, os.WNOHANG)
            if pid == 0:
                continue
            del self._processes[name]
            self._close_ready(process)
            if process.connection is not None:
                process.connection.close()
            code = os.waitstatus_to_exitcode(status)
            level = logging.INFO if code == 0 else logging.WARNING
            ended = f"ended with exit status {code}" if code >= 0 else f"was ended by signal {-code}"
            _log.log(level, "%s (process %s) %s", name, pid, ended)
            self._perform(self._core.exited(time.monotonic(), name, code))

    def _terminate(self, effect: Terminate) -> None:
        process = self._processes.get(effect.name)
        if process is None:
            return
        _log.info(
            "%s %s (process %s): %s", "killing" if effect.hard else "stopping", effect.name, process.pid, effect.why
        )
        os.kill(process.pid, signal.SIGKILL if effect.hard else signal.SIGTERM)

    async def _ping(self, name: str) -> None:
        process = self._processes.get(name)
        if process is None:
            return
        try:
            if process.connection is None or process.connection.closed.done():
                process.connection = await Connection.open(
                    self._directories.socket(name), name, name="pacemakerd", deadline_s=1.0
                )
            await process.connection.request(Ping(), timeout_s=None)
        except HatoolsError as error:
            _log.debug("no answer from %s: %s", name, error)
            return
        if self._processes.get(name) is process:
            self._perform(self._core.pong(time.monotonic(), name))

    def _spawn_task(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
