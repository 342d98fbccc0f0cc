"""Agent actions in flight, on record so that a restarted executor can end what its predecessor began. I/O.

If lrmd or stonithd dies, the agent it was running goes on. Its result would never be known, and a start that
completes after the node was probed again would be an activity nobody counted. So each running action has a file
named after its process id, holding the process's start time; the next incarnation kills those process groups
before it answers anybody.
"""

import contextlib
import logging
import os
import signal
import time
from pathlib import Path

_log = logging.getLogger(__name__)

_DEATH_LIMIT_S = 5.0
"""How long killed processes are waited for; one that is stuck in the kernel does not hold up the daemon for ever."""


class InFlight:
    """The record of one daemon's running actions, in a folder of its own below the run directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, pid: int, what: str) -> None:
        """Note a process that was just started."""
        (self._folder / str(pid)).write_text(f"{process_start_time(pid)} {what}\n")

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / str(pid)).unlink()

    def kill_leftovers(self) -> list[str]:
        """Kill every process group that an earlier incarnation left running; return what they were doing.

        Waits (a few milliseconds, bounded) until they are dead, because nothing may be answered before.
        """
        killed = []
        dying = []
        for entry in sorted(self._folder.iterdir()):
            start_time, _, what = entry.read_text().strip().partition(" ")
            pid = int(entry.name) if entry.name.isdigit() else 0
            if pid > 1 and start_time and start_time == process_start_time(pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                    killed.append(what)
                    dying.append((pid, start_time))
                    _log.warning("killed %s (process group %s), left by an earlier incarnation", what, pid)
            entry.unlink()
        deadline = time.monotonic() + _DEATH_LIMIT_S
        while any(process_start_time(pid) == start for pid, start in dying) and time.monotonic() < deadline:
            time.sleep(0.002)
        return killed


def process_start_time(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    # A zombie only waits to be reaped: nothing of it runs any more.
    return "" if fields[0] == "Z" else fields[19]
