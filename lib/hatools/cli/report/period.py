"""The period a report covers, and which lines of a log fall into it. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from hatools.values.records import dataclass

_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_time(text: str, now: datetime) -> datetime | None:
    """Read a time as an administrator writes it (a time alone is today's, ``now`` is now); None if it is none."""
    if text == "now":
        return now
    for form in _FORMS:
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            continue
        return found if "%Y" in form else found.replace(year=now.year, month=now.month, day=now.day)
    return None


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, in local time."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        form = "%m/%d/%y %H:%M:%S"
        return f"{self.start:{form}} to {self.end:{form}}"

    def holds(self, when: datetime) -> bool:
        return self.start <= when <= self.end

    def lines(self, log: Iterable[str]) -> Iterator[str]:
        """Yield the lines of a log from this period; a line without a time goes with the one before."""
        inside = False
        for line in log:
            when = self._time_of(line)
            if when is not None:
                inside = self.holds(when)
            if inside:
                yield line

    def _time_of(self, line: str) -> datetime | None:
        match = _ISO.search(line[:40])
        try:
            if match is not None:
                return datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
            match = _SYSLOG.match(line)
            if match is None or match[1] not in _MONTHS:
                return None
            month = _MONTHS.index(match[1]) + 1
            # Such logs do not tell the year: a month later than the report's end was last year.
            year = self.end.year - (month > self.end.month)
            return datetime(year, month, int(match[2]), int(match[3]), int(match[4]), int(match[5]))
        except ValueError:
            return None
