"""Whole numbers as C reads them."""

import pytest

from hatools.values.integer import leading_integer


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" -12ms", -12),
        ("+7.5", 7),
        ("007", 7),
        ("", None),
        (None, None),
        ("-", None),
        ("x1", None),
        ("²", None),
    ],
)
def test_the_number_at_the_beginning_is_read(text: str | None, number: int | None) -> None:
    assert leading_integer(text) == number


def test_a_number_of_any_length_is_read_as_a_large_one() -> None:
    number = leading_integer("-" + "9" * 5000)
    assert number is not None and number < -(2**64)
