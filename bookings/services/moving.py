"""Moving to another date: what it costs, the new place held beside the old one, then confirmed or paid for."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from audit.context import Actor, because
from bookings import messages, rules
from bookings.constants import COUNTED_MOVES, BookingStatus, ConsentKind, Evidence, MoveRule, MoveStatus
from bookings.errors import (
    BookingStateError,
    ConsentNeededError,
    MoveEndedError,
    MoveUnpaidError,
    NoMoreTimeError,
    SameSessionError,
    TooLateToMoveError,
)
from bookings.models import Booking, Consent, ConsentText, Move
from bookings.rules import MoveFee
from bookings.services import offers, turns
from bookings.services.holding import is_full, or_lapse
from bookings.services.lapsing import runs
from bookings.services.locking import change_move, lock_booking, lock_move, record_move
from bookings.services.paying import course_words, pay_until
from bookings.services.swapping import check_fits, swap
from common.clock import london_day, moment_words
from common.errors import TransitionError
from common.money import pounds
from common.prepared import Prepared
from courses import services as courses
from courses.constants import Mode, SessionStatus
from courses.errors import NoPlaceLeftError, ReasonNeededError, SessionNotFoundError, SessionNotOpenError
from courses.models import Session
from payments import services as payments
from payments.constants import Purpose
from payments.models import Attempt

_TRIES = 5


def quote_move(booking: Booking, *, now: dt.datetime) -> MoveFee:
    """What moving this confirmed booking costs now, and until when. `booking` comes `with_session()`.

    A move keeps the course fee it was sold under, also to a session that is given in another way.
    """
    return rules.move_fee(
        starts_at=booking.place.session.starts_at,
        now=now,
        moves_before=booking.moves.filter(status=MoveStatus.DONE, rule__in=COUNTED_MOVES).count(),
        course_fee_pence=booking.fee_pence,
        move_fee_pence=booking.policy.move_fee_pence,
        free_days=booking.policy.move_free_days,
        full_fee_hours=booking.policy.full_fee_hours,
    )


def hold_move(*, booking_id: int, session_id: int, by: Actor, now: dt.datetime) -> Move:
    """Hold a place on another session for a confirmed booking, and begin the move; the old place stays theirs.

    A hold of the same session that still runs is returned as it is, so a double submit makes one. One of another
    session is given back in the same transaction. The fee of this moment is kept with it. Where the session is full of
    holds that have run out, these lapse first. Durable; locks both sessions, then referral and booking.

    Raises NoPlaceLeftError, SessionNotOpenError, SessionNotFoundError, SameSessionError, AfterCompleteByError,
    TooLateToMoveError, BookingStateError; after each nothing has changed.
    """
    theirs = Move.objects.filter(booking=booking_id, status=MoveStatus.HELD, place__session_id=session_id)
    if is_full(session_id, theirs=theirs, now=now):
        raise NoPlaceLeftError
    return _hold_or_lapse(booking_id, session_id, by, now)


@dataclass(frozen=True)
class _Staff:
    """Why staff move somebody, by which rule if not the policy's, the evidence seen, and the consents read out."""

    reason: str
    rule: MoveRule | None
    evidence: str
    text_ids: Iterable[int]


def _hold_or_lapse(booking_id: int, session_id: int, by: Actor, now: dt.datetime, staff: _Staff | None = None) -> Move:
    attempt = partial(_hold, booking_id, session_id, by, now, staff)
    return or_lapse(attempt, session_id=session_id, by=by, now=now)


def _hold(booking_id: int, session_id: int, by: Actor, now: dt.datetime, staff: _Staff | None) -> Move:
    """Try until the sessions that were locked are those they have anything on: another tab may be choosing."""
    for _ in range(_TRIES):
        with transaction.atomic(durable=True):
            before = held_move(booking_id)
            sessions = {session_id, *([before.place.session_id] if before else [])}
            booking = lock_booking(booking_id, also=sessions)
            present = held_move(booking_id)
            if present and present.place.session_id not in sessions:
                continue
            check_can_move(booking, now=now)
            if present and present.place.session_id == session_id and runs(present.place, now) and not staff:
                return present
            if present:
                present.booking = booking
                _give_back(present, by=by, now=now)
            move = _begin(booking, session_id, staff, by=by, now=now)
            if staff and move.fee_pence:
                messages.move_to_pay(move, now=now)
            elif staff:
                _agree(move, staff.text_ids, now=now)
                swap(move, by=by, now=now, reason=staff.reason)
            return move
    raise TransitionError


def _begin(booking: Booking, session_id: int, staff: _Staff | None, *, by: Actor, now: dt.datetime) -> Move:
    session = Session.objects.with_room().filter(pk=session_id).first()
    if session is None:
        raise SessionNotFoundError
    if session.pk == booking.place.session_id:
        raise SameSessionError
    check_fits(booking, session)
    if session.starts_at - now < dt.timedelta(minutes=booking.policy.closes_minutes):
        raise SessionNotOpenError
    turns.check(session, referral=booking.referral, now=now)
    quote = quote_move(booking, now=now)
    rule = (staff and staff.rule) or MoveRule(quote.rule)
    fee_pence = 0 if staff and staff.rule else quote.pence
    minutes = booking.policy.hold_longest_minutes if staff and fee_pence else booking.policy.hold_minutes
    until = rules.held_until(now=now, minutes=minutes, starts_at=session.starts_at)
    if staff and fee_pence:  # the last page they open to pay closes when no page may be open any more
        until -= rules.CHECKOUT_LASTS + rules.CHECKOUT_MARGIN
    place = courses.hold_place(session_id=session.pk, holder=booking.referral.key, until=until, by=by, now=now)
    place.session = session
    if place.claimed_at < now:  # it was theirs before: somebody held it for them
        offers.close_on(place, by=by, now=now)
    move = Move.objects.create(
        booking=booking,
        from_place=booking.place,
        place=place,
        status_at=now,
        status_by=str(by),
        created_at=now,
        rule=rule,
        fee_pence=fee_pence,
        evidence=staff.evidence if staff else "",
    )
    fee = pounds(move.fee_pence) if move.fee_pence else "nothing"
    when, end = moment_words(session.starts_at), moment_words(until)
    words = f"A place on {when} is held for a move that costs {fee}, until {end}."
    record_move(move, "booking.move_held", by=by, now=now, words=words)
    return move


def held_move(booking_id: int) -> Move | None:
    """The move of a booking that is under way, with its place and session; its hold may have run out."""
    return _HELD.first(booking_id=booking_id)


_HELD = Prepared(
    lambda blank: (
        Move.objects.filter(booking_id=blank("booking_id"), status=MoveStatus.HELD)
        .select_related("place__session__course_type", "place__session__room__venue")
        .order_by("pk")[:1]
    )
)


def check_can_move(booking: Booking, *, now: dt.datetime) -> None:
    """Refuse a booking that is not confirmed (BookingStateError), or whose course has started (TooLateToMoveError)."""
    if booking.status != BookingStatus.CONFIRMED:
        raise BookingStateError
    if booking.place.session.starts_at <= now:
        raise TooLateToMoveError


@transaction.atomic(durable=True)
def extend_move(*, move_id: int, by: Actor, now: dt.datetime) -> Move:
    """Hold the new place for the policy's minutes from now. Raises MoveEndedError, NoMoreTimeError."""
    move = _running(move_id, now=now)
    policy = move.booking.policy
    if move.extensions >= policy.extend_times:
        raise NoMoreTimeError
    starts_at = move.place.session.starts_at
    until = rules.held_until(now=now, minutes=policy.extend_minutes, starts_at=starts_at)
    if move.place.held_until and move.place.held_until >= until:
        return move  # nothing to gain, so nothing is used up
    move.place.held_until = courses.keep_place(place_id=move.place_id, until=until, by=by, now=now).held_until
    move.extensions += 1
    move.save(update_fields=["extensions"])
    words = f"The place for the move is held until {moment_words(until)}."
    record_move(move, "booking.move_extended", by=by, now=now, words=words)
    return move


@transaction.atomic(durable=True)
def abandon_move(*, move_id: int, by: Actor, now: dt.datetime) -> Move:
    """Give the new place back at the candidate's wish; the old one stays theirs. Repeated, it does nothing.

    Should a payment for it come all the same, it goes back.
    """
    move = lock_move(move_id)
    if move.status == MoveStatus.HELD:
        _give_back(move, by=by, now=now)
    return move


@transaction.atomic(durable=True)
def confirm_move(*, move_id: int, by: Actor, now: dt.datetime, text_ids: Iterable[int] = ()) -> Move:
    """Make a move that costs nothing: the places swap at once. Repeated, it does nothing.

    `text_ids` are the consents given with it (`texts_for_move`). Raises MoveEndedError, MoveUnpaidError,
    ConsentNeededError, AfterCompleteByError, SessionNotOpenError, TooLateToMoveError.
    """
    move = lock_move(move_id)
    if move.status == MoveStatus.DONE:
        return move
    _check_running(move, now=now)
    if move.fee_pence:
        raise MoveUnpaidError
    _agree(move, text_ids, now=now)
    swap(move, by=by, now=now)
    return move


def pay_move(
    *,
    move_id: int,
    success_url: str,
    cancel_url: str,
    by: Actor,
    now: dt.datetime,
    text_ids: Iterable[int] = (),
) -> Attempt:
    """Open the payment page for the fee of a move, as it was shown; `url` of what is returned leads there.

    As `start_payment`: the stretched hold and the charge are committed before Stripe is asked, and repeated it returns
    the page that is open already. The places swap when the payment is heard of (`complete_move`); until then, and if
    it never is, the old place is theirs.

    Raises what `confirm_move` raises, NoMoreTimeError, StartsTooSoonError, and what payments raises when Stripe cannot
    be reached.
    """
    expires_at = now + rules.CHECKOUT_LASTS
    with transaction.atomic(durable=True):
        move = _running(move_id, now=now)
        booking, session = move.booking, move.place.session
        _agree(move, text_ids, now=now)
        until = pay_until(
            booking, began_at=move.created_at, expires_at=expires_at, starts_at=session.starts_at, now=now
        )
        courses.keep_place(place_id=move.place_id, until=until, by=by, now=now)
        charge = payments.open_charge(
            booking_reference=booking.reference,
            referral_key=booking.referral.key,
            force_code=booking.referral.force_id,
            purpose=Purpose.REBOOK_FEE if move.rule == MoveRule.FULL_FEE else Purpose.MOVE_FEE,
            amount_pence=move.fee_pence,
            parts={"police": 0, "levy": 0, "vat": 0, "provider": move.fee_pence},  # earned by KCC at once
            description=f"Move to {course_words(session)}"[:120],
            email=booking.email,
            by=by,
            now=now,
        )
        if move.charge_id != charge.pk:
            move.charge = charge
            move.save(update_fields=["charge"])
    attempt = payments.start_checkout(
        charge_id=charge.pk,
        success_url=success_url,
        cancel_url=cancel_url,
        expires_at=expires_at,
        by=by,
        now=now,
    )
    closes_at = min(attempt.expires_at + rules.CHECKOUT_MARGIN, session.starts_at)
    if closes_at > until:  # the page that was open has just closed: this is a new one
        with transaction.atomic(durable=True):
            move = _running(move_id, now=now)
            courses.keep_place(place_id=move.place_id, until=closes_at, by=by, now=now)
    return attempt


def move_by_staff(
    *,
    booking_id: int,
    session_id: int,
    reason: str,
    by: Actor,
    now: dt.datetime,
    rule: MoveRule | None = None,
    evidence: str = "",
    text_ids: Iterable[int] = (),
) -> Move:
    """Move a booking for a candidate who asked staff to, or for KCC; `text_ids` are the consents read out for it.

    Without `rule` the policy decides what it costs: nothing, and they are moved at once; or a fee, and the new place
    is held while they are told how to pay it. `OURS` is free; so is `WAIVED`, for one of `Evidence`, whose kind is
    kept. A move of the candidate's own that is under way ends. Nobody is moved past their complete by. Durable; locks
    both sessions, referral, booking. Raises ReasonNeededError, ConsentNeededError and what `hold_move` raises.
    """
    if not reason.strip():
        raise ReasonNeededError
    is_waived = evidence in Evidence.values
    if rule not in (None, MoveRule.OURS, MoveRule.WAIVED) or is_waived != (rule == MoveRule.WAIVED):
        raise BookingStateError
    with because(reason):
        return _hold_or_lapse(booking_id, session_id, by, now, _Staff(reason, rule, evidence, text_ids))


def texts_for_move(move: Move, *, now: dt.datetime) -> list[ConsentText]:
    """The consents a move still needs: those to join online, where the new session is."""
    return texts_to_join(move.booking, now=now) if move.place.session.mode == Mode.DIGITAL else []


def texts_to_join(booking: Booking, *, now: dt.datetime) -> list[ConsentText]:
    """What must be agreed to before a booking is moved online: the digital declaration, if it never was."""
    if Consent.objects.filter(booking=booking, text__kind=ConsentKind.DIGITAL).exists():
        return []
    texts = ConsentText.objects.filter(kind=ConsentKind.DIGITAL, valid_from__lte=london_day(now))
    return list(texts.order_by("-version")[:1])


def _agree(move: Move, text_ids: Iterable[int], *, now: dt.datetime) -> None:
    needed = {text.pk for text in texts_for_move(move, now=now)}
    if not needed <= set(text_ids):
        raise ConsentNeededError
    Consent.objects.bulk_create(
        [Consent(booking=move.booking, text_id=text_id, given_at=now) for text_id in sorted(needed)],
        ignore_conflicts=True,
    )


def _running(move_id: int, *, now: dt.datetime) -> Move:
    move = lock_move(move_id)
    _check_running(move, now=now)
    return move


def _check_running(move: Move, *, now: dt.datetime) -> None:
    """Refuse a move whose hold ran out, or that cannot be made any more."""
    if move.status != MoveStatus.HELD or not runs(move.place, now):
        raise MoveEndedError
    check_can_move(move.booking, now=now)
    check_fits(move.booking, move.place.session)
    if move.place.session.status != SessionStatus.OPEN or move.place.session.starts_at <= now:
        raise SessionNotOpenError


def _give_back(move: Move, *, by: Actor, now: dt.datetime) -> None:
    """End a held move whose session is locked, and its charge with it."""
    payments.give_up_charge(booking_reference=move.booking.reference, by=by, now=now)
    if runs(move.place, now):
        change_move(
            move, MoveStatus.CANCELLED, by=by, now=now, words="The new date was given back. Nothing was moved."
        )
    else:
        change_move(move, MoveStatus.LAPSED, by=by, now=now, words="The hold of the new date ran out.")
    turns.give_back(place_id=move.place_id, reason="chose again", by=by, now=now)
