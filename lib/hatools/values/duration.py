"""Durations as administrators write them (``10s``, ``2min``, ``1500ms``, ``PT30S``). Pure."""

import re

from hatools.values.integer import leading_integer
from hatools.values.iso8601 import DAY, Duration, days_in_year

_PATTERN = re.compile(r"\s*([+-]?\d+)[\d.+-]*\s*([a-zA-Z]*).*", re.DOTALL)
_PREFIXES = (("ms", 1), ("us", 0), ("s", 1000), ("m", 60_000), ("h", 3_600_000))
"""Only the beginning of a unit counts: ``min``, ``minutes`` and ``m`` are the same."""


def parse_duration_ms(text: str | None) -> int | None:
    """Return milliseconds, or None if the text is no duration.

    A bare number counts seconds, as in Pacemaker's ``crm_get_msec``.
    """
    if text is None:
        return None
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    number, unit = leading_integer(match[1]) or 0, match[2].lower()
    if not unit:
        return number * 1000 if match[0].rstrip()[-1:].isdigit() else None
    for prefix, factor in _PREFIXES:
        if unit.startswith(prefix):
            return number * factor if factor else number // 1000
    return None


def parse_interval_ms(text: str | None) -> int:
    """Return an operation interval in milliseconds; also reads ISO 8601 durations; 0 if unreadable."""
    if not text:
        return 0
    if text.startswith("P"):
        duration = Duration.parse(text)
        value = None if duration is None else 1000 * _seconds(duration)
    else:
        value = parse_duration_ms(text)
    return min(value, _LONGEST_MS) if value is not None and value > 0 else 0


def _seconds(duration: Duration) -> int:
    """Return how long Pacemaker takes a duration to be.

    It counts as for a date: the first year and the first day are not over yet, so ``P1D`` is
    nothing and ``P2D`` one day (``crm_time_get_seconds`` of 2.1.5); a month has 30 days.
    """
    days = sum(days_in_year(year) for year in range(1, min(duration.years, 10_000)))
    return (days + max(0, duration.months) * 30 + max(0, duration.days - 1)) * DAY + duration.seconds


_LONGEST_MS = 4_294_967_295
"""Intervals are unsigned 32-bit numbers in the original."""


def format_readable_interval(interval_ms: int) -> str:
    """Write milliseconds as ``1m30s`` or ``2.500s``; an exact unit stays in the smaller one (``60s``)."""
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        if interval_ms > size:
            text += f"{interval_ms // size}{unit}"
            interval_ms %= size
    if interval_ms > 1000:
        fraction = f".{interval_ms % 1000:03}" if interval_ms % 1000 else ""
        return f"{text}{interval_ms // 1000}{fraction}s"
    if interval_ms > 0:
        return f"{text}{interval_ms}ms"
    return text or "0s"
