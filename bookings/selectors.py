"""Reads for the candidate's pages: what can be booked and why the rest cannot, and what is booked."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Q, Value, When

from bookings import rules
from bookings.constants import LIVE, UNSETTLED_LATE, BookingStatus, NeedKind
from bookings.models import Booking, LatePayment, Move, Need, PlaceOffer, Policy, WaitingEntry
from bookings.rules import Hidden
from common.clock import end_of_london_day, london_day, start_of_london_day
from courses.constants import Mode
from courses.models import CourseVersion, Session, Venue
from payments import selectors as fees
from payments.constants import AttemptStatus, Purpose
from payments.models import Attempt, Charge, Refund
from referrals.constants import BOOKABLE
from referrals.models import Outcome, Referral

Annotated = Any  # sessions with `hidden`, which the types of a QuerySet do not know


# A week with fewer than this to choose from is shown together with the next.
FEWEST_DATES = 5
# More than anybody reads out on the telephone.
MOST_DATES = 60


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the candidate would rather have; empty is anything. `town` is a venue's, for courses in person."""

    mode: str = ""
    part: str = ""
    town: str = ""
    week: dt.date | None = None


class Group(NamedTuple):
    """Open sessions that a candidate has no reason to tell apart: how many start then, in that way and town."""

    starts_at: dt.datetime
    mode: str
    town: str | None
    is_step_free: bool | None
    hidden: str
    sessions: int


@dataclass(frozen=True, kw_only=True)
class OpenSessions:
    """A page of what can be booked, where the other pages are, and what is not shown and why. `week` is its first."""

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
    """What an offer can be booked on, a page of weeks, the next available first, and why the rest is not shown.

    What does not fit the candidate's `needs` (`NeedKind`) is among the rest. Where a booking is to be moved, its own
    session stands in its week too and is counted nowhere. Three queries, however many sessions there are: all are
    counted, and only those of the page are loaded. A week that has nothing gives the next one that has.
    """
    policy = moving.policy if moving else Policy.objects.on(london_day(now))
    present = moving.place.session_id if moving else 0
    offered = (
        Session.objects.open()
        .filter(course_type_id=referral.course_type_id, starts_at__gt=now)
        .annotate(hidden=_hidden_because(referral, closes_minutes=policy.closes_minutes, now=now))
    )
    hidden: Counter[Hidden] = Counter()
    modes: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    towns: Counter[str] = Counter()
    matching: Counter[dt.date] = Counter()
    bookable = 0
    for group in _groups(offered.exclude(pk=present)):
        why = group.hidden or ("" if _fits(group.mode, group.is_step_free, needs) else Hidden.NEEDS)
        if why:
            hidden[Hidden(why)] += group.sessions
            continue
        bookable += group.sessions
        parts_of_day = rules.parts_of_day(group.starts_at)
        is_mode = not filters.mode or group.mode == filters.mode
        is_part = not filters.part or filters.part in parts_of_day
        is_town = not filters.town or group.town == filters.town
        if is_mode and is_part and is_town:
            matching[rules.week_of(group.starts_at)] += group.sessions
        if is_part and is_town:
            modes[group.mode] += group.sessions
        if is_mode and is_town:
            for part in parts_of_day:
                parts[part] += group.sessions
        if is_mode and is_part and group.town:
            towns[group.town] += group.sessions
    pages = rules.pages_of_weeks(matching, fewest=FEWEST_DATES)
    at = _page_shown(pages, filters.week)
    return OpenSessions(
        sessions=_of_weeks(offered, *pages[at], filters, needs, present) if pages else [],
        hold_minutes=policy.hold_minutes,
        week=pages[at][0] if pages else None,
        earlier=pages[at - 1][0] if at else None,
        later=pages[at + 1][0] if at + 1 < len(pages) else None,
        matching=matching.total(),
        bookable=bookable,
        hidden=dict(hidden),
        modes=modes,
        parts=parts,
        towns=towns,
    )


def _hidden_because(referral: Referral, *, closes_minutes: int, now: dt.datetime) -> Case:
    """Why an open session cannot be booked, or "" where it can; of several reasons the one that no change mends."""
    return Case(
        When(ends_at__gte=end_of_london_day(referral.complete_by), then=Value(Hidden.AFTER_COMPLETE_BY.value)),
        When(starts_at__lt=now + dt.timedelta(minutes=closes_minutes), then=Value(Hidden.TOO_SOON.value)),
        When(places_claimed__gte=F("capacity"), then=Value(Hidden.FULL.value)),
        default=Value(""),
    )


def _groups(offered: Annotated) -> Iterable[Group]:
    """Counted by the database: thousands of sessions would cost more to load than to show."""
    told = offered.values_list("starts_at", "mode", "room__venue__town", "room__venue__is_step_free", "hidden")
    return map(Group._make, told.annotate(sessions=Count("pk")).order_by())


def _of_weeks(
    offered: Annotated, first: dt.date, last: dt.date, filters: Filters, needs: Collection[str], present: int
) -> list[Session]:
    """The sessions of some weeks that can be booked, fit and match, with their rooms; among them the present one."""
    wanted = Q(hidden="")
    if filters.mode:
        wanted &= Q(mode=filters.mode)
    if filters.town:
        wanted &= Q(room__venue__town=filters.town)
    begins, ends = start_of_london_day(first), start_of_london_day(last + dt.timedelta(days=7))
    shown = offered.filter(wanted | Q(pk=present), starts_at__gte=begins, starts_at__lt=ends)
    return [
        session
        for session in shown.select_related("room__venue").order_by("starts_at", "pk")
        if session.pk == present
        or ((not filters.part or filters.part in rules.parts_of_day(session.starts_at)) and is_fit(session, needs))
    ]


def _page_shown(pages: list[tuple[dt.date, dt.date]], wanted: dt.date | None) -> int:
    """The page with the week that is asked for, or the next one there is; the first where none is."""
    if wanted is None or not pages:
        return 0
    return next((at for at, (_, last) in enumerate(pages) if last >= wanted), len(pages) - 1)


def dates_for(
    referral: Referral,
    *,
    now: dt.datetime,
    needs: Collection[str] = (),
    mode: str = "",
    moving: Booking | None = None,
    most: int = MOST_DATES,
) -> list[Session]:
    """The next sessions that an offer can be booked on, or a booking be moved to, and that fit. Two queries."""
    policy = moving.policy if moving else Policy.objects.on(london_day(now))
    offered = (
        Session.objects.open()
        .filter(course_type_id=referral.course_type_id, starts_at__gt=now)
        .exclude(pk=moving.place.session_id if moving else 0)
        .annotate(hidden=_hidden_because(referral, closes_minutes=policy.closes_minutes, now=now))
        .filter(hidden="", **({"mode": mode} if mode else {}))
        .with_room()
        .order_by("starts_at", "pk")
    )
    return [session for session in offered[: 4 * most] if is_fit(session, needs)][:most]


def needs_of(referral_id: int) -> list[Need]:
    """What a candidate needs, in the order they told it."""
    return list(Need.objects.standing().filter(referral_id=referral_id).order_by("pk"))


def is_fit(session: Session, needs: Collection[str]) -> bool:
    """Whether somebody with these needs can take part in a session, which comes with its room."""
    return _fits(session.mode, session.room is not None and session.room.venue.is_step_free, needs)


def _fits(mode: str, is_step_free: bool | None, needs: Collection[str]) -> bool:
    return rules.fits_needs(
        is_digital=mode == Mode.DIGITAL,
        is_step_free=bool(is_step_free),
        is_offline=NeedKind.NO_INTERNET in needs,
        needs_step_free=NeedKind.STEP_FREE in needs,
    )


def current_booking(referral: Referral) -> Booking | None:
    """The booking a candidate's pages speak of: the live one, else the last there was. One query.

    It comes with its session and policy, and with `referral` itself, which has its course type.
    """
    theirs = Booking.objects.select_related("place__session__room__venue", "policy").filter(referral=referral)
    # Of the few that a referral has, at most one is live.
    found = theirs.order_by(Case(When(status__in=LIVE, then=0), default=1), "-created_at", "-pk").first()
    if found is not None:
        found.referral = referral
        if found.place.session.course_type_id == referral.course_type_id:
            found.place.session.course_type = referral.course_type
    return found


def last_move(booking_id: int) -> Move | None:
    """The last move of a booking, whatever became of it, with both its dates and its charge."""
    moves = Move.objects.select_related(
        "charge", "from_place__session", "place__session__course_type", "place__session__room__venue"
    )
    return moves.filter(booking=booking_id).order_by("-pk").first()


def outcome_of(booking: Booking) -> Outcome | None:
    """How the course went, as the police are told: the last line for this booking."""
    lines = Outcome.objects.filter(referral_id=booking.referral_id, provider_reference=booking.reference)
    return lines.order_by("-sequence").first()


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
class MadeUnder:
    """How many holds and bookings keep a policy."""

    valid_from: dt.date
    held: int
    confirmed: int


def made_under() -> list[MadeUnder]:
    """Every policy with what is open under it, the newest first, in one query."""
    counted = Policy.objects.annotate(
        held=Count("booking", filter=Q(booking__status=BookingStatus.HELD)),
        confirmed=Count("booking", filter=Q(booking__status=BookingStatus.CONFIRMED)),
    ).order_by("-valid_from")
    return [MadeUnder(**row) for row in counted.values("valid_from", "held", "confirmed")]


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


def late_payment(referral_id: int) -> LatePayment | None:
    """The last payment of a referral that came after its place had gone, whatever became of it."""
    payments = LatePayment.objects.filter(booking__referral=referral_id).select_related("charge")
    return payments.order_by("-pk").first()


def has_unsettled_payment(referral_id: int) -> bool:
    """Whether a payment waits for its candidate to choose another date."""
    return LatePayment.objects.filter(booking__referral=referral_id, status__in=UNSETTLED_LATE).exists()


def late_dates(payment: LatePayment, *, now: dt.datetime) -> list[PlaceOffer]:
    """The dates still held for a late payment, the next first, with their sessions."""
    offers = PlaceOffer.objects.open().with_session().filter(payment=payment, place__held_until__gt=now)
    return list(offers.order_by("place__session__starts_at", "pk"))


def offer_to(referral_id: int, key: str) -> PlaceOffer | None:
    """The offer with this key as a page sent it, if it is this referral's."""
    if not key.isdecimal() or len(key) > 18:
        return None
    return PlaceOffer.objects.filter(referral=referral_id, pk=int(key)).first()


def waiting_entry(referral_id: int) -> WaitingEntry | None:
    """Where a referral is on the waiting list, if it is."""
    return WaitingEntry.objects.waiting().filter(referral=referral_id).first()


def waiting_offer(referral_id: int, *, now: dt.datetime) -> PlaceOffer | None:
    """The place that came free and is held for who waits, with its session."""
    held = PlaceOffer.objects.open().filter(entry__isnull=False, place__held_until__gt=now)
    return held.with_session().filter(referral=referral_id).first()


def ways_of(course_type_id: int) -> list[str]:
    """The modes in which a course is given to come."""
    return list(
        CourseVersion.objects.filter(course_type=course_type_id, valid_to=None)
        .order_by("mode")
        .values_list("mode", flat=True)
        .distinct()
    )


def venues() -> list[Venue]:
    """The venues that are in use, by town."""
    return list(Venue.objects.filter(is_active=True))
