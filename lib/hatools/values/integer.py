"""Whole numbers as text. Pure.

Texts come from anywhere, and Python knows more digits than the cluster's files do (``"²".isdigit()``): nothing else
asks a text for digits before it reads a number.
"""

import re
from functools import lru_cache

_NUMBER = re.compile(r"\s*([+-]?[0-9]+)")
_WHOLE = re.compile(r"[+-]?[0-9]+")

_MOST_DIGITS = 1000
"""Further digits cannot bring a number back into any range, and ``int`` refuses to read thousands of them."""


@lru_cache(maxsize=4096)
def leading_integer(text: str | None) -> int | None:
    """Return the number that a text begins with, as C's ``strtol`` does; None if it begins with none.

    >>> leading_integer(" -12ms")
    -12
    """
    match = _NUMBER.match(text) if text else None
    return None if match is None else int(match[1][:_MOST_DIGITS])


def whole_number(text: str | None, default: int = 0) -> int:
    """Return the number if a text is one, digits with perhaps a sign before them; else the default.

    >>> whole_number("-12"), whole_number("12ms"), whole_number("²", -1)
    (-12, 0, -1)
    """
    match = _WHOLE.fullmatch(text) if text else None
    return default if match is None else int(match[0][:_MOST_DIGITS])
