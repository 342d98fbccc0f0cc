"""Scores: integers clamped to plus and minus INFINITY. Pure.

Arithmetic follows "Pacemaker Explained", section Scores: a sum that reaches a bound is
that bound, and minus INFINITY wins over plus INFINITY.
"""

from hatools.values.integer import leading_integer

INFINITY = 1_000_000

_WORDS = {
    "infinity": INFINITY,
    "+infinity": INFINITY,
    "-infinity": -INFINITY,
    "red": -INFINITY,
    "yellow": 0,
    "green": 0,
}


def parse_score(text: str | None) -> int:
    """Read a score: ``INFINITY``, a sign and digits; anything unreadable counts as 0."""
    if text is None:
        return 0
    known = _WORDS.get(text.lower())
    if known is not None:
        return known
    return clamp(leading_integer(text) or 0)


def clamp(value: int) -> int:
    """Limit a number to the range of scores."""
    return max(-INFINITY, min(INFINITY, value))


def add_scores(first: int, second: int) -> int:
    """Add two scores; minus INFINITY beats plus INFINITY."""
    if first <= -INFINITY or second <= -INFINITY:
        return -INFINITY
    if first >= INFINITY or second >= INFINITY:
        return INFINITY
    return clamp(first + second)


def format_score(score: int) -> str:
    """Write a score the way CIBs and logs show it."""
    if score >= INFINITY:
        return "INFINITY"
    if score <= -INFINITY:
        return "-INFINITY"
    return str(score)
