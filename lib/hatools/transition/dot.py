"""Transition graphs as pictures: the input of Graphviz, as the original writes it. Pure."""

from collections.abc import Iterable

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class DotNode:
    """An action and how it is drawn."""

    name: str
    style: str
    color: str
    font: str


@dataclass(frozen=True, slots=True)
class DotEdge:
    """An ordering and how it is drawn."""

    first: str
    then: str
    style: str


def format_dot(nodes: Iterable[DotNode], edges: Iterable[DotEdge]) -> str:
    """Write a directed graph."""
    lines = [' digraph "g" {']
    lines += [f'"{n.name}" [ style={n.style} color="{n.color}" fontcolor="{n.font}"]' for n in nodes]
    lines += [f'"{e.first}" -> "{e.then}" [ style = {e.style}]' for e in edges]
    lines.append("}")
    return "\n".join(lines) + "\n"
