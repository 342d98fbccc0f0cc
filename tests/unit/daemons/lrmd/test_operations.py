"""The core of lrmd: order, repetition, reports and cancellation of operations."""

import pytest

from hatools.daemons.lrmd.operations import Effect, Kill, Operations, Report, Run
from hatools.ipc.messages.lrm import Execute, OperationDone
from hatools.values.agentname import AgentName
from hatools.values.errors import LocalError, NoSuchObjectError
from hatools.values.result import ExecStatus, OperationResult

DUMMY = AgentName("ocf", "hatools", "Dummy")
OK = OperationResult(ExecStatus.DONE, 0)
NOT_RUNNING = OperationResult(ExecStatus.DONE, 7)


def core(*resources: str) -> Operations:
    operations = Operations()
    for resource in resources or ("r",):
        operations.register(0.0, resource, DUMMY)
    return operations


def runs(effects: list[Effect]) -> list[tuple[int, str]]:
    return [(effect.call_id, effect.operation) for effect in effects if isinstance(effect, Run)]


def reports(effects: list[Effect]) -> list[OperationDone]:
    return [effect.done for effect in effects if isinstance(effect, Report)]


def test_an_operation_on_an_idle_resource_runs_at_once_and_is_reported_when_it_ends() -> None:
    operations = core()
    call_id, effects = operations.execute(0.0, Execute("r", "start", tag="1:2:0:uuid"))
    assert runs(effects) == [(call_id, "start")]
    (done,) = reports(operations.finished(1.5, call_id, OK, last_run=100))
    assert (done.call_id, done.tag, done.exit_status, done.last_run, done.last_change) == (
        call_id,
        "1:2:0:uuid",
        0,
        100,
        100,
    )


def test_a_resource_does_one_thing_at_a_time_in_the_order_of_the_requests() -> None:
    operations = core()
    first, effects = operations.execute(0.0, Execute("r", "monitor"))
    second, more = operations.execute(0.1, Execute("r", "start"))
    third, still_more = operations.execute(0.2, Execute("r", "stop"))
    assert (runs(effects), runs(more), runs(still_more)) == ([(first, "monitor")], [], [])
    effects = operations.finished(1.0, first, NOT_RUNNING, last_run=1)
    assert runs(effects) == [(second, "start")]
    effects = operations.finished(2.0, second, OK, last_run=2)
    assert runs(effects) == [(third, "stop")]
    assert reports(operations.finished(3.0, third, OK, last_run=3))[0].queue_time_ms == 1800


def test_different_resources_run_side_by_side() -> None:
    operations = core("a", "b")
    a, first = operations.execute(0.0, Execute("a", "start"))
    b, second = operations.execute(0.0, Execute("b", "start"))
    assert runs(first + second) == [(a, "start"), (b, "start")]


def test_a_recurring_operation_runs_again_one_interval_after_its_end() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=2000))
    operations.finished(3.0, call_id, OK, last_run=1)
    assert operations.deadline == 5.0
    assert runs(operations.expire(4.9)) == []
    assert runs(operations.expire(5.0)) == [(call_id, "monitor")]


def test_a_recurring_operation_is_reported_the_first_time_and_when_its_result_changes() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    told = []
    for number, result in enumerate((OK, OK, NOT_RUNNING, NOT_RUNNING, OK)):
        told.append([d.exit_status for d in reports(operations.finished(number, call_id, result, last_run=number))])
        operations.expire(number + 1.0)
    assert told == [[0], [], [7], [], [0]]


def test_the_time_of_the_last_change_stays_until_the_result_changes() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    operations.finished(0.0, call_id, OK, last_run=10)
    operations.expire(1.0)
    operations.finished(1.0, call_id, OK, last_run=11)
    operations.expire(2.0)
    (done,) = reports(operations.finished(2.0, call_id, NOT_RUNNING, last_run=12))
    assert (done.last_run, done.last_change) == (12, 12)


def test_two_recurring_operations_that_are_due_together_run_one_after_the_other() -> None:
    operations = core()
    short, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=2000))
    operations.finished(0.0, short, OK, last_run=0)
    long, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=7000))
    operations.finished(0.0, long, OK, last_run=0)
    assert runs(operations.expire(2.0)) == [(short, "monitor")]
    assert runs(operations.expire(7.0)) == []
    assert runs(operations.finished(7.5, short, OK, last_run=2)) == [(long, "monitor")]


def test_a_stop_goes_before_a_monitor_that_was_queued_earlier() -> None:
    operations = core()
    start, _ = operations.execute(0.0, Execute("r", "start"))
    monitor, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    stop, _ = operations.execute(0.0, Execute("r", "stop"))
    assert runs(operations.finished(1.0, start, OK, last_run=0)) == [(stop, "stop")]
    assert runs(operations.finished(2.0, stop, OK, last_run=1)) == [(monitor, "monitor")]


def test_a_start_delay_postpones_the_first_run_only() -> None:
    operations = core()
    call_id, effects = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000, start_delay_ms=5000))
    assert (runs(effects), operations.deadline) == ([], 5.0)
    assert runs(operations.expire(5.0)) == [(call_id, "monitor")]
    operations.finished(5.5, call_id, OK, last_run=5)
    assert operations.deadline == 6.5


def test_cancelling_a_waiting_recurring_operation_is_reported_at_once() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    operations.finished(0.0, call_id, OK, last_run=0)
    (done,) = reports(operations.cancel(0.5, "r", "monitor", 1000))
    assert (done.call_id, done.exec_status, done.deleted) == (call_id, int(ExecStatus.CANCELLED), True)
    assert operations.deadline is None


def test_cancelling_a_running_recurring_operation_kills_it_and_reports_when_it_is_over() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    assert operations.cancel(0.5, "r", "monitor", 1000) == [Kill(call_id)]
    (done,) = reports(operations.finished(0.6, call_id, OperationResult(ExecStatus.ERROR, 1), last_run=0))
    assert (done.exec_status, done.deleted, operations.deadline) == (int(ExecStatus.CANCELLED), True, None)


def test_cancelling_what_is_not_there_is_refused() -> None:
    with pytest.raises(NoSuchObjectError):
        core().cancel(0.0, "r", "monitor", 1000)
    with pytest.raises(NoSuchObjectError):
        core().cancel(0.0, "unknown", "monitor", 1000)


def test_a_recurring_operation_that_is_asked_for_again_takes_over_with_its_new_call_id() -> None:
    operations = core()
    old, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000, tag="old"))
    operations.finished(0.0, old, OK, last_run=0)
    new, effects = operations.execute(0.5, Execute("r", "monitor", interval_ms=1000, tag="new"))
    assert runs(effects) == [(new, "monitor")]
    assert [d.tag for d in reports(operations.finished(0.6, new, OK, last_run=1))] == ["new"]
    assert operations.deadline == 1.6


def test_the_end_of_a_run_that_was_taken_over_is_not_reported() -> None:
    operations = core()
    old, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    new, effects = operations.execute(0.5, Execute("r", "monitor", interval_ms=1000))
    assert runs(effects) == []
    effects = operations.finished(1.0, old, NOT_RUNNING, last_run=0)
    assert (reports(effects), runs(effects)) == ([], [(new, "monitor")])


def test_an_unregistered_resource_loses_what_is_queued_and_waits_for_what_runs() -> None:
    operations = core()
    start, _ = operations.execute(0.0, Execute("r", "start"))
    monitor, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    assert [d.call_id for d in reports(operations.unregister(0.5, "r"))] == [monitor]
    assert [d.exec_status for d in reports(operations.finished(1.0, start, OK, last_run=0))] == [0]
    assert list(operations.listing()) == []
    with pytest.raises(NoSuchObjectError):
        operations.execute(2.0, Execute("r", "stop"))


def test_registering_again_with_the_same_agent_changes_nothing() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    operations.finished(0.0, call_id, OK, last_run=0)
    assert operations.register(0.5, "r", DUMMY) == []
    assert operations.deadline == 1.0


def test_registering_with_another_agent_ends_what_recurs() -> None:
    operations = core()
    call_id, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000))
    operations.finished(0.0, call_id, OK, last_run=0)
    other = AgentName("ocf", "heartbeat", "Dummy")
    assert [d.call_id for d in reports(operations.register(0.5, "r", other))] == [call_id]
    assert operations.agent_of("r") == other


def test_the_listing_names_recurring_operations_and_what_runs() -> None:
    operations = core()
    monitor, _ = operations.execute(0.0, Execute("r", "monitor", interval_ms=1000, timeout_ms=5000))
    (entry,) = operations.listing()
    assert [(op.operation, op.interval_ms, op.timeout_ms, op.call_id) for op in entry.recurring] == [
        ("monitor", 1000, 5000, monitor)
    ]
    assert (entry.standard, entry.provider, entry.type, entry.active_operation) == (
        "ocf",
        "hatools",
        "Dummy",
        "monitor",
    )


def test_an_end_that_was_not_begun_is_a_fault_of_the_caller() -> None:
    with pytest.raises(LocalError):
        core().finished(0.0, 99, OK, last_run=0)
