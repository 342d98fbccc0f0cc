"""The five tiers in which two runs of ``crm_simulate`` may agree. Pure.

From what matters most to byte for byte; in none does white space count:

    T1  what was decided: transition summary and the status after it
    T2  the graph as dot, as a set of lines
    T3  scores, sorted
    T4  the transition graph, without its numbering
    T5  everything the original's own runner compares
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

__all__ = ["TIERS", "Output", "judge"]

TIERS = ("T1 decisions", "T2 dot", "T3 scores", "T4 graph", "T5 exact")

_OLD_WORDS = (
    (re.compile(r"ocf::"), "ocf:"),
    (re.compile(r"Masters:"), "Promoted:"),
    (re.compile(r"Slaves:"), "Unpromoted:"),
    (re.compile(r" Master( |\[|$)"), r" Promoted\1"),
    (re.compile(r" Slave "), " Unpromoted "),
)
_DECIDED = ("Transition Summary", "Revised Cluster Status")
_HEADINGS = ("Current cluster status", "Executing Cluster Transition", *_DECIDED)
_VOLATILE = re.compile(r'crm_feature_set="[^"]*"|batch-limit="[0-9]*"')


@dataclass(frozen=True)
class Output:
    """What one test printed and wrote."""

    summary: str = ""
    dot: str = ""
    graph: str = ""
    scores: str = ""
    stderr: str = ""


def judge(wanted: Output, got: Output) -> tuple[bool, ...]:
    """Say for each tier whether the outputs agree; white space never counts."""
    views: tuple[Callable[[Output], Iterable[str]], ...] = (
        lambda output: decisions(output.summary),
        lambda output: sorted(set(output.dot.splitlines())),
        lambda output: sorted(output.scores.splitlines()),
        lambda output: numberless(output.graph),
    )
    tiers = [_squeezed(view(wanted)) == _squeezed(view(got)) for view in views]
    exact = (
        _squeezed(modern(wanted.summary)) == _squeezed(modern(got.summary))
        and tiers[1]
        and tiers[2]
        and _squeezed(_VOLATILE.sub("", wanted.graph).splitlines())
        == _squeezed(_VOLATILE.sub("", got.graph).splitlines())
        and _squeezed(wanted.stderr.splitlines()) == _squeezed(got.stderr.splitlines())
    )
    return (*tiers, exact)


def _squeezed(lines: Iterable[str]) -> list[str]:
    return [text for line in lines if (text := "".join(line.split()))]


def modern(summary: str) -> list[str]:
    """Return the lines of a summary with words of older releases replaced."""
    lines = summary.splitlines()
    for pattern, replacement in _OLD_WORDS:
        lines = [pattern.sub(replacement, line) for line in lines]
    return lines


def decisions(summary: str) -> list[str]:
    """Return the lines of the sections that tell what was decided."""
    kept: list[str] = []
    section = ""
    for line in modern(summary):
        heading = line.rstrip().rstrip(":")
        if heading in _HEADINGS:
            section = heading
        if section in _DECIDED:
            kept.append(line)
    return kept


def numberless(graph: str) -> list[str]:
    """Return a graph as sorted texts, one a synapse, in which actions have no numbers."""
    try:
        root = ElementTree.fromstring(_VOLATILE.sub("", graph))
    except ElementTree.ParseError:
        return ["no graph"]
    synapses = sorted(_text(synapse, hidden=frozenset({"id"})) for synapse in root)
    head = sorted(item for item in root.items() if item[0] != "transition_id")
    return [str(head), *synapses]


def _text(element: ElementTree.Element, hidden: frozenset[str] = frozenset()) -> str:
    is_action = element.tag in ("rsc_op", "pseudo_event", "crm_event")
    left_out = hidden | {"id"} if is_action else hidden
    attributes = "".join(f" {name}={value!r}" for name, value in sorted(element.items()) if name not in left_out)
    return f"<{element.tag}{attributes}>{''.join(sorted(_text(child) for child in element))}"
