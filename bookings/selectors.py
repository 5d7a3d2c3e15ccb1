"""Reads for the candidate's pages: what can be booked and why the rest cannot, and what is booked."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, Q

from bookings import rules
from bookings.constants import LIVE, NeedKind
from bookings.models import Booking, Move, Need, Policy
from bookings.rules import Hidden
from common.clock import london_day
from courses.constants import Mode
from courses.models import Session
from payments import selectors as fees
from payments.constants import AttemptStatus, Purpose
from payments.models import Attempt, Charge, Refund
from referrals.constants import BOOKABLE
from referrals.models import Referral


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the candidate would rather have; empty is anything. `town` is a venue's, for courses in person."""

    mode: str = ""
    part: str = ""
    town: str = ""
    week: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the list needs to know of a session to sort it in."""

    pk: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    mode: str
    town: str
    is_step_free: bool
    places_left: int

    def matches(self, filters: Filters, *, but: str = "") -> bool:
        """Whether it is what the candidate would rather have, leaving out the filter named by `but`."""
        return (
            (but == "mode" or not filters.mode or self.mode == filters.mode)
            and (but == "part" or not filters.part or filters.part in rules.parts_of_day(self.starts_at))
            and (but == "town" or not filters.town or self.town == filters.town)
        )

    def fits(self, needs: Collection[str]) -> bool:
        """Whether somebody with these needs can take part in it."""
        return rules.fits_needs(
            is_digital=self.mode == Mode.DIGITAL,
            is_step_free=self.is_step_free,
            is_offline=NeedKind.NO_INTERNET in needs,
            needs_step_free=NeedKind.STEP_FREE in needs,
        )

    @property
    def week(self) -> dt.date:
        """The Monday of its London week."""
        day = london_day(self.starts_at)
        return day - dt.timedelta(days=day.weekday())


@dataclass(frozen=True, kw_only=True)
class OpenSessions:
    """One week of what can be booked, where the other weeks are, and what is not shown and why."""

    sessions: list[Session]
    hold_minutes: int
    week: dt.date | None = None
    earlier: dt.date | None = None
    later: dt.date | None = None
    matching: int = 0
    bookable: int = 0
    hidden: Mapping[Hidden, int] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    towns: Mapping[str, int] = field(default_factory=dict)

    @property
    def not_matching(self) -> int:
        """How many could be booked but are not what the filters ask for."""
        return self.bookable - self.matching


def open_sessions(
    referral: Referral,
    *,
    now: dt.datetime,
    filters: Filters,
    needs: Collection[str] = (),
    moving: Booking | None = None,
) -> OpenSessions:
    """What an offer can be booked on, one week of it, the next available first, and why the rest is not shown.

    What does not fit the candidate's `needs` (`NeedKind`) is among the rest. Where a booking is to be moved, its own
    session stands in its week too and is counted nowhere. Three queries, however many sessions there are. A week that
    has nothing gives the next one that has.
    """
    policy = moving.policy if moving else Policy.objects.on(london_day(now))
    present = moving.place.session_id if moving else None
    hidden: Counter[Hidden] = Counter()
    bookable: list[Row] = []
    rows = list(_rows(referral, now))
    for row in rows:
        if row.pk == present:
            continue
        why = rules.hidden_because(
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            places_left=row.places_left,
            complete_by=referral.complete_by,
            closes_minutes=policy.closes_minutes,
            now=now,
        )
        if why is None and not row.fits(needs):
            why = Hidden.NEEDS
        if why:
            hidden[why] += 1
        else:
            bookable.append(row)
    matching = [row for row in bookable if row.matches(filters)]
    weeks = sorted({row.week for row in matching})
    week = _week_shown(weeks, filters.week)
    shown = [row.pk for row in matching if row.week == week]
    shown += [row.pk for row in rows if row.pk == present and row.week == week]
    sessions = list(Session.objects.with_room().filter(pk__in=shown).order_by("starts_at", "pk")) if shown else []
    return OpenSessions(
        sessions=sessions,
        hold_minutes=policy.hold_minutes,
        week=week,
        earlier=max((other for other in weeks if week and other < week), default=None),
        later=min((other for other in weeks if week and other > week), default=None),
        matching=len(matching),
        bookable=len(bookable),
        hidden=dict(hidden),
        modes=Counter(row.mode for row in bookable if row.matches(filters, but="mode")),
        parts=Counter(
            part for row in bookable if row.matches(filters, but="part") for part in rules.parts_of_day(row.starts_at)
        ),
        towns=Counter(row.town for row in bookable if row.town and row.matches(filters, but="town")),
    )


def _rows(referral: Referral, now: dt.datetime) -> Iterable[Row]:
    """Every open session still to come of the course offered, as plain values: models would cost too much."""
    values = (
        Session.objects.open()
        .filter(course_type_id=referral.course_type_id, starts_at__gt=now)
        .order_by("starts_at", "pk")
        .values_list(
            "pk", "starts_at", "ends_at", "mode", "room__venue__town", "room__venue__is_step_free", "capacity",
            "places_claimed",
        )
    )  # fmt: skip
    for pk, starts_at, ends_at, mode, town, is_step_free, capacity, claimed in values.iterator():
        yield Row(
            pk=pk,
            starts_at=starts_at,
            ends_at=ends_at,
            mode=mode,
            town=town or "",
            is_step_free=bool(is_step_free),
            places_left=capacity - claimed,
        )


def _week_shown(weeks: list[dt.date], wanted: dt.date | None) -> dt.date | None:
    if not weeks:
        return None
    if wanted is None:
        return weeks[0]
    return next((week for week in weeks if week >= wanted), weeks[-1])


def needs_of(referral_id: int) -> list[Need]:
    """What a candidate needs, in the order they told it."""
    return list(Need.objects.standing().filter(referral_id=referral_id).order_by("pk"))


def is_fit(session: Session, needs: Collection[str]) -> bool:
    """Whether somebody with these needs can take part in a session, which comes with its room."""
    return rules.fits_needs(
        is_digital=session.mode == Mode.DIGITAL,
        is_step_free=session.room is not None and session.room.venue.is_step_free,
        is_offline=NeedKind.NO_INTERNET in needs,
        needs_step_free=NeedKind.STEP_FREE in needs,
    )


def current_booking(referral_id: int) -> Booking | None:
    """The booking a candidate's pages speak of: the live one, else the last there was. Two queries, one for none."""
    found = Booking.objects.filter(referral_id=referral_id).order_by("-created_at", "-pk").values_list("pk", "status")
    keys = [pk for pk, status in found if status in LIVE] or [pk for pk, _ in found]
    return Booking.objects.with_session().get(pk=keys[0]) if keys else None


def last_move(booking_id: int) -> Move | None:
    """The last move of a booking, whatever became of it, with both its dates and its charge."""
    moves = Move.objects.select_related(
        "charge", "from_place__session", "place__session__course_type", "place__session__room__venue"
    )
    return moves.filter(booking=booking_id).order_by("-pk").first()


def course_charge(booking: Booking) -> Charge | None:
    """The last charge for the course fee of a booking."""
    charges = Charge.objects.filter(booking_reference=booking.reference, purpose=Purpose.COURSE_FEE)
    return charges.order_by("-pk").first()


@dataclass(frozen=True)
class Receipt:
    """What was paid and what went back."""

    payments: list[Attempt]
    refunds: list[Refund]


def receipt_of(booking: Booking) -> Receipt:
    """The payments and refunds of a booking, oldest first. Two queries."""
    return Receipt(
        payments=list(
            Attempt.objects.filter(charge__booking_reference=booking.reference, status=AttemptStatus.PAID)
            .select_related("charge")
            .order_by("paid_at", "pk")
        ),
        refunds=list(Refund.objects.filter(charge__booking_reference=booking.reference).order_by("pk")),
    )


@dataclass(frozen=True, slots=True)
class Sold:
    """How many bookings of a status were sold at a fee."""

    status: str
    fee_pence: int
    bookings: int


@dataclass(frozen=True, slots=True)
class FeeChange:
    """What is open of a course, mode and force where its fee changes: sold already, and offers still to be booked."""

    sold: list[Sold]
    offers: int


def fee_change(*, course_type_id: int, mode: str, force_code: str, on: dt.date) -> FeeChange:
    """Holds and bookings that keep the fee they were sold at, and offers that can be booked on or after a day.

    Without a force: those of all forces that have no fee of their own on that day. Three queries.
    """
    ours = Q(referral__force=force_code)
    theirs = Q(force=force_code)
    if not force_code:
        own = [fee.force_id for fee in fees.forces_with_own_fee(course_type_id=course_type_id, mode=mode, on=on)]
        ours, theirs = ~Q(referral__force__in=own), ~Q(force__in=own)
    live = Booking.objects.live().filter(ours, place__session__course_type=course_type_id, place__session__mode=mode)
    counted = live.values("status", "fee_pence").annotate(bookings=Count("pk")).order_by("-status", "fee_pence")
    offers = Referral.objects.filter(theirs, course_type=course_type_id, status__in=BOOKABLE, book_by__gte=on)
    return FeeChange(sold=[Sold(**row) for row in counted], offers=offers.count())
