"""What a transition will change, as people are told: Start, Stop, Move, Recover. Pure."""

from typing import TYPE_CHECKING

from hatools.scheduler.model.action import Action
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.unpack.factory import resource_actions
from hatools.values.records import dataclass
from hatools.values.role import Role, format_role

if TYPE_CHECKING:
    from hatools.scheduler.plan import Plan


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One line of the transition summary.

    ``change`` is the word shown (``Start``, ``Move``, ``Fence (reboot)``), ``resource`` the resource
    (or node, when fencing), ``detail`` what is in parentheses, ``reason`` what follows "due to",
    ``blocked`` whether the change cannot be made now. ``node_change`` marks lines about nodes.
    ``origin`` and ``destination`` are node names, ``role`` and ``next_role`` the roles' names.
    """

    change: str
    resource: str
    detail: str
    reason: str | None = None
    blocked: bool = False
    node_change: bool = False
    origin: str | None = None
    destination: str | None = None
    role: str | None = None
    next_role: str | None = None


def settle_roles(plan: "Plan") -> None:
    """Count what is active somewhere as started even if its history says otherwise."""
    for top in plan.resources:
        for resource in top.descendants():
            if resource.is_primitive and resource.running_on and resource.role is Role.STOPPED:
                resource.role = Role.STARTED


def build_summary(plan: "Plan") -> None:
    """Record all changes: nodes first, then resources in their order."""
    for action in reversed(plan.actions):
        if action.resource is not None or action.optional:
            continue
        if action.task == "do_shutdown":
            change = "Shutdown"
        elif action.task == "stonith":
            change = f"Fence ({action.meta.get('stonith_action')})"
        else:
            continue
        node = action.node
        name = "" if node is None else node.display_name
        if node is not None and node.is_guest:
            assert node.remote_resource is not None and node.remote_resource.container is not None
            name += f" (resource: {node.remote_resource.container.id})"
        plan.summary.append(SummaryLine(change, name, "", action.reason, node_change=True))
    for resource in plan.resources:
        assert resource.variant is not None
        resource.variant.output_actions(resource)


def _detail(resource: Resource, origin: Node | None, destination: Node | None) -> str:
    """Return where and in which role the resource is and will be."""
    before, after = format_role(resource.role), format_role(resource.next_role)
    start = "" if origin is None else origin.display_name
    end = "" if destination is None else destination.display_name
    show_role = resource.role > Role.STARTED or resource.next_role > Role.UNPROMOTED
    same_host = origin is not None and origin is destination
    same_role = resource.role is resource.next_role
    if origin is None:
        return f"{before} -> {after} {end}" if show_role else end
    if destination is None:
        return f"{before} {start}" if show_role else start
    if same_role and same_host:
        return f"{before} {start}" if show_role else start
    if same_role:
        return f"{start} -> {end} {before}" if show_role else f"{start} -> {end}"
    if same_host:
        return f"{before} -> {after} {start}"
    return f"{before} {start} -> {after} {end}"


class _Recorder:
    """Writes lines about one resource."""

    def __init__(self, plan: "Plan", resource: Resource) -> None:
        self.plan = plan
        self.resource = resource

    def line(
        self,
        change: str,
        origin: Node | None,
        destination: Node | None,
        action: Action | None,
        source: Action | None = None,
    ) -> None:
        """Record a change; ``source`` is the action that knows why, if it is another."""
        reason_of = action if source is None else source
        self.plan.summary.append(
            SummaryLine(
                change,
                self.resource.id,
                _detail(self.resource, origin, destination),
                None if reason_of is None else reason_of.reason,
                blocked=action is not None and not action.runnable,
                origin=None if origin is None else origin.name,
                destination=None if destination is None else destination.name,
                role=format_role(self.resource.role),
                next_role=format_role(self.resource.next_role),
            )
        )


def _first(resource: Resource, node: Node | None, task: str) -> Action | None:
    found = resource_actions(resource, node, task, require_node=False)
    return found[0] if found else None


def record_resource(plan: "Plan", resource: Resource) -> None:
    """Record what will change for a primitive, if anything."""
    following = resource.assigned_to
    current = resource.active_node() if resource.running_on else None
    if current is None and resource.orphan:
        return
    if not resource.managed or (current is None and following is None):
        return
    start = _first(resource, following, "start")
    stop = _first(resource, current if start is not None and start.runnable else None, "stop")
    if stop is None and resource.stop_unexpected:
        stop = _first(resource, None, "stop")
    promote = _first(resource, following, "promote")
    demote = _first(resource, following, "demote")
    recorder = _Recorder(plan, resource)
    if resource.role is resource.next_role:
        if following is not None:
            _record_same_role(recorder, current, following, start, stop, promote, demote)
    else:
        _record_new_role(recorder, current, following, start, stop, promote, demote)


def _record_same_role(
    recorder: _Recorder,
    current: Node | None,
    following: Node,
    start: Action | None,
    stop: Action | None,
    promote: Action | None,
    demote: Action | None,
) -> None:
    resource = recorder.resource
    moving = current is not None and current is not following
    migration = _first(resource, following, "migrate_from")
    if migration is not None and current is not None and migration.runnable:
        recorder.line("Migrate", current, following, start)
    elif resource.reload:
        recorder.line("Reload", current, following, start)
    elif start is None or start.optional:
        if demote is not None and promote is not None and not demote.optional and not promote.optional:
            recorder.line("Re-promote", current, following, promote, demote)
    elif not start.runnable:
        recorder.line("Stop", current, None, stop, stop if stop is not None and stop.reason else start)
    elif moving:
        recorder.line("Recover" if resource.failed else "Move", current, following, stop)
    elif resource.failed:
        recorder.line("Recover", current, None, stop)
    else:
        recorder.line("Restart", current, following, start)


def _record_new_role(
    recorder: _Recorder,
    current: Node | None,
    following: Node | None,
    start: Action | None,
    stop: Action | None,
    promote: Action | None,
    demote: Action | None,
) -> None:
    resource = recorder.resource
    moving = current is not None and following is not None and current is not following
    if stop is not None and (resource.next_role is Role.STOPPED or (start is not None and not start.runnable)):
        for node in resource.running_on:
            action = _first(resource, node, "stop")
            recorder.line("Stop", node, None, action, action if action is not None and action.reason else start)
    elif stop is not None and resource.failed and resource.stop:
        recorder.line("Recover", current, following, stop, start)
    elif moving:
        recorder.line("Move", current, following, stop)
    elif resource.reload:
        recorder.line("Reload", current, following, start)
    elif stop is not None and not stop.optional:
        recorder.line("Restart", current, following, start)
    elif resource.role is Role.PROMOTED:
        recorder.line("Demote", current, following, demote)
    elif resource.next_role is Role.PROMOTED:
        recorder.line("Promote", current, following, promote)
    elif resource.role is Role.STOPPED and resource.next_role > Role.STOPPED:
        recorder.line("Start", current, following, start)
