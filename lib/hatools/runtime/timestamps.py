"""The present moment in the form that people configure (``timestamp-format`` of alerts). I/O: reads the clock."""

import re
import time

_FRACTION = re.compile(r"%(?:0?(\d))?N")


def format_now(pattern: str, now_ns: int | None = None) -> str:
    """Write a moment (by default the present) as date(1) would: strftime's fields, and ``%N`` with its digits."""
    moment = time.time_ns() if now_ns is None else now_ns
    fraction = f"{moment % 1_000_000_000:09d}"
    filled = _FRACTION.sub(lambda match: fraction[: int(match[1] or 9)], pattern)
    return time.strftime(filled, time.localtime(moment // 1_000_000_000))


def alert_moment(pattern: str) -> dict[str, str]:
    """Return when an alert is raised, by the names its program reads after ``CRM_alert_``."""
    moment = time.time_ns()
    return {
        "timestamp": format_now(pattern, moment),
        "timestamp_epoch": str(moment // 1_000_000_000),
        "timestamp_usec": str(moment % 1_000_000_000 // 1000),
    }
