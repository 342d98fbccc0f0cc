"""What the fencer remembers, as status displays know it. Pure."""

from hatools.ipc.messages.stonith import FencingRecord
from hatools.status.model import FencingEvent, FencingState

_STATES = {"success": FencingState.SUCCESS, "failed": FencingState.FAILED}


def event_of(record: FencingRecord, *, exit_reason: str, extended_state: int = 0) -> FencingEvent:
    """Return the event of a record; a state that a newer fencer invented is shown as pending.

    Args:
        exit_reason: which of the record's reasons the display gives; empty for none.
        extended_state: see :class:`FencingEvent`.
    """
    return FencingEvent(
        action=record.action,
        target=record.target,
        client=record.client,
        origin=record.origin,
        state=_STATES.get(record.state, FencingState.PENDING),
        completed=int(record.completed),
        delegate=record.executioner or None,
        exit_reason=exit_reason or None,
        extended_state=extended_state,
    )
