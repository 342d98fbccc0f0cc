"""Scores: integers clamped to plus and minus INFINITY. Pure.

Arithmetic follows "Pacemaker Explained", section Scores: a sum that reaches a bound is
that bound, and minus INFINITY wins over plus INFINITY.
"""

INFINITY = 1_000_000

MOST_DIGITS = 1000
"""Of a number as text so many digits are read."""

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
    digits = _leading_integer(text)
    return clamp(digits)


def _leading_integer(text: str) -> int:
    """Read the leading integer of a text as C's strtol does; 0 where there is none.

    Of a number with very many digits the first ones are enough to be out of every range (and int() takes no more).
    """
    text = text.lstrip()
    end = 1 if text[:1] in ("+", "-") else 0
    start = end
    while end < len(text) and "0" <= text[end] <= "9":
        end += 1
    return int(text[: min(end, MOST_DIGITS)]) if end > start else 0


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
