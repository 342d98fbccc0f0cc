"""Lines of the logs of all nodes, in the order in which they were written. Pure.

A line without a time (the rest of a message) belongs to the one before it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from hatools.shell.history.times import time_of
from hatools.values.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log."""

    when: datetime
    node: str
    text: str


@dataclass(slots=True)
class View:
    """What of the logs is looked at: a period, nodes (none: all), and what is left out."""

    start: datetime | None = None
    end: datetime | None = None
    nodes: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    detail: int = 0

    def shows(self, line: Line, nodes: Sequence[str] = ()) -> bool:
        """Say whether a line is to be seen."""
        if (self.start is not None and line.when < self.start) or (self.end is not None and line.when > self.end):
            return False
        chosen = nodes or self.nodes
        if chosen and line.node not in chosen:
            return False
        return not any(re.search(pattern, line.text) for pattern in self.excluded)


def parse_lines(text: str, node: str, now: datetime) -> Iterator[Line]:
    """Yield the lines of one node's log."""
    when: datetime | None = None
    for line in text.splitlines():
        when = time_of(line, now) or when
        if when is not None:
            yield Line(when, node, line)


def merged(logs: Iterable[Iterable[Line]]) -> list[Line]:
    """Return the lines of several logs by time; those of one log stay in their order, and none is there twice."""
    found = sorted((line for log in logs for line in log), key=lambda line: line.when)
    return list(dict.fromkeys(found)) if len(set(found)) < len(found) else found


def matching(lines: Iterable[Line], patterns: Sequence[str]) -> Iterator[Line]:
    """Yield the lines that match one of several patterns."""
    if not patterns:
        return
    wanted = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    for line in lines:
        if wanted.search(line.text):
            yield line
