"""The maintenance level: maintenance mode, and agents run by hand while it lasts."""

from typing import TYPE_CHECKING

from hatools.shell.changeset.merging import pair_value
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import call

if TYPE_CHECKING:
    from hatools.shell.context import Context

_RESULTS = {0: "ok", 1: "error", 2: "wrong arguments", 3: "not implemented", 5: "not installed", 6: "not configured"}
_RESULTS |= {7: "not running", 8: "promoted", 9: "promoted but failed"}


class Maintenance(Level):
    """Maintenance of resources or of everything."""

    name = "maintenance"

    def is_usable(self) -> bool:
        return self.session.configuration.load()

    @command(skill=ADMINISTRATOR)
    def do_on(self, context: "Context", resource: str | None = None) -> bool:
        return self._switch(resource, "true")

    @command(skill=ADMINISTRATOR)
    def do_off(self, context: "Context", resource: str | None = None) -> bool:
        return self._switch(resource, "false")

    def _switch(self, resource: str | None, value: str) -> bool:
        if resource is not None:
            return call("crm_resource", "-r", resource, "--meta", "-p", "maintenance", "-v", value) == 0
        configuration = self.session.configuration
        return configuration.workspace.create(["property", f"maintenance-mode={value}"]) and configuration.commit()

    @command(skill=ADMINISTRATOR)
    def do_action(self, context: "Context", resource: str, action: str, ssh: str | None = None) -> bool:
        workspace = self.session.configuration.workspace
        item = workspace.find_object(resource)
        if item is None:
            raise CommandError(f"Resource not found: {resource}")
        if not item.is_resource:
            raise CommandError(f"Not a resource: {resource}")
        if ssh is not None:
            raise CommandError(
                f"Unknown argument: {ssh}" if ssh != "ssh" else "ssh is not used; run the command on the other node"
            )
        blocks = [pair_value(item.node.find("meta_attributes"), "maintenance")]
        in_maintenance = workspace.property_value("maintenance-mode") == "true" or blocks == ["true"]
        if not in_maintenance and not self.session.preferences.flag("core", "force"):
            raise CommandError("Not in maintenance mode.")
        from hatools.shell.semantics import agent_of
        from hatools.shell.trials import parameters_of, run_agent

        succeeded = True
        primitives = list(item.node.iter("primitive")) or [item.node]
        for element in primitives:
            merged = workspace.merged(element)
            values = parameters_of(merged) if merged is not None else None
            if merged is None or values is None:
                raise CommandError(f"{element.get('id')}: too complex to be run by hand")
            status, output = run_agent(agent_of(merged), action, values, element.get("id") or "")
            if output.strip():
                print(output.rstrip())
            text = f"{element.get('id')}: {action} on {self.session.node_name}: {_RESULTS.get(status, status)}"
            (self.console.info if status in (0, 7, 8) else self.console.error)(text)
            succeeded = succeeded and status in (0, 7, 8)
        return succeeded
