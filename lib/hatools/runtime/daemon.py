"""The frame every daemon runs in: logs, signals, readiness, privileges, exit. I/O.

A daemon is an ``async def serve(context) -> int``. It opens its socket, calls ``context.ready()`` when it can
answer, works until ``context.stopping`` is set (SIGTERM) and returns its exit status. pacemakerd learns of
readiness through a pipe, not by waiting.

Exit statuses have the meaning that pacemakerd gives them: 0 done, :data:`EXIT_LEFT_CLUSTER` the node has left
the cluster, 100 do not respawn and stop the node, anything else: respawn.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from hatools.ipc.rights import AccessPolicy
from hatools.ipc.server import prepare_listener
from hatools.runtime.directories import Directories, cluster_ids
from hatools.runtime.kernel import die_with_parent
from hatools.runtime.logs import set_up_logging
from hatools.values.exitcode import ExitCode
from hatools.values.records import dataclass, field

_log = logging.getLogger(__name__)

READY_FD_VARIABLE = "HATOOLS_READY_FD"
READY, STILL_WAITING = b"1", b"w"
"""What a daemon writes to the pipe that pacemakerd reads while it starts."""

EXIT_LEFT_CLUSTER = int(ExitCode.DISCONNECT)
EXIT_STAY_DOWN = int(ExitCode.FATAL)

UNPRIVILEGED = frozenset({"cib", "attrd", "pengine", "crmd"})
"""Daemons that give up root for hacluster:haclient."""


@dataclass(slots=True)
class Context:
    """What a daemon is given."""

    name: str
    directories: Directories
    policy: AccessPolicy
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _ready_fd: int = -1

    def ready(self) -> None:
        """Tell pacemakerd that this daemon answers now; calling it again does nothing."""
        if self._ready_fd >= 0:
            os.write(self._ready_fd, READY)
            os.close(self._ready_fd)
            self._ready_fd = -1

    def waiting(self) -> None:
        """Tell pacemakerd that this daemon is alive and waits for something else before it can be ready."""
        if self._ready_fd >= 0:
            os.write(self._ready_fd, STILL_WAITING)


Serve = Callable[[Context], Awaitable[int]]


def access_policy() -> AccessPolicy:
    """Return who may connect to the daemons of this process's owner."""
    ids = cluster_ids()
    return AccessPolicy(os.geteuid(), *(ids if ids is not None else (None, None)))


def run_daemon(name: str, serve: Serve, *, directories: Directories | None = None, ready_fd: int = -1) -> int:
    """Run a daemon in this process until it ends; return its exit status."""
    folders = directories or Directories.from_environment()
    debug = os.environ.get("PCMK_debug", "")
    set_up_logging(
        f"hatools-{name}",
        folders.log_file,
        to_stderr="HATOOLS_LOG_STDERR" in os.environ,
        debug=debug in ("1", "yes", "true", "on") or name in debug.split(","),
    )
    policy = access_policy()
    if name in UNPRIVILEGED:
        _drop_privileges(name, folders, policy)
    if ready_fd >= 0:
        die_with_parent()
    try:
        return asyncio.run(_serve(name, serve, folders, policy, ready_fd))
    except Exception:
        _log.exception("%s ends because of a fault in its own code", name)
        return int(ExitCode.SOFTWARE)


async def _serve(name: str, serve: Serve, directories: Directories, policy: AccessPolicy, ready_fd: int) -> int:
    context = Context(name, directories, policy, _ready_fd=ready_fd)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, context.stopping.set)
    loop.set_exception_handler(_unhandled)
    gc.freeze()
    return await serve(context)


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A callback failed: that is a bug, and a daemon with a bug ends so that pacemakerd starts it afresh."""
    error = context.get("exception")
    if isinstance(error, Exception):
        _log.error("unhandled fault: %s", context.get("message"), exc_info=error)
        os._exit(int(ExitCode.SOFTWARE))
    _log.error("event loop: %s", context.get("message"))


def _drop_privileges(name: str, directories: Directories, policy: AccessPolicy) -> None:
    """Become hacluster:haclient, where we are root of a real node and the account exists.

    The socket is bound before, because its folder belongs to root.
    """
    ids = cluster_ids()
    if os.geteuid() != 0 or ids is None or os.environ.get("HATOOLS_KEEP_ROOT"):
        return
    prepare_listener(directories.socket(name), policy)
    uid, gid = ids
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    _log.debug("%s runs as user id %s", name, uid)


def daemon_main(name: str, serve: Serve) -> None:
    """Entry of ``python -m hatools.daemons.NAME``: run the daemon alone, as developers and tests do."""
    ready = os.environ.pop(READY_FD_VARIABLE, "")
    sys.exit(run_daemon(name, serve, ready_fd=int(ready) if ready.isdigit() else -1))
