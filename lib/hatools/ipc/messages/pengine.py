"""Words of pengine, the scheduler daemon. Pure."""

from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """Request: compute the next transition for a whole CIB (XML bytes). Answer: :class:`ScheduleResult`.

    ``rehearsal``: for practice, nothing of it is kept or logged.
    """

    cib: bytes
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleResult:
    """The transition graph as XML bytes, and the file the input is saved in soon after (``pe-input-N.bz2``).

    ``quality`` is ``input``, ``warn`` or ``error``; ``recheck_by`` is epoch seconds when time alone can change the
    decision, 0 if never.
    """

    graph: bytes
    input_file: str
    quality: str
    recheck_by: int = 0
