"""A cluster status as JSON, our own format. Pure.

Names and values follow the XML of ``crm_mon``; what XML says by nesting is a list here, truth
values and numbers are real ones, times are seconds since the epoch. ``warnings`` say first what
an operator must know: unclean nodes with the reason, void promises, missing quorum.
"""

from hatools.status.model import (
    BundleStatus,
    CloneStatus,
    ClusterStatus,
    FailedAction,
    FencingEvent,
    GroupStatus,
    NodeStatus,
    PrimitiveStatus,
    ResourceStatus,
)
from hatools.status.phrases import node_state, state_word
from hatools.status.sections import shown_attributes
from hatools.status.view import Section, View

__all__ = ["Json", "status_as_json", "warnings"]

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def status_as_json(status: ClusterStatus, view: View) -> Json:
    """Return what a view shows of a status as plain data."""
    wanted = view.sections
    data: dict[str, Json] = {"time": int(status.now), "warnings": list(warnings(status)), "summary": _summary(status)}
    if Section.NODES in wanted:
        data["nodes"] = [_node(node) for node in status.nodes if view.shows_node(node.name)]
    if Section.RESOURCES in wanted:
        data["resources"] = [_resource(resource) for resource in status.resources if view.names(resource.shown_id)]
    if Section.ATTRIBUTES in wanted:
        data["attributes"] = {node.name: _attributes(node) for node in status.nodes if view.shows_node(node.name)}
    if wanted & (Section.OPERATIONS | Section.FAILCOUNTS):
        data["history"] = _history(status, view)
    if Section.FAILURES in wanted:
        shown = (each for each in status.failures if not each.masked and view.shows_node(each.node))
        data["failures"] = [_failure(each) for each in shown]
    if wanted & Section.FENCING and status.fencing is not None:
        data["fencing"] = [_fencing(event) for event in status.fencing]
    if Section.TICKETS in wanted:
        data["tickets"] = [
            {"id": t.id, "granted": t.granted, "standby": t.standby, "last_granted": t.last_granted}
            for t in status.tickets
        ]
    if Section.BANS in wanted:
        data["bans"] = [
            {"id": b.id, "resource": b.resource.id, "node": b.node.name, "score": b.score, "promoted": b.promoted_only}
            for b in status.bans
        ]
    return data


def _failure(failure: FailedAction) -> Json:
    return {
        "operation": failure.key or failure.id,
        "resource": failure.resource,
        "node": failure.node,
        "rc": failure.rc,
        "status": failure.status,
        "reason": failure.exit_reason,
        "time": failure.last_change,
    }


def _fencing(event: FencingEvent) -> Json:
    return {
        "action": event.action,
        "target": event.target,
        "client": event.client,
        "origin": event.origin,
        "state": event.state.value,
        "delegate": event.delegate,
        "time": event.completed or None,
        "reason": event.exit_reason,
    }


def warnings(status: ClusterStatus) -> list[str]:
    """Return what an operator must know first."""
    summary, found = status.summary, []
    if not summary.options.stonith_enabled:
        found.append("fencing is disabled: a resource may become active on two nodes at once")
    if summary.options.maintenance_mode:
        found.append("the cluster is in maintenance mode: no resource is started, stopped or recovered")
    elif summary.options.stop_all_resources:
        found.append("stop-all-resources is set: all resources are kept stopped")
    if summary.dc is None:
        found.append("no designated controller is elected")
    elif not summary.has_quorum:
        found.append("the partition has no quorum")
    for node in status.nodes:
        if node.unclean:
            reason = f": {node.fence_reasons[0]}" if node.fence_reasons else ""
            found.append(f"node {node.name} is unclean and waits to be fenced{reason}")
    return [*found, *status.remarks]


def _summary(status: ClusterStatus) -> Json:
    summary = status.summary
    return {
        "stack": summary.stack,
        "dc": None if summary.dc is None else summary.dc.name,
        "version": summary.dc_version,
        "quorum": summary.has_quorum,
        "mixed_version": summary.mixed_version,
        "last_change": {
            "time": summary.last_written,
            "user": summary.update_user,
            "client": summary.update_client,
            "origin": summary.update_origin,
        },
        "nodes": summary.node_count,
        "resources": summary.resource_count,
        "disabled": summary.disabled_count,
        "blocked": summary.blocked_count,
        "options": {
            "stonith-enabled": summary.options.stonith_enabled,
            "symmetric-cluster": summary.options.symmetric,
            "no-quorum-policy": summary.options.no_quorum_policy,
            "maintenance-mode": summary.options.maintenance_mode,
            "stop-all-resources": summary.options.stop_all_resources,
        },
    }


def _node(node: NodeStatus) -> Json:
    return {
        "name": node.name,
        "id": node.id,
        "type": node.kind.value,
        "state": node_state(node),
        "online": node.online,
        "standby": node.standby,
        "maintenance": node.maintenance,
        "pending": node.pending,
        "unclean": node.unclean,
        "shutdown": node.shutdown,
        "dc": node.is_dc,
        "health": "red" if node.health < 0 else "yellow" if node.health == 0 else "green",
        "feature_set": node.feature_set,
        "resources": [resource.shown_id for resource in node.running],
    }


def _attributes(node: NodeStatus) -> Json:
    known = {attribute.name: attribute.value for attribute in node.attributes}
    return {name: known[name] for name in shown_attributes(node)}


def _resource(resource: ResourceStatus) -> Json:
    data: dict[str, Json] = {
        "id": resource.shown_id,
        "active": resource.active,
        "managed": resource.managed,
        "failed": resource.failed,
        "blocked": resource.blocked,
        "orphaned": resource.orphaned,
        "target_role": resource.target_role,
    }
    match resource:
        case PrimitiveStatus():
            provider = f":{resource.provider}" if resource.provider else ""
            data["kind"] = "primitive"
            data["agent"] = f"{resource.standard}{provider}:{resource.type}"
            data["state"] = state_word(resource, pending=True)
            data["nodes"] = [node.name for node in resource.nodes]
        case GroupStatus():
            data["kind"] = "group"
            data["members"] = [_resource(member) for member in resource.children]
        case CloneStatus():
            data["kind"] = "clone"
            data["promotable"], data["unique"] = resource.promotable, resource.unique
            data["members"] = [_resource(member) for member in resource.children]
        case BundleStatus():
            data["kind"], data["image"], data["type"] = "bundle", resource.image, resource.technology
            data["replicas"] = [
                {"number": replica.offset, "members": [_resource(part) for part in replica.parts]}
                for replica in resource.replicas
            ]
    return data


def _history(status: ClusterStatus, view: View) -> Json:
    found: list[Json] = []
    for each in status.histories:
        if not view.shows_node(each.node.name):
            continue
        for history in each.entries:
            found.append(
                {
                    "node": each.node.name,
                    "resource": history.id,
                    "migration_threshold": history.migration_threshold,
                    "fail_count": history.fail_count,
                    "last_failure": history.last_failure or None,
                    "operations": [
                        {
                            "call": operation.call,
                            "task": operation.task,
                            "interval_ms": int(operation.interval or 0),
                            "rc": operation.rc,
                            "time": operation.last_change or None,
                        }
                        for operation in history.operations
                    ],
                }
            )
    return found
