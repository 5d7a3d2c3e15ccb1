"""When a message goes, when it is tried again, and when to stop (pure)."""

from datetime import date, datetime, time, timedelta

from common.clock import from_london, london, london_day
from common.working_time import add_days

# A mail server that is down may stay down for hours, so the last step repeats until the message is useless or old.
RETRY_AFTER_SECONDS = (60, 120, 300, 600, 900)
GIVE_UP_AFTER_ATTEMPTS = 300  # about three days

# Nobody's telephone rings at night for a course.
QUIET_FROM = time(21)
QUIET_UNTIL = time(8)


def next_try_at(*, attempts: int, now: datetime) -> datetime:
    """When to try again after the `attempts`-th failure (1 is the first): a minute, growing to a quarter-hour."""
    step = RETRY_AFTER_SECONDS[min(attempts, len(RETRY_AFTER_SECONDS)) - 1]
    return now + timedelta(seconds=step)


def is_given_up(*, attempts: int) -> bool:
    """Whether a message has failed for so long that a person must look at it."""
    return attempts >= GIVE_UP_AFTER_ATTEMPTS


def is_useless(*, useless_at: datetime | None, now: datetime) -> bool:
    """Whether the message would tell its reader nothing any more, such as a reminder of a course that is over."""
    return useless_at is not None and now >= useless_at


def after_quiet_hours(moment: datetime) -> datetime:
    """The first moment from then on at which a telephone may ring: itself by day, 8am in London by night."""
    there = london(moment)
    if QUIET_UNTIL <= there.time() < QUIET_FROM:
        return moment
    day = there.date() if there.time() < QUIET_UNTIL else there.date() + timedelta(days=1)
    return from_london(day, QUIET_UNTIL)


def due_at(anchor: datetime | date, *, days: int = 0, hours: int = 0, at: time | None = None) -> datetime:
    """When a reminder counted from `anchor` is due.

    Days keep to London's clocks, so that 9am stays 9am over a clock change; hours are hours. `at` is the London time
    of day; a day without one begins at midnight.
    """
    if isinstance(anchor, datetime):
        moment = add_days(anchor, days) + timedelta(hours=hours)
        return moment if at is None else from_london(london_day(moment), at)
    return from_london(anchor + timedelta(days=days), at or time()) + timedelta(hours=hours)
