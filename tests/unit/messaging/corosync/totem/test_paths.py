"""Which link leads to a node: priorities, modes, and when a link is down and up again."""

import pytest

from hatools.messaging.corosync.conf_totem import LinkOptions
from hatools.messaging.corosync.totem.paths import LinkMode, Paths


def paths(mode: LinkMode = LinkMode.PASSIVE, priorities: tuple[int, ...] = (1, 1, 1)) -> Paths:
    options = {
        number: LinkOptions(number, 5405, priority, ping_interval=1.0, ping_timeout=2.0)
        for number, priority in enumerate(priorities)
    }
    return Paths(mode, options, [2], 0.0)


def silence(subject: Paths, *links: int) -> None:
    """Let all links but these answer at 3.0, and look."""
    for link in set(subject.options) - set(links):
        subject.answered(3.0, link, 2, 0.001)
    assert subject.check(3.0) == [(link, 2) for link in links]


@pytest.mark.parametrize(
    ("priorities", "down", "chosen"),
    [((1, 1, 1), (), 0), ((1, 5, 5), (), 1), ((1, 5, 9), (2,), 1), ((3, 2, 1), (0, 1), 2)],
)
def test_passive_takes_the_highest_priority_and_then_the_lowest_number(
    priorities: tuple[int, ...], down: tuple[int, ...], chosen: int
) -> None:
    subject = paths(priorities=priorities)
    silence(subject, *down)

    assert subject.choose(2) == (chosen,)


def test_active_takes_every_link_that_is_up() -> None:
    subject = paths(LinkMode.ACTIVE)
    silence(subject, 1)

    assert sorted(subject.choose(2)) == [0, 2]


def test_round_robin_takes_them_in_turn() -> None:
    subject = paths(LinkMode.ROUND_ROBIN)
    silence(subject, 1)

    assert {subject.choose(2) for _ in range(2)} == {(0,), (2,)}
    assert subject.choose(2) != subject.choose(2)


def test_if_no_link_is_up_all_are_tried() -> None:
    subject = paths()
    silence(subject, 0, 1, 2)

    assert sorted(subject.choose(2)) == [0, 1, 2]


def test_a_link_is_up_again_after_enough_answers_in_a_row() -> None:
    subject = paths()
    silence(subject, 0)

    came_up = [subject.answered(time, 0, 2, 0.002) for time in (3.5, 4.0)]

    assert came_up == [False, True]
    assert subject.choose(2) == (0,)
    assert subject.states[0, 2].changes == 2


def test_a_node_that_never_answered_is_given_the_timeout_from_the_start() -> None:
    subject = paths()

    assert subject.check(1.9) == []
    assert len(subject.check(2.0)) == 3
