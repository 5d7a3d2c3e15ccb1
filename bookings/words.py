"""A booking in words: what pages, messages and the calendar file all say of it."""

import datetime as dt
from typing import Any

from bookings.models import Booking
from common.clock import day_words, london, london_day, moment_words, span_words, time_words
from common.money import pounds
from courses.constants import Mode
from courses.models import Session

JOINING_LINK_HOURS = 48
READY_MINUTES = 15


def course_name(session: Session) -> str:
    """The name of the course."""
    return session.course_type.name


def where_lines(session: Session) -> list[str]:
    """Where it is, line by line; a digital course has one line."""
    if session.room is None:
        return ["Online, by video call"]
    venue = session.room.venue
    lines = [line.strip() for line in venue.address.splitlines() if line.strip()]
    if venue.name not in lines:
        lines.insert(0, venue.name)
    if venue.postcode and venue.postcode not in lines:
        lines.append(venue.postcode)
    return [*lines, session.room.name]


def how_words(session: Session) -> str:
    """How it is given, in three or four words."""
    return {
        Mode.DIGITAL: "Online, by video call",
        Mode.CLASSROOM: "In a classroom",
        Mode.ON_ROAD: "In person, with driving on the road",
    }[Mode(session.mode)]


def link_is_out(session: Session, now: dt.datetime) -> bool:
    """Whether the joining link of a digital session is shown by now (DOMAIN.md §2: 48 hours before)."""
    return bool(session.joining_url) and session.starts_at - now <= dt.timedelta(hours=JOINING_LINK_HOURS)


def session_words(session: Session) -> dict[str, Any]:
    """A session in plain values."""
    day = london_day(session.starts_at)
    return {
        "course": course_name(session),
        "day": day_words(day),
        "times": span_words(session.starts_at, session.ends_at),
        "starts": moment_words(session.starts_at),
        "ready_by": time_words_before(session.starts_at, READY_MINUTES),
        "how": how_words(session),
        "where": where_lines(session),
        "is_digital": session.mode == Mode.DIGITAL,
        "is_on_road": session.mode == Mode.ON_ROAD,
        "directions": session.room.venue.directions if session.room else "",
    }


def booking_words(booking: Booking, *, now: dt.datetime) -> dict[str, Any]:
    """A booking in plain JSON values. `booking` comes with its session (`with_session()`)."""
    session = booking.place.session
    return {
        **session_words(session),
        "name": f"{booking.referral.forenames} {booking.referral.surname}".strip(),
        "reference": booking.reference,
        "fee": pounds(booking.fee_pence),
        "joining_url": session.joining_url if link_is_out(session, now) else "",
        "link_from": moment_words(session.starts_at - dt.timedelta(hours=JOINING_LINK_HOURS)),
        "email": booking.email,
        "mobile": booking.mobile,
    }


def time_words_before(moment: dt.datetime, minutes: int) -> str:
    """The London time so many minutes before: "8:45am"."""
    return time_words(london(moment - dt.timedelta(minutes=minutes)).time())
