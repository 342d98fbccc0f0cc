"""The script level: wizards that configure a service in one step."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hatools.shell.commands import CommandError, Level, command

if TYPE_CHECKING:
    from hatools.shell.context import Context
    from hatools.shell.scripts.loading import Library
    from hatools.shell.scripts.model import ReadyAction, Script, Step
    from hatools.shell.scripts.parameters import Tree
    from hatools.shell.session import Session

_CATEGORIES = {"wizard": "Legacy Wizards", "sap": "SAP", "nfs": "NFS"}


class ScriptLevel(Level):
    """Lists, explains and runs wizards."""

    name = "script"
    _library: "Library | None" = None

    def library(self) -> "Library":
        """Return the wizards that there are."""
        if self._library is None:
            from hatools.shell.scripts.loading import Library

            self._library = Library.of(self.session)
        return self._library

    def _all(self) -> "list[Script]":
        """Return all wizards that can be read, with a message about each that cannot."""
        found = []
        for name in self.library().names():
            try:
                found.append(self.library().load(name))
            except ValueError as error:
                self.console.error(str(error))
        return found

    @command()
    def do_list(self, context: "Context", *args: str) -> None:
        for word in args:
            if word.lower() not in ("all", "names"):
                raise CommandError(f"Unexpected argument '{word}': expected  [all|names]")
        words = {word.lower() for word in args}
        if words == {"all", "names"}:
            print("\n".join(self.library().names()))
            return
        scripts = [script for script in self._all() if "all" in words or script.category.lower() != "script"]
        if "names" in words:
            print("\n".join(script.name for script in scripts))
            return
        categories: dict[str, list[str]] = {}
        for script in scripts:
            categories.setdefault(_category(script), []).append(f"{script.name:<16} {script.short_text}")
        for category, lines in sorted(categories.items()):
            if category:
                print(f"{category}:\n")
            print("\n".join(sorted(lines)) + "\n")

    @command("show", "info", "describe")
    def do_show(self, context: "Context", name: str, show_all: str | None = None) -> None:
        from hatools.shell.scripts.actions import paragraphs
        from hatools.shell.scripts.parameters import COMMON

        script = self.library().load(name)
        wants_all = show_all == "all"
        steps = "\n".join(_describe([number], [], step, wants_all) for number, step in enumerate(script.steps))
        head = f"{script.name} ({_category(script)})\n{script.short_text}"
        text = f"{head}\n\n{paragraphs(script.long_text)}\n\n{steps}\n"
        if wants_all:
            text += "Common Parameters\n\n"
            for common in COMMON:
                text += f"  {common.name}\n      {common.text}\n"
                text += f"      (default: {common.default})\n" if common.default is not None else ""
        self.console.show(text)

    @command()
    def do_verify(self, context: "Context", name: str, *args: str) -> None:
        actions = self._verified(self.library().load(name), _tree(args))
        if not actions:
            print("OK (no actions)")
        for number, action in enumerate(actions, 1):
            print(f"{number}. {action.short_text}\n")
            for text in (action.long_text, action.text):
                if text:
                    print("".join(f"\t{line}\n" for line in text.split("\n")))

    def _verified(self, script: "Script", given: "Tree") -> "list[ReadyAction]":
        from hatools.shell.scripts.actions import plan
        from hatools.shell.scripts.parameters import check
        from hatools.shell.scripts.running import problems_of

        actions = plan(script, check(script, given)[0])
        problems = problems_of(self.session, actions)
        if problems:
            raise CommandError("\n".join(problems))
        return actions

    @command()
    def do_run(self, context: "Context", name: str, *args: str) -> bool:
        return self._run(self.library().load(name), _tree(args), ConsoleReporter(self.session))

    def _run(self, script: "Script", given: "Tree", reporter: "ConsoleReporter | JsonReporter") -> bool:
        from hatools.shell.scripts.actions import plan
        from hatools.shell.scripts.parameters import check
        from hatools.shell.scripts.running import Runner

        values, common = check(script, given)
        actions = plan(script, values)
        runner = Runner(self.session, script, values, common, reporter)
        number, state = common["action"], common["statefile"]
        if bool(number) != bool(state):
            raise CommandError("Must set both action and statefile")
        return runner.resume(actions, number, state) if number and state else runner.run(actions)

    @command()
    def do_json(self, context: "Context", command: str) -> bool:
        """Answer a request of another program, one JSON value per line."""
        request = json.loads(command)
        if not isinstance(request, list) or not request:
            _say({"error": "Failed to decode valid JSON command"})
            return False
        expected = {"list": 1, "show": 2, "verify": 3, "run": 3}.get(str(request[0]))
        if expected is None:
            _say({"error": f"Unknown command: {request[0]}"})
            return False
        if len(request) < expected:
            _say({"error": f"Incorrect number of arguments: {len(request)} (expected {expected})"})
            return False
        try:
            return self._answer(request)
        except ValueError as error:
            _say({"error": str(error)})
            return False

    def _answer(self, request: list[Any]) -> bool:
        if request[0] == "list":
            self._list_as_json()
            return True
        script = self.library().load(str(request[1]))
        if request[0] == "show":
            _say({**_head(script), "steps": [_plain_step(step) for step in script.steps]})
            return True
        if not isinstance(request[2], dict):
            raise ValueError("the parameters have to be an object")
        if request[0] == "verify":
            for action in self._verified(script, request[2]):
                found = {
                    "name": action.kind,
                    "shortdesc": action.short_text,
                    "longdesc": action.long_text,
                    "text": action.text,
                    "nodes": action.nodes,
                }
                _say({**found, "sudo": True} if action.sudo else found)
            return True
        reporter = JsonReporter()
        succeeded = self._run(script, request[2], reporter)
        if not succeeded:
            for problem in reporter.problems:
                _say(problem)
        return succeeded

    def _list_as_json(self) -> None:
        for name in self.library().names():
            try:
                _say(_head(self.library().load(name)))
            except ValueError as error:
                _say({"name": name, "error": str(error)})


def _category(script: "Script") -> str:
    return _CATEGORIES.get(script.category.lower(), script.category.capitalize())


def _tree(args: Sequence[str]) -> "Tree":
    from hatools.shell.scripts.parameters import tree_of

    pairs: list[tuple[str, str | None]] = []
    for word in args:
        name, equals, value = word.partition("=")
        pairs.append((name, value if equals else None))
    return tree_of(pairs)


def _describe(numbers: list[int], path: list[str], step: "Step", wants_all: bool) -> str:
    title = ".".join(str(number + 1) for number in numbers)
    from hatools.shell.scripts.actions import paragraphs

    text = f"{title}. {paragraphs(step.short_text) or 'Parameters'}{'' if step.required else ' (optional)'}\n\n"
    path = [*path, step.name] if step.name else path
    for parameter in step.parameters:
        if parameter.advanced and not wants_all:
            continue
        marks = " (required) " if parameter.required else ""
        marks += " (unique) " if parameter.unique else ""
        shown = getattr(parameter.value, "text", parameter.value)
        if parameter.value is not None and (shown or hasattr(parameter.value, "text")):
            marks += f" (default: {shown!r})"
        text += f"  {':'.join([*path, parameter.name])}{marks}\n      {parameter.short_text}\n"
    for number, inner in enumerate(step.steps):
        text += _describe([*numbers, number], path, inner, wants_all)
    return text


def _head(script: "Script") -> dict[str, Any]:
    from hatools.shell.scripts.actions import paragraphs

    return {
        "name": script.name,
        "category": script.category.lower(),
        "shortdesc": script.short_text,
        "longdesc": paragraphs(script.long_text),
    }


def _plain_step(step: "Step") -> dict[str, Any]:
    """Return a step as JSON has it."""
    from hatools.shell.scripts.actions import paragraphs

    found: dict[str, Any] = {"name": step.name} if step.name else {}
    found |= {"shortdesc": step.short_text, "longdesc": paragraphs(step.long_text), "required": step.required}
    if step.parameters:
        found["parameters"] = []
    for parameter in step.parameters:
        entry: dict[str, Any] = {
            "name": parameter.name,
            "shortdesc": parameter.short_text,
            "longdesc": paragraphs(parameter.long_text),
            "required": parameter.required,
            "unique": parameter.unique,
            "advanced": parameter.advanced,
            "type": parameter.type,
        }
        if parameter.example is not None:
            entry["example"] = parameter.example
        if parameter.value is not None:
            entry["value"] = getattr(parameter.value, "text", parameter.value)
        found["parameters"].append(entry)
    if step.steps:
        found["steps"] = [_plain_step(inner) for inner in step.steps]
    return found


def _say(value: dict[str, Any]) -> None:
    print(json.dumps(value, sort_keys=True))


class ConsoleReporter:
    """Tells a person how a wizard goes on."""

    def __init__(self, session: "Session") -> None:
        self._console = session.console
        self._shows_progress = not session.is_batch and sys.stdout.isatty()

    def header(self, script: "Script", nodes: Sequence[str]) -> None:
        if script.short_text:
            self._console.info(script.short_text)
        self._console.info(f"Nodes: {', '.join(nodes)}")

    def start(self, action: "ReadyAction") -> None:
        if self._shows_progress:
            print(f"{action.short_text or action.kind}...", end="\r", flush=True)

    def finish(self, action: "ReadyAction", succeeded: bool, output: str) -> None:
        if succeeded:
            self._console.info(action.short_text or action.kind)
        else:
            self._console.error(f"{action.short_text or action.kind} (rc=False)")
        if output:
            print(output)

    def error(self, node: str, text: str) -> None:
        self._console.error(f"[{node}]: {text}" if node else text)

    def command(self, nodes: str, text: str) -> None:
        print(f"** {nodes} - {text}")


class JsonReporter:
    """Tells a program how a wizard goes on, a line for each action."""

    def __init__(self) -> None:
        self.problems: list[dict[str, str]] = []

    def header(self, script: "Script", nodes: Sequence[str]) -> None:
        """Say nothing: the program knows what it asked for."""

    def start(self, action: "ReadyAction") -> None:
        """Say nothing yet."""

    def finish(self, action: "ReadyAction", succeeded: bool, output: str) -> None:
        _say({"rc": succeeded, "shortdesc": action.short_text, "output": output})

    def error(self, node: str, text: str) -> None:
        self.problems.append({"host": node, "error": text})

    def command(self, nodes: str, text: str) -> None:
        """Say nothing: what would be done is in the answer to ``verify``."""
