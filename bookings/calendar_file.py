"""The calendar file of a booking (RFC 5545). Its UID never changes, so a later file updates or removes the entry."""

import datetime as dt
import uuid
from functools import lru_cache

from icalendar import Calendar, Event, Timezone

from bookings.models import Booking
from bookings.words import course_name, where_lines
from common.clock import LONDON

CONTENT_TYPE = "text/calendar; charset=utf-8"
FILE_NAME = "course.ics"


def uid_of(booking_reference: str) -> str:
    """The entry's identity: follows from the reference alone."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"ndors-booking:{booking_reference}"))


def calendar_text(booking: Booking, *, now: dt.datetime, is_cancelled: bool = False) -> str:
    """The file as text, times in Europe/London so that 9am is 9am on both sides of a clock change.

    `booking` comes with its session (`with_session()`). A file made later has a higher sequence, as updates need.
    """
    session = booking.place.session
    calendar = Calendar()
    calendar.add("prodid", "-//Kent County Council//Driver courses//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_cancelled else "PUBLISH")
    event = Event()
    event.add("uid", uid_of(booking.reference))
    event.add("dtstamp", now)
    event.add("sequence", max(0, int((now - booking.created_at).total_seconds())))
    event.add("dtstart", session.starts_at.astimezone(LONDON))
    event.add("dtend", session.ends_at.astimezone(LONDON))
    event.add("summary", course_name(session))
    event.add("location", ", ".join(where_lines(session)))
    event.add("description", f"Your booking reference is {booking.reference}. Be ready 15 minutes before the start.")
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    calendar.add_component(event)
    begin = "BEGIN:VEVENT"
    return calendar.to_ical().decode().replace(begin, _london() + begin, 1)


@lru_cache(maxsize=1)
def _london() -> str:
    """London's clock changes, as text. Made once: it takes as long as all the rest of a confirmation."""
    return Timezone.from_tzid(LONDON.key).to_ical().decode()


def attachment(booking: Booking, *, now: dt.datetime, is_cancelled: bool = False) -> dict[str, str]:
    """The file as the outbox takes it."""
    text = calendar_text(booking, now=now, is_cancelled=is_cancelled)
    method = "CANCEL" if is_cancelled else "PUBLISH"
    return {"name": FILE_NAME, "content_type": f"{CONTENT_TYPE}; method={method}", "text": text}
