"""Scores and utilization as ``crm_simulate`` shows them, in the words of 2.1.5."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hatools.cli.output import Output, XmlOutput
from hatools.values.score import format_score

if TYPE_CHECKING:
    from hatools.scheduler.plan import ScoreRecord

__all__ = ["show_records"]

SCORE_LABELS = {
    "primitive": "pcmk__primitive_assign",
    "group": "pcmk__group_assign",
    "clone": "pcmk__clone_allocate",
    "bundle": "pcmk__bundle_allocate",
    "utilization": "pcmk__finalize_assignment",
    "original": "Original",
    "remaining": "Remaining",
}
"""How 2.1.5 names the steps in which scores are decided; our own names are the keys."""

_UTILIZATION_STAGES = ("original", "remaining", "utilization")


def show_records(out: Output, records: Iterable["ScoreRecord"], *, scores: bool, utilization: bool) -> None:
    """Show those records that are asked for."""
    for record in records:
        if not (utilization if record.stage in _UTILIZATION_STAGES else scores):
            continue
        if isinstance(out, XmlOutput):
            _add_element(out, record)
        else:
            out.list_item(_line(record))


def _line(record: "ScoreRecord") -> str:
    """Return the line of a score in the words of 2.1.5."""
    node = record.node or "none"
    if record.stage == "promotion":
        return f"{record.resource} promotion score on {node}: {format_score(record.score)}"
    label = SCORE_LABELS.get(record.stage, record.stage)
    if record.stage in _UTILIZATION_STAGES:
        amounts = "".join(f" {name}={value}" for name, value in record.detail)
        if record.stage == "utilization":
            return f"{label}: {record.resource} utilization on {node}:{amounts}"
        return f"{label}: {node} capacity:{amounts}"
    return f"{label}: {record.resource} allocation score on {node}: {format_score(record.score)}"


def _add_element(out: XmlOutput, record: "ScoreRecord") -> None:
    score = format_score(record.score)
    if record.stage == "promotion":
        attributes = {"id": record.resource, "score": score}
        if record.node is not None:
            attributes["node"] = record.node
        out.element("promotion_score", attributes)
    elif record.stage == "utilization":
        attributes = {
            "resource": record.resource,
            "node": record.node or "",
            "function": SCORE_LABELS["utilization"],
        }
        _add_amounts(out, "utilization", attributes, record)
    elif record.stage in _UTILIZATION_STAGES:
        attributes = {"node": record.node or "", "comment": SCORE_LABELS[record.stage]}
        _add_amounts(out, "capacity", attributes, record)
    else:
        attributes = {
            "function": SCORE_LABELS.get(record.stage, record.stage),
            "node": record.node or "",
            "score": score,
            "id": record.resource,
        }
        out.element("node_weight", attributes)


def _add_amounts(out: XmlOutput, tag: str, attributes: dict[str, str], record: "ScoreRecord") -> None:
    """Add an element whose children are amounts."""
    out.push(tag, attributes)
    for name, value in record.detail:
        out.element(name, {}, value)
    out.pop()
