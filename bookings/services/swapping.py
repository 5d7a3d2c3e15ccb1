"""The moment of a move: old and new place swap in one transaction, or nothing changes and the fee goes back."""

import datetime as dt

from django.db import transaction

from audit.context import Actor
from bookings import messages, rules
from bookings.constants import BookingStatus, MoveRule, MoveStatus, WaitingCause
from bookings.errors import AfterCompleteByError, BookingStateError, MoveEndedError
from bookings.models import Booking, Move
from bookings.services import offers, turns
from bookings.services.locking import change_move
from bookings.services.needing import bring_needs_forward
from common.bell import ring_on_commit
from common.clock import moment_words
from common.errors import PortalError
from common.money import pounds
from courses import services as courses
from courses.errors import SessionNotFoundError, SessionNotOpenError
from courses.models import Place, Session
from payments import services as payments
from payments.constants import RefundReason
from payments.models import Charge
from referrals.constants import ReferralStatus


@transaction.atomic
def move_to_place(*, booking: Booking, place_id: int, by: Actor, now: dt.datetime, reason: str = "") -> Move:
    """Move a confirmed booking to a place that is held for its referral already, free. Composed (waiting list).

    `booking` comes from `lock_booking`. A move of its own that is under way ends. The candidate is told, reminders
    follow the new date. Raises BookingStateError, AfterCompleteByError, SessionNotFoundError, PlaceGoneError.
    """
    payments.give_up_charge(booking_reference=booking.reference, by=by, now=now)
    move = booking.moves.select_for_update(no_key=True).filter(status=MoveStatus.HELD).first()
    if move is not None and move.place_id != place_id:
        end_move(booking, by=by, now=now, words="They moved to another date instead.")
        move = None
    if move is None:
        move = Move(
            booking=booking,
            from_place=booking.place,
            place=Place.objects.get(pk=place_id),
            status_at=now,
            status_by=str(by),
            created_at=now,
        )
    move.booking, move.rule, move.fee_pence = booking, MoveRule.OURS, 0
    check_fits(booking, session_of(move))
    move.save()
    swap(move, by=by, now=now, reason=reason)
    return move


@transaction.atomic
def complete_move(*, booking: Booking, charge: Charge, by: Actor, now: dt.datetime) -> None:
    """Make the move that a paid charge is for. Composed, inside the transaction that records the payment.

    Paid in time, the places swap. Paid after the hold ran out, a seat is taken again if the session still has one;
    else, once that has begun, and where the booking was changed or has ended, the fee goes back and the candidate is
    told. Repeated, it does nothing. The caller has locked both sessions, referral and booking (`lock_for_charge`) and
    the charge.
    """
    move = Move.objects.select_for_update(no_key=True, of=("self",)).filter(charge=charge).first()
    if move is None or move.status == MoveStatus.DONE:
        return
    move.booking = booking
    try:
        move.place = _place_for(move, by=by, now=now)
    except PortalError:
        _send_back(move, charge, by=by, now=now)
        return
    swap(move, by=by, now=now)


def swap(move: Move, *, by: Actor, now: dt.datetime, reason: str = "") -> None:
    """Take the new place, give back the old one, and let everything follow. The booking is locked.

    `move` comes with its booking, and that with its place and session. Raises BookingStateError, PlaceGoneError.
    """
    booking, old = move.booking, move.booking.place
    if booking.status != BookingStatus.CONFIRMED or old.pk != move.from_place_id:
        raise BookingStateError
    session = session_of(move)
    messages.withdraw_reminders(booking, now=now)
    place = courses.take_place(place_id=move.place_id, by=by, now=now)
    place.session = session
    booking.place = place
    booking.save(update_fields=["place"])
    bring_needs_forward(booking, now=now)
    turns.give_back(place_id=old.pk, reason="moved", by=by, now=now)
    offers.close_on(place, by=by, now=now)
    offers.end_waiting(booking.referral, cause=WaitingCause.BOOKED, by=by, now=now)
    words = f"The booking was moved from {moment_words(old.session.starts_at)} to {moment_words(session.starts_at)}."
    fee = f" {pounds(move.fee_pence)} was paid for it." if move.fee_pence else ""
    change_move(move, MoveStatus.DONE, by=by, now=now, words=words + fee, reason=reason, action="booking.moved")
    messages.moved(booking, was_at=old.session.starts_at, fee_pence=move.fee_pence, now=now)


def check_fits(booking: Booking, session: Session) -> None:
    """Refuse a session that is not of the course booked, or ends after complete by, whoever asks."""
    if session.course_type_id != booking.referral.course_type_id:
        raise SessionNotFoundError
    if not rules.ends_in_time(session.ends_at, booking.referral.complete_by):
        raise AfterCompleteByError


def end_move(booking: Booking, *, by: Actor, now: dt.datetime, words: str) -> None:
    """Let a move that is under way go, because its booking is changed or has ended. Composed; the booking is locked.

    The session of the new place stands above the locks the caller holds, so its place is given back by the sweep,
    which is called at once. Its charge is the caller's to give up.
    """
    move = Move.objects.select_for_update(no_key=True).filter(booking=booking, status=MoveStatus.HELD).first()
    if move is not None:
        move.booking = booking
        _drop(move, by=by, now=now, words=words)


def session_of(move: Move) -> Session:
    """The session of the new place, with its course and room."""
    return Session.objects.with_room().get(pk=move.place.session_id)


def _drop(move: Move, *, by: Actor, now: dt.datetime, words: str) -> None:
    change_move(move, MoveStatus.CANCELLED, by=by, now=now, words=words)
    courses.let_run_out(place_id=move.place_id, by=by, now=now)
    ring_on_commit("bookings.jobs.release_holds")


def _place_for(move: Move, *, by: Actor, now: dt.datetime) -> Place:
    """The place that the fee was paid for. Raises PortalError where there is none to be had."""
    booking = move.booking
    if booking.status != BookingStatus.CONFIRMED or booking.place_id != move.from_place_id:
        raise BookingStateError
    session = session_of(move)
    check_fits(booking, session)
    if session.starts_at <= now:
        raise SessionNotOpenError
    if move.status == MoveStatus.HELD:
        return move.place  # still held, even if its time ran out a moment ago: nobody else has it
    if move.status != MoveStatus.LAPSED or booking.moves.filter(status=MoveStatus.HELD).exists():
        raise MoveEndedError
    until = rules.held_until(now=now, minutes=booking.policy.hold_minutes, starts_at=session.starts_at)
    return courses.hold_place(
        session_id=move.place.session_id, holder=booking.referral.key, until=until, by=by, now=now
    )


def _send_back(move: Move, charge: Charge, *, by: Actor, now: dt.datetime) -> None:
    booking = move.booking
    if move.status == MoveStatus.HELD:
        _drop(move, by=by, now=now, words="The move was paid for, but could not be made.")
    is_withdrawn = booking.referral.status == ReferralStatus.WITHDRAWN
    reason = RefundReason.WITHDRAWN if is_withdrawn else RefundReason.PAID_TOO_LATE
    payments.request_refund(charge_id=charge.pk, amount_pence=charge.amount_pence, reason=reason, by=by, now=now)
    messages.move_not_made(
        booking, move_id=move.pk, wanted=session_of(move).starts_at, refund_pence=charge.amount_pence, now=now
    )
