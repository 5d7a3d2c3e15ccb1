"""A payment arrived: the booking is confirmed, or, where its place is gone for good, the money goes back."""

import datetime as dt

from django.db import transaction

from audit.context import Actor
from bookings import messages, rules
from bookings.constants import BookingStatus, MoveStatus, WaitingCause
from bookings.errors import OfferEndedError
from bookings.models import Booking, LatePayment, Move
from bookings.services import late, offers, turns
from bookings.services.holding import check_offer
from bookings.services.locking import lock_booking, move
from bookings.services.needing import bring_needs_forward
from bookings.services.swapping import complete_move
from common.errors import PortalError
from common.prepared import Prepared
from courses import services as courses
from courses.errors import SessionNotOpenError
from courses.models import Place
from payments import services as payments
from payments.constants import Purpose, RefundReason
from payments.models import Charge
from referrals import services as referrals
from referrals.constants import BOOKABLE, ReferralStatus

_BOOKING = Prepared(lambda blank: Booking.objects.with_session().filter(reference=blank("reference")))


@transaction.atomic
def confirm(*, charge: Charge, by: Actor, now: dt.datetime) -> Booking:
    """Confirm the booking, or make the move, that this paid charge is for. Composed, where the payment is recorded.

    Paid in time, the held place is taken. Paid after the hold ran out, the seat is taken again if the session still
    has one; else, and once it has begun, other dates are offered for it (`late`). Where there are none, and where the
    offer or the booking has ended, the money is sent back and the candidate told. Repeated, it does nothing. The
    caller has locked session, referral and booking (`lock_for_charge`) and the charge.
    """
    booking = _BOOKING.get(reference=charge.booking_reference)
    if charge.purpose != Purpose.COURSE_FEE:
        complete_move(booking=booking, charge=charge, by=by, now=now)
        return booking
    if booking.confirmed_at is not None:
        return booking
    if booking.status == BookingStatus.LAPSED and LatePayment.objects.filter(booking=booking).exists():
        return booking  # it is being decided, or was: never a place beside a refund
    try:
        place = _place_for(booking, by=by, now=now)
    except PortalError:
        _send_back(booking, charge, by=by, now=now)
        return booking
    courses.take_place(place_id=place.pk, by=by, now=now)
    booking.place_id = place.pk
    referrals.mark_booked(referral_id=booking.referral_id, by=by, now=now)
    move(
        booking,
        BookingStatus.CONFIRMED,
        by=by,
        now=now,
        words=f"The fee was paid and the place is theirs ({booking.reference}).",
    )
    bring_needs_forward(booking, now=now)
    offers.end_waiting(booking.referral, cause=WaitingCause.BOOKED, by=by, now=now)
    messages.confirmation(booking, now=now)
    return booking


_NUMBER = Prepared(lambda blank: Booking.objects.filter(reference=blank("reference")).values_list("pk", flat=True))
_SESSIONS_OF_UNMADE_MOVES = Prepared(
    lambda blank: (
        Move.objects.filter(booking_id=blank("booking_id"), charge__isnull=False)
        .exclude(status=MoveStatus.DONE)
        .values_list("place__session_id", flat=True)
    )
)


def lock_for_charge(*, booking_reference: str) -> None:
    """Take the locks above the charge, in order; nothing where the reference is unknown.

    With them the sessions of moves not yet made: paid late, a seat there is taken again.
    """
    booking_id = _NUMBER.first(reference=booking_reference)
    if booking_id is not None:
        lock_booking(booking_id, also=_SESSIONS_OF_UNMADE_MOVES.all(booking_id=booking_id))


def _place_for(booking: Booking, *, by: Actor, now: dt.datetime) -> Place:
    """The place that the payment is for. Raises PortalError where there is none to be had."""
    session = booking.place.session
    if session.starts_at <= now:
        raise SessionNotOpenError
    if booking.status == BookingStatus.HELD and booking.referral.status in BOOKABLE:
        return booking.place  # still held, even if its time ran out a moment ago: nobody else has it
    if booking.status != BookingStatus.LAPSED or _has_live(booking):
        raise OfferEndedError
    check_offer(booking.referral, session, now=booking.created_at)  # only the news of the payment came after
    until = rules.held_until(now=now, minutes=booking.policy.hold_minutes, starts_at=session.starts_at)
    return courses.hold_place(session_id=session.pk, holder=booking.referral.key, until=until, by=by, now=now)


def _has_live(booking: Booking) -> bool:
    return Booking.objects.live().filter(referral_id=booking.referral_id).exists()


def _send_back(booking: Booking, charge: Charge, *, by: Actor, now: dt.datetime) -> None:
    """Look for other dates for what was paid with no place, else send the money back at once."""
    if booking.status == BookingStatus.HELD and booking.place.session.starts_at <= now:
        turns.give_back(place_id=booking.place_id, reason="lapsed", by=by, now=now)
        words = "The course began before the payment was heard of."
        move(booking, BookingStatus.LAPSED, by=by, now=now, words=words)
    if late.begin(booking, charge, by=by, now=now):
        return
    is_withdrawn = booking.referral.status == ReferralStatus.WITHDRAWN
    reason = RefundReason.WITHDRAWN if is_withdrawn else RefundReason.PAID_TOO_LATE
    payments.request_refund(charge_id=charge.pk, amount_pence=charge.amount_pence, reason=reason, by=by, now=now)
    late.tell_sent_back(booking, amount_pence=charge.amount_pence, is_withdrawn=is_withdrawn, now=now)
