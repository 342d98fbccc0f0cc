"""Access control lists: who sees and changes what."""

import pytest

from hatools.cib.acl import Subject, readable_part, require_permission
from hatools.cib.document import Document, format_xml
from hatools.cib.operations import Edit, parse_update, perform
from hatools.values.ciboperation import CibOperation as Op
from hatools.values.errors import NoPermissionsError, PermissionRefusedError

CIB = Document.parse(
    '<cib epoch="1" validate-with="pacemaker-3.9"><configuration><crm_config><cluster_property_set id="s">'
    '<nvpair id="s-acl" name="enable-acl" value="true"/><nvpair id="s-x" name="x" value="1"/></cluster_property_set>'
    '</crm_config><nodes/><resources><primitive id="p" type="t"><meta_attributes id="m">'
    '<nvpair id="m-r" name="target-role"/>'
    '</meta_attributes></primitive><primitive id="secret" type="u"/></resources><constraints/><acls>'
    '<acl_target id="reader"><role id="read"/></acl_target><acl_target id="operator"><role id="operate"/></acl_target>'
    '<acl_group id="admins"><role id="all"/></acl_group>'
    '<acl_role id="read"><acl_permission id="r1" kind="read" xpath="/cib"/>'
    '<acl_permission id="r2" kind="deny" reference="secret"/></acl_role>'
    '<acl_role id="operate"><acl_permission id="o1" kind="read" xpath="/cib"/>'
    '<acl_permission id="o2" kind="write" xpath="//nvpair[@name=\'target-role\']"/>'
    '<acl_permission id="o3" kind="write" object-type="constraints"/></acl_role>'
    '<acl_role id="all"><acl_permission id="a1" kind="write" xpath="/cib"/></acl_role>'
    "</acls></configuration><status/></cib>"
)


def test_without_any_permission_nothing_can_be_read() -> None:
    with pytest.raises(PermissionRefusedError):
        readable_part(CIB, Subject("nobody"))


def test_root_is_not_bound() -> None:
    assert readable_part(CIB, Subject("root")) is CIB


def test_lists_do_not_bind_while_the_option_is_off() -> None:
    off = perform(CIB, Edit(Op.MODIFY, update=parse_update('<nvpair id="s-acl" value="false"/>'))).document
    assert readable_part(off, Subject("nobody")) is off


def test_what_is_denied_is_left_out() -> None:
    visible = readable_part(CIB, Subject("reader"))
    assert (visible.by_id("secret"), visible.by_id("p") is None) == (None, False)


def test_only_the_way_to_what_is_readable_is_shown() -> None:
    narrow = Document.parse(str(CIB).replace('kind="read" xpath="/cib"', 'kind="read" xpath="//meta_attributes"'))
    visible = readable_part(narrow, Subject("reader"))
    assert format_xml(visible.root, None) == (
        '<cib><configuration><resources><primitive id="p"><meta_attributes id="m"><nvpair id="m-r" name="target-role"/>'
        "</meta_attributes></primitive></resources></configuration></cib>"
    )


@pytest.mark.parametrize(
    ("user", "operation", "section", "xml", "allowed"),
    [
        ("operator", Op.MODIFY, "", '<nvpair id="m-r" value="Stopped"/>', True),
        ("operator", Op.MODIFY, "", '<nvpair id="s-x" value="2"/>', False),
        ("operator", Op.CREATE, "constraints", '<rsc_order id="o" first="p" then="q"/>', True),
        ("operator", Op.CREATE, "resources", '<primitive id="n" type="t"/>', False),
        ("operator", Op.CREATE, "resources", '<primitive id="n"/>', True),
        ("operator", Op.DELETE, "", '<nvpair id="m-r"/>', True),
        ("operator", Op.DELETE, "", '<primitive id="p"/>', False),
        ("reader", Op.MODIFY, "", '<nvpair id="m-r" value="Stopped"/>', False),
    ],
)
def test_a_change_needs_permission_for_all_it_touches(
    user: str, operation: Op, section: str, xml: str, allowed: bool
) -> None:
    edit = Edit(operation, section, update=parse_update(xml))
    if allowed:
        perform(CIB, edit, permit=lambda old, new: require_permission(old, new, Subject(user)))
    else:
        with pytest.raises(PermissionRefusedError):
            perform(CIB, edit, permit=lambda old, new: require_permission(old, new, Subject(user)))


def test_groups_have_permissions_too() -> None:
    edit = Edit(Op.DELETE, update=parse_update('<primitive id="p"/>'))
    subject = Subject("somebody", ("admins",))
    assert perform(CIB, edit, permit=lambda old, new: require_permission(old, new, subject)).changed


def test_who_has_no_permissions_is_told_what_could_not_be_created() -> None:
    edit = Edit(Op.CREATE, "resources", update=parse_update('<primitive id="n" type="t"/>'))
    with pytest.raises(NoPermissionsError) as caught:
        perform(CIB, edit, permit=lambda old, new: require_permission(old, new, Subject("nobody")))
    assert 'reason="Permission denied"' in caught.value.details
