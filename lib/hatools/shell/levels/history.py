"""The history level: what the scheduler was given, and what it decided."""

import difflib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.programs import call, capture

if TYPE_CHECKING:
    from hatools.shell.context import Context

_NAME = re.compile(r"pe-(input|warn|error)-(\d+)\.bz2$")
_EVENT = re.compile(
    r"(State transition|Initiating|Result of|Transition \d+|fenc|Fenc|quorum|Quorum|joined|left|lost|S_[A-Z_]+)"
)


class History(Level):
    """Examines kept inputs of the scheduler and the log, of this node or of a report."""

    name = "history"

    def is_usable(self) -> bool:
        self._folder: Path | None = None
        self._limits: tuple[str, str] = ("", "")
        self._excluded: re.Pattern[str] | None = None
        self._nodes: list[str] = []
        self._detail = 0
        if self.session.history_source:
            self._set_source(self.session.history_source)
        return True

    def leave(self, *, silently: bool = False) -> bool:
        return True

    # Source

    def _set_source(self, source: str) -> None:
        if source == "live":
            self._folder = None
            return
        path = Path(source)
        if path.is_file() and ".tar" in path.name:
            folder = _sessions() / f"report-{os.getpid()}"
            shutil.unpack_archive(path, folder, filter="data")
            path = folder
        if not path.is_dir():
            raise CommandError(f"{source}: no such folder or report")
        self._folder = path

    def _inputs(self) -> list[Path]:
        """Return the scheduler's inputs, oldest first."""
        if self._folder is None:
            from hatools.runtime.directories import Directories

            folder = Directories.from_environment().pengine
            found = list(folder.glob("pe-*.bz2")) if folder.is_dir() else []
        else:
            found = list(self._folder.rglob("pe-*.bz2"))
        return sorted((path for path in found if _NAME.search(path.name)), key=lambda path: path.stat().st_mtime)

    def _input(self, word: str) -> Path:
        """Return an input by file, number or index from the end (0 is the last, -1 the one before)."""
        if Path(word).is_file():
            return Path(word)
        found = self._inputs()
        if re.fullmatch(r"-\d+|0", word):
            index = len(found) - 1 + int(word)
            if 0 <= index < len(found):
                return found[index]
        for path in reversed(found):
            match = _NAME.search(path.name)
            if match is not None and match[2] == word:
                return path
        raise CommandError(f"{word}: no such pe input")

    def _document(self, word: str) -> Element:
        """Return the CIB of an input, or with ``live`` the cluster's."""
        if word == "live":
            root = self.session.configuration.read()
            if root is None:
                raise CommandError("no cluster answers")
            return root
        import bz2

        from hatools.cib.document import parse_xml

        path = self._input(word)
        content = path.read_bytes()
        return parse_xml(bz2.decompress(content) if path.suffix == ".bz2" else content)

    def _log_lines(self) -> list[str]:
        if self._folder is None:
            from hatools.runtime.directories import Directories

            paths = [Directories.from_environment().log_file]
        else:
            paths = [path for path in self._folder.rglob("*.log") if not self._nodes or _is_of(path, self._nodes)]
        lines: list[str] = []
        for path in paths:
            try:
                lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError as error:
                self.console.warning(f"{path}: {error.strerror}")
        first, last = self._limits
        return [
            line
            for line in lines
            if (not first or line[: len(first)] >= first)
            and (not last or line[: len(last)] <= last)
            and (self._excluded is None or not self._excluded.search(line))
        ]

    @command()
    def do_source(self, context: "Context", src: str | None = None) -> None:
        if src is None:
            print(f"Current source is: {self._folder or 'live'}")
        else:
            self._set_source(src)

    @command("limit", "timeframe", skill=ADMINISTRATOR)
    def do_limit(self, context: "Context", from_time: str = "", to_time: str = "") -> None:
        self._limits = (from_time, to_time)

    @command(skill=ADMINISTRATOR)
    def do_refresh(self, context: "Context", force: str = "") -> None:
        if self._folder is not None:
            self._set_source(str(self._folder))

    @command(skill=ADMINISTRATOR)
    def do_detail(self, context: "Context", detail_level: str = "0") -> None:
        if not detail_level.isdigit():
            raise CommandError(f"Expected a small number, got '{detail_level}'")
        self._detail = int(detail_level)

    @command(skill=ADMINISTRATOR)
    def do_setnodes(self, context: "Context", *args: str) -> None:
        self._nodes = list(args)

    @command(skill=ADMINISTRATOR)
    def do_exclude(self, context: "Context", regex: str = "") -> None:
        if regex == "clear":
            self._excluded = None
        elif not regex:
            print(self._excluded.pattern if self._excluded else "")
        else:
            try:
                self._excluded = re.compile(regex)
            except re.error as error:
                raise CommandError(f"bad regular expression: {error}") from None

    # Looking

    @command()
    def do_info(self, context: "Context") -> None:
        found = self._inputs()
        print(f"Source: {self._folder or 'live'}")
        print(f"Transitions: {' '.join(str(_number(path)) for path in found[-20:])}")
        if self._limits != ("", ""):
            print(f"Time frame: {self._limits[0] or 'start'} to {self._limits[1] or 'end'}")

    @command()
    def do_latest(self, context: "Context") -> bool:
        found = self._inputs()
        return bool(found) and self._show_transition(found[-1], [])

    @command()
    def do_events(self, context: "Context") -> None:
        self.console.show("\n".join(line for line in self._log_lines() if _EVENT.search(line)))

    @command()
    def do_log(self, context: "Context", *nodes: str) -> None:
        self.console.show("\n".join(self._log_lines()))

    @command()
    def do_resource(self, context: "Context", *args: str) -> None:
        self._show_about(args)

    @command()
    def do_node(self, context: "Context", *args: str) -> None:
        self._show_about(args)

    def _show_about(self, names: tuple[str, ...]) -> None:
        if not names:
            raise CommandError("Expected at least one name")
        pattern = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))
        self.console.show("\n".join(line for line in self._log_lines() if pattern.search(line)))

    @command()
    def do_peinputs(self, context: "Context", *args: str) -> None:
        words = [word for word in args if word != "v"]
        for path in self._inputs():
            if not words or any(_in_range(_number(path), word) for word in words):
                print(path)

    @command()
    def do_transitions(self, context: "Context") -> None:
        import time

        from tabulate import tabulate

        rows = [
            (_number(path), time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(path.stat().st_mtime)), path.name)
            for path in self._inputs()
        ]
        print(tabulate(rows, headers=("transition", "time", "input"), tablefmt="plain"))

    @command()
    def do_transition(self, context: "Context", *args: str) -> bool:
        words = list(args)
        action = words.pop(0) if words and words[0] in ("showdot", "log", "save", "tags") else ""
        chosen = words.pop(0) if words and re.fullmatch(r"-?\d+|.*\.bz2", words[0]) else "0"
        path = self._input(chosen)
        if action == "log":
            pattern = re.compile(rf"[Tt]ransition {_number(path)}\b|{re.escape(path.name)}")
            self.console.show("\n".join(line for line in self._log_lines() if pattern.search(line)))
            return True
        if action == "save":
            from hatools.ipc.clients.cib import shadow_path

            target = shadow_path(words[0] if words else path.name.removesuffix(".bz2"), os.environ)
            from hatools.cib.document import format_xml

            target.write_text(format_xml(self._document(str(path))), encoding="utf-8")
            self.console.info(f"transition {_number(path)} saved to shadow {target.name.removeprefix('shadow.')}")
            return True
        if action == "tags":
            answer = capture("crm_simulate", ["-x", str(path), "-S"])
            print(" ".join(sorted(set(re.findall(r"(start|stop|move|promote|demote|fence)", answer.out)))))
            return True
        if action == "showdot":
            return self._dot(path, "/dev/stdout")
        return self._show_transition(path, words)

    def _show_transition(self, path: Path, words: list[str]) -> bool:
        argv = ["-x", str(path), "-S"]
        argv += ["-s"] if "scores" in words else []
        argv += ["-U"] if "utilization" in words else []
        print(f"Transition {_number(path)} ({path.name}):")
        return call("crm_simulate", *argv) == 0

    def _dot(self, path: Path, target: str) -> bool:
        answer = capture("crm_simulate", ["-x", str(path), "-S", "-D", target])
        return answer.status == 0

    @command()
    def do_show(self, context: "Context", pe: str, rest: str | None = None) -> None:
        self.console.show("\n".join(self._shown(pe, as_status=rest == "status")))

    def _shown(self, word: str, *, as_status: bool) -> list[str]:
        """Return configuration or status of an input as lines."""
        root = self._document(word)
        if as_status:
            import tempfile

            from hatools.cib.document import format_xml

            with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as file:
                file.write(format_xml(root))
                file.flush()
                saved = os.environ.get("CIB_file")
                os.environ["CIB_file"] = file.name
                try:
                    return capture("crm_mon", ["-1", "-r"]).out.splitlines()
                finally:
                    if saved is None:
                        del os.environ["CIB_file"]
                    else:
                        os.environ["CIB_file"] = saved
        from hatools.parser.printer import Layout
        from hatools.shell.changeset.host import Host
        from hatools.shell.changeset.workspace import Workspace

        workspace = Workspace(root, Host(self.console))
        layout = Layout(node_count=len(workspace.node_names()))
        return "\n".join(workspace.text(item, layout) for item in workspace.sorted(workspace.objects)).splitlines()

    @command()
    def do_graph(self, context: "Context", pe: str, *args: str) -> bool:
        return self._dot(self._input(pe), args[1] if len(args) > 1 else "/dev/stdout")

    @command()
    def do_diff(self, context: "Context", pe1: str, pe2: str, *args: str) -> None:
        as_status = "status" in args
        first, second = self._shown(pe1, as_status=as_status), self._shown(pe2, as_status=as_status)
        if "html" in args:
            print(difflib.HtmlDiff().make_file(first, second, pe1, pe2))
            return
        self.console.show("\n".join(difflib.unified_diff(first, second, pe1, pe2, lineterm="")))

    @command()
    def do_wdiff(self, context: "Context", pe1: str, pe2: str, *args: str) -> None:
        as_status = "status" in args
        first = " ".join(self._shown(pe1, as_status=as_status)).split()
        second = " ".join(self._shown(pe2, as_status=as_status)).split()
        parts = []
        for tag, a, b, c, d in difflib.SequenceMatcher(None, first, second).get_opcodes():
            if tag == "equal":
                parts += first[a:b]
            else:
                parts += [f"[-{' '.join(first[a:b])}-]"] if b > a else []
                parts += [f"{{+{' '.join(second[c:d])}+}}"] if d > c else []
        self.console.show(" ".join(parts))

    @command()
    def do_session(self, context: "Context", subcmd: str = "list", name: str = "") -> bool:
        folder = _sessions()
        if subcmd == "list":
            for path in sorted(folder.iterdir()):
                print(path.name)
            return True
        if subcmd == "update":
            return self.do_session(context, "save", name)
        if not name or "/" in name:
            raise CommandError("Expected the name of a session")
        if subcmd == "save":
            target = folder / name
            target.mkdir(exist_ok=True)
            for path in self._inputs():
                shutil.copy2(path, target / path.name)
            return True
        if not (folder / name).is_dir():
            raise CommandError(f"{name}: no such session")
        if subcmd == "load":
            self._set_source(str(folder / name))
        elif subcmd == "delete":
            shutil.rmtree(folder / name)
        elif subcmd == "pack":
            print(shutil.make_archive(name, "bztar", folder / name))
        else:
            raise CommandError(f"unknown session command {subcmd}: expected save, load, delete, pack, update or list")
        return True


def _sessions() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "crm/history"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _number(path: Path) -> int:
    match = _NAME.search(path.name)
    return int(match[2]) if match is not None else 0


def _in_range(number: int, word: str) -> bool:
    first, colon, last = word.partition(":")
    if not first.isdigit() or (colon and not last.isdigit()):
        raise CommandError(f"Expected <number> or <n1>:<n2>, got '{word}'")
    return int(first) <= number <= int(last or first) if colon else number == int(first)


def _is_of(path: Path, nodes: list[str]) -> bool:
    return any(node in path.parts for node in nodes)
