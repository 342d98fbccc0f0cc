"""The cibstatus level: the status section, and what would follow if it were different."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import children, format_xml, parse_xml
from hatools.shell.commands import ADMINISTRATOR, EXPERT, CommandError, Level, command
from hatools.shell.programs import capture
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.errors import HatoolsError

if TYPE_CHECKING:
    from hatools.shell.context import Context

_CODES = {
    "success": "0",
    "unknown": "1",
    "args": "2",
    "unimplemented": "3",
    "perm": "4",
    "installed": "5",
    "configured": "6",
    "not_running": "7",
    "promoted": "8",
    "master": "8",
    "failed_promoted": "9",
    "failed_master": "9",
}
_STATUS_CODES = {"pending": "-1", "done": "0", "cancelled": "1", "timeout": "2", "notsupported": "3", "error": "4"}
_NODE_STATES = {"online": "--node-up", "offline": "--node-down", "unclean": "--node-fail"}
_TICKETS = {
    "grant": "--ticket-grant",
    "revoke": "--ticket-revoke",
    "activate": "--ticket-activate",
    "standby": "--ticket-standby",
}


class CibStatus(Level):
    """Looks at and pretends changes of the status section.

    A pretended event is applied to a copy of the CIB at once, as crm_simulate does it; the copy's status is what the
    configure level simulates with until another one is loaded.
    """

    name = "cibstatus"

    def is_usable(self) -> bool:
        return True

    # The CIB whose status is in use

    def _path(self, source: str) -> str:
        if not source.startswith("shadow:"):
            return source
        from hatools.ipc.clients.cib import shadow_path

        return str(shadow_path(source.removeprefix("shadow:"), os.environ))

    def _document(self) -> Element:
        """Return the CIB in use, with what was pretended.

        Raises:
            CommandError: there is none.
        """
        changed = self.session.pretended_cib
        if changed is not None:
            return changed
        if self.session.status_origin == "live":
            root = self.session.configuration.read()
            if root is None:
                raise CommandError("no CIB")
            return root
        return self._read(self.session.status_origin)

    def _read(self, source: str) -> Element:
        try:
            root = parse_xml(Path(self._path(source)).read_bytes())
        except (OSError, HatoolsError) as error:
            raise CommandError(str(error)) from None
        if root.tag == "status":
            live = self.session.configuration.read()
            return _with_status(Element("cib") if live is None else live, root)
        return root

    def _status(self) -> Element:
        status = self._document().find("status")
        if status is None:
            raise CommandError("the cib contains no status")
        return status

    def _pretend(self, options: Sequence[str], subject: str, change: str) -> bool:
        """Apply an event to the copy of the CIB."""
        root = self._document()
        if root.find("status") is None:
            raise CommandError("the cib contains no status")
        with tempfile.TemporaryDirectory(prefix="crm-") as folder:
            path = Path(folder) / "cib.xml"
            path.write_text(format_xml(root), encoding="utf-8")
            answer = capture("crm_simulate", ["-x", str(path), "-I", str(path), *options])
            if answer.status != 0:
                raise CommandError(answer.err.strip() or f"crm_simulate ended with {answer.status}")
            self.session.pretended_cib = parse_xml(path.read_bytes())
        self.session.pretended_changes[subject] = change
        return True

    @command(skill=EXPERT)
    def do_load(self, context: "Context", org: str) -> bool:
        if org != "live":
            try:
                root = self._read(org)
            except CommandError as error:
                self.console.error(str(error))
                root = Element("cib")
            if root.find("status") is None:
                self.console.error("the cib contains no status")
                return False
        self._forget()
        self.session.status_origin = org
        return True

    def _forget(self) -> None:
        self.session.pretended_cib = None
        self.session.pretended_changes.clear()

    @command(skill=EXPERT)
    def do_save(self, context: "Context", dest: str | None = None) -> bool:
        if self.session.pretended_cib is None:
            self.console.info("apparently you didn't modify status")
            return False
        target = dest or self.session.status_origin
        if target == "live":
            self.console.warning("cannot save status to the cluster")
            return False
        path = Path(self._path(target))
        root = self._document()
        if path.exists():
            try:
                root = _with_status(parse_xml(path.read_bytes()), self._status())
            except HatoolsError:
                self.console.error(f"{target} exists, but no cib inside")
                return False
        path.write_text(format_xml(root), encoding="utf-8")
        return True

    @command(skill=ADMINISTRATOR)
    def do_origin(self, context: "Context") -> None:
        print(f"{self.session.status_origin}{' (modified)' if self.session.pretended_cib is not None else ''}")

    @command(skill=ADMINISTRATOR)
    def do_show(self, context: "Context", changed: str | None = None) -> bool:
        if changed not in (None, "changed"):
            raise CommandError(f"Expected 'changed', got '{changed}'")
        if changed:
            for subject, change in self.session.pretended_changes.items():
                print(f"{subject} {change}")
            return True
        self.console.show(format_xml(self._status()).rstrip("\n"))
        return True

    # Events

    @command(skill=ADMINISTRATOR)
    def do_quorum(self, context: "Context", opt: str) -> bool:
        if parse_boolean(opt) is None:
            raise CommandError(f"{opt}: bad boolean option")
        value = "true" if is_true(opt) else "false"
        return self._pretend([f"--quorum={value}"], "quorum:", value)

    @command(skill=EXPERT)
    def do_node(self, context: "Context", node: str, state: str) -> bool:
        if state not in _NODE_STATES:
            self.console.error(f"unknown state {state}")
            return False
        root = self._document()
        known = [element.get("uname") for element in children(root.find("configuration/nodes"), "node")]
        known += [element.get("uname") for element in children(root.find("status"), "node_state")]
        if node not in known:
            raise CommandError(
                f"node {node} is not in the CIB; there are {', '.join(filter(None, dict.fromkeys(known)))}"
            )
        return self._pretend([_NODE_STATES[state], node], node, state)

    @command(skill=EXPERT)
    def do_ticket(self, context: "Context", ticket: str, subcmd: str) -> bool:
        if subcmd not in _TICKETS:
            self.console.error(f"unknown ticket command {subcmd}")
            return False
        return self._pretend([_TICKETS[subcmd], ticket], ticket, subcmd)

    @command(skill=EXPERT)
    def do_op(
        self,
        context: "Context",
        op: str,
        rsc: str,
        rc: str,
        op_status: str | None = None,
        node: str = "",
    ) -> bool:
        code = _CODES.get(rc, rc)
        if not code.isdigit():
            raise CommandError(f"Invalid exit code '{code}'")
        status = _STATUS_CODES.get(op_status, op_status) if op_status is not None else "0"
        if not status.lstrip("-").isdigit():
            raise CommandError(f"Invalid operation status '{status}'")
        name, interval = _split(op)
        found = [
            place
            for place in _operations(self._status(), rsc, name, node)
            if interval is None or place[1].get("interval", "0") == interval
        ]
        if interval is None:
            found = [place for place in found if place[1].get("interval", "0") != "0"]
            if len(found) != 1:
                self.console.error("need interval for the monitor op")
                return False
            interval = found[0][1].get("interval", "0")
        if not node:
            if len(found) != 1:
                where = " ".join(place[0] for place in found)
                self.console.error(f"operation {op} found at {where}" if found else f"operation {op} not found")
                return False
            node = found[0][0]
        change = f"rc={code}" + (f",op-status={status}" if op_status is not None else "")
        self._pretend(["--op-inject", f"{rsc}_{name}_{interval}@{node}={code}"], f"{node}:{rsc}:{op}", change)
        if status != "0":
            for _, operation in _operations(self._status(), rsc, name, node):
                if operation.get("interval", "0") == interval:
                    operation.set("op-status", status)
        return True

    # What would follow

    @command(skill=ADMINISTRATOR)
    def do_run(self, context: "Context", *args: str) -> bool:
        return self._simulate(args, context.word, "-R")

    @command(skill=ADMINISTRATOR)
    def do_simulate(self, context: "Context", *args: str) -> bool:
        return self._simulate(args, context.word, "-S")

    def _simulate(self, args: Sequence[str], word: str, mode: str) -> bool:
        from hatools.shell.simulation import simulate_document

        argv = [mode]
        for arg in args:
            if re.fullmatch("v+", arg):
                argv.append("-" + arg.upper())
            elif arg in ("scores", "utilization"):
                argv.append("-s" if arg == "scores" else "-U")
            elif arg not in ("nograph", "actions"):
                self.console.error(f"Bad usage: '{word} {' '.join(args)}'")
                return False
        output, code = simulate_document(self._document(), argv)
        self.console.show(output.rstrip("\n"))
        return code == 0


def _with_status(root: Element, status: Element) -> Element:
    """Return a CIB with another status section."""
    old = root.find("status")
    if old is not None:
        root.remove(old)
    root.append(status)
    return root


def _split(operation: str) -> tuple[str, str | None]:
    """Return an operation's name and interval in milliseconds; None for a monitor of any interval."""
    if operation == "probe":
        return "monitor", "0"
    if operation == "monitor":
        return "monitor", None
    name, colon, interval = operation.partition(":")
    if not colon:
        return name, "0"
    from hatools.values.duration import parse_duration_ms

    milliseconds = parse_duration_ms(interval)
    if milliseconds is None or milliseconds < 0:
        raise CommandError(f"{operation}: '{interval}' is no interval")
    return name, str(milliseconds)


def _operations(status: Element, resource: str, name: str, node: str) -> list[tuple[str, Element]]:
    """Return the recorded operations of a resource, each with its node; without a node those of all nodes."""
    found = []
    for state in children(status, "node_state"):
        uname = state.get("uname") or state.get("id") or ""
        if node and node not in (uname, state.get("id")):
            continue
        for history in state.iterfind("lrm/lrm_resources/lrm_resource"):
            if history.get("id") == resource:
                operations = (entry for entry in children(history, "lrm_rsc_op") if entry.get("operation") == name)
                found += [(uname, entry) for entry in operations]
    return found
