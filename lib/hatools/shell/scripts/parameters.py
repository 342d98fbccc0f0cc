"""What was given for a wizard's parameters: finding the parameter, checking its type, adding defaults. Pure.

Values stand in a tree: texts by parameter, and a subtree for each step that has a name.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hatools.shell.scripts.model import Parameter, Script, Step
from hatools.values.boolean import parse_boolean
from hatools.values.records import dataclass

Tree = dict[str, Any]

_NAME = re.compile(r"[a-z0-9_#$-][^\s=]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Common:
    """A parameter that all wizards have."""

    name: str
    default: str | None
    text: str


COMMON = (
    Common("nodes", None, "List of nodes to execute the script for"),
    Common("dry_run", "no", "If set, simulate execution only"),
    Common("action", None, "If set, only execute a single action (index, as returned by verify)"),
    Common("statefile", None, "When single-stepping, the state is saved in the given file"),
    Common("user", None, "Run script as the given user"),
    Common("sudo", "no", "If set, crm will prompt for a sudo password and use sudo when appropriate"),
    Common("port", None, "Port to connect on"),
    Common("timeout", "600", "Execution timeout in seconds"),
)


def tree_of(pairs: Sequence[tuple[str, str | None]]) -> Tree:
    """Return values by path (``step:name``) as a tree."""
    tree: Tree = {}
    for path, value in pairs:
        *steps, name = path.split(":")
        place = tree
        for step in steps:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{step} is a parameter and has none of its own: {path}")
            place = inner
        place[name] = value
    return tree


def check(script: Script, given: Mapping[str, Any]) -> tuple[Tree, dict[str, str | None]]:
    """Return the values of all parameters, and those that all wizards have.

    Raises:
        ValueError: something given is unknown or wrong, or something required is missing; all of it is named.
    """
    common: dict[str, str | None] = {entry.name: entry.default for entry in COMMON}
    own: Tree = {}
    for name, value in given.items():
        if name in common:
            common[name] = None if value is None else str(value)
        else:
            own[name] = value
    errors: list[str] = []
    top = Step(steps=script.steps)
    tree = _resolve(top, own, [], errors)
    if errors:
        raise ValueError("\n".join(errors))
    missing: list[str] = []
    _complete(top, tree, [], True, missing)
    if missing:
        raise ValueError(f"Missing required parameter(s): {', '.join(missing)}")
    return tree, common


def _resolve(step: Step, given: Mapping[str, Any], path: list[str], errors: list[str]) -> Tree:
    tree: Tree = {}
    for name, value in given.items():
        found = _find(step, name, value, path, errors)
        if found is None:
            unnamed = next((inner for inner in step.steps if not inner.name), None)
            found = _find(unnamed, name, value, path, errors) if unnamed is not None else None
        if found is None and step.steps:
            # What is no parameter here may be one of the first step, whose name need not be said.
            first = step.steps[0]
            found = _find(first, name, value, [*path, first.name], errors)
            if found is not None:
                tree.setdefault(first.name, {})[name] = found[0]
        if found is None:
            errors.append(f"Unknown parameter {':'.join([*path, name])}")
        else:
            tree[name] = found[0]
    return tree


def _find(step: Step, name: str, value: Any, path: list[str], errors: list[str]) -> tuple[Any] | None:
    """Return what a name means in a step, checked; None if there is nothing of that name."""
    parameter = step.parameter(name)
    if parameter is not None:
        return (_checked(parameter, value, errors),)
    inner = next((inner for inner in step.steps if inner.name == name), None)
    if inner is None:
        return None
    if not isinstance(value, Mapping):
        errors.append(f"{':'.join([*path, name])} has parameters of its own: give them as {name}:<parameter>=<value>")
        return ({},)
    return (_resolve(inner, value, [*path, name], errors),)


def _complete(step: Step, tree: Tree, path: list[str], required: bool, missing: list[str]) -> None:
    """Add values that were not given; in a step of which anything was given all that is required must be there."""
    required = (step.required and required) or (bool(tree) and required)
    for parameter in step.parameters:
        if parameter.name in tree:
            continue
        if parameter.value is not None:
            tree[parameter.name] = parameter.value
        elif required and parameter.required:
            missing.append(":".join([*path, parameter.name]))
    for inner in step.steps:
        if not inner.required and inner.name not in tree:
            continue
        needed = required and (inner.required or bool(tree.get(inner.name)))
        if inner.name:
            _complete(inner, tree.setdefault(inner.name, {}), [*path, inner.name], needed, missing)
        else:
            _complete(inner, tree, path, needed, missing)


# Types


def _checked(parameter: Parameter, value: Any, errors: list[str]) -> Any:
    """Return a value in the form that its type has; what is wrong with it goes into ``errors``."""
    if isinstance(value, bool | int | float):
        value = str(value).lower()
    if not isinstance(value, str):
        errors.append(f"{parameter.name}: expected a value, not {value!r}")
        return ""
    said = f"{parameter.name}={value}"
    match parameter.type:
        case "boolean":
            return "true" if parse_boolean(value) else "false"
        case "integer" if _integer(value) is None:
            errors.append(f"{said} is not an integer")
        case "resource" if not _NAME.fullmatch(value):
            errors.append(f"{said} invalid resource identifier")
        case "enum" | "select" if parameter.values:
            for word in parameter.values:
                if word.lower() == value.lower():
                    return word
            errors.append(f"{said} does not match '{'|'.join(parameter.values)}'")
        case "enum":
            errors.append(f"{said} enum without list of values")
        case "ip_address" if not _is_address(value):
            errors.append(f"{said} is not an IP address")
        case "ip_network" if not _is_network(value):
            errors.append(f"{said} is not a valid IP network")
        case "port":
            number = _integer(value)
            if number is None:
                errors.append(f"{said} is not a valid port")
            elif not 0 <= number <= 65535:
                errors.append(f"{said} is out of port range")
        case "email" if not re.match(r"[^@]+@[^@]+", value):
            errors.append(f"{said} is not a valid email address")
        case kind if kind not in _TYPES:
            errors.append(f"{said} is unknown type {kind}")
    return value


_TYPES = frozenset(
    ("", "string", "boolean", "integer", "resource", "enum", "select", "ip_address", "ip_network", "port", "email")
) | frozenset(("second", "time", "timeout", "percentage"))


def _integer(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
