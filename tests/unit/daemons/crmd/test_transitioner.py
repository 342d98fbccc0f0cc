"""Results in the CIB and the actions they belong to."""

from hatools.daemons.crmd.changes import HistoryErased, OperationRecorded
from hatools.daemons.crmd.history import Outcome, ResourceIdentity, history_entries
from hatools.daemons.crmd.transitioner import Aborted, CountFailure, Ended, MarkLost, Perform, PerformHere, Transitioner
from hatools.transition.execution import Limits
from hatools.transition.graph import Graph
from tests.unit.daemons.crmd.graphs import cluster_event, graph, operation

NO_LIMITS = Limits(0, {}, -1)
RESOURCE = ResourceIdentity("r", "ocf", "x", "y")


def begin(found: Graph) -> Transitioner:
    work = Transitioner("me")
    work.begin(0.0, found, NO_LIMITS)
    return work


def recorded(work: Transitioner, action: int, task: str, code: int, *, interval_ms: int = 0, target: int = 0,
             transition: int = 0, uuid: str = "me") -> OperationRecorded:  # fmt: skip
    outcome = Outcome(RESOURCE, task, interval_ms, f"{action}:{transition}:{target}:{uuid}", 0, code, call_id=action)
    entry = history_entries(outcome, "node2", None, "test")[0]
    return OperationRecorded("2", "node2", "r", entry)


def test_a_good_result_lets_the_next_action_run():
    work = begin(graph(operation(1, "r", "start", 2), operation(2, "r", "monitor", 2, interval_ms=1000, after=(1,))))
    effects = work.recorded(1.0, recorded(work, 1, "start", 0))
    assert [effect.action.operation_key for effect in effects if isinstance(effect, Perform)] == ["r_monitor_1000"]


def test_fencing_is_handed_out_before_everything_else_that_may_run():
    found = graph(operation(1, "r", "stop", 2), cluster_event(2, "stonith", 3, stonith_action="reboot"))
    effects = Transitioner("me").begin(0.0, found, NO_LIMITS)
    assert [type(effect) for effect in effects] == [PerformHere, Perform]


def test_a_failed_start_counts_infinity_and_ends_the_transition():
    work = begin(graph(operation(1, "r", "start", 2), operation(2, "r", "monitor", 2, interval_ms=1000, after=(1,))))
    effects = work.recorded(1.0, recorded(work, 1, "start", 1))
    assert effects[0] == CountFailure("node2", "r", "start", 0, "INFINITY")
    assert isinstance(effects[-1], Ended)
    assert effects[-1].restart


def test_a_failed_start_counts_one_where_the_graph_says_so():
    work = begin(graph(operation(1, "r", "start", 2), failed_start_offset="1"))
    effects = work.recorded(1.0, recorded(work, 1, "start", 1))
    assert effects[0] == CountFailure("node2", "r", "start", 0, "value++")


def test_a_probe_that_finds_something_counts_nothing():
    work = begin(graph(operation(1, "r", "monitor", 2, target_rc=7)))
    effects = work.recorded(1.0, recorded(work, 1, "monitor", 0, target=7))
    assert not any(isinstance(effect, CountFailure) for effect in effects)


def test_both_records_of_a_failure_count_once():
    work = begin(graph(operation(1, "r", "start", 2)))
    first = work.recorded(1.0, recorded(work, 1, "start", 1))
    second = work.recorded(1.0, recorded(work, 1, "start", 1))
    assert sum(isinstance(effect, CountFailure) for effect in first + second) == 1


def test_a_monitor_that_fails_later_counts_and_calls_for_a_new_transition():
    work = begin(graph(operation(1, "r", "monitor", 2, interval_ms=1000)))
    work.recorded(1.0, recorded(work, 1, "monitor", 0, interval_ms=1000))
    effects = work.recorded(60.0, recorded(work, 1, "monitor", 7, interval_ms=1000))
    assert [type(effect) for effect in effects] == [Aborted, CountFailure]


def test_what_another_dc_began_calls_for_a_new_transition_and_counts_nothing():
    work = begin(graph())
    effects = work.recorded(1.0, recorded(work, 9, "start", 1, uuid="other"))
    assert [type(effect) for effect in effects] == [Aborted]


def test_a_failure_a_person_claims_counts():
    work = begin(graph())
    effects = work.recorded(1.0, recorded(work, 0, "asyncmon", 1, transition=-1, uuid="other"))
    assert CountFailure("node2", "r", "asyncmon", 0, "value++") in effects


def test_a_late_action_is_recorded_as_lost_and_given_up():
    work = begin(graph(operation(1, "r", "start", 2), cluster_delay="10s"))
    assert work.deadline == 30.0
    effects = work.expire(30.0)
    assert isinstance(effects[0], MarkLost)
    assert isinstance(effects[-1], Ended)


def test_actions_on_a_lost_node_are_given_up_at_once():
    work = begin(graph(operation(1, "r", "start", 2)))
    effects = work.node_lost(1.0, "node2")
    assert isinstance(effects[-1], Ended)


def test_history_that_somebody_erases_calls_for_a_new_transition():
    work = begin(graph())
    assert work.erased(1.0, HistoryErased("2", "node2", "r", ("r_start_0",))) == [
        Aborted("history of r on node2 was erased")
    ]
