"""What orderings mean for the actions at both ends, followed until nothing changes any more. Pure."""

from hatools.scheduler.model.action import Action, ActionFlag, Link, Order, order_actions
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Kind, Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.factory import find_first_action
from hatools.values.opkey import parse_operation_key
from hatools.values.role import Role
from hatools.values.score import INFINITY


class Updated:
    """Which action of an ordering was changed."""

    NONE = 0
    FIRST = 1
    THEN = 2


_OPTIONAL = ActionFlag.OPTIONAL
_RUNNABLE = ActionFlag.RUNNABLE
_MIGRATE = ActionFlag.MIGRATE_RUNNABLE

_COMPLETED = {
    "stop": "stopped",
    "start": "running",
    "notify": "notified",
    "promote": "promoted",
    "demote": "demoted",
}
_DONE = ("stopped", "running", "notified", "promoted", "demoted")


# -- colocation


def block_dependents(plan: Plan, action: Action) -> None:
    """Where a start or promotion cannot run, block those of everything that must be with it."""
    if action.flags & _RUNNABLE or action.task not in ("start", "promote") or action.resource is None:
        return
    is_start = action.task == "start"
    resource = action.resource.top
    if resource.parent is not None:
        # A bundle, which top does not include.
        resource = resource.parent
    if not resource.with_this:
        return
    for child in resource.children:
        # If another instance can run, the dependent can be with that.
        other = find_first_action(child, None, action.task, None)
        if other is None or other.flags & _RUNNABLE:
            return
    for colocation in list(resource.with_this):
        if colocation.score < INFINITY:
            continue
        if not is_start and colocation.primary_role is not Role.PROMOTED:
            continue
        task = "promote" if colocation.dependent_role is Role.PROMOTED else "start"
        _block(plan, colocation.dependent, task, f"colocation with {action.resource.id}")


def _block(plan: Plan, resource: Resource, task: str, reason: str) -> None:
    for action in reversed(list(resource.actions)):
        if action.flags & _RUNNABLE and action.task == task:
            action.flags &= ~_RUNNABLE
            action.set_reason(reason)
            block_dependents(plan, action)
            update_for_orderings(plan, action)
    for child in resource.children:
        _block(plan, child, task, reason)


# -- one action


def _effective_flags(action: Action, node: Node | None) -> int:
    """Return the flags of an action as an ordering sees them."""
    resource = action.resource
    if resource is None:
        return action.flags
    assert resource.variant is not None
    flags = resource.variant.action_flags(resource, action, None)
    if node is None or resource.kind is not Kind.CLONE:
        return flags
    runnable = flags & _RUNNABLE
    # Whether a clone as a whole can run does not depend on the node.
    return resource.variant.action_flags(resource, action, node) | runnable


def _for_ordering(plan: Plan, action: Action) -> Action:
    """Return the action that others have to wait for: of collections, the one that says it is complete."""
    resource = action.resource
    if resource is None or resource.kind is Kind.PRIMITIVE:
        return action
    key = _completed_key(action.key, resource)
    found = find_first_action(resource, key, None, None)
    return action if found is None else found


def _completed_key(key: str, resource: Resource) -> str:
    if "notify" in key:
        return key
    parsed = parse_operation_key(key)
    if parsed is None or parsed[2] > 0:
        return key
    identifier, task, _ = parsed
    completed = _COMPLETED.get(task, task if task in _DONE else None)
    if completed is None:
        return key
    if resource.notify and (
        resource.parent is None or (resource.kind is Kind.CLONE and resource.parent.kind is Kind.BUNDLE)
    ):
        return f"{identifier}_confirmed-post_notify_{completed}_0"
    return f"{identifier}_{completed}_0"


def _start_node(action: Action) -> Node | None:
    resource = action.resource
    if resource is not None and resource.kind is Kind.GROUP and action.task == "start":
        return resource.sole_location(current=False) or None
    return action.node


def update_for_orderings(plan: Plan, then: Action) -> None:
    """Bring an action into line with everything that is ordered before it, and what follows from that."""
    changed = Updated.NONE
    last_flags = then.flags
    requires_any = bool(then.flags & ActionFlag.REQUIRES_ANY)
    if requires_any:
        then.runnable_before = 0
        if then.required_runnable_before == 0:
            then.required_runnable_before = 1
        then.flags &= ~_RUNNABLE
    for link in reversed(then.before):
        first = link.action
        then_node, first_node = _start_node(then), _start_node(first)
        if (
            link.type & Order.SAME_NODE
            and first_node is not None
            and then_node is not None
            and first_node is not then_node
        ):
            link.type = Order.NONE
            continue
        changed &= ~Updated.FIRST
        if first.resource is not None and link.type & Order.THEN_CANCELS_FIRST and not then.flags & _OPTIONAL:
            first.flags |= _OPTIONAL
            if first.task == "reload-agent":
                first.resource.reload = False
        if (
            first.resource is not None
            and then.resource is not None
            and first.resource is not then.resource
            and not then.resource.is_descendant_of(first.resource)
        ):
            first = _for_ordering(plan, first)
        if first is link.action:
            first_flags, then_flags = _effective_flags(first, then_node), _effective_flags(then, first_node)
            changed |= _apply(plan, first, then, first_flags, then_flags, link)
        elif order_actions(first, then, link.type):
            # The ordering is replaced by one after completion.
            changed |= Updated.THEN
            link.type = Order.NONE
        if changed & Updated.FIRST:
            for later in reversed(first.after):
                update_for_orderings(plan, later.action)
            update_for_orderings(plan, first)
    if requires_any:
        if last_flags == then.flags:
            changed &= ~Updated.THEN
        else:
            changed |= Updated.THEN
    if changed & Updated.THEN:
        if last_flags & _RUNNABLE and not then.flags & _RUNNABLE:
            block_dependents(plan, then)
        update_for_orderings(plan, then)
        for later in reversed(then.after):
            update_for_orderings(plan, later.action)


def _apply(plan: Plan, first: Action, then: Action, first_flags: int, then_flags: int, link: Link) -> int:
    """Apply every meaning that an ordering has."""
    changed = Updated.NONE
    node = then.node
    if link.type & Order.IMPLIES_THEN_ON_NODE:
        # Only what happens on the same node is implied.
        link.type = (link.type & ~Order.IMPLIES_THEN_ON_NODE) | Order.IMPLIES_THEN
        node = first.node
    kind = link.type
    has_resource = then.resource is not None
    if kind & Order.IMPLIES_THEN:
        if has_resource:
            changed |= _update(then, first, then, node, first_flags & _OPTIONAL, _OPTIONAL, Order.IMPLIES_THEN)
        elif not first_flags & _OPTIONAL and then.flags & _OPTIONAL:
            then.flags &= ~_OPTIONAL
            changed |= Updated.THEN
    if kind & Order.RESTART and has_resource:
        changed |= _update(then, first, then, node, first_flags, _OPTIONAL | _RUNNABLE, Order.RESTART)
    if kind & Order.IMPLIES_FIRST:
        if first.resource is not None:
            changed |= _update(first, first, then, node, first_flags, _OPTIONAL, Order.IMPLIES_FIRST)
        elif not first_flags & _OPTIONAL and first.flags & _RUNNABLE:
            first.flags &= ~_RUNNABLE
            changed |= Updated.FIRST
    if kind & Order.PROMOTED_IMPLIES_FIRST and has_resource:
        changed |= _update(then, first, then, node, first_flags & _OPTIONAL, _OPTIONAL, Order.PROMOTED_IMPLIES_FIRST)
    if kind & Order.ONE_OR_MORE:
        if has_resource:
            changed |= _update(then, first, then, node, first_flags, _RUNNABLE, Order.ONE_OR_MORE)
        elif first_flags & _RUNNABLE:
            then.runnable_before += 1
            if then.runnable_before >= then.required_runnable_before and not then.flags & _RUNNABLE:
                then.flags |= _RUNNABLE
                changed |= Updated.THEN
    if kind & Order.PROBE and has_resource:
        if not first_flags & _RUNNABLE and first.resource is not None and first.resource.running_on:
            # It is running already, so nothing has to be started before the probe.
            link.type = kind = Order.NONE
        else:
            changed |= _update(then, first, then, node, first_flags, _RUNNABLE, Order.RUNNABLE_LEFT)
    if kind & Order.RUNNABLE_LEFT:
        if has_resource:
            changed |= _update(then, first, then, node, first_flags, _RUNNABLE, Order.RUNNABLE_LEFT)
        elif not first_flags & _RUNNABLE and then.flags & _RUNNABLE:
            then.flags &= ~_RUNNABLE
            changed |= Updated.THEN
    if has_resource:
        for bit, mask in _PLAIN:
            if kind & bit:
                changed |= _update(then, first, then, node, first_flags, mask, bit)
    return changed | _mark(first, then, first_flags, then_flags, kind)


_PLAIN = (
    (Order.IMPLIES_FIRST_MIGRATABLE, _OPTIONAL),
    (Order.PSEUDO_LEFT, _OPTIONAL),
    (Order.OPTIONAL, _RUNNABLE),
    (Order.ASYMMETRICAL, _RUNNABLE),
)


def _mark(first: Action, then: Action, first_flags: int, then_flags: int, kind: int) -> int:
    """Note what is to be shown though it does nothing; stop what waits for a blocked stop."""
    if first.flags & _RUNNABLE and kind & Order.IMPLIES_THEN_PRINTED and not first_flags & _OPTIONAL:
        then.flags |= ActionFlag.PRINT_ALWAYS
    if kind & Order.IMPLIES_FIRST_PRINTED and not then_flags & _OPTIONAL:
        first.flags |= ActionFlag.PRINT_ALWAYS
    if (
        kind & (Order.IMPLIES_THEN | Order.IMPLIES_FIRST | Order.RESTART)
        and first.resource is not None
        and not first.resource.managed
        and first.resource.blocked
        and not first.flags & _RUNNABLE
        and first.task == "stop"
        and then.flags & _RUNNABLE
    ):
        then.flags &= ~_RUNNABLE
        return Updated.THEN
    return Updated.NONE


def _update(action: Action, first: Action, then: Action, node: Node | None, flags: int, mask: int, bit: int) -> int:
    """Let the resource of an action apply one meaning of an ordering in its own way."""
    resource = action.resource
    assert resource is not None and resource.variant is not None
    return resource.variant.update_ordered_actions(resource, first, then, node, flags, mask, bit)


# -- the basic meaning of orderings


def _clear(action: Action, flag: int, because: Action) -> None:
    """Clear a flag and note which other resource's action was the reason."""
    if not action.flags & flag:
        return
    action.flags &= ~flag
    if action.resource is not because.resource:
        change = "required" if flag == _OPTIONAL else "unrunnable"
        owner = "" if because.resource is None else f" {because.resource.id}"
        action.set_reason(f"{change}{owner} {because.task}", overwrite=flag == _MIGRATE)


def update_ordered(
    plan: Plan, first: Action, then: Action, node: Node | None, flags: int, mask: int, order: int
) -> int:
    """Apply one meaning of an ordering to its two actions; return which of them changed.

    Args:
        flags: the effective flags of ``first``.
        mask: the flags that matter.
        order: the one bit of :class:`Order` that is applied.
    """
    then_flags, first_flags = then.flags, first.flags
    if order & Order.ASYMMETRICAL:
        _asymmetric(first, then)
    if order & Order.IMPLIES_FIRST and not then_flags & _OPTIONAL:
        if mask & _OPTIONAL and not flags & _OPTIONAL and first_flags & _OPTIONAL:
            _clear(first, _OPTIONAL, then)
        if flags & _MIGRATE and not then.flags & _MIGRATE:
            _clear(first, _MIGRATE, then)
    if (
        order & Order.PROMOTED_IMPLIES_FIRST
        and then.resource is not None
        and then.resource.role is Role.PROMOTED
        and mask & _OPTIONAL
        and not then.flags & _OPTIONAL
    ):
        _clear(first, _OPTIONAL, then)
        if first.flags & _MIGRATE and not then.flags & _MIGRATE:
            _clear(first, _MIGRATE, then)
    if order & Order.IMPLIES_FIRST_MIGRATABLE and mask & _OPTIONAL:
        if not then.has(_MIGRATE | _RUNNABLE):
            _clear(first, _RUNNABLE, then)
        if not then.flags & _OPTIONAL:
            _clear(first, _OPTIONAL, then)
    if order & Order.PSEUDO_LEFT and mask & _OPTIONAL and not first.flags & _RUNNABLE:
        # No migration, so it is a real start.
        _clear(then, _MIGRATE, first)
        then.flags &= ~ActionFlag.PSEUDO
    if order & Order.RUNNABLE_LEFT and mask & _RUNNABLE and then.flags & _RUNNABLE and not flags & _RUNNABLE:
        _clear(then, _RUNNABLE, first)
        _clear(then, _MIGRATE, first)
    if (
        order & Order.IMPLIES_THEN
        and mask & _OPTIONAL
        and then.flags & _OPTIONAL
        and not flags & _OPTIONAL
        and not first.flags & _MIGRATE
    ):
        _clear(then, _OPTIONAL, first)
    if order & Order.RESTART:
        _restart(first, then, mask)
    changed = Updated.NONE
    if then_flags != then.flags:
        changed |= Updated.THEN
        if then.resource is not None and then.resource.parent is not None:
            # Stop and start of cloned groups depend on their members.
            update_for_orderings(plan, then)
    if first_flags != first.flags:
        changed |= Updated.FIRST
    return changed


def _asymmetric(first: Action, then: Action) -> None:
    """Without the inverse, an ordering matters only when "then" is really going to happen."""
    resource = then.resource
    if resource is None:
        return
    role = resource.role_now()
    if role is Role.STOPPED and then.task == "stop":
        return
    if (
        role >= Role.STARTED
        and then.flags & _OPTIONAL
        and then.node is not None
        and len(resource.running_on) == 1
        and then.node is resource.running_on[0]
        and then.task == "start"
    ):
        return
    if not first.flags & _RUNNABLE:
        _clear(then, _OPTIONAL, first)
        _clear(then, _RUNNABLE, first)


def _restart(first: Action, then: Action, mask: int) -> None:
    """In "stop X then start X", make the stop required if the start is, or cannot happen."""
    assert then.resource is not None
    required = bool(mask & _OPTIONAL) and not then.flags & _OPTIONAL
    stuck = (
        bool(mask & _RUNNABLE)
        and not then.flags & _RUNNABLE
        and then.resource.managed
        and first.resource is then.resource
    )
    if not required and not stuck:
        return
    if first.flags & _RUNNABLE:
        _clear(first, _OPTIONAL, then)
    if not then.flags & _OPTIONAL:
        _clear(first, _OPTIONAL, then)
    if not then.flags & _MIGRATE:
        _clear(first, _MIGRATE, then)
    if not first.flags & _OPTIONAL and not first.flags & _RUNNABLE:
        _clear(then, _RUNNABLE, first)
