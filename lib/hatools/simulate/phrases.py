"""How crm_simulate words what it does, as text and as XML. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hatools.scheduler.summary import SummaryLine
from hatools.simulate.inject import Change, NodeChange, SpecChange, TicketChange
from hatools.simulate.run import AttributeStep, ClusterStep, FencingStep, PseudoStep, ResourceStep

__all__ = ["XmlForm", "change_form", "change_line", "summary_lines"]


@dataclass(frozen=True, slots=True)
class XmlForm:
    """An element without content."""

    tag: str
    attributes: dict[str, str]


_NODE_CHANGES = {"Online": "Bringing node {} online", "Offline": "Taking node {} offline", "Failing": "Failing node {}"}


def change_line(change: Change) -> str | None:
    """Return the line for a change or a simulated step; None for what has no line in a list."""
    match change:
        case NodeChange(action, node):
            return _NODE_CHANGES[action].format(node)
        case TicketChange("Standby", ticket):
            return f"Making ticket {ticket} standby"
        case TicketChange(action, ticket):
            return f"{action} ticket {ticket}"
        case SpecChange(spec):
            return f"Injecting {spec} into the configuration"
        case AttributeStep(name, value, node_id):
            return f"Injecting attribute {name}={value} into /node_state '{node_id or '(null)'}'"
        case PseudoStep(key, node):
            return f"Pseudo action:   {key}{'' if node is None else f' on {node}'}"
        case ResourceStep(resource, task, node, interval_ms):
            return f"Resource action: {resource:<15} {task}{f'={interval_ms}' if interval_ms else ''} on {node}"
        case ClusterStep(task, node, None):
            return f"Cluster action:  {task} on {node}"
        case ClusterStep(task, node, resource):
            return f"Cluster action:  {task} for {resource} on {node}"
        case FencingStep(target, operation):
            return f"Fencing {target} ({operation})"
    return None


def change_form(change: Change) -> XmlForm | None:
    """Return the element for a change or a simulated step."""
    match change:
        case NodeChange(action, node):
            return XmlForm("modify_node", {"action": action, "node": node})
        case TicketChange(action, ticket):
            return XmlForm("modify_ticket", {"action": action, "ticket": ticket})
        case SpecChange(spec):
            return XmlForm("inject_spec", {"spec": spec})
        case AttributeStep(name, value, node_id):
            attributes = {"name": name, "value": value, "node_path": "/node_state", "cib_node": node_id}
            return XmlForm("inject_attr", _present(attributes))
        case PseudoStep(key, node):
            return XmlForm("pseudo_action", _present({"task": key, "node": node}))
        case ResourceStep(resource, task, node, interval_ms):
            interval = str(interval_ms) if interval_ms else None
            attributes = {"resource": resource, "op": task, "node": node, "interval": interval}
            return XmlForm("rsc_action", _present(attributes))
        case ClusterStep(task, node, resource):
            return XmlForm("cluster_action", _present({"task": task, "node": node, "id": resource}))
        case FencingStep(target, operation):
            return XmlForm("fencing_action", _present({"target": target, "op": operation}))
    return None


def _present(attributes: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if value is not None}


def summary_lines(summary: Iterable[SummaryLine]) -> Iterator[str]:
    """Return the lines of a transition summary; the columns widen as longer names come up."""
    name_width = detail_width = 5
    for line in summary:
        if line.node_change:
            if line.reason is not None:
                yield f"{line.change} {line.resource} '{line.reason}'"
            continue
        if len(line.resource) > name_width:
            name_width = len(line.resource) + 2
        detail_width = max(detail_width, len(line.detail))
        text = f"{line.change:<8}   {line.resource:<{name_width}}   ( {line.detail:>{detail_width}} )"
        if line.reason is not None:
            text += f"  due to {line.reason}{' (blocked)' if line.blocked else ''}"
        elif line.blocked:
            text += "  blocked"
        yield text
