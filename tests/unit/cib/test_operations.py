"""Operations on a CIB: what they change, what they refuse, and how the version moves."""

import pytest

from hatools.cib.document import Document, format_xml
from hatools.cib.operations import Edit, Outcome, Stamp, parse_update, perform
from hatools.cib.queries import query, query_paths
from hatools.values.ciboperation import CibOperation as Op
from hatools.values.errors import (
    AlreadyExistsError,
    HatoolsError,
    InvalidChangeError,
    NoSuchObjectError,
    NotSupportedError,
    StaleError,
)

CIB = Document.parse(
    '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="7" admin_epoch="0">'
    '<configuration><crm_config><cluster_property_set id="opts"><nvpair id="o1" name="a" value="1"/>'
    '</cluster_property_set></crm_config><nodes/><resources><primitive id="p" class="ocf" provider="x" type="y"/>'
    '<group id="g"><primitive id="q" class="ocf" provider="x" type="y"/></group></resources><constraints/>'
    "</configuration><status/></cib>"
)


def change(operation: Op, xml: str = "", **more: str | bool) -> Outcome:
    edit = Edit(operation, update=parse_update(xml) if xml else None, **more)  # type: ignore[arg-type]
    return perform(CIB, edit)


def version(outcome: Outcome) -> str:
    return str(outcome.document.version)


def test_a_query_of_a_section_returns_it() -> None:
    assert query(CIB, section="crm_config").tag == "crm_config"


def test_a_query_of_an_unknown_section_returns_everything() -> None:
    assert query(CIB, section="tickets") is CIB.root


def test_a_query_of_an_absent_section_finds_nothing() -> None:
    with pytest.raises(NoSuchObjectError):
        query(CIB, section="acls")


def test_several_matches_come_wrapped() -> None:
    assert [child.get("id") for child in query(CIB, xpath="//primitive")] == ["p", "q"]


def test_paths_name_each_step_by_its_id() -> None:
    assert query_paths(CIB, "//primitive[@id='q']") == [
        "/cib/configuration/resources/group[@id='g']/primitive[@id='q']"
    ]


def test_a_changed_configuration_raises_the_epoch_and_resets_the_updates() -> None:
    assert version(change(Op.MODIFY, '<nvpair id="o1" value="2"/>')) == "0.6.0"


def test_a_changed_status_raises_the_updates() -> None:
    outcome = change(Op.MODIFY, '<node_state id="1"/>', section="status", allow_create=True)
    assert (version(outcome), outcome.configuration_changed) == ("0.5.8", False)


def test_a_change_that_changes_nothing_leaves_the_document_itself() -> None:
    outcome = change(Op.MODIFY, '<nvpair id="o1" value="1"/>')
    assert outcome.document is CIB
    assert not outcome.changed


def test_what_is_not_touched_is_shared_with_the_document_before() -> None:
    outcome = change(Op.MODIFY, '<nvpair id="o1" value="2"/>')
    assert outcome.document.section("resources") is CIB.section("resources")
    assert CIB.by_id("o1").get("value") == "1"  # type: ignore[union-attr]


def test_an_expression_counts_up_from_the_old_value() -> None:
    outcome = change(Op.MODIFY, '<nvpair id="o1" value="value+=4"/>')
    assert outcome.document.by_id("o1").get("value") == "5"  # type: ignore[union-attr]


def test_a_version_can_be_counted_up_by_hand() -> None:
    assert version(change(Op.MODIFY, '<cib admin_epoch="admin_epoch++"/>')) == "1.5.8"


def test_a_version_cannot_go_back() -> None:
    with pytest.raises(StaleError):
        change(Op.MODIFY, '<cib epoch="1"/>')


def test_a_feature_set_newer_than_ours_is_refused() -> None:
    with pytest.raises(NotSupportedError):
        change(Op.MODIFY, '<cib crm_feature_set="9.0"/>')


def test_modifying_what_is_not_there_fails_unless_it_may_be_created() -> None:
    with pytest.raises(NoSuchObjectError):
        change(Op.MODIFY, '<tag id="t"/>', section="tags")
    outcome = change(Op.MODIFY, '<tag id="t"/>', section="tags", allow_create=True)
    assert format_xml(outcome.document.section("tags"), None) == '<tags><tag id="t"/></tags>'  # type: ignore[arg-type]


def test_creating_what_exists_fails_and_says_which() -> None:
    with pytest.raises(AlreadyExistsError) as caught:
        change(Op.CREATE, '<primitive id="p"/>', section="resources")
    assert 'failed_update id="p" object_type="primitive" operation="cib_create"' in caught.value.details


def test_creating_merges_what_a_new_object_says_twice() -> None:
    outcome = change(Op.CREATE, '<primitive id="n"><m id="1" a="1"/><m id="1" b="2"/></primitive>', section="resources")
    created = outcome.document.by_id("n")
    assert format_xml(created, None) == '<primitive id="n"><m id="1" a="1" b="2"/></primitive>'  # type: ignore[arg-type]


def test_replacing_a_section_keeps_what_is_the_same() -> None:
    outcome = change(
        Op.REPLACE,
        '<resources><primitive id="p" class="ocf" provider="x" type="y"/></resources>',
        section="resources",
    )
    assert outcome.document.by_id("p") is CIB.by_id("p")
    assert outcome.document.by_id("g") is None


def test_replacing_by_an_older_cib_is_refused() -> None:
    with pytest.raises(StaleError):
        change(Op.REPLACE, '<cib epoch="4" num_updates="0" admin_epoch="0"/>')


def test_deleting_needs_all_attributes_to_match() -> None:
    assert not change(Op.DELETE, '<primitive id="p" class="lsb"/>').changed
    assert change(Op.DELETE, '<primitive id="p" class="OCF"/>').document.by_id("p") is None


def test_deleting_all_matches_leaves_none() -> None:
    outcome = change(Op.DELETE_ALL, xpath="//primitive|//group")
    assert len(outcome.document.section("resources") or ()) == 0


def test_the_whole_cib_cannot_be_deleted() -> None:
    with pytest.raises(InvalidChangeError):
        change(Op.DELETE, xpath="/cib")


def test_erasing_raises_the_admin_epoch() -> None:
    outcome = change(Op.ERASE)
    assert (version(outcome), len(outcome.document.section("resources") or ())) == ("1.6.0", 0)


def test_bumping_raises_the_epoch_alone() -> None:
    assert version(change(Op.BUMP)) == "0.6.8"


def test_marked_elements_go_after_a_mixed_modification() -> None:
    outcome = change(Op.MODIFY, '<primitive id="p" __delete__="1"/>', section="resources", mixed=True)
    assert outcome.document.by_id("p") is None


def test_a_stamp_is_left_only_on_a_changed_configuration() -> None:
    stamp = Stamp("Mon Jan  1 00:00:00 2024", "node1", "cibadmin", "root")
    changed = perform(CIB, Edit(Op.MODIFY, update=parse_update('<nvpair id="o1" value="2"/>')), stamp=stamp)
    status = perform(CIB, Edit(Op.CREATE, "status", update=parse_update('<node_state id="1"/>')), stamp=stamp)
    assert changed.document.root.get("update-client") == "cibadmin"
    assert status.document.root.get("update-client") is None


@pytest.mark.parametrize("operation", [Op.MODIFY, Op.CREATE, Op.REPLACE, Op.DELETE])
def test_an_operation_without_its_xml_is_refused(operation: Op) -> None:
    with pytest.raises(HatoolsError):
        change(operation, section="resources")
