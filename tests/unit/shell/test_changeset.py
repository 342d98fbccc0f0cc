"""What can be done to objects in a working copy."""

from xml.etree.ElementTree import Element

import pytest

from hatools.shell.changeset.imports import import_text
from hatools.shell.changeset.sanitizing import flatten_blanks
from hatools.shell.changeset.workspace import Workspace

from .workspaces import Notes, shown, workspace

TEXT = """
node 1: one
primitive a ocf:pacemaker:Dummy
primitive b ocf:pacemaker:Dummy
primitive c ocf:pacemaker:Dummy
group g a b
location here g 100: one
colocation near inf: c g
"""


def _texts(made: Workspace) -> list[str]:
    notes = made.host.messages
    assert isinstance(notes, Notes)
    return notes.texts


def test_a_new_object_is_there_and_counts_as_a_change() -> None:
    made = workspace(TEXT)
    assert made.create(["primitive", "d", "ocf:pacemaker:Dummy"])
    assert made.find_resource("d") is not None
    assert made.has_changed


def test_an_id_in_use_is_refused() -> None:
    made = workspace(TEXT)
    assert not made.create(["primitive", "a", "ocf:pacemaker:Dummy"])
    assert any("a" in text and text.startswith("ERROR") for text in _texts(made))


def test_deleting_a_group_sets_its_members_free_and_hands_its_constraints_to_the_first() -> None:
    made = workspace(TEXT)
    assert made.delete(["g"])
    assert shown(made).split("\n")[1:] == [
        "primitive a ocf:pacemaker:Dummy",
        "primitive b ocf:pacemaker:Dummy",
        "primitive c ocf:pacemaker:Dummy",
        "location here a 100: one",
        "colocation near inf: c a",
    ]


def test_deleting_a_member_takes_it_out_of_its_group() -> None:
    made = workspace(TEXT)
    assert made.delete(["a"])
    assert "group g b" in shown(made).split("\n")


def test_deleting_what_is_missing_is_an_error() -> None:
    made = workspace(TEXT)
    assert not made.delete(["nothing"])
    assert any("nothing" in text for text in _texts(made))


def test_a_renamed_resource_keeps_its_constraints() -> None:
    made = workspace(TEXT)
    assert made.rename("c", "z")
    assert "colocation near inf: z g" in shown(made).split("\n")


def test_a_snapshot_brings_everything_back() -> None:
    made = workspace(TEXT)
    before = shown(made)
    snapshot = made.snapshot()
    made.delete(["g", "c"])
    made.create(["tag", "t:", "a", "b"])
    made.restore(snapshot)
    assert shown(made) == before


def test_an_update_keeps_what_it_does_not_name() -> None:
    made = workspace(TEXT)
    text = "primitive a ocf:pacemaker:Dummy meta priority=5\n"
    assert import_text(made, made.objects, text, remove=False, merge=True)
    assert "\tmeta priority=5" in shown(made)
    assert made.find_resource("b") is not None


def test_a_text_with_one_error_changes_nothing() -> None:
    made = workspace(TEXT)
    before = shown(made)
    text = "primitive d ocf:pacemaker:Dummy\nprimitve\n"
    assert not import_text(made, [], text, remove=False, merge=False)
    assert shown(made) == before


@pytest.mark.parametrize(
    ("pattern", "found"), [("a", ["a"]), ("[ab]", ["a", "b"]), ("*", ["one", "a", "b", "c", "g", "here", "near"])]
)
def test_objects_are_found_by_id_or_pattern(pattern: str, found: list[str]) -> None:
    made = workspace(TEXT)
    names = [item.node.get("uname") or item.id for item in made.find_objects(pattern)]
    assert sorted(filter(None, names)) == sorted(found)


@pytest.mark.parametrize(
    ("value", "written"), [("a\tb", "a    b"), ("a\nb", "a\\nb"), ("ö\ta\nb", "ö a b"), ("a\tö\tb", "a    ö b")]
)
def test_tabs_and_line_ends_are_written_as_the_original_writes_them(value: str, written: str) -> None:
    root = Element("cib", {"name": value})
    flatten_blanks(root)
    assert root.get("name") == written
