"""Time at the edges: reading the clock, London days, and how dates and times are written.

Inside the service time is passed in: only an edge (a page, a command, a job) calls `now()`, once.
Instants are UTC; the days people live by are Europe/London days. Nothing here takes a naive
instant: it raises `ValueError`, because a guess of an hour either way would be found out twice a year.
"""

import datetime as dt
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
UTC = dt.UTC

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class NonexistentTimeError(ValueError):
    """A London wall-clock time that never was: the hour skipped when the clocks go forward."""


def now() -> dt.datetime:
    """Read the clock: the present instant in UTC. For edges only, once each."""
    return dt.datetime.now(UTC)


def require_aware(moment: dt.datetime) -> dt.datetime:
    """Return `moment` unchanged, or raise `ValueError` where it carries no time zone."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return moment


def london(moment: dt.datetime) -> dt.datetime:
    """Return the same instant as London's clocks show it."""
    return require_aware(moment).astimezone(LONDON)


def london_day(moment: dt.datetime) -> dt.date:
    """Return the London day on which `moment` falls."""
    return london(moment).date()


def from_london(day: dt.date, at: dt.time) -> dt.datetime:
    """Return the UTC instant at which London's clocks show `at` on `day`.

    In the hour that happens twice when the clocks go back, the first is meant unless `at.fold` is 1.
    Raises `NonexistentTimeError` for the hour that is skipped when they go forward, and `ValueError`
    where `at` has a time zone of its own.
    """
    if at.tzinfo is not None:
        raise ValueError("a London time of day has no time zone of its own")
    wall = dt.datetime.combine(day, at)
    instant = wall.replace(tzinfo=LONDON).astimezone(UTC)
    if instant.astimezone(LONDON).replace(tzinfo=None) != wall.replace(fold=0):
        raise NonexistentTimeError(f"London's clocks did not show {wall:%Y-%m-%dT%H:%M}")
    return instant


def start_of_london_day(day: dt.date) -> dt.datetime:
    """Return the UTC instant at which `day` begins in London."""
    return from_london(day, dt.time())


def end_of_london_day(day: dt.date) -> dt.datetime:
    """Return the UTC instant at which `day` is over in London: the first of the day after."""
    return start_of_london_day(day + dt.timedelta(days=1))


def parse_instant(text: str) -> dt.datetime:
    """Return the UTC instant written in ISO 8601, as `--now` takes it.

    Without an offset it is London time; a day alone is the start of that London day.
    Raises `ValueError` for anything else.
    """
    moment = dt.datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        return from_london(moment.date(), moment.time())
    return moment.astimezone(UTC)


def date_words(day: dt.date) -> str:
    """Write a day as GOV.UK does: "14 May 2027"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def day_words(day: dt.date) -> str:
    """Write a day with its weekday: "Friday 14 May 2027"."""
    return f"{WEEKDAYS[day.weekday()]} {date_words(day)}"


def month_words(day: dt.date) -> str:
    """Write the month of a day: "May 2027"."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def time_words(at: dt.time) -> str:
    """Write a time of day as GOV.UK does: "9am", "9:30am", "midday", "midnight", "11:45pm"."""
    if at.minute == 0 and at.hour in (0, 12):
        return "midday" if at.hour else "midnight"
    hour = at.hour % 12 or 12
    half = "am" if at.hour < 12 else "pm"
    return f"{hour}:{at.minute:02d}{half}" if at.minute else f"{hour}{half}"


def moment_words(moment: dt.datetime) -> str:
    """Write an instant in London time: "9:30am on Friday 14 May 2027"."""
    there = london(moment)
    return f"{time_words(there.time())} on {day_words(there.date())}"


def span_words(starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """Write the London times from one instant to another of the same day: "9am to 11:45am"."""
    return f"{time_words(london(starts_at).time())} to {time_words(london(ends_at).time())}"
