"""``iso8601``: read and show dates, durations and periods as the cluster understands them. I/O."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from hatools.cli.findings import log_level
from hatools.cli.options import CommandLine, Finished, Group, Option, Program, begin, program_name
from hatools.values.errors import SyntaxProblem
from hatools.values.exitcode import ExitCode
from hatools.values.iso8601 import DAY, Duration, Moment
from hatools.values.records import dataclass

_INDENT = " " * 30

PROGRAM = Program(
    name="iso8601",
    summary="Display and parse ISO 8601 dates and times",
    formats=(),
    special="dpDE",
    groups=(
        Group(
            "commands",
            "Commands:",
            "Show command options",
            (
                Option("now", "n", "Display the current date/time"),
                Option(
                    "date",
                    "d",
                    f"Parse an ISO 8601 date/time (for example,\n{_INDENT}'2019-09-24 00:30:00 +01:00' or '2019-040')",
                    "DATE",
                ),
                Option(
                    "period",
                    "p",
                    f"Parse an ISO 8601 period (interval) with start time (for example,\n{_INDENT}'2005-040/2005-043')",
                    "PERIOD",
                ),
                Option("duration", "D", "Parse an ISO 8601 duration (for example, 'P1M')", "DURATION"),
                Option(
                    "expected",
                    "E",
                    f"Exit with error status if result does not match this text.\n{_INDENT}Requires: -n or -d",
                    "TEXT",
                ),
            ),
        ),
        Group(
            "modifiers",
            "Output modifiers:",
            "Show output modifiers",
            (
                Option("seconds", "s", "Show result as a seconds since 0000-001 00:00:00Z"),
                Option("epoch", "S", "Show result as a seconds since EPOCH (1970-001 00:00:00Z)"),
                Option("local", "L", "Show result as a 'local' date/time"),
                Option("ordinal", "O", "Show result as an 'ordinal' date/time"),
                Option("week", "W", "Show result as an 'calendar week' date/time"),
            ),
        ),
    ),
    epilogue=("For more information on the ISO 8601 standard, see https://en.wikipedia.org/wiki/ISO_8601"),
)

_EPOCH_SECONDS = 719162 * DAY
"""Seconds from year 1 to 1970."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How moments are shown."""

    seconds: bool
    epoch: bool
    local: bool
    ordinal: bool
    week: bool

    def text(self, moment: Moment, *, local: bool = False) -> str:
        if self.seconds:
            return str(moment.epoch_seconds + _EPOCH_SECONDS)
        if self.epoch:
            return str(moment.epoch_seconds)
        local = local or self.local
        shown = moment if local else moment.utc()
        if self.week:
            date = "{}-W{:02d}-{}".format(*shown.iso_week())
        elif self.ordinal:
            date = f"{shown.year}-{shown.day:03d}"
        else:
            return moment.format(with_timezone=local)
        return f"{date} {moment.format(with_timezone=local, with_date=False)}"


class _Invalid(Exception):
    """What a person gave is no date, duration or period."""


def main(argv: list[str]) -> int:
    """Run the command."""
    try:
        line, _ = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    try:
        return _run(line)
    except _Invalid as error:
        print(f"{program_name()}: {error}", file=sys.stderr)
        return ExitCode.INVALID_PARAM


def _run(line: CommandLine) -> int:
    manner = _Manner(*(line.has(name) for name in ("seconds", "epoch", "local", "ordinal", "week")))
    moment = _moment(line, manner)
    duration = None
    given = line.get("duration")
    if given is not None:
        duration = _read_or_refuse(lambda: Duration.read(given), f"Invalid duration specified: {given}", line)
        print(f"Duration: {_duration_text(duration)}")
    period = line.get("period")
    if period is not None:
        start, end = _read_or_refuse(lambda: _period(period), f"Invalid interval specified: {period}", line)
        print(f"Period: {manner.text(start)} to {manner.text(end)}")
    if moment is None:
        return ExitCode.OK
    if duration is not None:
        moment = duration.add_to(moment)
        print(f"Duration ends at: {manner.text(moment, local=True)}")
    expected = line.get("expected")
    if expected is not None and expected.lower() != manner.text(moment).lower():
        return ExitCode.ERROR
    return ExitCode.OK


def _moment(line: CommandLine, manner: _Manner) -> Moment | None:
    """Return the moment that was asked for, after showing it."""
    text = None
    for name, value in line.events:
        if name == "now":
            text = "now"
        elif name == "date":
            text = value
    if text is None:
        return None
    if text.lower() == "now":
        moment = _now()
        print(f"Current date/time: {manner.text(moment)}")
        return moment
    moment = _read_or_refuse(lambda: _read(text), f"Invalid date/time specified: {text}", line)
    print(f"Date: {manner.text(moment)}")
    return moment


_T = TypeVar("_T")


def _read_or_refuse(read: Callable[[], _T], refusal: str, line: CommandLine) -> _T:
    try:
        return read()
    except SyntaxProblem as error:
        if log_level(line.verbosity) >= 0:
            print(f"error: {error}", file=sys.stderr)
        raise _Invalid(refusal) from None


def _now() -> Moment:
    now = time.time()
    return Moment.from_epoch(int(now), time.localtime(now).tm_gmtoff)


def _read(text: str) -> Moment:
    now = _now()
    return Moment.read(text, now, now.offset)


def _period(text: str) -> tuple[Moment, Moment]:
    """Read a period: start and end, start and duration, duration and end, or a duration from now."""
    first, slash, second = text.partition("/")
    bad = f"'{text}' is not a valid ISO 8601 time period because it has"
    duration = start = end = None
    if first.startswith("P"):
        duration = Duration.read(text)
    else:
        start = _read(text)
    if slash:
        if not second.startswith("P"):
            end = _read(second)
        elif duration is not None:
            raise SyntaxProblem(f"{bad} two durations")
        else:
            duration = Duration.read(second)
    elif duration is not None:
        start = _now()
    else:
        raise SyntaxProblem(f"{bad} no duration or ending time")
    if duration is not None:
        if start is None and end is not None:
            start = duration.subtract_from(end)
        elif start is not None:
            end = duration.add_to(start)
    assert start is not None
    assert end is not None
    return start, end


def _duration_text(duration: Duration) -> str:
    """Say a duration in words."""
    parts = []
    for value, width, unit in ((duration.years, 4, "year"), (duration.months, 2, "month"), (duration.days, 2, "day")):
        if value:
            parts.append(f"{value:{width}} {_counted(value, unit)} ")
    seconds = duration.seconds
    if (not parts or seconds) and -60 < seconds < 60:
        parts.append(f"{seconds} {_counted(seconds, 'second')}")
    elif seconds:
        rest = abs(seconds)
        units = ((rest // 3600, "hour"), (rest // 60 % 60, "minute"), (rest % 60, "second"))
        spelled = " ".join(f"{value} {_counted(value, unit)}" for value, unit in units if value)
        parts.append(f"{seconds} seconds ({spelled})")
    return "".join(parts)


def _counted(value: int, unit: str) -> str:
    return unit if value == 1 else f"{unit}s"
