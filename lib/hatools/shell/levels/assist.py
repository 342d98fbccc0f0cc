"""The assist level: small recipes for the configuration."""

from typing import TYPE_CHECKING

from hatools.parser.printer import agent_text
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.semantics import agent_of

if TYPE_CHECKING:
    from hatools.shell.context import Context


class Assist(Level):
    """Makes templates and loose colocations."""

    name = "assist"

    def is_usable(self) -> bool:
        return self.session.configuration.load()

    def leave(self, *, silently: bool = False) -> bool:
        configuration = self.session.configuration
        if silently and configuration.has_changed:
            return configuration.commit()
        return True

    def _free_name(self, prefix: str) -> str:
        workspace = self.session.configuration.workspace
        number = 1
        while workspace.find_object(f"{prefix}{number}") is not None:
            number += 1
        return f"{prefix}{number}"

    @command(skill=ADMINISTRATOR)
    def do_template(self, context: "Context", *primitives: str) -> bool:
        if not primitives:
            raise CommandError("Expected at least one primitive argument")
        workspace = self.session.configuration.workspace
        items = []
        for name in primitives:
            item = workspace.find_resource(name)
            if item is None:
                raise CommandError(f"Primitive {name} not found")
            items.append(item)
        if any(item.word != "primitive" for item in items):
            raise CommandError("Cannot create a template for the given resources")
        if all("template" in item.node.attrib for item in items):
            return True
        agents = {agent_text(agent_of(item.node)) for item in items}
        if len(agents) != 1:
            raise CommandError("Cannot template the given primitives")
        name = self._free_name(f"template-{(items[0].node.get('type') or '').lower()}-")
        if not workspace.create(["rsc_template", name, agents.pop()]):
            raise CommandError("Error creating template")
        for item in items:
            for attribute in ("class", "provider", "type"):
                item.node.attrib.pop(attribute, None)
            item.node.set("template", name)
            item.touch()
        context.info(f"Template created: {name}")
        return True

    @command("weak-bond", "weak_bond", skill=ADMINISTRATOR)
    def do_weak_bond(self, context: "Context", *nodes: str) -> bool:
        if len(nodes) < 2:
            raise CommandError("Need at least two arguments")
        workspace = self.session.configuration.workspace
        for name in nodes:
            item = workspace.find_resource(name)
            if item is None:
                raise CommandError(f"Object not found: {name}")
            if item.word != "primitive":
                raise CommandError(f"Object not primitive: {name}")
        constraint, dummy = self._free_name("place-constraint-"), self._free_name("place-dummy-")
        print("Create weak bond / independent colocation")
        print("The following elements will be created:")
        print(f"   * Colocation constraint, ID: {constraint}")
        print(f"   * Dummy resource, ID: {dummy}")
        if self.session.can_ask and not self.console.ask("Create resources?"):
            return True
        return workspace.create(["primitive", dummy, "ocf:heartbeat:Dummy"]) and workspace.create(
            ["colocation", constraint, "inf:", "(", *nodes, ")", dummy]
        )
