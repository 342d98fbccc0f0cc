"""Points in time as people and logs write them. Pure: the present is an argument."""

import re
from datetime import datetime, timedelta

_FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d_%H:%M:%S",
    "%Y-%m-%d_%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
)
_YEARLESS = ("%b %d %H:%M:%S", "%b %d %H:%M", "%b %d", "%m/%d %H:%M")
_DAYLESS = ("%H:%M:%S", "%H:%M")
_AGO = re.compile(r"-?(\d{1,9}) ?([smhdw])(?:ec|in|our|ay|eek|econd|inute)?s?(?: ago)?", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_moment(text: str, now: datetime) -> datetime | None:
    """Read a time: absolute, of today, without a year, or so long ago (``-2H``, ``90m``); None if it is none."""
    text = " ".join(text.split())
    if text.lower() == "now":
        return now
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2].lower()])
    for form in _FORMS:
        if (found := _try(text, form)) is not None:
            return found
    for form in _YEARLESS:
        if (found := _try(f"{now.year} {text}", f"%Y {form}")) is not None:
            return found if found <= now + timedelta(days=1) else found.replace(year=now.year - 1)
    for form in _DAYLESS:
        if (found := _try(text, form)) is not None:
            return found.replace(year=now.year, month=now.month, day=now.day)
    return None


def _try(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def time_of(line: str, now: datetime) -> datetime | None:
    """Return the time at which a log line was written; None if it has none.

    Logs without a year are of the twelve months before ``now``.
    """
    try:
        match = _SYSLOG.match(line)
        if match is not None and match[1] in _MONTHS:
            month = _MONTHS.index(match[1]) + 1
            year = now.year - ((month, int(match[2])) > (now.month, now.day + 1))
            day, hour, minute, second = (int(match[n]) for n in (2, 3, 4, 5))
            return datetime(year, month, day, hour, minute, second, _micro(match[6]))
        match = _ISO.search(line[:40])
        if match is not None:
            year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
            return datetime(year, month, day, hour, minute, second, _micro(match[7]))
    except ValueError:
        return None
    return None


def _micro(digits: str | None) -> int:
    return int((digits or "0")[:6].ljust(6, "0"))
