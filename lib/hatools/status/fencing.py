"""Fencing history as status displays sort and reduce it. Pure."""

from collections.abc import Iterable, Sequence

from hatools.status.model import FencingEvent, FencingState
from hatools.values.records import replace

__all__ = ["arrange", "reduce"]


def arrange(events: Iterable[FencingEvent]) -> tuple[FencingEvent, ...]:
    """Order a history: what is pending first, then newest first; note which failures were made good later."""
    ordered = sorted(events, key=lambda event: (event.state is not FencingState.PENDING, -event.completed))
    return tuple(
        replace(event, later_success=_later_success(event, ordered[:number]))
        if event.state is FencingState.FAILED
        else event
        for number, event in enumerate(ordered)
    )


def _later_success(event: FencingEvent, newer: Sequence[FencingEvent]) -> str | None:
    """Return who succeeded later with the same action on the same target; the same executioner is preferred."""
    other = None
    for each in newer:
        if (
            each.state is FencingState.SUCCESS
            and each.target.lower() == event.target.lower()
            and each.action == event.action
            and each.completed > event.completed
        ):
            if event.delegate is None or (each.delegate or "").lower() == event.delegate.lower():
                return each.delegate
            other = other or each.delegate or "some node"
    return other


def reduce(events: Sequence[FencingEvent]) -> tuple[FencingEvent, ...]:
    """Keep of each kind (target, action, result; of failures also who tried) only the newest."""
    kept: list[FencingEvent] = []
    for event in events:
        if event.state is FencingState.PENDING or not any(_same_kind(event, other) for other in kept):
            kept.append(event)
    return tuple(kept)


def _same_kind(event: FencingEvent, other: FencingEvent) -> bool:
    same = (
        event.state is other.state
        and event.target.lower() == other.target.lower()
        and event.action.lower() == other.action.lower()
    )
    if event.state is FencingState.FAILED:
        return same and (event.delegate or "").lower() == (other.delegate or "").lower()
    return same
