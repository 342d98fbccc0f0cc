"""Single options and attributes are found and changed where Pacemaker keeps them."""

from xml.etree.ElementTree import Element

import pytest

from hatools.cib.attributes import NodeIdentity, Place, UnknownSectionError, delete_edit, find_node, set_edit
from hatools.cib.document import Document, format_xml
from hatools.cib.operations import Edit, perform
from hatools.cib.queries import query
from hatools.values.errors import InvalidChangeError, NoSuchObjectError

CIB = Document.parse(
    '<cib validate-with="none" admin_epoch="0" epoch="1" num_updates="0"><configuration>'
    '<crm_config/><nodes><node id="1" uname="Alpha"/></nodes>'
    '<resources><primitive id="far" class="ocf" provider="pacemaker" type="remote"/>'
    '<primitive id="vm"><meta_attributes id="m"><nvpair id="n" name="remote-node" value="guest"/></meta_attributes>'
    '</primitive></resources><constraints/></configuration><status><node_state id="1" uname="Alpha"/></status></cib>'
)


def section(name: str) -> Element | None:
    return CIB.section(name)


def after(edit: Edit) -> Document:
    return perform(CIB, edit).document


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("crm_config", name="a"), "//cib/configuration/crm_config//cluster_property_set//nvpair[@name='a']"),
        (
            Place("nodes", node="1", set_tag="utilization", name="cpu"),
            "//cib/configuration/nodes//node[@id='1']//utilization//nvpair[@name='cpu']",
        ),
        (
            Place("status", node="1", set_id="s", pair_id="p", name="a"),
            "//cib/status//transient_attributes[@id='1']//instance_attributes[@id='s']//nvpair[@id='p' and @name='a']",
        ),
        (Place("rsc_defaults"), "//cib/configuration/rsc_defaults//meta_attributes//nvpair"),
        (Place("tickets", name="t"), "//cib/status//tickets//instance_attributes//nvpair[@name='t']"),
    ],
)
def test_a_place_is_an_xpath(place: Place, expected: str) -> None:
    assert place.xpath() == expected


def test_a_section_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownSectionError):
        Place("nonsense").xpath()


@pytest.mark.parametrize(
    ("place", "pair_id"),
    [
        (Place("crm_config", name="a#b"), "cib-bootstrap-options-a.b"),
        (Place("crm_config", set_id="mine", name="a"), "mine-a"),
        (Place("nodes", node="1", name="a"), "nodes-1-a"),
        (Place("nodes", node="1", set_tag="utilization", name="cpu"), "nodes-1-utilization-cpu"),
        (Place("status", node="1", name="fail-count-x#start_0"), "status-1-fail-count-x.start_0"),
        (Place("op_defaults", name="timeout"), "op_defaults-options-timeout"),
        (Place("tickets", name="granted"), "status-tickets-granted"),
    ],
)
def test_a_new_pair_gets_the_usual_id_and_is_found_again(place: Place, pair_id: str) -> None:
    edit = set_edit(place, "v", None)
    document = perform(CIB, Edit(edit.operation, edit.section, update=edit.update, allow_create=True)).document
    found = query(document, xpath=place.xpath())
    assert (found.get("id"), found.get("value")) == (pair_id, "v")


def test_an_existing_pair_keeps_its_id() -> None:
    pair = Element("nvpair", {"id": "x", "name": "a", "value": "1"})
    edit = set_edit(Place("crm_config", name="a"), "2", pair)
    assert edit.update is not None
    assert format_xml(edit.update, None) == '<nvpair id="x" name="a" value="2"/>'


def test_a_pair_without_name_and_id_cannot_be_set() -> None:
    with pytest.raises(InvalidChangeError):
        set_edit(Place("crm_config"), "1", None)


def test_deleting_names_what_has_to_match() -> None:
    edit = delete_edit(Place("tickets", name="t"), "x", "1")
    assert edit.update is not None
    assert (edit.section, format_xml(edit.update, None)) == ("status", '<nvpair id="x" name="t" value="1"/>')


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alpha", NodeIdentity("1")),
        ("far", NodeIdentity("far", True)),
        ("guest", NodeIdentity("guest", True)),
    ],
)
def test_nodes_are_found_by_name_in_either_case(name: str, expected: NodeIdentity) -> None:
    assert find_node(name, section) == expected


def test_an_unknown_node_is_said_to_be_unknown() -> None:
    with pytest.raises(NoSuchObjectError):
        find_node("nope", section)
