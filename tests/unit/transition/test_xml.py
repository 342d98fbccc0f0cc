"""Graphs as XML: what is written can be read, and is written the same again."""

from xml.etree.ElementTree import fromstring

from hatools.transition.dot import DotEdge, DotNode, format_dot
from hatools.transition.graph import ActionType
from hatools.transition.xml import format_graph, graph_from_xml

TEXT = """\
<transition_graph cluster-delay="60s" stonith-timeout="60s" failed-stop-offset="INFINITY" \
failed-start-offset="INFINITY"  transition_id="3">
  <synapse id="0" priority="1000000">
    <action_set>
      <pseudo_event id="4" operation="stop" operation_key="g_stop_0">
        <attributes CRM_meta_timeout="20000" />
      </pseudo_event>
    </action_set>
    <inputs/>
  </synapse>
  <synapse id="1">
    <action_set>
      <rsc_op id="7" operation="start" operation_key="a_start_0" on_node="node1" on_node_uuid="1">
        <primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/>
        <attributes CRM_meta_timeout="20000" fake="&lt;&amp;&quot;" />
      </rsc_op>
    </action_set>
    <inputs>
      <trigger>
        <pseudo_event id="4" operation="stop" operation_key="g_stop_0"/>
      </trigger>
    </inputs>
  </synapse>
</transition_graph>
"""


def test_a_graph_is_read_with_its_inputs() -> None:
    graph = graph_from_xml(fromstring(TEXT))
    first, second = graph.synapses
    assert graph.transition_id == 3
    assert (first.priority, first.actions[0].type, first.inputs) == (1_000_000, ActionType.PSEUDO, [])
    action = second.actions[0]
    assert (action.id, action.key, action.node, action.attributes["fake"]) == (7, "a_start_0", "node1", '<&"')
    assert len(second.inputs) == 1


def test_what_was_read_is_written_the_same_twice() -> None:
    once = format_graph(graph_from_xml(fromstring(TEXT)))
    assert format_graph(graph_from_xml(fromstring(once))) == once


def test_unknown_and_broken_parts_are_skipped() -> None:
    graph = graph_from_xml(fromstring('<transition_graph><synapse id="x"><other/></synapse><hint/></transition_graph>'))
    assert [action for synapse in graph.synapses for action in synapse.actions] == []


def test_a_picture_lists_nodes_and_edges() -> None:
    text = format_dot([DotNode("a_start_0 n", "bold", "green", "black")], [DotEdge("a", "b", "dashed")])
    assert text == (
        ' digraph "g" {\n"a_start_0 n" [ style=bold color="green" fontcolor="black"]\n"a" -> "b" [ style = dashed]\n}\n'
    )
