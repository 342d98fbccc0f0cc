"""A report takes from logs what its period covers."""

from datetime import datetime

from hatools.cli.report.period import Period


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
