"""Which instances of a promotable clone are promoted. Pure."""

from hatools.scheduler.merge_sort import merge_sorted
from hatools.scheduler.model.constraint import Colocation, Location
from hatools.scheduler.model.node import Node, NodeScore
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.options import QuorumPolicy
from hatools.scheduler.placement.assignment import InstanceOrder
from hatools.scheduler.placement.node_scores import is_available, keep_only
from hatools.scheduler.placement.preferences import Select, add_colocated_scores, factor_of
from hatools.scheduler.plan import Plan, ScoreRecord
from hatools.scheduler.unpack.colocations import has_influence
from hatools.scheduler.unpack.failures import strip_instance
from hatools.scheduler.unpack.locations import node_attribute
from hatools.scheduler.unpack.tickets import require_promotion_tickets
from hatools.values.role import Role
from hatools.values.score import INFINITY, add_scores


def _members_with_id(instance: Resource, identifier: str) -> list[Resource]:
    return [each for each in instance.descendants() if identifier in (each.id, each.xml_id)]


def _active_member(clone: Resource, identifier: str, node: Node) -> Resource | None:
    """Return the member with an id that is active on a node."""
    for instance in clone.children:
        for each in _members_with_id(instance, identifier):
            if node in each.running_on:
                return each
    return None


def _is_known(clone: Resource, identifier: str, node: Node) -> bool:
    """Say whether any instance of a member was probed on a node."""
    for instance in clone.children:
        members = _members_with_id(instance, identifier)
        if members and node in members[0].known_on:
            return True
    return False


def _is_allowed(resource: Resource, node: Node) -> bool:
    entry = resource.allowed.get(node)
    return entry is not None and entry.score >= 0


def _score_applies(resource: Resource, node: Node) -> bool:
    """Say whether a promotion score that a node has counts for this instance."""
    identifier = strip_instance(resource.id)
    if not resource.unique:
        # Exactly one instance represents a node: the one that is active there, or any if none is.
        active = _active_member(resource.top, identifier, node)
        if active is resource or (active is None and _is_known(resource.top, identifier, node)):
            return _is_allowed(resource, node)
    if not resource.running_on and not resource.known_on:
        return _is_allowed(resource, node)
    return (node in resource.known_on or node in resource.running_on) and _is_allowed(resource, node)


def promotion_score(plan: Plan, resource: Resource, node: Node) -> int | None:
    """Return the promotion score of an instance on a node; None if nobody set one."""
    if resource.children:
        scores = [promotion_score(plan, child, node) for child in resource.children]
        known = [score for score in scores if score is not None]
        return sum(known) if known else None
    if not _score_applies(resource, node):
        return None
    name = resource.history_id or resource.id
    value = node_attribute(node, "master-" + name, resource)
    if value is None and not resource.unique:
        stripped = strip_instance(resource.id)
        if stripped != resource.id:
            value = node_attribute(node, "master-" + stripped, resource)
    return None if value is None else plan.options.score(value)


def add_promotion_scores(plan: Plan, clone: Resource) -> None:
    """Let instances prefer the nodes where they could be promoted."""
    data = clone.clone_data
    assert data is not None
    if data.promotion_added:
        return
    data.promotion_added = True
    for instance in clone.children:
        for node, entry in instance.allowed.items():
            if not is_available(node):
                continue
            score = promotion_score(plan, instance, node) or 0
            if score > 0:
                entry.score = add_scores(entry.score, score)
            if score > instance.priority:
                instance.priority = score


# -- choosing


def set_instance_roles(plan: Plan, clone: Resource) -> None:
    """Choose which assigned instances are promoted and set all next roles."""
    assert clone.clone_data is not None
    for entry in clone.allowed.values():
        entry.count = 0
    for instance in list(clone.children):
        _set_priority(plan, clone, instance)
    _sort_instances(plan, clone)
    promoted = 0
    for instance in list(clone.children):
        promoted += _set_role(plan, clone, instance, promoted)


def _make_unpromoted_now(resource: Resource) -> None:
    if resource.role is Role.STARTED:
        resource.role = Role.UNPROMOTED
    for child in resource.children:
        _make_unpromoted_now(child)


def _set_priority(plan: Plan, clone: Resource, instance: Resource) -> None:
    """Work out how much an instance should be promoted, from its score, locations and colocations."""
    if instance.role_now() is Role.STARTED:
        _make_unpromoted_now(instance)
    nodes = instance.assigned_nodes()
    if len(nodes) > 1:
        plan.say("error", f"Cannot promote non-colocated child {instance.id}")
    if len(nodes) != 1:
        return
    chosen = nodes[0]
    next_role = instance.role_next()
    if next_role in (Role.STARTED, Role.UNKNOWN):
        score = promotion_score(plan, instance, chosen)
        # Without a score (and without constraints that make up for it) an instance is not promoted.
        instance.priority = -1 if score is None else score
    elif next_role is not Role.PROMOTED:
        instance.priority = -INFINITY
    _apply_promoted_locations(instance, instance.locations, chosen)
    _apply_promoted_locations(instance, clone.locations, chosen)
    assert instance.variant is not None
    for colocation in list(instance.this_with):
        instance.variant.apply_colocation(instance, colocation.primary, colocation, for_dependent=True)
    instance.sort_index = INFINITY if next_role is Role.PROMOTED else instance.priority


def _apply_promoted_locations(instance: Resource, locations: list[Location], chosen: Node) -> None:
    for location in locations:
        if location.role is not Role.PROMOTED:
            continue
        entry = next((each for each in location.scores if each.node is chosen), None)
        if entry is not None:
            instance.priority = add_scores(instance.priority, entry.score)


def _sort_instances(plan: Plan, clone: Resource) -> None:
    """Sort instances by how much they should be promoted, colocations with the promoted role included."""
    data = clone.clone_data
    assert data is not None
    if data.promotion_constrained:
        return
    data.promotion_constrained = True
    clone.merging = True
    for instance in clone.children:
        chosen = instance.sole_location(current=False)
        if instance.sort_index >= 0 and chosen is not None and chosen in clone.allowed:
            entry = clone.allowed[chosen]
            entry.score = add_scores(instance.sort_index, entry.score)
    for colocation in clone.this_with:
        if colocation.dependent_role is Role.PROMOTED:
            flags = Select.ACTIVE if colocation.score < INFINITY else Select.DEFAULT
            _add_to_clone(plan, clone, colocation.primary, colocation, flags)
    for colocation in clone.with_this:
        if colocation.primary_role is Role.PROMOTED and has_influence(colocation):
            _add_to_clone(plan, clone, colocation.dependent, colocation, Select.ACTIVE | Select.NONNEGATIVE)
    require_promotion_tickets(plan, clone)
    for instance in clone.children:
        chosen = instance.sole_location(current=False)
        if not instance.managed and instance.next_role is Role.PROMOTED:
            instance.sort_index = INFINITY
        elif chosen is not None and instance.sort_index >= 0 and chosen in clone.allowed:
            instance.sort_index = clone.allowed[chosen].score
    order = InstanceOrder(plan)

    def compare(a: Resource, b: Resource) -> int:
        if a.sort_index != b.sort_index:
            return -1 if a.sort_index > b.sort_index else 1
        role_a, role_b = a.role_now(), b.role_now()
        if role_a is not role_b:
            return -1 if role_a > role_b else 1
        return order.compare(a, b)

    clone.children[:] = merge_sorted(clone.children, compare)
    clone.merging = False


def _add_to_clone(plan: Plan, clone: Resource, other: Resource, colocation: Colocation, flags: int) -> None:
    share = factor_of(colocation.score)
    table = add_colocated_scores(plan, other, clone.allowed, colocation.attribute, share, flags)
    if table is not None:
        clone.allowed = table


def _set_next_unpromoted(resource: Resource) -> None:
    resource.next_role = Role.UNPROMOTED if resource.assigned_nodes() else Role.STOPPED
    for child in resource.children:
        _set_next_unpromoted(child)


def _set_next_promoted(resource: Resource) -> None:
    if resource.next_role is Role.UNKNOWN:
        resource.next_role = Role.PROMOTED
    for child in resource.children:
        _set_next_promoted(child)


def _set_role(plan: Plan, clone: Resource, instance: Resource, promoted: int) -> int:
    """Set an instance's next role; return how many were promoted by that (0 or 1)."""
    assert clone.clone_data is not None
    node = instance.sole_location(current=False)
    plan.scores.append(ScoreRecord("promotion", instance.id, None if node is None else node.name, instance.sort_index))
    entry: NodeScore | None = None
    top = instance.top
    assert top.clone_data is not None
    if instance.sort_index >= 0 and (promoted < top.clone_data.promoted_max or not top.managed):
        entry = _promotable_on(plan, instance)
    if entry is None:
        _set_next_unpromoted(instance)
        return 0
    if instance.role < Role.PROMOTED and not plan.have_quorum and plan.options.quorum_policy is QuorumPolicy.FREEZE:
        plan.say("notice", f"Clone instance {instance.id} cannot be promoted without quorum")
        plan.reasons.resource(instance.id, Cause.QUORUM, "no-quorum-policy=freeze", "cannot be promoted without quorum")
        _set_next_unpromoted(instance)
        return 0
    entry.count += 1
    _set_next_promoted(instance)
    return 1


def _promotable_on(plan: Plan, resource: Resource) -> NodeScore | None:
    """Return what the clone thinks of the node if the instance can be promoted where it is assigned."""
    parent = resource.top
    for child in resource.children:
        if _promotable_on(plan, child) is None:
            return None
    node = resource.sole_location(current=False)
    if node is None:
        return None
    if not resource.managed:
        if resource.role_now() is not Role.PROMOTED:
            return None
        plan.say("notice", f"Unmanaged instance {resource.id} will be left promoted on {node.display_name}")
    elif resource.priority < 0 or not _is_available_with_guest(node):
        return None
    entry = parent.allowed.get(node)
    assert parent.clone_data is not None
    if entry is None or (entry.count >= parent.clone_data.promoted_node_max and resource.managed):
        return None
    return entry


def _is_available_with_guest(node: Node) -> bool:
    if not is_available(node):
        return False
    if node.is_guest:
        assert node.remote_resource is not None and node.remote_resource.container is not None
        return node.remote_resource.container.sole_location(current=False) is not None
    return True


# -- colocation with promoted instances


def colocate_with_promotable(primary: Resource, dependent: Resource, colocation: Colocation) -> None:
    """Adjust the scores of a dependent of a role of a promotable clone."""
    affected: list[NodeScore] = []
    for instance in primary.children:
        assigned = instance.assigned_entry()
        if assigned is None or instance.role_next() is not colocation.primary_role:
            continue
        node = assigned.node
        if colocation.score < INFINITY:
            attribute = colocation.attribute or "#uname"
            value = (node.attributes.get(attribute) or "").lower()
            for other, entry in dependent.allowed.items():
                if (other.attributes.get(attribute) or "").lower() == value:
                    entry.score = add_scores(entry.score, colocation.score)
        affected.insert(0, assigned)
    if colocation.score >= INFINITY and not (
        colocation.dependent_role is Role.PROMOTED and colocation.primary_role is Role.PROMOTED
    ):
        keep_only(dependent.allowed, affected, merge=True)
