"""The corosync level: messaging's configuration and state."""

from typing import TYPE_CHECKING

from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import call

if TYPE_CHECKING:
    from hatools.shell.context import Context

_STATUS = {"ring": ("corosync-cfgtool", "-s"), "quorum": ("corosync-quorumtool", "-s")}


class Corosync(Level):
    """Looks at and edits messaging's configuration, here and on the other nodes."""

    name = "corosync"

    @command()
    def do_status(self, context: "Context", status_type: str = "ring") -> bool:
        if status_type in _STATUS:
            return call(*_STATUS[status_type]) in (0, 2)
        if status_type == "qdevice":
            return self._qdevice_status()
        if status_type == "qnetd":
            raise CommandError("the quorum device's server is asked where it runs: `corosync-qnetd-tool -lv` there")
        raise CommandError(f'Wrong type "{status_type}" to query status: expected ring, quorum, qdevice or qnetd')

    def _qdevice_status(self) -> bool:
        from hatools.shell.corosync import get_values

        if not get_values("quorum.device.model"):
            raise CommandError("No QDevice configuration in this cluster: there is no quorum.device in corosync.conf")
        return call("corosync-quorumtool", "-s") in (0, 2)

    @command(skill=ADMINISTRATOR)
    def do_reload(self, context: "Context") -> bool:
        return call("corosync-cfgtool", "-R") == 0

    @command()
    def do_show(self, context: "Context") -> None:
        from hatools.shell.corosync import conf_path, read_text

        if not conf_path().is_file():
            raise CommandError("No corosync configuration found on this node.")
        self.console.show(read_text().rstrip("\n"))

    @command(skill=ADMINISTRATOR)
    def do_edit(self, context: "Context") -> bool:
        """Edit a copy, which takes the file's place only if messaging could read it."""
        import tempfile
        from pathlib import Path

        from hatools.messaging.corosync.conf import read_configuration
        from hatools.shell.corosync import read_text, replace_text
        from hatools.shell.editing import run_editor
        from hatools.values.errors import HatoolsError

        before = read_text()
        with tempfile.TemporaryDirectory(prefix="crm-") as folder:
            copy = Path(folder) / "corosync.conf"
            copy.write_text(before, encoding="utf-8")
            while True:
                if run_editor(self.session, str(copy)) != 0:
                    raise CommandError("the editor failed; the file is unchanged")
                text = copy.read_text(encoding="utf-8", errors="surrogateescape")
                if text == before:
                    return True
                try:
                    read_configuration(text)
                except HatoolsError as error:
                    self.console.error(str(error))
                    if self.session.can_ask and self.console.ask("Edit again (no: the file stays as it was)?"):
                        continue
                    return False
                replace_text(text)
                return True

    @command()
    def do_log(self, context: "Context") -> None:
        from hatools.shell.corosync import get_values
        from hatools.shell.remote import on_this_node

        named = get_values("logging.logfile")
        if not named:
            raise CommandError("No corosync log file configured")
        path = on_this_node("/" + named[-1].lstrip("/"))
        try:
            self.console.show(path.read_text(encoding="utf-8", errors="replace").rstrip("\n"))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None

    @command(skill=ADMINISTRATOR)
    def do_get(self, context: "Context", path: str) -> bool:
        from hatools.shell.corosync import get_values

        for value in get_values(path):
            print(value)
        return True

    @command(skill=ADMINISTRATOR)
    def do_set(self, context: "Context", path: str, value: str) -> bool:
        from hatools.shell.corosync import replace_text, with_value

        replace_text(with_value(path, value))
        return True

    @command("add-node", "add_node", skill=ADMINISTRATOR)
    def do_add_node(self, context: "Context", addr: str, name: str | None = None) -> bool:
        from hatools.shell.corosync import get_values, replace_text, with_node

        known = [*get_values("nodelist.node.name"), *get_values("nodelist.node.ring0_addr")]
        for word in (addr, name):
            if word in known:
                self.console.warning(f"{word} already in corosync.conf")
                return True
        text, number = with_node(addr.split(","), name)
        replace_text(text)
        self.console.info(
            f"{name or addr} is node {number} here; `push` gives the file to the others, `reload` uses it"
        )
        return True

    @command("del-node", "del_node", skill=ADMINISTRATOR)
    def do_del_node(self, context: "Context", addr: str) -> bool:
        from hatools.shell.corosync import replace_text, without_node

        text = without_node(addr)
        if text is None:
            raise CommandError(f"{addr} is not in the nodelist")
        replace_text(text)
        self.console.info(f"{addr} is gone here; `push` gives the file to the others, `reload` uses it")
        return True

    @command(skill=ADMINISTRATOR)
    def do_push(self, context: "Context", *nodes: str) -> bool:
        """Give this node's file to others, each of which checks it."""
        from hatools.shell.corosync import conf_path, read_text
        from hatools.shell.members import Members

        members, text = Members(), read_text()
        chosen = [member for member in members.chosen(nodes, default=members.others) if not member.is_local]
        succeeded = True
        for outcome in members.ask(chosen, lambda peer: peer.store_configuration(text, replaces=bool(nodes))):
            if outcome.problem:
                self.console.error(f"Failed to push {conf_path()} to {outcome.member.name}: {outcome.problem}")
                succeeded = False
            else:
                self.console.info(outcome.member.name)
        return succeeded

    @command(skill=ADMINISTRATOR)
    def do_pull(self, context: "Context", node: str) -> bool:
        """Take another node's file, if it can be read."""
        from hatools.messaging.corosync.conf import read_configuration
        from hatools.shell.corosync import conf_path, read_text, replace_text
        from hatools.shell.members import CONF, Members
        from hatools.values.errors import HatoolsError

        members = Members()
        print(f"Retrieving {node}:{conf_path()}...")
        outcome = members.ask([members.find(node)], lambda peer: peer.read(CONF))[0]
        if outcome.answer is None:
            raise CommandError(f"Failed to retrieve {conf_path()} from {node}: {outcome.problem}")
        text = outcome.answer.content.decode("utf-8", "surrogateescape")
        if text == read_text():
            print("No change.")
            return True
        try:
            read_configuration(text, f"{node}:{conf_path()}")
        except HatoolsError as error:
            raise CommandError(f"refused: {error}") from None
        print(f"Writing {members.local.name}:{conf_path()}...")
        replace_text(text)
        return True

    @command()
    def do_diff(self, context: "Context", *nodes: str) -> bool:
        from hatools.shell.members import CONF
        from hatools.shell.remote import diff_file

        return diff_file(self.session, CONF, nodes)
