"""The configuration as a graph, in the dot language or as a picture. I/O: writes files, runs ``dot``."""

import itertools
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hatools.cib.document import children
from hatools.shell.changeset.objects import CibObject
from hatools.shell.changeset.workspace import Workspace
from hatools.shell.commands import CommandError

if TYPE_CHECKING:
    from hatools.shell.session import Session

_HEAD = (
    'digraph G {\n\tcompound=true;\n\tfontname="Helvetica"; fontsize=11;\n\tnode [fontname="Helvetica", fontsize=11];'
)


def draw(session: "Session", args: Sequence[str], workspace: Workspace | None = None) -> bool:
    """Write the graph of a configuration (the working copy's) to a file, as dot source or as a picture, or print it."""
    kind = args[0] if args else "dot"
    if kind == "exportsettings":
        raise CommandError("the look of graphs is not configurable")
    if kind != "dot":
        session.console.error(f"graph type {kind} is not supported")
        return False
    source = dot_source(workspace or session.configuration.workspace)
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


def dot_source(workspace: Workspace) -> str:
    """Return the configuration in the dot language."""
    return "\n".join([_HEAD, *(f"\t{line}" for line in _lines(workspace)), "}"])


def _quote(text: str | None) -> str:
    escaped = (text or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lines(workspace: Workspace) -> Iterator[str]:
    for item in workspace.sorted(workspace.objects):
        match item.word:
            case "node":
                yield f'{_quote(item.node.get("uname"))} [style=bold, shape=box, color="#7ac142"];'
            case "primitive" if not (item.parent and item.parent.word == "group"):
                yield _primitive(workspace, item)
            case "group":
                yield f"subgraph {_quote('cluster_' + (item.id or ''))} {{"
                yield f'\tlabel={_quote(item.id)}; color="#00aeef"; labelloc=b;'
                for child in item.children:
                    yield "\t" + _primitive(workspace, child)
                yield "}"
            case "location" if item.node.get("node"):
                resource = _first(workspace, item.node.get("rsc"))
                label = _quote(item.node.get("score"))
                yield f"{_quote(item.node.get('node'))} -> {_quote(resource)} [style=dashed, dir=none, label={label}];"
            case "order":
                yield from _order(workspace, item)
            case _:
                pass


def _primitive(workspace: Workspace, item: CibObject) -> str:
    merged = workspace.merged(item.node)
    agent = merged.get("type") if merged is not None else item.node.get("template")
    style = "dashed" if merged is not None and merged.get("class") == "stonith" else "rounded,filled"
    label = _quote(f"{item.id}\n{agent}").replace("\n", "\\n")
    return f'{_quote(item.id)} [label={label}, shape=box, style="{style}", fillcolor="#e4e5e6"];'


def _first(workspace: Workspace, name: str | None) -> str | None:
    """Return the first primitive inside a resource, where an edge can end."""
    item = workspace.find_resource(name)
    while item is not None and item.children:
        item = item.children[0]
    return item.id if item is not None else name


def _order(workspace: Workspace, item: CibObject) -> Iterator[str]:
    node = item.node
    names = [[node.get("first")], [node.get("then")]]
    if node.find("resource_set") is not None:
        names = []
        for resource_set in children(node, "resource_set"):
            members = [member.get("id") for member in children(resource_set, "resource_ref")]
            names += [members] if resource_set.get("sequential") == "false" else [[member] for member in members]
    kind = node.get("kind") or "Mandatory"
    style = "solid" if kind == "Mandatory" else "dotted"
    for before, after in itertools.pairwise(names):
        for first in before:
            for then in after:
                edge = f"{_quote(_first(workspace, first))} -> {_quote(_first(workspace, then))}"
                yield f"{edge} [style={style}, label={_quote('' if kind == 'Mandatory' else kind)}];"
