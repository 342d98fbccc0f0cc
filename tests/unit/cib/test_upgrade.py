"""Upgrades: old schemas lead to the newest, rewritten where they must be."""

import pytest

from hatools.cib.document import Element, children, parse_xml
from hatools.cib.schema import is_valid
from hatools.cib.upgrade import upgrade, upgrade_with_notes
from hatools.values.errors import SchemaError, SchemaUnchangedError


def cib(schema: str, inner: str = "", resources: str = "", options: str = "") -> Element:
    return parse_xml(
        f'<cib validate-with="{schema}" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config>{options}'
        f"</crm_config><nodes/><resources>{resources}</resources><constraints/>{inner}</configuration><status/></cib>"
    )


@pytest.mark.parametrize(
    "schema", ["pacemaker-1.0", "pacemaker-1.2", "pacemaker-2.10", "pacemaker-3.0", "pacemaker-3.8"]
)
def test_a_plain_cib_reaches_the_newest_schema_unchanged(schema: str) -> None:
    upgraded = upgrade(cib(schema))
    assert upgraded.get("validate-with") == "pacemaker-3.9"
    assert is_valid(upgraded, "pacemaker-3.9")


def test_an_upgrade_stops_at_the_limit() -> None:
    assert upgrade(cib("pacemaker-1.0"), "pacemaker-2.4").get("validate-with") == "pacemaker-2.4"


def test_the_newest_schema_is_left_alone() -> None:
    with pytest.raises(SchemaUnchangedError):
        upgrade(cib("pacemaker-3.9"))


def test_what_satisfies_no_schema_is_refused() -> None:
    with pytest.raises(SchemaError):
        upgrade(cib("pacemaker-2.0", resources="<nonsense/>"))


def test_access_lists_of_1_3_become_targets_and_roles() -> None:
    lists = '<read id="r" tag="primitive"/><deny id="d" xpath="//x" attribute="a"/>'
    old = f'<acls><acl_user id="u">{lists}</acl_user></acls>'
    upgraded, notes = upgrade_with_notes(cib("pacemaker-1.3", old))
    acls = upgraded.find("configuration/acls")
    assert [(part.tag, part.get("id")) for part in children(acls)] == [("acl_target", "u"), ("acl_role", "auto-u")]
    assert [part.attrib for part in upgraded.iter("acl_permission")] == [
        {"id": "r", "kind": "read", "object-type": "primitive"},
        {"id": "d", "kind": "deny", "xpath": "//x[@a]"},
    ]
    assert len(notes) == 1


def test_superseded_options_of_2_10_get_their_names_or_places() -> None:
    options = (
        '<cluster_property_set id="s"><nvpair id="1" name="stonith_enabled" value="0"/>'
        '<nvpair id="2" name="default-resource-stickiness" value="5"/>'
        '<nvpair id="3" name="expected-quorum-votes" value="2"/></cluster_property_set>'
    )
    options = options.replace('id="1"', 'id="n1"').replace('id="2"', 'id="n2"').replace('id="3"', 'id="n3"')
    upgraded = upgrade(cib("pacemaker-2.10", options=options))
    configuration = upgraded.find("configuration")
    assert configuration is not None
    assert [pair.get("name") for pair in configuration.iterfind("crm_config//nvpair")] == ["stonith-enabled"]
    assert [
        (pair.get("name"), pair.get("value")) for pair in configuration.iterfind("rsc_defaults/meta_attributes/nvpair")
    ] == [("resource-stickiness", "5")]


def test_what_operations_require_goes_to_the_resource() -> None:
    resource = (
        '<primitive id="p" class="ocf" provider="x" type="y"><operations>'
        '<op id="o1" name="start" interval="0" requires="quorum"/>'
        '<op id="o2" name="monitor" interval="9" requires="nothing"/>'
        "</operations></primitive>"
    )
    upgraded, notes = upgrade_with_notes(cib("pacemaker-2.10", resources=resource))
    assert [
        (pair.get("name"), pair.get("value")) for pair in upgraded.iterfind(".//primitive/meta_attributes/nvpair")
    ] == [("requires", "quorum")]
    assert any("dropping requires" in note for note in notes)
