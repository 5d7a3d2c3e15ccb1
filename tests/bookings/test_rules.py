"""The pure rules of booking."""

import datetime as dt

import pytest

from bookings import rules
from bookings.rules import PartOfDay
from common import clock

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)


def london(year: int, month: int, day: int, hour: int, minute: int = 0) -> dt.datetime:
    return clock.from_london(dt.date(year, month, day), dt.time(hour, minute))


@pytest.mark.parametrize(
    ("dates", "pages"),
    [
        ({}, []),
        ({0: 1}, [(0, 6)]),
        ({3: 1}, [(0, 6)]),  # from the Monday, whatever day it is on
        ({0: 5, 7: 5}, [(0, 6), (7, 13)]),
        ({0: 4, 7: 1, 14: 9}, [(0, 13), (14, 20)]),  # few dates share a page
        ({0: 2, 7: 2, 21: 2, 28: 1}, [(0, 27), (28, 34)]),
        ({0: 5, 21: 5}, [(0, 20), (21, 27)]),  # no day is left out between pages
        ({0: 6, 1: 4, 2: 1, 6: 9}, [(0, 1), (2, 6)]),  # many come in parts
        ({0: 6, 1: 5, 2: 5, 3: 5, 8: 1}, [(0, 0), (1, 2), (3, 6), (7, 13)]),
        ({0: 6, 1: 5, 8: 2}, [(0, 0), (1, 6), (7, 13)]),
        ({0: 25, 1: 25}, [(0, 0), (1, 6)]),  # a day is never cut
        ({0: 10, 1: 1, 7: 1}, [(0, 0), (1, 13)]),  # what is left of a week may share a page with the next
        ({0: 4, 1: 25}, [(0, 6)]),  # so few are no page of their own
    ],
)
def test_a_page_of_dates(dates: dict[int, int], pages: list[tuple[int, int]]) -> None:
    def day(n: int) -> dt.date:
        return dt.date(2026, 11, 23) + dt.timedelta(days=n)

    counted = {day(n): count for n, count in dates.items()}
    assert rules.pages_of_days(counted, fewest=5, most=10) == [(day(first), day(last)) for first, last in pages]


@pytest.mark.parametrize(
    ("starts_at", "parts"),
    [
        (london(2026, 12, 14, 9), {PartOfDay.MORNING}),
        (london(2026, 12, 14, 11, 59), {PartOfDay.MORNING}),
        (london(2026, 12, 14, 12), {PartOfDay.AFTERNOON}),
        (london(2026, 12, 14, 17), {PartOfDay.EVENING}),
        (london(2026, 12, 19, 9), {PartOfDay.MORNING, PartOfDay.WEEKEND}),
        (london(2027, 6, 20, 17), {PartOfDay.EVENING, PartOfDay.WEEKEND}),  # 4pm in UTC
    ],
)
def test_parts_of_day_are_londons(starts_at: dt.datetime, parts: set[PartOfDay]) -> None:
    assert rules.parts_of_day(starts_at) == parts


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (900, "15 minutes"),
        (899, "14 minutes"),
        (60, "1 minute"),
        (59, "less than a minute"),
        (-5, "less than a minute"),
        (7199, "119 minutes"),
        (86_399, "23 hours"),
        (3 * 86_400 - 1, "2 days"),
    ],
)
def test_the_time_left_never_promises_too_much(seconds: int, words: str) -> None:
    assert rules.minutes_words(NOW + dt.timedelta(seconds=seconds), NOW) == words


def test_a_hold_is_never_made_shorter() -> None:
    later = NOW + dt.timedelta(hours=1)
    day, soon = NOW + dt.timedelta(days=1), NOW + dt.timedelta(minutes=9)
    assert rules.held_until(now=NOW, minutes=15, starts_at=day) == NOW + dt.timedelta(minutes=15)
    assert rules.held_until(now=NOW, minutes=15, starts_at=day, present=later) == later
    assert rules.held_until(now=NOW, minutes=15, starts_at=soon) == soon


def test_the_notice_before_a_course_keeps_the_clock_on_the_wall() -> None:
    starts_at = london(2027, 3, 30, 9)  # two days after the clocks went forward
    given = {"confirmed_at": starts_at - dt.timedelta(days=10), "starts_at": starts_at, "cancel_days": 14}
    assert rules.may_cancel_for_refund(now=london(2027, 3, 23, 9), notice_days=7, **given)  # type: ignore[arg-type]
    assert not rules.may_cancel_for_refund(now=london(2027, 3, 23, 9, 1), notice_days=7, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "moves_before", "rule", "pence", "until"),
    [
        # Nine o'clock a week before on the wall, though the clocks went forward in between.
        (london(2027, 3, 23, 9), 0, "FREE", 0, london(2027, 3, 23, 9)),
        (london(2027, 3, 23, 9, 1), 0, "LATE", 2500, london(2027, 3, 29, 9)),
        (london(2027, 3, 1, 9), 1, "LATE", 2500, london(2027, 3, 29, 9)),
        (london(2027, 3, 29, 9), 0, "LATE", 2500, london(2027, 3, 29, 9)),
        (london(2027, 3, 29, 9, 1), 0, "FULL_FEE", 9200, london(2027, 3, 30, 9)),
        (london(2027, 3, 29, 9, 1), 3, "FULL_FEE", 9200, london(2027, 3, 30, 9)),
    ],
)
def test_s04_what_a_move_costs_and_until_when(
    now: dt.datetime, moves_before: int, rule: str, pence: int, until: dt.datetime
) -> None:
    fee = rules.move_fee(
        starts_at=london(2027, 3, 30, 9),
        now=now,
        moves_before=moves_before,
        course_fee_pence=9200,
        move_fee_pence=2500,
        free_days=7,
        full_fee_hours=24,
    )
    assert (fee.rule, fee.pence, fee.until) == (rule, pence, until)
