"""Reminders: each once, at its time, to who booked before it, and not when it is useless."""

import datetime as dt

import pytest

from bookings import services
from common import clock
from notifications.constants import MessageStatus
from notifications.models import Message
from tests.bookings.conftest import NOW, STAFF
from tests.factories import bookings as b
from tests.factories import courses as c

START = clock.from_london(dt.date(2026, 12, 14), dt.time(9))
MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def run(now: dt.datetime) -> list[str]:
    """What the sweep adds when it runs then, twice."""
    before = set(Message.objects.values_list("pk", flat=True))
    services.schedule_reminders(now=now, by=STAFF)
    services.schedule_reminders(now=now + dt.timedelta(seconds=1), by=STAFF)
    added = Message.objects.exclude(pk__in=before).filter(kind__startswith="reminder_")
    return sorted(added.values_list("kind", flat=True))


def test_each_comes_once_at_its_time() -> None:
    b.ConfirmedBookingFactory.create()
    assert run(START - dt.timedelta(days=7) - MINUTE) == []
    assert run(START - dt.timedelta(days=7)) == ["reminder_7d"]
    assert run(START - dt.timedelta(hours=48) - MINUTE) == []
    assert run(START - dt.timedelta(hours=48)) == ["reminder_48h"]
    assert run(START - dt.timedelta(hours=2)) == ["reminder_2h"]
    assert run(START) == []
    useless = dict(Message.objects.values_list("kind", "useless_at"))
    assert useless == {
        "reminder_7d": START - dt.timedelta(hours=48),
        "reminder_48h": START - dt.timedelta(hours=2),
        "reminder_2h": START,
    }


def test_only_the_48_hour_one_and_later_have_the_link() -> None:
    booking = b.ConfirmedBookingFactory.create()
    for hours in (7 * 24, 48, 2):
        run(START - dt.timedelta(hours=hours))
    links = {message.kind: message.context["joining_url"] for message in Message.objects.all()}
    url = booking.place.session.joining_url
    assert links == {"reminder_7d": "", "reminder_48h": url, "reminder_2h": url}


def test_who_books_inside_a_reminders_time_does_not_get_it() -> None:
    b.ConfirmedBookingFactory.create(now=START - dt.timedelta(days=3), session=c.OpenSessionFactory.create())
    assert run(START - dt.timedelta(days=3) + MINUTE) == []
    assert run(START - dt.timedelta(hours=47)) == ["reminder_48h"]


def test_after_three_days_off_only_what_is_still_useful_is_sent() -> None:
    b.ConfirmedBookingFactory.create()
    assert run(START - dt.timedelta(hours=40)) == ["reminder_48h"]


def test_nobody_is_reminded_of_what_is_not_booked() -> None:
    b.ReadyBookingFactory.create()
    b.CancelledBookingFactory.create()
    assert run(START - dt.timedelta(hours=48)) == []


def test_a_cancelled_booking_takes_its_waiting_reminder_along() -> None:
    booking = b.ConfirmedBookingFactory.create()
    run(START - dt.timedelta(hours=48))
    services.cancel(booking_id=booking.pk, by=STAFF, now=START - dt.timedelta(hours=47))
    assert Message.objects.get(kind="reminder_48h").status == MessageStatus.DROPPED


@pytest.mark.parametrize(
    "day", [dt.date(2027, 3, 27), dt.date(2027, 3, 28), dt.date(2027, 10, 30), dt.date(2027, 10, 31)]
)
def test_s22_around_a_clock_change_all_say_nine_and_come_once(day: dt.date) -> None:
    start = clock.from_london(day, dt.time(9))
    booked = start - dt.timedelta(days=20)
    b.ConfirmedBookingFactory.create(now=booked, session=c.OpenSessionFactory.create(starts_at=start))
    seven = clock.from_london(day - dt.timedelta(days=7), dt.time(9))
    assert run(seven - MINUTE) == []
    assert run(seven) == ["reminder_7d"]
    assert run(start - dt.timedelta(hours=48)) == ["reminder_48h"]
    assert run(start - dt.timedelta(hours=2)) == ["reminder_2h"]
    assert {message.context["times"] for message in Message.objects.all()} == {"9am to 11:45am"}
    assert booked > NOW
