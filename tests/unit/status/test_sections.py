"""Whole displays: what is shown, in which order, and how it is laid out."""

from hatools.status.filters import select_nodes, select_resources
from hatools.status.model import ClusterStatus, TicketStatus
from hatools.status.outline import write_text
from hatools.status.sections import TextSections
from hatools.status.view import Section, Show, View
from hatools.values.role import Role
from tests.support.status_models import clone, cluster, group, node, primitive, ref

NODES = Section.NODES | Section.RESOURCES


def text(status: ClusterStatus, view: View) -> str:
    return write_text(TextSections(status, view).report())


def three_nodes() -> ClusterStatus:
    """Return a cluster with a primitive, a group that is down in part, and a clone on two of three nodes."""
    one, two = ref("node1"), ref("node2")
    promoted = primitive("db:0", one, role=Role.PROMOTED)
    return cluster(
        primitive("ip", one),
        group("web", primitive("www", two), primitive("mail")),
        clone("db-clone", promoted, primitive("db:1", two), primitive("db:2"), hosts=("node1", "node2", "node3")),
        nodes=(node("node1"), node("node2"), node("node3", standby=True)),
    )


def test_active_resources_leave_out_what_is_down() -> None:
    status = three_nodes()
    status.resources[2].promotable = True
    assert text(status, View(NODES)) == (
        "Node List:\n"
        "  * Node node3: standby\n"
        "  * Online: [ node1 node2 ]\n"
        "\n"
        "Active Resources:\n"
        "  * ip\t(ocf:heartbeat:Dummy):\t Started node1\n"
        "  * Resource Group: web (1 member inactive):\n"
        "    * www\t(ocf:heartbeat:Dummy):\t Started node2\n"
        "  * Clone Set: db-clone [db] (promotable):\n"
        "    * Promoted: [ node1 ]\n"
        "    * Unpromoted: [ node2 ]\n"
    )


def test_the_full_list_shows_what_is_down_and_where_clones_could_run() -> None:
    shown = text(three_nodes(), View(Section.RESOURCES, Show.INACTIVE))
    assert "  * Resource Group: web:\n" in shown
    assert "    * mail\t(ocf:heartbeat:Dummy):\t Stopped\n" in shown
    assert "    * Stopped: [ node3 ]\n" in shown


def test_special_instances_of_a_clone_are_told_one_by_one() -> None:
    one = ref("node1")
    members = primitive("x:0", one, failed=True), primitive("x:1", ref("node2"))
    shown = text(cluster(clone("c", *members, hosts=("node1", "node2"))), View(Section.RESOURCES))
    assert shown == (
        "Active Resources:\n"
        "  * Clone Set: c [x]:\n"
        "    * x\t(ocf:heartbeat:Dummy):\t FAILED node1\n"
        "    * Started: [ node2 ]\n"
    )


def test_brief_output_counts_primitives_by_agent_and_node() -> None:
    shown = text(three_nodes(), View(Section.RESOURCES, Show.BRIEF | Show.INACTIVE))
    assert shown == (
        "Full List of Resources:\n"
        "  * 1/1\t(ocf:heartbeat:Dummy):\tActive node1\n"
        "  * Resource Group: web:\n"
        "    * 1/2\t(ocf:heartbeat:Dummy):\tActive node2\n"
        "  * Clone Set: db-clone [db]:\n"
        "    * Promoted: [ node1 ]\n"
        "    * Started: [ node2 ]\n"
        "    * Stopped: [ node3 ]\n"
    )


def test_resources_can_be_grouped_by_node() -> None:
    alone = primitive("ip", ref("node1"))
    status = cluster(alone, nodes=(node("node1", running=[alone]),))
    assert text(status, View(NODES, Show.BY_NODE)) == (
        "Node List:\n  * Node node1: online:\n    * Resources:\n      * ip\t(ocf:heartbeat:Dummy):\t Started\n"
    )


def test_nothing_to_show_is_said() -> None:
    assert text(cluster(), View(Section.RESOURCES)) == "Active Resources:\n  * No active resources\n"
    assert text(cluster(), View(Section.RESOURCES, Show.INACTIVE)) == "Full List of Resources:\n  * No resources\n"


def test_a_resource_filter_shows_what_belongs_to_it() -> None:
    status = three_nodes()
    view = View(Section.RESOURCES, Show.INACTIVE, resources=select_resources(status, "www"))
    assert text(status, view) == (
        "Full List of Resources:\n  * Resource Group: web:\n    * www\t(ocf:heartbeat:Dummy):\t Started node2\n"
    )


def test_a_tag_selects_nodes_and_resources() -> None:
    status = three_nodes()
    status.tags = {"ends": ("node1", "node3"), "most": ("ip", "web")}
    assert select_nodes(status, "ends") == frozenset({"node1", "node3"})
    assert select_resources(status, "most") == frozenset({"ip", "web"})
    assert select_nodes(status, "nowhere") == frozenset()
    assert select_nodes(status, None) is None


def test_a_node_filter_hides_resources_that_run_elsewhere() -> None:
    status = three_nodes()
    shown = text(status, View(NODES, nodes=select_nodes(status, "NODE2")))
    assert "Online: [ node2 ]" in shown
    assert "ip\t" not in shown
    assert "www\t" in shown


def test_the_summary_names_dc_and_counts() -> None:
    status = cluster(nodes=(node("node1"),))
    shown = text(status, View(Section.STACK | Section.DC | Section.COUNTS))
    assert shown == (
        "Cluster Summary:\n"
        "  * Stack: corosync\n"
        "  * Current DC: node1 (version 2.1.5) - partition with quorum\n"
        "  * 1 node configured\n"
        "  * 0 resource instances configured\n"
    )


def test_tickets_tell_their_state() -> None:
    status = cluster(tickets=(TicketStatus("t", False, True, -1),))
    assert text(status, View(Section.TICKETS)) == "Tickets:\n  * t: revoked [standby]\n"


def test_plain_text_is_the_items_alone() -> None:
    status = cluster(primitive("ip", ref("node1")), nodes=(node("node1"),))
    plain = write_text(TextSections(status, View(NODES)).report(), fancy=False)
    assert plain == "[ node1 ]\n\nip\t(ocf:heartbeat:Dummy):\t Started node1\n"
