"""Reading what the recorder and the supervisors noted: active intervals of resources, deaths of nodes."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """One beginning or end of an agent's action; ``time`` is seconds of uptime."""

    time: float
    node: str
    resource: str
    operation: str
    phase: str
    rc: str


@dataclass(frozen=True)
class Interval:
    """A time in which a resource may have been active on a node: from the begin of its start to its certain end."""

    resource: str
    node: str
    begin: float
    end: float


def read_calls(log: Path) -> list[Call]:
    """Return the recorder's calls in order of time; a line cut off by a kill is left out."""
    calls = []
    for line in log.read_text().splitlines():
        words = line.split()
        if len(words) == 7:
            calls.append(Call(float(words[0]), words[1], words[3], words[4], words[5], words[6]))
    return sorted(calls, key=lambda call: call.time)


def read_deaths(control: Path, node: str) -> list[float]:
    """Return the times at which no process of a node lived any more."""
    events = control / f"{node}.events"
    lines = events.read_text().splitlines() if events.exists() else []
    return [float(line.split()[0]) for line in lines if line.endswith("dead")]


def intervals(
    calls: list[Call], deaths: dict[str, list[float]], resource: str, begins: str, ends: str
) -> list[Interval]:
    """Return the intervals in which a resource may have been active (``start``/``stop``) or promoted.

    An interval ends with a successful end of ``ends`` (or ``stop``), or with the death of the node.
    """
    found = []
    for node in sorted({call.node for call in calls}):
        opened: float | None = None
        events: list[tuple[float, str]] = [(time, "dead") for time in deaths.get(node, [])]
        for call in calls:
            if call.node != node or call.resource.partition(":")[0] != resource:
                continue
            if call.operation == begins and call.phase == "begin":
                events.append((call.time, "open"))
            elif call.operation in (ends, "stop") and call.phase == "end" and call.rc == "0":
                events.append((call.time, "close"))
        for time, kind in sorted(events):
            if kind == "open":
                opened = time if opened is None else opened
            elif opened is not None:
                found.append(Interval(resource, node, opened, time))
                opened = None
        if opened is not None:
            found.append(Interval(resource, node, opened, float("inf")))
    return sorted(found, key=lambda interval: interval.begin)


def overlaps(found: list[Interval]) -> list[tuple[Interval, Interval]]:
    """Return pairs of intervals on different nodes that share a moment (beyond the recorder's 10 ms grain)."""
    pairs = []
    for position, first in enumerate(found):
        for second in found[position + 1 :]:
            if first.node != second.node and second.begin + 0.011 < first.end and first.begin + 0.011 < second.end:
                pairs.append((first, second))
    return pairs
