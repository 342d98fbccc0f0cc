"""Booleans as a CIB writes them. Pure."""

_TRUE = frozenset({"true", "on", "yes", "y", "1"})
_FALSE = frozenset({"false", "off", "no", "n", "0"})


def parse_boolean(text: str | None) -> bool | None:
    """Return the truth value, or None if the text (any case) is none."""
    if text is None:
        return None
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    return None


def is_true(text: str | None) -> bool:
    """Say whether the text is one of the words for true; everything else is false."""
    return parse_boolean(text) is True
