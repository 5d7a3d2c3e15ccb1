"""A booking in words: what pages, messages and the calendar file all say of it."""

import datetime as dt
from typing import Any

from bookings.constants import NeedKind, NeedStatus
from bookings.models import Booking, Need
from common.clock import day_words, london, london_day, moment_words, span_words, time_words
from common.money import pounds
from courses.constants import Mode
from courses.models import Session
from referrals.models import Referral

MODE_HOW = {
    Mode.DIGITAL: "Online, by video call",
    Mode.CLASSROOM: "In a classroom",
    Mode.ON_ROAD: "In person, with driving on the road",
}
JOINING_LINK_HOURS = 48
READY_MINUTES = 15
_WHY = {
    "DID_NOT_ATTEND": "you did not come",
    "LATE": "you came too late",
    "NO_VALID_ID": "you had no valid photo document with you",
    "LEFT_EARLY": "you left before the end",
    "DISRUPTIVE": "you did not take part as you must",
    "TECHNICAL": "the connection did not work",
    "UNFIT_SURROUNDINGS": "you were not alone in a quiet, safe place",
    "UNPAID": "it was not paid for",
    "UNSAFE_DRIVE": "your driving was not safe",
    "IMPERSONATION": "somebody else came in your place",
}


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
    return MODE_HOW[Mode(session.mode)]


def places_words(session: Session) -> str:
    """How many are left, as "3 places left"."""
    left = session.capacity - session.places_claimed
    return "1 place left" if left == 1 else f"{left} places left"


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


def need_words(need: Need) -> str:
    """What the candidate needs, in a few words to them, and that it is arranged once it is."""
    words = (
        f"{need.get_kind_display()} ({need.detail})"
        if need.kind == NeedKind.INTERPRETER
        else (need.detail if need.kind == NeedKind.OTHER and need.detail else need.get_kind_display())
    )
    return f"{words}: arranged" if need.status == NeedStatus.ARRANGED else words


def offer_words(referral: Referral) -> dict[str, Any]:
    """An offer in plain JSON values. `referral` comes with its force and course type."""
    return {
        "name": f"{referral.forenames} {referral.surname}".strip(),
        "course": referral.course_type.name,
        "force": referral.force.full_name,
        "book_by": day_words(min(referral.book_by, referral.complete_by)),
        "complete_by": day_words(referral.complete_by),
    }


def no_booking_words() -> dict[str, Any]:
    """The values of `booking_words`, all of them empty: for a message that may be about a booking or about none."""
    flags = {"is_digital": False, "is_on_road": False}
    names = (
        "course", "day", "times", "starts", "ready_by", "how", "directions", "name", "reference", "fee", "joining_url",
        "link_from", "email", "mobile",
    )  # fmt: skip
    return {**dict.fromkeys(names, ""), **flags, "where": []}


def why_words(mark: str) -> str:
    """Why a course was not completed, as a part of a sentence to the candidate; `mark` is the register's."""
    return _WHY.get(mark, "ring us and we tell you why")


def time_words_before(moment: dt.datetime, minutes: int) -> str:
    """The London time so many minutes before: "8:45am"."""
    return time_words(london(moment - dt.timedelta(minutes=minutes)).time())
