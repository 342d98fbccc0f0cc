"""Transitions as the logs tell of them: when each began and ended, on which DC, and what was special. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from hatools.shell.history.logs import Line
from hatools.values.records import dataclass, field

_BEGIN = re.compile(r"(?:saving inputs in|saved in) \S*?(pe-(?:input|warn|error)-(\d+)\.bz2)")
_END = re.compile(r"Transition (-?\d+) \(Complete=(\d+), Pending=(\d+),.*\): (\w+)")
_FENCE = re.compile(r"Requesting fencing|\* Fence ")
_FAILED = re.compile(
    r"warning: Result of \S+ on |Result of \w+ operation for \S+ on \S+: (?!ok|complete)|"
    r"Transition \S+ aborted.*[Ff]ail"
)


@dataclass(slots=True)
class Transition:
    """One transition; ``end`` is None while it is not known to have ended."""

    name: str
    number: int
    dc: str
    start: datetime
    end: datetime | None = None
    completed: int = 0
    result: str = ""
    tags: set[str] = field(default_factory=set)


def find_transitions(lines: Iterable[Line], resources: Sequence[str]) -> list[Transition]:
    """Return the transitions, oldest first.

    Args:
        resources: names that become tags of the transitions which act on them.
    """
    found: list[Transition] = []
    running: dict[str, Transition] = {}
    names = re.compile(
        rf"\b({'|'.join(map(re.escape, sorted(resources, key=len, reverse=True)))})(?::\d+)?_[a-z_]+_\d+"
    )
    for line in lines:
        begin = _BEGIN.search(line.text)
        if begin is not None:
            current = running.get(line.node)
            if current is None or current.name != begin[1] or current.end is not None:
                current = Transition(begin[1], int(begin[2]), line.node, line.when)
                running[line.node] = current
                found.append(current)
            continue
        end = _END.search(line.text)
        if end is not None and (ended := running.get(line.node)) is not None and ended.end is None:
            ended.end, ended.completed, ended.result = line.when, int(end[2]), end[4]
            continue
        for transition in running.values():
            if transition.end is None:
                _tag(transition, line, names if resources else None)
    return found


def _tag(transition: Transition, line: Line, names: re.Pattern[str] | None) -> None:
    if _FENCE.search(line.text):
        transition.tags.add("fence")
    if _FAILED.search(line.text):
        transition.tags.add("error")
    if names is not None and "Initiating" in line.text and (match := names.search(line.text)):
        transition.tags.add(match[1])
