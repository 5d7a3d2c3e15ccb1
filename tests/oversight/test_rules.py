"""Clocks of promises against counts made by hand on the calendar."""

from datetime import UTC, date, datetime

import pytest

from oversight import rules
from oversight.rules import AT_RISK, BREACHED, IN_TIME, Limit

FROM = date(2020, 1, 1)
DAY = Limit(1, rules.WORKING_DAYS, 75, FROM, None)
HOURS_24 = Limit(24, rules.HOURS, 75, FROM, None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_due_at_one_working_day_over_easter() -> None:
    # Received on Maundy Thursday 2027; Good Friday 26 March and Easter Monday 29 March are bank holidays and summer
    # time begins on Easter Sunday, so the day ends at 23:00 UTC on Tuesday 30 March.
    assert rules.due_at(DAY, at("2027-03-25T10:00")) == at("2027-03-30T23:00")


def test_due_at_hours_run_through_a_clock_change() -> None:
    assert rules.due_at(HOURS_24, at("2027-03-27T12:00")) == at("2027-03-28T12:00")


def test_due_at_working_hours_wait_for_the_office() -> None:
    limit = Limit(4, rules.WORKING_HOURS, 75, FROM, None)
    # Friday 16:00 London in winter: one hour on Friday, three on Monday.
    assert rules.due_at(limit, at("2026-11-20T16:00")) == at("2026-11-23T12:00")


def test_due_at_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown unit FORTNIGHTS"):
        rules.due_at(Limit(1, "FORTNIGHTS", 75, FROM, None), at("2026-11-20T16:00"))


@pytest.mark.parametrize(
    ("now", "done_at", "expected"),
    [
        ("2026-11-20T17:59", None, IN_TIME),
        ("2026-11-20T18:00", None, AT_RISK),
        ("2026-11-21T00:00", None, AT_RISK),
        ("2026-11-21T00:00:01", None, BREACHED),
        ("2026-12-24T00:00", "2026-11-20T23:00", IN_TIME),
        ("2026-12-24T00:00", "2026-11-21T00:00:01", BREACHED),
        # Asked about an earlier moment, a later end is not yet known: the answer stays what it was then.
        ("2026-11-20T18:00", "2026-11-20T23:00", AT_RISK),
        ("2026-11-21T01:00", "2026-11-22T00:00", BREACHED),
    ],
)
def test_standing_at_a_moment(now: str, done_at: str | None, expected: str) -> None:
    assert (
        rules.standing(
            HOURS_24, started_at=at("2026-11-20T00:00"), done_at=at(done_at) if done_at else None, now=at(now)
        )
        == expected
    )


def test_limit_applies_between_its_days_inclusive() -> None:
    limit = Limit(1, rules.HOURS, 75, date(2026, 4, 1), date(2026, 4, 30))
    assert [limit.applies_on(date(2026, month, day)) for month, day in [(3, 31), (4, 1), (4, 30), (5, 1)]] == [
        False,
        True,
        True,
        False,
    ]
