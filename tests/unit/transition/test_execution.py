"""Executing a graph: order, limits, failures, aborts, lateness."""

from hatools.transition.execution import Completion, Execution, Limits
from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse
from hatools.values.score import INFINITY

NO_LIMITS = Limits(0, {}, -1)


def action(
    number: int, *, node: str = "n1", operation: str = "start", timeout_ms: int = 20_000, **meta: str
) -> GraphAction:
    attributes = {"CRM_meta_timeout": str(timeout_ms), **{f"CRM_meta_{key}": value for key, value in meta.items()}}
    return GraphAction(
        number,
        ActionType.RESOURCE,
        operation,
        f"r{number}_{operation}_0",
        node=node,
        node_id="1",
        attributes=attributes,
    )


def synapse(number: int, *inputs: int, priority: int = 0, **given: str) -> Synapse:
    return Synapse(number, [action(number, **given)], list(inputs), priority=priority)  # type: ignore[arg-type]


def pseudo(number: int, *inputs: int) -> Synapse:
    return Synapse(number, [GraphAction(number, ActionType.PSEUDO, "start", f"p{number}")], list(inputs))


def begin(*synapses: Synapse, limits: Limits = NO_LIMITS, **settings: str) -> Execution:
    graph = Graph(list(synapses), {key.replace("_", "-"): value for key, value in settings.items()})
    return Execution(graph, limits)


def ids(actions: list[GraphAction]) -> list[int]:
    return [item.id for item in actions]


def test_an_action_waits_for_all_its_inputs():
    execution = begin(synapse(3, 1, 2), synapse(1), synapse(2))
    assert ids(execution.fire(0.0)) == [1, 2]
    execution.finish(1)
    assert ids(execution.fire(0.0)) == []
    execution.finish(2)
    assert ids(execution.fire(0.0)) == [3]


def test_points_in_time_pass_by_themselves_through_any_number_of_steps():
    execution = begin(pseudo(1), pseudo(2, 1), synapse(3, 2))
    assert ids(execution.fire(0.0)) == [3]


def test_an_empty_graph_is_complete():
    execution = begin()
    assert execution.fire(0.0) == []
    assert execution.is_complete


def test_what_depends_on_a_failed_action_never_begins_and_a_restart_is_asked_for():
    execution = begin(synapse(1), synapse(2, 1))
    execution.fire(0.0)
    execution.finish(1, failed=True)
    assert execution.fire(0.0) == []
    assert execution.is_complete
    assert execution.completion is Completion.RESTART
    assert execution.counts == {"completed": 0, "failed": 1, "pending": 0, "skipped": 1}


def test_an_action_that_may_fail_holds_nobody_up():
    execution = begin(synapse(1, can_fail="true"), synapse(2, 1))
    execution.fire(0.0)
    execution.finish(1, failed=True)
    assert ids(execution.fire(0.0)) == [2]
    assert execution.completion is Completion.DONE


def test_an_abort_waits_for_what_runs_and_begins_nothing_more():
    execution = begin(synapse(1), synapse(2, 1))
    execution.fire(0.0)
    assert execution.abort(INFINITY, "a change")
    assert not execution.is_complete
    execution.finish(1)
    assert execution.fire(0.0) == []
    assert execution.is_complete


def test_a_synapse_of_highest_priority_runs_after_an_abort_too():
    execution = begin(synapse(1), synapse(2, 1, priority=INFINITY))
    execution.fire(0.0)
    execution.abort(INFINITY, "a change")
    execution.finish(1)
    assert ids(execution.fire(0.0)) == [2]


def test_the_batch_limit_bounds_what_runs_at_once():
    execution = begin(*(synapse(number) for number in range(1, 5)), limits=Limits(2, {}, -1))
    assert ids(execution.fire(0.0)) == [1, 2]
    execution.finish(2)
    assert ids(execution.fire(0.0)) == [3]


def test_a_nodes_limit_bounds_that_node_only():
    execution = begin(synapse(1), synapse(2), synapse(3, node="n2"), limits=Limits(0, {"n1": 1}, -1))
    assert ids(execution.fire(0.0)) == [1, 3]


def test_the_migration_limit_counts_live_migrations():
    steps = [synapse(1, operation="migrate_to"), synapse(2, operation="migrate_to"), synapse(3)]
    assert ids(begin(*steps, limits=Limits(0, {}, 1)).fire(0.0)) == [1, 3]


def test_an_action_is_late_after_its_timeout_and_the_delay_of_the_cluster():
    execution = begin(synapse(1), cluster_delay="10s")
    execution.fire(100.0)
    assert execution.deadline == 130.0
    assert ids(execution.expire(129.0)) == []
    assert ids(execution.expire(130.0)) == [1]
    assert not execution.is_complete
    execution.finish(1, failed=True)
    assert execution.is_complete


def test_fencing_has_no_deadline_here():
    step = Synapse(1, [GraphAction(1, ActionType.CLUSTER, "stonith", "stonith-n2-reboot", node="n2")])
    execution = begin(step)
    execution.fire(0.0)
    assert execution.deadline is None


def test_an_end_that_is_reported_twice_counts_once():
    execution = begin(synapse(1), synapse(2, 1), synapse(3, 1, 2))
    execution.fire(0.0)
    execution.finish(1)
    execution.finish(1)
    assert ids(execution.fire(0.0)) == [2]
