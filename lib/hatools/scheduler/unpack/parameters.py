"""Instance parameters of resources, which rules may make depend on the node. Pure."""

from hatools.cib.document import children
from hatools.cib.nvpair import resolve
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.nvpairs import finder, unpack_set


def parameters(plan: Plan, resource: Resource, node: Node | None) -> dict[str, str]:
    """Return the parameters of a resource on a node (None: before any node is chosen).

    The table is kept: callers must not change it. Without rules one table serves all nodes.
    """
    cache = resource.parameter_cache
    name = "" if node is None or not _depends_on_node(plan, resource) else node.name
    found = cache.get(name)
    if found is None:
        attributes = None if node is None or not name else node.attributes
        found = cache[name] = {}
        current: Resource | None = resource
        while current is not None:
            unpack_set(plan, current.xml, "instance_attributes", found, node_attributes=attributes)
            current = current.parent
        for defaults in plan.rsc_defaults:
            unpack_set(plan, defaults, "instance_attributes", found, node_attributes=attributes)
    return found


def _depends_on_node(plan: Plan, resource: Resource) -> bool:
    """Say whether any of the sets that apply has rules."""
    known: dict[Resource, bool] = plan.scratch.setdefault("parameters depend on node", {})
    answer = known.get(resource)
    if answer is None:
        elements = list(plan.rsc_defaults)
        current: Resource | None = resource
        while current is not None:
            elements.append(current.xml)
            current = current.parent
        answer = known[resource] = any(
            target is not None and target.find("rule") is not None
            for element in elements
            for each in children(element, "instance_attributes")
            for target in (resolve(each, finder(plan)),)
        )
    return answer
