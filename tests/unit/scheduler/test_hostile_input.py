"""Configurations nobody should write: the scheduler says what is wrong with them and goes on."""

from random import Random

import pytest

from hatools.scheduler.placement import preferences
from tests.unit.scheduler.clusters import cluster, decide, primitive, running, state

PAIR = primitive("a") + primitive("b")
ENDLESS = "9" * 5000
COLOCATED = '<rsc_colocation id="c1" rsc="a" with-rsc="b" score="INFINITY"/>'
ORDERED = '<rsc_order id="o1" first="a" then="b"/>'

CASES = {
    "colocations in a circle": (PAIR, COLOCATED + '<rsc_colocation id="c2" rsc="b" with-rsc="a" score="INFINITY"/>'),
    "orders in a circle": (PAIR, ORDERED + '<rsc_order id="o2" first="b" then="a"/>'),
    "colocated with itself": (PAIR, '<rsc_colocation id="c" rsc="a" with-rsc="a" score="INFINITY"/>'),
    "ordered after itself": (PAIR, '<rsc_order id="o" first="a" then="a"/>'),
    "with and not with": (PAIR, COLOCATED + '<rsc_colocation id="c2" rsc="a" with-rsc="b" score="-INFINITY"/>'),
    "constraints of nothing": (
        PAIR,
        '<rsc_location id="l" rsc="x" node="node1" score="1"/><rsc_order id="o" first="x" then="y"/>'
        '<rsc_colocation id="c" rsc="x" with-rsc="a" score="1"/><rsc_ticket id="t" rsc="x" ticket="T"/>',
    ),
    "a node that does not exist": (PAIR, '<rsc_location id="l" rsc="a" node="moon" score="INFINITY"/>'),
    "scores that are no numbers": (PAIR, '<rsc_location id="l" rsc="a" node="node1" score="many"/>'),
    "numbers without end": (
        primitive("a", f"priority={ENDLESS} failure-timeout={ENDLESS}s") + primitive("b"),
        f'<rsc_location id="l" rsc="b" node="node1" score="{ENDLESS}"/>',
    ),
    "an empty group": ('<group id="g"/>' + PAIR, ""),
    "an empty clone": ('<clone id="c"/>' + PAIR, ""),
    "an empty bundle": ('<bundle id="w"><docker image="i" replicas="x"/></bundle>' + PAIR, ""),
    "a clone of a clone": (f'<clone id="c"><clone id="d">{primitive("a")}</clone></clone>' + primitive("b"), ""),
    "the same id twice": (primitive("a") + primitive("a") + primitive("b"), ORDERED),
    "negative numbers": (
        f'<clone id="c">{primitive("a")}<meta_attributes id="m"><nvpair id="n" name="clone-max" value="-3"/>'
        '<nvpair id="n2" name="clone-node-max" value="-1"/></meta_attributes></clone>' + primitive("b"),
        "",
    ),
    "more instances than there can be": (
        f'<clone id="c">{primitive("a")}<meta_attributes id="m"><nvpair id="n" name="clone-max" value="1000000000"/>'
        "</meta_attributes></clone>" + primitive("b"),
        "",
    ),
    "numbers in other digits": (
        primitive("a", "priority=² migration-threshold=٣ resource-stickiness=½") + primitive("b"),
        '<rsc_location id="l" rsc="b" node="node1" score="²"/>',
    ),
    "a template that does not exist": ('<primitive id="a" template="gone"/>' + primitive("b"), ""),
    "a pattern that is none": (PAIR, '<rsc_location id="l" rsc-pattern="(" node="node1" score="1"/>'),
    "sets of nothing": (PAIR, '<rsc_order id="o"><resource_set id="s"/><resource_set id="t"/></rsc_order>'),
}


@pytest.mark.parametrize("name", CASES)
def test_something_is_decided_nevertheless(name: str) -> None:
    resources, constraints = CASES[name]
    plan = decide(cluster(resources, constraints)).plan
    assert plan.find_resource("b") is not None


def test_a_long_chain_of_dependencies_is_followed_to_its_end() -> None:
    length = 150
    resources = "".join(primitive(f"r{i}") for i in range(length))
    chain = "".join(
        f'<rsc_colocation id="c{i}" rsc="r{i}" with-rsc="r{i - 1}" score="INFINITY"/>'
        f'<rsc_order id="o{i}" first="r{i - 1}" then="r{i}"/>'
        for i in range(1, length)
    )
    plan = decide(cluster(resources, chain)).plan
    assert {each.assigned_to.name for each in plan.resources if each.assigned_to is not None} == {"node1"}


def test_thirty_resources_apart_from_each_other_are_weighed_whole() -> None:
    """There are more than 2^30 ways through their colocations, and each counts (here, nothing)."""
    names = [f"r{number:02}" for number in range(30)]
    members = "".join(f'<resource_ref id="{name}"/>' for name in names)
    apart = f'<rsc_colocation id="c" score="-100"><resource_set id="s">{members}</resource_set></rsc_colocation>'
    decided = decide(cluster("".join(primitive(name, "resource-stickiness=10") for name in names), apart))
    assert not [finding for finding in decided.findings if "entangled" in finding.text]
    assert all(each.assigned_to is not None for each in decided.plan.resources)


def test_colocations_beyond_all_counting_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "_REPETITIONS", 2_000)
    monkeypatch.setattr(preferences, "_LAST_STEPS", 2_000)
    random = Random(1)
    names = [f"r{number:02}" for number in range(60)]
    pairs = [random.sample(names, 2) for _ in range(600)]
    resources = "".join(primitive(name, f"resource-stickiness={random.randrange(1000)}") for name in names)
    constraints = "".join(
        f'<rsc_colocation id="c{number}" rsc="{first}" with-rsc="{second}" score="{random.choice((7, 500, -3))}"/>'
        for number, (first, second) in enumerate(pairs)
    )
    states = tuple(state(node, *(running(name, f"node{node}") for name in names[node::3])) for node in (1, 2))
    decided = decide(cluster(resources, constraints, states=states))
    assert [finding.severity for finding in decided.findings if "entangled" in finding.text] == ["warning"]
    assert all(each.assigned_to is not None for each in decided.plan.resources)


def test_a_long_chain_does_not_take_the_square_of_its_length() -> None:
    length = 500
    resources = "".join(primitive(f"r{i}") for i in range(length))
    chain = "".join(f'<rsc_colocation id="c{i}" rsc="r{i}" with-rsc="r{i - 1}" score="100"/>' for i in range(1, length))
    plan = decide(cluster(resources, chain)).plan
    assert plan.scratch["colocated preferences"].memories < 4 * length


def test_a_guest_that_was_found_inside_itself_has_no_host() -> None:
    guest = primitive("vm", "remote-node=guest")
    states = (
        state(1),
        state(2),
        '<node_state id="guest" uname="guest" remote_node="true" in_ccm="true">'
        f'<lrm id="guest"><lrm_resources>{running("vm", "guest")}</lrm_resources></lrm></node_state>',
    )
    plan = decide(cluster(guest + primitive("b"), states=states)).plan
    assert plan.find_resource("b") is not None
