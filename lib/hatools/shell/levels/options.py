"""The options level: a person's settings of the shell."""

from typing import TYPE_CHECKING

from hatools.shell.commands import CommandError, Level, command

if TYPE_CHECKING:
    from hatools.shell.context import Context


class Options(Level):
    """Shows and changes settings."""

    name = "options"

    def leave(self, *, silently: bool = False) -> bool:
        """Settings changed by a single command are kept."""
        if silently and not self.session.is_interactive:
            self._save()
        return True

    def _save(self) -> bool:
        try:
            self.session.preferences.save()
        except OSError as error:
            self.console.error(f"{self.session.preferences.path}: {error.strerror}")
            return False
        return True

    @command()
    def do_set(self, context: "Context", option: str, value: str) -> None:
        section, dot, name = option.partition(".")
        if not dot or "." in name:
            raise CommandError(f"Unknown option: {option}")
        self.session.preferences.set(section, name, value)

    @command("skill-level", "skill_level")
    def do_skill_level(self, context: "Context", level: str) -> None:
        self.session.preferences.set("core", "skill_level", level)

    @command()
    def do_editor(self, context: "Context", program: str) -> None:
        self.session.preferences.set("core", "editor", program)

    @command()
    def do_pager(self, context: "Context", program: str) -> None:
        self.session.preferences.set("core", "pager", program)

    @command()
    def do_user(self, context: "Context", crm_user: str = "") -> None:
        self.session.preferences.set("core", "user", crm_user)

    @command()
    def do_output(self, context: "Context", output_type: str) -> None:
        self.session.preferences.set("color", "style", output_type)

    @command()
    def do_colorscheme(self, context: "Context", colors: str) -> None:
        names = ("keyword", "identifier", "attr_name", "attr_value", "resource_reference", "id_reference")
        for name, colour in zip(names, colors.split(","), strict=False):
            self.session.preferences.set("color", name, colour.strip())

    @command("check-frequency", "check_frequency")
    def do_check_frequency(self, context: "Context", freq: str) -> None:
        self.session.preferences.set("core", "check_frequency", freq)

    @command("check-mode", "check_mode")
    def do_check_mode(self, context: "Context", mode: str) -> None:
        self.session.preferences.set("core", "check_mode", mode)

    @command("sort-elements", "sort_elements")
    def do_sort_elements(self, context: "Context", opt: str) -> None:
        self.session.preferences.set("core", "sort_elements", opt)

    @command()
    def do_wait(self, context: "Context", opt: str) -> None:
        self.session.preferences.set("core", "wait", opt)

    @command("add-quotes", "add_quotes")
    def do_add_quotes(self, context: "Context", opt: str) -> None:
        self.session.preferences.set("core", "add_quotes", opt)

    @command("manage-children", "manage_children")
    def do_manage_children(self, context: "Context", opt: str) -> None:
        self.session.preferences.set("core", "manage_children", opt)

    @command("show", "list")
    def do_show(self, context: "Context", option: str | None = None) -> None:
        preferences = self.session.preferences
        names = list(preferences.configured()) if option is None else preferences.names()
        wanted = option if option not in (None, "all") else ""
        for name in names:
            if not wanted or name.startswith(wanted) or name.endswith(wanted):
                print(f"{name} = {preferences.get(*name.split('.', 1))}")

    @command()
    def do_save(self, context: "Context") -> bool:
        return self._save()

    @command()
    def do_reset(self, context: "Context") -> None:
        self.session.preferences.reset()
