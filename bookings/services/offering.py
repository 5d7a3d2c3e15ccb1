"""The sweep of offered places: what time, or a place that came free, brings about."""

import datetime as dt

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from audit import services as audit
from audit.context import Actor
from bookings import rules, waiting_messages
from bookings.constants import WaitingCause
from bookings.models import PlaceOffer, Policy, WaitingEntry
from bookings.services import lapsing, late, offers, turns, waiting
from bookings.services.locking import lock_referral, lock_sessions
from common.clock import london_day, moment_words
from courses import services as courses
from courses.constants import SessionStatus
from courses.models import Session
from referrals.models import Referral

_TRIES = 5


def offer_places(*, by: Actor, now: dt.datetime) -> dict[str, int]:
    """Everything about offered places that time or a freed place brings: the sweep. Returns counts.

    Offers whose time is over pass on; payments that came too late get other dates or go back; every free place
    somebody waits for is held for the one whose turn it is. Who may not book any more waits no longer. Safe to run
    twice and at once.
    """
    ended = _end_overdue(by=by, now=now)
    lapsed = lapsing.lapse_offers(by=by, now=now)
    settled = late.settle(by=by, now=now)
    _follow_courses()
    offered = sum(_offer_on(session_id, by=by, now=now) for session_id in _sessions_to_offer(now))
    return {"ended": ended, "lapsed": lapsed, **settled, "offered": offered}


def _end_overdue(*, by: Actor, now: dt.datetime) -> int:
    """Take off the list who has nothing booked and may not book any more, and tell them; how many."""
    overdue = turns.overdue(now=now).order_by("referral_id").values_list("referral_id", flat=True)
    return sum(_end_one(referral_id, by=by, now=now) for referral_id in list(overdue))


def _end_one(referral_id: int, *, by: Actor, now: dt.datetime) -> bool:
    with transaction.atomic(durable=True):
        referral = lock_referral(referral_id)
        entry = turns.overdue(now=now).filter(referral=referral).first()
        if entry is None:
            return False  # more time was given, or somebody was quicker
        offers.end_waiting(referral, cause=WaitingCause.EXPIRED, by=by, now=now)
        waiting_messages.ended(referral, entry_id=entry.pk, now=now)
    return True


def _follow_courses() -> None:
    """Police may decide on another course while somebody waits: they wait for that one then."""
    theirs = Referral.objects.filter(pk=OuterRef("referral")).values("course_type")
    WaitingEntry.objects.waiting().exclude(course_type=F("referral__course_type")).update(course_type=Subquery(theirs))


def _sessions_to_offer(now: dt.datetime) -> list[int]:
    policy = Policy.objects.on(london_day(now))
    courses_waited_for = list(WaitingEntry.objects.waiting().values_list("course_type", flat=True).distinct())
    if not courses_waited_for:
        return []
    sessions = turns.with_london_times(Session.objects.open()).filter(
        turns.is_waited_for(now=now),
        course_type__in=courses_waited_for,
        starts_at__gt=now + dt.timedelta(minutes=policy.closes_minutes),
        places_claimed__lt=F("capacity"),
    )
    return list(sessions.order_by("starts_at", "pk").values_list("pk", flat=True))


def _offer_on(session_id: int, *, by: Actor, now: dt.datetime) -> int:
    """Offer what is free on a session, one place after the other; how many."""
    count = tries = 0
    while tries < _TRIES:
        try:
            if not _offer_one(session_id, by=by, now=now):
                break
        except _NotTheirsError:
            tries += 1
        else:
            count += 1
    return count


class _NotTheirsError(Exception):
    """Whoever's turn it seemed to be has changed under the look: all locks are let go and the look is taken anew."""


def _offer_one(session_id: int, *, by: Actor, now: dt.datetime) -> bool:
    with transaction.atomic(durable=True):
        session = lock_sessions({session_id})[session_id]
        policy = Policy.objects.on(london_day(now))
        closes_at = session.starts_at - dt.timedelta(minutes=policy.closes_minutes)
        if session.status != SessionStatus.OPEN or closes_at <= now or session.places_claimed >= session.capacity:
            return False
        entry = turns.in_turn(session, now=now).first()
        if entry is None:
            return False
        referral = lock_referral(entry.referral_id)
        if not turns.in_turn(session, now=now).filter(pk=entry.pk).exists():
            raise _NotTheirsError
        booking = waiting.booked(referral.pk)
        until = rules.waiting_offer_until(
            now=now,
            hours=policy.waiting_offer_hours,
            starts_at=session.starts_at,
            closes_minutes=policy.closes_minutes,
            last_day=referral.complete_by if booking else referral.book_by,
        )
        place = courses.hold_place(session_id=session_id, holder=referral.key, until=until, by=by, now=now)
        offer = PlaceOffer.objects.create(
            referral=referral, place=place, entry=entry, offered_at=now, until=until, status_at=now, status_by=str(by)
        )
        audit.record(
            "offer.made",
            by=by,
            now=now,
            words=(
                f"A place came free on {moment_words(session.starts_at)} and is held for who waits"
                f" until {moment_words(until)}."
            ),
            referral_key=referral.key,
            subject=f"offer:{offer.pk}",
            data={"session": session.pk},
        )
        waiting_messages.offered(offer, session=session, booking=booking, now=now)
    return True
