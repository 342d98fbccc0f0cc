"""Which orderings become inputs in the transition graph, and which actions become part of it. Pure."""

from hatools.scheduler.model.action import Action, ActionFlag, Link, LinkState, Order
from hatools.scheduler.model.resource import Kind

_HARMLESS = Order.IMPLIES_FIRST_PRINTED | Order.IMPLIES_THEN_PRINTED | Order.OPTIONAL


def belongs_to_graph(action: Action, errors: list[str] | None = None) -> bool:
    """Say whether an action is to be done."""
    flags = action.flags
    if not flags & ActionFlag.RUNNABLE:
        return False
    if flags & ActionFlag.OPTIONAL and not flags & ActionFlag.PRINT_ALWAYS:
        return False
    resource = action.resource
    if (
        resource is not None
        and not resource.managed
        and action.task != "monitor"
        and action.meta.get("interval", "0") == "0"
    ):
        # Whatever is not managed is left alone, except that it may be monitored.
        return False
    if flags & ActionFlag.PSEUDO or action.task in ("stonith", "do_shutdown"):
        return True
    problem = None
    node = action.node
    if node is None:
        problem = "it was not allocated to a node"
    elif flags & ActionFlag.DC or (node.is_guest and not node.remote_requires_reset):
        problem = None
    elif not node.online:
        problem = "it was scheduled for offline node"
    elif node.unclean:
        problem = "it was scheduled for unclean node"
    if problem is not None and errors is not None:
        errors.append(f"Skipping action {action.key} ({action.id}) because {problem} (bug?)")
    return problem is None


def belongs_to_inputs(action: Action, link: Link) -> bool:
    """Say whether an action has to wait for an earlier one in this transition."""
    if link.state is LinkState.DUMPED:
        return True
    kind = link.type
    first = link.action
    if kind == Order.NONE:
        return False
    if not first.flags & ActionFlag.RUNNABLE and (
        not kind & ~_HARMLESS or kind & (Order.ONE_OR_MORE | Order.IMPLIES_FIRST_MIGRATABLE)
    ):
        return False
    migrates = bool(first.flags & ActionFlag.MIGRATE_RUNNABLE)
    if kind & Order.APPLY_FIRST_NON_MIGRATABLE and migrates:
        return False
    if kind == Order.OPTIONAL and migrates and first.key.endswith("_stop_0"):
        return False
    if kind == Order.LOAD:
        return _load_matters(action, link)
    if kind == Order.ANTI_COLOCATION:
        apart = first.node is not None and action.node is not None and first.node is not action.node
        if apart or first.optional:
            link.type = Order.NONE
            return False
        return True
    if (
        first.resource is not None
        and first.resource is not action.resource
        and first.resource.failed
        and not first.resource.managed
        and first.key.endswith("_stop_0")
        and action.resource is not None
        and action.resource.kind is Kind.CLONE
    ):
        # A clone's shutdown does not wait for what is blocked.
        return False
    return not (
        first.optional
        and not first.flags & (ActionFlag.PRINT_ALWAYS | ActionFlag.DUMPED)
        and not belongs_to_graph(first)
    )


def _load_matters(action: Action, link: Link) -> bool:
    """Say whether capacity must become free on the node before the action."""
    first = link.action
    if action.resource is not None and action.task == "migrate_to":
        target = action.resource.assigned_to
        if first.node is None or target is None or first.node is not target:
            link.type = Order.NONE
            return False
        return True
    if first.node is None or action.node is None or first.node is not action.node or first.optional:
        link.type = Order.NONE
        return False
    return True


def has_loop(origin: Action, action: Action, link: Link) -> bool:
    """Say whether following an ordering backwards leads to the action itself."""
    first = link.action
    if first.flags & ActionFlag.TRACKING or not belongs_to_inputs(action, link):
        return False
    if first is origin:
        return True
    first.flags |= ActionFlag.TRACKING
    found = False
    for earlier in reversed(first.before):
        if has_loop(origin, first, earlier):
            found = True
            break
    first.flags &= ~ActionFlag.TRACKING
    return found


def deduplicate_inputs(action: Action) -> None:
    """Merge orderings after the same action; the rest is sorted by that action's id."""
    merged: dict[Action, Link] = {}
    newest_first = action.before[::-1]
    for link in sorted(newest_first, key=lambda each: each.action.id):
        known = merged.get(link.action)
        if known is None:
            link.state = LinkState.NOT_DUMPED
            merged[link.action] = link
        else:
            known.type |= link.type
            if link.state is LinkState.DUMPED:
                known.state = LinkState.DUMPED
    # Links are walked newest first, so the lowest id comes last.
    action.before = list(reversed(merged.values()))
