"""Merging what two people did to one configuration."""

import pytest

from hatools.cib.document import format_xml, parse_xml
from hatools.shell.changeset.threeway import Collision, Merge, Side, merge

from .workspaces import EMPTY, shown, workspace

BASE = """
node 1: one
primitive a ocf:pacemaker:Dummy params fake=1 op monitor interval=10s
primitive b ocf:pacemaker:Dummy
primitive c ocf:pacemaker:Dummy
group g a b
location here g 100: one
property no-quorum-policy=stop
rsc_defaults resource-stickiness=1
"""


def _merged(ours: str, theirs: str, prefer: Side = Side.OURS, base: str = BASE) -> Merge:
    return merge(workspace(base).root, workspace(ours).root, workspace(theirs).root, prefer)


def _text(merged: Merge) -> list[str]:
    text = shown(workspace(xml=format_xml(merged.root)))
    return text.replace(" \\\n\t", " ").split("\n")


def _with(*changes: tuple[str, str]) -> str:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_changes_to_different_objects_are_both_taken() -> None:
    merged = _merged(_with(("fake=1", "fake=2")), _with(("=stop", "=freeze")))
    assert merged.collisions == ()
    text = _text(merged)
    assert any("fake=2" in line for line in text) and any("freeze" in line for line in text)


def test_changes_to_different_parts_of_one_object_are_both_taken() -> None:
    merged = _merged(_with(("fake=1", "fake=2")), _with(("interval=10s", "interval=10s timeout=30s")))
    assert merged.collisions == ()
    assert "primitive a ocf:pacemaker:Dummy params fake=2 op monitor interval=10s timeout=30s" in _text(merged)


@pytest.mark.parametrize(("prefer", "value"), [(Side.OURS, "2"), (Side.THEIRS, "3")])
def test_the_same_value_changed_by_both_is_a_collision(prefer: Side, value: str) -> None:
    merged = _merged(_with(("fake=1", "fake=2")), _with(("fake=1", "fake=3")), prefer)
    assert merged.collisions == (Collision("a", "params fake", "1", "2", "3"),)
    assert any(f"fake={value}" in line for line in _text(merged))


def test_the_same_change_by_both_is_no_collision() -> None:
    changed = _with(("fake=1", "fake=2"))
    assert _merged(changed, changed).collisions == ()


def test_a_resource_put_into_a_group_keeps_what_others_changed_in_it() -> None:
    merged = _merged(
        _with(("group g a b", "group g a b c")),
        _with(("primitive c ocf:pacemaker:Dummy", "primitive c ocf:pacemaker:Dummy meta priority=5")),
    )
    assert merged.collisions == ()
    text = _text(merged)
    assert "group g a b c" in text and "primitive c ocf:pacemaker:Dummy meta priority=5" in text


def test_a_resource_put_into_a_new_group_keeps_what_others_changed_in_it() -> None:
    ours = _with(("group g a b", "group g a b\ngroup h c"))
    merged = _merged(
        ours, _with(("primitive c ocf:pacemaker:Dummy", "primitive c ocf:pacemaker:Dummy meta priority=5"))
    )
    assert "group h c" in _text(merged) and "primitive c ocf:pacemaker:Dummy meta priority=5" in _text(merged)


def test_additions_to_one_group_by_both_are_both_taken() -> None:
    base = BASE + "primitive d ocf:pacemaker:Dummy\n"
    merged = _merged(
        base.replace("group g a b", "group g a b c"), base.replace("group g a b", "group g d a b"), base=base
    )
    assert merged.collisions == ()
    assert "group g d a b c" in _text(merged)


def test_different_orders_of_one_group_collide() -> None:
    base = BASE.replace("group g a b", "group g a b c")
    merged = _merged(base.replace("a b c", "b a c"), base.replace("a b c", "a c b"), base=base)
    assert merged.collisions == (Collision("g", "order", "a b c", "b a c", "a c b"),)
    assert "group g b a c" in _text(merged)


def test_removing_what_others_left_alone_removes_it() -> None:
    merged = _merged(_with(("location here g 100: one\n", "")), _with(("fake=1", "fake=3")))
    assert merged.collisions == ()
    assert not any(line.startswith("location") for line in _text(merged))


@pytest.mark.parametrize(("prefer", "is_there"), [(Side.OURS, False), (Side.THEIRS, True)])
def test_removing_what_others_changed_is_a_collision(prefer: Side, is_there: bool) -> None:
    merged = _merged(_with(("location here g 100: one\n", "")), _with(("100: one", "200: one")), prefer)
    assert merged.collisions == (Collision("here", "", None, "(removed)", "(changed)"),)
    assert any(line == "location here g 200: one" for line in _text(merged)) is is_there


@pytest.mark.parametrize(("prefer", "is_there"), [(Side.OURS, True), (Side.THEIRS, False)])
def test_changing_a_resource_that_others_removed_is_a_collision(prefer: Side, is_there: bool) -> None:
    ours = _with(("primitive c ocf:pacemaker:Dummy", "primitive c ocf:pacemaker:Dummy meta priority=5"))
    merged = _merged(ours, _with(("primitive c ocf:pacemaker:Dummy\n", "")), prefer)
    assert merged.collisions == (Collision("c", "", None, "(changed)", "(removed)"),)
    assert any(line.startswith("primitive c") for line in _text(merged)) is is_there


def test_a_resource_moved_to_two_places_goes_where_we_put_it() -> None:
    ours = _with(("group g a b", "group g a b c"))
    theirs = _with(("group g a b", "group g a b\ngroup h c"))
    merged = _merged(ours, theirs)
    assert [(c.subject, c.what) for c in merged.collisions] == [("c", "place")]
    assert "group g a b c" in _text(merged)


def test_a_resource_is_not_lost_with_the_group_that_others_removed() -> None:
    ours = _with(("group g a b", "group g a b c"))
    theirs = _with(("group g a b\n", ""), ("location here g 100: one\n", ""))
    for prefer in Side:
        merged = _merged(ours, theirs, prefer)
        names = [line.split()[1] for line in _text(merged) if line.startswith("primitive")]
        assert names == ["a", "b", "c"]


def test_defaults_collide_under_the_name_of_their_set() -> None:
    merged = _merged(_with(("stickiness=1", "stickiness=2")), _with(("stickiness=1", "stickiness=3")))
    assert [(c.subject, c.what, c.ours, c.theirs) for c in merged.collisions] == [
        ("rsc-options", "resource-stickiness", "2", "3")
    ]


def test_both_beginning_from_nothing_is_merged_by_names() -> None:
    empty = parse_xml(EMPTY)
    ours = workspace("primitive x ocf:pacemaker:Dummy params fake=1").root
    theirs = workspace("primitive x ocf:pacemaker:Dummy params state=/s\nprimitive y ocf:pacemaker:Dummy").root
    merged = merge(empty, ours, theirs)
    assert merged.collisions == ()
    assert _text(merged) == [
        'primitive x ocf:pacemaker:Dummy params fake=1 state="/s"',
        "primitive y ocf:pacemaker:Dummy",
    ]
