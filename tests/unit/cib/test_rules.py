"""Rules: expressions, dates, roles, and when time alone changes the answer."""

from xml.etree.ElementTree import Element, fromstring

import pytest

from hatools.cib.rules import ChangeTracker, RuleInput, compare_versions, rule_holds
from hatools.values.iso8601 import Moment
from hatools.values.role import Role

NOON = Moment.from_epoch(1_700_049_600)  # Wednesday 2023-11-15 12:00:00 UTC, week 46, day 319 of the year


def nothing(tag: str, identifier: str) -> Element | None:
    return None


def holds(inner: str, operator: str = "and", **given: object) -> bool:
    rule = fromstring(f'<rule id="r" score="1" boolean-op="{operator}">{inner}</rule>')
    return rule_holds(rule, RuleInput(now=NOON, **given), nothing)  # type: ignore[arg-type]


def expression(attribute: str, operation: str, value: str | None = None, kind: str | None = None) -> str:
    extra = (f' value="{value}"' if value is not None else "") + (f' type="{kind}"' if kind else "")
    return f'<expression id="e-{attribute}-{operation}" attribute="{attribute}" operation="{operation}"{extra}/>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (expression("site", "eq", "east"), True),
        (expression("site", "ne", "east"), False),
        (expression("site", "defined"), True),
        (expression("rack", "not_defined"), True),
        (expression("load", "lt", "9", "integer"), False),
        (expression("load", "lt", "9", "string"), True),
        (expression("load", "gte", "10.0", "number"), True),
        (expression("level", "gt", "1.9", "version"), True),
        (expression("rack", "eq", "x"), False),
    ],
)
def test_a_node_attribute_is_compared_as_its_type_says(inner: str, expected: bool) -> None:
    assert holds(inner, node_attributes={"site": "east", "load": "10", "level": "1.10"}) is expected


def test_expressions_are_joined_by_the_operator() -> None:
    both = expression("a", "defined") + expression("b", "defined")
    assert not holds(both, node_attributes={"a": "1"})
    assert holds(both, "or", node_attributes={"a": "1"})


def test_nested_rules_count_as_one_expression() -> None:
    inner = f'<rule id="n" boolean-op="or">{expression("a", "defined")}{expression("b", "defined")}</rule>'
    assert holds(inner + expression("c", "not_defined"), node_attributes={"b": "1"})


def test_rules_that_refer_to_each_other_in_a_circle_do_not_hold() -> None:
    rule = fromstring('<rule id="r" boolean-op="and"><rule id-ref="r"/></rule>')
    assert not rule_holds(rule, RuleInput(now=NOON), lambda tag, identifier: rule)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('operation="gt" start="2023-11-15 11:00:00Z"', True),
        ('operation="lt" end="2023-11-15 11:00:00Z"', False),
        ('operation="in_range" start="2023-11-01" end="2023-11-30"', True),
        ('operation="in_range" end="2023-11-01"', False),
    ],
)
def test_a_date_is_compared_with_now(attributes: str, expected: bool) -> None:
    assert holds(f'<date_expression id="d" {attributes}/>') is expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ('hours="9-16"', True),
        ('hours="0-11"', False),
        ('weekdays="1-5"', True),
        ('weekdays="6-7"', False),
        ('years="2023" months="11" monthdays="15"', True),
        ('weeks="46"', True),
        ('yeardays="319"', True),
        ('years="2024-"', False),
    ],
)
def test_a_date_specification_names_fields(spec: str, expected: bool) -> None:
    inner = f'<date_expression id="d" operation="date_spec"><date_spec id="s" {spec}/></date_expression>'
    assert holds(inner) is expected


def test_a_duration_ends_a_range() -> None:
    inner = (
        '<date_expression id="d" operation="in_range" start="2023-11-15 11:30:00Z">'
        '<duration id="l" minutes="{}"/></date_expression>'
    )
    assert holds(inner.format(31))
    assert not holds(inner.format(29))


def test_the_next_change_is_when_the_range_begins_or_ends() -> None:
    def next_change(attributes: str) -> int | None:
        tracker = ChangeTracker()
        holds(f'<date_expression id="d" operation="in_range" {attributes}/>', changes=tracker)
        return None if tracker.earliest is None else tracker.earliest.epoch_seconds

    assert next_change('start="2023-11-15 13:00:00Z" end="2023-11-15 14:00:00Z"') == NOON.epoch_seconds + 3600
    assert next_change('start="2023-11-15 11:00:00Z"') is None


def test_a_role_is_compared_by_name() -> None:
    inner = '<expression id="e" attribute="#role" operation="eq" value="Promoted"/>'
    assert holds(inner, role=Role.PROMOTED)
    assert not holds(inner, role=Role.STARTED)


def test_agents_and_operations_are_matched_by_what_is_given() -> None:
    agent = '<rsc_expression id="e" class="ocf" provider="pacemaker" type="Dummy"/>'
    assert holds(agent, agent=("ocf", "pacemaker", "Dummy"))
    assert not holds(agent, agent=("ocf", "heartbeat", "Dummy"))
    operation = '<op_expression id="e" name="monitor" interval="10s"/>'
    assert holds(operation, operation=("monitor", 10_000))
    assert not holds(operation, operation=("monitor", 0))


@pytest.mark.parametrize(("first", "second", "sign"), [("1.10", "1.9", 1), ("1.0", "1", 1), ("3.0", "3.0.1", -1)])
def test_versions_are_compared_number_by_number(first: str, second: str, sign: int) -> None:
    assert compare_versions(first, second) == sign
