"""Dates that decide who may be offered a course, and until when: pure arithmetic over days (DOMAIN.md §3)."""

import datetime as dt
from functools import lru_cache

from common.working_time import add_months, anniversary

BAR_YEARS = 3

# From the offence, for laying an information (Magistrates' Courts Act 1980 s.127).
TIME_LIMIT_MONTHS = 6
# The youngest at which one may hold a licence for anything.
MINIMUM_AGE_YEARS = 16


def allowed_from(earlier_offence_on: dt.date, *, years: int = BAR_YEARS) -> dt.date:
    """Return the first offence day for which a course is allowed again after one for an earlier offence.

    The anniversary itself is still barred: offence 18 April 2017, allowed for offences from 19 April 2020
    (ndors.org.uk, three-year rule).
    """
    return anniversary(earlier_offence_on, years) + dt.timedelta(days=1)


def is_barred(offence_on: dt.date, other_offence_on: dt.date, *, years: int = BAR_YEARS) -> bool:
    """Say whether two offences lie so close, offence date to offence date, that one course bars the other.

    It does not matter which of them was dealt with first.
    """
    earlier, later = sorted((offence_on, other_offence_on))
    return later < allowed_from(earlier, years=years)


@lru_cache(maxsize=4_096)
def time_limit(offence_on: dt.date) -> dt.date:
    """Return the last day that *complete by* may be: the day before offence + 6 months."""
    return add_months(offence_on, TIME_LIMIT_MONTHS) - dt.timedelta(days=1)


@lru_cache(maxsize=4_096)
def decide_by(offence_on: dt.date) -> dt.date:
    """Return the day by which police must decide to prosecute: offence + 6 months (MCA 1980 s.127)."""
    return add_months(offence_on, TIME_LIMIT_MONTHS)


@lru_cache(maxsize=4_096)
def is_time_barred(offence_on: dt.date, today: dt.date) -> bool:
    """Say whether offence + 6 months has passed: on that day itself an information may still be laid."""
    return today > add_months(offence_on, TIME_LIMIT_MONTHS)


@lru_cache(maxsize=4_096)
def default_book_by(offered_on: dt.date, offence_on: dt.date, *, days: int) -> dt.date:
    """Return *book by* where the file gives none: some days from the offer, never later than the time limit."""
    return min(offered_on + dt.timedelta(days=days), time_limit(offence_on))


@lru_cache(maxsize=4_096)
def default_complete_by(offence_on: dt.date, *, months: int) -> dt.date:
    """Return *complete by* where the file gives none: calendar months from the offence, within the time limit."""
    return min(add_months(offence_on, months), time_limit(offence_on))


def is_too_young(born_on: dt.date, offence_on: dt.date) -> bool:
    """Say whether a person was under the youngest age at which an offence can lead to a course."""
    years = offence_on.year - born_on.year - MINIMUM_AGE_YEARS
    return years < 0 or (years == 0 and offence_on < anniversary(born_on, MINIMUM_AGE_YEARS))
