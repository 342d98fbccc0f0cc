"""``crm_resource --why``: what keeps resources from running. I/O."""

from hatools.cli.output import XmlOutput
from hatools.cli.resource.context import Context
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.values.boolean import is_true
from hatools.values.role import Role, parse_role


def why(context: Context) -> None:
    """Say what runs and what does not, of everything or of one resource, anywhere or on one node."""
    out = context.out
    if isinstance(out, XmlOutput):
        _as_xml(context, out)
        return
    resource, node = context.resource, context.node
    out.begin_list(None, None, "Resource Reasons")
    if resource is None and node is not None:
        running, others = _by_node(context, node)
        for each in running:
            out.list_item(f"Resource {each.id} is running on host {node.name}", "reason")
            check(context, each)
        for each in others:
            out.list_item(f"Resource {each.id} is assigned to host {node.name} but not running", "reason")
            check(context, each)
    elif resource is not None and node is not None:
        is_there = node in _where(resource)
        out.list_item(f"Resource {resource.id} is {'' if is_there else 'not '}running on host {node.name}", "reason")
        check(context, resource)
    else:
        for each in [resource] if resource is not None else context.plan.resources:
            is_running = bool(each.current_nodes())
            out.list_item(f"Resource {each.id} is {'' if is_running else 'not '}running", "reason")
            check(context, each)
    out.end_list()


def _where(resource: Resource) -> list[Node]:
    return resource.current_nodes()


def _by_node(context: Context, node: Node) -> tuple[list[Resource], list[Resource]]:
    """Return the primitives that run on a node, and those placed there without running (none before scheduling)."""
    running = list(node.running)
    others = [each for each in node.assigned if each not in running]
    return running, others


def check(context: Context, resource: Resource) -> None:
    """Say what in the configuration is against running."""
    for text in _findings(resource)[1]:
        context.out.list_item(text, "check")


def _findings(resource: Resource) -> tuple[dict[str, str], list[str]]:
    """Return the attributes and the sentences for what keeps a resource (its outermost parent) down."""
    top = resource.top
    attributes = {"id": top.id}
    texts: list[str] = []
    target = parse_role(top.meta.get("target-role"))
    if target is Role.STOPPED:
        attributes["remain_stopped"] = "true"
        texts.append(f"Configuration specifies '{top.id}' should remain stopped")
    elif target is Role.UNPROMOTED and top.promotable:
        attributes["promotable"] = "false"
        texts.append(f"Configuration specifies '{top.id}' should not be promoted")
    if resource.lock_node is not None:
        attributes["locked-to"] = resource.lock_node.name
        texts.append(f"'{top.id}' is locked to node {resource.lock_node.name} due to shutdown")
    managed = top.meta.get("is-managed")
    if managed is not None and not is_true(managed):
        attributes["unmanaged"] = "true"
        texts.append(f"Configuration prevents cluster from stopping or starting unmanaged '{top.id}'")
    return attributes, texts


def _as_xml(context: Context, out: XmlOutput) -> None:
    resource, node = context.resource, context.node
    if resource is not None:
        where = _where(resource)
        is_running = node in where if node is not None else bool(where)
        attributes = {"running": "true" if is_running else "false"}
        if node is not None:
            attributes = {"running_on": node.name} if is_running else {}
        out.push("reason", attributes)
        out.element("check", _findings(resource)[0])
        out.pop()
        return
    out.push("reason")
    out.push("resources")
    if node is not None:
        running, others = _by_node(context, node)
        for each in running:
            out.push("resource", {"id": each.id, "running": "true", "host": node.name})
            out.element("check", _findings(each)[0])
            out.pop()
        for each in others:
            out.push("resource", {"id": each.id, "running": "false", "host": node.name})
            out.element("check", _findings(each)[0])
            out.pop()
    else:
        for each in context.plan.resources:
            out.push("resource", {"id": each.id, "running": "true" if each.current_nodes() else "false"})
            out.element("check", _findings(each)[0])
            out.pop()
    out.pop()
    out.pop()
