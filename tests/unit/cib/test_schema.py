"""Schemas: versions differ where they should, faults are worded as libxml2 words them."""

import pytest

from hatools.cib.document import Document, parse_xml
from hatools.cib.operations import Edit, parse_update, perform
from hatools.cib.schema import SCHEMAS, SchemaChecker, is_valid, validate, violations
from hatools.values.ciboperation import CibOperation
from hatools.values.errors import SchemaError


def cib(
    schema: str = "pacemaker-3.9", *, options: str = "", resources: str = "", constraints: str = "", more: str = ""
) -> str:
    return (
        f'<cib validate-with="{schema}" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config>{options}'
        f"</crm_config><nodes/><resources>{resources}</resources><constraints>{constraints}</constraints>{more}"
        "</configuration><status/></cib>"
    )


DUMMY = '<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/>'
LOCATION = '<rsc_location id="l" rsc="d" role="Promoted" node="n" score="1"/>'
ORDER = '<rsc_order id="o" first="d" then="e"/>'


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_plain_cib_satisfies_every_schema(schema: str) -> None:
    assert is_valid(parse_xml(cib(schema, resources=DUMMY)), schema)


@pytest.mark.parametrize(
    ("since", "xml"),
    [
        ("pacemaker-1.2", cib("S", resources='<template id="t" class="ocf" provider="x" type="y"/>')),
        ("pacemaker-1.3", cib("S", more="<tags/>")),
        ("pacemaker-2.5", cib("S", more='<alerts><alert id="a" path="/x"/></alerts>')),
        ("pacemaker-2.8", cib("S", resources='<bundle id="b"><docker image="i"/></bundle>')),
        ("pacemaker-3.2", cib("S", resources='<bundle id="b"><podman image="i"/></bundle>')),
        ("pacemaker-3.7", cib("S", resources=DUMMY, constraints=LOCATION)),
    ],
)
def test_what_a_version_brought_is_unknown_before_it(since: str, xml: str) -> None:
    place = SCHEMAS.index(since)
    assert not is_valid(parse_xml(xml.replace('"S"', f'"{SCHEMAS[place - 1]}"')), SCHEMAS[place - 1])
    assert is_valid(parse_xml(xml.replace('"S"', f'"{since}"')), since)


def test_names_that_were_superseded_are_refused_since_3_0() -> None:
    options = '<cluster_property_set id="s"><nvpair id="n" name="stonith_enabled" value="1"/></cluster_property_set>'
    assert is_valid(parse_xml(cib("pacemaker-2.10", options=options)), "pacemaker-2.10")
    assert not is_valid(parse_xml(cib("pacemaker-3.0", options=options)), "pacemaker-3.0")


def test_a_reference_to_nothing_is_reported_with_its_element() -> None:
    found = violations(parse_xml(cib(resources=DUMMY, constraints=ORDER)), "pacemaker-3.9")
    assert [str(violation) for violation in found] == [
        'element rsc_order: validity error : IDREF attribute then references an unknown ID "e"'
    ]


def test_an_unknown_schema_is_named() -> None:
    with pytest.raises(SchemaError, match=r"unknown schema 'pacemaker-9.9'"):
        validate(Document.parse(cib("pacemaker-9.9")))


START = Document.parse(cib(resources=DUMMY + DUMMY.replace('"d"', '"e"'), constraints=ORDER))


@pytest.mark.parametrize(
    ("operation", "section", "xml", "is_good"),
    [
        (CibOperation.CREATE, "resources", DUMMY.replace('"d"', '"f"'), True),
        (CibOperation.CREATE, "resources", '<primitive id="f" class="ocf" type="t"/>', False),
        (CibOperation.CREATE, "nodes", '<node id="d" uname="n"/>', True),
        (CibOperation.CREATE, "constraints", ORDER.replace('"o"', '"d"'), False),
        (CibOperation.CREATE, "constraints", '<rsc_order id="o2" first="d" then="gone"/>', False),
        (CibOperation.DELETE, "resources", '<primitive id="e"/>', False),
        (CibOperation.DELETE, "constraints", '<rsc_order id="o"/>', True),
        (CibOperation.MODIFY, "crm_config", '<crm_config><cluster_property_set id="s"/></crm_config>', True),
        (CibOperation.MODIFY, "crm_config", "<crm_config><cluster_property_set/></crm_config>", False),
        (CibOperation.MODIFY, "tags", '<tags><tag id="t"><obj_ref id="d"/></tag></tags>', True),
        (CibOperation.MODIFY, "tags", '<tags><nvpair id="n"/></tags>', False),
        (CibOperation.MODIFY, "acls", '<acls><acl_role id="r"/></acls>', True),
        (CibOperation.MODIFY, "acls", '<acls><nvpair id="n"/></acls>', False),
        (CibOperation.MODIFY, "alerts", '<alerts><alert id="a"/></alerts>', False),
        (CibOperation.MODIFY, "fencing-topology", '<fencing-topology><nvpair id="n"/></fencing-topology>', False),
        (CibOperation.MODIFY, "rsc_defaults", '<rsc_defaults><nvpair id="n"/></rsc_defaults>', False),
        (CibOperation.MODIFY, "op_defaults", '<op_defaults><meta_attributes id="n"/></op_defaults>', True),
        (CibOperation.MODIFY, "", '<cib have-quorum="maybe"/>', False),
        (CibOperation.MODIFY, "", '<cib have-quorum="1"/>', True),
        (CibOperation.MODIFY, "", '<cib validate-with="pacemaker-1.0"/>', True),
        (CibOperation.MODIFY, "", '<cib validate-with="none"/>', True),
    ],
)
def test_a_difference_is_judged_as_the_whole_would_be(
    operation: CibOperation, section: str, xml: str, is_good: bool
) -> None:
    after = perform(START, Edit(operation, section, update=parse_update(xml))).document
    try:
        SchemaChecker().check(START, after)
        verdict = True
    except SchemaError:
        verdict = False
    assert verdict == is_good == is_valid(after.root, after.root.get("validate-with", ""))
