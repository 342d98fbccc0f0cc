"""Sorting by comparisons that need not be transitive. Pure.

Some comparisons skip criteria that do not apply to both sides, so what comes out depends on which
pairs are compared. The original sorts linked lists by merging halves; so do we.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def merge_sorted(items: Sequence[Item], compare: Callable[[Item, Item], int]) -> list[Item]:
    """Return the items in order; where ``compare`` says 0 they keep theirs."""
    if len(items) < 2:
        return list(items)
    middle = len(items) // 2
    left, right = merge_sorted(items[:middle], compare), merge_sorted(items[middle:], compare)
    merged: list[Item] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if compare(left[i], right[j]) <= 0:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    return merged + left[i:] + right[j:]
