"""The resource level: starting, stopping, moving and looking after resources."""

from typing import TYPE_CHECKING

from hatools.shell.changeset.merging import pair_value
from hatools.shell.changing import set_meta
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import call, is_name_sane
from hatools.values.boolean import is_true

if TYPE_CHECKING:
    from hatools.shell.context import Context

_LIFETIMES = ("reboot", "forever")


def lifetime_in(args: list[str], *, periods: bool = True) -> str | None:
    """Take a lifetime off the end of arguments: a word, or an ISO 8601 period or time."""
    import re

    if not args:
        return None
    last = args[-1]
    if last in _LIFETIMES or (periods and re.match(r"(PT?[0-9]|[0-9]+.*[:-])", last)):
        return args.pop()
    return None


class ResourceLevel(Level):
    """Manages resources."""

    name = "resource"

    def _sane(self, *names: str) -> bool:
        for name in names:
            if not is_name_sane(name):
                self.console.error(f"{name}: bad name")
                return False
        return True

    # State

    @command("status", "show", "list")
    def do_status(self, context: "Context", *resources: str) -> bool:
        if not resources:
            return call("crm_resource", "--list") == 0
        succeeded = True
        for resource in resources:
            if not self._sane(resource):
                return False
            succeeded = succeeded and call("crm_resource", "--locate", "--resource", resource) == 0
        return succeeded

    @command()
    def do_locate(self, context: "Context", *resources: str) -> None:
        if not resources:
            raise CommandError("Expected at least one resource as argument")
        for resource in resources:
            call("crm_resource", "--resource", resource, "--locate")

    @command()
    def do_scores(self, context: "Context") -> None:
        call("crm_simulate", "-sUL")

    @command(waits=True)
    def do_operations(self, context: "Context", resource: str | None = None, node: str | None = None) -> bool:
        argv = ["-O"]
        if resource is not None:
            argv += ["-r", resource]
            if node is not None:
                argv += ["-N", node]
        call("crm_resource", *argv)
        return True  # what is not there has been told of; the original goes on

    @command(waits=True)
    def do_constraints(self, context: "Context", resource: str) -> bool:
        call("crm_resource", "-a", "-r", resource)
        return True

    @command()
    def do_why(self, context: "Context", rsc: str, *args: str) -> bool:
        from hatools.shell.reasons import explain

        return explain(self.session, rsc, args)

    # Starting and stopping

    @command(waits=True)
    def do_start(self, context: "Context", *resources: str) -> bool:
        if not resources:
            raise CommandError("Expected at least one resource as argument")
        return set_meta(self.session, context, resources, "target-role", "Started")

    @command(waits=True)
    def do_stop(self, context: "Context", *resources: str) -> bool:
        if not resources:
            raise CommandError("Expected at least one resource as argument")
        return set_meta(self.session, context, resources, "target-role", "Stopped")

    @command(waits=True)
    def do_restart(self, context: "Context", *resources: str) -> bool:
        self.console.info(f"ordering {', '.join(resources)} to stop")
        if not set_meta(self.session, context, resources, "target-role", "Stopped"):
            return False
        from hatools.shell.running import wait_until_settled

        if not wait_until_settled(self.session, "stop"):
            return False
        self.console.info(f"ordering {', '.join(resources)} to start")
        return set_meta(self.session, context, resources, "target-role", "Started")

    @command(waits=True)
    def do_promote(self, context: "Context", rsc: str) -> bool:
        return self._set_role(rsc, "Promoted", "Master")

    @command(waits=True)
    def do_demote(self, context: "Context", rsc: str) -> bool:
        return self._set_role(rsc, "Unpromoted", "Slave")

    def _set_role(self, rsc: str, role: str, old_role: str) -> bool:
        if not self._sane(rsc):
            return False
        item = self.session.configuration.workspace.find_object(rsc)
        meta = item.node.find("meta_attributes") if item is not None else None
        if item is None or not (item.node.tag == "master" or is_true(pair_value(meta, "promotable"))):
            self.console.error(f"{rsc} is not a promotable resource")
            return False
        value = role if self.session.preferences.flag("core", "OCF_1_1_SUPPORT") else old_role
        argv = ("--meta", "--resource", rsc, "--set-parameter", "target-role", "--parameter-value", value)
        return call("crm_resource", *argv) == 0

    @command()
    def do_manage(self, context: "Context", rsc: str) -> bool:
        return set_meta(self.session, context, [rsc], "is-managed", "true")

    @command()
    def do_unmanage(self, context: "Context", rsc: str) -> bool:
        return set_meta(self.session, context, [rsc], "is-managed", "false")

    @command(waits=True)
    def do_maintenance(self, context: "Context", resource: str, on_off: str = "true") -> bool:
        wanted = on_off.lower()
        if wanted not in ("on", "true", "off", "false"):
            raise CommandError("Expected <resource> [on|off|true|false]")
        return set_meta(
            self.session, context, [resource], "maintenance", "true" if wanted in ("on", "true") else "false"
        )

    # Moving

    @command("move", "migrate", skill=ADMINISTRATOR, waits=True)
    def do_move(self, context: "Context", rsc: str, *args: str) -> bool:
        return self._move_or_ban(context, rsc, args)

    @command(skill=ADMINISTRATOR, waits=True)
    def do_ban(self, context: "Context", rsc: str, *args: str) -> bool:
        return self._move_or_ban(context, rsc, args)

    def _move_or_ban(self, context: "Context", rsc: str, args: tuple[str, ...]) -> bool:
        if not self._sane(rsc):
            return False
        action = context.word
        words = list(args)
        force = self.session.preferences.flag("core", "force")
        while words and words[-1] == "force":
            words.pop()
            force = True
        node = lifetime = None
        if len(words) > 2:
            raise CommandError(f"usage: {action} <rsc> [<node>] [<lifetime>] [force]")
        if len(words) == 2:
            node = words[0]
            if not self._is_node(node):
                raise CommandError(f"Not our node: {node}")
            lifetime = lifetime_in(words)
        elif words:
            if self._is_node(words[0]):
                node = words[0]
            else:
                lifetime = lifetime_in(words)
        if action == "move" and not node and not force:
            raise CommandError("No target node: Move requires either a target node or 'force'")
        argv = ["--quiet", "--move"] if action == "move" else ["--ban"]
        argv += ["--resource", rsc]
        argv += ["--node", node] if node else []
        argv += ["--lifetime", lifetime] if lifetime else []
        argv += ["--force"] if force else []
        if call("crm_resource", *argv) != 0:
            return False
        where = f" to {node}" if node else ""
        self.console.info(f"{action.capitalize()} constraint created for {rsc}{where}")
        self.console.info(f"Use `crm resource clear {rsc}` to remove this constraint")
        return True

    def _is_node(self, name: str) -> bool:
        from hatools.shell.nodes import node_names

        return name.lower() in (known.lower() for known in node_names(self.session))

    @command("clear", "unmove", "unban", "unmigrate", skill=ADMINISTRATOR, waits=True)
    def do_clear(self, context: "Context", rsc: str) -> bool:
        if not self._sane(rsc) or call("crm_resource", "--quiet", "--clear", "--resource", rsc) != 0:
            return False
        self.console.info(f"Removed migration constraints for {rsc}")
        return True

    # Failures

    @command(skill=ADMINISTRATOR, waits=True)
    def do_cleanup(
        self, context: "Context", rsc: str | None = None, node: str | None = None, force: str | None = None
    ) -> bool:
        return self._clean("--cleanup", rsc, node, force)

    @command("refresh", "reprobe")
    def do_refresh(
        self, context: "Context", rsc: str | None = None, node: str | None = None, force: str | None = None
    ) -> bool:
        return self._clean("--refresh", rsc, node, force)

    def _clean(self, action: str, rsc: str | None, node: str | None, force: str | None) -> bool:
        if rsc == "force":
            rsc, force = None, "force"
        if node == "force":
            node, force = None, "force"
        if not self._sane(*(name for name in (rsc, node) if name)):
            return False
        argv = [action]
        argv += ["--resource", rsc] if rsc else []
        argv += ["--node", node] if node else []
        argv += ["--force"] if force else []
        return call("crm_resource", *argv) == 0

    @command(waits=True)
    def do_failcount(
        self,
        context: "Context",
        rsc: str,
        cmd: str,
        node: str,
        value: str | None = None,
        operation: str | None = None,
        interval: str | None = None,
    ) -> bool | None:
        from hatools.shell.failcounts import manage_failcount

        return manage_failcount(self.session, context, rsc, cmd, node, value, operation, interval)

    # Attributes

    @command(skill=ADMINISTRATOR, waits=True)
    def do_param(self, context: "Context", rsc: str, cmd: str, param: str, value: str | None = None) -> bool:
        return self._manage(context, [], rsc, cmd, param, value)

    @command(skill=ADMINISTRATOR, waits=True)
    def do_meta(self, context: "Context", rsc: str, cmd: str, attr: str, value: str | None = None) -> bool:
        return self._manage(context, ["--meta"], rsc, cmd, attr, value)

    @command(skill=ADMINISTRATOR, waits=True)
    def do_utilization(self, context: "Context", rsc: str, cmd: str, attr: str, value: str | None = None) -> bool:
        return self._manage(context, ["--utilization"], rsc, cmd, attr, value)

    def _manage(self, context: "Context", kind: list[str], rsc: str, cmd: str, name: str, value: str | None) -> bool:
        """Set, delete or show a parameter or attribute."""
        from hatools.shell.attributes import manage

        option = {"set": "--set-parameter", "delete": "--delete-parameter", "show": "--get-parameter"}
        option["get"] = option["show"]

        def run() -> int:
            argv = [*kind, "--resource", rsc, option[cmd], name]
            return call("crm_resource", *argv, *(["--parameter-value", value] if value is not None else []))

        return manage(self.session, context, (rsc, cmd, name, value), tuple(option), run)

    @command(skill=ADMINISTRATOR)
    def do_secret(self, context: "Context", rsc: str, cmd: str, param: str, value: str | None = None) -> bool:
        from hatools.shell.attributes import manage_secret

        return manage_secret(self.session, context, (rsc, cmd, param, value))

    # Tracing

    @command()
    def do_trace(self, context: "Context", rsc_id: str, *args: str) -> bool:
        from hatools.shell.tracing import trace

        return trace(self.session, rsc_id, args)

    @command()
    def do_untrace(self, context: "Context", rsc_id: str, op: str | None = None, interval: str | None = None) -> bool:
        from hatools.shell.tracing import untrace

        return untrace(self.session, rsc_id, op, interval)
