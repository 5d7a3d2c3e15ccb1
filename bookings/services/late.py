"""Paid with no place: other dates are held for who paid, to choose one of; else the money goes back by itself.

Two steps, for a settlement has its locks already and must not lock other sessions: it only writes a `LatePayment`
(`begin`); `settle`, rung on commit and swept for, looks for dates in a transaction of its own.
"""

import datetime as dt
import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from audit import services as audit
from audit.context import Actor
from bookings import messages, rules
from bookings.constants import (
    LATE_PAYMENT_TRANSITIONS,
    UNSETTLED_LATE,
    BookingStatus,
    LatePaymentStatus,
    PlaceOfferStatus,
    WaitingCause,
)
from bookings.errors import AlreadyBookedError, OfferEndedError, PlaceOfferOverError
from bookings.models import Booking, LatePayment, PlaceOffer, Policy
from bookings.services import offers, turns
from bookings.services.lapsing import runs
from bookings.services.locking import change_status, lock_all_of, lock_referral, lock_sessions, move
from common.clock import london_day, moment_words
from common.errors import PortalError
from courses import services as courses
from courses.constants import SessionStatus
from courses.models import Session
from payments import services as payments
from payments.constants import AttemptStatus, RefundReason, RefundStatus
from payments.models import Attempt, Charge, Refund
from referrals import services as referrals
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral

logger = logging.getLogger(__name__)

_TRIES = 3


def begin(booking: Booking, charge: Charge, *, by: Actor, now: dt.datetime) -> bool:
    """Write down that a payment has no place, if other dates can be offered for it; whether they can. Composed.

    Only a hold that ran out, with an offer that can be booked with and nothing else held, may have other dates.
    """
    if booking.status != BookingStatus.LAPSED or _why_not(booking, now=now) or not _fitting(booking, now=now).exists():
        return False
    payment = LatePayment.objects.create(
        booking=booking, charge=charge, created_at=now, status_at=now, status_by=str(by)
    )
    audit.record(
        "late_payment.seeking",
        by=by,
        now=now,
        words="The payment came after the place had gone. Other dates are looked for.",
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
        data={"late_payment": payment.pk},
    )
    turns.ring_anyway()
    return True


def settle(*, by: Actor, now: dt.datetime, booking_id: int | None = None) -> dict[str, int]:
    """Take every late payment, or one booking's, a step on: hold other dates for it, or send it back. Returns counts.

    Each in its own transaction, one that fails is left for the next sweep; safe to run twice and at once.
    """
    unsettled = LatePayment.objects.filter(status__in=UNSETTLED_LATE)
    if booking_id is not None:
        unsettled = unsettled.filter(booking=booking_id)
    counts = {"late_offered": 0, "late_refunded": 0}
    for pk in list(unsettled.order_by("created_at", "pk").values_list("pk", flat=True)):
        try:
            became = _settle_one(pk, by=by, now=now)
        except Exception:  # one bad payment must not keep the others waiting
            logger.exception("late payment %s cannot be settled", pk)
            continue
        if became:
            counts[became] += 1
    return counts


def _settle_one(payment_id: int, *, by: Actor, now: dt.datetime) -> str:
    for tries_left in reversed(range(_TRIES)):
        try:
            return _step(payment_id, is_last_try=not tries_left, by=by, now=now)
        except _GoneError:
            continue
    raise AssertionError("unreachable")


class _GoneError(Exception):
    """The dates that were looked at went before they were locked."""


def _step(payment_id: int, *, is_last_try: bool, by: Actor, now: dt.datetime) -> str:
    seen = LatePayment.objects.select_related("booking__referral", "booking__place__session").get(pk=payment_id)
    with transaction.atomic(durable=True):
        if seen.status != LatePaymentStatus.SEEKING:
            return _step_offered(seen, by=by, now=now)
        policy = Policy.objects.on(london_day(now))
        dates = list(_fitting(seen.booking, now=now).values_list("pk", flat=True)[: policy.late_offer_dates])
        sessions = lock_sessions(set(dates))
        payment = _lock(seen)
        if payment.status != LatePaymentStatus.SEEKING:
            return ""
        reason = _why_not(payment.booking, now=now) or _refunded(payment)
        made = [] if reason else _hold_dates(payment, [sessions[pk] for pk in dates], policy, by=by, now=now)
        if made:
            _change(payment, LatePaymentStatus.OFFERED, by=by, now=now, words=_offered_words(made))
            messages.late_dates(payment.booking, made, amount_pence=payment.charge.amount_pence, now=now)
            return "late_offered"
        if dates and not reason and not is_last_try:
            raise _GoneError
        return "late_refunded" if _send_back(payment, by=by, now=now) else ""


def _step_offered(seen: LatePayment, *, by: Actor, now: dt.datetime) -> str:
    """Send back what was offered other dates for, once none of them is held any more or it has become pointless."""
    lock_all_of(seen.booking.referral_id)
    payment = _lock(seen)
    if payment.status != LatePaymentStatus.OFFERED:
        return ""
    is_open = PlaceOffer.objects.open().filter(payment=payment).exists()
    if is_open and not _why_not(payment.booking, now=now) and not _refunded(payment):
        return ""
    _close_dates(payment, PlaceOfferStatus.ENDED, by=by, now=now)
    return "late_refunded" if _send_back(payment, by=by, now=now) else ""


@transaction.atomic(durable=True)
def choose(*, offer_id: int, by: Actor, now: dt.datetime) -> Booking:
    """Take one of the dates offered for a payment that came too late: booked with the money already paid.

    The other dates are given back. Locks sessions, referral, booking. Chosen again it returns the booking. Raises
    PlaceOfferOverError, OfferEndedError, AlreadyBookedError; after each nothing has changed.
    """
    seen = PlaceOffer.objects.select_related("payment").filter(pk=offer_id, payment__isnull=False).first()
    if seen is None or seen.payment is None:
        raise PlaceOfferOverError
    lock_all_of(seen.referral_id)
    payment = _lock(seen.payment)
    booking = payment.booking
    offer = PlaceOffer.objects.with_session().get(pk=offer_id)
    if offer.status == PlaceOfferStatus.ACCEPTED:
        return booking
    is_over = offer.status != PlaceOfferStatus.OPEN or not runs(offer.place, now)
    if is_over or payment.status != LatePaymentStatus.OFFERED or _refunded(payment):
        raise PlaceOfferOverError
    if booking.referral.status not in BOOKABLE:
        raise OfferEndedError
    if _has_live(booking):
        raise AlreadyBookedError
    session = offer.place.session
    if session.status != SessionStatus.OPEN or not rules.ends_in_time(session.ends_at, booking.referral.complete_by):
        raise PlaceOfferOverError
    courses.take_place(place_id=offer.place_id, by=by, now=now)
    booking.place = offer.place
    referrals.mark_booked(referral_id=booking.referral_id, by=by, now=now)
    words = f"Another date was chosen for the fee that was paid: {moment_words(session.starts_at)}."
    move(booking, BookingStatus.CONFIRMED, by=by, now=now, words=words)
    offers.close(offer, PlaceOfferStatus.ACCEPTED, by=by, now=now)
    _close_dates(payment, PlaceOfferStatus.ENDED, by=by, now=now)
    _change(payment, LatePaymentStatus.PLACED, by=by, now=now, words=words)
    offers.end_waiting(booking.referral, cause=WaitingCause.BOOKED, by=by, now=now)
    messages.confirmation(booking, now=now)
    return booking


@transaction.atomic(durable=True)
def decline(*, booking_id: int, by: Actor, now: dt.datetime) -> bool:
    """Have the money back instead of another date; whether there was anything to send back. May be repeated."""
    seen = LatePayment.objects.select_related("booking").filter(booking=booking_id).first()
    if seen is None:
        raise PlaceOfferOverError
    lock_all_of(seen.booking.referral_id)
    payment = _lock(seen)
    if payment.status not in UNSETTLED_LATE:
        return False
    _close_dates(payment, PlaceOfferStatus.DECLINED, by=by, now=now)
    _send_back(payment, by=by, now=now)
    return True


def end(referral: Referral, *, by: Actor, now: dt.datetime) -> None:
    """The offer ended under a late payment: it goes back, with the dates held for it. Composed.

    The referral is locked with all its sessions.
    """
    seen = LatePayment.objects.filter(booking__referral=referral, status__in=UNSETTLED_LATE)
    for payment in seen.select_related("booking").order_by("pk"):
        locked = _lock(payment)
        _close_dates(locked, PlaceOfferStatus.ENDED, by=by, now=now)
        _send_back(locked, by=by, now=now)


def _why_not(booking: Booking, *, now: dt.datetime) -> str:
    """Why other dates cannot be offered for a payment of this booking; empty where they can."""
    if booking.referral.status not in BOOKABLE or london_day(now) > booking.referral.book_by:
        return "the offer has ended"
    return "something else is booked" if _has_live(booking) else ""


def _has_live(booking: Booking) -> bool:
    return Booking.objects.live().filter(referral=booking.referral_id).exists()


def _fitting(booking: Booking, *, now: dt.datetime) -> QuerySet[Session]:
    """The next dates like the one that was paid for, with a place that nobody waits for.

    Of the same mode: the fee is that mode's, and what was agreed to speaks of it.
    """
    return turns.free_sessions(booking.referral, now=now).filter(mode=booking.place.session.mode)


def _lock(seen: LatePayment) -> LatePayment:
    """Lock the referral, then the booking of a late payment, and read it as it is now, with both."""
    referral = lock_referral(seen.booking.referral_id)
    rows = Booking.objects.select_for_update(no_key=True, of=("self",))
    booking = rows.select_related("place__session", "policy").get(pk=seen.booking_id)
    payment = LatePayment.objects.select_related("charge").get(pk=seen.pk)
    booking.referral, payment.booking = referral, booking
    return payment


def _hold_dates(
    payment: LatePayment, sessions: Iterable[Session], policy: Policy, *, by: Actor, now: dt.datetime
) -> list[PlaceOffer]:
    """Hold a place on each of these locked sessions that still has one."""
    referral = payment.booking.referral
    made = []
    for session in sessions:
        until = rules.late_offer_until(
            now=now,
            hours=policy.late_offer_hours,
            starts_at=session.starts_at,
            closes_minutes=policy.closes_minutes,
            book_by=referral.book_by,
        )
        try:
            turns.check(session, referral=referral, now=now)
            place = courses.hold_place(session_id=session.pk, holder=referral.key, until=until, by=by, now=now)
        except PortalError:
            continue
        place.session = session
        made.append(
            PlaceOffer.objects.create(
                referral=referral,
                place=place,
                payment=payment,
                offered_at=now,
                until=until,
                status_at=now,
                status_by=str(by),
            )
        )
    return made


def _close_dates(payment: LatePayment, to: PlaceOfferStatus, *, by: Actor, now: dt.datetime) -> None:
    for offer in PlaceOffer.objects.open().with_session().filter(payment=payment).order_by("pk"):
        offers.close(offer, to, by=by, now=now)


def _refunded(payment: LatePayment) -> str:
    """Says so where staff have sent money back already: it is never both, money and place."""
    return "staff have refunded it" if _to_refund(payment) < payment.charge.amount_pence else ""


def _payment_made(payment: LatePayment) -> Attempt:
    """The payment that settled the charge; one made twice goes back by itself and is another."""
    return Attempt.objects.get(charge=payment.charge_id, status=AttemptStatus.PAID, is_extra=False)


def _to_refund(payment: LatePayment) -> int:
    made = _payment_made(payment)
    return made.paid_pence - made.refunded_pence


def _send_back(payment: LatePayment, *, by: Actor, now: dt.datetime) -> bool:
    """Send a locked late payment back, all of it that has not gone back yet; whether that could be done now.

    While a refund that staff asked for waits for a second person, the sweep comes again until it is decided.
    """
    if Refund.objects.filter(charge=payment.charge_id, status=RefundStatus.WAITING).exists():
        return False
    amount = _to_refund(payment)
    _change(payment, LatePaymentStatus.REFUNDED, by=by, now=now, words="No other date was taken: the fee goes back.")
    if amount:
        is_withdrawn = payment.booking.referral.status == ReferralStatus.WITHDRAWN
        payments.request_refund(
            charge_id=payment.charge_id,
            attempt_id=_payment_made(payment).pk,
            amount_pence=amount,
            reason=RefundReason.WITHDRAWN if is_withdrawn else RefundReason.PAID_TOO_LATE,
            by=by,
            now=now,
        )
        tell_sent_back(payment.booking, amount_pence=amount, is_withdrawn=is_withdrawn, now=now)
    return True


def tell_sent_back(booking: Booking, *, amount_pence: int, is_withdrawn: bool, now: dt.datetime) -> None:
    """Tell a candidate that the payment came too late and goes back. Composed."""
    can_book_again = booking.referral.status in BOOKABLE and london_day(now) <= booking.referral.book_by
    messages.paid_too_late(
        booking,
        refund_pence=amount_pence,
        can_book_again=can_book_again,
        is_withdrawn=is_withdrawn,
        now=now,
    )


def _offered_words(made: list[PlaceOffer]) -> str:
    days = ", ".join(moment_words(offer.place.session.starts_at) for offer in made)
    return f"Other dates are held for who paid: {days}."


def _change(payment: LatePayment, to: LatePaymentStatus, *, by: Actor, now: dt.datetime, words: str) -> None:
    change_status(
        payment,
        to,
        transitions=LATE_PAYMENT_TRANSITIONS,
        action=f"late_payment.{to.lower()}",
        referral=payment.booking.referral,
        subject=f"booking:{payment.booking.reference}",
        by=by,
        now=now,
        words=words,
    )
