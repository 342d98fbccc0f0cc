"""``crm_resource``'s displays: resources with their state, operations, configuration. I/O."""

from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml
from hatools.cli.ending import Refused
from hatools.cli.output import CData, TextOutput, XmlOutput
from hatools.cli.resource.context import Context
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.unpack.history import active_range, sorted_operations
from hatools.status.outline import write_text
from hatools.status.phrases import format_clock, primitive_line
from hatools.status.resources import resource_entry
from hatools.status.sections import TextSections
from hatools.status.view import Section, Show, View
from hatools.status.xml import XmlSections
from hatools.values.exitcode import ExitCode
from hatools.values.result import exec_status_text

_LIST_VIEW = View(Section.RESOURCES, Show.INACTIVE | Show.RESOURCE_ONLY | Show.PENDING)


def list_resources(context: Context) -> None:
    """Show all resources with their state."""
    out = context.out
    if isinstance(out, XmlOutput):
        listed = XmlSections(context.status, _LIST_VIEW).resources()
        if listed is None:
            listed = Element("resources")
            item = Element("item")
            item.text = "No resources"
            listed.append(item)
        out.parent.append(listed)
    else:
        listing = TextSections(context.status, _LIST_VIEW).resource_list()
        assert listing is not None
        out.dest.write(write_text([listing]))
    if not any(_is_listed(resource) for resource in context.plan.resources):
        raise Refused(ExitCode.NOSUCH)


def _is_listed(resource: Resource) -> bool:
    return not resource.orphan or resource.is_active(True)


# Operations


def list_operations(context: Context, *, active_only: bool) -> None:
    """Show recorded operations, of the resource and on the node given; with ``active_only``, what led to now."""
    found: list[tuple[Node, str, Element]] = []
    request = context.request
    for name in _nodes_with_history(context):
        node = context.plan.find_node(name)
        if node is None or (request.node is not None and name.lower() != request.node.lower()):
            continue
        if not node.online and not context.plan.options.fencing_enabled:
            continue
        for history in context.plan.histories(name):
            if request.resource is not None and history.id.lower() != request.resource.lower():
                continue
            operations = sorted_operations(context.plan, history.operations)
            if active_only:
                start, stop = active_range(operations)
                operations = [] if start < stop else operations[max(start, 0) :]
            found.extend((node, history.id, operation.xml) for operation in operations)
    if not found:
        return
    out = context.out
    if isinstance(out, XmlOutput):
        out.push("operations")
    for node, resource, operation in found:
        _show_operation(context, node, resource, operation)
    if isinstance(out, XmlOutput):
        out.pop()


def _nodes_with_history(context: Context) -> list[str]:
    status = context.plan.document.status
    states = [] if status is None else status.findall("node_state")
    return [state.get("uname") or "" for state in states]


def _show_operation(context: Context, node: Node, resource: str, operation: Element) -> None:
    known = context.plan.find_resource(resource)
    status = exec_status_text(_integer(operation.get("op-status")))
    key = operation.get("operation_key") or operation.get("id") or ""
    changed = operation.get("last-rc-change")
    out = context.out
    if isinstance(out, XmlOutput):
        attributes = {
            "op": key,
            "node": node.name,
            "call": operation.get("call-id") or "",
            "rc": operation.get("rc-code") or "",
            "status": status,
        }
        if known is not None:
            agent = f"{known.standard}:{known.provider or ''}:{known.agent_type}"
            attributes |= {"rsc": known.display_id, "agent": agent}
        if changed is not None:
            attributes["last-rc-change"] = format_clock(_integer(changed))
            attributes["exec-time"] = operation.get("exec-time") or ""
        out.element("operation", attributes)
        return
    when = ""
    if changed is not None:
        when = f", last-rc-change='{format_clock(_integer(changed))}', exec={operation.get('exec-time', '(null)')}ms"
    who = f"Unknown resource {resource}" if known is None else _short_line(context, known)
    facts = f"node={node.name}, call={operation.get('call-id')}, rc={operation.get('rc-code')}{when}"
    out.list_item(f"{who}: {key} ({facts}): {status}")


def _short_line(context: Context, resource: Resource) -> str:
    """Return a primitive's line without the nodes it is on."""
    from hatools.status.model import PrimitiveStatus

    status = context.status_of(resource)
    assert isinstance(status, PrimitiveStatus)
    return primitive_line(status, Show.RESOURCE_ONLY | Show.PENDING, with_nodes=False)


def _integer(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0


# Configuration


def query_xml(context: Context, *, raw: bool) -> None:
    """Show a resource's state and its configuration, before (``raw``) or after expanding templates."""
    out, resource = context.out, context.wanted
    view = View(Section.RESOURCES, Show.PENDING)
    status = context.status_of(resource)
    element = resource.original_xml if raw and resource.original_xml is not None else resource.xml
    text = format_xml(element)
    if isinstance(out, XmlOutput):
        out.push("resource_config")
        shown = XmlSections(context.status, view).resource(status, view)
        if shown is not None:
            out.parent.append(shown)
        out.element("xml", {}, CData(text))
        out.pop()
    elif isinstance(out, TextOutput):
        entry = resource_entry(status, view)
        if entry is not None:
            out.dest.write(write_text([entry], fancy=False))
        out.dest.write(f"Resource XML:\n{text}")
