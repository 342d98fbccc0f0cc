"""Carrying out what a wizard plans, here and on other nodes. I/O: the configuration, programs, the channel.

No text that a person gave reaches a shell: the few actions that are shell commands take values only if a shell makes
nothing of them.
"""

import json
import os
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hatools.runtime.commands import commands_folder
from hatools.shell.commands import CommandError
from hatools.shell.scripts.actions import statements
from hatools.shell.scripts.model import ReadyAction, Script
from hatools.values.boolean import parse_boolean

if TYPE_CHECKING:
    from hatools.shell.members import Member, Members
    from hatools.shell.session import Session

_HELPERS = Path("/usr/share/crmsh/utils")
"""What the programs of the original's wizards import."""

_INSTALLERS = (
    ("/usr/bin/apt-get", ("apt-get", "-y", "install")),
    ("/usr/bin/dnf", ("dnf", "-y", "install")),
    ("/usr/bin/zypper", ("zypper", "-n", "install")),
)
_SERVICE_VERBS = {
    "enable": ("enable",),
    "disable": ("disable",),
    "start": ("start",),
    "stop": ("stop",),
    "restart": ("restart",),
    "recover": ("enable", "restart"),
}


class Reporter(Protocol):
    """Who is told how a wizard goes on."""

    def header(self, script: Script, nodes: Sequence[str]) -> None:
        """The wizard begins."""

    def start(self, action: ReadyAction) -> None:
        """An action begins."""

    def finish(self, action: ReadyAction, succeeded: bool, output: str) -> None:
        """An action has ended."""

    def error(self, node: str, text: str) -> None:
        """Something went wrong on a node."""

    def command(self, nodes: str, text: str) -> None:
        """This would be done, were it no trial."""


class Runner:
    """One run of one wizard."""

    def __init__(
        self,
        session: "Session",
        script: Script,
        values: dict[str, Any],
        common: dict[str, str | None],
        reporter: Reporter,
    ) -> None:
        self._session = session
        self._script = script
        self._reporter = reporter
        self._is_trial = parse_boolean(common["dry_run"] or "no") is True
        self._timeout_s = float(common["timeout"] or 600)
        self._members, self._nodes = self._choose(common["nodes"])
        self._data: list[Any] = [_plain(values)]
        self._work = f"/tmp/crm-tmp-{uuid.uuid4().hex}"
        self._placed: set[str] = set()

    @property
    def node_names(self) -> list[str]:
        """Where the wizard acts."""
        return [member.name for member in self._nodes]

    def _choose(self, named: str | None) -> "tuple[Members | None, list[Member]]":
        from hatools.shell.members import Member, Members

        here = Member(os.uname().nodename, (), is_local=True)
        if not self._session.is_live:
            return None, [here]  # a file or shadow is edited: other nodes have nothing to do with it
        try:
            members = Members()
        except CommandError:
            if named:
                raise
            return None, [here]
        words = (named or "").replace(",", " ").split()
        return members, members.chosen(words, default=members.all)

    def run(self, actions: Sequence[ReadyAction]) -> bool:
        """Carry out actions until one fails; return whether none did."""
        self._reporter.header(self._script, self.node_names)
        try:
            return all(self._run_one(action) for action in actions)
        finally:
            self._clean_up()

    def resume(self, actions: Sequence[ReadyAction], number: str, state: str) -> bool:
        """Carry out one action by its number from 1, with what those before it left in a state file."""
        if not number.isdigit() or not 1 <= int(number) <= len(actions):
            raise CommandError(f"action {number}: there are actions 1 to {len(actions)}")
        path = Path(state)
        if int(number) > 1:
            try:
                self._data = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise CommandError(f"{state}: {error}") from None
        try:
            succeeded = self._run_one(actions[int(number) - 1])
        finally:
            self._clean_up()
        path.write_text(json.dumps(self._data), encoding="utf-8")
        return succeeded

    def _run_one(self, action: ReadyAction) -> bool:
        self._reporter.start(action)
        perform: dict[str, Callable[[ReadyAction], str | None]] = {
            "cib": self._configure,
            "crm": self._crm,
            "install": self._install,
            "service": self._service,
            "call": self._call,
            "copy": self._copy,
        }
        try:
            output = perform.get(action.kind, self._program)(action)
        except CommandError as error:
            self._reporter.error("", str(error))
            output = None
        self._reporter.finish(action, output is not None, output or "")
        return output is not None

    # The configuration

    def _configure(self, action: ReadyAction) -> str | None:
        from hatools.shell.selection import Selection

        text = statements(action.content)
        if self._is_trial:
            self._reporter.command("local", f"crm configure load update\n{text}")
            return ""
        session = self._session
        if not Selection(session, []).take_over(text, remove=False, merge=True):
            return None
        return "" if session.configuration.commit() and session.wait_until_settled(self._script.name) else None

    def _crm(self, action: ReadyAction) -> str | None:
        text = statements(action.content)
        if self._is_trial:
            self._reporter.command("local", f"crm\n{text}")
            return ""
        with tempfile.NamedTemporaryFile("w", suffix=".crm", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            words = [os.path.join(commands_folder(), "crm"), "--wait", *(["-F"] if action.force else ["-n"])]
            return self._here([*words, "-f", file.name])

    # Programs

    def _install(self, action: ReadyAction) -> str | None:
        words = next((words for path, words in _INSTALLERS if os.path.exists(path)), None)
        if words is None:
            raise CommandError("none of apt-get, dnf and zypper is here to install packages")
        return self._everywhere(action, [*words, *action.content])

    def _service(self, action: ReadyAction) -> str | None:
        for name, state in action.content:
            for verb in _SERVICE_VERBS.get(state, (state,)):
                if self._everywhere(action, ["systemctl", verb, name]) is None:
                    return None
        return ""

    def _call(self, action: ReadyAction) -> str | None:
        words = ["sh", "-c", action.content]
        if action.content.startswith("#!"):
            interpreter = action.content.partition("\n")[0].removeprefix("#!").split()
            words = [*interpreter, "-s"] if os.path.basename(interpreter[0]) in ("sh", "bash") else ["sh", "-s"]
        given = action.content.encode() if action.content.startswith("#!") else b""
        if action.nodes in ("", "local") and not given:
            return self._here(words)
        return self._everywhere(action, words, given)

    def _copy(self, action: ReadyAction) -> str | None:
        source = Path(self._script.folder) / action.content
        try:
            content, mode = source.read_bytes(), source.stat().st_mode & 0o777
        except OSError:
            raise CommandError(f"File not found: {source}") from None
        target = action.to or action.content
        if not target.startswith("/"):
            raise CommandError(f"{target}: expected an absolute path")
        if self._is_trial:
            self._reporter.command(action.nodes or "all", f"copy {source} to {target}")
            return ""
        return "" if self._place(target, content, mode) else None

    def _program(self, action: ReadyAction) -> str | None:
        """Run a program of the wizard's own; what it prints is JSON for those that come after it."""
        everywhere = action.kind in ("collect", "apply")
        if self._is_trial:
            self._reporter.command("all" if everywhere else "local", f"cd {self._work}; ./{action.content}")
            return ""
        nodes = self._nodes if everywhere else [node for node in self._nodes if node.is_local]
        self._place_folder(nodes)
        answers: dict[str, Any] = {}
        for node, output in self._run_on(nodes, ["env", "-C", self._work, f"./{action.content}"]).items():
            if output is None:
                return None
            answers[node] = output
        if action.kind == "report":
            return "".join(answers.values())
        try:
            found = {node: json.loads(text or "null") for node, text in answers.items()}
        except ValueError as error:
            raise CommandError(f"{action.content}: not JSON: {error}") from None
        if action.kind == "validate" and self._data:
            self._data[0].update(*(value for value in found.values() if isinstance(value, dict)))
        self._data.append(found if everywhere else next(iter(found.values()), None))
        return ""

    def _place_folder(self, nodes: "Sequence[Member]") -> None:
        """Put the wizard's programs, what they import and what is known so far onto nodes."""
        if not self._script.folder:
            raise CommandError(f"{self._script.name} has no folder of programs")
        new = [node for node in nodes if node.name not in self._placed]
        if new and any(output is None for output in self._run_on(new, ["mkdir", "-m", "0700", self._work]).values()):
            raise CommandError("no folder for the wizard's programs")
        sources = [*Path(self._script.folder).iterdir(), *(_HELPERS.glob("*.py") if _HELPERS.is_dir() else ())]
        for source in sources:
            if (
                new
                and source.is_file()
                and not self._place(f"{self._work}/{source.name}", source.read_bytes(), 0o700, new)
            ):
                raise CommandError(f"{source.name} could not be copied")
        if not self._place(f"{self._work}/script.input", json.dumps(self._data).encode(), 0o600, nodes):
            raise CommandError("script.input could not be copied")
        self._placed.update(node.name for node in new)

    def _clean_up(self) -> None:
        if self._placed:
            nodes = [node for node in self._nodes if node.name in self._placed]
            self._run_on(nodes, ["rm", "-r", self._work])

    # Nodes

    def _everywhere(self, action: ReadyAction, words: Sequence[str], given: bytes = b"") -> str | None:
        nodes = [node for node in self._nodes if action.nodes in ("", "all") or self._is_meant(node, action.nodes)]
        if self._is_trial:
            self._reporter.command(action.nodes or "all", given.decode() or " ".join(words))
            return ""
        outputs = self._run_on(nodes, words, given)
        if any(output is None for output in outputs.values()):
            return None
        return "".join(output or "" for output in outputs.values())

    def _is_meant(self, node: "Member", nodes: str) -> bool:
        return node.is_local if nodes == "local" else node.name in nodes.replace(",", " ").split()

    def _here(self, words: Sequence[str], given: bytes = b"") -> str | None:
        """Run a program on this node."""
        if self._is_trial:
            self._reporter.command("local", " ".join(words))
            return ""
        try:
            done = subprocess.run(words, input=given, capture_output=True, timeout=self._timeout_s or None, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._reporter.error("", str(error))
            return None
        if done.returncode != 0:
            text = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            self._reporter.error("", f"Error ({done.returncode}): {text}")
            return None
        return done.stdout.decode("utf-8", "replace")

    def _run_on(self, nodes: "Sequence[Member]", words: Sequence[str], given: bytes = b"") -> dict[str, str | None]:
        """Run a program on nodes; return what it printed on each, None where it failed."""
        from hatools.shell.remote import Run, run_on

        found: dict[str, str | None] = {node.name: self._here(words, given) for node in nodes if node.is_local}
        others = [node for node in nodes if not node.is_local]
        if others and self._members is not None:
            for outcome in run_on(self._session, self._members, others, words, stdin=given, timeout_s=self._timeout_s):
                run: Run | None = outcome.answer
                if run is None or run.status != 0:
                    text = outcome.problem if run is None else f"(rc={run.status}) {run.text}{run.complaint}"
                    self._reporter.error(outcome.member.name, f"Remote error: {text}")
                found[outcome.member.name] = run.out.decode("utf-8", "replace") if run and run.status == 0 else None
        return found

    def _place(self, path: str, content: bytes, mode: int, nodes: "Sequence[Member] | None" = None) -> bool:
        """Put a file onto nodes."""
        from hatools.shell.remote import on_this_node

        succeeded = True
        chosen = self._nodes if nodes is None else nodes
        for node in chosen:
            if node.is_local:
                target = Path(path) if path.startswith(self._work) else on_this_node(path)
                target.write_bytes(content)
                target.chmod(mode)
        others = [node for node in chosen if not node.is_local]
        if others and self._members is not None:
            for outcome in self._members.ask(others, lambda connection: connection.write(path, content, mode)):
                if outcome.problem:
                    self._reporter.error(outcome.member.name, outcome.problem)
                    succeeded = False
        return succeeded


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, dict) else str(getattr(value, "text", value))
        for name, value in values.items()
    }


def problems_of(session: "Session", actions: Sequence[ReadyAction]) -> list[str]:
    """Return what is wrong with the definitions of a wizard, tried on a copy of the configuration.

    Only where definitions are all that it makes: what they need may come from its other actions.
    """
    if any(action.kind != "cib" for action in actions) or not session.configuration.load():
        return []
    from hatools.shell.selection import Selection

    said = StringIO()
    workspace = session.configuration.workspace
    before = workspace.snapshot()
    try:
        with redirect_stderr(said), redirect_stdout(StringIO()):
            succeeded = all(
                Selection(session, []).take_over(statements(action.content), remove=False, merge=True)
                for action in actions
            )
    finally:
        workspace.restore(before)
    marks = ("ERROR: ", "\033[31mERROR\033[0m: ")
    lines = [line for line in said.getvalue().splitlines() if line.startswith(marks)]
    found = [line.split(": ", 1)[1] for line in lines]
    found = [text.split(": ", 1)[1] if text.split(": ", 1)[0].isdigit() else text for text in found]
    return [] if succeeded else list(dict.fromkeys(found)) or ["Failed to verify"]
