"""Places held for somebody of our own accord: how an offer ends. All under the lock of its referral.

Who waits is offered places in `waiting`, who paid too late in `late`.
"""

import datetime as dt

from django.db import transaction

from audit.context import Actor
from bookings import waiting_messages
from bookings.constants import (
    PLACE_OFFER_TRANSITIONS,
    WAITING_TRANSITIONS,
    PlaceOfferStatus,
    WaitingCause,
    WaitingStatus,
)
from bookings.models import PlaceOffer, WaitingEntry
from bookings.services import turns
from bookings.services.locking import change_status, lock_all_of
from common.clock import moment_words
from common.labels import mid_sentence
from common.prepared import Prepared
from courses import services as courses
from courses.models import Place
from referrals.models import Referral


def close(offer: PlaceOffer, to: PlaceOfferStatus, *, by: Actor, now: dt.datetime) -> None:
    """End an open offer; unless it is accepted, its place is given back, and its session is locked already."""
    words = f"The offer of a place on {moment_words(offer.place.session.starts_at)} ends: {mid_sentence(to.label)}."
    change_status(
        offer,
        to,
        transitions=PLACE_OFFER_TRANSITIONS,
        action=f"offer.{to.lower()}",
        referral=offer.referral,
        subject=f"offer:{offer.pk}",
        by=by,
        now=now,
        words=words,
    )
    if to != PlaceOfferStatus.ACCEPTED:
        turns.give_back(place_id=offer.place_id, reason=f"offer {to.lower()}", by=by, now=now)


def close_all(referral: Referral, *, to: PlaceOfferStatus, by: Actor, now: dt.datetime) -> int:
    """End every open offer of a referral that is locked with all its sessions (`lock_all_of`); how many there were."""
    offers = list(PlaceOffer.objects.open().with_session().filter(referral=referral).order_by("pk"))
    for offer in offers:
        close(offer, to, by=by, now=now)
    return len(offers)


def close_on(place: Place, *, by: Actor, now: dt.datetime) -> None:
    """A place that may have been offered has become a booking's: the offer of it is accepted."""
    offer = PlaceOffer.objects.open().with_session().filter(place=place).first()
    if offer:
        close(offer, PlaceOfferStatus.ACCEPTED, by=by, now=now)


def call_back(referral: Referral, *, by: Actor, now: dt.datetime) -> None:
    """End the time of every open offer of a locked referral whose sessions are not locked: the sweep gives them back.

    It is called at once.
    """
    places = list(PlaceOffer.objects.open().filter(referral=referral).values_list("place_id", flat=True))
    for place_id in places:
        courses.let_run_out(place_id=place_id, by=by, now=now)
    if places:
        turns.ring_anyway()


_WAITING = Prepared(lambda blank: WaitingEntry.objects.waiting().filter(referral_id=blank("referral_id")))


def end_waiting(referral: Referral, *, cause: WaitingCause, by: Actor, now: dt.datetime) -> bool:
    """Take a locked referral off the waiting list, and call back what is on offer; whether it was on it. Composed."""
    entry = _WAITING.first(referral_id=referral.pk)
    if entry is None:
        return False
    entry.ended_cause = cause
    change_status(
        entry,
        WaitingStatus.ENDED,
        transitions=WAITING_TRANSITIONS,
        action="waiting.ended",
        referral=referral,
        subject=f"waiting:{entry.pk}",
        by=by,
        now=now,
        words=f"No longer on the waiting list: {mid_sentence(cause.label)}.",
        fields=["ended_cause"],
    )
    call_back(referral, by=by, now=now)
    return True


def lapse(*, offer_id: int, by: Actor, now: dt.datetime) -> bool:
    """Let an offered place go whose time is over; returns whether it went. Durable.

    Who waits is told, and waits on; who may not book any more is told when they are taken off the list.
    """
    with transaction.atomic(durable=True):
        lock_all_of(PlaceOffer.objects.values_list("referral_id", flat=True).get(pk=offer_id))
        run_out = PlaceOffer.objects.open().filter(place__held_until__lte=now)
        offer = run_out.with_session().filter(pk=offer_id).first()
        if offer is None:
            return False  # answered just now
        is_wanted = offer.entry is None or offer.entry.status == WaitingStatus.WAITING
        close(offer, PlaceOfferStatus.LAPSED if is_wanted else PlaceOfferStatus.ENDED, by=by, now=now)
        if offer.entry and is_wanted and not turns.overdue(now=now).filter(pk=offer.entry.pk).exists():
            waiting_messages.passed(offer, now=now)
    return True
