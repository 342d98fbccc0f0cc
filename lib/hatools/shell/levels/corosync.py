"""The corosync level: messaging's configuration and state."""

from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError, Level, command
from hatools.shell.programs import call

if TYPE_CHECKING:
    from hatools.shell.context import Context

_EXCUSED = "there is no root ssh here: copy the file as you copy other configuration, then `corosync reload`"


class Corosync(Level):
    """Looks at and edits messaging's configuration."""

    name = "corosync"

    @command()
    def do_status(self, context: "Context", status_type: str = "ring") -> bool:
        if status_type == "ring":
            return call("corosync-cfgtool", "-s") == 0
        if status_type == "quorum":
            return call("corosync-quorumtool", "-s") in (0, 2)
        if status_type in ("qdevice", "qnetd"):
            raise CommandError("there is no quorum device in this messaging: use an odd number of nodes, or two_node")
        raise CommandError(f'Wrong type "{status_type}" to query status: expected ring, quorum, qdevice or qnetd')

    @command()
    def do_reload(self, context: "Context") -> bool:
        return call("corosync-cfgtool", "-R") == 0

    @command()
    def do_show(self, context: "Context") -> None:
        from hatools.shell.corosync import read_text

        self.console.show(read_text().rstrip("\n"))

    @command()
    def do_edit(self, context: "Context") -> bool:
        from hatools.messaging.corosync.conf import read_configuration
        from hatools.shell.corosync import conf_path, read_text
        from hatools.shell.editing import run_editor
        from hatools.values.errors import HatoolsError

        before = read_text()
        if run_editor(self.session, str(conf_path())) != 0:
            raise CommandError("the editor failed")
        try:
            read_configuration(read_text())
        except HatoolsError as error:
            self.console.error(str(error))
            if self.console.ask("The file is wrong. Restore the former one?"):
                conf_path().write_text(before, encoding="utf-8")
            return False
        return True

    @command()
    def do_log(self, context: "Context") -> None:
        from hatools.runtime.directories import Directories

        path = Directories.from_environment().log_file
        try:
            self.console.show(path.read_text(encoding="utf-8", errors="replace").rstrip("\n"))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None

    @command()
    def do_get(self, context: "Context", path: str) -> bool:
        from hatools.shell.corosync import get_values

        values = get_values(path)
        for value in values:
            print(value)
        return bool(values)

    @command()
    def do_set(self, context: "Context", path: str, value: str) -> bool:
        from hatools.shell.corosync import edit_file

        edit_file(path, value)
        return True

    @command("add-node", "add_node")
    def do_add_node(self, context: "Context", addr: str, name: str | None = None) -> bool:
        from hatools.shell.corosync import add_node

        self.console.info(
            f"{name or addr} is node {add_node(addr, name)}; every node needs the new file, then `reload`"
        )
        return True

    @command("del-node", "del_node")
    def do_del_node(self, context: "Context", addr: str) -> bool:
        from hatools.shell.corosync import remove_node

        if not remove_node(addr):
            raise CommandError(f"{addr} is not in the nodelist")
        self.console.info("every node needs the new file, then `reload`")
        return True

    @command()
    def do_push(self, context: "Context", *nodes: str) -> bool:
        raise CommandError(_EXCUSED)

    @command()
    def do_pull(self, context: "Context", node: str) -> bool:
        raise CommandError(_EXCUSED)

    @command()
    def do_diff(self, context: "Context", *nodes: str) -> bool:
        raise CommandError(_EXCUSED)
