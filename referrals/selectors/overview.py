"""A force's open offers, and its figures of the day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from common.clock import london_day, start_of_london_day
from common.prepared import Prepared
from referrals.constants import BOOKABLE, OutcomeCode, ReferralStatus
from referrals.models import Force, Outcome, Referral
from referrals.selectors.batches import undecided_rows
from referrals.selectors.deciding import failed_since, prosecutable_since

OPEN_OFFERS = {
    "live": "Offered, nothing booked",
    "booked": "Booked",
    "not-completed": "Not completed, may book again",
    "within-7-days": "Unbooked, complete by within 7 days",
    "within-14-days": "Unbooked, complete by within 14 days",
}
_OF_STATUS = {
    "live": ReferralStatus.LIVE,
    "booked": ReferralStatus.BOOKED,
    "not-completed": ReferralStatus.NOT_COMPLETED,
}
_WITHIN_DAYS = {"within-7-days": 7, "within-14-days": 14}


def open_offers(*, force: Force | str, which: str, now: datetime) -> "QuerySet[Referral]":
    """Open offers of a force, those that end first before the others: one of the lists in `OPEN_OFFERS`."""
    today = london_day(now)
    listed = _listed(which, lambda days: today + timedelta(days=days))
    return Referral.objects.of_force(force).filter(listed).select_related("course_type").order_by("complete_by", "pk")


def _listed(which: str, day: Callable[[int], Any]) -> Q:
    # `day` says which date it is in so many days.
    if status := _OF_STATUS.get(which):
        return Q(status=status)
    return Q(status__in=BOOKABLE, complete_by__range=(day(0), day(_WITHIN_DAYS[which])))


@dataclass(frozen=True)
class Figure:
    """How many offers are in one of the lists of open ones."""

    which: str
    words: str
    count: int


@dataclass(frozen=True)
class Dashboard:
    """A force's figures of the day."""

    open: list[Figure]
    completed_lately: int
    waiting_for_decision: int
    unreported: int
    to_be_decided: int
    completed_since: date


def dashboard(*, force: Force | str, now: datetime) -> Dashboard:
    """Count what is open, what ends soon and what waits. Reads indexes of open offers only, never the whole table."""
    code = force.pk if isinstance(force, Force) else force
    today = london_day(now)
    since = today - timedelta(days=30)
    days = {f"in {days}": today + timedelta(days=days) for days in (0, *_WITHIN_DAYS.values())}
    counts = _OPEN.first(force=code, **days) or [0] * len(OPEN_OFFERS)
    return Dashboard(
        open=[Figure(which, words, count) for (which, words), count in zip(OPEN_OFFERS.items(), counts, strict=True)],
        completed_lately=_COMPLETED.first(force=code, since=start_of_london_day(since)) or 0,
        waiting_for_decision=_UNDECIDED.first(force=code) or 0,
        to_be_decided=_TO_BE_DECIDED.first(force=code, since=prosecutable_since(now=now)) or 0,
        unreported=_UNREPORTED.first(force=code) or 0,
        completed_since=since,
    )


_OPEN = Prepared(
    lambda blank: (
        Referral.objects.of_force(blank("force"))
        .filter(status__in=_OF_STATUS.values())
        .values("force")
        .annotate(
            **{
                which: Count("status", filter=_listed(which, lambda days: blank(f"in {days}")))
                for which in OPEN_OFFERS
            }
        )
        .values_list(*OPEN_OFFERS)
    )
)
_COMPLETED = Prepared(
    lambda blank: _count(
        Outcome.objects.of_force(blank("force")).filter(outcome=OutcomeCode.COMPLETED, recorded_at__gte=blank("since"))
    )
)
_UNREPORTED = Prepared(lambda blank: _count(Outcome.objects.of_force(blank("force")).filter(returned_at__isnull=True)))
_UNDECIDED = Prepared(lambda blank: _count(undecided_rows(force=blank("force")), of="batch__force"))
_TO_BE_DECIDED = Prepared(lambda blank: _count(failed_since(force=blank("force"), since=blank("since"))))


def _count(found: "QuerySet[Any]", *, of: str = "force") -> "QuerySet[Any, int]":
    # One row with the number; no row where there is nothing to count.
    counted: QuerySet[Any, int] = (
        found.order_by().values(of).annotate(count=Count("*")).values_list("count", flat=True)
    )
    return counted
