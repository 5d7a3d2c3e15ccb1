"""Clocks of promises: pure functions of events and the working calendar, so any past day can be recomputed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.working_time import add_working_hours, end_of_working_day

HOURS = "HOURS"
WORKING_HOURS = "WORKING_HOURS"
WORKING_DAYS = "WORKING_DAYS"

IN_TIME = "in time"
AT_RISK = "at risk"
BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a promise may take, for clocks that start from `valid_from` up to and with `valid_to`."""

    amount: int
    unit: str
    warn_at_percent: int
    valid_from: date
    valid_to: date | None

    def applies_on(self, day: date) -> bool:
        """Whether it is the limit for a clock that starts on this London day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def due_at(limit: Limit, started_at: datetime) -> datetime:
    """The instant by which the promise must be kept."""
    if limit.unit == HOURS:
        return started_at + timedelta(hours=limit.amount)
    if limit.unit == WORKING_HOURS:
        return add_working_hours(started_at, limit.amount)
    if limit.unit == WORKING_DAYS:
        return end_of_working_day(started_at, limit.amount)
    raise ValueError(f"unknown unit {limit.unit}")


def standing(limit: Limit, *, started_at: datetime, done_at: datetime | None, now: datetime) -> str:
    """How a promise stands at `now`: in time, at risk (past the warning share of its time) or breached.

    What happened after `now` is not known at `now`: a `done_at` in its future counts as not done.
    """
    due = due_at(limit, started_at)
    ended = done_at if done_at is not None and done_at <= now else None
    if (ended or now) > due:
        return BREACHED
    warn_at = started_at + (due - started_at) * limit.warn_at_percent / 100
    return AT_RISK if ended is None and now >= warn_at else IN_TIME
