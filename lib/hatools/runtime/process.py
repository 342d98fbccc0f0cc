"""Child processes of agents: own process group, one clock, captured output. I/O.

An agent runs as the leader of its own process group. When its time is up the whole group gets SIGKILL, at
once and without a warning, as Pacemaker does. What it prints is captured without letting it hurt us: only
the tail is kept, and an agent that prints without end is slowed down by leaving its pipe full. When the
agent itself has ended, what its children still hold open is not waited for (a daemon may inherit the pipes).
"""

import asyncio
import contextlib
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from hatools.values.records import dataclass, field

OUTPUT_LIMIT = 64 * 1024
"""Bytes kept of each stream, the last ones."""

_CHUNK = 64 * 1024
_LINE_LIMIT = 4096
"""Bytes of a line that is kept for itself."""

_FLOOD_PAUSE_S = 0.02
"""How long a stream above its limit is left unread between two reads: about 3 MB/s, whatever the agent does."""

_UNKILLABLE_S = 5.0
"""Seconds after SIGKILL until a process stuck in the kernel is given up."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. ``timeout_ms`` 0 means no limit; ``umask`` and ``directory`` are the executor's by default."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    stdin: bytes = b""
    timeout_ms: int = 0
    directory: str | None = None
    umask: int = 0o026
    output_limit: int = OUTPUT_LIMIT
    user: str = ""
    """The account to run as, with its own groups; empty: ours."""
    kept_line: bytes = b""
    """The last line that begins so is kept even if the output after it is longer than the limit."""


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a process ended.

    ``exit_status`` is -1 if it did not exit by itself; then ``signal`` says what ended it. ``leaked`` means that
    it could not even be killed (stuck in the kernel).
    """

    exit_status: int
    signal: int
    stdout: str
    stderr: str
    timed_out: bool
    duration_ms: int
    leaked: bool = False


@dataclass(slots=True)
class _Stream:
    descriptor: int
    limit: int
    kept_line: bytes
    data: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    open: bool = True

    def read(self) -> bool:
        """Take what is there; return False when there is nothing (yet)."""
        try:
            chunk = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        if not chunk:
            self.open = False
            return False
        self.data += chunk
        if len(self.data) > 2 * self.limit:
            self._drop(len(self.data) - self.limit)
        return True

    def _drop(self, count: int) -> None:
        """Forget the oldest bytes, but not the line that has to be kept."""
        begin = self.data.rfind(self.kept_line, 0, count) if self.kept_line else -1
        if begin >= 0:
            end = self.data.find(b"\n", begin)
            self.kept = bytes(self.data[begin : end if end >= 0 else begin + _LINE_LIMIT])[:_LINE_LIMIT] + b"\n"
        del self.data[:count]

    def text(self) -> str:
        if len(self.data) > self.limit:
            self._drop(len(self.data) - self.limit)
        return (self.kept + bytes(self.data)).decode("utf-8", "replace")


def _identity(user: str) -> dict[str, Any]:
    if not user:
        return {}
    account = pwd.getpwnam(user)
    groups = os.getgrouplist(user, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}


class AgentProcess:
    """A running agent. ``pid`` is also its process group; ``result`` completes when it has ended."""

    def __init__(self, command: Command, *, on_start: Callable[[int], None] | None = None) -> None:
        """Start the command.

        Raises:
            OSError: it could not be executed; the error number tells why.
        """
        self._loop = asyncio.get_running_loop()
        self.result: asyncio.Future[ProcessResult] = self._loop.create_future()
        self._timed_out = False
        self._started = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._pauses: dict[int, asyncio.TimerHandle] = {}
        self._input = memoryview(command.stdin)
        self._process = subprocess.Popen(
            command.argv,
            stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(command.environment),
            cwd=command.directory,
            umask=command.umask,
            process_group=0,
            restore_signals=True,
            **_identity(command.user),
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None and self._process.stderr is not None
        self._streams = [
            _Stream(pipe.fileno(), command.output_limit, command.kept_line)
            for pipe in (self._process.stdout, self._process.stderr)
        ]
        self._pidfd = os.pidfd_open(self.pid)
        if on_start is not None:
            on_start(self.pid)
        for stream in self._streams:
            os.set_blocking(stream.descriptor, False)
            self._loop.add_reader(stream.descriptor, self._readable, stream)
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
            self._loop.add_writer(self._process.stdin.fileno(), self._writable)
        self._loop.add_reader(self._pidfd, self._ended)
        if command.timeout_ms > 0:
            self._timer = self._loop.call_later(command.timeout_ms / 1000, self._expire)

    def kill(self) -> None:
        """Kill the whole process group at once; ``result`` completes soon after."""
        if self.result.done():
            return
        # The leader has not been reaped yet, so its number still names this very group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(_UNKILLABLE_S, self._finish, True)

    def _expire(self) -> None:
        self._timed_out = True
        self.kill()

    def _readable(self, stream: _Stream) -> None:
        stream.read()
        if not stream.open:
            self._loop.remove_reader(stream.descriptor)
        elif len(stream.data) > stream.limit:
            self._loop.remove_reader(stream.descriptor)
            self._pauses[stream.descriptor] = self._loop.call_later(_FLOOD_PAUSE_S, self._resume, stream)

    def _resume(self, stream: _Stream) -> None:
        self._pauses.pop(stream.descriptor, None)
        self._loop.add_reader(stream.descriptor, self._readable, stream)

    def _writable(self) -> None:
        assert self._process.stdin is not None
        try:
            written = os.write(self._process.stdin.fileno(), self._input)
        except BlockingIOError:
            return
        except OSError:
            written = len(self._input)
        self._input = self._input[written:]
        if not self._input:
            self._close_input()

    def _close_input(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._loop.remove_writer(self._process.stdin.fileno())
            self._process.stdin.close()

    def _ended(self) -> None:
        self._finish(False)

    def _finish(self, leaked: bool) -> None:
        duration_ms = int((self._loop.time() - self._started) * 1000)
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        if self._timer is not None:
            self._timer.cancel()
        for pause in self._pauses.values():
            pause.cancel()
        self._close_input()
        for stream in self._streams:
            self._loop.remove_reader(stream.descriptor)
            # What the agent left in the pipe is read; a child that goes on writing must not hold us here.
            for _ in range(2 + stream.limit // _CHUNK):
                if not (stream.open and stream.read()):
                    break
        code = None if leaked else self._process.wait()
        assert self._process.stdout is not None and self._process.stderr is not None
        self._process.stdout.close()
        self._process.stderr.close()
        if code is None:
            # Never reaped by us any more: tell Popen so, or it would complain when it is collected.
            self._process.returncode = -signal.SIGKILL
        if not self.result.done():
            self.result.set_result(
                ProcessResult(
                    exit_status=code if code is not None and code >= 0 else -1,
                    signal=-code if code is not None and code < 0 else signal.SIGKILL if leaked else 0,
                    stdout=self._streams[0].text(),
                    stderr=self._streams[1].text(),
                    timed_out=self._timed_out,
                    duration_ms=duration_ms,
                    leaked=leaked,
                )
            )


async def run_process(command: Command) -> ProcessResult:
    """Run a command to its end; if we are cancelled its process group is killed.

    Raises:
        OSError: it could not be executed.
    """
    process = AgentProcess(command)
    try:
        return await asyncio.shield(process.result)
    except asyncio.CancelledError:
        process.kill()
        raise
