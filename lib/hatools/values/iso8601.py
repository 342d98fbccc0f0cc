"""Dates and times as rules and command lines write them (ISO 8601). Pure.

A :class:`Moment` keeps the fields it was written in (year, day of the year, second of the day,
offset from UTC), because date specifications in rules compare those, while ordering compares UTC.
"""

import re
from functools import total_ordering
from typing import Self, TypeVar

from hatools.values.errors import SyntaxProblem
from hatools.values.records import dataclass, replace

DAY = 86400
_EPOCH_DAYS = 719162
"""Days from 0001-01-01 to 1970-01-01."""
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap_year(year: int) -> bool:
    """Say whether a Gregorian year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_year(year: int) -> int:
    """Return the length of a year."""
    return 366 if is_leap_year(year) else 365


def days_in_month(month: int, year: int) -> int:
    """Return the length of a month; 0 if there is no such month."""
    if not 1 <= month <= 12:
        return 0
    return 29 if month == 2 and is_leap_year(year) else _MONTH_DAYS[month - 1]


def january1_weekday(year: int) -> int:
    """Return the weekday of January 1, Monday is 1."""
    return (_days_before_year(year) % 7) + 1


def weeks_in_year(year: int) -> int:
    """Return the number of ISO weeks of a year."""
    return 53 if january1_weekday(year) == 4 or january1_weekday(year + 1) == 5 else 52


def _days_before_year(year: int) -> int:
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A point in time: ``day`` counts days of the year from 1, ``seconds`` those of the day."""

    year: int
    day: int
    seconds: int = 0
    offset: int = 0

    @classmethod
    def from_epoch(cls, epoch_seconds: int, offset: int = 0) -> Self:
        """Return the moment that many seconds after 1970 in a zone ``offset`` seconds east of UTC."""
        days, seconds = divmod(epoch_seconds + offset, DAY)
        return cls(1970, 1, seconds, offset)._shift_days(days)

    @classmethod
    def parse(cls, text: str, now: "Moment | None" = None, local_offset: int = 0) -> Self | None:
        """Read a date, a time of today, or both; None if the text is no valid specification.

        Args:
            now: supplies the date where only a time is given.
            local_offset: the zone of times that name none.
        """
        try:
            return _read(cls, text, now, local_offset)
        except SyntaxProblem:
            return None

    @classmethod
    def read(cls, text: str, now: "Moment | None" = None, local_offset: int = 0) -> Self:
        """Do as :meth:`parse`, but say what is wrong.

        Raises:
            SyntaxProblem: the text is no valid specification.
        """
        return _read(cls, text, now, local_offset)

    @property
    def epoch_seconds(self) -> int:
        """Seconds since 1970-01-01 in UTC; two moments are equal if these are."""
        days = _days_before_year(self.year) + self.day - 1 - _EPOCH_DAYS
        return days * DAY + self.seconds - self.offset

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and self.epoch_seconds == other.epoch_seconds

    def __lt__(self, other: "Moment") -> bool:
        return self.epoch_seconds < other.epoch_seconds

    def __hash__(self) -> int:
        return hash(self.epoch_seconds)

    def _shift_days(self, days: int) -> Self:
        year, day = self.year, self.day + days
        while day > days_in_year(year):
            day -= days_in_year(year)
            year += 1
        while day < 1:
            year -= 1
            day += days_in_year(year)
        return replace(self, year=year, day=day)

    def add_seconds(self, count: int) -> Self:
        """Return the moment so many seconds later (earlier, if negative)."""
        days, seconds = divmod(self.seconds + count, DAY)
        return replace(self, seconds=seconds)._shift_days(days)

    def add_days(self, count: int) -> Self:
        """Return the same time of day so many days later."""
        return self._shift_days(count)

    def add_months(self, count: int) -> Self:
        """Add calendar months; a day that the month does not have becomes its last."""
        year, month, day = self.gregorian()
        years, month0 = divmod(month - 1 + count, 12)
        year, month = year + years, month0 + 1
        return replace(self, year=year, day=_ordinal(year, month, min(day, days_in_month(month, year))))

    def add_years(self, count: int) -> Self:
        """Add to the year and keep the day of the year."""
        return replace(self, year=self.year + count)

    def gregorian(self) -> tuple[int, int, int]:
        """Return year, month, day of the month."""
        month, day = 1, self.day
        while month < 12 and day > days_in_month(month, self.year):
            day -= days_in_month(month, self.year)
            month += 1
        return self.year, month, day

    def time_of_day(self) -> tuple[int, int, int]:
        """Return hour, minute, second."""
        return self.seconds // 3600, self.seconds // 60 % 60, self.seconds % 60

    def iso_week(self) -> tuple[int, int, int]:
        """Return ISO week year, week, weekday (Monday is 1)."""
        jan1 = january1_weekday(self.year)
        weekday = 1 + (self.day + jan1 - 2) % 7
        if self.day <= 8 - jan1 and jan1 > 4:
            return self.year - 1, weeks_in_year(self.year - 1), weekday
        if days_in_year(self.year) - self.day < 4 - weekday:
            return self.year + 1, 1, weekday
        week = (self.day + (7 - weekday) + (jan1 - 1)) // 7
        return self.year, week - (1 if jan1 > 4 else 0), weekday

    def utc(self) -> Self:
        """Return the same instant with offset 0."""
        if not self.offset:
            return self
        return replace(self.add_seconds(-self.offset), offset=0)

    def format(self, *, with_timezone: bool = True, with_date: bool = True, with_time: bool = True) -> str:
        """Write the moment as ``YYYY-MM-DD HH:MM:SS`` and a zone; in UTC without ``with_timezone``."""
        shown = self if with_timezone else self.utc()
        parts = []
        if with_date:
            parts.append("{:04d}-{:02d}-{:02d}".format(*shown.gregorian()))
        if with_time:
            text = "{:02d}:{:02d}:{:02d}".format(*shown.time_of_day())
            if with_timezone and shown.offset:
                east = abs(shown.offset)
                text += f" {'-' if shown.offset < 0 else '+'}{east // 3600:02d}:{east // 60 % 60:02d}"
            else:
                text += "Z"
            parts.append(text)
        return " ".join(parts)


M = TypeVar("M", bound=Moment)

_INT = r"\s*([+-]?\d+)"
_TWO = r"\s*([+-]\d|\d{1,2}+)"
# Text, which re compiles when it is first used: few commands read a date.
_LONG_DATE = f"{_INT}(?:-{_INT}(?:-{_INT})?)?"
_SHORT_DATE = rf"\s*([+-]\d{{1,3}}+|\d{{1,4}}+){_TWO}{_TWO}"
_WEEK_DATE = f"{_INT}-W{_INT}-{_INT}"
_LONG_CLOCK = f"{_INT}(?::{_INT}(?::{_INT})?)?"
_SHORT_CLOCK = f"{_TWO}(?:{_TWO}(?:{_TWO})?)?"


def _bad_date(text: str, why: str = "") -> SyntaxProblem:
    return SyntaxProblem(f"'{text}' is not a valid ISO 8601 date/time specification{' because ' if why else ''}{why}")


def _ordinal(year: int, month: int, day: int) -> int:
    return day + sum(days_in_month(m, year) for m in range(1, month))


def _read_date(cls: type[M], text: str) -> M:
    """Read a date: ``2005-01-20``, ``20050120``, ``2005-020`` or ``2005-W03-4``."""
    match = re.match(_LONG_DATE, text)
    if match is not None and match[2] is None:
        match = re.match(_SHORT_DATE, text) or match
    numbers = [] if match is None else [int(number) for number in match.groups() if number is not None]
    if len(numbers) == 3:
        year, month, day = numbers
        if month > 12:
            raise _bad_date(text, f"'{month}' is not a valid month")
        if day > days_in_month(month, year):
            raise _bad_date(text, f"'{day}' is not a valid day of the month")
        return cls(year, _ordinal(year, month, day))
    if len(numbers) == 2:
        year, day = numbers
        if day > days_in_year(year):
            raise _bad_date(text, f"'{day}' is not a valid day of the year (max {days_in_year(year)})")
        return cls(year, day)
    match = re.match(_WEEK_DATE, text)
    if match is None:
        raise _bad_date(text)
    year, week, weekday = (int(number) for number in match.groups())
    if week > weeks_in_year(year):
        raise _bad_date(text, f"'{week}' is not a valid week of the year (max {weeks_in_year(year)})")
    if not 1 <= weekday <= 7:
        raise _bad_date(text, f"'{weekday}' is not a valid day of the week")
    jan1 = january1_weekday(year)
    start = 1 - jan1 if jan1 <= 4 else 8 - jan1
    return cls(year, 1).add_days((week - 1) * 7 + start + weekday - 1)


def _read_clock(text: str) -> int:
    """Read ``HH:MM:SS`` or ``HHMMSS``, later parts may be missing; return seconds."""
    match = re.match(_LONG_CLOCK, text)
    if match is not None and match[2] is None:
        match = re.match(_SHORT_CLOCK, text) or match
    if match is None:
        if text.strip():
            raise SyntaxProblem(f"{text} is not a valid ISO 8601 time specification")
        return 0
    hour, minute, second = (int(part or 0) for part in match.groups())
    if (hour, minute, second) != (24, 0, 0):
        for value, limit, word in ((hour, 24, "hour"), (minute, 60, "minute"), (second, 60, "second")):
            if not 0 <= value < limit:
                raise SyntaxProblem(
                    f"{text} is not a valid ISO 8601 time specification because {value} is not a valid {word}"
                )
    return hour * 3600 + minute * 60 + second


def _read_offset(text: str | None, local_offset: int) -> int:
    if text is None:
        return local_offset
    if text[:1] not in ("+", "-") and not "0" <= text[:1] <= "9":
        return 0
    east = _read_clock(text[1:] if text[0] in "+-" else text)
    return -east if text[0] == "-" else east


def _read_time(text: str, date: M, local_offset: int) -> M:
    seconds = _read_clock(text)
    zone: str | None = None
    if "Z" in text:
        zone = text[text.index("Z") :]
    elif " " in text:
        zone = text[text.index(" ") :].lstrip()
    offset = _read_offset(zone, local_offset)
    if seconds == DAY:
        return replace(date.add_days(1), seconds=0, offset=offset)
    return replace(date, seconds=seconds, offset=offset)


def _read(cls: type[M], text: str, now: Moment | None, local_offset: int) -> M:
    if not text:
        raise SyntaxProblem("No ISO 8601 date/time specification given")
    if text[0] == "T" or text[2:3] == ":":
        if now is None:
            raise _bad_date(text, "it has no date")
        today = cls(now.year, now.day, now.seconds, now.offset)
        return _read_time(text.removeprefix("T"), today, local_offset)
    if text[:5].lower() == "epoch" and (len(text) == 5 or text[5] in "/ \t\n"):
        return cls(1970, 1)
    date = _read_date(cls, text)
    rest = text.lstrip("0123456789-W")
    if rest[:1] in (" ", "T"):
        date = _read_time(rest[1:], date, local_offset)
    if not 0 < date.day <= days_in_year(date.year):
        raise _bad_date(text)
    return date


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration such as ``P1Y2M3DT4H5M6S``."""

    years: int = 0
    months: int = 0
    days: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a duration; None if the text is none."""
        try:
            return cls.read(text)
        except SyntaxProblem:
            return None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a duration; it ends at a blank or slash.

        Raises:
            SyntaxProblem: the text is none.
        """
        if not text:
            raise SyntaxProblem("No ISO 8601 time duration given")
        if text[0] != "P":
            raise _bad_duration(text, "it does not start with a 'P'")
        if not text[1:].strip() or text[1].isspace():
            raise _bad_duration(text, "nothing follows 'P'")
        given = _Amounts()
        at, in_time = 1, False
        while at < len(text) and text[at] != "/" and not text[at].isspace():
            if text[at] == "T":
                in_time = True
                at += 1
                continue
            match = _AMOUNT.match(text, at)
            if match is None:
                raise _bad_duration(text, f"no integer at '{text[at:]}'")
            at = match.end()
            amount = int(f"{match[1]}{match[2]}")
            unit = text[at : at + 1]
            if not unit:
                raise _bad_duration(text, f"no units after {amount}")
            if not given.add(amount, unit, in_time=in_time):
                raise _bad_duration(text, f"'{unit}' is not a valid time unit")
            at += 1
        return cls(given.years, given.months, given.days, given.seconds)

    def add_to(self, moment: Moment) -> Moment:
        """Return the moment this much later."""
        return moment.add_years(self.years).add_months(self.months).add_days(self.days).add_seconds(self.seconds)

    def subtract_from(self, moment: Moment) -> Moment:
        """Return the moment this much earlier."""
        return moment.add_years(-self.years).add_months(-self.months).add_days(-self.days).add_seconds(-self.seconds)


_AMOUNT = re.compile(r"T?([+-]?):?(\d{1,10})")


@dataclass(slots=True)
class _Amounts:
    """What a duration adds up to; the last of several years or months counts."""

    years: int = 0
    months: int = 0
    days: int = 0
    seconds: int = 0

    def add(self, amount: int, unit: str, *, in_time: bool) -> bool:
        """Add an amount; return whether the unit is known."""
        match unit:
            case "Y":
                self.years = amount
            case "M" if not in_time:
                self.months = amount
            case "M":
                self.seconds += amount * 60
            case "W":
                self.days += amount * 7
            case "D":
                self.days += amount
            case "H":
                self.seconds += amount * 3600
            case "S":
                self.seconds += amount
            case _:
                return False
        return True


def _bad_duration(text: str, why: str) -> SyntaxProblem:
    return SyntaxProblem(f"'{text}' is not a valid ISO 8601 time duration because {why}")
