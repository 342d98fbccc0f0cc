"""``crm_resource --digests``: the hashes by which the cluster notices changed parameters. I/O."""

from collections.abc import Iterable

from hatools.cli.ending import Refused
from hatools.cli.output import XmlOutput
from hatools.cli.resource.context import Context
from hatools.scheduler.model.history import Operation, ResourceHistory
from hatools.scheduler.model.node import Node
from hatools.scheduler.model.resource import Resource
from hatools.scheduler.unpack.digests import calculate_digests
from hatools.scheduler.unpack.history import sorted_operations
from hatools.scheduler.unpack.parameters import parameters
from hatools.values.exitcode import ExitCode
from hatools.values.glibhash import hash_order
from hatools.values.result import ExecStatus

_EFFECTIVE = ("monitor", "start", "promote", "migrate_from")


def show_digests(context: Context) -> None:
    """Show the digests of the operation that made the resource what it is on the node, or of a start."""
    resource, node = context.wanted, context.node
    assert node is not None
    if not resource.is_primitive:
        raise Refused(ExitCode.UNIMPLEMENT_FEATURE)
    operation = _best_operation(context, resource, node)
    task = "start" if operation is None or operation.task is None else operation.task
    interval_ms = 0 if operation is None else operation.interval_ms
    overrides = context.request.overrides or {}
    result = calculate_digests(context.plan, resource, task, interval_ms, node, operation, overrides, secure=True)
    found = [("all", "all", result.all_digest, result.all_parameters)]
    if result.secure_digest is not None and result.secure_parameters is not None:
        found.append(("nonprivate", "non-private", result.secure_digest, result.secure_parameters))
    if result.restart_digest is not None and result.restart_parameters is not None:
        found.append(("nonreloadable", "non-reloadable", result.restart_digest, result.restart_parameters))
    out = context.out
    if not isinstance(out, XmlOutput):
        for _, words, digest, _ in found:
            out.info(f"{digest} ({words} parameters)")
        return
    out.push("digests", {"resource": resource.id, "node": node.name, "task": task, "interval": f"{interval_ms}ms"})
    order = [*hash_order(overrides), *hash_order(parameters(context.plan, resource, node))]
    for kind, _, digest, values in found:
        out.push("digest", {"type": kind, "hash": digest})
        out.element("parameters", _in_order(values, order))
        out.pop()
    out.pop()


def _in_order(values: dict[str, str], order: Iterable[str]) -> dict[str, str]:
    names = dict.fromkeys([*(name for name in order if name in values), *values])
    return {name: values[name] for name in names}


def _best_operation(context: Context, resource: Resource, node: Node) -> Operation | None:
    """Return the newest recorded operation that had effect and succeeded, or the nearest to that there is."""
    history = _history(context, resource, node)
    if history is None:
        return None
    best: Operation | None = None
    for operation in sorted_operations(context.plan, history.operations):
        if best is None or _rank(operation) >= _rank(best):
            best = operation
    return best


def _rank(operation: Operation) -> tuple[bool, bool, bool]:
    is_effective = operation.interval_ms == 0 and operation.task in _EFFECTIVE
    failed = operation.status != ExecStatus.DONE or (operation.target_rc >= 0 and operation.rc != operation.target_rc)
    return (is_effective, operation.interval_ms != 0, not failed)


def _history(context: Context, resource: Resource, node: Node) -> ResourceHistory | None:
    for name in (resource.id, resource.history_id, resource.xml_id):
        found = None if name is None else context.plan.history(node.name, name)
        if found is not None:
            return found
    return None
