"""What can be booked, a page of days at a time, and why the rest cannot."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Q, Value, When

from bookings import rules
from bookings.models import Booking, Policy
from bookings.rules import Hidden
from bookings.selectors.needs import is_fit, suits
from common.clock import end_of_london_day, london_day, start_of_london_day
from common.prepared import Blank, Prepared
from courses.models import Session
from referrals.models import Referral

Annotated = Any  # sessions with `hidden`, which the types of a QuerySet do not know


# A week with fewer than this to choose from is shown together with the next,
FEWEST_DATES = 5
# and one with more than this in parts: nobody scrolls through a hundred on a phone.
MOST_ON_A_PAGE = 60
# More than anybody reads out on the telephone.
MOST_DATES = 60


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the candidate would rather have; empty is anything.

    `town` is a venue's, for courses in person; `since` a day of the page to be shown.
    """

    mode: str = ""
    part: str = ""
    town: str = ""
    since: dt.date | None = None


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
    """A page of what can be booked, where the other pages are, and what is not shown and why.

    `first`, `earlier` and `later` are the first days of pages.
    """

    sessions: list[Session]
    hold_minutes: int
    first: dt.date | None = None
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
    """What an offer can be booked on, a page of days, the next available first, and why the rest is not shown.

    What does not fit the candidate's `needs` (`NeedKind`) is among the rest. Where a booking is to be moved, its own
    session stands among its neighbours too and is counted nowhere. Three queries, however many sessions there are:
    all are counted, and only those of the page are loaded. A page that has nothing gives the next one that has.
    """
    policy = moving.policy if moving else Policy.objects.on(london_day(now))
    present = moving.place.session_id if moving else 0
    asked = _asked(referral, closes_minutes=policy.closes_minutes, now=now) | {"present": present}
    hidden: Counter[Hidden] = Counter()
    modes: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    towns: Counter[str] = Counter()
    matching: Counter[dt.date] = Counter()
    bookable = 0
    # Counted by the database: thousands of sessions would cost more to load than to show.
    for group in map(Group._make, _GROUPS.all(**asked)):
        why = group.hidden or ("" if suits(group.mode, group.is_step_free, needs) else Hidden.NEEDS)
        if why:
            hidden[Hidden(why)] += group.sessions
            continue
        bookable += group.sessions
        parts_of_day = rules.parts_of_day(group.starts_at)
        is_mode = not filters.mode or group.mode == filters.mode
        is_part = not filters.part or filters.part in parts_of_day
        is_town = not filters.town or group.town == filters.town
        if is_mode and is_part and is_town:
            matching[rules.day_of(group.starts_at)] += group.sessions
        if is_part and is_town:
            modes[group.mode] += group.sessions
        if is_mode and is_town:
            for part in parts_of_day:
                parts[part] += group.sessions
        if is_mode and is_part and group.town:
            towns[group.town] += group.sessions
    pages = rules.pages_of_days(matching, fewest=FEWEST_DATES, most=MOST_ON_A_PAGE)
    at = _page_shown(pages, filters.since)
    return OpenSessions(
        sessions=_of_days(*pages[at], filters, needs, asked) if pages else [],
        hold_minutes=policy.hold_minutes,
        first=pages[at][0] if pages else None,
        earlier=pages[at - 1][0] if at else None,
        later=pages[at + 1][0] if at + 1 < len(pages) else None,
        matching=matching.total(),
        bookable=bookable,
        hidden=dict(hidden),
        modes=modes,
        parts=parts,
        towns=towns,
    )


def _asked(referral: Referral, *, closes_minutes: int, now: dt.datetime) -> dict[str, Any]:
    """What `_offered` leaves blank."""
    return {
        "course_type_id": referral.course_type_id,
        "now": now,
        "closes_at": now + dt.timedelta(minutes=closes_minutes),
        "completes_at": end_of_london_day(referral.complete_by),
    }


def _offered(blank: Blank) -> Annotated:
    """Open sessions, each with why it is `hidden`, "" where it can be booked: of several reasons the one that no
    change mends.
    """
    why = Case(
        When(ends_at__gte=blank("completes_at"), then=Value(Hidden.AFTER_COMPLETE_BY.value)),
        When(starts_at__lt=blank("closes_at"), then=Value(Hidden.TOO_SOON.value)),
        When(places_claimed__gte=F("capacity"), then=Value(Hidden.FULL.value)),
        default=Value(""),
    )
    course = {"course_type_id": blank("course_type_id"), "starts_at__gt": blank("now")}
    return Session.objects.open().filter(**course).annotate(hidden=why)


_GROUPS = Prepared(
    lambda blank: (
        _offered(blank)
        .exclude(pk=blank("present"))
        .values_list("starts_at", "mode", "room__venue__town", "room__venue__is_step_free", "hidden")
        .annotate(sessions=Count("pk"))
        .order_by()
    )
)


@lru_cache
def _days(*, has_mode: bool, has_town: bool) -> Prepared[Session]:
    """The query of the sessions of some days that match; among them the present one. One for each use of filters."""

    def build(blank: Blank) -> Annotated:
        wanted = Q(hidden="")
        if has_mode:
            wanted &= Q(mode=blank("mode"))
        if has_town:
            wanted &= Q(room__venue__town=blank("town"))
        shown = _offered(blank).filter(
            wanted | Q(pk=blank("present")), starts_at__gte=blank("begins"), starts_at__lt=blank("ends")
        )
        return shown.select_related("room__venue").order_by("starts_at", "pk")

    return Prepared(build)


def _of_days(
    first: dt.date, last: dt.date, filters: Filters, needs: Collection[str], asked: Mapping[str, Any]
) -> list[Session]:
    """The sessions of some days that can be booked, fit and match, with their rooms; among them the present one."""
    shown = _days(has_mode=bool(filters.mode), has_town=bool(filters.town)).all(
        **asked,
        mode=filters.mode,
        town=filters.town,
        begins=start_of_london_day(first),
        ends=start_of_london_day(last + dt.timedelta(days=1)),
    )
    return [
        session
        for session in shown
        if session.pk == asked["present"]
        or ((not filters.part or filters.part in rules.parts_of_day(session.starts_at)) and is_fit(session, needs))
    ]


def _page_shown(pages: list[tuple[dt.date, dt.date]], wanted: dt.date | None) -> int:
    """The page with the day that is asked for, or the next one there is; the first where none is."""
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
    asked = _asked(referral, closes_minutes=policy.closes_minutes, now=now)
    offered = (
        _offered(asked.__getitem__)
        .exclude(pk=moving.place.session_id if moving else 0)
        .filter(hidden="", **({"mode": mode} if mode else {}))
        .with_room()
        .order_by("starts_at", "pk")
    )
    return [session for session in offered[: 4 * most] if is_fit(session, needs)][:most]
