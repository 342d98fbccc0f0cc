"""Name-value sets: which set wins, rules in sets, references."""

from xml.etree.ElementTree import Element, fromstring

from hatools.cib.nvpair import unpack_pairs
from hatools.cib.rules import RuleInput
from hatools.values.iso8601 import Moment

GIVEN = RuleInput(now=Moment.from_epoch(1_700_000_000), node_attributes={"site": "east"})


def pairs(text: str, first: str | None = None) -> dict[str, str]:
    parent = fromstring(f"<p>{text}</p>")

    def find(tag: str, identifier: str) -> Element | None:
        return next((each for each in parent.iter(tag) if each.get("id") == identifier), None)

    table: dict[str, str] = {}
    unpack_pairs(parent, "meta_attributes", table, GIVEN, find, first=first)
    return table


def block(identifier: str, value: str, score: str = "", rule: str = "") -> str:
    attribute = f' score="{score}"' if score else ""
    return (
        f'<meta_attributes id="{identifier}"{attribute}>{rule}<nvpair id="{identifier}-n" name="n" value="{value}"/>'
        "</meta_attributes>"
    )


def test_the_set_with_the_highest_score_wins() -> None:
    assert pairs(block("a", "1", "5") + block("b", "2", "7")) == {"n": "2"}


def test_a_set_named_first_wins_over_scores() -> None:
    assert pairs(block("a", "1") + block("b", "2", "INFINITY"), first="a") == {"n": "1"}


def test_a_set_whose_rule_does_not_hold_is_left_out() -> None:
    west = '<rule id="r"><expression id="e" attribute="site" operation="eq" value="west"/></rule>'
    assert pairs(block("a", "1") + block("b", "2", "9", west)) == {"n": "1"}
    assert pairs(block("a", "1") + block("b", "2", "9", west.replace("west", "east"))) == {"n": "2"}


def test_a_reference_stands_for_the_set_with_that_id() -> None:
    elsewhere = f"<q>{block('x', '3')}</q>"
    assert pairs(elsewhere + '<meta_attributes id-ref="x"/>') == {"n": "3"}


def test_a_reference_to_nothing_is_ignored() -> None:
    assert pairs('<meta_attributes id-ref="gone"/>') == {}
