"""Whatever text people throw at the shell: it is taken or refused, and what was taken reads back as the same."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from hatools.cib.document import format_xml
from hatools.parser.errors import InvalidNameError
from hatools.parser.grammar import STATEMENT_WORDS
from hatools.parser.pieces import BLOCK_WORDS
from hatools.parser.printer import Layout
from hatools.shell.changeset.comparing import same_element
from hatools.shell.changeset.imports import import_text
from hatools.shell.changeset.workspace import Workspace

from .workspaces import Notes, shown, workspace

BASE = """
node 1: one
primitive a ocf:pacemaker:Dummy params fake=1
primitive b ocf:pacemaker:Dummy op monitor interval=10s
primitive c ocf:pacemaker:Dummy
rsc_template t ocf:pacemaker:Dummy
role r read cib
"""
WORDS = [*sorted(BLOCK_WORDS), "a", "b", "c", "@t", "a:start", "b:Promoted", "inf:", "-inf:", "100:", "Mandatory:"]
WORDS += ["(", ")", "[", "]", "{", "}", "x=1", 'y="a b"', "$id=i", "$id-ref=a", "$n:x=1", "@n:x", "and", "or", "to"]
WORDS += ["date", "in", "spec", "hours=1", "eq", "#uname", "one", "one:", "defined", "read", "xpath:/a", "ref:a", "cib"]
WORDS += ["docker", "image=i", "network", "storage", "primitive", "select", "nodes", "description=d", "role=Promoted"]
WORDS += ["ocf:pacemaker:Dummy", "stonith:x", "interval=10s", "sequential=false", "symmetrical=no", "loss-policy=stop"]


def _texts(made: Workspace) -> list[str]:
    notes = made.host.messages
    assert isinstance(notes, Notes)
    return notes.texts


_soups = st.builds(
    lambda keyword, name, words: " ".join((keyword, name, *words)),
    st.sampled_from(STATEMENT_WORDS),
    st.sampled_from(["new", "new:", "a", "$id=new"]),
    st.lists(st.sampled_from(WORDS), max_size=9),
)


@settings(max_examples=300, deadline=None)
@given(_soups)
def test_taking_over_the_text_of_an_object_changes_nothing(text: str) -> None:
    made = workspace(BASE)
    known = set(made.objects)
    if not _taken(made, text):
        return
    for item in [item for item in made.objects if item not in known]:
        before = copy.deepcopy(item.node)
        written = made.text(item, Layout(node_count=1))
        is_xml = written.startswith("xml ")
        assert _taken(made, written, item_id=item.id), (text, written, _texts(made))
        after = made.find_object(item.id)
        assert after is not None
        assert is_xml or same_element(before, after.node), (text, written, format_xml(before), format_xml(after.node))


def _taken(made: Workspace, text: str, item_id: str | None = None) -> bool:
    selection = [] if item_id is None else [item for item in made.objects if item.id == item_id]
    try:
        return import_text(made, selection, text, remove=item_id is not None, merge=False)
    except InvalidNameError:
        return False


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(_soups, max_size=4).map("\n".join)))
def test_a_text_is_taken_or_refused_with_a_reason_and_then_nothing_has_changed(text: str) -> None:
    made = workspace(BASE)
    before = shown(made)
    if not _taken(made, text):
        assert shown(made) == before
        assert any(note.startswith("ERROR") for note in _texts(made)) or "Invalid attribute name" in text or text
