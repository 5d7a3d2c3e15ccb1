"""What is booked, paid for and agreed to."""

from dataclasses import dataclass

from django.db.models import Case, When

from bookings.constants import LIVE
from bookings.models import Booking, Consent, Move
from common.prepared import Prepared
from payments.constants import AttemptStatus, ChargeStatus, Purpose
from payments.models import Attempt, Charge, Refund
from referrals.models import Outcome, Referral

# Of the few that a referral has, at most one is live.
_CURRENT = Prepared(
    lambda blank: (
        Booking.objects.select_related("place__session__room__venue", "policy")
        .filter(referral_id=blank("referral_id"))
        .order_by(Case(When(status__in=LIVE, then=0), default=1), "-created_at", "-pk")[:1]
    )
)


def current_booking(referral: Referral) -> Booking | None:
    """The booking a candidate's pages speak of: the live one, else the last there was. One query.

    It comes with its session and policy, and with `referral` itself, which has its course type.
    """
    found = _CURRENT.first(referral_id=referral.pk)
    if found is not None:
        found.referral = referral
        if found.place.session.course_type_id == referral.course_type_id:
            found.place.session.course_type = referral.course_type
    return found


def last_move(booking_id: int) -> Move | None:
    """The last move of a booking, whatever became of it, with both its dates and its charge."""
    moves = Move.objects.select_related(
        "charge", "from_place__session", "place__session__course_type", "place__session__room__venue"
    )
    return moves.filter(booking=booking_id).order_by("-pk").first()


def outcome_of(booking: Booking) -> Outcome | None:
    """How the course went, as the police are told: the last line for this booking."""
    lines = Outcome.objects.filter(referral_id=booking.referral_id, provider_reference=booking.reference)
    return lines.order_by("-sequence").first()


_COURSE_CHARGE = Prepared(
    lambda blank: Charge.objects.filter(booking_reference=blank("reference"), purpose=Purpose.COURSE_FEE).order_by(
        "-pk"
    )[:1]
)


def course_charge(booking: Booking) -> Charge | None:
    """The last charge for the course fee of a booking."""
    return _COURSE_CHARGE.first(reference=booking.reference)


_AT_STRIPE = Prepared(
    lambda blank: (
        Attempt.objects.filter(charge__booking_reference=blank("reference"), status=AttemptStatus.OPEN)
        .order_by("-pk")
        .values_list("charge_id", flat=True)[:1]
    )
)


def charge_at_stripe(booking: Booking) -> int | None:
    """The charge of a booking whose payment page was opened last, and may have been paid without our knowing yet."""
    return _AT_STRIPE.first(reference=booking.reference)


def is_paid(booking: Booking) -> bool:
    """Whether the course fee of a booking was paid, whatever became of the money."""
    charge = course_charge(booking)
    return charge is not None and charge.status == ChargeStatus.PAID


@dataclass(frozen=True)
class Receipt:
    """What was paid and what went back."""

    payments: list[Attempt]
    refunds: list[Refund]


def receipt_of(booking: Booking) -> Receipt:
    """The payments and refunds of a booking, oldest first. Two queries."""
    reference = booking.reference
    return Receipt(payments=_PAYMENTS.all(reference=reference), refunds=_REFUNDS.all(reference=reference))


_PAYMENTS = Prepared(
    lambda blank: (
        Attempt.objects.filter(charge__booking_reference=blank("reference"), status=AttemptStatus.PAID)
        .select_related("charge")
        .order_by("paid_at", "pk")
    )
)
_REFUNDS = Prepared(lambda blank: Refund.objects.filter(charge__booking_reference=blank("reference")).order_by("pk"))


def consents_given(booking: Booking) -> set[int]:
    """The texts that a candidate has agreed to for a booking."""
    return set(_CONSENTS.all(booking_id=booking.pk))


_CONSENTS = Prepared(
    lambda blank: Consent.objects.filter(booking_id=blank("booking_id")).values_list("text_id", flat=True)
)
