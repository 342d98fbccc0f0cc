"""The supervisor of one lab node: its power switch. I/O.

It is the child subreaper of everything the node runs, so it can list and kill every descendant, the
daemons that agents started included. It listens on ``control/NODE.sock`` for one line per connection, a word, and
answers with one, ``ok state=STATE alive=N node=NAME pid=PID`` or ``error TEXT``::

    status   STATE is up, down or frozen; N processes of the node live; PID is the supervisor's
    start    boot the node if it is down
    kill     power off: answer when no process of the node lives any more
    reboot   kill, answer, then boot again
    stop     shut down in order (drains resources), answer when all has ended
    pause, resume   SIGSTOP and SIGCONT to every process
    quit     kill, answer, and end the supervisor itself

Words and not JSON, because a failover waits for the fence agent, which is quicker without a parser to import.

What happens to the node's power is noted in ``control/NODE.events`` as ``UPTIME boot`` and ``UPTIME dead``, so that
tests can compare it with what other nodes did.

The fence agent ``fence_lab`` speaks this protocol; a supervisor of namespace nodes may as well.
"""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from hatools.ipc.address import short_socket_path
from hatools.runtime.directories import Directories
from hatools.runtime.kernel import become_subreaper, descendants, listed_descendants, name_process
from hatools.values.records import dataclass

KILL_LIMIT = 10.0
"""Seconds in which every process must have gone after SIGKILL."""

STOP_LIMIT = 120.0
BOOT_PAUSE = 1.0
"""Seconds between the power-off and the power-on of a reboot. A machine's firmware takes longer, and where one machine
plays all nodes a node that boots must not take the processor from those that take over."""

_LINE_LIMIT = 4096
_CLIENT_LIMIT = 2.0


class NodeSupervisor:
    """Runs one node and obeys its control socket.

    Args:
        name: the node.
        socket_path: where to listen.
        boot: becomes pacemakerd of the node in a forked child; returns its exit status.
    """

    def __init__(self, name: str, socket_path: Path, boot: Callable[[], int]) -> None:
        self._name = name
        self._path = socket_path
        self._boot = boot
        self._main_pid = 0
        self._frozen = False
        self._quit = False
        self._boot_at: float | None = None

    def run(self) -> None:
        """Boot the node and serve until told to quit."""
        become_subreaper()
        name_process(f"lab-{self._name}")
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_quit", True))
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        with short_socket_path(self._path) as address:
            listener.bind(address)
        self._path.chmod(0o600)
        listener.listen(16)
        self._start()
        while not self._quit:
            pause = None if self._boot_at is None else max(0.0, self._boot_at - time.monotonic())
            readable, _, _ = select.select([listener.fileno(), wake_read], [], [], pause)
            if wake_read in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
            self._reap()
            if self._boot_at is not None and self._boot_at <= time.monotonic():
                self._start()
            if listener.fileno() in readable:
                connection, _ = listener.accept()
                with connection:
                    self._serve(connection)
        self._kill_all()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_CLIENT_LIMIT)
        try:
            data = b""
            while not data.endswith(b"\n") and len(data) < _LINE_LIMIT:
                part = connection.recv(_LINE_LIMIT)
                if not part:
                    break
                data += part
            command = data.decode("ascii").strip()
        except (OSError, ValueError):
            command = ""
        done, answer = self._obey(command)
        with contextlib.suppress(OSError):
            connection.sendall(answer.encode() + b"\n")
        if command == "reboot" and done:
            self._boot_at = time.monotonic() + BOOT_PAUSE

    def _obey(self, command: str) -> tuple[bool, str]:
        """Carry out a command; return whether it was, and the answer."""
        done = True
        match command:
            case "status":
                pass  # the answer says it all
            case "start":
                self._start()
            case "kill" | "reboot":
                done = self._kill_all()
            case "quit":
                done = self._kill_all()
                self._quit = True
            case "stop":
                done = self._stop()
            case "pause":
                self._signal_all(signal.SIGSTOP)
                self._frozen = True
            case "resume":
                self._signal_all(signal.SIGCONT)
                self._frozen = False
            case _:
                return False, f"error unknown command {command!r}"
        is_off = done and command in ("kill", "reboot", "quit", "stop")
        alive = 0 if is_off else len(descendants(os.getpid()))
        if not done:
            return False, f"error {alive} processes are left"
        return True, f"ok state={self._state(alive)} alive={alive} node={self._name} pid={os.getpid()}"

    def _state(self, alive: int) -> str:
        if not alive:
            return "down"
        return "frozen" if self._frozen else "up"

    def _note(self, event: str) -> None:
        uptime = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
        with self._path.with_suffix(".events").open("a", encoding="ascii") as file:
            file.write(f"{uptime} {event}\n")

    def _start(self) -> None:
        self._boot_at = None
        self._reap()
        if self._main_pid:
            return
        self._note("boot")
        pid = os.fork()
        if pid:
            self._main_pid = pid
            return
        status = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.closerange(3, 1024)
            os.setsid()
            status = self._boot()
        finally:
            os._exit(status)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._main_pid:
                    self._main_pid = 0

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in listed_descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _kill_all(self) -> bool:
        """Kill every descendant until none is left; say whether that succeeded in time."""
        self._boot_at = None
        deadline = time.monotonic() + KILL_LIMIT
        while time.monotonic() < deadline:
            self._signal_all(signal.SIGKILL)
            self._reap()
            # The quick list may miss one while others end, so that the slow one has the last word.
            if not listed_descendants(os.getpid()) and not descendants(os.getpid()):
                self._frozen = False
                self._note("dead")
                return True
            time.sleep(0.002)
        return False

    def _stop(self) -> bool:
        if self._main_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._main_pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_LIMIT
        while self._main_pid and time.monotonic() < deadline:
            time.sleep(0.01)
            self._reap()
        return not self._main_pid and self._kill_all()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a supervisor said; ``text`` is the whole line, ``pid`` the supervisor's process."""

    ok: bool
    text: str
    state: str = ""
    alive: int = -1
    pid: int = 0


def parse_answer(line: str) -> Answer:
    """Read a supervisor's line; what is none counts as a refusal."""
    word, _, rest = line.strip().partition(" ")
    if word != "ok":
        return Answer(False, line.strip())
    values = dict(pair.split("=", 1) for pair in rest.split() if "=" in pair)
    alive, pid = values.get("alive", ""), values.get("pid", "")
    return Answer(
        True,
        line.strip(),
        values.get("state", ""),
        int(alive) if alive.isdigit() else -1,
        int(pid) if pid.isdigit() else 0,
    )


def ask_supervisor(control: Path, node: str, command: str, *, timeout_s: float = 15.0) -> Answer:
    """Send one command to a node's supervisor and return its answer.

    Raises:
        OSError: nobody listens there, or no answer came in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        with short_socket_path(control / f"{node}.sock") as address:
            connection.connect(address)
        connection.sendall(command.encode("ascii") + b"\n")
        data = b""
        while not data.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                break
            data += part
    return parse_answer(data.decode("utf-8", "replace"))


def power_on(directories: Directories) -> bool:
    """Boot the node below a root through its supervisor; False if the root is no lab node's.

    Raises:
        OSError: the supervisor did not answer.
    """
    control, node = directories.root.parent / "control", directories.root.name
    if not (control / f"{node}.sock").exists():
        return False
    return ask_supervisor(control, node, "start").ok
