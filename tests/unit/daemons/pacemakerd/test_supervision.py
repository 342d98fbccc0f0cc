"""Supervision: order, restarts, hangs and the special place of messaging."""

from hatools.daemons.pacemakerd.supervision import (
    EXIT_PANIC,
    EXIT_STAY_DOWN,
    Finish,
    NodeState,
    Panic,
    SendPing,
    Spawn,
    Supervision,
    Terminate,
)


def running(order: tuple[str, ...] = ("messaging", "cib", "lrmd", "crmd")) -> Supervision:
    node = Supervision(order=order)
    node.start(0.0)
    for name in order:
        node.ready(0.0, name)
    assert node.state is NodeState.RUNNING
    return node


def test_each_daemon_starts_when_the_one_before_is_ready() -> None:
    node = Supervision(order=("messaging", "cib", "crmd"))
    assert node.start(0.0) == [Spawn("messaging")]
    assert node.ready(0.1, "messaging") == [Spawn("cib")]
    assert node.ready(0.2, "cib") == [Spawn("crmd")]
    assert node.state is NodeState.STARTING
    assert node.ready(0.3, "crmd") == []
    assert node.state is NodeState.RUNNING


def test_a_daemon_that_does_not_become_ready_is_killed_unless_it_says_that_it_waits() -> None:
    node = Supervision(order=("messaging", "cib"))
    node.start(0.0)

    assert node.waiting(50.0, "messaging") == []
    assert node.expire(61.0) == []
    assert node.expire(111.0) == [Terminate("messaging", hard=True, why="it did not become ready")]


def test_a_daemon_that_dies_is_started_again_at_once() -> None:
    node = running()
    assert node.exited(100.0, "lrmd", -9) == [Spawn("lrmd")]
    assert node.restarts("lrmd") == 1


def test_a_daemon_that_keeps_dying_is_started_with_growing_delays() -> None:
    node = running(("lrmd",))
    now: float = 100.0
    delays: list[float] = []
    node.exited(now, "lrmd", 1)
    for _ in range(5):
        assert node.exited(now, "lrmd", 1) == []
        deadline = node.deadline
        assert deadline is not None
        delays.append(round(deadline - now, 3))
        now = deadline
        assert node.expire(now)[-1] == Spawn("lrmd")
    assert delays == [0.05, 0.1, 0.2, 0.4, 0.8]


def test_a_daemon_that_does_not_answer_is_killed() -> None:
    node = running()
    assert SendPing("lrmd") in node.expire(2.0)
    for name in ("messaging", "cib", "crmd"):
        node.pong(2.0, name)
    effects = [effect for effect in node.expire(22.1) if isinstance(effect, Terminate)]
    assert effects == [Terminate("lrmd", hard=True, why="it does not answer")]


def test_a_daemon_that_answers_is_left_alone() -> None:
    node = running(("messaging",))
    for second in range(2, 100, 2):
        assert node.expire(float(second)) == [SendPing("messaging")]
        node.pong(float(second), "messaging")


def test_when_messaging_dies_crmd_goes_first_and_all_come_back_in_order() -> None:
    node = running()
    effects = node.exited(10.0, "messaging", -9)
    assert [effect.name for effect in effects] == ["crmd", "cib", "messaging"]
    assert [type(effect) for effect in effects] == [Terminate, Terminate, Spawn]
    assert node.exited(10.0, "crmd", -9) == []
    assert node.exited(10.0, "cib", -9) == []
    assert node.ready(10.1, "messaging") == [Spawn("cib")]
    assert node.ready(10.2, "cib") == [Spawn("crmd")]


def test_lrmd_outlives_messaging_because_its_resources_go_on_running() -> None:
    node = running()
    assert "lrmd" not in [effect.name for effect in node.exited(10.0, "messaging", -9) if isinstance(effect, Terminate)]


def test_the_stop_is_in_reverse_and_waits_for_each() -> None:
    node = running()
    order = []
    effects = node.stop(10.0)
    while isinstance(effects[0], Terminate):
        assert not effects[0].hard
        order.append(effects[0].name)
        effects = node.exited(11.0, effects[0].name, 0)
    assert order == ["crmd", "lrmd", "cib", "messaging"]
    assert effects == [Finish(0)]


def test_a_daemon_that_does_not_stop_is_killed_but_crmd_may_drain() -> None:
    node = running()
    node.stop(10.0)
    assert node.expire(100.0) == []
    node.exited(200.0, "crmd", 0)
    assert node.expire(211.0) == [Terminate("lrmd", hard=True, why="it did not stop")]


def test_a_daemon_that_asks_to_stay_down_stops_the_node() -> None:
    node = running()
    effects = node.exited(10.0, "crmd", EXIT_STAY_DOWN)
    assert effects == [Terminate("lrmd", hard=False, why="the node stops")]
    for name in ("lrmd", "cib", "messaging"):
        effects = node.exited(10.0, name, 0)
    assert effects == [Finish(EXIT_STAY_DOWN)]


def test_a_daemon_that_asks_for_a_panic_also_stops_the_node_where_that_is_refused() -> None:
    effects = running().exited(10.0, "crmd", EXIT_PANIC)
    assert effects == [Panic(), Terminate("lrmd", hard=False, why="the node stops")]


def test_stopping_while_starting_ends_what_runs() -> None:
    node = Supervision(order=("messaging", "cib"))
    node.start(0.0)
    assert node.stop(0.1) == [Terminate("messaging", hard=False, why="the node stops")]
    assert node.exited(0.2, "messaging", 0) == [Finish(0)]


def test_a_daemon_that_crmd_needs_for_draining_is_started_again_during_the_stop() -> None:
    node = running()
    assert node.stop(10.0) == [Terminate("crmd", hard=False, why="the node stops")]
    assert node.exited(11.0, "cib", -9) == [Spawn("cib")]
    assert node.ready(11.1, "cib") == []
    assert node.exited(12.0, "crmd", 0) == [Terminate("lrmd", hard=False, why="the node stops")]


def test_during_the_stop_nothing_is_started_that_nobody_needs() -> None:
    node = running()
    node.stop(10.0)
    node.exited(11.0, "crmd", 0)
    node.exited(11.0, "lrmd", 0)
    assert node.exited(11.0, "cib", -9) == [Terminate("messaging", hard=False, why="the node stops")]
