"""Injected changes are what a real event would leave in the CIB."""

import pytest

from hatools.cib.document import Document
from hatools.simulate.inject import Change, Injections, NodeChange, SpecChange, TicketChange, inject
from hatools.simulate.phrases import change_form, change_line
from hatools.simulate.run import AttributeStep, ResourceStep, Trouble
from hatools.simulate.workbench import Workbench

CIB = """
<cib have-quorum="0"><configuration><crm_config><cluster_property_set id="s"/></crm_config>
<nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes></configuration><status>
 <node_state id="1" uname="node1" in_ccm="true"><lrm id="1"/></node_state>
</status></cib>
"""


def change(**wanted: object) -> tuple[list[Change], Workbench]:
    bench = Workbench(Document.parse(CIB))
    agents = {"db": ("ocf", "heartbeat", "Dummy")}
    return list(inject(bench, Injections(**wanted), agents.get, 100)), bench  # type: ignore[arg-type]


def state_of(bench: Workbench, name: str) -> dict[str, str | None]:
    state = bench.node_state(name)
    return {key: state.get(key) for key in ("id", "in_ccm", "crmd", "join", "expected")}


def test_a_node_can_come_up() -> None:
    changes, bench = change(node_up=["node2"])
    assert changes == [NodeChange("Online", "node2")]
    assert state_of(bench, "node2") == {
        "id": "2",
        "in_ccm": "true",
        "crmd": "online",
        "join": "member",
        "expected": "member",
    }


def test_an_unknown_node_that_comes_up_joins_the_configuration() -> None:
    _, bench = change(node_up=["node9"])
    assert [node.get("uname") for node in bench.root.iter("node")] == ["node1", "node2", "node9"]


def test_a_node_that_leaves_cleanly_has_no_history() -> None:
    _, bench = change(node_down=["node1"])
    assert state_of(bench, "node1")["expected"] == "down"
    assert bench.node_state("node1").find("lrm") is None


def test_a_node_that_fails_was_expected_to_stay() -> None:
    _, bench = change(node_fail=["node1"])
    assert state_of(bench, "node1") | {"id": None} == {
        "id": None,
        "in_ccm": "false",
        "crmd": "online",
        "join": "member",
        "expected": "member",
    }


def test_tickets_are_granted_and_put_into_standby() -> None:
    changes, bench = change(ticket_grant=["t"], ticket_standby=["t"])
    assert changes == [TicketChange("Granting", "t"), TicketChange("Standby", "t")]
    (ticket,) = bench.status.iter("ticket_state")
    assert ticket.attrib == {"id": "t", "granted": "true", "standby": "true"}


def test_quorum_and_watchdog_are_set() -> None:
    _, bench = change(quorum="1", watchdog="true")
    assert bench.root.get("have-quorum") == "1"
    assert [(p.get("id"), p.get("value")) for p in bench.root.iter("nvpair")] == [("s-have-watchdog", "true")]


def test_the_failure_of_an_operation_counts() -> None:
    changes, bench = change(operations=["db_monitor_10000@node1=7"])
    assert changes == [
        SpecChange("db_monitor_10000@node1=7"),
        AttributeStep("fail-count-db#monitor_10000", "value++", "1"),
        AttributeStep("last-failure-db#monitor_10000", "100", "1"),
    ]
    (operation,) = bench.status.iter("lrm_rsc_op")
    assert (operation.get("id"), operation.get("rc-code")) == ("db_last_failure_0", "7")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("nonsense", "Invalid operation spec: nonsense.  Only found 1 fields"),
        ("db_start_0@node1", "Invalid operation spec: db_start_0@node1.  Only found 2 fields"),
        ("db_start_0@node1=x", "Invalid operation spec: db_start_0@node1=x.  Only found 2 fields"),
        ("nope_start_0@node1=1", "Invalid resource name: nope"),
    ],
)
def test_a_wrong_specification_says_what_is_wrong(spec: str, text: str) -> None:
    changes, bench = change(operations=[spec])
    assert changes == [SpecChange(spec), Trouble(text)]
    assert not list(bench.status.iter("lrm_rsc_op"))


def test_quorum_alone_is_no_change_as_in_the_original() -> None:
    assert not Injections(quorum="1")
    assert Injections(watchdog="1")


def test_changes_have_lines_and_elements() -> None:
    step = ResourceStep("db", "monitor", "node1", 10000)
    assert change_line(step) == "Resource action: db              monitor=10000 on node1"
    form = change_form(step)
    assert form is not None
    assert form.attributes == {"resource": "db", "op": "monitor", "node": "node1", "interval": "10000"}
    assert change_line(NodeChange("Failing", "a")) == "Failing node a"
