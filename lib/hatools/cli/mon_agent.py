"""Runs the external agent of ``crm_mon`` for what happens in the cluster. I/O.

An agent is any program; what happened is in its environment (``CRM_notify_...``).
"""

import os
import subprocess
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from hatools.values.ocfresult import ocf_result_text
from hatools.values.opkey import TransitionKey, parse_magic, parse_operation_key
from hatools.values.records import dataclass
from hatools.values.result import ExecStatus, exec_status_text

__all__ = ["Happening", "happenings", "run_agent"]


@dataclass(frozen=True, slots=True)
class Happening:
    """The result of an operation (``resource`` None: of fencing)."""

    node: str
    resource: str | None
    task: str
    target_rc: int
    rc: int
    status: int
    description: str


def happenings(patch: Element) -> Iterator[Happening]:
    """Yield the results of operations that a change of the CIB brings (a diff of format 2)."""
    for change in patch.iter("change"):
        if change.get("operation") not in ("create", "modify"):
            continue
        node = _node_of_path(change.get("path") or "")
        for result in change.iter():
            if result.tag == "node_state":
                node = result.get("uname") or result.get("id")
            elif result.tag == "lrm_rsc_op":
                found = _happening(result, node)
                if found is not None:
                    yield found


def _node_of_path(path: str) -> str | None:
    """Return the id of the node whose state an XPath leads to."""
    for mark in ("/node_state[@id='", "/lrm[@id='"):
        _, found, rest = path.partition(mark)
        if found:
            return rest.partition("'")[0]
    return None


def _happening(operation: Element, node: str | None) -> Happening | None:
    magic = parse_magic(operation.get("transition-magic") or "")
    parsed = parse_operation_key(operation.get("operation_key") or operation.get("id") or "")
    where = operation.get("on_node") or node
    if magic is None or parsed is None or where is None:
        return None
    status, rc, key_text = magic
    key = TransitionKey.parse(key_text)
    target_rc = -1 if key is None else key.target_rc
    resource, task, _ = parsed
    if status == ExecStatus.DONE and rc == target_rc:
        if rc == 7:
            return None
        description = "OK"
    elif status == ExecStatus.DONE:
        description = ocf_result_text(rc)
    else:
        description = exec_status_text(status)
    return Happening(where, resource, task, target_rc, rc, status, description)


def run_agent(program: str, recipient: str | None, happening: Happening) -> str | None:
    """Start the agent, nobody waits for it; return what is wrong if it cannot be started."""
    environment = dict(os.environ)
    values = {
        "rsc": happening.resource,
        "recipient": recipient,
        "node": happening.node,
        "task": happening.task,
        "desc": happening.description,
        "rc": str(happening.rc),
        "target_rc": str(happening.target_rc),
        "status": str(happening.status),
    }
    environment.update({f"CRM_notify_{name}": value for name, value in values.items() if value is not None})
    try:
        subprocess.Popen([program], env=environment, stdin=subprocess.DEVNULL, close_fds=True, start_new_session=True)
    except OSError as error:
        return f"{program} cannot be run: {error.strerror}"
    return None
