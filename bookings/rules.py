"""Pure rules of booking: what can be booked and why not, what comes back on cancelling, how long a hold lasts."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from common.clock import end_of_london_day, london, london_day
from common.working_time import add_days, add_working_days, add_working_hours

# Stripe keeps a Checkout session open for half an hour at least; the minute more is for clocks that differ.
CHECKOUT_LASTS = dt.timedelta(minutes=31)
# After Checkout closes, the news of a payment made in its last second still has to reach us.
CHECKOUT_MARGIN = dt.timedelta(minutes=5)
# London hours at which the afternoon and the evening begin.
NOON, EVENING = 12, 17
NO_REFUND_REASON = "FAILED_TO_COMPLETE"


class PartOfDay(StrEnum):
    """When a course starts, as candidates choose. A course at the weekend is both of that and of its hour."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    WEEKEND = "weekend"


class Hidden(StrEnum):
    """Why a session cannot be booked with an offer."""

    AFTER_COMPLETE_BY = "after_complete_by"
    TOO_SOON = "too_soon"
    FULL = "full"
    NEEDS = "needs"


def part_of_day(starts_at: dt.datetime) -> PartOfDay:
    """Morning, afternoon or evening, as London's clocks see a course start."""
    hour = london(starts_at).hour
    return PartOfDay.MORNING if hour < NOON else PartOfDay.AFTERNOON if hour < EVENING else PartOfDay.EVENING


def pages_of_days(dates: Mapping[dt.date, int], *, fewest: int, most: int) -> list[tuple[dt.date, dt.date]]:
    """The days that a list shows together, first and last of each page, from a Monday to a Sunday and no day left out.

    A page is a week; with the next where it has fewer than `fewest` dates, and in parts of at most `most` (or one
    whole day) where there are more. `dates` counts the dates of each day.
    """
    firsts: list[dt.date] = []
    held, monday = fewest, dt.date.min
    for day in sorted(dates):
        is_new_week = monday != (monday := monday_of(day))
        if held >= fewest and (is_new_week or held + dates[day] > most):
            firsts.append(monday if is_new_week else day)
            held = 0
        held += dates[day]
    if not firsts:
        return []
    lasts = [first - dt.timedelta(days=1) for first in firsts[1:]]
    return list(zip(firsts, [*lasts, monday + dt.timedelta(days=6)], strict=True))


def monday_of(day: dt.date) -> dt.date:
    """The first day of a day's week."""
    return day - dt.timedelta(days=day.weekday())


@lru_cache(maxsize=4096)  # asked for every open session, each time that a candidate looks at the dates
def parts_of_day(starts_at: dt.datetime) -> frozenset[PartOfDay]:
    """The parts of the day, and of the week, in which London's clocks see a course start."""
    part = part_of_day(starts_at)
    return frozenset({part, PartOfDay.WEEKEND} if london(starts_at).weekday() >= 5 else {part})


def ends_in_time(ends_at: dt.datetime, complete_by: dt.date) -> bool:
    """Whether a course that ends then is completed by the last day (DOMAIN.md §3)."""
    return london_day(ends_at) <= complete_by


@lru_cache(maxsize=4096)
def day_of(starts_at: dt.datetime) -> dt.date:
    """The London day on which a course starts."""
    return london_day(starts_at)


def held_until(
    *, now: dt.datetime, minutes: int, starts_at: dt.datetime, present: dt.datetime | None = None
) -> dt.datetime:
    """Until when a hold lasts that is made or extended now: at most to the start, never earlier than it lasts."""
    until = min(now + dt.timedelta(minutes=minutes), starts_at)
    return max(until, present) if present else until


def waiting_offer_until(
    *, now: dt.datetime, hours: int, starts_at: dt.datetime, closes_minutes: int, last_day: dt.date
) -> dt.datetime:
    """Until when a freed place is held for who waits: so many working hours, and never past what is useful.

    Booking closes before the course starts. `last_day` is book by, or complete by for who has booked already.
    """
    return min(add_working_hours(now, hours), _useful_until(starts_at, closes_minutes, last_day))


def late_offer_until(
    *, now: dt.datetime, hours: int, starts_at: dt.datetime, closes_minutes: int, book_by: dt.date
) -> dt.datetime:
    """Until when another date is held for who paid too late: so many hours by the clock, never past what is useful."""
    return min(now + dt.timedelta(hours=hours), _useful_until(starts_at, closes_minutes, book_by))


def _useful_until(starts_at: dt.datetime, closes_minutes: int, last_day: dt.date) -> dt.datetime:
    return min(starts_at - dt.timedelta(minutes=closes_minutes), end_of_london_day(last_day))


def may_cancel_for_refund(
    *, confirmed_at: dt.datetime, starts_at: dt.datetime, now: dt.datetime, cancel_days: int, notice_days: int
) -> bool:
    """Whether a candidate who cancels now gets the whole fee back (DOMAIN.md §4).

    The days from booking are those of the Consumer Contracts Regulations 2013: the day of booking is not counted and
    the last one counts to its end. The notice is counted to the same London time of day.
    """
    last_day = london_day(confirmed_at) + dt.timedelta(days=cancel_days)
    return london_day(now) <= last_day and now <= add_days(starts_at, -notice_days)


@dataclass(frozen=True)
class MoveFee:
    """What a move costs, by which rule, and the last moment at which it costs that."""

    rule: Literal["FREE", "LATE", "FULL_FEE"]
    pence: int
    until: dt.datetime


def move_fee(
    *,
    starts_at: dt.datetime,
    now: dt.datetime,
    moves_before: int,
    course_fee_pence: int,
    move_fee_pence: int,
    free_days: int,
    full_fee_hours: int,
) -> MoveFee:
    """What moving away from a course costs now, before it starts (DOMAIN.md §4).

    The first move is free until so many days before the start, counted to the same London time of day; later, and
    from the second move on, it costs the move fee; inside the last hours the course fee is due again.
    """
    full_from = starts_at - dt.timedelta(hours=full_fee_hours)
    free_until = add_days(starts_at, -free_days)
    if now > full_from:
        return MoveFee("FULL_FEE", course_fee_pence, starts_at)
    if moves_before == 0 and now <= free_until:
        return MoveFee("FREE", 0, free_until)
    return MoveFee("LATE", move_fee_pence, full_from)


def fee_again(parts: Mapping[str, int], *, percent: int) -> dict[str, int]:
    """The parts of the fee asked again of who missed a course: so much of the fee, out of KCC's own part alone.

    What falls due to the force, to UKROEd and for VAT when the course is completed is asked whatever the policy says.
    """
    total = sum(parts.values())
    owed_to_others = total - parts["provider"]
    return {**parts, "provider": max(total * percent // 100 - owed_to_others, 0)}


def refunded_on_withdrawal(*, reason: str, starts_at: dt.datetime, now: dt.datetime, notice_days: int) -> bool:
    """Whether the fee goes back when police withdraw a booked offer (DOMAIN.md §4).

    It does through no fault of the client. A fixed penalty paid instead is refunded unless the course is too near;
    failing to attend or complete is not refunded once that course has begun.
    """
    if reason == "FIXED_PENALTY_PAID":
        return now <= add_days(starts_at, -notice_days)
    if reason == NO_REFUND_REASON:
        return now < starts_at
    return True


def reminder_due_at(starts_at: dt.datetime, *, days: int = 0, hours: int = 0) -> dt.datetime:
    """When a reminder is due: days before at the same London time of day, or hours before by the clock."""
    return add_days(starts_at, -days) if days else starts_at - dt.timedelta(hours=hours)


def pay_link_until(*, now: dt.datetime, hours: int, starts_at: dt.datetime, closes_minutes: int) -> dt.datetime:
    """Until when a place is held for who pays by a link sent now: so many hours, and never past closing time."""
    return min(now + dt.timedelta(hours=hours), starts_at - dt.timedelta(minutes=closes_minutes))


def last_working_day_before(course_on: dt.date, *, not_before: dt.date) -> dt.date:
    """The working day before a course, or `not_before` where that is gone."""
    return max(add_working_days(course_on, -1), not_before)


def need_due_on(*, told_on: dt.date, days: int, course_on: dt.date | None) -> dt.date:
    """By when staff arrange what was told on a day: so many working days on, and always before the course."""
    due_on = add_working_days(told_on, days)
    return min(due_on, last_working_day_before(course_on, not_before=told_on)) if course_on else due_on


def fits_needs(*, is_digital: bool, is_step_free: bool, is_offline: bool, needs_step_free: bool) -> bool:
    """Whether somebody with no internet, or who needs a way in without steps, can take a course there."""
    return not (is_digital and is_offline) and (is_digital or is_step_free or not needs_step_free)


def minutes_words(until: dt.datetime, now: dt.datetime) -> str:
    """The time left, rounded down to promise nothing: "14 minutes", "less than a minute", "23 hours", "2 days"."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes >= 2 * 24 * 60:
        return f"{minutes // (24 * 60)} days"
    if minutes >= 2 * 60:
        return f"{minutes // 60} hours"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
