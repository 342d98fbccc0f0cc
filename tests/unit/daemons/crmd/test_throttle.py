"""How load becomes fewer jobs."""

import pytest

from hatools.daemons.crmd.throttle import (
    Throttle,
    batch_limit,
    configured_threshold,
    job_limit,
    most_jobs,
    own_limit,
    throttle_of,
)


@pytest.mark.parametrize(
    ("load", "cores", "mode"),
    [
        (0.0, 4, Throttle.NONE),
        (3.8, 4, Throttle.NONE),
        (3.9, 4, Throttle.LOW),
        (5.2, 4, Throttle.MEDIUM),
        (6.5, 4, Throttle.HIGH),
        (500.0, 4, Throttle.HIGH),
        (0.5, 1, Throttle.NONE),
        (1.0, 1, Throttle.HIGH),
    ],
)
def test_a_load_has_a_class_by_the_cores_it_falls_on(load: float, cores: int, mode: Throttle) -> None:
    assert throttle_of(load, cores, 0.8) is mode


def test_a_loaded_node_gets_a_part_of_its_jobs_but_always_one() -> None:
    assert [job_limit(mode, 8) for mode in Throttle] == [8, 6, 4, 2, 1]
    assert [job_limit(mode, 1) for mode in Throttle] == [1, 1, 1, 1, 1]
    assert job_limit(Throttle.HIGH, 0) == 0


def test_a_very_loaded_node_slows_all_down() -> None:
    assert batch_limit(0, [Throttle.NONE, Throttle.MEDIUM], 4) == 0
    assert batch_limit(0, [Throttle.HIGH], 4) == 2
    assert batch_limit(10, [Throttle.HIGH, Throttle.EXTREME], 8) == 2
    assert batch_limit(1, [Throttle.EXTREME], 8) == 1


def test_a_threshold_is_a_percentage() -> None:
    assert [configured_threshold(text) for text in ("50%", "120", "", "much")] == [0.5, 1.2, 0.8, 0.8]


def test_the_environment_of_a_node_wins_over_the_clusters_option() -> None:
    assert most_jobs(0, "", 4) == 8
    assert most_jobs(0, "3", 4) == 3
    assert most_jobs(own_limit({"LRMD_MAX_CHILDREN": "5"}), "3", 4) == 5
    assert own_limit({"LRMD_MAX_CHILDREN": "5", "PCMK_node_action_limit": "6"}) == 6
