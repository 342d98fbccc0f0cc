"""Tracing of agents: an attribute of operations that makes agents write what they do. I/O: commits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children
from hatools.shell.changeset.merging import pair_named, pair_value
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.operations import (
    add_operation,
    all_operations,
    delete_operation,
    find_operation,
    interval_ms,
    is_dummy,
    rewrite_operation,
)
from hatools.shell.commands import CommandError
from hatools.values.boolean import is_true

if TYPE_CHECKING:
    from hatools.shell.session import Session

_ATTRIBUTE, _FOLDER = "trace_ra", "trace_dir"
_USAGE = "usage: trace <rsc> [<op>] [<interval>] [<log-dir>]"


def _primitive(session: "Session", name: str) -> CibObject | None:
    if not session.configuration.refresh():
        return None
    item = session.configuration.workspace.find_object(name)
    if item is None:
        session.console.error(f"resource {name} does not exist")
        return None
    if item.word != "primitive":
        session.console.error(f"element {name} is not a primitive resource")
        return None
    return item


def _probe(operation: str | None, interval: str | None) -> tuple[str | None, str | None]:
    """A probe is a monitor without interval."""
    if operation == "probe":
        return "monitor", "0" if interval is None else interval
    return operation, interval


def trace(session: "Session", name: str, args: Sequence[str]) -> bool:
    """Trace all operations of a resource, those of one name, or one."""
    item = _primitive(session, name)
    if item is None:
        return False
    words = [word for word in args if word != "force"]
    folders = [word for word in words if word.startswith("/")]
    intervals = [word for word in words if word.isnumeric()]
    operations = [word for word in words if word not in folders and word not in intervals]
    if max(len(folders), len(intervals), len(operations)) > 1:
        raise CommandError(_USAGE)
    folder = folders[0] if folders else None
    operation, interval = _probe(operations[0] if operations else None, intervals[0] if intervals else None)
    _Tracer(session, item, folder).trace(operation, interval)
    if not session.configuration.commit():
        return False
    place = session.preferences.get("path", "heartbeat_dir")
    what = f"{name}:{operation}" if operation else name
    session.console.info(f"Trace for {what} is written to {place}/trace_ra/{item.node.get('type')}")
    concerned = f"the {operation} operation" if operation not in (None, "monitor") else "non-monitor operations"
    session.console.info(f"Trace set, restart {name} to trace {concerned}")
    return True


class _Tracer:
    def __init__(self, session: "Session", item: CibObject, folder: str | None) -> None:
        self._workspace = session.configuration.workspace
        self._item = item
        self._changes: dict[str, str | None] = {_ATTRIBUTE: "1"}
        if folder is not None:
            self._changes[_FOLDER] = folder

    def trace(self, operation: str | None, interval: str | None) -> None:
        """Set the attribute on what the words mean."""
        present = all_operations(self._item.node)
        if operation is None:
            self._trace_all(present)
        elif interval is None:
            named = [op for op in present if op.get("name") == operation]
            if not named:
                if operation == "monitor":
                    raise CommandError(f"No monitor operation configured for {self._item.id}")
                self._add(operation, "0")
            for op in named:
                self._set(op)
        else:
            found = find_operation(self._item.node, operation, interval)
            if found is not None:
                self._set(found)
            elif interval_ms(interval) != 0:
                raise CommandError(f"Operation {operation} with interval {interval} not found in {self._item.id}")
            else:
                self._add(operation, interval)

    def _trace_all(self, present: list[Element]) -> None:
        names = {op.get("name") for op in present}
        wanted = ["start", "stop"]
        meta = self._item.node.find("meta_attributes")
        if is_true(pair_value(meta, "promotable")):
            wanted += ["promote", "demote"]
        for name in wanted:
            if name not in names:
                self._add(name, "0")
        for op in present:
            self._set(op)

    def _add(self, operation: str, interval: str) -> None:
        values = {key: value for key, value in self._changes.items() if value is not None}
        element = Element("op", {"name": operation, "interval": interval, **values})
        if add_operation(self._workspace, self._item, element) is None:
            raise CommandError(f"Failed to add trace for {self._item.id}:{operation}")

    def _set(self, op: Element) -> None:
        rewrite_operation(self._workspace, self._item, op, self._changes)


def untrace(session: "Session", name: str, operation: str | None, interval: str | None) -> bool:
    """Stop tracing all operations of a resource, those of one name, or one."""
    item = _primitive(session, name)
    if item is None:
        return False
    operation, interval = _probe(operation, interval)
    present = all_operations(item.node)
    if operation is None:
        doomed = [op for op in present if any(pair_named(b, _ATTRIBUTE) is not None for b in children(op))]
    elif interval is None:
        doomed = [op for op in present if op.get("name") == operation]
        if not doomed:
            raise CommandError(f"Operation {operation} not found in {name}")
    else:
        found = find_operation(item.node, operation, interval)
        if found is None:
            raise CommandError(f"Operation {operation} with interval {interval} not found in {name}")
        doomed = [found]
    workspace = session.configuration.workspace
    for op in doomed:
        rewritten = rewrite_operation(workspace, item, op, {_ATTRIBUTE: None, _FOLDER: None})
        if is_dummy(rewritten):
            delete_operation(workspace, item, rewritten)
    if not session.configuration.commit():
        return False
    suffix = f" for operation {operation}" if operation else ""
    session.console.info(f"Stop tracing {name}{suffix}")
    return True
