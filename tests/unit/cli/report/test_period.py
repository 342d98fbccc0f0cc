"""A report takes from logs what its period covers."""

from datetime import datetime

import pytest

from hatools.cli.report.period import Period, parse_time

NOW = datetime(2026, 1, 15, 12, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("2025-12-31 13:05:00", datetime(2025, 12, 31, 13, 5)),
        ("2025-1-2", datetime(2025, 1, 2)),
        ("13:05", datetime(2026, 1, 15, 13, 5)),
        ("yesterday", None),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: datetime | None) -> None:
    assert parse_time(text, NOW) == expected


def test_lines_without_a_time_go_with_the_one_before() -> None:
    log = [
        "Jan 15 10:59:59 node a\n",
        "  more of a\n",
        "Jan 15 11:00:00.123 node b\n",
        "  more of b\n",
        "2026-01-15T11:30:00 node c\n",
        "Jan 15 12:00:01 node d\n",
        "Dec 31 11:30:00 node e\n",
    ]
    period = Period(datetime(2026, 1, 15, 11), datetime(2026, 1, 15, 12))
    assert list(period.lines(log)) == log[2:5]
