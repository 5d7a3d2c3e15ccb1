"""What waits for a person at KCC just now, for the first page of admin."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet
from django.urls import reverse

from bookings.constants import NEEDS_TO_DO
from bookings.models import Need
from notifications import selectors as notifications
from oversight.models import Breach
from payments.constants import DISPUTES_WAITING, RefundStatus
from payments.models import Dispute, ReconciliationException, Refund
from referrals import selectors as referrals

# More than this is said as "100 or more": nobody counts a backlog, and counting it costs.
MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """One work list that is not empty."""

    words: str
    how_many: str
    href: str


def waiting_for(user: AbstractBaseUser | AnonymousUser) -> list[Waiting]:
    """The work lists that hold something and that this person may open, the most pressing first."""
    found = []
    for permission, words, rows, name, query in _lists():
        if not user.has_perm(permission):  # type: ignore[union-attr]  # every user of ours has it
            continue
        count = rows.order_by()[:MOST_COUNTED].count()
        if count:
            how_many = f"{MOST_COUNTED} or more" if count == MOST_COUNTED else str(count)
            found.append(Waiting(words, how_many, f"{reverse(f'admin:{name}_changelist')}{query}"))
    return found


def _lists() -> Iterator[tuple[str, str, QuerySet[Any], str, str]]:
    """Permission, words, rows, the list's name and how it is narrowed."""
    disputes = Dispute.objects.filter(status__in=DISPUTES_WAITING)
    yield "payments.view_dispute", "Disputes to answer", disputes, "payments_dispute", "?waits=yes"
    refunds = Refund.objects.filter(status=RefundStatus.WAITING)
    yield (
        "payments.view_refund",
        "Refunds to decide on",
        refunds,
        "payments_refund",
        "?needs=decision",
    )
    failed = Refund.objects.filter(status=RefundStatus.FAILED)
    yield "payments.view_refund", "Refunds that failed", failed, "payments_refund", "?needs=settling"
    differences = ReconciliationException.objects.filter(gone_at=None, resolved_at=None)
    yield (
        "payments.view_reconciliationrun",
        "Differences with Stripe to explain",
        differences,
        "payments_reconciliationrun",
        "?status__exact=EXCEPTIONS",
    )
    needs = Need.objects.filter(status__in=NEEDS_TO_DO)
    yield "bookings.view_need", "Needs to arrange", needs, "bookings_need", ""
    rows = referrals.undecided_rows()
    yield "referrals.view_batchrow", "Police rows to decide on", rows, "referrals_batchrow", "?undecided=yes"
    untold = notifications.untold()
    yield "notifications.view_untold", "People who could not be told", untold, "notifications_untold", ""
    unseen = Breach.objects.filter(seen_at=None)
    yield "oversight.view_breach", "Missed promises nobody has looked at", unseen, "oversight_breach", "?state=unseen"
