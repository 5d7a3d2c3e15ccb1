"""What candidates say of their course."""

import datetime as dt

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from bookings.constants import BookingStatus
from bookings.errors import BookingStateError, FeedbackGivenError
from bookings.models import Feedback
from bookings.services.locking import lock_booking

AFTER_COURSE = (BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)


@transaction.atomic(durable=True)
def give_feedback(*, booking_id: int, rating: int, words: str, by: Actor, now: dt.datetime) -> Feedback:
    """Record what a candidate says of the course of a booking, once. Locks session, referral, booking.

    Raises BookingStateError before there is an outcome, FeedbackGivenError the second time.
    """
    booking = lock_booking(booking_id)
    if booking.status not in AFTER_COURSE:
        raise BookingStateError
    if Feedback.objects.filter(booking=booking).exists():
        raise FeedbackGivenError
    feedback = Feedback.objects.create(booking=booking, rating=rating, words=words.strip(), given_at=now)
    audit.record(
        "feedback.given",
        by=by,
        now=now,
        words="The candidate said how the course was.",
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
    )
    return feedback
