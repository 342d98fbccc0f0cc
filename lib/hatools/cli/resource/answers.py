"""``crm_resource``'s plain answers: names, places, single values. I/O.

They stand apart from the displays because scripts and agents ask for them all the time, and start faster so.
"""

from hatools.cib.document import children
from hatools.cli.ending import Refused
from hatools.cli.output import TextOutput, XmlOutput
from hatools.cli.resource.context import Context
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Kind, Resource
from hatools.values.exitcode import ExitCode
from hatools.values.role import Role


def list_instances(context: Context) -> None:
    """Show the ids of everything that really runs: members and instances rather than collections."""
    if not context.plan.resources:
        context.out.error("NO resources configured\n")
        raise Refused(ExitCode.NOSUCH)
    context.out.begin_list(None, None, "resource names")
    for resource in context.plan.resources:
        _list_instance(context, resource)
    context.out.end_list()


def _list_instance(context: Context, resource: Resource) -> None:
    if not resource.children:
        context.out.list_item(resource.id, "resource")
    for child in resource.children:
        _list_instance(context, child)


# Location


def running_nodes(resource: Resource, requested: str) -> list[tuple[str, bool]]:
    """Return where a resource is active, the last found first, and whether it is promoted there.

    Instances of an anonymous clone share a name; under it, all of them are meant.
    """
    top = resource.top
    if resource.kind is Kind.CLONE:
        return _instance_nodes(resource)
    if (
        top.kind is Kind.CLONE
        and not resource.unique
        and requested.lower() != resource.id.lower()
        and requested.lower() in ((resource.history_id or "").lower(), resource.xml_id.lower())
    ):
        return _instance_nodes(top)
    return [(node.name, resource.role is Role.PROMOTED) for node in reversed(resource.running_on)]


def _instance_nodes(clone: Resource) -> list[tuple[str, bool]]:
    found = [(node.name, child.role_now() is Role.PROMOTED) for child in clone.children for node in child.running_on]
    found.reverse()
    return found


def locate(context: Context) -> None:
    """Show where a resource runs."""
    out, name = context.out, context.wanted_id
    nodes = running_nodes(context.wanted, name)
    if isinstance(out, XmlOutput):
        out.push("nodes", {"resource": name})
        for node, promoted in nodes:
            out.element("node", {"state": "promoted"} if promoted else {}, node)
        out.pop()
    elif isinstance(out, TextOutput):
        if not nodes and not out.quiet:
            out.error(f"resource {name} is NOT running")
        for node, promoted in nodes:
            role = " Promoted" if promoted else ""
            out.line(node if out.quiet else f"resource {name} is running on: {node}{role}")


def get_property(context: Context) -> None:
    """Show an attribute of the resource's own element (``class``, ``provider``, ``type``)."""
    name = context.request.parameter or ""
    value = context.wanted.xml.get(name)
    if value is None:
        return
    out = context.out
    if isinstance(out, XmlOutput):
        out.begin_list(None, None, "properties")
        out.list_item(value, name)
        out.end_list()
    else:
        out.dest.write(f"{value}\n")


def get_parameter(context: Context) -> None:
    """Show a parameter, meta-attribute or utilization value as it is effective where the resource runs."""
    request, resource, out = context.request, context.wanted, context.out
    name = request.parameter or ""
    node = resource.active_node()
    if len(resource.current_nodes() if resource.children else resource.running_on) > 1:
        out.error(f"{resource.id} is active on more than one node, returning the default value for {name}")
        node = None
    value = _effective_values(context, resource, node).get(name)
    if value is None:
        out.error(f"Attribute '{name}' not found for '{resource.id}'")
        return
    out.begin_list(None, None, "attributes")
    out.list_item(value, name)
    out.end_list()


def _effective_values(context: Context, resource: Resource, node: Node | None) -> dict[str, str]:
    from hatools.scheduler.unpack.parameters import parameters

    match context.request.set_tag:
        case "instance_attributes":
            return parameters(context.plan, resource, node)
        case "meta_attributes":
            return resource.meta
        case _:
            return resource.utilization


# For test suites

_FLAG_BITS = (
    ("orphan", 0x1),
    ("managed", 0x2),
    ("blocked", 0x4),
    ("orphan_filler", 0x8),
    ("notify", 0x10),
    ("unique", 0x20),
    ("fence_device", 0x40),
    ("promotable", 0x80),
    ("provisional", 0x100),
    ("assigning", 0x200),
    ("merging", 0x400),
    ("restarting", 0x800),
    ("stop", 0x1000),
    ("reload", 0x2000),
    ("allow_remote_remotes", 0x4000),
    ("critical", 0x8000),
    ("failed", 0x10000),
    ("runnable", 0x40000),
    ("start_pending", 0x80000),
    ("starting", 0x100000),
    ("stopping", 0x200000),
    ("stop_unexpected", 0x400000),
    ("allow_migrate", 0x800000),
    ("failure_ignored", 0x1000000),
    ("maintenance", 0x4000000),
    ("is_container", 0x8000000),
    ("needs_quorum", 0x10000000),
    ("needs_fencing", 0x20000000),
    ("needs_unfencing", 0x40000000),
)


def list_for_tests(context: Context) -> None:
    """Show every resource in the terse form that Pacemaker's test suite reads; the last two columns are flags."""
    for resource in context.plan.resources:
        _tell_terse(context, resource)
    section = context.plan.document.section("constraints")
    for constraint in children(section, "rsc_colocation"):
        names = ("id", "rsc", "with-rsc", "score", "rsc-role", "with-rsc-role")
        words = [constraint.get(name) or "NA" for name in names]
        context.out.info(" ".join(["Constraint rsc_colocation", *words]))


def _tell_terse(context: Context, resource: Resource) -> None:
    flags = sum(bit for name, bit in _FLAG_BITS if getattr(resource, name))
    node = resource.active_node()
    words = (
        "Resource:",
        resource.xml.tag,
        resource.id,
        resource.history_id or resource.id,
        "NA" if resource.parent is None else resource.parent.id,
        resource.provider or "NA",
        resource.standard or "(null)",
        resource.agent_type or "(null)",
        "NA" if node is None else node.name,
        0 if resource.standard == "stonith" else 1,
        flags,
        f"0x{flags:016x}",
    )
    context.out.info(" ".join(map(str, words)))
    for child in resource.children:
        _tell_terse(context, child)
