"""Random clusters: our decisions are those of Pacemaker 2.1.5's own ``crm_simulate``.

``HATOOLS_SEEDS=2000`` (``make conformance-random``) compares that many; a failing seed is in the test's name.
"""

import os
from pathlib import Path

import pytest

from tests.conformance.compare import compare, decisions, original_output
from tests.conformance.random_clusters import random_cluster
from tests.support import requires

SEEDS = range(int(os.environ.get("HATOOLS_SEEDS", "40")))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_cluster_is_decided_as_the_original_decides_it(seed: int, tmp_path: Path) -> None:
    program = requires.program("crm_simulate", "pacemaker-cli-utils")
    path = tmp_path / "cib.xml"
    path.write_text(random_cluster(seed), encoding="utf-8")
    if not decisions(original_output(program, path)):
        return  # The original stops at an assertion of its own here: there is nothing to agree with.
    assert compare(program, path).difference == ""


def test_a_seed_names_a_cluster_for_ever() -> None:
    assert random_cluster(7) == random_cluster(7)
    assert random_cluster(7) != random_cluster(8)
