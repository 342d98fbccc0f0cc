"""What was fenced, when and by whom: the history that all nodes share. Pure."""

from collections.abc import Iterable

from hatools.ipc.messages.stonith import FencingRecord
from hatools.values.records import replace

LIMIT = 500
"""Records kept; the oldest finished ones go first."""

PENDING = "pending"
SUCCESS = "success"
FAILED = "failed"


class History:
    """The records of one node's fencer, by operation id."""

    def __init__(self) -> None:
        self._records: dict[str, FencingRecord] = {}

    def add(self, record: FencingRecord) -> bool:
        """Add or update a record; False if it is known already.

        What has ended does not become pending again; a success is believed more than the failure that was assumed when
        the origin was lost.
        """
        present = self._records.get(record.id)
        if present is not None and not (present.state == PENDING or (present.state, record.state) == (FAILED, SUCCESS)):
            return False
        if present == record:
            return False
        self._records[record.id] = record
        self._shrink()
        return True

    def get(self, identifier: str) -> FencingRecord | None:
        """Return a record by the id of its operation."""
        return self._records.get(identifier)

    def merge(self, records: Iterable[FencingRecord]) -> list[FencingRecord]:
        """Take over what a peer remembers; return what was news."""
        return [record for record in records if self.add(record)]

    def forget_pending(self, identifier: str) -> None:
        """Forget an operation that turned out to be another one."""
        record = self._records.get(identifier)
        if record is not None and record.state == PENDING:
            del self._records[identifier]

    def abandon(self, origin: str, now: float) -> list[FencingRecord]:
        """A node is gone: what it had begun will not be finished. Return the records as they are now."""
        changed = []
        for record in list(self._records.values()):
            if record.state == PENDING and record.origin == origin:
                lost = replace(record, state=FAILED, completed=now, reason=f"{origin} was lost while it was fencing")
                self._records[record.id] = lost
                changed.append(lost)
        return changed

    def recent_success(self, target: str, action: str, since: float) -> FencingRecord | None:
        """Return a success of this very action since an epoch second, the newest."""
        found = [
            record
            for record in self._records.values()
            if record.state == SUCCESS
            and record.action == action
            and record.target.lower() == target.lower()
            and record.completed >= since
        ]
        return max(found, key=lambda record: record.completed, default=None)

    def listing(self, target: str = "*") -> tuple[FencingRecord, ...]:
        """Return the records of a target (``*``: all), newest first, pending ones before all."""
        found = [r for r in self._records.values() if target in ("*", "") or r.target.lower() == target.lower()]
        return tuple(sorted(found, key=lambda r: (r.state == PENDING, r.completed), reverse=True))

    def clean(self, target: str = "*") -> None:
        """Forget what has ended, of a target or (``*``) of all."""
        for identifier, record in list(self._records.items()):
            if record.state != PENDING and (target in ("*", "") or record.target.lower() == target.lower()):
                del self._records[identifier]

    def _shrink(self) -> None:
        excess = len(self._records) - LIMIT
        if excess <= 0:
            return
        ended = sorted((r for r in self._records.values() if r.state != PENDING), key=lambda r: r.completed)
        for record in ended[:excess]:
            del self._records[record.id]
