"""Storms of faults on clusters of 2 to 16 nodes break no promise; what fails is shrunk and shown.

``HATOOLS_RING_SEEDS`` says how many seeds are played, ``HATOOLS_RING_FIRST`` with which one to begin (to share a
long run between processes), ``HATOOLS_RING_SCHEDULE`` holds a schedule to play again.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenarios.messaging.schedules import Fault, Schedule, Story, failure_of, make_schedule, report, shrink

SEEDS = int(os.environ.get("HATOOLS_RING_SEEDS") or "500")
FIRST = int(os.environ.get("HATOOLS_RING_FIRST") or "0")
BATCH = 10

FAILED_ONCE = [
    line for line in Path(__file__).with_name("failed_once.txt").read_text().splitlines() if not line.startswith("#")
]

BATCHES = [range(first, min(first + BATCH, FIRST + SEEDS)) for first in range(FIRST, FIRST + SEEDS, BATCH)]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_a_storm_of_faults_breaks_no_promise(seeds: range) -> None:
    for seed in seeds:
        play(make_schedule(seed))


@pytest.mark.parametrize("text", FAILED_ONCE, ids=lambda text: f"seed {json.loads(text)['seed']}")
def test_what_failed_once_does_not_fail_again(text: str) -> None:
    play(Schedule.from_text(text))


def test_replay() -> None:
    text = os.environ.get("HATOOLS_RING_SCHEDULE")
    schedule = Schedule.from_text(text) if text else replace(make_schedule(3), faults=())

    Story(schedule).play()


def play(schedule: Schedule) -> None:
    failure = failure_of(schedule)
    if failure:
        pytest.fail(report(schedule, failure), pytrace=False)


def test_a_schedule_is_what_its_text_says() -> None:
    schedule = make_schedule(11)

    assert Schedule.from_text(schedule.to_text()) == schedule
    assert make_schedule(11) == schedule


def test_schedules_have_every_kind_of_fault_and_all_sizes() -> None:
    schedules = [make_schedule(seed) for seed in range(500)]

    kinds = {fault.kind for schedule in schedules for fault in schedule.faults}
    assert kinds == {
        "crash",
        "pause",
        "split",
        "one_way",
        "weather",
        "leave",
        "heal",
        "restart",
        "clock",
        "reload",
        "attack",
    }
    assert {schedule.count for schedule in schedules} == set(range(2, 17))


def test_shrinking_finds_the_few_faults_that_matter() -> None:
    faults = tuple(Fault(float(index), "crash" if index in (17, 40) else "weather", (1.0,)) for index in range(60))
    schedule = Schedule(1, 7, "majority", faults)
    plays = 0

    def fails(candidate: Schedule) -> bool:
        nonlocal plays
        plays += 1
        return sum(fault.kind == "crash" for fault in candidate.faults) == 2 and candidate.count >= 3

    small = shrink(schedule, fails)

    assert [fault.at for fault in small.faults] == [17.0, 40.0]
    assert small.count == 3
    assert plays < 60


def test_shrinking_keeps_what_fails_for_no_reason_and_ends() -> None:
    schedule = make_schedule(5)

    assert shrink(schedule, lambda candidate: candidate == schedule) == schedule


def test_a_broken_promise_is_found_shrunk_and_shown_ready_to_be_played_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that hands messages to clients twice after a restart."""
    from tests.scenarios.messaging.network import Network

    restart = Network.start

    def start_badly(network: Network, number: int) -> None:
        restart(network, number)
        life = network.nodes[number].life
        if network.nodes[number].epochs > 2 and life is not None:
            life.sent.append(b"never sent")

    monkeypatch.setattr(Network, "start", start_badly)
    schedule = next(one for one in map(make_schedule, range(50)) if failure_of(one))

    text = report(schedule, failure_of(schedule))

    assert "did not get its own messages" in text
    replayed = Schedule.from_text(text.rpartition("HATOOLS_RING_SCHEDULE='")[2].rstrip("'"))
    assert failure_of(replayed)
    assert len(replayed.faults) <= 4 < len(schedule.faults)
