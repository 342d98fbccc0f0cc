"""Patches: made of two CIBs, applied to the first they give the second."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatools.cib.document import Document, Element, format_xml, parse_xml
from hatools.cib.patchset import apply_patch, create_patch, without_version
from hatools.cib.patchset_v1 import apply_patch_v1, create_patch_v1
from hatools.values.errors import PatchAheadError, PatchError, StaleError

tags = st.sampled_from(["a", "b", "c"])
names = st.sampled_from(["x", "y", "z"])
values = st.sampled_from(["1", "2", "'\"<&"])


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    """Draw an element whose children have ids that are unique among them, as in a CIB, and sometimes comments."""
    element = Element(draw(tags))
    for name in draw(st.lists(names, unique=True)):
        element.set(name, draw(values))
    if depth:
        for identifier in draw(st.lists(st.integers(0, 6), unique=True, max_size=4)):
            child = draw(elements(depth - 1))
            child.set("id", f"i{identifier}")
            element.append(child)
        if draw(st.booleans()):
            element.insert(draw(st.integers(0, 3)), parse_xml(f"<r><!--{draw(values)[:1]}--></r>")[0])
    return element


def root_of(element: Element) -> Element:
    root = Element("cib", {"admin_epoch": "0", "epoch": "1", "num_updates": "0"})
    root.append(element)
    return root


@settings(max_examples=300, deadline=None)
@given(elements(), elements())
def test_a_patch_turns_the_old_into_the_new(old: Element, new: Element) -> None:
    before, after = root_of(old), root_of(new)
    patch = create_patch(before, after, exact_comments=True)
    if patch is None:
        assert _unordered(before) == _unordered(after)
    else:
        assert _unordered(apply_patch(before, patch, check_version=False)) == _unordered(after)


def test_an_exact_patch_moves_a_comment_among_other_changes() -> None:
    before = parse_xml("<cib epoch='1'><a><a id='1'/><!--x--></a></cib>")
    after = parse_xml("<cib epoch='1'><a><a id='2'/><!--x--><a id='1'/><!--y--></a></cib>")

    patch = create_patch(before, after, exact_comments=True)

    assert patch is not None
    assert format_xml(apply_patch(before, patch, check_version=False)) == format_xml(after)


def _unordered(element: Element) -> object:
    """Return the content, the order of attributes left out: it is no difference unless asked for."""
    if not isinstance(element.tag, str):
        return ("comment", element.text)
    return (element.tag, sorted(element.items()), [_unordered(child) for child in element])


@settings(max_examples=100, deadline=None)
@given(elements())
def test_there_is_no_patch_between_equals(element: Element) -> None:
    copy = parse_xml(format_xml(root_of(element)))
    assert create_patch(parse_xml(format_xml(root_of(element))), copy, attribute_order=True) is None


OLD = parse_xml('<cib admin_epoch="0" epoch="1" num_updates="0"><c><p id="1"/><p id="2"/></c></cib>')
NEW = parse_xml('<cib admin_epoch="0" epoch="2" num_updates="0"><c><p id="2"/><p id="1" a="b"/></c></cib>')


def test_a_patch_names_versions_attributes_and_moves() -> None:
    patch = create_patch(OLD, NEW)
    assert patch is not None
    assert [(change.get("operation"), change.get("path")) for change in patch.iter("change")] == [
        ("modify", "/cib"),
        ("move", "/cib/c/p[@id='2']"),
        ("modify", "/cib/c/p[@id='1']"),
        ("move", "/cib/c/p[@id='1']"),
    ]


def test_a_patch_fits_only_the_version_it_was_made_for() -> None:
    patch = create_patch(OLD, NEW)
    assert patch is not None
    with pytest.raises(StaleError):
        apply_patch(NEW, patch)
    older = Document.parse('<cib admin_epoch="0" epoch="0" num_updates="9"/>').root
    with pytest.raises(PatchAheadError):
        apply_patch(older, patch)
    assert format_xml(apply_patch(OLD, without_version(patch))) == format_xml(NEW)


def test_a_patch_of_what_is_not_there_is_refused_as_a_whole() -> None:
    patch = parse_xml('<diff format="2"><change operation="move" path="/cib/c/p[@id=\'9\']" position="0"/></diff>')
    with pytest.raises(PatchError, match="p\\[@id='9'\\]"):
        apply_patch(OLD, patch)


def test_a_patch_of_format_1_leads_to_the_same_content() -> None:
    patch = create_patch_v1(OLD, NEW, configuration_changed=False)
    result = apply_patch_v1(OLD, patch)
    assert {(p.get("id"), p.get("a")) for p in result.iter("p")} == {("1", "b"), ("2", None)}
