"""Collect operation histories and fail counts for status displays. Pure."""

from collections.abc import Iterator
from functools import cmp_to_key
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.failures import fail_count
from hatools.status.model import HistoryStatus, NodeHistory, NodeStatus, OperationStatus, ResourceStatus

__all__ = ["collect_histories"]


def collect_histories(
    plan: Plan, nodes: dict[Node, NodeStatus], resources: dict[Resource, ResourceStatus]
) -> Iterator[NodeHistory]:
    """Yield the history of every known node that has a state, in the order of the status section."""
    for state in children(plan.document.status, "node_state"):
        node = plan.find_node_by_id(state.get("id"))
        if node is not None and node.online:
            entries = tuple(
                _history(plan, node, entry, resources)
                for entry in children(state.find("lrm/lrm_resources"), "lrm_resource")
            )
            yield NodeHistory(nodes[node], entries)


def _history(plan: Plan, node: Node, entry: Element, resources: dict[Resource, ResourceStatus]) -> HistoryStatus:
    identifier = entry.get("id") or ""
    resource = plan.find_resource(identifier)
    count = last_failure = threshold = 0
    if resource is not None:
        threshold = resource.migration_threshold
        found = fail_count(plan, node, resource)
        count, last_failure = found.count, found.last
    return HistoryStatus(
        id=identifier,
        resource=None if resource is None else resources.get(resource),
        migration_threshold=threshold,
        fail_count=count,
        last_failure=last_failure,
        operations=tuple(_operations(entry)),
    )


def _operations(entry: Element) -> Iterator[OperationStatus]:
    """Yield what a resource's history shows, in order of execution; notifications and vain probes are left out."""
    kept = []
    for element in children(entry, "lrm_rsc_op"):
        task, rc = _task(element), _integer(element.get("rc-code"))
        if task.lower() != "notify" and not (task == "probe" and rc == 7):
            kept.append(element)
    for element in sorted(kept, key=cmp_to_key(_compare)):
        yield OperationStatus(
            call=element.get("call-id"),
            task=_task(element),
            interval=element.get("interval"),
            rc=_integer(element.get("rc-code")),
            last_change=_integer(element.get("last-rc-change")),
            exec_time=element.get("exec-time"),
            queue_time=element.get("queue-time"),
        )


def _task(element: Element) -> str:
    task = element.get("operation") or ""
    return "probe" if task.lower() == "monitor" and element.get("interval", "0") == "0" else task


def _compare(first: Element, second: Element) -> int:
    """Order two entries by call id; entries of one call, and pending ones, by time."""
    a, b = _integer(first.get("call-id")), _integer(second.get("call-id"))
    if a >= 0 and b >= 0 and a != b:
        return -1 if a < b else 1
    if a == b == -1 or (a >= 0 and a == b):
        early, late = _integer(first.get("last-rc-change")), _integer(second.get("last-rc-change"))
        return (early > late) - (early < late)
    # A pending operation (call -1) comes after what was done.
    return -1 if b == -1 else 1


def _integer(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0
