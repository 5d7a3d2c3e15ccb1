"""Whose turn a place is: who waits comes before who passes by.

A place is free for who passes by only where more places are free than people wait for one: whoever holds a place asks
(`check`), under the session's lock. So nobody can come between a place that is given back and its offer to who waits,
however long the offering takes (docs/adr/0019-who-waits-comes-first.md).
"""

import datetime as dt
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, Greatest, TruncDate

from audit.context import Actor
from bookings import rules
from bookings.constants import UNSETTLED_LATE, BookingStatus, MoveStatus, NeedKind
from bookings.errors import PlaceWaitedForError
from bookings.models import Booking, LatePayment, Move, Need, PlaceOffer, Policy, WaitingEntry
from bookings.rules import PartOfDay
from common.bell import ring_on_commit
from common.clock import LONDON, london, london_day
from common.prepared import Prepared
from courses import services as courses
from courses.models import Place, Session
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral

OFFER_PLACES = "bookings.jobs.offer_places"


class _Among(Func):
    """Whether the first expression is an element of the second, an array."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class _IsNull(Func):
    template = "%(expressions)s IS NULL"
    output_field = BooleanField()


class _IsFalse(_IsNull):
    template = "%(expressions)s IS FALSE"


def in_turn(session: Session, *, now: dt.datetime) -> QuerySet[WaitingEntry]:
    """Who waits for a place on this session and may be offered one now, the next in turn first.

    The nearest to complete by comes first; of several, who has waited longest.
    """
    entries = _entries(
        course_type=Value(session.course_type_id),
        mode=Value(session.mode, CharField()),
        venue=Value(session.room.venue_id if session.room else None, IntegerField()),
        step_free=Value(session.room.venue.is_step_free if session.room else None, BooleanField()),
        weekday=Value(london(session.starts_at).isoweekday()),
        part=Value(rules.part_of_day(session.starts_at), CharField()),
        starts_at=Value(session.starts_at, DateTimeField()),
        ends_on=Value(london_day(session.ends_at), DateField()),
        session=Value(session.pk),
        now=now,
    )
    return entries.order_by("referral__complete_by", "created_at", "pk")


def overdue(*, now: dt.datetime) -> QuerySet[WaitingEntry]:
    """Who waits with nothing booked though book by has passed; not while they have a place to pay or to choose."""
    of_theirs = {"referral": OuterRef("referral")}
    unsettled = LatePayment.objects.filter(status__in=UNSETTLED_LATE, booking__referral=OuterRef("referral"))
    return (
        WaitingEntry.objects.waiting()
        .filter(referral__status__in=BOOKABLE, referral__book_by__lt=london_day(now))
        .exclude(Exists(Booking.objects.filter(status=BookingStatus.HELD, **of_theirs)))
        .exclude(Exists(unsettled))
    )


def with_london_times(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Sessions with what people choose by: `weekday` (Monday is 1), `part` of the day; and `ends_on`."""
    return sessions.annotate(
        weekday=ExtractIsoWeekDay("starts_at", tzinfo=LONDON),
        hour=ExtractHour("starts_at", tzinfo=LONDON),
        ends_on=TruncDate("ends_at", tzinfo=LONDON),
    ).annotate(
        part=Case(
            When(hour__lt=rules.NOON, then=Value(PartOfDay.MORNING.value)),
            When(hour__lt=rules.EVENING, then=Value(PartOfDay.AFTERNOON.value)),
            default=Value(PartOfDay.EVENING.value),
            output_field=CharField(),
        )
    )


def free_sessions(referral: Referral, *, now: dt.datetime) -> QuerySet[Session]:
    """The sessions an offer can be booked on at once, because nobody waits for them, `with_london_times`."""
    policy = Policy.objects.on(london_day(now))
    return (
        with_london_times(Session.objects.open())
        .filter(
            Q(ends_on__lte=referral.complete_by),
            _fitting_needs(referral),
            ~is_waited_for(now=now),
            course_type=referral.course_type_id,
            starts_at__gte=now + dt.timedelta(minutes=policy.closes_minutes),
            places_claimed__lt=F("capacity"),
        )
        .order_by("starts_at", "pk")
    )


def _fitting_needs(referral: Referral) -> Q:
    needs = set(Need.objects.standing().filter(referral=referral).values_list("kind", flat=True))
    fits = Q()
    if NeedKind.NO_INTERNET in needs:
        fits &= Q(room__isnull=False)
    if NeedKind.STEP_FREE in needs:
        fits &= Q(room__isnull=True) | Q(room__venue__is_step_free=True)
    return fits


def is_waited_for(*, now: dt.datetime) -> Exists:
    """Of a session `with_london_times`: whether somebody waits for it who may be offered a place now."""
    return Exists(
        _entries(
            course_type=OuterRef("course_type_id"),
            mode=OuterRef("mode"),
            venue=OuterRef("room__venue_id"),
            step_free=OuterRef("room__venue__is_step_free"),
            weekday=OuterRef("weekday"),
            part=OuterRef("part"),
            starts_at=OuterRef("starts_at"),
            ends_on=OuterRef("ends_on"),
            session=OuterRef("pk"),
            now=now,
        )
    )


_OTHERS = Prepared(
    lambda blank: (
        WaitingEntry.objects.waiting()
        .filter(course_type_id=blank("course_type_id"))
        .exclude(referral_id=blank("referral_id"))
        .values_list("pk", flat=True)[:1]
    )
)


def check(session: Session, *, referral: Referral, now: dt.datetime) -> None:
    """Refuse a place on a locked session where all that are free are for others, who wait. One look if nobody waits.

    A place that is held for the referral already is theirs. Raises PlaceWaitedForError.
    """
    others = _OTHERS.first(course_type_id=session.course_type_id, referral_id=referral.pk)
    if others is None or Place.objects.claiming().filter(session=session, holder=referral.key).exists():
        return
    waiting = in_turn(session, now=now).exclude(referral=referral).count()
    if not waiting:
        return
    capacity, claimed = Session.objects.values_list("capacity", "places_claimed").get(pk=session.pk)
    if claimed < capacity <= claimed + waiting:
        raise PlaceWaitedForError


def give_back(*, place_id: int, reason: str, by: Actor, now: dt.datetime) -> None:
    """Release a place, and have it offered to who waits. Composed; locks the place's session."""
    courses.release_place(place_id=place_id, reason=reason, by=by, now=now)
    ring()


def ring() -> None:
    """Have free places offered as soon as the present transaction is committed, if anybody waits at all."""
    if WaitingEntry.objects.waiting().exists():
        ring_anyway()


def ring_anyway() -> None:
    """Have everything that is offered looked through as soon as the present transaction is committed."""
    ring_on_commit(OFFER_PLACES)


def _entries(
    *,
    course_type: Any,
    mode: Any,
    venue: Any,
    step_free: Any,
    weekday: Any,
    part: Any,
    starts_at: Any,
    ends_on: Any,
    session: Any,
    now: dt.datetime,
) -> QuerySet[WaitingEntry]:
    """Entries that want such a session and whose person may have it. The arguments are values, or refer outwards."""
    before = _outwards(session)
    of_theirs = {"referral": OuterRef("referral")}
    needs = Need.objects.standing().filter(**of_theirs)
    return (
        WaitingEntry.objects.waiting()
        .filter(
            Q(modes=[]) | Q(_Among(mode, F("modes"))),
            Q(venue_ids=[]) | Q(_Among(venue, F("venue_ids"))) | Q(_IsNull(venue)),
            Q(weekdays=[]) | Q(_Among(weekday, F("weekdays"))),
            Q(parts=[]) | Q(_Among(part, F("parts"))),
            Q(referral__status__in=BOOKABLE, referral__book_by__gte=london_day(now))
            | Q(Exists(_later_than(starts_at, mode, now=now)), referral__status=ReferralStatus.BOOKED),
            course_type=course_type,
            referral__course_type=F("course_type"),
            referral__complete_by__gte=ends_on,
        )
        .exclude(Q(_IsNull(venue)), Exists(needs.filter(kind=NeedKind.NO_INTERNET)))
        .exclude(Q(_IsFalse(step_free)), Exists(needs.filter(kind=NeedKind.STEP_FREE)))
        .exclude(Exists(PlaceOffer.objects.open().filter(**of_theirs)))
        .exclude(Exists(PlaceOffer.objects.filter(entry=OuterRef("pk"), place__session=before)))
        .exclude(Exists(Booking.objects.filter(status=BookingStatus.HELD, **of_theirs)))
        .exclude(Exists(Move.objects.filter(status=MoveStatus.HELD, booking__referral=OuterRef("referral"))))
        .exclude(Exists(LatePayment.objects.filter(status__in=UNSETTLED_LATE, booking__referral=OuterRef("referral"))))
    )


def _later_than(starts_at: Any, mode: Any, *, now: dt.datetime) -> QuerySet[Booking]:
    """The booking that somebody who waits has for a later date than this start, given in the same way.

    In the same way: what they agreed to holds for it, and they need not be asked anything to be moved.
    """
    return Booking.objects.filter(
        referral=OuterRef("referral"),
        status=BookingStatus.CONFIRMED,
        place__session__starts_at__gt=Greatest(_outwards(starts_at), Value(now, DateTimeField())),
        place__session__mode=_outwards(mode),
    )


def _outwards(expression: Any) -> Any:
    """The same expression from one query further in."""
    return OuterRef(expression) if isinstance(expression, OuterRef) else expression
