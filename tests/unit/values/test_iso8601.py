"""Points in time and durations as ISO 8601 writes them."""

import pytest

from hatools.values.iso8601 import Duration, Moment, days_in_month, is_leap_year, weeks_in_year

NOON = 1_700_049_600  # 2023-11-15 12:00:00 UTC


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("2023-11-15 12:00:00Z", NOON),
        ("20231115T120000Z", NOON),
        ("2023-11-15 13:00:00 +01:00", NOON),
        ("2023-11-15", NOON - 12 * 3600),
        ("2023-319 12:00Z", NOON),
        ("2023-W46-3 12:00:00Z", NOON),
        ("1970-01-01 00:00:00Z", 0),
    ],
)
def test_a_point_in_time_is_read_in_all_its_notations(text: str, epoch: int) -> None:
    moment = Moment.parse(text)
    assert moment is not None
    assert moment.epoch_seconds == epoch


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-01", "2023-02-30", "2023-11-15 25:00:00Z", "2023-W54-1"])
def test_what_is_no_point_in_time_is_refused(text: str) -> None:
    assert Moment.parse(text) is None


def test_epoch_seconds_go_there_and_back() -> None:
    for epoch in (0, 1, NOON, 951_782_400, 4_102_444_799):
        assert Moment.from_epoch(epoch).epoch_seconds == epoch
        assert Moment.from_epoch(epoch, offset=7200).epoch_seconds == epoch


def test_a_moment_knows_its_calendar() -> None:
    moment = Moment.from_epoch(NOON)
    assert (moment.gregorian(), moment.time_of_day(), moment.iso_week()) == ((2023, 11, 15), (12, 0, 0), (2023, 46, 3))


def test_years_have_the_days_and_weeks_they_have() -> None:
    assert [year for year in (1900, 2000, 2023, 2024) if is_leap_year(year)] == [2000, 2024]
    assert (days_in_month(2, 2024), days_in_month(2, 2023)) == (29, 28)
    assert (weeks_in_year(2020), weeks_in_year(2023)) == (53, 52)


def test_the_end_of_a_month_is_kept_within_the_month() -> None:
    january = Moment.parse("2024-01-31 00:00:00Z")
    assert january is not None
    assert january.add_months(1).gregorian() == (2024, 2, 29)


def test_a_duration_is_added_and_taken_away() -> None:
    duration = Duration.parse("P1DT2H")
    moment = Moment.from_epoch(NOON)
    assert duration is not None
    later = duration.add_to(moment)
    assert later.epoch_seconds == NOON + 26 * 3600
    assert duration.subtract_from(later) == moment


def test_moments_are_ordered_by_time_not_by_zone() -> None:
    assert Moment.parse("2023-11-15 13:00:00 +01:00") == Moment.from_epoch(NOON)
    assert Moment.from_epoch(NOON) < Moment.from_epoch(NOON + 1, offset=-3600)
