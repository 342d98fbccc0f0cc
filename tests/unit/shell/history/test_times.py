"""Points in time as people and logs write them."""

from datetime import datetime

import pytest

from hatools.shell.history.times import parse_moment, time_of

NOW = datetime(2026, 1, 15, 12, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("2025-12-31 13:05:00", datetime(2025, 12, 31, 13, 5)),
        ("2025-12-31_13:05", datetime(2025, 12, 31, 13, 5)),
        ("2025-1-2", datetime(2025, 1, 2)),
        ("2025/01/02 03:04", datetime(2025, 1, 2, 3, 4)),
        ("13:05", datetime(2026, 1, 15, 13, 5)),
        ("Jan  3 10:00", datetime(2026, 1, 3, 10)),
        ("Dec 31 10:00:01", datetime(2025, 12, 31, 10, 0, 1)),
        ("-2H", datetime(2026, 1, 15, 10)),
        ("90m", datetime(2026, 1, 15, 10, 30)),
        ("1d", datetime(2026, 1, 14, 12)),
        ("2 hours ago", datetime(2026, 1, 15, 10)),
        ("10 min", datetime(2026, 1, 15, 11, 50)),
        ("yesterday", None),
        ("25:00", None),
        ("", None),
        ("-2Q", None),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: datetime | None) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Jan 15 10:59:59.123 node daemon[1] text", datetime(2026, 1, 15, 10, 59, 59, 123000)),
        ("Dec 31 23:59:59 node text", datetime(2025, 12, 31, 23, 59, 59)),
        ("2026-01-15T11:30:00.5 node text", datetime(2026, 1, 15, 11, 30, 0, 500000)),
        ("Jan 32 10:00:00 node text", None),
        ("no time", None),
    ],
)
def test_a_log_line_tells_when_it_was_written(line: str, expected: datetime | None) -> None:
    assert time_of(line, NOW) == expected
