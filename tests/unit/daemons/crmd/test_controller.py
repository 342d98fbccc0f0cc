"""Controllers together: who leads, who is in, what is done when something changes."""

from hatools.cib.document import Document
from hatools.daemons.crmd.coordinator import REST_SHARE
from hatools.daemons.crmd.events import FencingEnded, FencingSeen, PeerSaid, ShutdownAsked
from hatools.daemons.crmd.status import node_states
from hatools.ipc.messages.attrd import UpdateAttribute
from hatools.transition.graph import Graph
from tests.unit.daemons.crmd.graphs import cluster_event, graph, operation
from tests.unit.daemons.crmd.instant import InstantCluster

NO_FENCING = "stonith-enabled=false"


def standing(cluster: InstantCluster, node: int) -> dict[str, str]:
    state = node_states(cluster.document)[str(node)]
    return {name: state.get(name, "") for name in ("in_ccm", "crmd", "join", "expected")}


MEMBER = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
LOST = {"in_ccm": "false", "crmd": "offline", "join": "down", "expected": "member"}
GONE = {"in_ccm": "false", "crmd": "offline", "join": "down", "expected": "down"}


def once(*graphs: Graph):
    """Return a scheduler that hands out some graphs and then empty ones."""
    left = list(graphs)
    return lambda document: left.pop(0) if left else Graph()


def test_three_controllers_elect_one_dc_and_settle():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    assert sorted(cluster.states().values()) == ["S_IDLE", "S_NOT_DC", "S_NOT_DC"]
    assert [standing(cluster, node) for node in (1, 2, 3)] == [MEMBER] * 3
    assert cluster.document.root.get("dc-uuid") == "1"
    assert cluster.document.root.get("have-quorum") == "1"


def test_a_start_is_performed_and_recorded():
    cluster = InstantCluster(once(graph(operation(1, "d1", "start", 2))))
    cluster.start(1, 2, 3)
    assert cluster.started() == [("node2", "d1", "start")]
    entry = node_states(cluster.document)["2"].find("lrm/lrm_resources/lrm_resource/lrm_rsc_op")
    assert entry is not None
    assert (entry.get("id"), entry.get("rc-code"), entry.get("op-status")) == ("d1_last_0", "0", "0")
    assert cluster.dc().describe().settled


def test_the_dc_performs_actions_of_its_own_node():
    cluster = InstantCluster(once(graph(operation(1, "d1", "start", 1))))
    cluster.start(1, 2, 3)
    assert cluster.started() == [("node1", "d1", "start")]
    assert cluster.dc().describe().settled


def test_a_newcomer_joins_without_a_new_dc():
    cluster = InstantCluster()
    cluster.start(2, 3)
    assert cluster.dc().cluster.me.name == "node2"
    cluster.boot(1)
    cluster.view()
    assert cluster.dc().cluster.me.name == "node2"
    assert standing(cluster, 1) == MEMBER
    assert cluster.states()["node1"] == "S_NOT_DC"


def test_a_lost_member_is_written_down_and_leads_to_a_calculation():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    before = len(cluster.calculations)
    cluster.crash(3)
    assert standing(cluster, 3) == LOST
    assert len(cluster.calculations) == before + 1
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC"}


def test_the_survivors_of_a_dc_have_a_new_one():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.crash(1)
    assert cluster.dc().cluster.me.name == "node2"
    assert standing(cluster, 1) == LOST
    assert cluster.states() == {"node2": "S_IDLE", "node3": "S_NOT_DC"}
    assert cluster.document.root.get("dc-uuid") == "2"


def test_a_confirmed_fencing_erases_what_the_node_held():
    fence = graph(cluster_event(1, "stonith", 3, stonith_action="reboot"), operation(2, "d1", "start", 2, after=(1,)))

    def scheduler(document: Document) -> Graph:
        state = node_states(document).get("3")
        lost = state is not None and state.get("in_ccm") == "false" and state.get("expected") == "member"
        return fence if lost else Graph()

    cluster = InstantCluster(scheduler)
    cluster.start(1, 2, 3)
    cluster.crash(3)
    assert cluster.fencings == ["node3"]
    assert standing(cluster, 3) == GONE
    assert node_states(cluster.document)["3"].find("lrm") is None
    assert cluster.started() == [("node2", "d1", "start")]


def test_a_failed_fencing_is_tried_again_later_and_nothing_starts():
    def scheduler(document: Document) -> Graph:
        state = node_states(document).get("3")
        if state is None or state.get("expected") != "member" or state.get("in_ccm") == "true":
            return Graph()
        return graph(
            cluster_event(1, "stonith", 3, stonith_action="reboot"), operation(2, "d1", "start", 2, after=(1,))
        )

    cluster = InstantCluster(scheduler)
    cluster.can_fence = False
    cluster.start(1, 2, 3)
    cluster.crash(3)
    assert cluster.fencings == ["node3"]
    cluster.wait(2.0)
    assert len(cluster.fencings) == 3
    assert cluster.started() == []
    cluster.can_fence = True
    cluster.wait(5.0)
    assert cluster.started() == [("node2", "d1", "start")]


def test_a_node_to_be_fenced_is_not_let_in():
    cluster = InstantCluster()
    cluster.can_fence = False
    cluster.start(1, 2, 3)
    cluster.crash(3)
    cluster.boot(3)
    cluster.view()
    assert standing(cluster, 3) == LOST
    assert cluster.states()["node3"] == "S_PENDING"


def test_a_lost_node_joins_again_where_nobody_fences_and_its_history_is_void():
    cluster = InstantCluster(once(graph(operation(1, "d1", "start", 3))), options=NO_FENCING)
    cluster.start(1, 2, 3)
    cluster.crash(3)
    cluster.wait(60)
    cluster.boot(3)
    cluster.view()
    assert standing(cluster, 3) == MEMBER
    assert node_states(cluster.document)["3"].find("lrm") is None


def test_a_restarted_controller_joins_again_within_its_grace():
    cluster = InstantCluster(once(graph(operation(1, "d1", "start", 3))))
    cluster.start(1, 2, 3)
    cluster.restart_controller(3)
    assert standing(cluster, 3) == MEMBER
    assert node_states(cluster.document)["3"].find("lrm") is None
    assert cluster.states() == {"node1": "S_IDLE", "node2": "S_NOT_DC", "node3": "S_NOT_DC"}


def test_a_failed_monitor_counts_and_is_calculated_after_the_count_is_known():
    cluster = InstantCluster(once(graph(operation(1, "d1", "monitor", 2, interval_ms=10000))))
    cluster.results["d1_monitor_10000"] = 7
    cluster.start(1, 2, 3)
    asked = cluster.nodes[1].asked
    names = [request.name for request in asked if isinstance(request, UpdateAttribute)]
    assert names == ["#feature-set", "last-failure-d1#monitor_10000", "fail-count-d1#monitor_10000"]
    assert cluster.states()["node1"] == "S_POLICY_ENGINE"
    count = len(cluster.calculations)
    cluster.configure(
        '<node_state id="2" uname="node2"><transient_attributes id="2"><instance_attributes id="status-2">'
        '<nvpair id="x" name="fail-count-d1#monitor_10000" value="1"/>'
        "</instance_attributes></transient_attributes></node_state>",
        "status",
    )
    assert len(cluster.calculations) == count + 1
    assert cluster.states()["node1"] == "S_IDLE"


def test_a_change_of_the_configuration_is_calculated_at_once():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    before = len(cluster.calculations)
    cluster.configure('<resources><primitive id="a" class="ocf" provider="x" type="y"/></resources>', "resources")
    assert len(cluster.calculations) == before + 1


def set_attribute(cluster: InstantCluster, value: int) -> None:
    cluster.configure(
        '<node_state id="2" uname="node2"><transient_attributes id="2"><instance_attributes id="status-2">'
        f'<nvpair id="y" name="counter" value="{value}"/>'
        "</instance_attributes></transient_attributes></node_state>",
        "status",
    )


def test_attributes_that_change_in_a_row_without_consequence_are_calculated_together():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.wait(10)
    cluster.calculating_s = 0.02
    before = len(cluster.calculations)
    set_attribute(cluster, 1)
    assert len(cluster.calculations) == before + 1  # the first at once
    for value in (2, 3, 4):
        set_attribute(cluster, value)
    assert len(cluster.calculations) == before + 1
    cluster.wait(REST_SHARE * cluster.calculating_s)
    assert len(cluster.calculations) == before + 2
    assert cluster.dc().describe().settled


def test_what_matters_does_not_wait_for_attributes_to_come_to_rest():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.wait(10)
    cluster.calculating_s = 0.02
    set_attribute(cluster, 1)
    set_attribute(cluster, 2)
    before = len(cluster.calculations)
    cluster.configure('<resources><primitive id="a" class="ocf" provider="x" type="y"/></resources>', "resources")
    assert len(cluster.calculations) == before + 1
    set_attribute(cluster, 3)
    set_attribute(cluster, 4)
    before = len(cluster.calculations)
    cluster.crash(3)
    assert len(cluster.calculations) == before + 1


def test_a_member_that_shuts_down_asks_for_it_and_leaves_when_told():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.feed(3, ShutdownAsked())
    request = cluster.nodes[3].asked[-1]
    assert isinstance(request, UpdateAttribute)
    assert (request.name, request.node) == ("shutdown", "node3")
    cluster.scheduler = once(graph(cluster_event(1, "do_shutdown", 3)))
    cluster.configure("<constraints/>", "constraints")
    cluster.configure('<resources><primitive id="a" class="ocf" provider="x" type="y"/></resources>', "resources")
    assert cluster.nodes[3].ended == 0
    cluster.crash(3)
    assert standing(cluster, 3) == GONE


def test_the_dc_can_let_itself_go():
    cluster = InstantCluster()
    cluster.start(1, 2)
    cluster.feed(1, ShutdownAsked())
    cluster.scheduler = once(graph(cluster_event(1, "do_shutdown", 1)))
    cluster.configure('<resources><primitive id="a" class="ocf" provider="x" type="y"/></resources>', "resources")
    assert cluster.nodes[1].ended == 0
    cluster.crash(1)
    assert standing(cluster, 1) == GONE
    assert cluster.states() == {"node2": "S_IDLE"}


def test_a_node_that_hears_of_its_own_fencing_stays_down():
    cluster = InstantCluster(once(graph(operation(1, "d1", "start", 2))))
    cluster.start(1, 2)
    cluster.feed(2, FencingSeen("node2", "reboot", f"1.{cluster.ring}"))
    assert cluster.nodes[2].ended == 100


def test_a_node_that_has_run_nothing_yet_hears_of_the_fencing_of_its_earlier_life():
    cluster = InstantCluster()
    cluster.start(1, 2)
    cluster.feed(2, FencingSeen("node2", "reboot"))
    assert cluster.nodes[2].ended is None


def test_a_node_whose_first_ring_was_beside_the_one_that_fenced_it_was_not_meant():
    cluster = InstantCluster(once(graph(operation(1, "d1", "start", 2))))
    cluster.start(1, 2)
    cluster.feed(2, FencingSeen("node2", "reboot", f"3.{cluster.ring}"))
    assert cluster.nodes[2].ended is None


def test_survivors_wait_for_a_cut_off_node_only_if_it_held_something_and_nobody_fences():
    plan = once(graph(operation(1, "d1", "start", 3)))
    cluster = InstantCluster(plan, options=NO_FENCING)
    cluster.start(1, 2, 3)
    before = len(cluster.calculations)
    cluster.crash(3)
    assert len(cluster.calculations) == before
    cluster.wait(2.5)
    assert len(cluster.calculations) == before + 1


def test_a_member_ignores_whoever_is_not_its_dc():
    from hatools.ipc.messages.crmd import PerformAction

    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    cluster.feed(3, PeerSaid(2, PerformAction("1:1:0:x", "start", "d1_start_0", "d1", "ocf", "x", "y"), False))
    assert cluster.started() == []


def test_a_cluster_that_starts_waits_for_configured_nodes_but_not_for_ever():
    nodes = "".join(f'<node id="{n}" uname="node{n}"/>' for n in (1, 2, 3))
    cluster = InstantCluster()
    cluster.configure(f"<nodes>{nodes}</nodes>", "nodes")
    cluster.start(1, 2)
    assert cluster.calculations == []
    cluster.wait(21)
    assert len(cluster.calculations) == 1


def test_a_fencing_that_is_told_after_its_target_is_back_does_not_keep_the_target_out():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    begun_in = f"1.{cluster.ring}"
    cluster.crash(3)
    cluster.start(3)
    for node in (1, 2, 3):
        cluster.feed(node, FencingSeen("node3", "reboot", begun_in))
    assert cluster.nodes[3].ended is None
    assert standing(cluster, 3) == MEMBER
    assert cluster.states()["node3"] == "S_NOT_DC"


def test_a_node_that_is_back_before_its_own_fencing_is_confirmed_joins_when_it_is():
    plan = once(Graph(), graph(cluster_event(1, "stonith", 3)))
    cluster = InstantCluster(plan)
    cluster.start(1, 2, 3)
    cluster.fencing_lasts = True
    cluster.crash(3)
    (request,) = cluster.fence_requests
    cluster.start(3)
    assert cluster.states()["node3"] == "S_PENDING"

    cluster.feed(1, FencingEnded(request.key, "node3", True))

    assert standing(cluster, 3) == MEMBER
    assert cluster.states()["node3"] == "S_NOT_DC"


def test_a_priority_delay_reaches_the_fencer_in_milliseconds():
    plan = once(graph(cluster_event(1, "stonith", 3, stonith_action="off", priority_fencing_delay="15")))
    cluster = InstantCluster(plan)
    cluster.start(1, 2, 3)
    assert [(request.target, request.action, request.delay_ms) for request in cluster.fence_requests] == [
        ("node3", "off", 15_000)
    ]


def test_stopping_uses_the_parameters_that_the_start_used():
    start, stop = operation(1, "d1", "start", 2), operation(1, "d1", "stop", 2)
    start.actions[0].attributes["ip"] = "10.0.0.1"
    stop.actions[0].attributes["ip"] = "10.0.0.2"
    cluster = InstantCluster(once(graph(start), graph(stop)))
    cluster.start(1, 2, 3)
    cluster.configure('<resources><primitive id="a" class="ocf" provider="x" type="y"/></resources>', "resources")
    assert [run.parameters.get("ip") for run in cluster.nodes[2].ran] == ["10.0.0.1", "10.0.0.1"]


def test_recurring_operations_end_before_a_stop():
    graphs = (
        graph(operation(1, "d1", "start", 2), operation(2, "d1", "monitor", 2, interval_ms=5000, after=(1,))),
        graph(operation(1, "d1", "stop", 2)),
    )
    cluster = InstantCluster(once(*graphs))
    cluster.start(1, 2, 3)
    cluster.configure('<resources><primitive id="a" class="ocf" provider="x" type="y"/></resources>', "resources")
    assert cluster.cancelled == [("d1", "monitor", 5000)]


def test_a_node_of_another_messaging_style_is_refused():
    cluster = InstantCluster()
    cluster.start(1, 2)
    cluster.boot(3, style="heartbeat")
    cluster.view()
    assert cluster.nodes[3].ended == 100
    assert "3" not in node_states(cluster.document)


def test_a_quarter_of_an_hour_after_the_last_event_the_dc_looks_again():
    cluster = InstantCluster()
    cluster.start(1, 2, 3)
    before = len(cluster.calculations)
    cluster.wait(901)
    assert len(cluster.calculations) == before + 1


def test_a_result_that_never_came_is_written_down_and_later_ones_count_more():
    begin = graph(operation(1, "d1", "start", 2), operation(2, "d1", "monitor", 2, interval_ms=5000, after=(1,)))
    recover = graph(operation(1, "d1", "stop", 2), operation(2, "d1", "start", 2, after=(1,)))
    # The first calculation after the failure is void, since the failure is written down besides.
    cluster = InstantCluster(once(begin, Graph(), recover))
    cluster.mute.add("d1_monitor_5000")
    cluster.start(1, 2, 3)

    cluster.wait(20 + 60 + 10)

    entries = node_states(cluster.document)["2"].iterfind("lrm/lrm_resources/lrm_resource/lrm_rsc_op")
    found = {entry.get("id"): entry for entry in entries}
    lost = found["d1_last_failure_0"]
    assert (lost.get("operation_key"), lost.get("op-status")) == ("d1_monitor_5000", "2")
    assert lost.get("exit-reason") == "the node did not report a result in time"
    # Newer than all before it, older than the recovery, for any DC.
    assert 0 < int(lost.get("call-id", "")) < int(found["d1_last_0"].get("call-id", ""))
