"""Sorting as the original sorts."""

from hatools.scheduler.merge_sort import merge_sorted


def test_equal_items_keep_their_order() -> None:
    assert merge_sorted(["b1", "a1", "b2", "a2"], lambda x, y: ord(x[0]) - ord(y[0])) == ["a1", "a2", "b1", "b2"]


def test_intransitive_comparisons_come_out_as_merging_halves_brings_them() -> None:
    order = {("c", "d"): 1, ("a", "b"): -1, ("a", "d"): -1, ("b", "d"): -1, ("c", "a"): -1, ("c", "b"): -1}

    def compare(x: str, y: str) -> int:
        return order[x, y] if (x, y) in order else -order[y, x]

    assert merge_sorted(["a", "b", "c", "d"], compare) == ["a", "b", "d", "c"]


def test_nothing_is_compared_where_there_is_nothing_to_sort() -> None:
    def never(x: int, y: int) -> int:
        raise AssertionError

    assert merge_sorted([], never) == []
    assert merge_sorted([1], never) == [1]
