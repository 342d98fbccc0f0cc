"""Durations as administrators write them (``10s``, ``2min``, ``1500ms``, ``PT30S``). Pure."""

import re

_PATTERN = re.compile(r"\s*([+-]?\d+)[\d.+-]*\s*([a-zA-Z]*).*", re.DOTALL)
_PREFIXES = (("ms", 1), ("us", 0), ("s", 1000), ("m", 60_000), ("h", 3_600_000))
"""Only the beginning of a unit counts: ``min``, ``minutes`` and ``m`` are the same."""
_ISO = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)
_ISO_SECONDS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


def parse_duration_ms(text: str | None) -> int | None:
    """Return milliseconds, or None if the text is no duration.

    A bare number counts seconds, as in Pacemaker's ``crm_get_msec``.
    """
    if text is None:
        return None
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    number, unit = int(match[1]), match[2].lower()
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
        match = _ISO.fullmatch(text)
        if match is None:
            return 0
        return 1000 * sum(int(n or 0) * s for n, s in zip(match.groups(), _ISO_SECONDS, strict=True))
    value = parse_duration_ms(text)
    return value if value is not None and value > 0 else 0


def format_duration_ms(value: int) -> str:
    """Write milliseconds in the largest unit that needs no fraction (``10s``, ``1500ms``, ``2min``)."""
    for unit, factor in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if value and value % factor == 0:
            return f"{value // factor}{unit}"
    return f"{value}ms" if value else "0s"
