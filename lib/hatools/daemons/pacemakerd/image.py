"""The preloaded image the daemons are forked from, and the fork itself. I/O.

Every daemon's modules are imported once, before the first fork, so that the daemons share that memory and
are running within milliseconds. The fork must happen outside the running event loop: the child must not
touch the parent's epoll descriptor, so it closes every inherited descriptor without going through asyncio.
"""

import asyncio
import gc
import os
import signal
from importlib import import_module

from hatools.runtime.daemon import Serve, run_daemon
from hatools.runtime.directories import Directories
from hatools.runtime.kernel import name_process
from hatools.runtime.logs import close_logging
from hatools.values.exitcode import ExitCode

_HIGHEST_DESCRIPTOR = 65536

_parents_loop: asyncio.AbstractEventLoop | None = None
"""Keeps the parent's loop alive in a child: collecting it would close descriptors the child uses by now."""


def load(name: str) -> Serve:
    """Import a daemon and return its ``serve``."""
    serve: Serve = import_module(f"hatools.daemons.{name}.daemon").serve
    return serve


def freeze() -> None:
    """Move all that is loaded out of the collector's sight, so that it never copies shared pages."""
    gc.collect()
    gc.freeze()


def fork_daemon(name: str, serve: Serve, directories: Directories, loop: asyncio.AbstractEventLoop) -> tuple[int, int]:
    """Fork a daemon; return its process id and the descriptor on which it writes when it is ready.

    The loop must not be running.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        os.set_blocking(read_end, False)
        return pid, read_end
    global _parents_loop
    _parents_loop = loop
    status = int(ExitCode.SOFTWARE)
    try:
        _become_child(name, write_end)
        status = run_daemon(name, serve, directories=directories, ready_fd=write_end)
    finally:
        os._exit(status)


def fork_apart(name: str, directories: Directories) -> None:
    """Fork a daemon that is not ours to watch and goes on when we end: the channel to other nodes."""
    serve = load(name)
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    status = int(ExitCode.SOFTWARE)
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        _become_child(name, 2)
        # It must not keep the pipes or the terminal of a pacemakerd in the foreground that has ended.
        for stream in (1, 2):
            os.dup2(0, stream)
        os.environ.pop("HATOOLS_LOG_STDERR", None)
        status = run_daemon(name, serve, directories=directories)
    finally:
        os._exit(status)


def _become_child(name: str, keep: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a client that goes away mid-answer must not end a daemon
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    close_logging()
    os.closerange(3, keep)
    os.closerange(keep + 1, _HIGHEST_DESCRIPTOR)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    asyncio.set_event_loop(None)
    name_process(f"hatools-{name}")
