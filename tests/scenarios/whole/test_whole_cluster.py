"""A whole cluster under faults, by seeds: the invariants of the design must hold at every moment.

``HATOOLS_SEEDS=5000`` runs more of them, ``HATOOLS_FIRST_SEED=300`` goes on behind those that have run,
``HATOOLS_SEED=n`` replays one and prints its story.
"""

import os

import pytest

from tests.scenarios.whole.storm import Storm

SEEDS = int(os.environ.get("HATOOLS_SEEDS", "300"))
FIRST_SEED = int(os.environ.get("HATOOLS_FIRST_SEED", "0"))
BATCH = 10


def seeds() -> list[range]:
    only = os.environ.get("HATOOLS_SEED")
    if only:
        return [range(int(only), int(only) + 1)]
    end = FIRST_SEED + SEEDS
    return [range(first, min(first + BATCH, end)) for first in range(FIRST_SEED, end, BATCH)]


@pytest.mark.parametrize("batch", seeds(), ids=lambda batch: f"{batch[0]}-{batch[-1]}")
def test_the_invariants_hold_under_crashes_freezes_and_partitions(batch: range) -> None:
    for seed in batch:
        storm = Storm(seed)
        try:
            storm.run()
        except AssertionError as error:
            story = "\n".join(storm.world.log[-120:])
            pytest.fail(f"HATOOLS_SEED={seed}: {error}\n{story}")
        print(f"seed {seed}: {storm.figures}")


@pytest.mark.parametrize("seed", range(10))
def test_without_fencing_a_node_that_is_cut_off_stops_before_the_others_start(seed: int) -> None:
    storm = Storm(seed, fencing=False)
    try:
        storm.cut_off()
    except AssertionError as error:
        pytest.fail(f"seed {seed}: {error}\n" + "\n".join(storm.world.log[-80:]))
