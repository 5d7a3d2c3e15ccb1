"""The working calendar against hand counts: Easter, Christmas, May, and both clock changes.

Easter 2027: Good Friday 26 March, Easter Monday 29 March; the clocks go forward on Easter Sunday, 28 March.
Christmas 2027 falls on a Saturday: Monday 27 and Tuesday 28 December are given instead. New Year's Day 2028 is a
Saturday: Monday 3 January is given.
"""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import working_time
from common.clock import from_london
from common.working_time import add_working_days, add_working_hours, is_working_day


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def at(text: str) -> dt.datetime:
    wall = dt.datetime.fromisoformat(text)
    return from_london(wall.date(), wall.time())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-03-25", True),  # Maundy Thursday
        ("2027-03-26", False),  # Good Friday
        ("2027-03-27", False),  # Saturday
        ("2027-03-28", False),  # Easter Sunday
        ("2027-03-29", False),  # Easter Monday
        ("2027-03-30", True),
        ("2027-05-03", False),  # early May bank holiday
        ("2027-05-31", False),  # spring bank holiday
        ("2027-08-30", False),  # summer bank holiday
        ("2027-12-24", True),
        ("2027-12-27", False),  # for Christmas Day
        ("2027-12-28", False),  # for Boxing Day
        ("2027-12-29", True),
        ("2028-01-03", False),  # for New Year's Day
        ("2027-11-30", True),  # St Andrew's Day is Scotland's
        ("2027-03-17", True),  # St Patrick's Day is Northern Ireland's
    ],
)
def test_is_working_day(text: str, expected: bool) -> None:
    assert is_working_day(day(text)) is expected


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2027-03-24", 1, "2027-03-25"),
        ("2027-03-25", 1, "2027-03-30"),  # over Easter
        ("2027-03-27", 1, "2027-03-30"),  # from a Saturday: it does not count itself
        ("2027-03-25", 3, "2027-04-01"),
        ("2027-12-24", 1, "2027-12-29"),
        ("2027-12-24", 5, "2028-01-05"),  # 29, 30, 31 December, 4, 5 January
        ("2027-12-01", 20, "2027-12-31"),  # FOIA: 2-3, 6-10, 13-17, 20-24 are 17; 29, 30, 31
        ("2027-03-30", -1, "2027-03-25"),
        ("2027-03-27", 0, "2027-03-27"),
    ],
)
def test_add_working_days_by_hand_count(start: str, days: int, expected: str) -> None:
    assert add_working_days(day(start), days) == day(expected)


def test_working_days_between_by_hand_count() -> None:
    assert working_time.working_days_between(day("2027-03-25"), day("2027-04-01")) == 3
    assert working_time.working_days_between(day("2027-04-01"), day("2027-03-25")) == 0


@given(st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31)), st.integers(1, 60))
def test_working_days_counted_back_are_those_added(start: dt.date, days: int) -> None:
    end = add_working_days(start, days)
    assert is_working_day(end)
    assert working_time.working_days_between(start, end) == days


def test_next_working_day_is_the_day_itself_where_it_is_one() -> None:
    assert working_time.next_working_day(day("2027-03-26")) == day("2027-03-30")
    assert working_time.next_working_day(day("2027-03-30")) == day("2027-03-30")


def test_end_of_working_day_is_midnight_in_london() -> None:
    # Friday 16:59 or 00:01, one working day: the end of Monday; over Easter, the end of Tuesday.
    assert working_time.end_of_working_day(at("2027-06-04T16:59"), 1) == at("2027-06-08T00:00")
    assert working_time.end_of_working_day(at("2027-06-04T00:01"), 1) == at("2027-06-08T00:00")
    assert working_time.end_of_working_day(at("2027-03-25T12:00"), 1) == at("2027-03-31T00:00")


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2027-06-02T10:00", 4, "2027-06-02T14:00"),
        ("2027-06-02T07:00", 4, "2027-06-02T13:00"),  # before opening: counted from nine
        ("2027-06-02T13:00", 4, "2027-06-02T17:00"),  # full exactly at closing
        ("2027-06-02T15:00", 4, "2027-06-03T11:00"),
        ("2027-06-02T17:00", 1, "2027-06-03T10:00"),
        ("2027-06-02T22:00", 1, "2027-06-03T10:00"),
        ("2027-06-04T16:30", 1, "2027-06-07T09:30"),  # over a weekend
        ("2027-03-25T16:00", 4, "2027-03-30T12:00"),  # over Easter and the clock change
        ("2027-12-24T16:00", 8, "2027-12-29T16:00"),  # over Christmas
        ("2027-06-02T10:00", 20, "2027-06-04T14:00"),  # 7 + 8 + 5
        ("2027-06-02T10:00", 0, "2027-06-02T10:00"),
        ("2027-06-02T17:00", 0, "2027-06-02T17:00"),
        ("2027-06-05T10:00", 0, "2027-06-07T09:00"),
        ("2027-06-02T10:00", 1.5, "2027-06-02T11:30"),
    ],
)
def test_add_working_hours_by_hand_count(start: str, hours: float, expected: str) -> None:
    assert add_working_hours(at(start), hours) == at(expected)


@pytest.mark.parametrize("start", ["2027-06-02T10:20", "2027-03-25T16:00", "2027-10-29T16:00", "2027-12-24T09:00"])
@pytest.mark.parametrize("hours", [0.5, 4, 8, 23, 40])
def test_working_hours_between_are_those_added(start: str, hours: float) -> None:
    end = add_working_hours(at(start), hours)
    assert working_time.working_hours_between(at(start), end) == hours
    assert working_time.working_hours_between(end, at(start)) == 0


def test_working_hours_wait_while_workers_are_off_over_easter() -> None:
    assert working_time.working_hours_between(at("2027-03-25T17:00"), at("2027-03-30T09:00")) == 0
    assert working_time.working_hours_between(at("2027-03-25T16:00"), at("2027-03-30T11:00")) == 3


def test_other_office_hours_may_be_given() -> None:
    opens, closes = dt.time(8), dt.time(20)
    assert add_working_hours(at("2027-06-02T19:00"), 2, opens=opens, closes=closes) == at("2027-06-03T09:00")


def test_negative_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_hours(at("2027-06-02T10:00"), -1)


@pytest.mark.parametrize("function", [add_working_hours, working_time.add_hours, working_time.end_of_working_day])
def test_an_instant_without_a_zone_is_refused(function: object) -> None:
    with pytest.raises(ValueError, match="time zone"):
        function(dt.datetime(2027, 6, 2, 10), 1)  # type: ignore[operator]  # noqa: DTZ001


def test_add_hours_counts_elapsed_hours_over_a_clock_change() -> None:
    assert working_time.add_hours(at("2027-03-27T12:00"), 24) == at("2027-03-28T13:00")
    assert working_time.add_hours(at("2027-10-30T12:00"), 24) == at("2027-10-31T11:00")


def test_add_days_keeps_the_wall_clock_over_a_clock_change() -> None:
    assert working_time.add_days(at("2027-03-27T12:00"), 1) == at("2027-03-28T12:00")
    assert working_time.add_days(at("2027-10-31T12:00"), -1) == at("2027-10-30T12:00")
    assert working_time.add_days(at("2027-03-27T01:30"), 1) == at("2027-03-28T02:30")  # an hour that never was


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-11-07", 4, "2027-03-07"),
        ("2026-10-31", 4, "2027-02-28"),
        ("2027-10-31", 4, "2028-02-29"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-01-31", -2, "2026-11-30"),
        ("2026-12-15", 1, "2027-01-15"),
    ],
)
def test_add_months_stays_within_the_month(start: str, months: int, expected: str) -> None:
    assert working_time.add_months(day(start), months) == day(expected)


@pytest.mark.parametrize(
    ("start", "years", "expected"),
    [("2017-04-18", 3, "2020-04-18"), ("2024-02-29", 3, "2027-02-28"), ("2024-02-29", 4, "2028-02-29")],
)
def test_anniversary_of_29_february_is_28_february(start: str, years: int, expected: str) -> None:
    assert working_time.anniversary(day(start), years) == day(expected)
