"""Scores: reading, adding, writing."""

import pytest

from hatools.values.score import INFINITY, add_scores, format_score, parse_score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("INFINITY", INFINITY),
        ("+Infinity", INFINITY),
        ("-INFINITY", -INFINITY),
        ("red", -INFINITY),
        ("green", 0),
        ("100", 100),
        ("+5", 5),
        (" -7", -7),
        ("12abc", 12),
        ("abc", 0),
        ("", 0),
        (None, 0),
        ("2000000", INFINITY),
        ("-" + "9" * 5000, -INFINITY),
    ],
)
def test_a_score_is_read(text: str | None, score: int) -> None:
    assert parse_score(text) == score


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        (1, 2, 3),
        (INFINITY, -5, INFINITY),
        (INFINITY, -INFINITY, -INFINITY),
        (-INFINITY, INFINITY, -INFINITY),
        (999_999, 2, INFINITY),
        (-999_999, -2, -INFINITY),
    ],
)
def test_scores_are_added_within_their_bounds(first: int, second: int, total: int) -> None:
    assert add_scores(first, second) == total


@pytest.mark.parametrize("score", [0, 7, -7, INFINITY, -INFINITY])
def test_what_is_written_is_read_back(score: int) -> None:
    assert parse_score(format_score(score)) == score
