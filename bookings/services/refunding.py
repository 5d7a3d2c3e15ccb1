"""What the policy gives back of a booking that has ended, for finance who are asked for it by hand."""

from bookings import rules
from bookings.constants import BookingStatus, CancelCause
from bookings.models import Booking
from payments.constants import Purpose
from payments.models import Charge


def policy_refund_pence(charge: Charge) -> int:
    """What the policy gives back of a charge as things stand: what KCC cancelled, or the candidate in time.

    Nothing while the booking lives, for it must be cancelled first; and nothing of a withdrawal's or of another fee:
    those went back by themselves, or a second person says why they should.
    """
    if charge.purpose != Purpose.COURSE_FEE:
        return 0
    booking = Booking.objects.with_session().filter(reference=charge.booking_reference).first()
    if booking is None or booking.status != BookingStatus.CANCELLED or booking.confirmed_at is None:
        return 0
    in_time = booking.cancel_cause == CancelCause.CANDIDATE and rules.may_cancel_for_refund(
        confirmed_at=booking.confirmed_at,
        starts_at=booking.place.session.starts_at,
        now=booking.status_at,
        cancel_days=booking.policy.cancel_days,
        notice_days=booking.policy.cancel_notice_days,
    )
    percent = 100 if in_time else 0
    if booking.cancel_cause == CancelCause.KCC:
        percent = booking.policy.kcc_cancelled_refund_percent
    return max(charge.paid_pence * percent // 100 - charge.refunded_pence, 0)
