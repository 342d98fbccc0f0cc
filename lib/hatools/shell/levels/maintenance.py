"""The maintenance level: maintenance mode, and agents run by hand while it lasts."""

import sys
from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.merging import pair_value
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import call, capture

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from hatools.shell.context import Context

_HERE_ONLY = ("start", "promote", "demote", "recover", "meta-data")
"""Operations that are not run on all nodes at once."""


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
        if ssh not in (None, "ssh"):
            raise CommandError(f"Unknown argument: {ssh}")
        blocks = [pair_value(block, "maintenance") for block in children(item.node, "meta_attributes")]
        told = [value for value in blocks if value is not None]
        in_maintenance = workspace.property_value("maintenance-mode") == "true" or (told and set(told) == {"true"})
        if not in_maintenance and not self.session.preferences.flag("core", "force"):
            raise CommandError("Not in maintenance mode.")
        here = self.session.node_name
        if ssh is None and action not in ("start", "monitor") and not _runs_only_on(resource, here):
            raise CommandError(f"Resource {resource} must be running on this node ({here})")
        return self._act(list(item.node.iter("primitive")), action, everywhere=ssh is not None)

    def _act(self, primitives: "list[Element]", action: str, *, everywhere: bool) -> bool:
        """Run an operation of resources on this node, or on all where that makes sense."""
        from hatools.parser.printer import agent_text
        from hatools.shell.members import Member, Members
        from hatools.shell.trials import Trial

        members = Members() if everywhere and action not in _HERE_ONLY else None
        nodes = list(members.all) if members is not None else [Member(self.session.node_name, (), is_local=True)]
        succeeded = True
        for element in primitives:
            trial = Trial(self.session, element)
            if trial.agent.standard != "ocf":
                raise CommandError(f"Calling '{action}' for resource not supported")
            if not trial.supports(action):
                self.console.error(f"action '{action}' not supported by {agent_text(trial.agent)}")
                return False
            for node in nodes:
                status, output = trial.run(action, node, members)
                if output.strip():
                    print(output.rstrip(), file=sys.stdout if status == 0 else sys.stderr)
                if status != 0:
                    self.console.error(f"{action} failed with rc={status} on {node.name}")
                    succeeded = False
        return succeeded


def _runs_only_on(resource: str, node: str) -> bool:
    """Say whether a resource runs on a node and on no other."""
    answer = capture("crm_resource", ["-W", "-r", resource])
    where = {line.rpartition(":")[2].split()[0] for line in answer.out.splitlines() if "is running on" in line}
    return where == {node}
