"""Feature sets and how dotted version numbers compare. Pure."""

from hatools.values.integer import whole_number

FEATURE_SET = "3.16.1"
"""``crm_feature_set`` of Pacemaker 2.1.5."""


def compare_versions(first: str, second: str) -> int:
    """Return -1, 0 or 1; parts compare as numbers, a missing part counts as less than any."""
    left, right = (_parts(text) for text in (first, second))
    return (left > right) - (left < right)


def _parts(text: str) -> list[int]:
    return [whole_number(part) for part in text.split(".")]
