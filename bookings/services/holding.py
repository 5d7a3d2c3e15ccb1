"""From a chosen date to a booking that only has to be paid for: hold, extend, contact details, consents."""

import datetime as dt
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, QuerySet

from audit import services as audit
from audit.context import Actor
from bookings import rules, selectors
from bookings.constants import BookingStatus, CancelCause, ConsentKind
from bookings.errors import (
    AfterCompleteByError,
    AlreadyBookedError,
    BookByPassedError,
    ConsentNeededError,
    HoldEndedError,
    NoMoreTimeError,
    OfferEndedError,
    PlaceOfferOverError,
    PlaceWaitedForError,
)
from bookings.models import Booking, Consent, ConsentText, Policy
from bookings.services import offers, turns
from bookings.services.lapsing import lapse_expired, runs
from bookings.services.locking import lock_booking, lock_referral, lock_sessions, move
from common.clock import london_day, moment_words
from common.errors import TransitionError
from common.identifiers import new_booking_reference
from common.prepared import Blank, Prepared
from courses import services as courses
from courses.constants import Mode, PlaceState
from courses.errors import NoPlaceLeftError, SessionNotFoundError, SessionNotOpenError
from courses.models import Place, Session
from payments import selectors as fees
from payments import services as payments
from referrals.constants import BOOKABLE
from referrals.models import Referral

_TRIES = 5
Made = TypeVar("Made")


def hold(*, referral_id: int, session_id: int, by: Actor, now: dt.datetime) -> Booking:
    """Hold a place on a session for a referral, and begin the booking.

    A hold of the same session that still runs is returned as it is, so a double submit makes one. One of another
    session is given back in the same transaction, so that choosing again can only gain. Where the session is full of
    holds that have run out, these lapse first. Durable; locks sessions, then the referral.

    Who waits for the session comes first (`turns`). Raises NoPlaceLeftError (of which PlaceWaitedForError is one),
    SessionNotOpenError, SessionNotFoundError, AfterCompleteByError, BookByPassedError, OfferEndedError,
    AlreadyBookedError; after each nothing has changed for this referral.
    """
    theirs = Booking.objects.live().filter(place__session_id=session_id, referral_id=referral_id)
    if is_full(session_id, theirs=theirs, now=now):
        raise NoPlaceLeftError
    attempt = partial(_hold, referral_id, session_id, by, now)
    return or_lapse(attempt, session_id=session_id, by=by, now=now)


def or_lapse(attempt: Callable[[], Made], *, session_id: int, by: Actor, now: dt.datetime) -> Made:
    """Do what needs a place on a session; where it is full, let holds go whose time is over, and try again.

    Others may have let them go in between, and not taken them all: nobody is told of a full session while a place on
    it is free, unless somebody waits for that place. Raises NoPlaceLeftError.
    """
    for _ in range(_TRIES):
        try:
            return attempt()
        except NoPlaceLeftError as error:
            if lapse_expired(session_id=session_id, by=by, now=now):
                continue
            if isinstance(error, PlaceWaitedForError) or is_full(session_id, theirs=Booking.objects.none(), now=now):
                raise
    return attempt()


def is_full(session_id: int, *, theirs: QuerySet[Any], now: dt.datetime) -> bool:
    """Look before anything is locked, so that those who come too late do not queue for the lock.

    Full of others' places that have not run out; `theirs` are rows that say they have one. Whoever is let on is
    decided under the lock.
    """
    full = Session.objects.filter(pk=session_id, places_claimed__gte=F("capacity"))
    run_out = Place.objects.filter(session_id=session_id, state=PlaceState.HELD, held_until__lte=now)
    return full.filter(~Exists(theirs), ~Exists(run_out)).exists()


def take(*, referral_id: int, session_id: int, place_id: int, by: Actor, now: dt.datetime) -> Booking:
    """Begin a booking with a place that is held for the referral already, and with no other. Otherwise as `hold`.

    Raises PlaceOfferOverError where that place has gone.
    """
    return _hold(referral_id, session_id, by, now, place_id=place_id)


def _hold(referral_id: int, session_id: int, by: Actor, now: dt.datetime, *, place_id: int | None = None) -> Booking:
    """Try until the sessions that were locked are those the referral has anything on: another tab may be choosing."""
    for _ in range(_TRIES):
        with transaction.atomic(durable=True):
            before = _live(referral_id)
            sessions = lock_sessions({session_id, *([before.place.session_id] if before else [])})
            referral = lock_referral(referral_id)
            live = _live(referral_id, lock=True)
            if live and live.place.session_id not in sessions:
                continue
            if live:
                live.referral = referral
            if session_id not in sessions:
                raise SessionNotFoundError
            if place_id and not Place.objects.claiming().filter(pk=place_id).exists():
                raise PlaceOfferOverError
            return _hold_locked(referral, sessions[session_id], live, by, now)
    raise TransitionError


def _hold_locked(referral: Referral, session: Session, live: Booking | None, by: Actor, now: dt.datetime) -> Booking:
    if live and live.status == BookingStatus.CONFIRMED:
        raise AlreadyBookedError
    policy = Policy.objects.on(london_day(now))
    check_offer(referral, session, now=now)
    if session.starts_at - now < dt.timedelta(minutes=policy.closes_minutes):
        raise SessionNotOpenError
    if live:
        if live.place.session_id == session.pk and runs(live.place, now):
            return live
        _give_back(live, now=now, by=by)
    turns.check(session, referral=referral, now=now)
    until = rules.held_until(now=now, minutes=policy.hold_minutes, starts_at=session.starts_at)
    place = courses.hold_place(session_id=session.pk, holder=referral.key, until=until, by=by, now=now)
    if place.state == PlaceState.TAKEN:  # of an earlier booking: how this very course went is on record
        raise SessionNotOpenError
    if place.claimed_at < now:  # it was theirs before: somebody held it for them
        until = place.held_until or until
        offers.close_on(place, by=by, now=now)
    fee = fees.fee_on(
        course_type_id=session.course_type_id, mode=session.mode, force_code=referral.force_id, on=london_day(now)
    )
    parts = selectors.fee_parts(fee, percent=selectors.fee_percent(referral, on=london_day(now), policy=policy))
    booking = _insert(
        Booking(
            referral=referral,
            place=place,
            status_at=now,
            status_by=str(by),
            created_at=now,
            policy=policy,
            email=live.email if live else "",
            mobile=live.mobile if live else "",
            fee_pence=sum(parts.values()),
            fee_parts=parts,
        )
    )
    audit.record(
        "booking.held",
        by=by,
        now=now,
        words=f"A place is held on {moment_words(session.starts_at)} until {moment_words(until)}.",
        referral_key=referral.key,
        subject=f"booking:{booking.reference}",
        data={"session": session.pk},
    )
    return booking


def _insert(booking: Booking) -> Booking:
    """Save a new booking under a reference nobody has; the database sees that it is unique."""
    for last_try in (False, False, True):
        booking.reference = new_booking_reference()
        try:
            with transaction.atomic():
                booking.save(force_insert=True)
        except IntegrityError as error:
            name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
            if last_try or "reference" not in name:
                raise
        else:
            return booking
    raise AssertionError("unreachable")


def check_offer(referral: Referral, session: Session, *, now: dt.datetime) -> None:
    """Refuse what an offer does not allow: another course, past book by, past complete by, or an ended offer.

    `now` is when the date is chosen, or was: who held it by book by may pay for it after midnight.
    """
    if referral.status not in BOOKABLE:
        raise OfferEndedError
    if london_day(now) > referral.book_by:
        raise BookByPassedError
    if session.course_type_id != referral.course_type_id:
        raise SessionNotFoundError
    if not rules.ends_in_time(session.ends_at, referral.complete_by):
        raise AfterCompleteByError


@transaction.atomic(durable=True)
def extend_hold(*, booking_id: int, by: Actor, now: dt.datetime) -> Booking:
    """Hold the place for the policy's minutes from now, until it starts at most.

    Raises HoldEndedError, NoMoreTimeError.
    """
    booking = running(booking_id, now=now)
    if booking.extensions >= booking.policy.extend_times:
        raise NoMoreTimeError
    starts_at = booking.place.session.starts_at
    until = rules.held_until(now=now, minutes=booking.policy.extend_minutes, starts_at=starts_at)
    if booking.place.held_until and booking.place.held_until >= until:
        return booking  # nothing to gain, so nothing is used up
    place = courses.keep_place(place_id=booking.place_id, until=until, by=by, now=now)
    booking.extensions += 1
    booking.save(update_fields=["extensions"])
    booking.place.held_until = place.held_until
    audit.record(
        "booking.extended",
        by=by,
        now=now,
        words=f"The place is held until {moment_words(until)}.",
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
    )
    return booking


@transaction.atomic(durable=True)
def give_details(*, booking_id: int, email: str, mobile: str, by: Actor, now: dt.datetime) -> Booking:
    """Record how to reach the candidate about this booking. May be repeated. Raises HoldEndedError."""
    booking = running(booking_id, now=now)
    booking.email, booking.mobile, booking.details_at = email, mobile, now
    booking.save(update_fields=["email", "mobile", "details_at"])
    return booking


@transaction.atomic(durable=True)
def give_consents(*, booking_id: int, text_ids: Iterable[int], by: Actor, now: dt.datetime) -> Booking:
    """Record that the candidate agrees to these texts, each once. Raises ConsentNeededError, HoldEndedError.

    The texts must be all those needed on this day: a page that was left open while a text changed is refused.
    """
    booking = running(booking_id, now=now)
    needed = {text.pk for text in texts_needed(booking, now=now)}
    if not needed <= set(text_ids):
        raise ConsentNeededError
    Consent.objects.bulk_create(
        [Consent(booking=booking, text_id=text_id, given_at=now) for text_id in sorted(needed)], ignore_conflicts=True
    )
    audit.record(
        "booking.consented",
        by=by,
        now=now,
        words="The candidate agreed to everything that is asked before booking.",
        referral_key=booking.referral.key,
        subject=f"booking:{booking.reference}",
        data={"texts": sorted(needed)},
    )
    return booking


_TEXTS = Prepared(
    lambda blank: (
        ConsentText.objects.filter(valid_from__lte=blank("day")).order_by("kind", "-version").distinct("kind")
    )
)


def texts_needed(booking: Booking, *, now: dt.datetime) -> list[ConsentText]:
    """The consents asked for this booking today, in their newest version; the digital one for digital courses only."""
    texts = _TEXTS.all(day=london_day(now))
    order = list(ConsentKind.values)
    is_digital = booking.place.session.mode == Mode.DIGITAL
    return sorted(
        (text for text in texts if is_digital or text.kind != ConsentKind.DIGITAL),
        key=lambda text: order.index(text.kind),
    )


def running(booking_id: int, *, now: dt.datetime) -> Booking:
    """Lock a booking that is still being made. Raises HoldEndedError."""
    booking = lock_booking(booking_id)
    if booking.status != BookingStatus.HELD or not runs(booking.place, now):
        raise HoldEndedError
    return booking


def _live_of(blank: Blank) -> QuerySet[Booking]:
    return Booking.objects.live().filter(referral_id=blank("referral_id")).select_related("place")


_LIVE = Prepared(_live_of)
_LIVE_LOCKED = Prepared(lambda blank: _live_of(blank).select_for_update(no_key=True, of=("self",)))


def _live(referral_id: int, *, lock: bool = False) -> Booking | None:
    return (_LIVE_LOCKED if lock else _LIVE).first(referral_id=referral_id)


def _give_back(live: Booking, *, by: Actor, now: dt.datetime) -> None:
    """End a hold because its candidate chooses again, or comes back after its time."""
    payments.give_up_charge(booking_reference=live.reference, by=by, now=now)
    turns.give_back(place_id=live.place_id, reason="chose again", by=by, now=now)
    if runs(live.place, now):
        move(
            live,
            BookingStatus.CANCELLED,
            by=by,
            now=now,
            words="The candidate chose another date before paying.",
            cause=CancelCause.CANDIDATE,
        )
    else:
        move(live, BookingStatus.LAPSED, by=by, now=now, words="The hold ran out before payment.")
