"""After the course: the outcome of a booking."""

import datetime as dt

from django.db import transaction

from audit.context import Actor
from bookings import messages
from bookings.constants import BookingStatus, WaitingCause
from bookings.models import Booking
from bookings.services import offers
from bookings.services.locking import lock_booking, move
from common.clock import london_day
from payments import services as payments
from referrals import services as referrals
from referrals.constants import OutcomeCode


@transaction.atomic
def record_outcome(
    *,
    booking_id: int,
    is_completed: bool,
    reason: str,
    by: Actor,
    now: dt.datetime,
    attended_on: dt.date | None = None,
) -> Booking:
    """Record how the course went for a booking, for the force and the ledger. Composed (rosters' register).

    `reason` is a mark of the register ("DID_NOT_ATTEND"), empty where it was completed; `attended_on` defaults to the
    session's London day. The same outcome again does nothing; the other one is a correction and makes a new line for
    the force. Locks session, referral, booking. Raises BookingStateError.
    """
    booking = lock_booking(booking_id)
    to = BookingStatus.COMPLETED if is_completed else BookingStatus.NOT_COMPLETED
    if booking.status == to:
        return booking
    session = booking.place.session
    move(
        booking,
        to,
        by=by,
        now=now,
        words="The course was completed." if is_completed else "The course was not completed.",
        reason=reason,
    )
    referrals.record_outcome(
        referral_id=booking.referral_id,
        outcome=OutcomeCode.COMPLETED if is_completed else OutcomeCode.NOT_COMPLETED,
        reason="" if is_completed else reason,
        attended_on=(attended_on or london_day(session.starts_at)) if is_completed else None,
        provider_reference=booking.reference,
        by=by,
        now=now,
    )
    offers.end_waiting(booking.referral, cause=WaitingCause.BOOKED, by=by, now=now)
    messages.outcome(booking, is_completed=is_completed, reason=reason, now=now)
    ended_at = session.ends_at
    if is_completed:
        payments.record_completion(booking_reference=booking.reference, completed_at=ended_at, by=by, now=now)
    else:
        payments.reverse_completion(booking_reference=booking.reference, reason=reason, by=by, now=now)
        payments.record_forfeiture(booking_reference=booking.reference, missed_at=ended_at, by=by, now=now)
    return booking
