"""Configuration templates: parameters to fill in, and statements made from them. I/O: reads and writes files.

A template names its parameters (``%required``, ``%optional``, ``%% NAME``) and the statements that
they go into (``%generate``). A *configuration* is a template being filled in: the same text with
values behind the names, kept in the person's folder until it is applied.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

from hatools.parser.tokens import split_words
from hatools.shell.commands import CommandError
from hatools.values.records import dataclass

_SYSTEM = Path("/usr/share/crmsh/templates")
_INSTRUCTIONS = """# Write values behind the names on lines that begin with %%.
# Parameters below %required need one, those below %optional may have one.
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a template; ``owner`` is the name under which its template was pulled in."""

    owner: str
    name: str
    required: bool
    value: str | None


def folder() -> Path:
    """Return where the person's configurations are kept, made if it is missing."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = Path(base) / "crm/crmconf"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def template_names() -> list[str]:
    """Return the names of all templates, the system's and ours."""
    names = {path.name for path in _SYSTEM.iterdir()} if _SYSTEM.is_dir() else set()
    names |= {entry.name.removesuffix(".txt") for entry in files("hatools.shell").joinpath("templates").iterdir()}
    return sorted(names)


def template_text(name: str) -> str:
    """Return a template.

    Raises:
        CommandError: there is none of that name.
    """
    if "/" not in name:
        system = _SYSTEM / name
        if system.is_file():
            return system.read_text(encoding="utf-8")
        own = files("hatools.shell").joinpath("templates", f"{name}.txt")
        if own.is_file():
            return own.read_text(encoding="utf-8")
    raise CommandError(f"open: no template {name}; there are {', '.join(template_names())}")


def config_names() -> list[str]:
    """Return the names of the person's configurations."""
    return sorted(path.name for path in folder().iterdir() if path.is_file())


class _Puller:
    """Pulls templates and what they depend on together."""

    def __init__(self) -> None:
        self.head: list[str] = []
        self.statements: list[str] = []
        self.pulled: list[str] = []
        self._owners: list[str] = []

    def pull(self, name: str) -> str:
        """Add a template; return the name under which its parameters are known."""
        self.pulled.append(name)
        head, mark, rest = template_text(name).partition("\n%generate\n")
        title = re.search(r"^%name\s+(\S+)", head, re.MULTILINE)
        if not mark or title is None:
            raise CommandError(f"invalid template {name}: needs %name and %generate")
        owner, number = title[1], 0
        while owner in self._owners:
            number += 1
            owner = f"{title[1]}_{number}"
        for needed in re.findall(r"^%depends_on\s+(\S+)\s*$", head, re.MULTILINE):
            rest = rest.replace(f"%{needed}", f"%{self.pull(needed)}")
        self._owners.append(owner)
        rest = rest.replace("%_:", f"%{owner}:").replace("%_", owner)
        place = re.search(r"^%(required|optional)", head, re.MULTILINE)
        if place is None:
            raise CommandError(f"invalid template {name}: needs %required or %optional")
        self.head.append(f"{head[: place.start()]}%pfx {owner}\n{head[place.start() :]}")
        self.statements.append(rest)
        return owner

    def text(self, values: Mapping[str, str]) -> str:
        """Return the configuration with values filled in."""
        head = "\n".join(self.head)
        for name, value in values.items():
            quoted = f'"{value}"' if " " in value else value
            head = re.sub(rf"^%% {re.escape(name)}[ \t]*$", f"%% {name} {quoted}", head, flags=re.MULTILINE)
        owners = "|".join(map(re.escape, self._owners))
        body = re.sub(rf"%({owners})(?=[^:\w-]|$)", r"\1", "\n".join(self.statements), flags=re.MULTILINE)
        return f"{_INSTRUCTIONS}\n{head}\n%generate\n{body}"


def create(name: str, templates: Sequence[str], values: Mapping[str, str]) -> tuple[str, list[str]]:
    """Make a configuration from templates; return its text and the templates that went into it."""
    puller = _Puller()
    for template in templates:
        puller.pull(template)
    return puller.text({"id": name, **values}), puller.pulled


def parameters(text: str) -> list[Parameter]:
    """Return the parameters of a template or configuration, with the values filled in."""
    found: list[Parameter] = []
    owner, required = "", False
    for line in text.partition("\n%generate\n")[0].splitlines():
        words = [word.text for word in split_words(line)] if not line.startswith("#") else []
        if not words:
            continue
        if words[0] == "%pfx" and len(words) == 2:
            owner = words[1]
        elif words[0] in ("%required", "%optional"):
            required = words[0] == "%required"
        elif words[0] == "%%" and len(words) > 1:
            found.append(Parameter(owner, words[1], required, words[2] if len(words) > 2 else None))
    return found


def generate(text: str) -> str:
    """Return the statements of a configuration.

    Raises:
        CommandError: required parameters have no value.
    """
    given = parameters(text)
    missing = [parameter.name for parameter in given if parameter.required and parameter.value is None]
    if missing:
        raise CommandError("\n".join(f"required parameter {name} not set" for name in missing))
    values = {
        f"{parameter.owner}:{parameter.name}": parameter.value for parameter in given if parameter.value is not None
    }
    body = list(_chosen(text.partition("\n%generate\n")[2].splitlines(), values))
    statements: list[str] = []
    piece: list[str] = []
    for line in [*body, ""]:
        filled = _fill(line, values)
        if filled:
            piece.append(filled)
        elif not line.strip() and piece:
            statements.append(" \\\n\t".join(piece))
            piece = []
    return "\n".join(statements)


def _chosen(lines: Sequence[str], values: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines that ``%if NAME``, ``%else`` and ``%fi`` let through."""
    shows = True
    for line in lines:
        words = line.split()
        if words[:1] == ["%if"] and len(words) == 2:
            shows = words[1].removeprefix("%") in values or not words[1].startswith("%")
        elif words[:1] == ["%else"]:
            shows = not shows
        elif words[:1] == ["%fi"]:
            shows = True
        elif shows and not line.startswith("#"):
            yield line


def _fill(line: str, values: Mapping[str, str]) -> str:
    """Put values into a line; one that begins with ``opt`` goes if it got none."""
    changed = False
    words = []
    for word in line.split():
        for name, value in values.items():
            new = re.sub(rf"(=?)%{re.escape(name)}(?![A-Za-z0-9_])", partial(_quoted, value), word)
            changed = changed or new != word
            word = new
        words.append(word)
    if "opt" in words:
        if not changed:
            return ""
        words.remove("opt")
    return " ".join(words)


def _quoted(value: str, place: re.Match[str]) -> str:
    equals = place[1]
    return f'{equals}"{value}"' if equals or " " in value else value
