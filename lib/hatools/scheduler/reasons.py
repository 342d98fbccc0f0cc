"""Why a resource is where it is, or why it is nowhere: cause, evidence, and what would change it. Pure.

Everything comes from a finished plan: what was recorded on the way (:mod:`model.reason`) and the
state the decision left behind.
"""

from typing import TYPE_CHECKING

from hatools.scheduler.explainer import Explainer
from hatools.scheduler.model.reason import Cause, Explanation
from hatools.scheduler.model.resource import Resource
from hatools.values.role import Role

if TYPE_CHECKING:
    from hatools.scheduler.schedule import Schedule

__all__ = ["Explanation", "explain", "explain_node"]


def explain(schedule: "Schedule", resource: str, node: str | None = None) -> list[Explanation]:
    """Explain where a resource will be and why; with ``node``, why (not) there.

    The decisive cause comes first. A resource or node that is not known gets one line saying so.
    """
    plan = schedule.plan
    found = plan.find_resource(resource, any_instance=True)
    if found is None:
        return [Explanation(resource, Cause.ORPHAN, resource, f"{resource} is not configured")]
    if node is None:
        lines = [line for each in _parts(found, resource) for line in Explainer(plan, each).anywhere()]
        return [*_instances(found), *_said_once(lines)]
    place = plan.find_node(node)
    if place is None:
        return [Explanation(resource, Cause.NODE_STATE, node, f"{node} is not a node of this cluster", node)]
    parts = _parts(found, resource)
    there = [each for each in parts if each.assigned_to is place] or parts[:1]
    return [line for each in there for line in Explainer(plan, each).on(place)]


def explain_node(schedule: "Schedule", node: str) -> list[Explanation]:
    """Say why a node is to be fenced; nothing if it is not."""
    return [
        Explanation(node, reason.cause, reason.evidence, reason.text, node, f"crm node clearstate {node}")
        for reason in schedule.plan.reasons.nodes.get(node, ())
    ]


def _parts(resource: Resource, name: str) -> list[Resource]:
    """Return the primitives of a resource; of one that is cloned, asked for by its own name, those of all instances."""
    if resource.id != name:
        return [each for each in resource.top.descendants() if each.is_primitive and each.xml_id == name]
    return [each for each in resource.descendants() if each.is_primitive]


def _said_once(lines: list[Explanation]) -> list[Explanation]:
    """Leave out what was said in the same words of another instance."""
    found: dict[tuple[str, str | None], Explanation] = {}
    for line in lines:
        found.setdefault((str(line), line.node), line)
    return list(found.values())


def _instances(resource: Resource) -> list[Explanation]:
    """Say how many instances of a clone or bundle there are, and where."""
    whole = resource.top_with_bundle(True)
    if not (resource is whole and (whole.is_clone or whole.is_bundle)):
        return []
    parts = whole.children if whole.is_clone else _containers(whole)
    parts = [each for each in parts if not each.orphan]
    placed = {each: each.assigned_nodes() for each in parts}
    names = ", ".join(dict.fromkeys(node.name for nodes in placed.values() for node in nodes))
    count = sum(bool(nodes) for nodes in placed.values())
    text = f"{count} of {len(parts)} instances of {whole.xml_id} are to run" + (f": on {names}" if names else "")
    promoted = [each for each in parts if each.role_next() is Role.PROMOTED]
    if whole.promotable:
        where = ", ".join(dict.fromkeys(node.name for each in promoted for node in placed[each]))
        text += f"; promoted on {where}" if promoted else "; none is to be promoted"
    return [Explanation(whole.xml_id, Cause.CLONE_LIMIT, f"{_limit_option(whole)}={len(parts)}", text)]


def _containers(bundle: Resource) -> list[Resource]:
    data = bundle.bundle_data
    return [] if data is None else [each.container for each in data.replicas if each.container is not None]


def _limit_option(whole: Resource) -> str:
    return "clone-max" if whole.is_clone else "replicas"
