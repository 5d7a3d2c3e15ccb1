"""What candidates are told about their booking: one function per kind, each called inside the change it tells of."""

import datetime as dt

from django.conf import settings

from bookings import calendar_file
from bookings.models import Booking
from bookings.words import booking_words
from common.money import pounds
from notifications import services as notifications

MANAGE_PATH = "/booking/"
REMINDERS = ("reminder_7d", "reminder_48h", "reminder_2h")


def confirmation(booking: Booking, *, now: dt.datetime) -> None:
    """The place is theirs; with the calendar file, and the joining link where it is out already."""
    _tell(booking, "confirmation", f"confirmation:{booking.reference}", now=now, calendar=True)


def hold_lapsed(booking: Booking, *, now: dt.datetime) -> None:
    """The hold ran out before payment; told only to who gave an address for this booking."""
    _tell(
        booking,
        "hold_lapsed",
        f"hold_lapsed:{booking.reference}",
        now=now,
        to=booking.email,
        useless_at=now + dt.timedelta(days=2),
    )


def cancelled(booking: Booking, *, refund_pence: int, by_kcc: bool, now: dt.datetime) -> None:
    """The booking is cancelled, by whom, and what comes back; takes the course out of the calendar."""
    _tell(
        booking,
        "cancelled",
        f"cancelled:{booking.reference}",
        now=now,
        calendar=True,
        is_cancelled=True,
        extra={"refund": pounds(refund_pence) if refund_pence else "", "by_kcc": by_kcc},
    )


def withdrawn(booking: Booking, *, refund_pence: int, was_confirmed: bool, now: dt.datetime) -> None:
    """The police have withdrawn the offer; the place is given back."""
    _tell(
        booking,
        "withdrawn",
        f"withdrawn:{booking.reference}",
        now=now,
        calendar=was_confirmed,
        is_cancelled=True,
        extra={"refund": pounds(refund_pence) if refund_pence else "", "was_confirmed": was_confirmed},
    )


def paid_too_late(booking: Booking, *, refund_pence: int, can_book_again: bool, now: dt.datetime) -> None:
    """The payment came when there was no place to be had for it any more; all of it goes back."""
    _tell(
        booking,
        "paid_too_late",
        f"paid_too_late:{booking.reference}",
        now=now,
        extra={"refund": pounds(refund_pence), "can_book_again": can_book_again},
    )


def session_changed(booking: Booking, *, now: dt.datetime) -> None:
    """Time, room or link of the session changed; updates the calendar entry."""
    starts_at = booking.place.session.starts_at
    _tell(
        booking,
        "session_changed",
        f"session_changed:{booking.reference}:{now.isoformat()}",
        now=now,
        calendar=True,
        useless_at=starts_at,
    )


def reminder(booking: Booking, kind: str, *, now: dt.datetime, useless_at: dt.datetime) -> None:
    """One of `REMINDERS`, once for each time the session starts at."""
    _tell(booking, kind, reminder_key(booking, kind), now=now, useless_at=useless_at)


def reminder_key(booking: Booking, kind: str) -> str:
    """A session that is moved earns its reminders anew."""
    return f"{kind}:{booking.reference}:{booking.place.session.starts_at.timestamp():.0f}"


def withdraw_reminders(booking: Booking, *, now: dt.datetime) -> None:
    """Take back reminders of a course that is no longer booked."""
    notifications.withdraw(dedupe_keys=[reminder_key(booking, kind) for kind in REMINDERS], now=now)


def _tell(
    booking: Booking,
    kind: str,
    dedupe_key: str,
    *,
    now: dt.datetime,
    to: str | None = None,
    calendar: bool = False,
    is_cancelled: bool = False,
    useless_at: dt.datetime | None = None,
    extra: dict[str, object] | None = None,
) -> None:
    notifications.enqueue(
        kind,
        to=(booking.email or booking.referral.email) if to is None else to,
        dedupe_key=dedupe_key,
        now=now,
        referral_key=booking.referral.key,
        context={
            **booking_words(booking, now=now),
            "manage_url": f"{settings.SITE_URL}{MANAGE_PATH}",
            **(extra or {}),
        },
        useless_at=useless_at,
        attachments=[calendar_file.attachment(booking, now=now, is_cancelled=is_cancelled)] if calendar else (),
    )
