"""Outcome returns of a force, and what is due."""

from django.db.models import QuerySet, Subquery

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


def outcomes_due(*, force: Force | str) -> int:
    """How many outcomes the next return will hold: those that none holds and the force has not acknowledged."""
    code = force.pk if isinstance(force, Force) else force
    acknowledged = OutcomeSequence.objects.filter(pk=code).values("acknowledged")
    due = Outcome.objects.of_force(force).filter(returned_in__isnull=True, sequence__gt=Subquery(acknowledged))
    return due.count()
