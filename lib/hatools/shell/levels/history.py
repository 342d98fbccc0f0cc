"""The history level: what the scheduler was given, what it decided, and what the logs tell of it."""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from hatools.shell.commands import ADMINISTRATOR, CommandError, Level, command
from hatools.shell.history.archive import Archive, Input, open_live, open_report
from hatools.shell.history.logs import View, matching
from hatools.shell.history.patterns import EVENTS, NODE, RESOURCE, patterns_for
from hatools.shell.history.showing import configuration_lines, status_lines, word_difference
from hatools.shell.history.times import parse_moment
from hatools.shell.programs import call, capture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatools.shell.context import Context
    from hatools.shell.history.logs import Line
    from hatools.shell.history.transitions import Transition

_ACTIONS = ("showdot", "log", "save", "tags")
_STAMP = "%Y-%m-%d %H:%M:%S"


class History(Level):
    """Examines the past of the cluster, live or in a report."""

    name = "history"

    def is_usable(self) -> bool:
        self._source = self.session.history_source or "live"
        self._archive: Archive | None = None
        self._view = View()
        self._session_name = ""
        return True

    def leave(self, *, silently: bool = False) -> bool:
        return True

    # Source

    def _open(self, *, renew: bool = False) -> Archive:
        """Return what is looked at, read when it is first needed."""
        if self._archive is None or renew:
            if self._source != "live":
                self._archive = open_report(self._source)
            else:
                since = self._view.start or self._moment(self.session.preferences.get("report", "from_time") or "-12H")
                self._archive = open_live(self.session, since=f"{since:{_STAMP}}", renew=renew)
        return self._archive

    def _moment(self, text: str) -> datetime:
        found = parse_moment(text, datetime.now())
        if found is None:
            raise CommandError(f"'{text}' is no time: write it as 2024-05-31 14:00, 14:00, or -2H for two hours ago")
        return found

    @command(skill=ADMINISTRATOR)
    def do_source(self, context: "Context", src: str | None = None) -> None:
        if src is None:
            print(f"Current source is: {self._source}")
            return
        before, self._source = self._source, src
        try:
            if src != "live":
                self._archive = None
                self._open()
        except CommandError:
            self._source = before
            raise
        self._archive = None
        self._session_name = ""

    @command("limit", "timeframe", skill=ADMINISTRATOR)
    def do_limit(self, context: "Context", from_time: str = "", to_time: str = "") -> None:
        start = self._moment(from_time) if from_time else None
        end = self._moment(to_time) if to_time else None
        if start is not None and end is not None and start > end:
            raise CommandError(f"the period ends ({end:{_STAMP}}) before it begins ({start:{_STAMP}})")
        if self._source == "live" and start is not None:
            self._archive = None  # what was collected may begin later
        self._view.start, self._view.end = start, end

    @command(skill=ADMINISTRATOR)
    def do_refresh(self, context: "Context", force: str = "") -> None:
        if force and force != "force":
            raise CommandError(f"Expected 'force' or nothing, got '{force}'")
        if self._source != "live":
            self.console.info("nothing to refresh if source isn't live")
            return
        self._open(renew=True)

    @command(skill=ADMINISTRATOR)
    def do_detail(self, context: "Context", detail_level: str = "0") -> None:
        if not detail_level.isdigit():
            raise CommandError(f"Expected a small number, got '{detail_level}'")
        self._view.detail = int(detail_level)

    @command(skill=ADMINISTRATOR)
    def do_setnodes(self, context: "Context", *args: str) -> None:
        self._require_nodes(args)
        self._view.nodes = list(args)

    def _require_nodes(self, names: "Sequence[str]") -> None:
        known = self._open().nodes
        for name in names:
            if known and name not in known:
                raise CommandError(f"{name}: nothing is known of this node; there are {', '.join(known)}")

    @command(skill=ADMINISTRATOR)
    def do_exclude(self, context: "Context", regex: str = "") -> None:
        if not regex:
            print("\n".join(self._view.excluded))
        elif regex == "clear":
            self._view.excluded.clear()
        else:
            try:
                re.compile(regex)
            except re.error as error:
                raise CommandError(f"bad regular expression: {error}") from None
            self._view.excluded.append(regex)

    # Logs

    def _lines(self, nodes: "Sequence[str]" = ()) -> "list[Line]":
        self._require_nodes(nodes)
        return [line for line in self._open().lines() if self._view.shows(line, nodes)]

    def _show_lines(self, lines: "Sequence[Line]") -> None:
        self.console.show("\n".join(line.text for line in lines))

    @command(skill=ADMINISTRATOR)
    def do_info(self, context: "Context") -> None:
        archive = self._open()
        lines = self._lines()
        times = [line.when for line in lines]
        start = self._view.start or (times[0] if times else None)
        end = self._view.end or (times[-1] if times else None)
        names = self._names_of_resources()
        numbers = " ".join(dict.fromkeys(str(entry.number) for entry in self._inputs()[-20:]))
        rows = [
            ("Source", archive.source),
            ("Period", f"{_stamp(start)} - {_stamp(end)}"),
            ("Nodes", " ".join(archive.nodes)),
            ("Groups", " ".join(names.get("group", []))),
            ("Clones", " ".join([*names.get("clone", []), *names.get("master", [])])),
            ("Resources", " ".join(names.get("primitive", []))),
            ("Transitions", numbers),
        ]
        self.console.show("\n".join(f"{name}: {value}" for name, value in rows))

    @command(skill=ADMINISTRATOR)
    def do_latest(self, context: "Context") -> bool:
        if self._source == "live":
            self.session.wait_until_settled("transition")
            self._open(renew=True)
        return self._show_transition(self._input(""), [])

    @command(skill=ADMINISTRATOR)
    def do_events(self, context: "Context") -> None:
        """Show what concerns the cluster as a whole, and every resource and node that it has."""
        patterns = patterns_for(EVENTS, (), self._view.detail)
        patterns += patterns_for(NODE[:1], self._open().nodes, 0)
        patterns += patterns_for(RESOURCE[:1], self._names_of_resources().get("primitive", []), 0)
        self._show_lines(list(matching(self._lines(), patterns)))

    @command(skill=ADMINISTRATOR)
    def do_log(self, context: "Context", *nodes: str) -> None:
        self._show_lines(self._lines(nodes))

    @command(skill=ADMINISTRATOR)
    def do_resource(self, context: "Context", *args: str) -> None:
        if not args:
            raise CommandError("Expected at least one resource")
        names = list(dict.fromkeys(member for name in args for member in self._members_of(name)))
        self._show_lines(list(matching(self._lines(), patterns_for(RESOURCE, names, self._view.detail))))

    @command(waits=True, skill=ADMINISTRATOR)
    def do_node(self, context: "Context", *args: str) -> None:
        if not args:
            raise CommandError("Expected at least one node")
        self._show_lines(list(matching(self._lines(), patterns_for(NODE, args, self._view.detail))))

    def _configuration(self) -> Element | None:
        """Return the resources of the last known CIB; None if there is none."""
        from hatools.cib.document import parse_xml
        from hatools.values.errors import HatoolsError

        found = self._inputs()
        if found:
            return self._document(str(found[-1].path)).find("configuration/resources")
        for path in self._open().configurations():
            try:
                return parse_xml(path.read_bytes()).find("configuration/resources")
            except (HatoolsError, OSError):
                continue
        return None

    def _names_of_resources(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        resources = self._configuration()
        for element in resources.iter() if resources is not None else ():
            if isinstance(element.tag, str) and element.tag in ("primitive", "group", "clone", "master", "bundle"):
                names.setdefault(element.tag, []).append(element.get("id") or "")
        return names

    def _members_of(self, name: str) -> list[str]:
        """Return a resource's name, or those of what a group or clone holds."""
        resources = self._configuration()
        for element in resources.iter() if resources is not None else ():
            if element.get("id") == name and element.tag in ("group", "clone", "master", "bundle"):
                return [name, *(inner.get("id") or "" for inner in element.iter("primitive"))]
        return [name]

    # Transitions

    def _inputs(self) -> list[Input]:
        """Return the scheduler's inputs of the period, oldest first."""
        view = self._view
        return [
            entry
            for entry in self._open().inputs()
            if (view.start is None or entry.written >= view.start)
            and (view.end is None or entry.written <= view.end)
            and (not view.nodes or entry.node in view.nodes)
        ]

    def _input(self, word: str) -> Path:
        """Return an input by file, number, or index from the end (0 or nothing: the last, -1: the one before)."""
        if word and ("pe-" in word or "/" in word):
            return self._input_named(word)
        found = self._inputs()
        if not word or re.fullmatch(r"-\d+|0", word):
            index = len(found) - 1 + int(word or "0")
            if 0 <= index < len(found):
                return found[index].path
            raise CommandError("no transitions found in the source" if not found else f"{word}: no such transition")
        named = [entry.path for entry in found if str(entry.number) == word]
        if not named:
            raise CommandError(f"{word}: no such transition")
        return named[-1]

    def _input_named(self, word: str) -> Path:
        if Path(word).is_file():
            return Path(word)
        suffix = word if word.endswith(".bz2") else f"{word}.bz2"
        named = [entry.path for entry in self._open().inputs() if str(entry.path).endswith(suffix)]
        if not named:
            raise CommandError(f"{word}: path not found")
        if len(named) > 1:
            raise CommandError(f"{word}: path ambiguous: {' '.join(map(str, named))}")
        return named[0]

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

    def _transitions(self) -> "list[Transition]":
        from hatools.shell.history.transitions import find_transitions

        return find_transitions(self._lines(), self._names_of_resources().get("primitive", []))

    @command(skill=ADMINISTRATOR)
    def do_peinputs(self, context: "Context", *args: str) -> bool:
        words = [word for word in args if word != "v"]
        for word in words:
            _in_range(0, word)  # a range that is none is said, whatever there is
        chosen = [
            entry for entry in self._inputs() if not words or any(_in_range(entry.number, word) for word in words)
        ]
        if not chosen:
            raise CommandError("no scheduler inputs")
        if "v" not in args:
            self.console.show("\n".join(str(entry.path) for entry in chosen))
            return True
        told = {transition.name: transition for transition in self._transitions()}
        rows = ["Date       Start    End       Filename      Client     User       Origin      Tags"]
        rows.append("====       =====    ===       ========      ======     ====       ======      ====")
        rows += [self._row(entry, told.get(entry.path.name)) for entry in chosen]
        self.console.show("\n".join(rows))
        return True

    def _row(self, entry: Input, told: "Transition | None") -> str:
        root = self._document(str(entry.path))
        start = told.start if told is not None else entry.written
        end = f"{told.end:%H:%M:%S}" if told is not None and told.end is not None else "--:--:--"
        client, user, origin = (root.get(f"update-{key}") or f"no-{key}" for key in ("client", "user", "origin"))
        tags = " ".join(sorted(told.tags)) if told is not None else ""
        name = entry.path.name.removesuffix(".bz2")
        return f"{start:%Y-%m-%d} {start:%H:%M:%S} {end}  {name:<13} {client:<10} {user:<10} {origin}   {tags}".rstrip()

    @command(skill=ADMINISTRATOR)
    def do_transitions(self, context: "Context") -> None:
        rows = ["Time                            Name                Node             Tags"]
        for transition in self._transitions():
            end = f"{transition.end:%H:%M:%S}" if transition.end is not None else "--:--:--"
            period = f"{transition.start:{_STAMP}} - {end}"
            name = transition.name.removesuffix(".bz2")
            rows.append(f"{period:<31} {name:<19} {transition.dc:<16} {' '.join(sorted(transition.tags))}".rstrip())
        self.console.show("\n".join(rows))

    @command(skill=ADMINISTRATOR)
    def do_transition(self, context: "Context", *args: str) -> bool:
        words = list(args)
        action = words.pop(0) if words and words[0] in _ACTIONS else ""
        is_chosen = bool(words) and re.fullmatch(r"-?\d+|.*pe-.*|.*/.*", words[0]) is not None
        path = self._input(words.pop(0) if is_chosen else "")
        if words and (action in ("showdot", "log", "tags") or (action == "save" and len(words) > 1)):
            raise CommandError(f"unexpected: {' '.join(words)}")
        match action:
            case "log":
                return self._show_transition_log(path, whole=True)
            case "save":
                return self._save(path, words[0] if words else path.name.removesuffix(".bz2"))
            case "tags":
                told = self._told_of(path)
                print(" ".join(sorted(told.tags)) if told is not None else "")
                return True
            case "showdot":
                return self._dot(path, "/dev/stdout")
        return self._show_transition(path, words)

    def _save(self, path: Path, name: str) -> bool:
        from hatools.cib.document import format_xml
        from hatools.ipc.clients.cib import shadow_path

        target = shadow_path(name, os.environ)
        if target.exists() and not self.console.ask(f"shadow CIB {name} exists. Replace it?"):
            raise CommandError(f"shadow CIB {name} exists already")
        target.write_text(format_xml(self._document(str(path))), encoding="utf-8")
        self.console.info(f"transition {path} saved to shadow {name}")
        return True

    def _told_of(self, path: Path) -> "Transition | None":
        """Return what the logs tell of the transition that an input led to."""
        return next((told for told in reversed(self._transitions()) if told.name == path.name), None)

    def _show_transition(self, path: Path, words: list[str]) -> bool:
        unknown = [
            word for word in words if word not in ("nograph", "scores", "actions", "utilization") and set(word) != {"v"}
        ]
        if unknown:
            raise CommandError(f"unknown option {unknown[0]}: expected nograph, v..., scores, actions, utilization")
        argv = ["-x", str(path), "-S"]
        argv += ["-s"] if "scores" in words else []
        argv += ["-U"] if "utilization" in words else []
        print(f"Transition {path.name.removesuffix('.bz2')} ({path}):", flush=True)
        return call("crm_simulate", *argv) == 0 and self._show_transition_log(path, whole=False)

    def _show_transition_log(self, path: Path, *, whole: bool) -> bool:
        told = self._told_of(path)
        if told is None:
            self.console.warning(f"{path.name}: the logs do not tell of this transition")
            return not whole
        end = told.end or datetime.max
        lines = [line for line in self._lines() if told.start <= line.when <= end]
        if not whole:
            patterns = [*patterns_for(EVENTS, (), self._view.detail), r"Initiating|Result of|Transition -?\d+ \("]
            lines = list(matching(lines, patterns))
            print(f"Transition {path.name.removesuffix('.bz2')} from {told.start:%H:%M:%S} on {told.dc}:")
        self._show_lines(lines)
        return True

    def _dot(self, path: Path, target: str) -> bool:
        return capture("crm_simulate", ["-x", str(path), "-S", "-D", target]).status == 0

    # Configurations

    @command(skill=ADMINISTRATOR)
    def do_show(self, context: "Context", t: str, rest: str | None = None) -> None:
        if rest not in (None, "status"):
            raise CommandError(f"Expected 'status' or nothing, got '{rest}'")
        self.console.show("\n".join(self._shown(t, as_status=rest == "status")))

    def _shown(self, word: str, *, as_status: bool) -> list[str]:
        """Return configuration or status of an input as lines."""
        root = self._document(word)
        return status_lines(root) if as_status else configuration_lines(self.console, root)

    @command(skill=ADMINISTRATOR)
    def do_graph(self, context: "Context", t: str, *args: str) -> bool:
        from hatools.shell.changeset.host import Host
        from hatools.shell.changeset.workspace import Workspace
        from hatools.shell.graph import draw

        return draw(self.session, args, Workspace(self._document(t), Host(self.console)))

    @command(skill=ADMINISTRATOR)
    def do_diff(self, context: "Context", t1: str, t2: str, *args: str) -> None:
        import difflib

        as_status = "status" in args
        first, second = self._shown(t1, as_status=as_status), self._shown(t2, as_status=as_status)
        if "html" in args:
            print(difflib.HtmlDiff().make_file(first, second, t1, t2))
            return
        self.console.show("\n".join(difflib.unified_diff(first, second, t1, t2, lineterm="")))

    @command(skill=ADMINISTRATOR)
    def do_wdiff(self, context: "Context", t1: str, t2: str, *args: str) -> None:
        as_status = "status" in args
        self.console.show(word_difference(*(self._shown(t, as_status=as_status) for t in (t1, t2))))

    # Sessions

    @command(skill=ADMINISTRATOR)
    def do_session(self, context: "Context", subcmd: str = "", name: str = "") -> bool:
        from hatools.shell.history import sessions

        if not subcmd:
            print(f"current session: {self._session_name}")
            return True
        if subcmd == "list":
            print("\n".join(sessions.names()))
            return True
        if subcmd not in ("save", "load", "delete", "pack", "update"):
            raise CommandError(f"unknown history session subcmd: {subcmd}")
        name = name or self._session_name
        if not name or "/" in name or name.startswith("."):
            raise CommandError("Expected the name of a session")
        match subcmd:
            case "save" | "update":
                sessions.save(name, self._open(), self._view)
                self._source, self._session_name = str(sessions.folder(name)), name
                self._archive = None
            case "load":
                self._view = sessions.load(name)
                self._source, self._session_name = str(sessions.folder(name)), name
                self._archive = None
            case "delete":
                sessions.delete(name)
                if name == self._session_name:
                    self.console.info("current history session deleted, setting source to live")
                    self._source, self._session_name, self._archive = "live", "", None
            case "pack":
                print(sessions.pack(name))
        return True


def _stamp(when: datetime | None) -> str:
    return f"{when:{_STAMP}}" if when is not None else "unknown"


def _in_range(number: int, word: str) -> bool:
    first, colon, last = word.partition(":")
    if not first.isdigit() or (colon and not last.isdigit()):
        raise CommandError(f"Expected <number> or <n1>:<n2>, got '{word}'")
    if colon and int(first) > int(last):
        raise CommandError(f"{word}: invalid peinputs range")
    return int(first) <= number <= int(last) if colon else number == int(first)
