"""What a cluster looks like when a test gives up. Read by people who have nothing but the test's output.

Whoever runs a cluster for tests registers it with :func:`watched`; ``tests/cluster/conftest.py`` asks for the pictures
of all that run when a test has failed, while they still do.
"""

import contextlib
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"\w{3} [ \d]\d (\d\d:\d\d:\d\d[.\d]*) \S+ (?:hatools-)?(\S+?) *\[\d+\] (?:\(\w+\) *)?\t?(.*)")
_FIRST_LINES = 32
_LATER_LINES = 8
_WIDTH = 160
_LOG_TAIL = 64 * 1024

Command = Callable[[str, str], str]
"""Runs a command line on a node and returns what it printed."""


@dataclass
class Watched:
    """A cluster that runs: its nodes' logs, and how to run a command there."""

    logs: Mapping[str, Path]
    run: Command
    shown: bool = False


_watched: list[Watched] = []
_left: list[str] = []
"""Pictures of clusters that ended with an exception, until somebody looks."""


@contextlib.contextmanager
def watched(logs: Mapping[str, Path], run: Command) -> Iterator[None]:
    """Have the pictures of failed tests show this cluster."""
    cluster = Watched(logs, run)
    _watched.append(cluster)
    try:
        yield
    except GeneratorExit:
        raise
    except BaseException:
        _left.append(_picture(cluster))  # a test that runs a cluster of its own fails: it is gone in a moment
        raise
    finally:
        _watched.remove(cluster)


def pictures() -> str:
    """Return the pictures of all clusters that run or ended with the test; a cluster's first shows most of the logs."""
    left, _left[:] = tuple(_left), ()
    return "\n".join([*left, *(_picture(cluster) for cluster in _watched)])


def _picture(cluster: Watched) -> str:
    lines = _LATER_LINES if cluster.shown else _FIRST_LINES
    cluster.shown = True
    first = next(iter(cluster.logs))
    parts = [_try(cluster, first, "crm_mon -1")]
    for node, file in cluster.logs.items():
        parts.append(f"--- {node}: {_try(cluster, node, f'crmadmin -S {node}')}")
        parts.append(log_tail(file, lines))
    return "\n".join(parts)


def _try(cluster: Watched, node: str, command: str) -> str:
    try:
        return cluster.run(node, command).strip()
    except (OSError, ValueError, AssertionError, subprocess.SubprocessError) as error:
        return f"{command} on {node}: {error}"


def log_tail(file: Path, count: int) -> str:
    """Return the last lines of a log, without what every line repeats."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - _LOG_TAIL))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join(_LINE.sub(r"\1 \2 \3", line)[:_WIDTH] for line in lines[-count:])
