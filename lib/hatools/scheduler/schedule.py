"""The front door of the scheduler. Pure.

``schedule(document, now)`` decides everything; ``unpack_status(document, now)`` only reads the
cluster's state, which is what status displays need. ``decide(plan)`` goes on from there.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatools.cib.document import Document
from hatools.scheduler.model.reason import Reasons
from hatools.scheduler.plan import Finding, Plan, ScoreRecord
from hatools.values.iso8601 import Moment
from hatools.values.records import dataclass

if TYPE_CHECKING:
    from hatools.scheduler.summary import SummaryLine
    from hatools.transition.graph import Graph


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the scheduler decided, and why.

    ``scores`` and ``summary`` are in the order in which the original prints them; ``plan`` is the
    working data for whoever needs more.
    """

    graph: "Graph"
    scores: tuple[ScoreRecord, ...]
    reasons: Reasons
    summary: "tuple[SummaryLine, ...]"
    findings: tuple[Finding, ...]
    plan: Plan


@contextmanager
def uncollected() -> Iterator[None]:
    """Do not look for garbage: while a plan grows there is none, and looking takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def schedule(
    document: Document,
    now: Moment,
    *,
    sanitized: bool = False,
    show_utilization: bool = False,
    record_scores: bool = True,
    transition_id: int = 0,
) -> Schedule:
    """Decide what a cluster in the state that the CIB tells should do now.

    Args:
        sanitized: the input's secret parameters are masked (a saved report), so compare only the
            digests that leave them out.
        show_utilization: also record what utilization says about each node.
        record_scores: keep the score of every resource on every node as it was when it was decided.
        transition_id: number of the transition, for the graph.
    """
    plan = unpack_status(
        document, now, sanitized=sanitized, show_utilization=show_utilization, record_scores=record_scores
    )
    return decide(plan, transition_id)


def decide(plan: Plan, transition_id: int = 0) -> Schedule:
    """Decide on a plan that was only read so far (without constraints)."""
    from hatools.scheduler.stages import run_all

    with uncollected():
        graph = run_all(plan, transition_id)
    return Schedule(
        graph=graph,
        scores=tuple(plan.scores),
        reasons=plan.reasons,
        summary=tuple(plan.summary),
        findings=tuple(plan.findings),
        plan=plan,
    )


def unpack_status(
    document: Document,
    now: Moment,
    *,
    with_constraints: bool = False,
    sanitized: bool = False,
    show_utilization: bool = False,
    record_scores: bool = True,
) -> Plan:
    """Read nodes, resources, history, failures and tickets; with constraints (bans) if asked for.

    The other arguments are those of :func:`schedule`, for a plan that is to be decided on later.
    """
    from hatools.scheduler.reading import run_unpack

    plan = Plan(
        document=document,
        now=now,
        sanitized=sanitized,
        show_utilization=show_utilization,
        record_scores=record_scores,
    )

    with uncollected():
        run_unpack(plan, with_constraints=with_constraints)
    return plan


def check_configuration(document: Document, now: Moment, *, configuration_only: bool = False) -> tuple[Finding, ...]:
    """Say what is wrong or doubtful in a CIB.

    Args:
        configuration_only: there is no status, so nothing that depends on it counts.
    """
    from hatools.scheduler.reading import run_unpack

    plan = Plan(document=document, now=now, check_config=configuration_only)
    run_unpack(plan, with_constraints=configuration_only)
    if not configuration_only:
        from hatools.scheduler.stages import run_all

        run_all(plan, 0)
    return tuple(plan.findings)
