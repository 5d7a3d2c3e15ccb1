"""The calendar file: the same entry for the same booking, in London's time, removed by a later file."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from bookings import calendar_file
from bookings.models import Booking
from common import clock
from tests.bookings.conftest import NOW
from tests.factories import bookings as b
from tests.factories import courses as c

pytestmark = pytest.mark.django_db


def event(text: str) -> Any:
    (found,) = Calendar.from_ical(text).walk("VEVENT")
    return found


def read(booking: Booking) -> Booking:
    return Booking.objects.with_session().get(pk=booking.pk)


@pytest.mark.parametrize(
    "day", [dt.date(2027, 3, 27), dt.date(2027, 3, 28), dt.date(2027, 10, 30), dt.date(2027, 10, 31)]
)
def test_s22_the_file_says_nine_in_london(day: dt.date) -> None:
    session = c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)))
    booking = read(b.ConfirmedBookingFactory.create(now=session.starts_at - dt.timedelta(days=9), session=session))
    entry = event(calendar_file.calendar_text(booking, now=NOW))
    starts = entry["DTSTART"].dt
    assert starts == dt.datetime.combine(day, dt.time(9), ZoneInfo("Europe/London"))
    assert (entry["DTEND"].dt - starts, entry["DTSTART"].params["TZID"]) == (
        dt.timedelta(minutes=165),
        "Europe/London",
    )
    assert "BEGIN:VTIMEZONE" in calendar_file.calendar_text(booking, now=NOW)


def test_a_later_file_updates_and_a_cancelled_one_removes_the_same_entry() -> None:
    booking = read(b.ConfirmedBookingFactory.create())
    first = event(calendar_file.calendar_text(booking, now=NOW))
    later = event(calendar_file.calendar_text(booking, now=NOW + dt.timedelta(days=1), is_cancelled=True))
    assert first["UID"] == later["UID"] == calendar_file.uid_of(booking.reference)
    assert later["SEQUENCE"] > first["SEQUENCE"]
    assert (first["STATUS"], later["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert calendar_file.attachment(booking, now=NOW, is_cancelled=True)["content_type"].endswith("method=CANCEL")


def test_a_classroom_course_says_where() -> None:
    session = c.ClassroomSessionFactory.create(room=c.RoomFactory.create(venue__name="Example Hall", name="Room A"))
    booking = read(b.ConfirmedBookingFactory.create(session=session))
    entry = event(calendar_file.calendar_text(booking, now=NOW))
    assert entry["LOCATION"] == "Example Hall, 1 Example Road, Maidstone, ME14 1XX, Room A"
