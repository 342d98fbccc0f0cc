"""Durations as administrators write them."""

import pytest

from hatools.values.duration import (
    format_readable_interval,
    parse_duration_ms,
    parse_interval_ms,
)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("10", 10_000),
        ("10s", 10_000),
        (" 10 sec ", 10_000),
        ("1500ms", 1500),
        ("1500msec", 1500),
        ("2m", 120_000),
        ("2min", 120_000),
        ("1h", 3_600_000),
        ("3000us", 3),
        ("2 parsecs", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_duration_is_read(text: str | None, ms: int | None) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize(
    ("text", "ms"), [("PT30S", 30_000), ("PT1M", 60_000), ("P1D", 0), ("P2D", 86_400_000), ("-5s", 0), ("never", 0)]
)
def test_an_interval_may_be_iso_8601_and_is_0_if_unreadable(text: str, ms: int) -> None:
    assert parse_interval_ms(text) == ms


def test_an_interval_has_32_bits_however_long_the_number_is() -> None:
    assert parse_interval_ms("9" * 5000 + "s") == 4_294_967_295


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0s"), (500, "500ms"), (2500, "2.500s"), (60_000, "60s"), (90_000, "1m30s")]
)
def test_an_interval_is_written_for_people(ms: int, text: str) -> None:
    assert format_readable_interval(ms) == text
