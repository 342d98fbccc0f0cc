"""Twenty causes why a resource does not run (there), each named with its evidence and a way out."""

import pytest

from hatools.scheduler.reasons import Explanation, explain, explain_node
from tests.unit.scheduler.clusters import FENCING, cluster, decide, history, operation, primitive, running, state


def why(text: str, resource: str = "d", node: str | None = None) -> list[Explanation]:
    return explain(decide(text), resource, node)


def ban(identifier: str, node: str, resource: str = "d") -> str:
    return f'<rsc_location id="{identifier}" rsc="{resource}" node="{node}" score="-INFINITY"/>'


WITH_STOPPED = primitive("e", "target-role=Stopped") + primitive("d")
UTILIZATION = '<utilization id="u"><nvpair id="u-cpu" name="cpu" value="4"/></utilization>'
SMALL_NODES = "".join(
    f'<node id="{n}" uname="node{n}"><utilization id="u{n}"><nvpair id="u{n}-cpu" name="cpu" value="1"/>'
    "</utilization></node>"
    for n in (1, 2)
)
FAILED = history("d", operation("d", "node1", "start", 5))
STANDBY_NODES = "".join(
    f'<node id="{n}" uname="node{n}"><instance_attributes id="i{n}">'
    f'<nvpair id="i{n}-s" name="standby" value="on"/></instance_attributes></node>'
    for n in (1, 2)
)
RULE = (
    '<rsc_location id="loc" rsc="d"><rule id="rule" score="-INFINITY">'
    '<expression id="x" attribute="#uname" operation="defined"/></rule></rsc_location>'
)
GROUP = f'<group id="g">{primitive("e", "target-role=Stopped")}{primitive("d")}</group>'
CLONE = (
    f'<clone id="c">{primitive("d")}<meta_attributes id="c-m">'
    '<nvpair id="c-max" name="clone-max" value="1"/></meta_attributes></clone>'
)
PROMOTABLE = (
    f'<clone id="c">{primitive("d")}<meta_attributes id="c-m">'
    '<nvpair id="c-p" name="promotable" value="true"/></meta_attributes></clone>'
)

CAUSES = {
    "banned everywhere": (
        cluster(primitive("d"), ban("ban1", "node1") + ban("ban2", "node2")),
        None,
        ("location", "ban1", "crm configure delete ban1"),
    ),
    "banned by a command": (
        cluster(primitive("d"), ban("cli-ban-d-on-node1", "node1")),
        "node1",
        ("location", "cli-ban-d-on-node1", "crm resource clear d"),
    ),
    "a member of a group banned by a command": (
        cluster(f'<group id="g">{primitive("d")}</group>', ban("cli-ban-d-on-node1", "node1")),
        "node1",
        ("location", "cli-ban-d-on-node1", "crm resource clear d"),
    ),
    "banned by a rule": (cluster(primitive("d"), RULE), None, ("location", "rule", "crm configure delete loc")),
    "with a stopped resource": (
        cluster(WITH_STOPPED, '<rsc_colocation id="col" rsc="d" with-rsc="e" score="INFINITY"/>'),
        None,
        ("colocation", "col", "crm resource why e"),
    ),
    "not with a resource": (
        cluster(
            primitive("e") + primitive("d"),
            '<rsc_colocation id="col" rsc="d" with-rsc="e" score="-INFINITY"/>'
            '<rsc_location id="loc" rsc="e" node="node1" score="100"/>',
        ),
        "node1",
        ("colocation", "col", "crm configure delete col"),
    ),
    "after a stopped resource": (
        cluster(WITH_STOPPED, '<rsc_order id="ord" first="e" then="d" kind="Mandatory"/>'),
        None,
        ("ordering", "ord", "crm resource why e"),
    ),
    "no quorum": (
        cluster(primitive("d"), quorum=False),
        None,
        ("quorum", "no-quorum-policy=stop", "crm configure property no-quorum-policy=ignore"),
    ),
    "no fencing device": (
        cluster(primitive("d"), options="stonith-enabled=true"),
        None,
        ("fencing", "stonith-enabled", "crm configure property stonith-enabled=false"),
    ),
    "no ticket": (
        cluster(primitive("d"), '<rsc_ticket id="tick" rsc="d" ticket="T" loss-policy="stop"/>'),
        None,
        ("ticket", "T", "crm_ticket --ticket T --grant --force"),
    ),
    "meant to be stopped": (
        cluster(primitive("d", "target-role=Stopped")),
        None,
        ("target-role", "target-role=Stopped", "crm resource start d"),
    ),
    "all stopped": (
        cluster(primitive("d"), options="stonith-enabled=false stop-all-resources=true"),
        None,
        ("target-role", "stop-all-resources", "stop-all-resources=false"),
    ),
    "unmanaged": (cluster(primitive("d", "is-managed=false")), None, ("unmanaged", "is-managed", "manage d")),
    "maintenance mode": (
        cluster(primitive("d"), options="stonith-enabled=false maintenance-mode=true"),
        None,
        ("unmanaged", "maintenance-mode", "maintenance-mode=false"),
    ),
    "failed too often": (
        cluster(
            primitive("d", "migration-threshold=1"),
            states=(
                state(1, history("d", operation("d", "node1", "stop", call=3)), attributes="fail-count-d#start_0=1"),
                state(2),
            ),
        ),
        "node1",
        ("failure", "migration-threshold=1", "crm resource cleanup d"),
    ),
    "cannot run there": (
        cluster(primitive("d"), states=(state(1, FAILED), state(2))),
        "node1",
        ("failure", "d_start_0_2", "crm resource cleanup d"),
    ),
    "blocked by a failure": (
        cluster(
            primitive("d", operations='<op id="stop" name="stop" interval="0" on-fail="block"/>'),
            states=(
                state(
                    1,
                    history("d", operation("d", "node1", "start"), operation("d", "node1", "stop", 1, call=3)),
                    attributes="fail-count-d#stop_0=INFINITY last-failure-d#stop_0=1699999900",
                ),
                state(2),
            ),
        ),
        None,
        ("blocked", "d_stop_0_3", "crm resource cleanup d"),
    ),
    "standby": (cluster(primitive("d"), nodes=STANDBY_NODES), None, ("node-state", "node1", "crm node online node1")),
    "offline": (
        cluster(primitive("d"), states=(state(1), state(2, online=False))),
        "node2",
        ("node-state", "node2", "crm cluster start node2"),
    ),
    "no capacity": (
        cluster(
            primitive("d", extra=UTILIZATION),
            nodes=SMALL_NODES,
            options="stonith-enabled=false placement-strategy=utilization",
        ),
        None,
        ("utilization", "node1", "crm resource utilization d set cpu 1"),
    ),
    "not allowed": (
        cluster(primitive("d"), options="stonith-enabled=false symmetric-cluster=false"),
        None,
        ("not-allowed", "symmetric-cluster=false", "crm configure location d-on-node1 d 100: node1"),
    ),
    "unhealthy": (
        cluster(
            primitive("d"),
            options="stonith-enabled=false node-health-strategy=only-green",
            states=(state(1, attributes="#health-disk=red"), state(2)),
        ),
        "node1",
        ("health", "only-green", "crm node status-attr node1 delete '#health-disk'"),
    ),
    "stopped member before it": (cluster(GROUP), None, ("dependency", "e", "crm resource why e")),
    "enough instances": (
        cluster(CLONE),
        "node2",
        ("clone-limit", "clone-max=1", "crm resource meta c set clone-max 2"),
    ),
    "not promoted": (
        cluster(PROMOTABLE),
        None,
        ("promotion", "master-d", "crm_attribute --promotion=d --update=100 --node=node1"),
    ),
    "elsewhere": (
        cluster(primitive("d"), '<rsc_location id="loc" rsc="d" node="node1" score="50"/>'),
        "node2",
        ("location", "loc", "crm resource move d node2"),
    ),
    "too many for the nodes": (
        cluster(
            CLONE.replace('name="clone-max" value="1"', 'name="globally-unique" value="true"').replace(
                "</meta_attributes>", '<nvpair id="c-3" name="clone-max" value="3"/></meta_attributes>'
            )
        ),
        None,
        ("clone-limit", "clone-node-max=1", "crm resource meta c set clone-node-max 2"),
    ),
    "promoted elsewhere": (
        cluster(PROMOTABLE, states=(state(1, attributes="master-d=10"), state(2, attributes="master-d=5"))),
        "node2",
        ("clone-limit", "promoted-max", "crm resource meta c set promoted-max 2"),
    ),
    "stays": (
        cluster(
            primitive("d", "resource-stickiness=100"),
            '<rsc_location id="loc" rsc="d" node="node2" score="50"/>',
            states=(state(1, running("d", "node1")), state(2)),
        ),
        "node2",
        ("stickiness", "resource-stickiness", "crm resource move d node2"),
    ),
    "stays with another": (
        cluster(
            primitive("e", "resource-stickiness=INFINITY") + primitive("d"),
            '<rsc_colocation id="col" rsc="d" with-rsc="e" score="INFINITY"/>'
            '<rsc_location id="loc" rsc="d" node="node2" score="50"/>',
            states=(state(1, running("e", "node1"), running("d", "node1")), state(2)),
        ),
        "node2",
        ("colocation", "col", "crm configure delete col"),
    ),
    "standby after a failure": (
        cluster(
            primitive("d", operations='<op id="m" name="monitor" interval="10s" on-fail="standby"/>'),
            states=(
                state(
                    1,
                    history(
                        "d",
                        operation("d", "node1", "start"),
                        operation("d", "node1", "monitor", 1, interval=10000, call=3),
                    ),
                    attributes="fail-count-d#monitor_10000=1 last-failure-d#monitor_10000=1699999900",
                ),
                state(2),
            ),
        ),
        "node1",
        ("failure", "node1", "crm resource cleanup d node1"),
    ),
    "not configured": (cluster(""), None, ("orphan", "d", "")),
}


@pytest.mark.parametrize("name", CAUSES)
def test_cause_is_named_with_evidence_and_command(name: str) -> None:
    text, node, (cause, evidence, command) = CAUSES[name]
    lines = why(text, node=node)
    found = [(line.cause.value, line.evidence, line.suggestion) for line in lines]
    assert any(c == cause and evidence in e and command in s for c, e, s in found), found


def test_score_arithmetic_adds_up() -> None:
    text = cluster(
        primitive("e") + primitive("d", "resource-stickiness=30"),
        '<rsc_location id="loc" rsc="d" node="node1" score="50"/>'
        '<rsc_location id="there" rsc="e" node="node1" score="INFINITY"/>'
        '<rsc_colocation id="col" rsc="d" with-rsc="e" score="7"/>',
        states=(state(1, running("d", "node1")), state(2)),
    )
    (line,) = why(text)
    assert "d stays on node1: 50 loc + 30 resource-stickiness + 7 col = 87" in line.text
    assert "node2: no preference = 0" in line.text


def test_what_has_to_be_with_another_resource_is_explained_by_that() -> None:
    text = cluster(primitive("e") + primitive("d"), '<rsc_colocation id="col" rsc="d" with-rsc="e" score="INFINITY"/>')
    (line,) = why(text)
    assert str(line) == "d goes to node1, as it has to be with e [colocation: col]"


def test_a_member_of_a_group_is_explained_by_the_member_before_it() -> None:
    text = cluster(f'<group id="g">{primitive("e")}{primitive("d")}</group>')
    (line,) = why(text)
    assert str(line) == "d goes to node1, as it has to be with e [dependency: e]"


def test_a_node_in_standby_is_said_once() -> None:
    (first, *_) = lines = why(cluster(primitive("d"), nodes=STANDBY_NODES), node="node1")
    assert lines == [first] and first.text == "node1 is in standby"


def test_a_clone_is_summed_up_before_its_instances() -> None:
    text = cluster(PROMOTABLE, states=(state(1, attributes="master-d=10"), state(2)))
    line = why(text, "c")[0]
    assert line.text == "2 of 2 instances of c are to run: on node1, node2; promoted on node1"


def test_what_holds_for_all_instances_is_said_once_and_of_the_whole() -> None:
    stopped = PROMOTABLE.replace(
        "</meta_attributes>", '<nvpair id="s" name="target-role" value="Stopped"/></meta_attributes>'
    )
    whole, *lines = why(cluster(stopped), "c")
    assert whole.text == "0 of 2 instances of c are to run; none is to be promoted"
    assert [line.suggestion for line in lines] == ["crm resource start c"]


def test_promotion_scores_are_part_of_the_sum() -> None:
    text = cluster(PROMOTABLE, states=(state(1, attributes="master-d=10"), state(2)))
    assert any("10 promotion score = 10" in line.text for line in why(text, "c", "node1"))


def test_json_fields_are_complete() -> None:
    (line,) = why(cluster(primitive("d", "target-role=Stopped")))
    assert line.as_dict() == {
        "resource": "d",
        "node": None,
        "cause": "target-role",
        "evidence": "target-role=Stopped",
        "text": "d is meant to be stopped",
        "suggestion": "crm resource start d",
    }
    assert (
        str(line) == "d is meant to be stopped [target-role: target-role=Stopped]; to change it: crm resource start d"
    )


def test_unknown_node_is_said() -> None:
    (line,) = why(cluster(primitive("d")), node="moon")
    assert line.text == "moon is not a node of this cluster"


def test_fencing_of_a_node_is_explained() -> None:
    lost = state(2, running("d", "node2"), online=False).replace('expected="down"', 'expected="member"')
    text = cluster(FENCING + primitive("d"), options="stonith-enabled=true", states=(state(1), lost))
    line = explain_node(decide(text), "node2")[0]
    assert "must be fenced" in line.text
    assert explain_node(decide(text), "node1") == []
