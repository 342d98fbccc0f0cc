"""Whether a resource's definition changed since an operation ran: parameter digests. Pure."""

from collections.abc import Mapping
from enum import Enum

from hatools.cib.digest import filter_for_digest, only, operation_digest, without
from hatools.cib.rules import compare_versions
from hatools.scheduler.model.history import Operation
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.plan import Plan
from hatools.scheduler.unpack.operations import (
    is_remote_connection_xml,
    node_attributes_of_operation,
    operation_settings,
)
from hatools.scheduler.unpack.parameters import parameters
from hatools.values.integer import whole_number
from hatools.values.opkey import format_operation_key
from hatools.values.records import dataclass

FEATURE_SET = "3.16.1"
_FENCE_WORDS = ("provides", "stonith-timeout")
_FENCE_PARAMETERS = (
    "pcmk_action_limit",
    "pcmk_delay_base",
    "pcmk_delay_max",
    "pcmk_host_argument",
    "pcmk_host_check",
    "pcmk_host_list",
    "pcmk_host_map",
)


class Change(Enum):
    """What a comparison of digests shows."""

    MATCH = "match"
    RESTART = "restart"
    ALL = "all"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class DigestResult:
    """Digests of an operation as it is configured now; ``change`` compares with the history."""

    change: Change
    all_parameters: dict[str, str]
    all_digest: str
    secure_parameters: dict[str, str] | None = None
    secure_digest: str | None = None
    restart_parameters: dict[str, str] | None = None
    restart_digest: str | None = None


def needs_host_name(plan: Plan, resource: Resource) -> bool:
    """Say whether the connection's address is that of whatever node its container runs on."""
    return (
        is_remote_connection_xml(resource.xml)
        and (parameters(plan, resource, None).get("addr") or "").lower() == "#uname"
    )


def container_host(plan: Plan, resource: Resource) -> str | None:
    """Return the node where the container of a bundle's connection will be or is."""
    if not needs_host_name(plan, resource):
        return None
    top = resource
    while top.parent is not None:
        top = top.parent
    if top.bundle_data is None:
        return None
    for replica in top.bundle_data.replicas:
        if replica.remote is resource and replica.container is not None:
            node = replica.container.assigned_to or replica.container.active_node()
            return None if node is None else node.name
    return None


def _is_fencing_parameter(name: str) -> bool:
    if name in _FENCE_WORDS or name in _FENCE_PARAMETERS:
        return True
    if not name.startswith("pcmk_"):
        return False
    _, separator, rest = name[5:].partition("_")
    return bool(separator) and "_" + rest in ("_action", "_timeout", "_retries")


def calculate_digests(
    plan: Plan,
    resource: Resource,
    task: str,
    interval_ms: int,
    node: Node,
    operation: Operation | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    secure: bool = False,
) -> DigestResult:
    """Calculate the digests of an operation as configured now.

    Args:
        operation: the recorded operation to compare with; names the parameters to leave out.
        overrides: parameters that take precedence over the configured ones.
        secure: also calculate the digest without secret parameters.
    """
    table: dict[str, str] = {}
    host = container_host(plan, resource)
    if host is not None:
        table["addr"] = host
    if overrides:
        interval_ms = whole_number(overrides.get("CRM_meta_interval"), interval_ms)
    key = format_operation_key(resource.id, task, interval_ms)
    settings = operation_settings(plan, resource, key, task, interval_ms, node)
    extra = node_attributes_of_operation(plan, settings.config, node)
    configured = parameters(plan, resource, node)
    meta = {
        "CRM_meta_" + name.replace("-", "_"): value
        for name, value in settings.meta.items()
        if "#" not in name and ":" not in name
    }
    for source in (overrides or {}, configured, extra, meta):
        for name, value in source.items():
            table.setdefault(name, value)
    everything = filter_for_digest(table)
    change = Change.RESTART if interval_ms == 0 and extra else Change.MATCH
    result = DigestResult(change, everything, operation_digest(everything))
    if secure:
        _add_secure(plan, result, resource, configured, operation, overrides)
    if operation is not None and operation.restart_digest is not None:
        kept = everything
        if operation.restart_params is not None:
            kept = only(everything, operation.restart_params.split())
        result.restart_parameters = dict(kept)
        result.restart_digest = operation_digest(kept)
    return result


def _add_secure(
    plan: Plan,
    result: DigestResult,
    resource: Resource,
    configured: Mapping[str, str],
    operation: Operation | None,
    overrides: Mapping[str, str] | None,
) -> None:
    version = (operation.feature_set if operation else None) or plan.document.root.get("crm_feature_set")
    old = compare_versions(version or FEATURE_SET, "3.16.0") < 0
    secret = "passwd password user" if operation is None else operation.secure_params
    kept = {**configured, **(overrides or {})} if old else result.all_parameters
    kept = without(kept, secret)
    if old and (resource.standard or "").lower() == "stonith":
        kept = {name: value for name, value in kept.items() if not _is_fencing_parameter(name)}
    kept = filter_for_digest(kept)
    if old:
        kept.pop("CRM_meta_timeout", None)
    result.secure_parameters = kept
    result.secure_digest = operation_digest(kept)


def _cached(
    plan: Plan,
    resource: Resource,
    task: str,
    interval_ms: int,
    node: Node,
    operation: Operation | None,
    *,
    secure: bool,
) -> DigestResult:
    key = format_operation_key(resource.id, task, interval_ms)
    found = node.digest_cache.get(key)
    if found is None:
        found = calculate_digests(plan, resource, task, interval_ms, node, operation, secure=secure)
        node.digest_cache[key] = found
    return found


def compare_operation(plan: Plan, resource: Resource, operation: Operation, node: Node) -> DigestResult:
    """Compare a recorded operation's digests with the current definition."""
    data = _cached(plan, resource, operation.task or "", operation.interval_ms, node, operation, secure=plan.sanitized)
    restart = operation.restart_digest
    if restart is not None and data.restart_digest is not None and data.restart_digest != restart:
        data.change = Change.RESTART
    elif operation.digest is None:
        data.change = Change.UNKNOWN
    elif operation.digest != data.all_digest:
        if operation.interval_ms or data.change is not Change.RESTART:
            data.change = Change.ALL
    else:
        data.change = Change.MATCH
    return data


def compare_fencing(plan: Plan, resource: Resource, agent: str, node: Node) -> DigestResult:
    """Compare the definition of an unfencing device with the one that last unfenced the node."""
    data = _cached(plan, resource, "stonith-on", 0, node, None, secure=True)
    recorded = node.attributes.get("#digests-all")
    if recorded is None:
        data.change = Change.UNKNOWN
    elif f"{resource.id}:{agent}:{data.all_digest}" in recorded:
        data.change = Change.MATCH
    elif f"{resource.id}:{agent}:{data.secure_digest}" in (node.attributes.get("#digests-secure") or ""):
        data.change = Change.MATCH
        plan.say("info", f"Only 'private' parameters to {resource.id} for unfencing {node.display_name} changed")
    else:
        data.change = Change.ALL
        if plan.sanitized:
            plan.say(
                "info",
                f"Parameters to {resource.id} for unfencing {node.display_name} changed, "
                f"try '{resource.id}:{agent}:{data.secure_digest}'",
            )
    return data
