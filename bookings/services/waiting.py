"""The waiting list: joining and leaving it, taking or passing on a place that came free."""

import datetime as dt
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q, QuerySet

from audit import services as audit
from audit.context import Actor
from bookings.constants import BookingStatus, PlaceOfferStatus, WaitingCause
from bookings.errors import BookByPassedError, DatesFreeError, OfferEndedError, PlaceOfferOverError
from bookings.models import Booking, PlaceOffer, WaitingEntry
from bookings.services import holding, offers, turns
from bookings.services.locking import lock_all_of, lock_booking, lock_referral
from bookings.services.moving import check_can_move
from bookings.services.swapping import move_to_place
from common.clock import london_day
from courses.constants import Mode, SessionStatus
from courses.models import Session
from referrals.constants import BOOKABLE
from referrals.models import Referral

_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What somebody waits for; empty is anything. `venue_ids` bind courses in person alone; Monday is 1."""

    modes: list[str] = field(default_factory=list)
    venue_ids: list[int] = field(default_factory=list)
    weekdays: list[int] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)


@transaction.atomic(durable=True)
def join(*, referral_id: int, wishes: Wishes, by: Actor, now: dt.datetime) -> WaitingEntry:
    """Put somebody on the waiting list. Costs nothing. Who is on it already waits on, for what is wished now.

    Who has a booked course waits for an earlier date, given in the same way. Nobody waits for what can be had at once:
    raises DatesFreeError; else OfferEndedError, BookByPassedError, TooLateToMoveError.
    """
    referral = lock_referral(referral_id)
    booking = booked(referral_id)
    check_may_wait(referral, booking, now=now)
    if free_now(referral, wishes, booking=booking, now=now).exists():
        raise DatesFreeError
    entry = WaitingEntry.objects.waiting().filter(referral=referral).first()
    is_new = entry is None
    if entry is None:
        entry = WaitingEntry(referral=referral, created_at=now, status_at=now, status_by=str(by))
    entry.course_type_id = referral.course_type_id
    entry.modes, entry.venue_ids = wishes.modes, wishes.venue_ids
    entry.weekdays, entry.parts = wishes.weekdays, wishes.parts
    entry.save()
    audit.record(
        "waiting.joined" if is_new else "waiting.changed",
        by=by,
        now=now,
        words="On the waiting list now." if is_new else "Waits for other dates than before.",
        referral_key=referral.key,
        subject=f"waiting:{entry.pk}",
    )
    return entry


def check_may_wait(referral: Referral, booking: Booking | None, *, now: dt.datetime) -> None:
    """Refuse who may not wait, with a booked course or with none.

    Raises OfferEndedError, BookByPassedError, TooLateToMoveError.
    """
    if booking is not None:
        check_can_move(booking, now=now)
    elif referral.status not in BOOKABLE:
        raise OfferEndedError
    elif london_day(now) > referral.book_by:
        raise BookByPassedError


def booked(referral_id: int) -> Booking | None:
    """The confirmed booking of a referral, with its session."""
    confirmed = Booking.objects.filter(referral=referral_id, status=BookingStatus.CONFIRMED)
    return confirmed.with_session().first()


def free_now(
    referral: Referral, wishes: Wishes, *, now: dt.datetime, booking: Booking | None = None
) -> QuerySet[Session]:
    """The sessions that are what is wished for and can be had with an offer at once, the next first.

    With a confirmed `booking`, those before its date that are given in the same way.
    """
    wanted = Q()
    if wishes.modes:
        wanted &= Q(mode__in=wishes.modes)
    if wishes.venue_ids:
        wanted &= Q(mode=Mode.DIGITAL) | Q(room__venue__in=wishes.venue_ids)
    if wishes.weekdays:
        wanted &= Q(weekday__in=wishes.weekdays)
    if wishes.parts:
        wanted &= Q(part__in=wishes.parts)
    if booking is not None:
        wanted &= Q(mode=booking.place.session.mode, starts_at__lt=booking.place.session.starts_at)
    return turns.free_sessions(referral, now=now).filter(wanted)


@transaction.atomic(durable=True)
def leave(*, referral_id: int, by: Actor, now: dt.datetime, cause: WaitingCause = WaitingCause.LEFT) -> bool:
    """Take somebody off the list, with the place that may be held for them; whether they were on it.

    May be repeated. Locks the sessions they have anything on, then the referral.
    """
    referral = lock_all_of(referral_id)
    for offer in PlaceOffer.objects.open().with_session().filter(referral=referral, entry__isnull=False):
        offers.close(offer, PlaceOfferStatus.DECLINED, by=by, now=now)
    return offers.end_waiting(referral, cause=cause, by=by, now=now)


def accept(*, offer_id: int, by: Actor, now: dt.datetime) -> Booking:
    """Take the place that came free: a booking begins with it, or a booked course is moved to it, free of charge.

    A begun booking is held for as long as was said, and to pay at the least. Durable; locks sessions, then the
    referral. Raises PlaceOfferOverError, and whatever `hold` or a move raises; after each nothing has changed.
    """
    running = PlaceOffer.objects.open().filter(entry__isnull=False, place__held_until__gt=now)
    offer = running.with_session().filter(pk=offer_id).first()
    if offer is None:
        raise PlaceOfferOverError
    booking = booked(offer.referral_id)
    if booking is None:
        session_id, place_id = offer.place.session_id, offer.place_id
        return holding.take(referral_id=offer.referral_id, session_id=session_id, place_id=place_id, by=by, now=now)
    with transaction.atomic(durable=True):
        booking = lock_booking(booking.pk, also={offer.place.session_id})
        if not running.filter(pk=offer_id).exists():
            raise PlaceOfferOverError
        check_can_move(booking, now=now)
        if offer.place.session.status != SessionStatus.OPEN or offer.place.session.starts_at <= now:
            raise PlaceOfferOverError
        reason = "A place came free on the waiting list."
        move_to_place(booking=booking, place_id=offer.place_id, by=by, now=now, reason=reason)
    return booking


@transaction.atomic(durable=True)
def decline(*, offer_id: int, by: Actor, now: dt.datetime) -> bool:
    """Pass a place on to the next who waits; who declines waits on. Whether there was anything to pass on."""
    referral_id = PlaceOffer.objects.filter(pk=offer_id).values_list("referral_id", flat=True).first()
    if referral_id is None:
        raise PlaceOfferOverError
    lock_all_of(referral_id)
    offer = PlaceOffer.objects.open().with_session().filter(pk=offer_id, entry__isnull=False).first()
    if offer is None:
        return False
    offers.close(offer, PlaceOfferStatus.DECLINED, by=by, now=now)
    return True
