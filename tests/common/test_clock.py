"""London's days and clocks, on both sides of a clock change, and dates as GOV.UK writes them."""

import datetime as dt

import pytest

from common import clock
from common.clock import UTC, NonexistentTimeError

NAIVE = dt.datetime(2026, 11, 20, 9)  # noqa: DTZ001 - that it has no zone is the point


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_now_is_an_instant_in_utc() -> None:
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("function", [clock.require_aware, clock.london, clock.london_day, clock.moment_words])
def test_an_instant_without_a_zone_is_refused(function: object) -> None:
    with pytest.raises(ValueError, match="time zone"):
        function(NAIVE)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (utc(2026, 11, 20, 23, 59), dt.date(2026, 11, 20)),  # winter: London is UTC
        (utc(2026, 7, 1, 22, 59), dt.date(2026, 7, 1)),  # summer: an hour ahead
        (utc(2026, 7, 1, 23, 0), dt.date(2026, 7, 2)),
    ],
)
def test_london_day_turns_at_london_midnight(moment: dt.datetime, day: dt.date) -> None:
    assert clock.london_day(moment) == day


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2027, 3, 27), utc(2027, 3, 27, 9)),
        (dt.date(2027, 3, 28), utc(2027, 3, 28, 8)),  # the clocks go forward
        (dt.date(2027, 10, 30), utc(2027, 10, 30, 8)),
        (dt.date(2027, 10, 31), utc(2027, 10, 31, 9)),  # and back
    ],
)
def test_nine_in_london_is_nine_on_both_sides_of_a_clock_change(day: dt.date, expected: dt.datetime) -> None:
    instant = clock.from_london(day, dt.time(9))
    assert instant == expected
    assert clock.london(instant).time() == dt.time(9)


def test_from_london_refuses_the_hour_that_never_was() -> None:
    with pytest.raises(NonexistentTimeError, match="2027-03-28T01:30"):
        clock.from_london(dt.date(2027, 3, 28), dt.time(1, 30))


def test_from_london_takes_the_first_of_an_hour_that_comes_twice() -> None:
    day = dt.date(2027, 10, 31)
    assert clock.from_london(day, dt.time(1, 30)) == utc(2027, 10, 31, 0, 30)
    assert clock.from_london(day, dt.time(1, 30, fold=1)) == utc(2027, 10, 31, 1, 30)


def test_from_london_refuses_a_time_with_a_zone_of_its_own() -> None:
    with pytest.raises(ValueError, match="time zone of its own"):
        clock.from_london(dt.date(2027, 1, 1), dt.time(9, tzinfo=UTC))


def test_a_london_day_lasts_23_and_25_hours_when_the_clocks_change() -> None:
    lengths = [
        clock.end_of_london_day(day) - clock.start_of_london_day(day)
        for day in (dt.date(2027, 3, 28), dt.date(2027, 3, 29), dt.date(2027, 10, 31))
    ]
    assert lengths == [dt.timedelta(hours=23), dt.timedelta(hours=24), dt.timedelta(hours=25)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T09:30:00Z", utc(2026, 11, 20, 9, 30)),
        ("2026-07-01T09:30+01:00", utc(2026, 7, 1, 8, 30)),
        ("2026-07-01T09:30", utc(2026, 7, 1, 8, 30)),
        (" 2026-07-01 ", utc(2026, 6, 30, 23)),
    ],
)
def test_parse_instant_reads_iso_8601_and_takes_london_where_no_offset_is_given(
    text: str, expected: dt.datetime
) -> None:
    assert clock.parse_instant(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "20/11/2026", "2027-03-28T01:30", "2026-13-01"])
def test_parse_instant_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.parse_instant(text)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (dt.time(9), "9am"),
        (dt.time(9, 30), "9:30am"),
        (dt.time(12), "midday"),
        (dt.time(12, 5), "12:05pm"),
        (dt.time(0), "midnight"),
        (dt.time(0, 1), "12:01am"),
        (dt.time(13), "1pm"),
        (dt.time(23, 45), "11:45pm"),
    ],
)
def test_time_words_are_govuk_style(at: dt.time, words: str) -> None:
    assert clock.time_words(at) == words


def test_dates_are_written_in_words() -> None:
    day = dt.date(2027, 5, 14)
    assert clock.day_words(day) == "Friday 14 May 2027"
    assert clock.date_words(day) == "14 May 2027"
    assert clock.month_words(day) == "May 2027"
    assert clock.moment_words(utc(2027, 5, 14, 8, 30)) == "9:30am on Friday 14 May 2027"
    assert clock.span_words(utc(2027, 5, 14, 8), utc(2027, 5, 14, 10, 45)) == "9am to 11:45am"
