"""Transition graphs as XML: what crmd and pengine exchange and ``crm_simulate -G`` writes. Pure."""

from xml.etree.ElementTree import Element

from hatools.transition.graph import ActionType, Graph, GraphAction, Synapse
from hatools.values.integer import whole_number
from hatools.values.xmltext import escape_attribute

_IDENTIFYING = (
    ("id", "id"),
    ("operation", "operation"),
    ("operation_key", "key"),
    ("internal_operation_key", "internal_key"),
    ("on_node", "node"),
    ("on_node_uuid", "node_id"),
    ("router_node", "router_node"),
)
_FIRST_EXTRA = ("mode",)


# -- writing


def _attributes(pairs: "list[tuple[str, str]]") -> str:
    return "".join(f' {name}="{escape_attribute(value)}"' for name, value in pairs)


def _identity(action: GraphAction) -> str:
    pairs = [(name, action.extra[name]) for name in _FIRST_EXTRA if name in action.extra]
    for name, field in _IDENTIFYING:
        value = getattr(action, field)
        if value is not None:
            pairs.append((name, str(value)))
    return _attributes(pairs)


def _write_action(action: GraphAction, indent: str, lines: list[str]) -> None:
    more = [(name, value) for name, value in action.extra.items() if name not in _FIRST_EXTRA]
    lines.append(f"{indent}<{action.type.value}{_identity(action)}{_attributes(more)}>")
    inner = indent + "  "
    if action.primitive is not None:
        lines.append(f"{inner}<primitive{_attributes(list(action.primitive.items()))}/>")
    attributes = _attributes(list(action.attributes.items()))
    if action.parameters:
        lines.append(f"{inner}<attributes{attributes}>")
        for name, value in action.parameters:
            lines.append(f"{inner}  <param{_attributes([('name', name), ('value', value)])}/>")
        lines.append(f"{inner}</attributes>")
    else:
        lines.append(f"{inner}<attributes{attributes}/>")
    if action.downed is not None:
        lines.append(f"{inner}<downed>")
        lines += [f"{inner}  <node{_attributes([('id', node)])}/>" for node in action.downed]
        lines.append(f"{inner}</downed>")
    if action.maintenance is not None:
        lines.append(f"{inner}<maintenance>")
        for node, value in action.maintenance:
            lines.append(f"{inner}  <node{_attributes([('id', node), ('node_in_maintenance', value)])}/>")
        lines.append(f"{inner}</maintenance>")
    lines.append(f"{indent}</{action.type.value}>")


def format_graph(graph: Graph) -> str:
    """Write a graph, one element a line, ending in a newline."""
    settings = _attributes(list(graph.settings.items()))
    if not graph.synapses:
        return f"<transition_graph{settings}/>\n"
    lines = [f"<transition_graph{settings}>"]
    for synapse in graph.synapses:
        pairs = [("id", str(synapse.id))]
        if synapse.priority > 0:
            pairs.append(("priority", str(synapse.priority)))
        lines.append(f"  <synapse{_attributes(pairs)}>")
        lines.append("    <action_set>")
        for action in synapse.actions:
            _write_action(action, "      ", lines)
        lines.append("    </action_set>")
        if synapse.triggers:
            lines.append("    <inputs>")
            for trigger in synapse.triggers:
                lines.append("      <trigger>")
                lines.append(f"        <{trigger.type.value}{_identity(trigger)}/>")
                lines.append("      </trigger>")
            lines.append("    </inputs>")
        else:
            lines.append("    <inputs/>")
        lines.append("  </synapse>")
    lines.append("</transition_graph>")
    return "\n".join(lines) + "\n"


# -- reading


def _elements(parent: Element | None, *tags: str) -> list[Element]:
    if parent is None:
        return []
    return [child for child in parent if isinstance(child.tag, str) and (not tags or child.tag in tags)]


_TYPES = {kind.value: kind for kind in ActionType}


def _number(text: str | None) -> int:
    return whole_number(text)


def action_from_xml(xml: Element) -> GraphAction | None:
    """Read an action; None if the element is none."""
    kind = _TYPES.get(str(xml.tag))
    if kind is None:
        return None
    known = {name for name, _ in _IDENTIFYING}
    action = GraphAction(
        id=_number(xml.get("id")),
        type=kind,
        operation=xml.get("operation", ""),
        key=xml.get("operation_key"),
        internal_key=xml.get("internal_operation_key"),
        node=xml.get("on_node"),
        node_id=xml.get("on_node_uuid"),
        router_node=xml.get("router_node"),
        extra={name: value for name, value in xml.items() if name not in known},
    )
    for child in _elements(xml):
        match child.tag:
            case "primitive":
                action.primitive = dict(child.items())
            case "attributes":
                action.attributes = dict(child.items())
                action.parameters = [
                    (each.get("name", ""), each.get("value", "")) for each in _elements(child, "param")
                ]
            case "downed":
                action.downed = [each.get("id", "") for each in _elements(child, "node")]
            case "maintenance":
                action.maintenance = [
                    (each.get("id", ""), each.get("node_in_maintenance", "0")) for each in _elements(child, "node")
                ]
    return action


def graph_from_xml(root: Element) -> Graph:
    """Read a graph from its ``<transition_graph>`` element."""
    graph = Graph(settings=dict(root.items()))
    for xml in _elements(root, "synapse"):
        synapse = Synapse(_number(xml.get("id")), priority=_number(xml.get("priority")))
        for part in _elements(xml, "action_set"):
            for each in _elements(part):
                action = action_from_xml(each)
                if action is not None:
                    synapse.actions.append(action)
        for part in _elements(xml, "inputs"):
            for holder in _elements(part, "trigger"):
                for each in _elements(holder):
                    trigger = action_from_xml(each)
                    if trigger is not None:
                        synapse.triggers.append(trigger)
                        synapse.inputs.append(trigger.id)
        graph.synapses.append(synapse)
    return graph
