"""The same status as XML, HTML and JSON."""

from dataclasses import replace

from hatools.cib.document import format_xml
from hatools.status.fencing import arrange, reduce
from hatools.status.html import HtmlSections, write_page
from hatools.status.json import status_as_json, warnings
from hatools.status.model import FencingEvent, FencingState
from hatools.status.view import Section, Show, View
from hatools.status.xml import XmlSections
from tests.support.status_models import clone, cluster, node, primitive, ref


def test_xml_holds_every_fact_of_a_resource() -> None:
    status = cluster(primitive("ip", ref("node1"), target_role="Started"))
    elements = XmlSections(status, View(Section.RESOURCES, Show.INACTIVE)).report()
    assert [format_xml(element) for element in elements] == [
        "<resources>\n"
        '  <resource id="ip" resource_agent="ocf:heartbeat:Dummy" role="Started" target_role="Started" active="true" '
        'orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" '
        'nodes_running_on="1">\n'
        '    <node name="node1" id="1" cached="true"/>\n'
        "  </resource>\n"
        "</resources>\n"
    ]


def test_xml_of_a_clone_holds_its_instances() -> None:
    status = cluster(clone("c", primitive("x:0", ref("node1")), primitive("x:1"), hosts=("node1",), promotable=True))
    (resources,) = XmlSections(status, View(Section.RESOURCES, Show.INACTIVE)).report()
    (element,) = resources
    assert (element.get("id"), element.get("multi_state"), len(element)) == ("c", "true", 2)


def test_html_marks_what_needs_attention() -> None:
    status = cluster(primitive("ip", ref("node1"), failed=True), nodes=(node("node1", online=False),))
    view = View(Section.NODES | Section.RESOURCES)
    page = write_page(HtmlSections(status, view).report(), title="T", refresh_s=5)
    assert '<span class="offline"> OFFLINE</span>' in page
    assert '<span class="rsc-failed">ip\t(ocf:heartbeat:Dummy):\t FAILED node1</span>' in page
    assert '<meta http-equiv="refresh" content="5">' in page


def test_json_begins_with_what_an_operator_must_know() -> None:
    status = cluster(nodes=(node("node1"), node("node2", unclean=True, fence_reasons=("peer is gone",))))
    status.summary = replace(status.summary, options=replace(status.summary.options, stonith_enabled=False))
    assert warnings(status) == [
        "fencing is disabled: a resource may become active on two nodes at once",
        "node node2 is unclean and waits to be fenced: peer is gone",
    ]
    data = status_as_json(status, View(Section.NODES))
    assert isinstance(data, dict)
    assert data["warnings"] == warnings(status)


def event(state: FencingState, completed: int, delegate: str | None = None) -> FencingEvent:
    return FencingEvent("reboot", "beta", "crmd", "alpha", state, completed, delegate)


def test_a_fencing_history_is_arranged_newest_first_with_pending_on_top() -> None:
    old, new = event(FencingState.FAILED, 10, "alpha"), event(FencingState.SUCCESS, 20, "gamma")
    pending = event(FencingState.PENDING, 0)
    arranged = arrange((old, new, pending))
    assert [each.state for each in arranged] == [FencingState.PENDING, FencingState.SUCCESS, FencingState.FAILED]
    assert arranged[2].later_success == "gamma"


def test_a_reduced_fencing_history_keeps_the_newest_of_each_kind() -> None:
    events = (*tuple(event(FencingState.SUCCESS, when) for when in (30, 20)), event(FencingState.FAILED, 10, "a"))
    assert [each.completed for each in reduce(events)] == [30, 10]
