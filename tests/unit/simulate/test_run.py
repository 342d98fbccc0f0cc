"""A graph is played in order, results go into the history, failures stop what waits for them."""

from hatools.cib.document import Document
from hatools.simulate.run import (
    AttributeStep,
    ClusterStep,
    Ending,
    FencingStep,
    Finished,
    PseudoStep,
    Remark,
    ResourceStep,
    Settings,
    Step,
    Trouble,
    play,
)
from hatools.simulate.workbench import Workbench
from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse

CIB = """
<cib num_updates="3"><configuration><nodes><node id="1" uname="node1"/></nodes></configuration><status>
 <node_state id="1" uname="node1" in_ccm="true" crmd="online"><lrm id="1"><lrm_resources/></lrm>
  <transient_attributes id="1"/></node_state>
</status></cib>
"""
AGENT = {"id": "db", "class": "ocf", "provider": "heartbeat", "type": "Dummy"}


def operation(number: int, task: str, **changes: object) -> GraphAction:
    action = GraphAction(
        number, ActionType.RESOURCE, task, f"db_{task}_0", node="node1", node_id="1", primitive=dict(AGENT)
    )
    for name, value in changes.items():
        setattr(action, name, value)
    return action


def pseudo(number: int, key: str) -> GraphAction:
    return GraphAction(number, ActionType.PSEUDO, "x", key)


def done(count: int) -> Finished:
    return Finished(Ending.COMPLETE, count, 0, 0)


def run(*synapses: Synapse, failures: tuple[str, ...] = ()) -> tuple[list[Step], Workbench]:
    bench = Workbench(Document.parse(CIB))
    settings = Settings(when=100, is_known=lambda name: name == "db", failures=failures)
    return list(play(Graph(list(synapses)), bench, settings)), bench


def test_a_step_waits_for_its_inputs() -> None:
    steps, _ = run(
        Synapse(0, [pseudo(1, "second")], inputs=[2]),
        Synapse(1, [pseudo(2, "first")]),
        Synapse(2, [GraphAction(3, ActionType.CLUSTER, "do_shutdown", None, node="node1")], inputs=[1]),
    )
    assert steps == [
        PseudoStep("first", None),
        PseudoStep("second", None),
        ClusterStep("do_shutdown", "node1", None),
        done(3),
    ]


def test_a_result_is_recorded_in_the_history() -> None:
    steps, bench = run(Synapse(0, [operation(1, "start")]))
    assert steps == [ResourceStep("db", "start", "node1", 0), done(1)]
    (entry,) = bench.status.iter("lrm_rsc_op")
    shown = {name: entry.get(name) for name in ("id", "operation", "rc-code", "call-id", "last-rc-change")}
    assert shown == {
        "id": "db_last_0",
        "operation": "start",
        "rc-code": "0",
        "call-id": "1",
        "last-rc-change": "100",
    }


def test_a_probe_returns_what_is_expected() -> None:
    probe = operation(1, "monitor", attributes={"CRM_meta_op_target_rc": "7"})
    _, bench = run(Synapse(0, [probe]))
    (entry,) = bench.status.iter("lrm_rsc_op")
    assert entry.get("rc-code") == "7"


def test_a_failure_that_was_asked_for_stops_what_waits_for_it() -> None:
    steps, bench = run(
        Synapse(0, [operation(1, "start")]),
        Synapse(1, [operation(2, "monitor")], inputs=[1]),
        Synapse(2, [pseudo(3, "unrelated")]),
        failures=("db_start_0@node1=5",),
    )
    assert steps == [
        ResourceStep("db", "start", "node1", 0),
        Remark("Pretending action 1 failed with rc=5"),
        AttributeStep("fail-count-db#start_0", "value++", "1"),
        AttributeStep("last-failure-db#start_0", "100", "1"),
        PseudoStep("unrelated", None),
        Finished(Ending.COMPLETE, 2, 0, 1),
    ]
    assert [each.get("id") for each in bench.status.iter("lrm_rsc_op")] == ["db_last_failure_0", "db_last_0"]
    assert [(p.get("name"), p.get("value")) for p in bench.status.iter("nvpair")] == [
        ("fail-count-db#start_0", "1"),
        ("last-failure-db#start_0", "100"),
    ]


def test_a_fenced_node_loses_history_and_attributes() -> None:
    fence = GraphAction(1, ActionType.CLUSTER, "stonith", "stonith-node1-reboot", node="node1")
    fence.attributes["CRM_meta_stonith_action"] = "reboot"
    steps, bench = run(Synapse(0, [fence]))
    assert steps == [FencingStep("node1", "reboot"), done(1)]
    (state,) = bench.status
    assert (state.get("in_ccm"), state.get("join"), len(state)) == ("false", "down", 0)


def test_unfencing_changes_nothing() -> None:
    fence = GraphAction(1, ActionType.CLUSTER, "stonith", "stonith-node1-on", node="node1")
    fence.attributes["CRM_meta_stonith_action"] = "on"
    _, bench = run(Synapse(0, [fence]))
    assert bench.status[0].get("in_ccm") == "true"


def test_a_graph_that_waits_for_itself_is_called_incomplete() -> None:
    steps, _ = run(Synapse(0, [pseudo(1, "a")], inputs=[2]), Synapse(1, [pseudo(2, "b")], inputs=[1]))
    assert steps == [Finished(Ending.TERMINATED, 0, 0, 2)]


def test_an_operation_without_agent_is_trouble() -> None:
    steps, _ = run(Synapse(0, [operation(1, "start", primitive={"id": "db", "class": "ocf", "type": "Dummy"})]))
    assert steps[0] == Trouble("Please specify the provider for resource db")


def test_the_document_that_is_played_with_stays_as_it_was() -> None:
    document = Document.parse(CIB)
    before = str(document)
    bench = Workbench(document)
    list(play(Graph([Synapse(0, [operation(1, "start")])]), bench, Settings(0, lambda _: True)))
    assert str(document) == before
    assert bench.document().root.get("num_updates") == "4"


def test_a_fenced_remote_node_without_state_gets_one_by_its_id() -> None:
    bench = Workbench(
        Document.parse(
            b"<cib><configuration><resources>"
            b'<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>'
            b"</resources></configuration><status/></cib>"
        )
    )
    assert bench.set_member("far", up=False).get("id") == "far"


def test_nothing_is_done_to_probe_again() -> None:
    again = GraphAction(1, ActionType.RESOURCE, "probe_again", "probe_again-node1", "node1", "1")
    steps, _ = run(Synapse(0, [again]))
    assert steps == [done(1)]
