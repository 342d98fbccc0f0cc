"""Fail counts: how often a resource failed on a node, and which failures have expired. Pure."""

import re

from hatools.cib.rules import compare_versions
from hatools.scheduler.model.history import Operation
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.values.duration import parse_interval_ms
from hatools.values.integer import whole_number
from hatools.values.opkey import format_operation_key
from hatools.values.records import dataclass, field
from hatools.values.score import add_scores

_INSTANCE = re.compile(r"(.*):\d+")
_OPERATION = re.compile(r"(.+)#.+_\d+")


def strip_instance(identifier: str) -> str:
    """Return an id without its instance number."""
    match = _INSTANCE.fullmatch(identifier)
    return match[1] if match else identifier


@dataclass(slots=True)
class _Counts:
    """Fail counts and times of last failures of one node, by resource name."""

    attributes: int
    exact: dict[str, list[tuple[bool, str]]] = field(default_factory=dict)
    stripped: dict[str, list[tuple[bool, str]]] = field(default_factory=dict)


def _index(plan: Plan, node: Node) -> _Counts:
    known: dict[Node, _Counts] = plan.scratch.setdefault("fail counts", {})
    counts = known.get(node)
    if counts is not None and counts.attributes == len(node.attributes):
        return counts
    legacy = compare_versions(plan.document.root.get("crm_feature_set") or "0", "3.0.13") < 0
    counts = known[node] = _Counts(len(node.attributes))
    for attribute, value in node.attributes.items():
        is_count = attribute.startswith("fail-count-")
        if not is_count and not attribute.startswith("last-failure-"):
            continue
        name = attribute[len("fail-count-") if is_count else len("last-failure-") :]
        if not legacy:
            match = _OPERATION.fullmatch(name)
            if match is None:
                continue
            name = match[1]
        counts.exact.setdefault(name, []).append((is_count, value))
        if _INSTANCE.fullmatch(name):
            counts.stripped.setdefault(strip_instance(name), []).append((is_count, value))
    return counts


def has_failures(plan: Plan, node: Node) -> bool:
    """Say whether any fail count is recorded for a node."""
    return bool(_index(plan, node).exact)


@dataclass(frozen=True, slots=True)
class FailCount:
    """A number of failures (INFINITY is 1000000) and when the last was, 0 if that is unknown."""

    count: int
    last: int


def fail_count(
    plan: Plan,
    node: Node,
    resource: Resource,
    *,
    effective: bool = False,
    fillers: bool = False,
    operation: Operation | None = None,
) -> FailCount:
    """Return how often a resource failed on a node.

    Args:
        effective: failures that have expired do not count.
        fillers: failures of what runs inside the resource count as well.
        operation: the failure that is being looked at, if any.
    """
    index = _index(plan, node)
    name = resource.history_id or resource.id
    if resource.unique:
        entries = index.exact.get(name, [])
    else:
        name = strip_instance(name)
        entries = index.exact.get(name, []) + index.stripped.get(name, [])
    count = last = 0
    for is_count, value in entries:
        if is_count:
            count = add_scores(count, plan.options.score(value))
        else:
            last = max(last, whole_number(value))
    if count and resource.failure_timeout_s and _blocks(plan, node, resource, operation):
        plan.config_warning(
            f"Ignoring failure timeout {resource.failure_timeout_s} for {resource.id} "
            "because it conflicts with on-fail=block"
        )
        resource.failure_timeout_s = 0
    result_last = last if count > 0 and last > 0 else 0
    if (
        effective
        and count > 0
        and last > 0
        and resource.failure_timeout_s
        and plan.effective_time > last + resource.failure_timeout_s
    ):
        count = 0
    if fillers and resource.fillers and not resource.is_bundled:
        for filler in resource.fillers:
            inner = fail_count(plan, node, filler, effective=effective, fillers=True, operation=operation)
            count += inner.count
            result_last = max(result_last, inner.last)
    return FailCount(count, result_last)


def _blocks(plan: Plan, node: Node, resource: Resource, operation: Operation | None) -> bool:
    """Say whether a failure that is configured to block the resource is recorded."""
    name = strip_instance(resource.id)
    for configured in resource.operations:
        if configured.get("on-fail") != "block":
            continue
        if operation is not None:
            candidates = [operation]
        else:
            history = plan.history(node.name, name)
            candidates = [] if history is None else history.operations
        task = configured.get("name") or ""
        interval = parse_interval_ms(configured.get("interval"))
        for candidate in candidates:
            if candidate.interval_ms == interval and (candidate.task or "").lower() == task.lower():
                if candidate.id == format_operation_key(name, "last_failure", 0):
                    return True
                if candidate.id == format_operation_key(name, task, interval) and candidate.rc != candidate.target_rc:
                    return True
    return False
