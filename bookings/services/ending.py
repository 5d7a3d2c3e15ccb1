"""The ends of a booking before its course: cancelled by the candidate or by staff, by KCC, or through the police."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from audit.context import Actor, because
from bookings import messages, rules, waiting_messages
from bookings.constants import (
    BookingStatus,
    CancelCause,
    Evidence,
    MoveStatus,
    PlaceOfferStatus,
    WaitingCause,
)
from bookings.errors import (
    BookingStateError,
    CandidatesStrandedError,
    DateChangedError,
    RefundChangedError,
    TooLateToCancelError,
)
from bookings.models import Booking, Move, PlaceOffer
from bookings.services import late, offers, turns
from bookings.services.locking import lock_all_of, lock_booking, move
from bookings.services.swapping import end_move
from common.labels import mid_sentence
from common.money import pounds
from courses.errors import ReasonNeededError
from courses.models import Session
from payments import services as payments
from payments.constants import AttemptStatus, Purpose, RefundReason, RefundStatus
from payments.models import Attempt
from payments.models import Refund as PaidBack
from referrals import services as referrals
from referrals.models import Referral


@dataclass(frozen=True)
class Refund:
    """What goes back, and why; `is_waiting` where a second person must agree first."""

    pence: int
    reason: RefundReason
    is_waiting: bool = False


NOTHING = Refund(0, RefundReason.GOODWILL)


@transaction.atomic(durable=True)
def cancel(
    *,
    booking_id: int,
    by: Actor,
    now: dt.datetime,
    cause: CancelCause = CancelCause.CANDIDATE,
    reason: str = "",
    evidence: str = "",
    shown: tuple[int, int] | None = None,
) -> Refund:
    """Cancel a booking before its course and return what goes back.

    For the candidate the policy decides what that is; for KCC it is all of it; staff may give all of it back for one
    of `Evidence`, whose kind alone is recorded. With evidence, and above the limit of the day where KCC cancels, the
    booking ends and its refund waits for a second person. Locks session, referral, booking, charge.

    `shown` is the place and the refund in pence that a page spoke of. Raises RefundChangedError where they are others
    by now, DateChangedError where only the place is, TooLateToCancelError, BookingStateError, ReasonNeededError (KCC,
    or evidence, without a reason).
    """
    if (cause == CancelCause.KCC or evidence) and not reason.strip():
        raise ReasonNeededError
    if evidence and evidence not in Evidence.values:
        raise BookingStateError
    with because(reason):
        booking = lock_booking(booking_id)
        if booking.status == BookingStatus.CONFIRMED and booking.place.session.starts_at <= now:
            raise TooLateToCancelError
        refund = refund_on_cancel(booking, cause=cause, evidence=evidence, now=now)
        if shown is not None and shown != (booking.place_id, refund.pence):
            raise DateChangedError if shown[1] == refund.pence else RefundChangedError
        was_confirmed = booking.status == BookingStatus.CONFIRMED
        is_by_hand = bool(evidence) or cause == CancelCause.KCC
        refund = _end(
            booking, refund, cause=cause, by=by, now=now, reason=reason, evidence=evidence, is_by_hand=is_by_hand
        )
        if was_confirmed:
            referrals.mark_unbooked(referral_id=booking.referral_id, by=by, now=now)
            messages.cancelled(
                booking,
                refund_pence=refund.pence,
                is_waiting=refund.is_waiting,
                by_kcc=cause == CancelCause.KCC,
                now=now,
            )
    return refund


def refund_on_cancel(booking: Booking, *, cause: CancelCause, now: dt.datetime, evidence: str = "") -> Refund:
    """What would come back if the booking were cancelled now: the page shows it before it is done."""
    if booking.confirmed_at is None:
        return NOTHING
    if evidence:
        return _refund(paid_pence(booking), RefundReason.GOODWILL)
    if cause == CancelCause.KCC:
        percent = booking.policy.kcc_cancelled_refund_percent
        return _refund(paid_pence(booking) * percent // 100, RefundReason.KCC_CANCELLED)
    in_time = rules.may_cancel_for_refund(
        confirmed_at=booking.confirmed_at,
        starts_at=booking.place.session.starts_at,
        now=now,
        cancel_days=booking.policy.cancel_days,
        notice_days=booking.policy.cancel_notice_days,
    )
    course_fee = paid_pence(booking, purpose=Purpose.COURSE_FEE)  # a move that was made is not undone
    return _refund(course_fee, RefundReason.CANCELLED_IN_TIME) if in_time else NOTHING


def paid_pence(booking: Booking, *, purpose: str = "") -> int:
    """What was paid for the booking, moves included, or for one purpose, and has not been sent back."""
    return sum(_left(payment) for payment in _paid(booking) if not purpose or payment.charge.purpose == purpose)


def _refund(pence: int, reason: RefundReason) -> Refund:
    return Refund(pence, reason) if pence else NOTHING


@transaction.atomic
def end_with_referral(*, referral: Referral, kind: str, reason: str, by: Actor, now: dt.datetime) -> None:
    """End what is booked when its offer was withdrawn or has expired. Composed; the referral is locked.

    A course that has begun stays as it is when an offer expires: its register still tells how it went.
    """
    is_expired = kind == "expired"
    offers.end_waiting(referral, cause=WaitingCause.EXPIRED if is_expired else WaitingCause.POLICE, by=by, now=now)
    late.end(referral, by=by, now=now)
    offers.close_all(referral, to=PlaceOfferStatus.ENDED, by=by, now=now)
    booking = Booking.objects.live().filter(referral=referral).first()
    if booking is None:
        if kind != "expired":
            messages.offer_withdrawn(referral, now=now)
        return
    booking = lock_booking(booking.pk)
    was_confirmed = booking.status == BookingStatus.CONFIRMED
    if kind == "expired" and was_confirmed and booking.place.session.starts_at <= now:
        return
    refund = NOTHING
    if kind != "expired" and rules.refunded_on_withdrawal(
        reason=reason,
        starts_at=booking.place.session.starts_at,
        now=now,
        notice_days=booking.policy.withdrawn_notice_days,
    ):
        refund = Refund(paid_pence(booking), RefundReason.WITHDRAWN)
    cause = CancelCause.EXPIRED if kind == "expired" else CancelCause.POLICE
    _end(booking, refund, cause=cause, by=by, now=now, reason=reason)
    if kind != "expired":
        messages.withdrawn(booking, refund_pence=refund.pence, was_confirmed=was_confirmed, now=now)


def lock_for_referral(*, referral_id: int) -> None:
    """Lock the sessions on which a referral has anything, then the referral. Composed. Raises BookingStateError."""
    lock_all_of(referral_id)


@transaction.atomic
def end_with_session(*, session: Session, by: Actor, now: dt.datetime) -> int:
    """KCC cancelled a session: end every booking on it, with the whole fee back. Composed; the session is locked."""
    reason = session.cancel_reason
    bookings = _live_on(session, by=by, now=now)
    for offer in PlaceOffer.objects.open().with_session().filter(place__session=session).order_by("pk"):
        offers.close(offer, PlaceOfferStatus.ENDED, by=by, now=now)
        if offer.entry:
            waiting_messages.passed(offer, now=now)
    for booking in bookings:
        was_confirmed = booking.status == BookingStatus.CONFIRMED
        refund = refund_on_cancel(booking, cause=CancelCause.KCC, now=now)
        _end(booking, refund, cause=CancelCause.KCC, by=by, now=now, reason=reason)
        if was_confirmed:
            referrals.mark_unbooked(referral_id=booking.referral_id, by=by, now=now)
        messages.cancelled(booking, refund_pence=refund.pence, by_kcc=True, now=now)
    return len(bookings)


@transaction.atomic
def follow_session(*, session: Session, by: Actor, now: dt.datetime) -> int:
    """A session has another time, room or link: tell everybody on it. Composed; the session is locked.

    Raises CandidatesStrandedError where somebody would then be past their complete by.
    """
    bookings = _live_on(session, by=by, now=now)
    if not all(rules.ends_in_time(session.ends_at, booking.referral.complete_by) for booking in bookings):
        raise CandidatesStrandedError
    confirmed = [booking for booking in bookings if booking.status == BookingStatus.CONFIRMED]
    for booking in confirmed:
        messages.session_changed(booking, now=now)
    return len(confirmed)


def _live_on(session: Session, *, by: Actor, now: dt.datetime) -> list[Booking]:
    """Lock the referrals of everybody on a locked session, or offered it; then the bookings, which are returned.

    Who is only about to move there chose a session that is no longer what it was: their move ends, their date stays.
    """
    to_it = Move.objects.filter(place__session=session, status=MoveStatus.HELD)
    live = Booking.objects.live().filter(Q(place__session=session) | Exists(to_it.filter(booking=OuterRef("pk"))))
    offered = PlaceOffer.objects.open().filter(place__session=session)
    referral_ids = {*live.values_list("referral_id", flat=True), *offered.values_list("referral_id", flat=True)}
    list(Referral.objects.select_for_update(no_key=True).filter(pk__in=referral_ids).order_by("pk"))
    locked = list(live.select_for_update(no_key=True, of=("self",)).with_session().order_by("pk"))
    on_it = [booking for booking in locked if booking.place.session_id == session.pk]
    for booking in locked:
        if booking not in on_it:
            end_move(booking, by=by, now=now, words="The new date was changed or cancelled. Their present date stays.")
            payments.give_up_charge(booking_reference=booking.reference, by=by, now=now)
    return on_it


def _end(
    booking: Booking,
    refund: Refund,
    *,
    cause: CancelCause,
    by: Actor,
    now: dt.datetime,
    reason: str = "",
    evidence: str = "",
    is_by_hand: bool = False,
) -> Refund:
    """Cancel a locked booking, give back its place, give up what is unpaid, send back what is refunded.

    What is kept of a paid course fee is earned. Returns the refund as it was asked for: what is decided `is_by_hand`
    may wait for a second person.
    """
    refund = _send_back(booking, refund, by=by, now=now, reason=reason, evidence=evidence, is_by_hand=is_by_hand)
    words = f"The booking was {mid_sentence(cause.label)}."
    if cause == CancelCause.EXPIRED:
        words = "The booking was cancelled: complete by has passed."
    elif cause == CancelCause.POLICE:
        words = "The booking was cancelled: the police withdrew the offer."
    if refund.pence:
        words += f" {pounds(refund.pence)} goes back{' once a second person has agreed' if refund.is_waiting else ''}."
    move(
        booking,
        BookingStatus.CANCELLED,
        by=by,
        now=now,
        words=words,
        reason=reason,
        cause=cause,
        data={"refund_pence": refund.pence, **({"evidence": evidence} if evidence else {})},
    )
    turns.give_back(place_id=booking.place_id, reason=cause.lower(), by=by, now=now)
    end_move(booking, by=by, now=now, words="The move ended with the booking.")
    payments.give_up_charge(booking_reference=booking.reference, by=by, now=now)
    messages.withdraw_reminders(booking, now=now)
    payments.record_forfeiture(booking_reference=booking.reference, by=by, now=now)
    return refund


def _send_back(
    booking: Booking,
    refund: Refund,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
    evidence: str,
    is_by_hand: bool,
) -> Refund:
    """Ask for a refund, payment by payment. What waited for a second person of them is overtaken by it."""
    left, is_waiting = refund.pence, False
    for payment in _paid(booking) if left else ():
        amount = min(left, _left(payment))
        if not amount:
            continue
        payments.overtake_refunds(charge_id=payment.charge_id, attempt_id=payment.pk, by=by, now=now)
        ask: Callable[..., PaidBack] = payments.request_refund
        if is_by_hand:
            by_policy, others = 0 if evidence else amount, refund.pence - amount
            ask = partial(payments.propose_refund, policy_pence=by_policy, asked_with_pence=others)
        asked = ask(
            charge_id=payment.charge_id,
            attempt_id=payment.pk,
            amount_pence=amount,
            reason=refund.reason,
            note=reason[:200],
            by=by,
            now=now,
        )
        is_waiting |= asked.status == RefundStatus.WAITING
        left -= amount
    return replace(refund, is_waiting=is_waiting)


def _left(payment: Attempt) -> int:
    """What of a payment has not been sent back; what only waits for a second person has not."""
    waiting = [refund.amount_pence for refund in payment.refunds.all() if refund.status == RefundStatus.WAITING]
    return payment.paid_pence - payment.refunded_pence + sum(waiting)


def _paid(booking: Booking) -> list[Attempt]:
    """The payments that settled a charge, the course fee first; one made twice goes back by itself: not among them."""
    return list(
        Attempt.objects.filter(charge__booking_reference=booking.reference, status=AttemptStatus.PAID, is_extra=False)
        .select_related("charge")
        .prefetch_related("refunds")
        .order_by("charge__purpose", "pk")
    )
