"""Outcome returns of a force, and what is due."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, QuerySet, Subquery

from common.clock import london_day, start_of_london_day
from common.working_time import add_working_days
from referrals.errors import ReferralNotFoundError
from referrals.models import Force, Outcome, OutcomeReturn, OutcomeSequence


def returns_of(*, force: Force | str) -> "QuerySet[OutcomeReturn]":
    """A force's returns, the latest first."""
    return OutcomeReturn.objects.of_force(force).order_by("-last")


def return_of_force(*, force: Force | str, return_id: int) -> OutcomeReturn:
    """A return of this force. Raises ReferralNotFoundError for any other."""
    found: OutcomeReturn | None = OutcomeReturn.objects.of_force(force).filter(pk=return_id).first()
    if found is None:
        raise ReferralNotFoundError("We do not hold this return.")
    return found


def acknowledged_to(*, force: Force | str) -> int:
    """The last sequence that this force has acknowledged; 0 where it never has."""
    code = force if isinstance(force, str) else force.pk
    return OutcomeSequence.objects.filter(pk=code).values_list("acknowledged", flat=True).first() or 0


def outcomes_due(*, force: Force | str) -> int:
    """How many outcomes the next return will hold: those that none holds and the force has not acknowledged."""
    code = force.pk if isinstance(force, Force) else force
    acknowledged = OutcomeSequence.objects.filter(pk=code).values("acknowledged")
    due = Outcome.objects.of_force(force).filter(returned_in__isnull=True, sequence__gt=Subquery(acknowledged))
    return due.count()


@dataclass(frozen=True)
class Unreported:
    """A force's outcomes that it should have had by now."""

    force_code: str
    count: int
    since: datetime


def unreported(*, now: datetime, force: Force | str | None = None) -> list[Unreported]:
    """The outcomes that no force has had within a working day, of all forces or one (DOMAIN.md §7)."""
    # Due by the end of the next working day: what was recorded on or after this day is still in time.
    in_time = start_of_london_day(add_working_days(london_day(now), -1))
    late = Outcome.objects.filter(returned_at__isnull=True, recorded_at__lt=in_time)
    if force is not None:
        late = Outcome.objects.of_force(force).filter(returned_at__isnull=True, recorded_at__lt=in_time)
    found = late.order_by().values("force_id").annotate(count=Count("pk"), since=Min("recorded_at"))
    return [Unreported(each["force_id"], each["count"], each["since"]) for each in found.order_by("force_id")]
