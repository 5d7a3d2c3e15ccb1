"""How far a batch has come: its claim, and its counts, in the transaction of each slice."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import F

from referrals.constants import BatchStatus
from referrals.errors import ClaimLostError
from referrals.models import COUNTS, Batch


def keep_claim(batch: Batch) -> None:
    """Lock the batch to the end of the slice. Raises ClaimLostError where somebody else went on with it."""
    mine = Batch.objects.select_for_update(no_key=True).filter(
        pk=batch.pk, status=BatchStatus.RUNNING, attempts=batch.attempts, settled_to=batch.settled_to
    )
    if not mine.values_list("pk"):
        raise ClaimLostError


def advance(
    batch: Batch, *, settled_to: int, states: Mapping[str, int], warnings: int, claimed_until: datetime
) -> None:
    """Count a slice into its batch, which `keep_claim` has locked, and renew the claim."""
    rows = sum(states.values())
    Batch.objects.filter(pk=batch.pk).update(
        rows=F("rows") + rows,
        rows_read=F("rows_read") + rows,
        settled_to=settled_to,
        claimed_until=claimed_until,
        warnings=F("warnings") + warnings,
        **{name: F(name) + states[name] for name in COUNTS if states.get(name)},
    )
