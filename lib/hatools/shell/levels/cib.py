"""The cib level: shadow CIBs, in which changes can be tried before they go into the cluster."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.shell.commands import ADMINISTRATOR, CommandError, Door, Level, command
from hatools.shell.console import in_columns
from hatools.shell.programs import call, capture
from hatools.shell.session import LIVE_NAME, TEMPORARY_NAME

if TYPE_CHECKING:
    from hatools.shell.context import Context

_OPTIONS = ("force", "--force", "withstatus", "empty")


class CibLevel(Level):
    """Manages shadow CIBs."""

    name = "cib"
    doors = (Door("cibstatus", "cibstatus", "CibStatus"),)

    def _shadow_file(self, name: str) -> Path:
        from hatools.ipc.clients.cib import shadow_path

        return shadow_path(name, os.environ)

    def _check_name(self, name: str) -> None:
        if not name or any(char in "'`/#*?$[];" for char in name):
            self.console.error(f"{name}: bad filename")
            raise CommandError(f"Bad filename: {name}")

    def _shadow(self, *argv: str) -> bool:
        """Run crm_shadow, its standard output unseen."""
        import sys

        answer = capture("crm_shadow", ["-b", *argv])
        sys.stderr.write(answer.err)
        return answer.status == 0

    @command(skill=ADMINISTRATOR)
    def do_new(self, context: "Context", *args: str) -> None:
        words = list(args)
        chosen = set()
        while words and words[-1] in _OPTIONS:
            chosen.add(words.pop())
        if len(words) > 1:
            raise CommandError(f"Unexpected argument(s): {' '.join(words)}")
        is_temporary = not words
        if words:
            name = words[0]
            self._check_name(name)
            if name in (TEMPORARY_NAME, LIVE_NAME):
                raise CommandError(f"Shadow name '{name}' is not allowed")
        else:
            name = f"crmsh_{os.getpid()}"
        forced = is_temporary or bool(chosen & {"force", "--force"}) or self.session.preferences.flag("core", "force")
        argv = ["-e" if "empty" in chosen else "-c", name, *(["--force"] if forced else [])]
        if not self._shadow(*argv):
            return
        self.session.uses_temporary_shadow = is_temporary
        context.info(f"{name} shadow CIB created")
        self._use(name, with_status="withstatus" in chosen)

    @command(skill=ADMINISTRATOR)
    def do_import(self, context: "Context", infile: str, name: str | None = None) -> bool:
        if name:
            self._check_name(name)
        path = Path(infile)
        if not path.exists():
            if "/" in infile:
                raise CommandError(f"{infile}: no such file")
            path = self._scheduler_input(infile)
        name = name or path.name.replace(".bz2", "")
        try:
            content = path.read_bytes()
            if path.suffix == ".bz2":
                import bz2

                content = bz2.decompress(content)
            target = self._shadow_file(name)
            target.write_bytes(content)
            target.chmod(0o600)
        except OSError as error:
            self.console.error(f"open: {error}")
            raise CommandError(f"Error copying PE file to shadow: {path} -> {name}") from None
        self._use(name, with_status=True)
        return True

    def _scheduler_input(self, number: str) -> Path:
        """Return the scheduler's input with this name or number."""
        from hatools.runtime.directories import Directories

        folder = Directories.from_environment().pengine
        for pattern in (number, f"{number}.bz2", f"pe-*-{number}.bz2"):
            found = sorted(folder.glob(pattern)) if folder.is_dir() else []
            if len(found) > 1:
                names = " ".join(str(path) for path in found)
                raise CommandError(f"more than one {number} pe input file: {names}")
            if found:
                return found[0]
        raise CommandError(f"no {number} pe input file")

    @command(skill=ADMINISTRATOR)
    def do_delete(self, context: "Context", name: str) -> None:
        self._check_name(name)
        if self.session.shadow == name:
            raise CommandError(f"{name} shadow CIB is in use")
        if not self._shadow("-D", name, "--force"):
            raise CommandError(f"failed to delete {name} shadow CIB")
        context.info(f"{name} shadow CIB deleted")

    @command(skill=ADMINISTRATOR)
    def do_reset(self, context: "Context", name: str) -> None:
        self._check_name(name)
        if not self._shadow("-r", name):
            raise CommandError(f"failed to copy live CIB to {name}")
        context.info(f"copied live CIB to {name}")

    @command(skill=ADMINISTRATOR, waits=True)
    def do_commit(self, context: "Context", name: str | None = None) -> bool:
        if name:
            self._check_name(name)
        name = name or self.session.shadow
        if not name:
            raise CommandError("There is nothing to commit")
        if not self._shadow("-C", name, "--force"):
            raise CommandError(f"failed to commit the {name} shadow CIB")
        context.info(f"committed '{name}' shadow CIB to the cluster")
        if self.session.uses_temporary_shadow:
            self._use("", with_status=False)
        return True

    @command(skill=ADMINISTRATOR)
    def do_diff(self, context: "Context") -> None:
        call("crm_shadow", "-b", "-d")

    @command(skill=ADMINISTRATOR)
    def do_list(self, context: "Context") -> None:
        for line in in_columns(shadow_names()):
            print(line)

    @command(skill=ADMINISTRATOR)
    def do_use(self, context: "Context", name: str = "", withstatus: str = "") -> bool:
        if name:
            self._check_name(name)
        if name and name != LIVE_NAME and not self._shadow_file(name).exists():
            raise CommandError(f"{name}: no such shadow CIB")
        if withstatus not in ("", "withstatus"):
            raise CommandError(f"Expected 'withstatus', got '{withstatus}'")
        configuration = self.session.configuration
        if configuration.has_changed:
            saved = self.session.shadow
            self._use(name, with_status=False)
            is_same = configuration.is_unchanged_elsewhere(silently=True)
            if not is_same:
                context.error("the requested CIB is different from the current one")
                if self.session.preferences.flag("core", "force"):
                    context.info("CIB overwrite forced")
                elif self.console.ask("All changes will be dropped. Do you want to proceed?"):
                    configuration.reset()
                else:
                    self._use(saved, with_status=False)
                    return False
            self._use(name, with_status=bool(withstatus))
            return configuration.load()
        self._use(name, with_status=bool(withstatus))
        if configuration.is_loaded:
            configuration.refresh()
        return True

    def _use(self, name: str, *, with_status: bool) -> None:
        """Make a shadow CIB, or without a name the cluster's, the one that commands work on."""
        session = self.session
        is_live = not name or name == LIVE_NAME
        if is_live and session.uses_temporary_shadow:
            self._shadow("-D", session.shadow, "--force")
            session.uses_temporary_shadow = False
        session.shadow = "" if is_live else name
        if with_status:
            session.status_origin = LIVE_NAME if is_live else f"shadow:{name}"


def shadow_names() -> list[str]:
    """Return the names of the shadow CIBs, sorted."""
    from hatools.ipc.clients.cib import shadow_folder

    folder = shadow_folder(os.environ)
    if not folder.is_dir():
        return []
    return sorted(path.name.removeprefix("shadow.") for path in folder.glob("shadow.*"))
