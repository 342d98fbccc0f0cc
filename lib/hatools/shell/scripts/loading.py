"""Reading wizards from YAML files. I/O: reads files, asks agents for their metadata.

A wizard ``NAME`` is ``NAME/main.yml`` or ``NAME.yml`` in one of the script folders, the first folder that has it: those
given with ``--scriptdir``, the person's, the system's, and last our own.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatools.shell.scripts.includes import include
from hatools.shell.scripts.model import Action, Parameter, Script, Step, Template, Value
from hatools.values.boolean import parse_boolean

if TYPE_CHECKING:
    from hatools.shell.session import Session

VERSION = "2.2"
_SYSTEM = ("/usr/share/hatools/scripts", "/usr/share/crmsh/scripts")
_KINDS = ("collect", "validate", "apply", "apply_local", "report", "call", "copy", "crm", "cib", "install", "service")
_DEEPEST = 8


class ScriptError(ValueError):
    """There is no such wizard, or its file is wrong."""


class Library:
    """All wizards; each file is read once, when it is asked for."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
        own = Path(__file__).resolve().parent / "shipped"
        self._folders = [*folders, Path(base) / "crm/scripts", *map(Path, _SYSTEM), own]
        self._paths: dict[str, Path] | None = None
        self._loaded: dict[str, Script] = {}
        self._loading: list[str] = []

    @classmethod
    def of(cls, session: "Session") -> "Library":
        """Return the wizards of a run of the shell: those of its ``--scriptdir`` come first."""
        return cls([Path(folder) for folder in session.script_folder.split(";") if folder])

    def names(self) -> list[str]:
        """Return the names of all wizards."""
        return sorted(self._found())

    def _found(self) -> dict[str, Path]:
        if self._paths is None:
            self._paths = {}
            for folder in self._folders:
                for path in (*sorted(folder.glob("*/main.yml")), *sorted(folder.glob("*.yml"))):
                    name = path.parent.name if path.name == "main.yml" else path.stem
                    self._paths.setdefault(name, path)
        return self._paths

    def load(self, name: str) -> Script:
        """Return a wizard.

        Raises:
            ScriptError: there is none of that name, or its file is wrong.
        """
        if name not in self._loaded:
            path = self._found().get(name)
            if path is None:
                raise ScriptError(f"Script not found: {name}")
            if name in self._loading or len(self._loading) >= _DEEPEST:
                raise ScriptError(f"{name} includes itself: {' -> '.join([*self._loading, name])}")
            self._loading.append(name)
            try:
                self._loaded[name] = _script(self, name, path)
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                text = f"Expected key {error} not found" if isinstance(error, KeyError) else str(error)
                raise ScriptError(f"Error when loading script {name}: {text}") from None
            finally:
                self._loading.pop()
        return self._loaded[name]


@cache
def _yaml() -> Any:
    """Return the YAML library and its fastest safe reader."""
    try:
        import yaml
    except ImportError:
        raise ScriptError("wizards are YAML files: install PyYAML (python3-yaml)") from None
    return yaml, getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _script(library: Library, name: str, path: Path) -> Script:
    yaml, loader = _yaml()
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(f"Failed to parse script main: {error}") from None
    if isinstance(data, list):
        data = data[0] if data else {}
    if not isinstance(data, dict):
        raise ValueError("Failed to parse script main: no mapping")
    if str(data.get("version")) != VERSION:
        data = _of_version_2_2(data)
    includes = [dict(entry) for entry in data.get("include") or ()]
    for entry in includes:
        entry.setdefault("name", entry.get("script") or str(entry.get("agent", "")).rpartition(":")[2])
    script = Script(
        name,
        str(path.parent) if path.name == "main.yml" else "",
        str(data.get("category", "Custom") or ""),
        _text(data.get("shortdesc")),
        str(data.get("longdesc") or ""),
        actions=[_action(entry) for entry in data["actions"]]
        if "actions" in data
        else [Action("include", entry["name"]) for entry in includes],  # it includes something and says nothing else
    )
    raw_steps = [{"parameters": data["parameters"]}] if "parameters" in data else data.get("steps") or []
    steps = [_step(name, entry) for entry in raw_steps]
    script.steps = [step for step in steps if step.parameters or step.steps]
    for entry in includes:
        include(library.load, script, entry, parameter_of)
    _check_includes(script, [entry["name"] for entry in includes])
    if script.steps:
        first = script.steps[0]
        if not script.short_text:
            script.short_text, first.short_text = first.short_text, ""
        if not script.long_text:
            script.long_text, first.long_text = first.long_text, ""
    return script


def _check_includes(script: Script, names: Sequence[str]) -> None:
    for action in script.actions:
        if action.kind == "include" and action.content not in names:
            raise ValueError(f"Script references '{action.content}', but only includes: {', '.join(names)}")


def _of_version_2_2(data: dict[str, Any]) -> dict[str, Any]:
    """Bring a wizard of old into the present form."""
    version = data.get("version")
    if version is not None and float(version) > float(VERSION):
        raise ValueError(f"Unknown version (expected < {VERSION}, got {version})")
    parameters = [dict(entry) for entry in data.get("parameters") or ()]
    for entry in parameters:
        _rename(entry, "description", "shortdesc")
        _rename(entry, "default", "value")
        entry.setdefault("required", "value" not in entry)
    actions = [dict(entry) for entry in data.get("steps") or ()]
    for entry in actions:
        _rename(entry, "name", "shortdesc")
    return {
        "category": data.get("category", "Legacy"),
        "shortdesc": data.get("name", ""),
        "longdesc": data.get("description", ""),
        "parameters": parameters,
        "actions": actions,
        "include": data.get("include") or [],
    }


def _rename(entry: dict[str, Any], old: str, new: str) -> None:
    if old in entry:
        entry[new] = entry.pop(old)


def _step(owner: str, entry: Mapping[str, Any]) -> Step:
    return Step(
        str(entry.get("name") or ""),
        _text(entry.get("shortdesc")),
        str(entry.get("longdesc") or ""),
        _flag(entry.get("required", True)),
        [parameter_of(owner, part) for part in entry.get("parameters") or ()],
        [_step(owner, part) for part in entry.get("steps") or ()],
    )


def parameter_of(owner: str, entry: Mapping[str, Any], known: Parameter | None = None) -> Parameter:
    """Return a parameter as a wizard describes it, on top of what an agent or included wizard says of it."""
    if "name" not in entry:
        raise ValueError(f"Parameter has no name: {list(entry)}")
    found = known or Parameter(str(entry["name"]), type="resource" if entry["name"] == "id" else "string")
    for key, value in entry.items():
        match key:
            case "shortdesc":
                found.short_text = _text(value)
            case "longdesc":
                found.long_text = str(value or "")
            case "required" | "unique" | "advanced":
                setattr(found, key, _flag(value))
            case "type":
                found.type = str(value) or found.type
            case "example":
                found.example = str(value)
            case "value" | "default":
                found.value = value_of(owner, value)
            case "values":
                words = value.replace(",", " ").split() if isinstance(value, str) else value
                found.values = tuple(str(word) for word in words)
    return found


def value_of(owner: str, value: Any) -> Value | None:
    """Return a value as a wizard writes it; text may refer to other values."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return Template(str(value), owner)


def _action(entry: Mapping[str, Any]) -> Action:
    kind = next((kind for kind in ("include", *_KINDS) if kind in entry), None)
    if kind is None:
        raise ValueError(f"Unknown action: {list(entry)}")
    nodes = entry.get("nodes") or ""
    return Action(
        kind,
        entry[kind],
        _text(entry.get("shortdesc")) if "shortdesc" in entry else _SHORT_TEXTS.get(kind, ""),
        str(entry.get("longdesc") or ""),
        "" if entry.get("when") is None else str(entry["when"]).strip(),
        " ".join(map(str, nodes)) if isinstance(nodes, list) else str(nodes),
        str(entry.get("to") or ""),
        _flag(entry.get("sudo", False)),
        _flag(entry.get("template", False)),
        _flag(entry.get("force", False)),
    )


_SHORT_TEXTS = {
    "cib": "Configure cluster resources",
    "install": "Install packages",
    "service": "Manage system services",
    "call": "Run command on nodes",
    "copy": "Install file on nodes",
    "crm": "Run crm command",
    "collect": "Collect data from nodes",
    "validate": "Validate collected data",
    "apply": "Apply changes to nodes",
    "apply_local": "Apply changes to cluster",
}


def _text(value: Any) -> str:
    return str(value or "").strip()


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        return parse_boolean(value) is True
    return value not in (0, False, None)
