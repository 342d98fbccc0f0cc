"""Attribute values: counting, patterns, dampening, and what is written."""

import pytest

from hatools.cib.document import parse_xml
from hatools.daemons.attrd.attributes import Attributes, Change, expand, failure_pattern
from hatools.daemons.attrd.writer import Writer, loses_values
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.ipc.messages.cib import CibChanged, CibOperation


def update(name: str, value: str | None, node: str = "n1", **more: object) -> UpdateAttribute:
    return UpdateAttribute(name, value, node, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "present", "result"),
    [
        ("5", "3", "5"),
        ("value++", "3", "4"),
        ("++", None, "1"),
        ("value+=10", "5", "15"),
        ("+=-2", "5", "3"),
        ("value++", "INFINITY", "INFINITY"),
        ("value+=5", "999999", "INFINITY"),
        ("a++", "3", "a++"),
    ],
)
def test_expansion(value: str, present: str | None, result: str):
    assert expand(value, present) == result


def test_only_a_different_value_is_a_change():
    attributes = Attributes()
    assert attributes.apply(update("a", "1")) == [Change("a", "n1", "1")]
    assert attributes.apply(update("a", "1")) == []
    assert attributes.apply(update("a", None)) == [Change("a", "n1", None)]


def test_a_pattern_reaches_every_known_attribute_that_matches():
    attributes = Attributes()
    for name in ("fail-count-a#monitor_10000", "last-failure-a#monitor_10000", "fail-count-ab#start_0", "other"):
        attributes.apply(update(name, "1"))
    changes = attributes.apply(update(failure_pattern("a", "", 0), None, pattern=True))
    assert [change.name for change in changes] == ["fail-count-a#monitor_10000", "last-failure-a#monitor_10000"]


def test_a_delay_is_kept_by_plain_updates_and_replaced_by_the_others():
    attributes = Attributes()
    attributes.apply(update("a", "1", dampen_ms=5000))
    attributes.apply(update("a", "2", dampen_ms=1000))
    found = attributes.get("a")
    assert found is not None
    assert found.dampen_ms == 5000
    attributes.apply(update("a", "3", dampen_ms=1000, both=True))
    assert found.dampen_ms == 1000
    attributes.apply(update("a", None, dampen_ms=2000, update=False))
    assert (found.dampen_ms, found.values) == (2000, {"n1": "3"})


def writer(attributes: Attributes) -> Writer:
    return Writer(attributes, lambda name: name.removeprefix("n"))


def test_changes_meanwhile_go_into_the_next_write():
    attributes = Attributes()
    work = writer(attributes)
    for change in attributes.apply(update("a", "1")):
        work.changed(0.0, change.name, change.node)
    first = work.next_write(0.0)
    assert first is not None
    assert len(first.changes) == 1
    for value in ("2", "3"):
        for change in attributes.apply(update("a", value)):
            work.changed(0.0, change.name, change.node)
    assert work.next_write(0.0) is None
    work.written(succeeded=True)
    second = work.next_write(0.0)
    assert second is not None
    assert b'value="3"' in second.changes[0].xml
    work.written(succeeded=True)
    assert work.next_write(0.0) is None


def test_dampening_waits_until_it_has_been_quiet():
    attributes = Attributes()
    work = writer(attributes)
    for now, value in ((0.0, "1"), (3.0, "2")):
        for change in attributes.apply(update("a", value, dampen_ms=5000)):
            work.changed(now, change.name, change.node)
    assert work.next_write(4.0) is None
    assert work.deadline == 8.0
    assert work.next_write(8.0) is not None


def test_private_attributes_are_never_written():
    attributes = Attributes()
    work = writer(attributes)
    for change in attributes.apply(update("a", "1", private=True)):
        work.changed(0.0, change.name, change.node)
    work.everything()
    assert work.next_write(0.0) is None


def test_what_failed_is_written_again():
    attributes = Attributes()
    work = writer(attributes)
    for change in attributes.apply(update("a", "1")):
        work.changed(0.0, change.name, change.node)
    first = work.next_write(0.0)
    work.written(succeeded=False)
    assert work.next_write(0.0) == first


def test_an_id_in_the_cib_has_no_letters_that_ids_may_not_have():
    attributes = Attributes()
    work = writer(attributes)
    for change in attributes.apply(update("fail-count-d1#monitor_10000", "1")):
        work.changed(0.0, change.name, change.node)
    write = work.next_write(0.0)
    assert write is not None
    assert b'id="status-1-fail-count-d1.monitor_10000"' in write.changes[0].xml


def status(*pairs: tuple[str, str, str]) -> bytes:
    """Return a status section with (name, node, value)."""
    states = "".join(
        f"<node_state id='{node[1:]}' uname='{node}'><transient_attributes id='{node[1:]}'><instance_attributes "
        f"id='status-{node[1:]}'><nvpair id='status-{node[1:]}-{name}' name='{name}' value='{value}'/>"
        f"</instance_attributes></transient_attributes></node_state>"
        for name, node, value in pairs
    )
    return f"<status>{states}</status>".encode()


def test_what_the_cib_lost_or_kept_too_long_is_found_by_comparing():
    attributes = Attributes()
    for node in ("n1", "n2", "n3"):
        attributes.apply(update("a", "1", node=node))
    attributes.apply(update("a", None, node="n3"))
    attributes.apply(update("secret", "1", private=True))
    work = writer(attributes)
    found = parse_xml(status(("a", "n1", "1"), ("a", "n3", "1"), ("a", "n4", "1"), ("b", "n5", "1")))
    work.compare(found, present={"n1", "n2", "n3"}, departed={"n4"})
    write = work.next_write(0.0)
    assert write is not None
    erased = [change.xpath for change in write.changes if change.operation is CibOperation.DELETE_ALL]
    assert [path for path in erased if "@uname='n4'" in path]
    assert [path for path in erased if "@id='3'" in path]
    assert len(erased) == 2
    (written,) = [change.xml for change in write.changes if change.operation is CibOperation.MODIFY]
    assert b'uname="n2"' in written
    assert b"secret" not in written


def test_nothing_is_written_when_the_cib_says_what_it_should():
    attributes = Attributes()
    attributes.apply(update("a", "1"))
    work = writer(attributes)
    work.compare(parse_xml(status(("a", "n1", "1"))), present={"n1"}, departed=())
    assert work.next_write(0.0) is None


@pytest.mark.parametrize(
    ("change", "loses"),
    [
        ("<change operation='create' path='/cib/status'/>", False),
        ("<change operation='delete' path=\"/cib/status/node_state[@id='1']/lrm[@id='1']\"/>", False),
        ("<change operation='delete' path=\"/cib/configuration/resources/primitive[@id='x']\"/>", False),
        ("<change operation='delete' path=\"/cib/status/node_state[@id='1']\"/>", True),
        ("<change operation='delete' path=\"/cib/status/node_state[@id='1']/transient_attributes[@id='1']\"/>", True),
    ],
)
def test_only_a_change_that_may_take_attributes_away_is_a_reason_to_compare(change: str, loses: bool):
    patch = f"<diff format='2'>{change}</diff>".replace("'delete'", '"delete"').encode()
    assert loses_values(CibChanged((0, 1, 1), (0, 1, 2), patch, "", "", "")) is loses
    assert loses_values(CibChanged((0, 1, 1), (0, 1, 2), b"", "", "", "", replaced=True))
