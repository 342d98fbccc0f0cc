"""What the operation history of a resource on a node means for both. Pure."""

from hatools.scheduler.model.action import ActionFlag, OnFail
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.reason import Cause
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.activity import add_running
from hatools.scheduler.unpack.factory import (
    demote_action,
    require_fencing,
    resource_actions,
    stop_action,
)
from hatools.scheduler.unpack.scores import add_location_score, base_entry
from hatools.values.role import Role
from hatools.values.score import INFINITY


def apply_result(plan: Plan, resource: Resource, node: Node, on_fail: OnFail) -> None:
    """Draw the consequences of a resource's history on a node."""
    if resource.role is not Role.UNKNOWN:
        current: Resource | None = resource
        while current is not None:
            current.known_on.setdefault(node, base_entry(node))
            if current.unique:
                break
            current = current.parent
    if resource.role > Role.STOPPED and not node.online and not node.maintenance and resource.managed:
        _fence_for_active(plan, resource, node)
    saved = on_fail
    if node.unclean:
        # Fencing takes care of everything.
        on_fail = OnFail.IGNORE
    _react(plan, resource, node, on_fail)
    if resource.failed and resource.is_remote_connection:
        remote = plan.find_node(resource.id)
        if remote is not None and remote.unclean:
            # Fencing is needed even if the connection can be re-established.
            remote.unseen = False
    active = resource.role not in (Role.STOPPED, Role.UNKNOWN)
    if active:
        if resource.orphan:
            if resource.managed:
                plan.say("warning", f"Detected active orphan {resource.id} running on {node.display_name}")
            else:
                plan.say(
                    "warning",
                    f"Resource '{resource.id}' must be stopped manually on {node.display_name} "
                    "because cluster is configured not to stop active orphans",
                )
        add_running(plan, resource, node, failed=saved is not OnFail.IGNORE)
        if on_fail in (OnFail.DEMOTE, OnFail.BLOCK):
            resource.failed = True
        elif on_fail is not OnFail.IGNORE:
            resource.failed = resource.stop = True
    elif resource.history_id is not None and ":" in resource.history_id:
        # Only active instances keep the name of their history.
        plan.rename_history(resource, None)
    else:
        for stop in resource_actions(resource, node, "stop", require_node=False):
            stop.flags |= ActionFlag.OPTIONAL
    if (
        resource.role is Role.STOPPED
        and resource.partial_migration_source is node
        and resource.partial_migration_target is not None
        and resource.running_on
    ):
        # The migration was completed meanwhile, only the stop on the source remains.
        resource.role = Role.STARTED


def _fence_for_active(plan: Plan, resource: Resource, node: Node) -> None:
    """Fence a node that is gone although it had something active."""
    reason = f"{resource.id} is thought to be active there"
    fence = False
    if node.is_guest:
        resource.failed = resource.stop = True
        fence = True
    elif plan.options.fencing_enabled:
        connection = node.remote_resource
        if node.is_remote and connection is not None and not connection.failed:
            # Seen, but not sure to be dead: if the connection comes back, fencing is revoked.
            node.unseen = True
            reason = (
                f"{resource.id} is active there (fencing will be revoked if remote connection "
                "can be re-established elsewhere)"
            )
        fence = True
    if fence:
        require_fencing(plan, node, reason)


def _react(plan: Plan, resource: Resource, node: Node, on_fail: OnFail) -> None:
    """Do what the failure settings of the history's failures ask for."""
    active = resource.role not in (Role.STOPPED, Role.UNKNOWN)
    match on_fail:
        case OnFail.IGNORE:
            return
        case OnFail.DEMOTE:
            resource.failed = True
            demote_action(plan, resource, node, optional=False)
        case OnFail.FENCE:
            require_fencing(plan, node, f"{resource.id} failed there")
        case OnFail.STANDBY:
            node.standby = node.standby_on_fail = True
        case OnFail.BLOCK:
            resource.managed = False
            resource.blocked = True
            plan.reasons.resource(resource.id, Cause.BLOCKED, "on-fail=block", "blocked by a failure", node.name)
        case OnFail.MIGRATE:
            add_location_score(plan, resource, node, -INFINITY)
            plan.reasons.resource(resource.id, Cause.FAILURE, "on-fail=migrate", "moved away by a failure", node.name)
        case OnFail.STOP:
            resource.next_role = Role.STOPPED
        case OnFail.RECOVER:
            if active:
                resource.failed = resource.stop = True
                stop_action(plan, resource, node, optional=False)
        case OnFail.RESTART_CONTAINER:
            resource.failed = resource.stop = True
            if resource.container is not None and resource.is_bundled:
                # Where the container is will be known only after everything was read.
                plan.containers_to_stop.insert(0, resource.container)
            elif resource.container is not None:
                stop_action(plan, resource.container, node, optional=False)
            elif active:
                stop_action(plan, resource, node, optional=False)
        case OnFail.RESET_REMOTE:
            _reset_remote(plan, resource, node)


def _reset_remote(plan: Plan, resource: Resource, node: Node) -> None:
    resource.failed = resource.stop = True
    if plan.options.fencing_enabled and resource.is_remote_connection:
        remote = plan.find_node(resource.id)
        if remote is not None and remote.is_remote and not remote.remote_was_fenced:
            require_fencing(plan, remote, "remote connection is unrecoverable")
    if resource.role > Role.STOPPED:
        stop_action(plan, resource, node, optional=False)
    if resource.reconnect_ms:
        # Wait for the reconnect interval before trying again.
        resource.next_role = Role.STOPPED
