"""Fail counts of resources. I/O."""

import re
from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError
from hatools.shell.programs import call, capture

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.session import Session

_COMMANDS = ["set", "delete", "show"]


def manage_failcount(
    session: "Session",
    context: "Context",
    resource: str,
    what: str,
    node: str,
    value: str | None,
    operation: str | None,
    interval: str | None,
) -> bool | None:
    """Set, delete or show the fail count of a resource on a node."""
    root = session.configuration.read()
    resources = root.find("configuration/resources") if root is not None else None
    known = {element.get("id") for element in resources.iter()} if resources is not None else set()
    if resource not in known:
        context.warning(f"Resource {resource} not exists in this cluster")
        return None
    if what not in _COMMANDS:
        raise CommandError(f"{what} is not valid command(should be one of {_COMMANDS})")
    identifier = _node_id(node)
    if identifier is None:
        raise CommandError(f"Node {node} not in this cluster")
    if what == "show":
        return call("crm_failcount", "-G", "-r", resource, "-N", node) == 0
    if what == "delete":
        return call("crm_failcount", "-D", "-r", resource, "-N", node) == 0
    if value is None:
        written = " ".join((resource, what, node))
        session.console.error(f"Bad usage: Missing value argument to set, command: '{context.word} {written}'")
        return False
    return _set(identifier, resource, node, value, operation, interval)


def _node_id(name: str) -> str | None:
    answer = capture("crm_node", ["-l"])
    if answer.status != 0:
        import sys

        sys.stderr.write(answer.err)
        return None
    match = re.search(rf"^([0-9]+) {re.escape(name)} ", answer.out, re.MULTILINE)
    return match[1] if match else None


def _set(identifier: str, resource: str, node: str, value: str, operation: str | None, interval: str | None) -> bool:
    """Set the counts that exist; which one must be clear unless all are reset."""
    answer = capture("cibadmin", ["-Ql", "--xpath", f"/cib/status/node_state[@id='{identifier}']"])
    if answer.status != 0:
        raise CommandError(answer.err.strip())
    counts = re.findall(rf"fail-count-{re.escape(resource)}#(.*?)_([0-9]+)\"", answer.out)
    if not counts:
        return value == "0"
    wanted = [
        (name, ms) for name, ms in counts if operation in (None, name) and (interval is None or ms == f"{interval}000")
    ]
    if not wanted or (len(wanted) > 1 and value != "0"):
        listed = ", ".join(f"{name} {ms[:-3] or '0'}" for name, ms in counts)
        raise CommandError(f"Should specify operation and interval, one of: {listed}")
    return all(
        call("crm_attribute", "-t", "status", "-n", f"fail-count-{resource}#{name}_{ms}", "-N", node, "-v", value) == 0
        for name, ms in wanted
    )
