"""Claiming rows as work: the rows are the queue, and a claim is a time until which nobody else takes the row up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import models, transaction
from django.db.models import F, Q

Row = TypeVar("Row", bound=models.Model)


def claim(
    waiting: "models.QuerySet[Row]", *, now: datetime, limit: int, seconds: int, ordering: Sequence[str] = ("id",)
) -> list[Row]:
    """Claim up to `limit` of the rows in `waiting` that nobody holds, for `seconds`; returns them in `ordering`.

    The model has `claimed_until` (instant or null) and `attempts` (integer, counted up by each claim). Rows that
    another worker is just claiming are passed over, not waited for. Commits before it returns, so call it outside
    any transaction; a worker that dies leaves its claim to run out.
    """
    free = waiting.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)).order_by(*ordering)
    until = now + timedelta(seconds=seconds)
    with transaction.atomic(durable=True):
        rows = list(free.select_for_update(skip_locked=True, of=("self",))[:limit])
        waiting.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(
            claimed_until=until, attempts=F("attempts") + 1
        )
    for row in rows:
        row.claimed_until = until  # type: ignore[attr-defined]
        row.attempts += 1  # type: ignore[attr-defined]
    return rows
