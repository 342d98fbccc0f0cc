"""The script level: wizards that configure a service in one step.

The wizards are the templates of :mod:`hatools.shell.templating`; running one commits what it generates.
"""

import json
from typing import TYPE_CHECKING

from hatools.shell import templating
from hatools.shell.commands import CommandError, Level, command

if TYPE_CHECKING:
    from hatools.shell.context import Context


class Script(Level):
    """Lists, explains and runs wizards."""

    name = "script"

    @command()
    def do_list(self, context: "Context", *args: str) -> None:
        for word in args:
            if word not in ("all", "names"):
                raise CommandError(f"Unexpected argument '{word}': expected [all|names]")
        for name in templating.template_names():
            print(name if "names" in args else f"{name:<16} {_summary(name)}")

    @command("show", "info", "describe")
    def do_show(self, context: "Context", name: str, show_all: str | None = None) -> None:
        print(f"{name}: {_summary(name)}\n\nParameters (*: required):")
        for parameter in templating.parameters(templating.create(name, [name], {})[0]):
            print(f"  {parameter.name}{'*' if parameter.required else ''}")

    @command()
    def do_verify(self, context: "Context", name: str, *args: str) -> None:
        print(self._statements(name, args))

    @command()
    def do_run(self, context: "Context", name: str, *args: str) -> bool:
        from hatools.shell.selection import Selection

        text = self._statements(name, args)
        if not Selection(self.session, []).take_over(text, remove=False, merge=True):
            return False
        return self.session.configuration.commit()

    def _statements(self, name: str, args: tuple[str, ...]) -> str:
        values = {}
        for word in args:
            key, equals, value = word.partition("=")
            if not equals:
                raise CommandError(f"Expected <name>=<value>, got '{word}'")
            values[key] = value
        return templating.generate(templating.create(name, [name], values)[0])

    @command()
    def do_json(self, context: "Context", command: str) -> bool:
        """Answer a request of another program, one JSON value per line."""
        try:
            request = json.loads(command)
        except ValueError as error:
            print(json.dumps({"error": f"not JSON: {error}"}))
            return False
        action = request[0] if isinstance(request, list) and request else request
        if action == "list":
            for name in templating.template_names():
                print(json.dumps({"name": name, "shortdesc": _summary(name)}))
            return True
        if action in ("show", "verify", "run") and isinstance(request, list) and len(request) > 1:
            return self._answer(context, action, str(request[1]), request[2] if len(request) > 2 else {})
        print(json.dumps({"error": 'expected "list", ["show", NAME], ["verify", NAME, {}] or ["run", NAME, {}]'}))
        return False

    def _answer(self, context: "Context", action: str, name: str, values: dict[str, str]) -> bool:
        args = tuple(f"{key}={value}" for key, value in values.items())
        try:
            if action == "show":
                found = templating.parameters(templating.create(name, [name], {})[0])
                steps = [{"name": parameter.name, "required": parameter.required} for parameter in found]
                print(json.dumps({"name": name, "shortdesc": _summary(name), "parameters": steps}))
                return True
            if action == "verify":
                print(json.dumps({"text": self._statements(name, args)}))
                return True
            succeeded = self.do_run(context, name, *args)
        except CommandError as error:
            print(json.dumps({"error": str(error)}))
            return False
        print(json.dumps({"result": succeeded}))
        return succeeded


def _summary(name: str) -> str:
    """Return the first sentence of a template's comments."""
    for line in templating.template_text(name).splitlines():
        text = line.lstrip("# ").strip()
        if line.startswith("#") and text and not text.startswith(("Copyright", "License")):
            return text
    return ""
