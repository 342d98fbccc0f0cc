"""Which links lead to a node: probes, their answers, and the choice that ``link_mode`` makes. Pure.

With several links every node probes every other one on each link and regularly. A link towards a node is
*up* after a few answers in a row and *down* when none came for the timeout. Until the first verdict a link
counts as up, so that nothing waits for probes when nodes start.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from hatools.messaging.corosync.conf_totem import LinkOptions
from hatools.values.records import dataclass


class LinkMode(StrEnum):
    """What several links are used for: one after the other, all at once, or in turn."""

    PASSIVE = "passive"
    ACTIVE = "active"
    ROUND_ROBIN = "rr"


@dataclass(slots=True)
class PathState:
    """One link towards one node."""

    since: float
    answered_at: float | None = None
    answers: int = 0
    is_up: bool = True
    latency: float = 0.0
    changes: int = 0


class Paths:
    """The state of all links towards all nodes.

    Args:
        now: from when on answers are expected.
    """

    def __init__(self, mode: LinkMode, options: Mapping[int, LinkOptions], nodes: Iterable[int], now: float) -> None:
        self.mode = mode
        self.options = dict(options)
        self.states = {(link, node): PathState(now) for link in options for node in nodes}
        self._turn = 0
        # In the order of preference: the highest priority first, then the lowest number.
        self._preferred = sorted(self.options, key=lambda number: (-self.options[number].priority, number))

    @property
    def interval(self) -> float:
        """Return how often to probe."""
        return min(option.ping_interval for option in self.options.values())

    def answered(self, now: float, link: int, node: int, latency: float) -> bool:
        """Note the answer to a probe; True if the link came up by it."""
        state = self.states.get((link, node))
        if state is None:
            return False
        state.answered_at = now
        state.answers += 1
        state.latency = latency
        if state.is_up or state.answers < self.options[link].pong_count:
            return False
        state.is_up = True
        state.changes += 1
        return True

    def check(self, now: float) -> list[tuple[int, int]]:
        """Take down the links that have been silent for too long; return those (link, node)."""
        down = []
        for (link, node), state in self.states.items():
            last = state.since if state.answered_at is None else state.answered_at
            if now - last < self.options[link].ping_timeout:
                continue
            state.answers = 0
            if state.is_up:
                state.is_up = False
                state.changes += 1
                down.append((link, node))
        return down

    def choose(self, node: int) -> tuple[int, ...]:
        """Return the links to use towards a node; all of them if none is up."""
        up = [link for link in self._preferred if self.states[link, node].is_up]
        if not up:
            return tuple(self._preferred)
        match self.mode:
            case LinkMode.ACTIVE:
                return tuple(up)
            case LinkMode.PASSIVE:
                return (up[0],)
            case LinkMode.ROUND_ROBIN:
                self._turn += 1
                return (up[self._turn % len(up)],)

    def is_up(self, link: int, node: int) -> bool:
        """Say whether a link towards a node is up."""
        state = self.states.get((link, node))
        return state is not None and state.is_up
