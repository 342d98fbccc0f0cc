"""One fencing operation at its origin."""

from hatools.daemons.stonithd.operation import (
    ACCEPT_LIMIT_S,
    FAILED_AGENT,
    GRACE_S,
    NO_DEVICE,
    NO_PEER,
    TIMED_OUT,
    CancelTask,
    Conclude,
    Effect,
    Operation,
    Request,
    RunTask,
)
from hatools.ipc.messages.stonith import DeviceOffer, DeviceResult
from hatools.values.result import ExecStatus

OK = DeviceResult(0, 0, "")
FAILED = DeviceResult(int(ExecStatus.ERROR), 1, "", "no answer")
LATE = DeviceResult(int(ExecStatus.TIMEOUT), 1, "", "Fence agent did not complete within 5s")


def offer(device: str, **more: object) -> DeviceOffer:
    return DeviceOffer(device, 5000, 0, off_on=(5000, 5000), **more)  # type: ignore[arg-type]


def operation(
    action: str = "reboot",
    *,
    peers: tuple[int, ...] = (1, 2),
    target: int = 0,
    levels: tuple[tuple[str, ...], ...] = (),
    delay_ms: int = 0,
) -> Operation:
    found = Operation(Request("id", "n9", action, 20_000, delay_ms), frozenset(peers), target, 1, levels)
    assert found.start(0.0) == []
    return found


def tasks(effects: list[Effect]) -> list[tuple[int, str, str]]:
    return [(e.node, e.device, e.action) for e in effects if isinstance(e, RunTask)]


def verdicts(effects: list[Effect]) -> list[tuple[bool, int, str]]:
    return [(e.success, e.executioner, e.reason) for e in effects if isinstance(e, Conclude)]


def run(op: Operation, effects: list[Effect], results: dict[tuple[str, str], DeviceResult]) -> list[object]:
    """Let everything that is asked for happen, with the result for (device, action); return the trace."""
    trace: list[object] = []
    while effects:
        effect = effects.pop(0)
        if isinstance(effect, RunTask):
            trace.append((effect.node, effect.device, effect.action))
            effects.extend(op.executed(1.0, effect.step, results.get((effect.device, effect.action), OK)))
        else:
            trace.append(effect)
    return trace


def test_it_begins_when_all_peers_have_answered() -> None:
    op = operation()
    assert op.offered(0.0, 2, ()) == []
    assert tasks(op.offered(0.1, 1, (offer("a"),))) == [(1, "a", "reboot")]


def test_a_verified_device_need_not_wait_for_the_others() -> None:
    assert tasks(operation().offered(0.0, 2, (offer("a", verified=True),))) == [(2, "a", "reboot")]


def test_slow_peers_are_waited_for_a_moment_only_once_there_is_an_offer() -> None:
    op = operation()
    assert op.deadline == 20.0
    op.offered(1.0, 1, (offer("a"),))
    assert op.deadline == 1.0 + GRACE_S
    assert tasks(op.expire(1.0 + GRACE_S)) == [(1, "a", "reboot")]


def test_the_target_does_not_fence_itself_while_there_is_a_peer() -> None:
    op = operation(peers=(1, 2), target=2)
    op.offered(0.0, 2, (offer("a", verified=True),))
    assert verdicts(op.offered(0.0, 1, ())) == [(False, 0, NO_DEVICE)]


def test_a_node_that_is_alone_fences_itself() -> None:
    op = operation(peers=(1,), target=1)
    assert tasks(op.offered(0.0, 1, (offer("a"),))) == [(1, "a", "reboot")]


def test_success_names_the_executioner() -> None:
    op = operation()
    op.offered(0.0, 1, ())
    effects = op.offered(0.0, 2, (offer("a"),))
    assert run(op, effects, {}) == [(2, "a", "reboot"), Conclude(True, 2)]
    assert op.deadline is None


def test_without_any_device_it_fails() -> None:
    op = operation()
    op.offered(0.0, 1, ())
    assert verdicts(op.offered(0.0, 2, ())) == [(False, 0, NO_DEVICE)]


def test_a_failed_device_is_tried_on_the_next_peer_and_then_the_next_device() -> None:
    op = operation()
    op.offered(0.0, 1, (offer("a"),))
    effects = op.offered(0.0, 2, (offer("a"), offer("b")))
    assert run(op, effects, {("a", "reboot"): FAILED}) == [
        (1, "a", "reboot"),
        (2, "a", "reboot"),
        (2, "b", "reboot"),
        Conclude(True, 2),
    ]


def test_the_priority_of_devices_decides_their_order() -> None:
    op = operation(peers=(1,))
    effects = op.offered(0.0, 1, (offer("a"), offer("b", priority=10)))
    assert tasks(effects) == [(1, "b", "reboot")]


def test_when_everything_failed_the_last_reason_is_given() -> None:
    op = operation(peers=(1,))
    effects = op.offered(0.0, 1, (offer("a"),))
    assert run(op, effects, {("a", "reboot"): FAILED}) == [
        (1, "a", "reboot"),
        Conclude(False, 0, FAILED_AGENT, "no answer"),
    ]


def test_an_agent_that_took_too_long_makes_a_timeout() -> None:
    op = operation(peers=(1,))
    trace = run(op, op.offered(0.0, 1, (offer("a"),)), {("a", "reboot"): LATE})
    assert trace[-1] == Conclude(False, 0, TIMED_OUT, LATE.reason)


def test_a_lost_executioner_is_replaced() -> None:
    op = operation()
    op.offered(0.0, 1, (offer("a"),))
    effects = op.offered(0.0, 2, (offer("a", verified=True),))
    assert tasks(effects) == [(2, "a", "reboot")]
    assert tasks(op.peer_lost(1.0, 2)) == [(1, "a", "reboot")]


def test_a_peer_that_is_lost_need_not_answer() -> None:
    op = operation()
    op.offered(0.0, 1, (offer("a"),))
    assert tasks(op.peer_lost(0.1, 2)) == [(1, "a", "reboot")]


def test_a_peer_that_does_not_confirm_its_task_is_passed_over_and_told_so() -> None:
    op = operation()
    op.offered(0.0, 1, (offer("a"),))
    (first,) = op.offered(0.0, 2, (offer("a", verified=True),))
    assert isinstance(first, RunTask)
    effects = op.expire(ACCEPT_LIMIT_S)
    assert effects[0] == CancelTask(first.step, 2)
    assert tasks(effects) == [(1, "a", "reboot")]
    assert op.executed(3.0, first.step, OK) == []


def test_a_peer_that_confirmed_has_the_devices_time() -> None:
    op = operation(peers=(2,))
    (task,) = op.offered(0.0, 2, (offer("a"),))
    assert isinstance(task, RunTask)
    op.accepted(task.step)
    assert op.deadline == 24.0  # 20 s were asked for, times 1.2
    assert verdicts(op.expire(24.0)) == [(False, 0, TIMED_OUT)]


def test_the_devices_of_a_level_all_have_to_succeed() -> None:
    op = operation("off", peers=(1,), levels=(("a", "b"), ("c",)))
    effects = op.offered(0.0, 1, (offer("a"), offer("b"), offer("c")))
    assert run(op, effects, {("b", "off"): FAILED}) == [
        (1, "a", "off"),
        (1, "b", "off"),
        (1, "c", "off"),
        Conclude(True, 1),
    ]


def test_a_reboot_by_several_devices_is_all_off_and_then_all_on() -> None:
    op = operation(peers=(1,), levels=(("a", "b"),))
    effects = op.offered(0.0, 1, (offer("a"), offer("b")))
    assert run(op, effects, {}) == [
        (1, "a", "off"),
        (1, "b", "off"),
        (1, "a", "on"),
        (1, "b", "on"),
        Conclude(True, 1),
    ]


def test_once_everything_is_off_a_failure_to_switch_on_does_not_matter() -> None:
    op = operation(peers=(1,), levels=(("a", "b"),))
    effects = op.offered(0.0, 1, (offer("a"), offer("b")))
    assert run(op, effects, {("a", "on"): FAILED, ("b", "on"): FAILED})[-1] == Conclude(True, 1)


def test_one_device_in_a_level_reboots_in_one_go() -> None:
    op = operation(peers=(1,), levels=(("a",),))
    assert tasks(op.offered(0.0, 1, (offer("a"),))) == [(1, "a", "reboot")]


def test_the_devices_of_a_level_may_be_on_different_peers() -> None:
    op = operation("off", levels=(("a", "b"),))
    op.offered(0.0, 1, (offer("a"),))
    effects = op.offered(0.0, 2, (offer("b"),))
    assert run(op, effects, {}) == [(1, "a", "off"), (2, "b", "off"), Conclude(True, 2)]


def test_a_level_whose_device_nobody_has_is_left_for_the_next() -> None:
    op = operation("off", peers=(1,), levels=(("x",), ("a",)))
    effects = op.offered(0.0, 1, (offer("a"),))
    assert run(op, effects, {}) == [(1, "a", "off"), Conclude(True, 1)]


def test_a_topology_whose_devices_nobody_has_fails() -> None:
    op = operation("off", peers=(1,), levels=(("x",),))
    assert [v[0] for v in verdicts(op.offered(0.0, 1, (offer("a"),)))] == [False]


def test_unfencing_runs_every_required_device_and_the_target_may_do_it() -> None:
    op = operation("on", peers=(1, 2), target=2)
    assert op.offered(0.0, 1, (offer("a", required=True, verified=True),)) == []
    effects = op.offered(0.0, 2, (offer("b", required=True, on_target=True),))
    assert run(op, effects, {}) == [(1, "a", "on"), (2, "b", "on"), Conclude(True, 2)]


def test_unfencing_fails_if_one_required_device_fails() -> None:
    op = operation("on", peers=(1,), target=2)
    effects = op.offered(0.0, 1, (offer("a", required=True), offer("b", required=True)))
    assert run(op, effects, {("b", "on"): FAILED})[-1] == Conclude(False, 0, FAILED_AGENT, "no answer")


def test_a_device_that_has_to_run_on_the_target_runs_nowhere_else() -> None:
    op = operation("off", peers=(1,), target=2)
    assert verdicts(op.offered(0.0, 1, (offer("a", on_target=True),))) == [(False, 0, NO_DEVICE)]


def test_the_delay_that_was_asked_for_applies_to_the_first_device_only() -> None:
    op = operation("off", peers=(1,), levels=(("a", "b"),), delay_ms=3000)
    (first,) = op.offered(0.0, 1, (offer("a"), offer("b")))
    assert isinstance(first, RunTask)
    (second,) = op.executed(1.0, first.step, OK)
    assert isinstance(second, RunTask)
    assert (first.delay_ms, second.delay_ms) == (3000, 0)


def test_switched_off_delays_stay_off() -> None:
    op = operation("off", peers=(1,), delay_ms=-1)
    (task,) = op.offered(0.0, 1, (offer("a"),))
    assert isinstance(task, RunTask)
    assert task.delay_ms == -1


def test_a_persons_word_ends_it() -> None:
    op = operation(peers=(2,))
    (task,) = op.offered(0.0, 2, (offer("a"),))
    assert isinstance(task, RunTask)
    assert op.confirmed() == [CancelTask(task.step, 2), Conclude(True, 0)]
    assert op.confirmed() == []


def test_when_the_last_peer_is_lost_the_reason_says_so() -> None:
    op = operation(peers=(2,))
    op.offered(0.0, 2, (offer("a"),))
    assert verdicts(op.peer_lost(1.0, 2)) == [(False, 0, NO_PEER)]
