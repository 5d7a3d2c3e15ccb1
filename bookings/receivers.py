"""What bookings do when the apps below announce something. All run inside the sender's transaction."""

import datetime as dt
from typing import Any

from audit.context import Actor
from bookings import messages, services
from bookings.constants import BookingStatus
from bookings.models import Booking
from courses.models import Session
from payments.constants import Purpose
from payments.models import Attempt, Charge, Refund
from referrals.models import Referral


def on_charge_locking(*, booking_reference: str, **_: Any) -> None:
    """Take our locks before the charge's."""
    services.lock_for_charge(booking_reference=booking_reference)


def on_charge_settled(*, charge: Charge, by: Actor, now: dt.datetime, **_: Any) -> None:
    """Confirm what was paid for, or have the money sent back."""
    services.confirm(charge=charge, by=by, now=now)


def on_charge_refunded(*, charge: Charge, refund: Refund, now: dt.datetime, **_: Any) -> None:
    """Tell the candidate that their money is on its way, unless the letter about what they paid too late told it."""
    if messages.was_told_paid_too_late(charge.booking_reference):
        return
    messages.payment_refunded(
        booking_reference=charge.booking_reference, refund_id=refund.pk, amount_pence=refund.amount_pence, now=now
    )


def on_refund_rejected(*, charge: Charge, refund: Refund, now: dt.datetime, **_: Any) -> None:
    """Tell a candidate who was told that we check their refund how that ended; others were promised no answer."""
    if messages.was_told_refund_is_checked(charge.booking_reference):
        messages.refund_refused(
            booking_reference=charge.booking_reference, refund_id=refund.pk, amount_pence=refund.amount_pence, now=now
        )


def on_payment_failed(*, charge: Charge, attempt: Attempt, now: dt.datetime, **_: Any) -> None:
    """Tell the candidate to pay again, while their place is held; a move's old date stays theirs in any case."""
    held = Booking.objects.with_session().filter(status=BookingStatus.HELD, place__held_until__gt=now)
    booking = held.filter(reference=charge.booking_reference).first()
    if booking is not None and charge.purpose == Purpose.COURSE_FEE:
        messages.payment_failed(booking, attempt_id=attempt.pk, amount_pence=charge.amount_pence, now=now)


def on_referral_locking(*, referral_id: int, **_: Any) -> None:
    """Take the session's lock before the referral's."""
    services.lock_for_referral(referral_id=referral_id)


def on_referral_ended(*, referral: Referral, kind: str, reason: str, by: Actor, now: dt.datetime, **_: Any) -> None:
    """Give back the place and decide about the money."""
    services.end_with_referral(referral=referral, kind=kind, reason=reason, by=by, now=now)


def on_session_changed(*, session: Session, kind: str, by: Actor, now: dt.datetime, **_: Any) -> None:
    """Tell everybody on the session, or let them go with their money."""
    if kind == "cancelled":
        services.end_with_session(session=session, by=by, now=now)
    elif kind == "link":
        services.tell_new_link(session=session, now=now)
    else:
        services.follow_session(session=session, by=by, now=now)
