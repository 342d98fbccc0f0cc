"""Assigning resources to nodes, and the order in which candidates are considered. Pure."""

from hatools.scheduler.merge_sort import merge_sorted
from hatools.scheduler.model.action import ActionFlag
from hatools.scheduler.model.constraint import Colocation
from hatools.scheduler.model.node import Node, NodeScore, NodeTable
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.placement.node_scores import is_available, is_usable, sorted_nodes, top_entry
from hatools.scheduler.placement.preferences import Select, add_colocated_scores, factor_of
from hatools.scheduler.placement.utilization import consume, release
from hatools.scheduler.plan import Plan, ScoreRecord
from hatools.scheduler.unpack.colocations import has_influence
from hatools.scheduler.unpack.scores import base_entry
from hatools.values.integer import whole_number
from hatools.values.role import Role
from hatools.values.score import INFINITY


def unassign(resource: Resource) -> None:
    """Take back where a resource was assigned to."""
    node = resource.assigned_to
    if node is None:
        return
    resource.provisional = True
    resource.assigned_to = None
    node.assigned.remove(resource)
    node.num_resources -= 1
    release(node, resource)


def finalize_assignment(plan: Plan, resource: Resource, chosen: NodeScore | None, *, force: bool) -> bool:
    """Assign a resource to a node, or to none; say whether it is assigned.

    Args:
        force: assign even where the node is not usable (unmanaged resources stay where they are).
    """
    if not force and chosen is not None and (chosen.score < 0 or (not is_usable(chosen) and not chosen.node.is_guest)):
        resource.next_role = Role.STOPPED
        chosen = None
    unassign(resource)
    resource.provisional = False
    if chosen is None:
        resource.next_role = Role.STOPPED
        _stop_actions(resource)
        return False
    node = chosen.node
    resource.assigned_to = node
    resource.assigned_score = chosen.score
    node.assigned.insert(0, resource)
    node.num_resources += 1
    chosen.count += 1
    consume(node, resource)
    if plan.show_utilization:
        detail = tuple(resource.utilization.items())
        plan.scores.append(ScoreRecord("utilization", resource.id, node.name, 0, detail))
    return True


def _stop_actions(resource: Resource) -> None:
    """Adapt actions that exist already (from the history) to the resource being stopped."""
    for action in resource.actions:
        if action.task == "stop":
            action.flags &= ~ActionFlag.OPTIONAL
        elif action.task == "start":
            action.flags &= ~ActionFlag.RUNNABLE
        elif action.meta.get("interval", "0") != "0" and action.meta.get("op_target_rc") != "7":
            # Only monitors of the stopped role go on.
            action.flags &= ~ActionFlag.RUNNABLE


def assign_everywhere(plan: Plan, resource: Resource, chosen: NodeScore | None, *, force: bool) -> bool:
    """Assign everything in a resource to a node (or none); say whether anything was assigned before."""
    if not resource.children:
        changed = resource.assigned_to is not None
        finalize_assignment(plan, resource, chosen, force=force)
        return changed
    changed = False
    for child in resource.children:
        changed = assign_everywhere(plan, child, chosen, force=force) or changed
    return changed


# -- order of assignment


def sort_resources(plan: Plan) -> None:
    """Sort resources so that those that matter most, or are bound most, choose first (for utilization)."""
    nodes = sorted_nodes(plan, plan.nodes)
    tables: dict[Resource, NodeTable] = {}

    def table_of(resource: Resource) -> NodeTable:
        found = tables.get(resource)
        if found is None:
            found = tables[resource] = add_colocated_scores(plan, resource, None, "", 1.0, Select.THIS_WITH) or {}
        return found

    def score_on(resource: Resource, node: Node | None) -> int:
        entry = None if node is None else table_of(resource).get(node)
        return -INFINITY if entry is None else entry.score

    def compare(a: Resource, b: Resource) -> int:
        if a.priority != b.priority:
            return -1 if a.priority > b.priority else 1
        if not nodes:
            return 0
        first = score_on(a, a.active_node() if a.running_on else None)
        second = score_on(b, b.active_node() if b.running_on else None)
        if first != second:
            return -1 if first > second else 1
        for node in nodes:
            first, second = score_on(a, node), score_on(b, node)
            if first != second:
                return -1 if first > second else 1
        return 0

    plan.resources[:] = merge_sorted(plan.resources, compare)


# -- instances


def instance_number(resource: Resource) -> int:
    """Return the number at the end of an instance's id."""
    for separator in (":", "-"):
        _, found, number = resource.id.rpartition(separator)
        if found:
            return whole_number(number)
    return 0


def sort_by_number(resource: Resource) -> None:
    """Put instances into the order of their numbers."""
    resource.children.sort(key=instance_number)


def _has_failed(resource: Resource) -> bool:
    return resource.failed or any(_has_failed(child) for child in resource.children)


class InstanceOrder:
    """Compares instances of a clone (or containers of a bundle): the ones to be placed first come first.

    What colocations of the clone say about an instance's node is worked out once per instance.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._colocated: dict[Resource, int] = {}

    def sort(self, instances: list[Resource]) -> list[Resource]:
        """Return instances in the order in which they are to be assigned."""
        return merge_sorted(instances, self.compare)

    def compare(self, a: Resource, b: Resource) -> int:
        node_a, count_a, _ = a.find_active()
        node_b, count_b, _ = b.find_active()
        if count_a and count_b and count_a != count_b:
            return -1 if count_a < count_b else 1
        active_a, active_b = node_a, node_b
        node_a, can_a = _if_allowed(a, node_a)
        node_b, can_b = _if_allowed(b, node_b)
        if can_a != can_b:
            return -1 if can_a else 1
        if a.priority != b.priority:
            return -1 if a.priority > b.priority else 1
        if node_a is None or node_b is None:
            return (node_a is None) - (node_b is None)
        can_a, can_b = is_available(node_a), is_available(node_b)
        if can_a != can_b:
            return -1 if can_a else 1
        entry_a, entry_b = top_entry(a, node_a), top_entry(b, node_b)
        if entry_a is None or entry_b is None:
            return (entry_a is None) - (entry_b is None)
        if entry_a.count != entry_b.count:
            return -1 if entry_a.count < entry_b.count else 1
        can_a, can_b = not _has_failed(a), not _has_failed(b)
        if can_a != can_b:
            return -1 if can_a else 1
        assert active_a is not None and active_b is not None
        score_a, score_b = self._colocation_score(a, active_a), self._colocation_score(b, active_b)
        if score_a != score_b:
            return -1 if score_a > score_b else 1
        return instance_number(a) - instance_number(b)

    def _colocation_score(self, instance: Resource, node: Node) -> int:
        known = self._colocated.get(instance)
        if known is None:
            known = self._colocated[instance] = _colocated_score(self._plan, instance, node)
        return known


def _if_allowed(resource: Resource, node: Node | None) -> tuple[Node | None, bool]:
    """Return the node if the resource may be on it, and whether it may (being nowhere counts as yes)."""
    if node is None:
        return None, True
    entry = resource.allowed.get(node)
    if entry is None or entry.score < 0:
        return None, False
    return node, True


def _colocated_score(plan: Plan, instance: Resource, node: Node) -> int:
    """Return what the colocations of the clone say about the node that an instance is on."""
    table: NodeTable = {node: base_entry(node)}
    parent = instance.parent
    assert parent is not None

    def add(other: Resource, colocation: Colocation, flags: int) -> None:
        nonlocal table
        share = factor_of(colocation.score)
        table = add_colocated_scores(plan, other, table, colocation.attribute, share, flags) or table

    for colocation in parent.this_with:
        add(colocation.primary, colocation, Select.DEFAULT)
    for colocation in parent.with_this:
        if has_influence(colocation, instance):
            add(colocation.dependent, colocation, Select.NONNEGATIVE)
    return table[node].score
