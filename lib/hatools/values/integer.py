"""Whole numbers as text, read as C's ``strtol`` reads them: what follows the digits does not matter. Pure."""

import re

_NUMBER = re.compile(r"\s*([+-]?[0-9]+)")

_MOST_DIGITS = 1000
"""Further digits cannot bring a number back into any range, and ``int`` refuses to read thousands of them."""


def leading_integer(text: str | None) -> int | None:
    """Return the number that a text begins with; None if it begins with none.

    >>> leading_integer(" -12ms")
    -12
    """
    match = _NUMBER.match(text) if text else None
    return None if match is None else int(match[1][:_MOST_DIGITS])
