"""Locks in the house's order (session, referral, booking, charge), and the one place that changes a status."""

import datetime as dt
from typing import Any

from audit import services as audit
from audit.context import Actor
from bookings.constants import BOOKING_TRANSITIONS, BookingStatus, CancelCause
from bookings.errors import BookingNotFoundError, BookingStateError
from bookings.models import Booking
from courses.models import Session
from referrals.models import Referral


def lock_sessions(session_ids: set[int]) -> dict[int, Session]:
    """Lock sessions, the lower number first; they come with their course and room."""
    rows = Session.objects.select_for_update(no_key=True, of=("self",)).with_room()
    return {session.pk: session for session in rows.filter(pk__in=session_ids).order_by("pk")}


def lock_referral(referral_id: int) -> Referral:
    """Lock a referral; its sessions are locked already."""
    return Referral.objects.select_for_update(no_key=True).get(pk=referral_id)


def lock_booking(booking_id: int) -> Booking:
    """Lock a booking and everything above it in the order, and return it as it is now, with all of that.

    Raises BookingNotFoundError; BookingStateError where it changed its session between the look and the lock (the
    caller's request is then out of date).
    """
    where = Booking.objects.filter(pk=booking_id).values_list("place__session_id", "referral_id").first()
    if where is None:
        raise BookingNotFoundError
    session_id, referral_id = where
    session = lock_sessions({session_id})[session_id]
    referral = lock_referral(referral_id)
    locked = Booking.objects.select_for_update(no_key=True, of=("self",)).select_related("place", "policy")
    booking = locked.get(pk=booking_id)
    if booking.place.session_id != session_id:
        raise BookingStateError
    booking.place.session, booking.referral = session, referral
    return booking


def move(
    booking: Booking,
    to: BookingStatus,
    *,
    by: Actor,
    now: dt.datetime,
    words: str,
    reason: str = "",
    cause: CancelCause | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Change a booking's status: it alone does. The booking is locked. Raises BookingStateError."""
    if to not in BOOKING_TRANSITIONS[booking.status]:
        raise BookingStateError
    before = booking.status
    booking.status, booking.status_at, booking.status_by = to, now, str(by)
    if cause:
        booking.cancel_cause = cause
    if to == BookingStatus.CONFIRMED:
        booking.confirmed_at = now
    booking.save(update_fields=["status", "status_at", "status_by", "cancel_cause", "confirmed_at", "place"])
    audit.record(
        f"booking.{to.lower()}",
        by=by,
        now=now,
        words=words,
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
        reason=reason,
        data={"before": before, **(data or {})},
    )
