"""Fencing topology."""

from hatools.cib.document import parse_xml
from hatools.daemons.stonithd.topology import Level, levels_for, levels_from_cib, parse_target

TOPOLOGY = parse_xml(
    """<fencing-topology>
    <fencing-level id="a" target="n1" index="2" devices="c"/>
    <fencing-level id="b" target="n1" index="1" devices="a,b"/>
    <fencing-level id="c" target-pattern="^n[0-9]$" index="1" devices="p"/>
    <fencing-level id="d" target-attribute="rack" target-value="r1" index="1" devices="r"/>
    <fencing-level id="e" target="n3" index="10" devices="x"/>
    <fencing-level id="f" target="n3" index="1" devices=""/>
    </fencing-topology>"""
)


def test_levels_are_sorted_by_index_and_a_nodes_own_ones_win() -> None:
    levels = levels_from_cib(TOPOLOGY)
    assert levels_for(levels, "n1", {}) == (("a", "b"), ("c",))


def test_a_pattern_applies_where_the_name_has_no_levels() -> None:
    assert levels_for(levels_from_cib(TOPOLOGY), "n2", {"rack": "r1"}) == (("p",),)


def test_an_attribute_applies_where_neither_name_nor_pattern_does() -> None:
    levels = levels_from_cib(TOPOLOGY)
    assert levels_for(levels, "other", {"rack": "r1"}) == (("r",),)
    assert levels_for(levels, "other", {"rack": "r2"}) == ()


def test_names_are_compared_without_regard_to_case() -> None:
    assert levels_for((Level(1, ("a",), node="Node1"),), "node1", {}) == (("a",),)


def test_an_unreadable_pattern_matches_nothing() -> None:
    assert levels_for((Level(1, ("a",), pattern="(["),), "n1", {}) == ()


def test_levels_with_the_same_index_are_one() -> None:
    levels = (Level(1, ("a",), node="n"), Level(1, ("b",), node="n"))
    assert levels_for(levels, "n", {}) == (("a", "b"),)


def test_targets_are_read_and_written() -> None:
    assert [parse_target(text).target for text in ("n1", "@n.*", "pattern@n.*", "rack=1")] == [
        "n1",
        "@n.*",
        "@n.*",
        "rack=1",
    ]
