"""From a wizard and its values to what is to be done. Pure."""

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from hatools.shell.scripts.conditions import ConditionError, holds
from hatools.shell.scripts.handles import Branch, HandleError, references, render
from hatools.shell.scripts.model import Action, ReadyAction, Script, Step, Template
from hatools.shell.scripts.parameters import Tree

_NAME = re.compile(r"[a-z_-][a-z0-9_-]*", re.IGNORECASE)
_HARMLESS = re.compile(r"([\w@%+=:,./][\w@%+=:,./-]*)?")
_MERGED = ("cib", "crm", "install", "service")


def plan(script: Script, tree: Tree) -> list[ReadyAction]:
    """Return the actions of a wizard, neighbours of one kind as one.

    Raises:
        ValueError: a template or condition is wrong.
    """
    values: Branch = Branch()
    included: dict[str, list[ReadyAction]] = {}
    _fill(values, script, script.steps, tree, values, included)
    for step in script.steps:
        if step.included is None or (not step.required and not tree.get(step.name)):
            continue
        try:
            included[step.name] = plan(step.included, _bound(tree.get(step.name, {}), values.get(step.name, values)))
        except ValueError as error:
            raise ValueError(f"Error in included script {step.name}: {error}") from None
    ready: list[ReadyAction] = []
    for action in script.actions:
        for new in included.get(str(action.content), []) if action.kind == "include" else _ready(action, values):
            if not (ready and _merge(ready[-1], new)):
                ready.append(new)
    return ready


def _bound(tree: Tree, branch: Mapping[str, Any]) -> Tree:
    """Return values in which nothing refers to the outer wizard any more."""
    return {
        name: _bound(value, branch.get(name, {})) if isinstance(value, dict) else branch.get(name, value)
        for name, value in tree.items()
    }


def _fill(
    place: Branch,
    script: Script,
    steps: list[Step],
    tree: Tree,
    top: Branch,
    included: dict[str, list[ReadyAction]],
) -> None:
    """Put values where templates find them; a default that is a template is filled in when it is looked at."""
    for name, value in tree.items():
        if isinstance(value, Template):
            scope = top if value.owner == script.name else place
            place[name] = _Late(value.text, scope)
        elif not isinstance(value, dict):
            place[name] = value
    for step in steps:
        if not step.name:
            _fill(place, script, step.steps, tree, top, included)
        elif step.required or step.name in tree:
            branch = Branch()
            place[step.name] = branch
            branch.own = _Definition(step, top, included)
            _fill(branch, script, step.steps, tree.get(step.name, {}), top, included)


class _Late:
    """A value that is a template."""

    def __init__(self, text: str, scope: Mapping[str, Any]) -> None:
        self._text = text
        self._scope = scope
        self._is_open = False

    def __call__(self) -> str:
        if self._is_open:
            raise HandleError(f"{self._text} refers to itself")
        self._is_open = True
        try:
            return render(self._text, self._scope).strip()
        finally:
            self._is_open = False


class _Definition:
    """What a step stands for itself: the definition that its agent or wizard makes."""

    def __init__(self, step: Step, top: Mapping[str, Any], included: Mapping[str, list[ReadyAction]]) -> None:
        self._step = step
        self._top = top
        self._included = included

    def __call__(self) -> str:
        actions = self._included.get(self._step.name)
        if actions and actions[-1].kind == "cib":
            return str(actions[-1].content)
        return tidy_cib(render(self._step.cib, self._top).strip())


def _ready(action: Action, values: Mapping[str, Any]) -> list[ReadyAction]:
    """Return an action filled in; nothing if its condition does not hold."""
    if action.when and not _holds(action.when, values):
        return []

    def filled(text: Any) -> str:
        return render(text, values).strip() if isinstance(text, str) else str(text)

    content, text = action.content, ""
    match action.kind:
        case "install":
            content = filled(content).split() if isinstance(content, str) else [filled(name) for name in content]
            text = " ".join(content)
        case "service":
            content = _services(content, filled)
            text = "\n".join(f"{name} -> {state}" for name, state in content)
        case "cib" | "crm":
            text = tidy_cib(filled(content))
            content = "\n".join(line for line in text.split("\n") if line.strip())
        case "copy":
            content = filled(content)
            text = f"{content} -> {filled(action.to) or content}"
        case "call":
            _require_harmless(str(content), values)
            content = filled(content)
        case _:
            content = filled(content)
    return [
        ReadyAction(
            action.kind,
            content,
            text.strip(),
            filled(action.short_text),
            paragraphs(filled(action.long_text)),
            filled(action.nodes),
            filled(action.to),
            action.sudo,
            action.template,
            action.force,
        )
    ]


def _require_harmless(command: str, values: Mapping[str, Any]) -> None:
    """Make sure that a shell makes nothing of the values which go into a command.

    Raises:
        ValueError: one has characters that mean something to a shell.
    """
    for name, value in references(command, values):
        if not _HARMLESS.fullmatch(value):
            raise ValueError(
                f"{name}={value} goes into a shell command: only letters, digits and _@%+=:,./- may be in it"
            )


def _services(content: Any, filled: Any) -> list[tuple[str, str]]:
    if isinstance(content, str):
        content = [dict([word.split(":", 1)]) for word in filled(content).split()]
    pairs = []
    for entry in content:
        named = {"name", "action"} == entry.keys()
        pairs += [(entry["name"], entry["action"])] if named else list(entry.items())
    return [(filled(name), filled(state)) for name, state in pairs]


def _holds(condition: str, values: Mapping[str, Any]) -> bool:
    if _NAME.fullmatch(condition):
        return render(f"{{{{{condition}}}}}", values).strip() not in ("", "false")
    try:
        return holds(render(condition, values), values)
    except ConditionError as error:
        raise ValueError(str(error)) from None


def _merge(last: ReadyAction, new: ReadyAction) -> bool:
    """Add an action to the one before; False if they do not go together."""
    if new.kind not in _MERGED or new.kind != last.kind or new.nodes != last.nodes:
        return False
    if new.kind in ("cib", "crm"):
        last.content = f"{last.content}\n{new.content}"
        last.text = _apart(f"{last.text}\n{new.text}")
    else:
        last.content = [*last.content, *new.content]
        last.text = (" " if new.kind == "install" else "\n").join((last.text, new.text))
    last.short_text = new.short_text or last.short_text
    last.long_text = new.long_text or last.long_text
    return True


def _apart(text: str) -> str:
    """Put an empty line before each definition but the first."""
    return re.sub(r"\n([^\t])", r"\n\n\1", re.sub(r"[\n\r]+", "\n", text))


def tidy_cib(text: str) -> str:
    """Return definitions with single blanks, and one tab before the lines that go on."""
    text = re.sub(r"[ ]+", " ", text)
    text = re.sub(r"\n[ \t\f\v]+", "\n\t", text)
    while "\n\t\n" in text:
        text = text.replace("\n\t\n", "\n", 1)
    return text


def paragraphs(text: str) -> str:
    """Return a text with its paragraphs folded."""
    return "\n\n".join(textwrap.fill(part) for part in text.split("\n\n") if part.strip())


def statements(content: str) -> str:
    """Return definitions with each on one line."""
    result: list[str] = []
    for line in content.split("\n"):
        if not line.strip():
            continue
        if line[0].isspace() and result:
            result[-1] += " " + line.strip()
        else:
            result.append(line.rstrip())
    return "\n".join(result) + "\n" if result else ""
