"""The configuration as a graph, in the dot language or as a picture. I/O: writes files, runs ``dot``."""

import itertools
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.workspace import Workspace

if TYPE_CHECKING:
    from hatools.shell.session import Session

Look = Mapping[str, Mapping[str, str]]
# What things look like: ``.`` the graph, ``*`` everything that has a text, then kinds of objects.
_LOOK: Look = {
    ".": {"compound": "true"},
    "*": {"fontname": "Helvetica", "fontsize": "11"},
    "node": {"style": "bold", "shape": "box", "color": "#7ac142"},
    "primitive": {"fillcolor": "#e4e5e6", "color": "#b9b9b9", "shape": "box", "style": "rounded,filled"},
    "class:stonith": {"shape": "box", "style": "dashed"},
    "group": {"color": "#00aeef", "labelloc": "b", "labeljust": "r"},
    "location": {"style": "dashed", "dir": "none"},
    "order": {"style": "solid"},
    "optional_set": {"style": "dotted"},
}


def draw(session: "Session", args: Sequence[str], workspace: Workspace | None = None) -> bool:
    """Write the graph of a configuration (the working copy's) to a file, as dot source or as a picture, or print it."""
    kind = args[0] if args else "dot"
    if kind == "exportsettings":
        return _export(session)
    if kind != "dot":
        session.console.error(f"graph type {kind} is not supported")
        return False
    source = dot_source(workspace or session.configuration.workspace, _look())
    if len(args) < 2:
        print(source)
        return True
    path, picture = args[1], args[2] if len(args) > 2 else "dot"
    if any(char in "'`#*?$[];" for char in path):
        session.console.error(f"{path}: bad path")
        return False
    if picture == "dot":
        with open(path, "w", encoding="utf-8") as file:
            file.write(source + "\n")
        return True
    program = shutil.which("dot")
    if program is None:
        session.console.error("dot not available, install graphviz to make pictures")
        return False
    done = subprocess.run([program, f"-T{picture}", "-o", path], input=source.encode("utf-8"), check=False)
    return done.returncode == 0


def _settings_file() -> Path:
    """Return where a person's own look of graphs is kept, beside the other settings."""
    from hatools.shell.preferences import personal_file

    return personal_file().parent / "graphviz"


def _look() -> Look:
    """Return what graphs look like: as the person says, elsewhere as ours do."""
    from hatools.shell.preferences import read_sections

    own = read_sections(_settings_file())
    return {name: {**_LOOK.get(name, {}), **own.get(name, {})} for name in (*_LOOK, *own)}


def _export(session: "Session") -> bool:
    """Write the look of graphs to the person's file, to be changed there."""
    path = _settings_file()
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in look.items()) for name, look in _look().items()
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")
    except OSError as error:
        session.console.error(f"{path}: {error.strerror}")
        return False
    session.console.info(f"the look of graphs is in {path}")
    return True


def dot_source(workspace: Workspace, look: Look = _LOOK) -> str:
    """Return the configuration in the dot language."""
    head = [
        "digraph G {",
        *(f"\t{key}={_quote(value)};" for key, value in {**look["."], **look["*"]}.items()),
        f"\tnode [{_attributes(look['*'])}];",
    ]
    return "\n".join([*head, *(f"\t{line}" for line in _lines(workspace, look)), "}"])


def _attributes(*looks: Mapping[str, str], **more: str) -> str:
    """Return attributes as they stand in brackets; the later ones count."""
    merged = {key: value for look in (*looks, more) for key, value in look.items()}
    return ", ".join(f"{key}={_quote(value)}" for key, value in merged.items())


def _quote(text: str | None) -> str:
    escaped = (text or "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _lines(workspace: Workspace, look: Look) -> Iterator[str]:
    for item in workspace.sorted(workspace.objects):
        match item.word:
            case "node":
                yield f"{_quote(item.node.get('uname'))} [{_attributes(look['node'])}];"
            case "primitive" if not (item.parent and item.parent.word == "group"):
                yield _primitive(workspace, item, look)
            case "group":
                yield f"subgraph {_quote('cluster_' + (item.id or ''))} {{"
                yield f"\tgraph [{_attributes(look['group'], label=item.id or '')}];"
                for child in item.children:
                    yield "\t" + _primitive(workspace, child, look)
                yield "}"
            case "location" if item.node.get("node"):
                resource = _first(workspace, item.node.get("rsc"))
                attributes = _attributes(look["location"], label=item.node.get("score") or "")
                yield f"{_quote(item.node.get('node'))} -> {_quote(resource)} [{attributes}];"
            case "order":
                yield from _order(workspace, item, look)
            case _:
                pass  # the picture shows no other kind


def _primitive(workspace: Workspace, item: CibObject, look: Look) -> str:
    merged = workspace.merged(item.node)
    agent = merged.get("type") if merged is not None else item.node.get("template")
    standard = f"class:{merged.get('class')}" if merged is not None else ""
    attributes = _attributes(look["primitive"], look.get(standard, {}), label=f"{item.id}\n{agent}")
    return f"{_quote(item.id)} [{attributes}];"


def _first(workspace: Workspace, name: str | None) -> str | None:
    """Return the first primitive inside a resource, where an edge can end."""
    item = workspace.find_resource(name)
    while item is not None and item.children:
        item = item.children[0]
    return item.id if item is not None else name


def _order(workspace: Workspace, item: CibObject, look: Look) -> Iterator[str]:
    node = item.node
    names = [[node.get("first")], [node.get("then")]]
    if node.find("resource_set") is not None:
        names = []
        for resource_set in children(node, "resource_set"):
            members = [member.get("id") for member in children(resource_set, "resource_ref")]
            names += [members] if resource_set.get("sequential") == "false" else [[member] for member in members]
    kind = node.get("kind") or "Mandatory"
    is_firm = kind == "Mandatory"
    attributes = _attributes(look["order" if is_firm else "optional_set"], label="" if is_firm else kind)
    for before, after in itertools.pairwise(names):
        for first in before:
            for then in after:
                edge = f"{_quote(_first(workspace, first))} -> {_quote(_first(workspace, then))}"
                yield f"{edge} [{attributes}];"
