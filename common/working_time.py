"""The England and Wales working calendar: pure functions of days and instants.

A working day is Monday to Friday and no bank holiday in England and Wales; the working day of the
office is 09:00 to 17:00, London time. Instants must carry a time zone (`ValueError` if not) and come
back in UTC.
"""

import datetime as dt
from calendar import monthrange
from functools import lru_cache

import holidays

from common.clock import UTC, end_of_london_day, from_london, london, london_day, require_aware

OPENS = dt.time(9)
CLOSES = dt.time(17)
_ONE_DAY = dt.timedelta(days=1)


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[dt.date]:
    """Return the bank holidays of England and Wales in `year`, substitute days among them."""
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=[year]))


def is_working_day(day: dt.date) -> bool:
    """Say whether `day` is a working day in England and Wales."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def next_working_day(day: dt.date) -> dt.date:
    """Return `day` itself where it is a working day, else the first one after it."""
    while not is_working_day(day):
        day += _ONE_DAY
    return day


def add_working_days(day: dt.date, days: int) -> dt.date:
    """Return the working day that is `days` working days after `day`; before it where negative.

    The day itself is not counted (FOIA s.10: "the twentieth working day following"), so the answer
    does not depend on whether `day` is a working day. Zero gives `day` itself.
    """
    step = _ONE_DAY if days >= 0 else -_ONE_DAY
    left = abs(days)
    while left:
        day += step
        left -= is_working_day(day)
    return day


def working_days_between(first: dt.date, last: dt.date) -> int:
    """Count the working days after `first` up to and with `last`; zero where `last` is not later."""
    days = (last - first).days
    return sum(is_working_day(first + dt.timedelta(days=n)) for n in range(1, days + 1))


def end_of_working_day(moment: dt.datetime, days: int) -> dt.datetime:
    """Return the instant by which something due within `days` working days of `moment` must be done.

    It is the end of that London day: a batch received at any hour of Friday is due by the end of Monday.
    """
    return end_of_london_day(add_working_days(london_day(moment), days))


def add_working_hours(
    start: dt.datetime, hours: float, *, opens: dt.time = OPENS, closes: dt.time = CLOSES
) -> dt.datetime:
    """Return the instant at which `hours` office hours have gone by since `start`.

    Only time between `opens` and `closes` on working days runs; before and after the clock waits.
    When it is full exactly at closing time, that closing time is the answer, not the next morning.
    Raises `ValueError` for negative hours.
    """
    if hours < 0:
        raise ValueError("hours cannot be negative")
    left = dt.timedelta(hours=hours)
    moment = require_aware(start).astimezone(UTC)
    day = london_day(moment)
    while True:
        if is_working_day(day):
            from_, until = from_london(day, opens), from_london(day, closes)
            moment = max(moment, from_)
            if moment < until or (moment == until and not left):
                if moment + left <= until:
                    return moment + left
                left -= until - moment
        day += _ONE_DAY


def working_hours_between(
    start: dt.datetime,
    end: dt.datetime,
    *,
    opens: dt.time = OPENS,
    closes: dt.time = CLOSES,
) -> float:
    """Return the office hours that went by from `start` to `end`; zero where `end` is not later."""
    start, end = require_aware(start).astimezone(UTC), require_aware(end).astimezone(UTC)
    total = dt.timedelta()
    day, last = london_day(start), london_day(end)
    while day <= last:
        if is_working_day(day):
            gone = min(end, from_london(day, closes)) - max(start, from_london(day, opens))
            total += max(gone, dt.timedelta())
        day += _ONE_DAY
    return total / dt.timedelta(hours=1)


def add_hours(start: dt.datetime, hours: float) -> dt.datetime:
    """Return the instant `hours` elapsed hours after `start`, whatever the clocks did meanwhile."""
    return require_aware(start).astimezone(UTC) + dt.timedelta(hours=hours)


def add_days(start: dt.datetime, days: int) -> dt.datetime:
    """Return the instant with the same London time of day as `start`, `days` days on.

    Across a clock change the wall clock is kept, not the count of hours. Should the clocks not show
    that time on the day, the instant an hour on is meant.
    """
    there = london(start)
    wall = dt.datetime.combine(there.date() + dt.timedelta(days=days), there.time(), there.tzinfo)
    return wall.astimezone(UTC)


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month `months` on, or the last day of a month too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def anniversary(day: dt.date, years: int) -> dt.date:
    """Return the anniversary of `day` after `years` years; of 29 February, 28 February in other years."""
    return add_months(day, 12 * years)
