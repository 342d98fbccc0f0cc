"""The cibstatus level: the status section, and what would follow if it were different."""

import os
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.cib.document import format_xml, parse_xml
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import capture
from hatools.shell.simulation import simulate, status_section
from hatools.values.boolean import is_true, parse_boolean
from hatools.values.errors import HatoolsError

if TYPE_CHECKING:
    from hatools.shell.context import Context

EXIT_CODES = {
    "success": "0",
    "unknown": "1",
    "args": "2",
    "unimplemented": "3",
    "perm": "4",
    "installed": "5",
    "configured": "6",
    "not_running": "7",
    "master": "8",
    "promoted": "8",
    "failed_master": "9",
    "failed_promoted": "9",
}
_NODE_STATES = {"online": "--node-up", "offline": "--node-down", "unclean": "--node-fail"}
_TICKETS = {
    "grant": "--ticket-grant",
    "revoke": "--ticket-revoke",
    "activate": "--ticket-activate",
    "standby": "--ticket-standby",
}


class CibStatus(Level):
    """Looks at and pretends changes of the status section.

    Pretended events are kept as options of crm_simulate and applied whenever something is run.
    """

    name = "cibstatus"

    def is_usable(self) -> bool:
        self._events: list[str] = []
        self._quorum: list[str] = []
        return True

    def _status(self) -> Element:
        try:
            status = status_section(self.session)
        except (OSError, HatoolsError) as error:
            raise CommandError(str(error)) from None
        if status is None:
            raise CommandError("no status section found")
        return status

    @command(skill=ADMINISTRATOR)
    def do_load(self, context: "Context", org: str) -> bool:
        before = self.session.status_origin
        self.session.status_origin = org
        try:
            self._status()
        except CommandError:
            self.session.status_origin = before
            raise
        self._events, self._quorum = [], []
        return True

    @command(skill=ADMINISTRATOR)
    def do_save(self, context: "Context", dest: str | None = None) -> bool:
        target = dest or self.session.status_origin
        if target == "live":
            raise CommandError("the cluster's status cannot be written; name a file or shadow:<cib>")
        if target.startswith("shadow:"):
            from hatools.ipc.clients.cib import shadow_path

            target = str(shadow_path(target.removeprefix("shadow:"), os.environ))
        status = self._pretended()
        if os.path.exists(target):
            with open(target, encoding="utf-8") as file:
                root = parse_xml(file.read())
            old = root.find("status")
            if old is not None:
                root.remove(old)
            root.append(status)
        else:
            root = status
        with open(target, "w", encoding="utf-8") as file:
            file.write(format_xml(root))
        return True

    @command()
    def do_origin(self, context: "Context") -> None:
        print(self.session.status_origin)

    @command()
    def do_show(self, context: "Context", changed: str | None = None) -> bool:
        if changed not in (None, "changed"):
            raise CommandError(f"Expected 'changed', got '{changed}'")
        if changed:
            for option, value in zip(self._events[::2], self._events[1::2], strict=True):
                print(f"{option.removeprefix('--')}: {value}")
            if self._quorum:
                print(f"quorum: {self._quorum[1]}")
            return True
        self.console.show(format_xml(self._pretended() if self._events else self._status()).rstrip("\n"))
        return True

    @command(skill=ADMINISTRATOR)
    def do_quorum(self, context: "Context", opt: str) -> bool:
        if parse_boolean(opt) is None:
            raise CommandError(f"Expected <bool>, got '{opt}'")
        self._quorum = ["--quorum", "true" if is_true(opt) else "false"]
        return True

    @command(skill=ADMINISTRATOR)
    def do_node(self, context: "Context", node: str, state: str) -> bool:
        if state not in _NODE_STATES:
            raise CommandError(f"unknown state {state}: expected {'|'.join(_NODE_STATES)}")
        self._events += [_NODE_STATES[state], node]
        return True

    @command(skill=ADMINISTRATOR)
    def do_ticket(self, context: "Context", ticket: str, subcmd: str) -> bool:
        if subcmd not in _TICKETS:
            raise CommandError(f"Ticket command {subcmd}: expected {'|'.join(_TICKETS)}")
        self._events += [_TICKETS[subcmd], ticket]
        return True

    @command(skill=ADMINISTRATOR)
    def do_op(
        self,
        context: "Context",
        op: str,
        rsc: str,
        rc: str,
        op_status: str | None = None,
        node: str = "",
    ) -> bool:
        name, _, interval = op.partition(":")
        code = EXIT_CODES.get(rc, rc)
        if not code.isdigit():
            raise CommandError(f"exit code {rc} not valid: a number or {', '.join(EXIT_CODES)}")
        node = node or self.session.node_name
        seconds = interval or ("10" if name == "monitor" else "0")
        self._events += ["--op-inject", f"{rsc}_{name}_{int(seconds) * 1000}@{node}={code}"]
        return True

    @command(skill=ADMINISTRATOR)
    def do_run(self, context: "Context", *args: str) -> bool:
        return self._simulate(args, context.word)

    @command(skill=ADMINISTRATOR)
    def do_simulate(self, context: "Context", *args: str) -> bool:
        return self._simulate(args, context.word)

    def _simulate(self, args: tuple[str, ...], word: str) -> bool:
        configuration = self.session.configuration
        root = configuration.workspace.document_of(configuration.workspace.objects)
        saved = self.session.status_origin
        import tempfile

        with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as file:
            file.write(format_xml(self._pretended()))
            file.flush()
            self.session.status_origin = file.name
            try:
                return simulate(self.session, root, args, word)
            finally:
                self.session.status_origin = saved

    def _pretended(self) -> Element:
        """Return the status section after the pretended events."""
        status = self._status()
        options = [*self._events, *self._quorum]
        if not options:
            return status
        import tempfile

        root = self.session.configuration.read()
        if root is None:
            raise CommandError("no CIB")
        old = root.find("status")
        if old is not None:
            root.remove(old)
        root.append(status)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "cib.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(format_xml(root))
            answer = capture("crm_simulate", ["-x", path, "-I", path, *options])
            if answer.status != 0:
                raise CommandError(answer.err.strip() or f"crm_simulate ended with {answer.status}")
            with open(path, encoding="utf-8") as file:
                changed = parse_xml(file.read()).find("status")
        return status if changed is None else changed
