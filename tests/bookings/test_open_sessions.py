"""Which dates a candidate is shown: counted and sorted out by the database, as the rules have it."""

import datetime as dt

import pytest

from bookings import selectors
from bookings.rules import Hidden
from bookings.selectors import Filters
from common import clock
from referrals.models import Referral
from tests.factories import courses as c
from tests.factories import referrals as r

NOW = r.NOW
pytestmark = pytest.mark.django_db


def london(year: int, month: int, day: int, hour: int, minute: int = 0) -> dt.datetime:
    return clock.from_london(dt.date(year, month, day), dt.time(hour, minute))


@pytest.fixture
def offer() -> Referral:
    return r.LiveReferralFactory.create(complete_by=dt.date(2027, 3, 6))


@pytest.mark.parametrize(
    ("starts_at", "places_left", "why"),
    [
        (NOW + dt.timedelta(minutes=60), 1, None),
        (NOW + dt.timedelta(minutes=59), 1, Hidden.TOO_SOON),
        (NOW + dt.timedelta(days=1), 0, Hidden.FULL),
        (NOW + dt.timedelta(minutes=59), 0, Hidden.TOO_SOON),
        (london(2027, 3, 6, 21), 1, None),
        (london(2027, 3, 6, 21, 14), 1, None),  # ends a minute before midnight
        (london(2027, 3, 6, 21, 15), 1, Hidden.AFTER_COMPLETE_BY),  # ends at midnight
        (london(2027, 3, 7, 9), 0, Hidden.AFTER_COMPLETE_BY),
    ],
)
def test_why_a_session_is_hidden(
    offer: Referral, starts_at: dt.datetime, places_left: int, why: Hidden | None
) -> None:
    session = c.OpenSessionFactory.create(starts_at=starts_at, capacity=1)
    if not places_left:
        c.TakenPlaceFactory.create(session=session)
    found = selectors.open_sessions(offer, now=NOW, filters=Filters())
    assert (found.sessions, found.hidden) == (([], {why: 1}) if why else ([session], {}))


def test_a_week_is_londons_over_a_clock_change(offer: Referral) -> None:
    Referral.objects.filter(pk=offer.pk).update(complete_by=dt.date(2027, 5, 1))
    offer.refresh_from_db()
    week = [c.OpenSessionFactory.create(starts_at=london(2027, 3, day, 9)) for day in (22, 23, 24, 25)]
    last = c.OpenSessionFactory.create(starts_at=london(2027, 3, 28, 19))  # Sunday, in summer time since that morning
    first = c.OpenSessionFactory.create(starts_at=london(2027, 3, 29, 0))  # Monday, still Sunday in UTC
    shown = selectors.open_sessions(offer, now=NOW, filters=Filters())
    assert (shown.first, shown.sessions, shown.later) == (
        dt.date(2027, 3, 22),
        [*week, last],
        dt.date(2027, 3, 29),
    )
    after = selectors.open_sessions(offer, now=NOW, filters=Filters(since=shown.later))
    assert (after.sessions, after.earlier, after.later) == ([first], dt.date(2027, 3, 22), None)


def test_a_week_of_many_dates_comes_in_parts_and_each_date_stands_on_one_page(offer: Referral) -> None:
    starts = [london(2026, 12, day, hour) for day in (14, 15, 16, 18) for hour in range(8, 16)]
    made = [c.OpenSessionFactory.create(starts_at=at) for at in starts for _ in range(3)]
    pages, since = [], None
    while not pages or since:
        shown = selectors.open_sessions(offer, now=NOW, filters=Filters(since=since))
        pages.append(shown.sessions)
        since = shown.later
    assert [len(page) for page in pages] == [48, 48]
    assert sorted(session.pk for page in pages for session in page) == [session.pk for session in made]
    assert shown.earlier == dt.date(2026, 12, 14)


def test_what_is_left_to_choose_is_counted_without_the_choice_itself(offer: Referral) -> None:
    evening = c.OpenSessionFactory.create(starts_at=london(2026, 12, 14, 18))
    c.OpenSessionFactory.create(starts_at=london(2026, 12, 14, 9))
    c.OpenSessionFactory.create(starts_at=london(2026, 12, 14, 9))
    room = c.RoomFactory.create(venue__town="Ashford")
    c.ClassroomSessionFactory.create(starts_at=london(2026, 12, 19, 9), room=room)
    found = selectors.open_sessions(offer, now=NOW, filters=Filters(mode="DIGITAL", part="evening"))
    assert (found.sessions, found.matching, found.bookable, found.not_matching) == ([evening], 1, 4, 3)
    assert (found.modes, found.parts, found.towns) == ({"DIGITAL": 1}, {"evening": 1, "morning": 2}, {})
    everything = selectors.open_sessions(offer, now=NOW, filters=Filters())
    assert everything.parts == {"evening": 1, "morning": 3, "weekend": 1}
    assert (everything.modes, everything.towns) == ({"DIGITAL": 3, "CLASSROOM": 1}, {"Ashford": 1})
