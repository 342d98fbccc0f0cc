"""What we ask of the Linux kernel beyond the standard library: prctl and the process table. I/O."""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies; call it after changing the user, which resets it."""
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def become_subreaper() -> None:
    """Have every orphaned descendant of this process become its child, however often it forked."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def name_process(name: str) -> None:
    """Set the short name that ps and top show (15 bytes)."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name[:15])


def descendants(pid: int) -> list[int]:
    """Return all living descendants of a process, parents before children; zombies are not living."""
    parents: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            # The command in parentheses may hold any character, so read from its end.
            state, parent = Path(f"/proc/{entry.name}/stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state not in "ZX":  # a zombie's children have been handed on already
            parents.setdefault(int(parent), []).append(int(entry.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        for child in parents.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def listed_descendants(pid: int) -> list[int]:
    """Return the living descendants as the kernel lists each process's children: quick, and complete unless some end
    meanwhile. Where the kernel keeps no such lists this is :func:`descendants`."""
    found: list[int] = []
    queue = [pid]
    while queue:
        for child in _children(queue.pop()):
            if child < 0:
                return descendants(pid)
            queue.append(child)
            if is_alive(child):
                found.append(child)
    return found


def _children(pid: int) -> list[int]:
    """Return the children of a process, zombies included; [-1] if this kernel does not tell."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except ProcessLookupError:
            continue
        except FileNotFoundError:
            if Path(f"/proc/{pid}/task/{thread}").exists():
                return [-1]
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def running_programs() -> list[tuple[int, str]]:
    """Return process id and program name of every process that runs."""
    programs = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                programs.append((int(entry.name), Path(f"/proc/{entry.name}/comm").read_text().strip()))
    return programs
