"""The status after a change, put together from the last one: it must be what working it all out would give."""

from random import Random
from xml.etree.ElementTree import Element

import pytest

from hatools.cib.document import Document, children, copy_element, parse_xml
from hatools.status.following import StatusFollower
from hatools.status.json import status_as_json
from hatools.status.model import ClusterStatus
from hatools.status.outline import write_text
from hatools.status.sections import TextSections
from hatools.status.view import Section, Show, View
from hatools.values.iso8601 import Moment

NOW = 1_700_000_000
NODES = ("n1", "n2", "n3")
NAMES = ("fence", "alone", "first", "second", "copy", "stateful", "ping")
SECTIONS = Section.ALL & ~(Section.BANS | Section.TICKETS)
UUID = "12345678-1234-1234-1234-123456789012"

CONFIGURATION = """<configuration><crm_config><cluster_property_set id="o">
<nvpair id="o1" name="stonith-enabled" value="true"/></cluster_property_set></crm_config><nodes>
<node id="1" uname="n1"/><node id="2" uname="n2"/><node id="3" uname="n3"/></nodes><resources>
<primitive id="fence" class="stonith" type="fence_dummy"/>
<primitive id="alone" class="ocf" provider="pacemaker" type="Dummy"><operations>
<op id="a1" name="stop" interval="0" on-fail="fence"/></operations></primitive>
<group id="team"><primitive id="first" class="ocf" provider="pacemaker" type="Dummy"/>
<primitive id="second" class="ocf" provider="pacemaker" type="Dummy"/></group>
<clone id="everywhere"><primitive id="copy" class="ocf" provider="pacemaker" type="Dummy"/></clone>
<clone id="roles"><meta_attributes id="rm"><nvpair id="rm1" name="promotable" value="true"/></meta_attributes>
<primitive id="stateful" class="ocf" provider="pacemaker" type="Stateful"/></clone>
<clone id="pings"><primitive id="ping" class="ocf" provider="pacemaker" type="ping"/></clone>
</resources><constraints/></configuration>"""


def cluster() -> Document:
    states = "".join(
        f'<node_state id="{number}" uname="{name}" in_ccm="true" crmd="online" join="member" expected="member">'
        f'<lrm id="{number}"><lrm_resources/></lrm><transient_attributes id="{number}">'
        f'<instance_attributes id="t{number}"/></transient_attributes></node_state>'
        for number, name in enumerate(NODES, 1)
    )
    return Document(
        parse_xml(
            '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" '
            f'dc-uuid="1" have-quorum="1">{CONFIGURATION}<status>{states}</status></cib>'
        )
    )


def put(element: Element, path: tuple[str, ...], identifier: str, new: Element | None) -> Element:
    """Return a copy of an element in which one thing far below is added, replaced or removed; the rest is shared."""
    copy = copy_element(element)
    if path:
        tag, _, wanted = path[0].partition("#")
        for place, each in enumerate(copy):
            if each.tag == tag and (not wanted or each.get("id") == wanted):
                copy[place] = put(each, path[1:], identifier, new)
        return copy
    place = next((place for place, each in enumerate(copy) if each.get("id") == identifier), len(copy))
    copy[place : place + 1] = [] if new is None else [new]
    return copy


def with_history(document: Document, node: int, name: str, *operations: tuple[str, int, int]) -> Document:
    """Return a document in which a resource has this history on a node: task, interval and result of each operation."""
    entry = Element("lrm_resource", {"id": name, "class": "ocf", "provider": "pacemaker", "type": "Dummy"})
    for call, (task, interval, rc) in enumerate(operations, 1):
        key = f"{call}:1:0:{UUID}"
        status = -1 if rc == 193 else 4 if rc == 1 else 0
        attributes = {
            "id": f"{name}_{task}_{interval}", "operation": task, "operation_key": f"{name}_{task}_{interval}",
            "transition-key": key, "transition-magic": f"{status}:{rc};{key}", "crm_feature_set": "3.16.1",
            "call-id": str(call), "rc-code": str(rc), "op-status": str(status), "interval": str(interval),
            "last-rc-change": str(NOW - 100 + call), "exec-time": "5", "queue-time": "0",
        }  # fmt: skip
        entry.append(Element("lrm_rsc_op", attributes))
    path = ("status", f"node_state#{node}", "lrm", "lrm_resources")
    return Document(put(document.root, path, name, entry if operations else None))


def with_attribute(document: Document, node: int, name: str, value: str | None) -> Document:
    """Return a document in which a node has this attribute until it reboots."""
    identifier = f"t{node}-{name.replace('#', '.')}"
    pair = None if value is None else Element("nvpair", {"id": identifier, "name": name, "value": value})
    path = ("status", f"node_state#{node}", "transient_attributes", "instance_attributes")
    return Document(put(document.root, path, identifier, pair))


def status(follower: StatusFollower, document: Document, sections: Section = SECTIONS) -> ClusterStatus:
    return follower.status(document, Moment.from_epoch(NOW), NOW, sections)


def shown(result: ClusterStatus, sections: Section = SECTIONS) -> tuple[object, str, str]:
    """Return all that displays make of a status."""
    by_node = View(sections, Show.BY_NODE | Show.PENDING | Show.DETAILS)
    return (
        status_as_json(result, View(sections, Show.INACTIVE)),
        write_text(TextSections(result, View(sections, Show.INACTIVE | Show.TIMING)).report()),
        write_text(TextSections(result, by_node).report()),
    )


def running() -> Document:
    document = cluster()
    for node in (1, 2, 3):
        for name in NAMES:
            document = with_history(document, node, name, ("monitor", 0, 7))
        for name in ("copy", "stateful", "ping"):
            document = with_history(document, node, name, ("start", 0, 0), ("monitor", 10000, 0))
    for node, name in ((1, "fence"), (1, "alone"), (2, "first"), (2, "second")):
        document = with_history(document, node, name, ("start", 0, 0))
    return document


def random_change(rng: Random, document: Document) -> Document:
    node, name = rng.randint(1, 3), rng.choice(NAMES)
    histories = (
        [("monitor", 0, 7)],
        [("start", 0, 0), ("monitor", 10000, 0)],
        [("start", 0, 0), ("monitor", 10000, 1)],
        [("start", 0, 0), ("stop", 0, 0)],
        [("start", 0, 0), ("stop", 0, 1)],
        [("start", 0, 1)],
        [("start", 0, 193)],
        [("start", 0, 0), ("promote", 0, 0)],
        [],
    )
    match rng.randrange(9):
        case 8:
            states = document.status
            assert states is not None
            moved = copy_element(states)
            moved[:] = rng.sample(list(states), len(states))
            root = copy_element(document.root)
            root[-1] = moved
            return Document(root)
        case 0:
            counter = f"fail-count-{name}#monitor_10000"
            return with_attribute(document, node, counter, rng.choice([None, "1", "INFINITY"]))
        case 1:
            attribute = rng.choice(["pingd", "master-stateful", "#health-disk", "standby", "maintenance"])
            return with_attribute(document, node, attribute, rng.choice([None, "0", "100", "red", "true"]))
        case 2:
            state = next(each for each in children(document.status) if each.get("id") == str(node))
            changed = copy_element(state)
            changed.set("crmd", rng.choice(["online", "offline"]))
            return Document(put(document.root, ("status",), str(node), changed))
        case _:
            return with_history(document, node, name, *rng.choice(histories))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_changes_the_status_is_as_if_it_were_worked_out_anew(seed: int):
    rng = Random(seed)
    document = running()
    follower = StatusFollower()
    sections = rng.choice([SECTIONS, Section.DEFAULT, Section.ALL])
    for _ in range(25):
        document = random_change(rng, document)
        assert shown(status(follower, document, sections), sections) == shown(
            status(StatusFollower(), document, sections), sections
        )


def test_a_changed_history_touches_only_its_resource():
    follower = StatusFollower()
    document = running()
    before = status(follower, document)

    after = status(follower, with_history(document, 3, "alone", ("start", 0, 0)))

    same = {a.id for a, b in zip(before.resources, after.resources, strict=True) if a is b}
    assert {each.id for each in after.resources} - same == {"fence", "alone", "pings"}
    assert [ref.name for ref in after.resources[1].nodes] == ["n1", "n3"]


def test_a_failure_anywhere_counts_for_the_node_in_every_later_status():
    follower = StatusFollower()
    document = with_history(running(), 1, "alone", ("start", 0, 0), ("stop", 0, 1))
    assert status(follower, document).nodes[0].unclean

    later = status(follower, with_history(document, 2, "first", ("start", 0, 0), ("monitor", 10000, 0)))

    assert later.nodes[0].unclean


def test_the_same_document_again_and_another_section_are_answered():
    follower = StatusFollower()
    document = running()
    first = shown(status(follower, document))

    assert shown(status(follower, document)) == first
    assert status(follower, document, Section.ALL).bans == ()
