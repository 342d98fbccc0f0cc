"""A whole cluster under faults, by seeds: the invariants of the design must hold at every moment.

``HATOOLS_SEEDS=5000`` runs more of them, ``HATOOLS_FIRST_SEED=300`` goes on behind those that have run,
``HATOOLS_SEED=n`` replays one and prints its story. ``HATOOLS_JOBS`` is how many processes share the work, by default
one for the usual seeds and one for each processor for more.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

import pytest

from tests.scenarios.whole.storm import Storm

USUAL = 300
SEEDS = int(os.environ.get("HATOOLS_SEEDS", USUAL))
FIRST_SEED = int(os.environ.get("HATOOLS_FIRST_SEED", "0"))
JOBS = int(os.environ.get("HATOOLS_JOBS") or (1 if SEEDS <= USUAL else os.cpu_count() or 1))
BATCH = 10

Results = dict[range, "Future[tuple[list[str], str]]"]


def seeds() -> list[range]:
    only = os.environ.get("HATOOLS_SEED")
    if only:
        return [range(int(only), int(only) + 1)]
    end = FIRST_SEED + SEEDS
    return [range(first, min(first + BATCH, end)) for first in range(FIRST_SEED, end, BATCH)]


def run_batch(batch: range) -> tuple[list[str], str]:
    """Run some seeds; return a line of figures for each that held, and the story of the first that did not."""
    figures: list[str] = []
    for seed in batch:
        storm = Storm(seed)
        try:
            storm.run()
        except AssertionError as error:
            story = "\n".join(storm.world.log[-120:])
            return figures, f"HATOOLS_SEED={seed}: {error}\n{story}"
        figures.append(f"seed {seed}: {storm.figures}")
    return figures, ""


@pytest.fixture(scope="module")
def ahead() -> Iterator[Results]:
    """Batches that other processes run, in the order in which the tests ask for them; none with one job."""
    if JOBS <= 1:
        yield {}
        return
    with ProcessPoolExecutor(JOBS) as pool:
        yield {batch: pool.submit(run_batch, batch) for batch in seeds()}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("batch", seeds(), ids=lambda batch: f"{batch[0]}-{batch[-1]}")
def test_the_invariants_hold_under_crashes_freezes_and_partitions(batch: range, ahead: Results) -> None:
    figures, story = ahead[batch].result() if batch in ahead else run_batch(batch)
    print("\n".join(figures))
    if story:
        pytest.fail(story)


@pytest.mark.parametrize("seed", range(10))
def test_without_fencing_a_node_that_is_cut_off_stops_before_the_others_start(seed: int) -> None:
    storm = Storm(seed, fencing=False)
    try:
        storm.cut_off()
    except AssertionError as error:
        pytest.fail(f"seed {seed}: {error}\n" + "\n".join(storm.world.log[-80:]))
