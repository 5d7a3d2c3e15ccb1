"""How far a batch has come: its claim, and its counts, in the transaction of each slice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from common.prepared import Prepared
from referrals.constants import UNFINISHED, BatchStatus
from referrals.errors import ClaimLostError
from referrals.models import COUNTS, Batch

# For a slice of a thousand rows Django would take as long to make these two as PostgreSQL for forty of the rows.
_MINE = Prepared(
    lambda blank: (
        Batch.objects.select_for_update(no_key=True)
        .filter(pk=blank("pk"), status=BatchStatus.RUNNING, attempts=blank("attempts"), settled_to=blank("settled_to"))
        .values_list("pk")
        .order_by()
    )
)
_ADVANCE = (
    "UPDATE referrals_batch SET rows = rows + %s, rows_read = %s, rows_checked = %s, warnings = warnings + %s, "  # noqa: S608
    + "".join(f'"{name}" = "{name}" + %s, ' for name in COUNTS)  # fixed column names
    + "settled_to = %s, claimed_until = %s WHERE id = %s"
)


def keep_claim(batch: Batch) -> None:
    """Lock the batch to the end of the slice. Raises ClaimLostError where somebody else went on with it."""
    if not _MINE.all(pk=batch.pk, attempts=batch.attempts, settled_to=batch.settled_to):
        raise ClaimLostError


def change_claimed(batch: Batch, **fields: Any) -> None:
    """Write fields of a batch that is not finished. Raises ClaimLostError where somebody else has claimed it since."""
    mine = Batch.objects.filter(pk=batch.pk, attempts=batch.attempts, status__in=UNFINISHED)
    if not mine.update(**fields):
        raise ClaimLostError


def advance(
    batch: Batch,
    *,
    settled_to: int,
    states: Mapping[str, int],
    warnings: int,
    read: int,
    checked: int,
    claimed_until: datetime,
) -> None:
    """Count a slice into its batch, which `keep_claim` has locked, and renew the claim.

    `read` and `checked` are how far the run is ahead at this moment, in rows of the whole file.
    """
    rows = sum(states.values())
    counts = (states.get(name, 0) for name in COUNTS)
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, [rows, read, checked, warnings, *counts, settled_to, claimed_until, batch.pk])
