"""The period a report covers, and which lines of a log fall into it. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from hatools.shell.history.times import time_of
from hatools.values.records import dataclass


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, in local time."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        form = "%m/%d/%y %H:%M:%S"
        return f"{self.start:{form}} to {self.end:{form}}"

    def holds(self, when: datetime) -> bool:
        """Say whether a moment falls into the period, both ends included."""
        return self.start <= when <= self.end

    def lines(self, log: Iterable[str]) -> Iterator[str]:
        """Yield the lines of a log from this period; a line without a time goes with the one before."""
        inside = False
        for line in log:
            when = time_of(line, self.end)
            if when is not None:
                inside = self.holds(when.replace(microsecond=0))
            if inside:
                yield line
