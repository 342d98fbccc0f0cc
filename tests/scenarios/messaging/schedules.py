"""Schedules of faults: made from a seed, written down as text, played, judged and shrunk.

A schedule says everything that happens to a cluster on virtual time. Traffic and the network's dice come from
the seed alone, so taking faults out of a schedule changes nothing else in it, and a shrunk one is as replayable
as the first: ``HATOOLS_RING_SCHEDULE='...' pytest tests/scenarios/messaging/test_storms.py -k replay``.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.scenarios.messaging.network import Network, Weather, check, check_complete, configuration

STORM_S = 12.0
"""How long faults come."""
SETTLE_S = 30.0
"""How long a ring may take to form once they have ended."""
CALM = Weather(delay=(0.002, 0.008))

QUORUM = {
    "majority": "",
    "wait_for_all": " wait_for_all: 1\n",
    "last_man_standing": " last_man_standing: 1\n wait_for_all: 1\n last_man_standing_window: 2000\n",
    "auto_tie_breaker": " auto_tie_breaker: 1\n wait_for_all: 1\n",
    "two_node": " two_node: 1\n",
}
"""Rules of quorum that schedules choose from."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens ``at`` seconds after the storm began; ``values`` are the kind's own."""

    at: float
    kind: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cluster and what happens to it."""

    seed: int
    count: int
    quorum: str
    faults: tuple[Fault, ...]

    def to_text(self) -> str:
        """Return the schedule on one line."""
        faults = [[fault.at, fault.kind, *fault.values] for fault in self.faults]
        return json.dumps({"seed": self.seed, "count": self.count, "quorum": self.quorum, "faults": faults})

    @staticmethod
    def from_text(text: str) -> "Schedule":
        """Read what :meth:`to_text` wrote."""
        data = json.loads(text)
        faults = tuple(Fault(at, kind, tuple(values)) for at, kind, *values in data["faults"])
        return Schedule(data["seed"], data["count"], data["quorum"], faults)


def make_schedule(seed: int) -> Schedule:
    """Return the schedule of a seed: 2 to 16 nodes, large clusters now and then."""
    dice = random.Random(f"schedule {seed}")
    count = dice.randint(8, 16) if dice.random() < 0.06 else dice.choice((2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7))
    rules = ["majority", "wait_for_all", "last_man_standing"]
    rules += ["auto_tie_breaker"] if count % 2 == 0 else []
    rules += ["two_node"] if count == 2 else []
    faults = []
    at = 0.3
    while at < STORM_S:
        faults.append(_make_fault(dice, round(at, 4), count))
        at += dice.expovariate(1.4)
    return Schedule(seed, count, dice.choice(rules), tuple(faults))


def _make_fault(dice: random.Random, at: float, count: int) -> Fault:
    node, other = dice.randint(1, count), dice.randint(1, count)
    kind = dice.choice(
        (
            "crash",
            "pause",
            "split",
            "one_way",
            "weather",
            "leave",
            "heal",
            "heal",
            "restart",
            "clock",
            "reload",
            "attack",
        )
    )
    match kind:
        case "pause":
            return Fault(at, kind, (node, dice.choice((0.3, 0.9, 1.5, 4.0))))
        case "split":
            return Fault(at, kind, tuple(number for number in range(1, count + 1) if dice.random() < 0.5))
        case "one_way":
            return Fault(at, kind, (node, other))
        case "weather":
            slow = dice.choice((0.001, 0.001, 0.05, 0.0))
            return Fault(at, kind, (dice.choice((0.0, 0.05, 0.2, 0.3)), dice.choice((0.0, 0.1)), slow))
        case "clock":
            return Fault(at, kind, (node, dice.choice((-1e6, -3600.0, -1.0, 1.0, 3600.0))))
        case "attack":
            return Fault(at, kind, (node, dice.randint(1, 40)))
        case "heal" | "reload":
            return Fault(at, kind)
    return Fault(at, kind, (node,))


class Story:
    """One schedule, played."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        extra = " token_coefficient: 0\n"
        conf = configuration(schedule.count, quorum=QUORUM[schedule.quorum], totem=extra)
        self.network = Network(schedule.count, schedule.seed, conf=conf)
        self.network.fair = self.network.weather = CALM
        self.network.two_quorate_partitions_allowed = schedule.quorum == "two_node"
        self._dice = random.Random(f"traffic {schedule.seed}")
        self._direct_dice = random.Random(f"direct traffic {schedule.seed}")
        self._letters = 0

    def play(self) -> Network:
        """Start everything, let the faults happen, end them, and check all promises.

        Raises:
            AssertionError: a promise was broken, or the cluster did not come to rest.
        """
        network = self.network
        numbers = list(network.nodes)
        for number in numbers:
            network.at(self._dice.uniform(0, 0.3), lambda number=number: network.start(number))
        network.run(1)
        begin = network.now
        for fault in self.schedule.faults:
            network.at(begin + fault.at, lambda fault=fault: self._happen(fault))
        self._traffic(begin + STORM_S, 20.0 if len(numbers) < 8 else 5.0)
        network.run(STORM_S)
        network.heal()
        network.run(4)
        self._start_stopped()
        network.run_until(network.is_settled, SETTLE_S)
        network.run(2)
        assert network.is_settled(), network.describe()
        check(network)
        check_complete(network)
        return network

    def _traffic(self, end: float, rate: float) -> None:
        network, dice = self.network, self._dice
        network.send(dice.choice(list(network.nodes)), dice.choice((20, 20, 200, 2000, 20_000)))
        for _ in range(self._direct_dice.randrange(4)):
            self._write_to_one()
        if network.now < end:
            network.at(network.now + dice.expovariate(rate), lambda: self._traffic(end, rate))

    def _write_to_one(self) -> None:
        dice, nodes = self._direct_dice, list(self.network.nodes)
        self._letters += 1
        payload = f"letter {self._letters} ".encode().ljust(dice.choice((dice.randrange(1500), 30, 4000)), b".")
        self.network.send_direct(dice.choice(nodes), dice.choice(nodes), payload)

    def _start_stopped(self) -> None:
        for number, node in self.network.nodes.items():
            if node.engine is None:
                self.network.start(number)

    def _happen(self, fault: Fault) -> None:
        network = self.network
        node = int(fault.values[0]) if fault.values else 0
        match fault.kind, fault.values:
            case "crash", _:
                network.crash(node)
            case "restart", _:
                network.crash(node)
                network.start(node)
            case "leave", _:
                network.leave(node)
            case "pause", (_, seconds):
                if network.nodes[node].engine is not None:
                    network.pause(node, seconds)
            case "split", side:
                ours = {int(number) for number in side}
                network.partition(ours, set(network.nodes) - ours)
            case "one_way", (_, other):
                network.blocked.add((node, int(other)))
            case "weather", (loss, duplication, slow):
                network.weather = Weather(loss, duplication, (min(0.0005, slow), slow))
            case "clock", (_, step):
                network.nodes[node].clock += step
            case "attack", (_, count):
                network.attack(node, int(count))
            case "reload", _:
                network.reload_somewhere()
            case "heal", _:
                network.heal()
                self._start_stopped()
            case _:
                raise ValueError(f"no fault: {fault}")


def failure_of(schedule: Schedule) -> str:
    """Play a schedule; return what it broke, empty if nothing."""
    try:
        Story(schedule).play()
    except Exception as error:  # whatever the code under test raises is a finding
        return f"{type(error).__name__}: {error}"
    return ""


def shrink(schedule: Schedule, fails: Callable[[Schedule], bool], most_plays: int = 300) -> Schedule:
    """Return a schedule that still fails, with as few faults and as small a cluster as could be found.

    Delta debugging: leave out ever smaller runs of faults as long as it goes on failing.

    Args:
        fails: plays a schedule and says whether it fails (in the same way).
    """
    plays = 0

    def still_fails(candidate: Schedule) -> bool:
        nonlocal plays
        plays += 1
        return plays <= most_plays and fails(candidate)

    best = schedule
    size = max(1, len(best.faults) // 2)
    while True:
        shrunk = False
        start = 0
        while start < len(best.faults):
            candidate = replace(best, faults=best.faults[:start] + best.faults[start + size :])
            if still_fails(candidate):
                best, shrunk = candidate, True
            else:
                start += size
        if size > 1:
            size //= 2
        elif not shrunk:
            break
    for count in range(2, best.count):
        candidate = replace(best, count=count, faults=_without_nodes_above(count, best.faults))
        if still_fails(candidate):
            return candidate
    return best


def _without_nodes_above(count: int, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    kept = []
    for fault in faults:
        match fault.kind:
            case "split":
                kept.append(replace(fault, values=tuple(number for number in fault.values if number <= count)))
            case "one_way":
                if max(fault.values) <= count:
                    kept.append(fault)
            case "crash" | "restart" | "leave" | "pause" | "clock" | "attack":
                if fault.values[0] <= count:
                    kept.append(fault)
            case _:
                kept.append(fault)
    return tuple(kept)


def report(schedule: Schedule, failure: str) -> str:
    """Return what a failing test shows: the shrunk schedule, ready to be played again."""
    kind = failure.partition(":")[0]
    small = shrink(schedule, lambda candidate: failure_of(candidate).partition(":")[0] == kind)
    lines = "\n".join(f"  {fault.at:8.4f}  {fault.kind:8} {' '.join(map(str, fault.values))}" for fault in small.faults)
    return (
        f"seed {schedule.seed} fails: {failure_of(small) or failure}\n"
        f"shrunk from {len(schedule.faults)} to {len(small.faults)} faults, {small.count} nodes, {small.quorum}:\n"
        f"{lines}\n"
        f"HATOOLS_RING_SCHEDULE='{small.to_text()}'"
    )
