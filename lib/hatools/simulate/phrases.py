"""How crm_simulate words what it does, as text and as XML. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from hatools.scheduler.summary import SummaryLine
from hatools.simulate.inject import Change, NodeChange, SpecChange, TicketChange
from hatools.simulate.run import AttributeStep, ClusterStep, FencingStep, PseudoStep, ResourceStep
from hatools.values.records import dataclass

__all__ = ["XmlForm", "change_form", "change_line", "summary_form", "summary_lines"]


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


def summary_lines(summary: Sequence[SummaryLine]) -> Iterator[str]:
    """Return the lines of a transition summary, in columns that fit all of them."""
    changes = [line for line in summary if not line.node_change]
    name_width = _name_width(line.resource for line in changes)
    detail_width = max((len(line.detail) for line in changes), default=5)
    for line in summary:
        if line.node_change:
            if line.reason is not None:
                yield f"{line.change} {line.resource} '{line.reason}'"
            continue
        text = f"{line.change:<8}   {line.resource:<{name_width}}   ( {line.detail:>{max(5, detail_width)}} )"
        if line.reason is not None:
            text += f"  due to {line.reason}{' (blocked)' if line.blocked else ''}"
        elif line.blocked:
            text += "  blocked"
        yield text


def _name_width(names: Iterable[str]) -> int:
    """Return the width of the names' column: a name that does not fit widens it by two more than it needs."""
    width = 5
    for name in names:
        if len(name) > width:
            width = len(name) + 2
    return width


def summary_form(line: SummaryLine) -> XmlForm | None:
    """Return the element for a line of a transition summary."""
    if line.node_change:
        if line.reason is None:
            return None
        return XmlForm("node_action", {"task": line.change, "node": line.resource, "reason": line.reason})
    attributes: dict[str, str | None] = {"action": line.change.lower(), "resource": line.resource}
    attributes |= _whereabouts(line)
    attributes["reason"] = line.reason
    attributes["blocked"] = "true" if line.blocked else None
    return XmlForm("rsc_action", _present(attributes))


_PLAIN_ROLES = ("Unknown", "Stopped", "Started")


def _whereabouts(line: SummaryLine) -> dict[str, str | None]:
    """Return where and in which role a resource is and will be, in the order of the original's attributes."""
    origin, destination, role, after = line.origin, line.destination, line.role, line.next_role
    show_role = role not in _PLAIN_ROLES or after == "Promoted"
    if origin is None:
        return {"role": role, "next-role": after, "dest": destination} if show_role else {"node": destination}
    if destination is None:
        return {"role": role, "node": origin} if show_role else {"node": origin}
    same_role, same_host = role == after, origin == destination
    if same_role and same_host:
        return {"role": role, "source": origin} if show_role else {"source": origin}
    if same_role:
        found: dict[str, str | None] = {"source": origin, "dest": destination}
        return {**found, "role": role} if show_role else found
    if same_host:
        return {"role": role, "next-role": after, "source": origin}
    return {"role": role, "source": origin, "next-role": after, "dest": destination}
