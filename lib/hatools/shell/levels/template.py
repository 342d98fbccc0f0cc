"""The template level: configurations made from templates."""

import os
import sys
from typing import TYPE_CHECKING

from hatools.shell import templating
from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.console import in_columns

if TYPE_CHECKING:
    from hatools.shell.context import Context


class Template(Level):
    """Makes, edits and applies configurations from templates."""

    name = "template"
    _current = ""

    def _check_name(self, name: str) -> None:
        if not name or any(char in "'`/#*?$[];" for char in name):
            raise CommandError(f"{name}: bad filename")

    def _text(self, name: str) -> str:
        """Return a configuration's text, by default the current one's."""
        name = name or self._current
        if not name:
            raise CommandError("please load a config first")
        self._check_name(name)
        path = templating.folder() / name
        if not path.is_file():
            raise CommandError(f"{name}: no such config")
        return path.read_text(encoding="utf-8")

    @command(skill=ADMINISTRATOR)
    def do_new(self, context: "Context", name: str, *args: str) -> None:
        self._check_name(name)
        words = list(args)
        values: dict[str, str] = {}
        if "params" in words:
            at = words.index("params")
            for word in words[at + 1 :]:
                key, equals, value = word.partition("=")
                if not equals:
                    raise CommandError(f"syntax in new near <{word}>: expected <name>=<value>")
                values[key] = value
            words = words[:at]
        if not words:
            if name not in templating.template_names():
                raise CommandError("Expected template argument")
            words, number = [name], 0
            while f"{words[0]}-{number}" in templating.config_names():
                number += 1
            name = f"{words[0]}-{number}"
        path = templating.folder() / name
        if path.exists():
            raise CommandError(f"config {name} exists; delete it first")
        text, pulled = templating.create(name, words, values)
        for template in pulled:
            self.console.info(f"pulling in template {template}")
        path.write_text(text, encoding="utf-8")
        self._current = name

    @command(skill=ADMINISTRATOR)
    def do_delete(self, context: "Context", name: str, force: str = "") -> bool:
        if force not in ("", "force", "--force"):
            raise CommandError(f"Expected 'force', got '{force}'")
        self._text(name)
        if name == self._current:
            question = f"Do you really want to remove config {name} which is in use?"
            if not force and not self.console.ask(question):
                return False
            self._current = ""
        os.remove(templating.folder() / name)
        return True

    @command(skill=ADMINISTRATOR)
    def do_load(self, context: "Context", name: str = "") -> None:
        if name:
            self._text(name)
        self._current = name

    @command(skill=ADMINISTRATOR)
    def do_edit(self, context: "Context", name: str = "") -> bool:
        from hatools.shell.editing import run_editor

        self._text(name)
        return run_editor(self.session, str(templating.folder() / (name or self._current))) == 0

    @command()
    def do_show(self, context: "Context", name: str = "") -> None:
        print(templating.generate(self._text(name)))

    @command(skill=ADMINISTRATOR)
    def do_apply(self, context: "Context", *args: str) -> bool:
        from hatools.shell.selection import Selection

        words = list(args)
        method = words.pop(0) if words and words[0] in ("replace", "update") else "replace"
        text = templating.generate(self._text(words[0] if words else ""))
        configuration = self.session.configuration
        if method == "replace":
            is_at_stake = self.session.is_interactive and configuration.has_changed
            if is_at_stake and not self.console.ask("This operation will erase all changes. Do you want to proceed?"):
                return False
            configuration.workspace.erase(lambda text: print(text, file=sys.stderr))
        return Selection(self.session, []).take_over(text, remove=False, merge=method == "update")

    @command()
    def do_list(self, context: "Context", templates: str = "") -> None:
        if templates != "configs":
            if not templates:
                print("Templates:")
            print("\n".join(in_columns(templating.template_names())))
        if templates != "templates":
            if not templates:
                print("\nConfigurations:")
            print("\n".join(in_columns(templating.config_names())))
