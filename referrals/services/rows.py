"""Writing what became of a slice's rows, and how far the batch has come, in the slice's own transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import F

from common.copy import copy_text, copy_value
from referrals.cells import sealed
from referrals.constants import BatchStatus, RowState
from referrals.errors import ClaimLostError
from referrals.models import COUNTS, Batch
from referrals.rules import Problem
from referrals.services.checking import Prepared

_COLUMNS = (
    "batch_id",
    "number",
    "state",
    "row_force_code",
    "reference",
    "content_hash",
    "cells_encrypted",
    "errors",
    "warnings",
    "changes",
    "decision",
    "decided_by",
    "decision_reason",
)


class Settled(NamedTuple):
    """A row and what became of it."""

    row: Prepared
    state: str
    problems: tuple[Problem, ...] = ()
    changes: dict[str, list[str]] = {}


def as_found(row: Prepared) -> Settled:
    """The row as its own file left it."""
    return Settled(row, row.state, row.problems)


def write_rows(batch: Batch, settled: Sequence[Settled]) -> None:
    """COPY the slice's rows. Raises IntegrityError where one of them was written before."""
    batch_id = str(batch.pk)
    with connection.cursor() as cursor:
        copy_text(cursor, "referrals_batchrow", _COLUMNS, "".join([_line(batch_id, each) for each in settled]))


def keep_claim(batch: Batch) -> None:
    """Lock the batch to the end of the slice. Raises ClaimLostError where somebody else went on with it."""
    mine = Batch.objects.select_for_update(no_key=True).filter(
        pk=batch.pk, status=BatchStatus.RUNNING, attempts=batch.attempts, settled_to=batch.settled_to
    )
    if not mine.values_list("pk"):
        raise ClaimLostError


def advance(batch: Batch, settled: Sequence[Settled], *, rows_read: int, claimed_until: datetime) -> None:
    """Count the slice into its batch, which `keep_claim` has locked, and renew the claim."""
    counts = Counter(each.state for each in settled)
    Batch.objects.filter(pk=batch.pk).update(
        rows=F("rows") + len(settled),
        rows_read=rows_read,
        settled_to=settled[-1].row.number,
        claimed_until=claimed_until,
        warnings=F("warnings") + sum(len(each.row.warnings) for each in settled if each.state in _WARNED),
        **{name: F(name) + counts[name] for name in COUNTS if counts[name]},
    )


_WARNED = frozenset({RowState.NEW, RowState.CHANGED, RowState.QUARANTINED})
_KEPT = frozenset({RowState.REJECTED, RowState.QUARANTINED})


def _line(batch_id: str, settled: Settled) -> str:
    row, state, problems, changes = settled
    cells = sealed(row.cells).hex() if state in _KEPT else ""
    warnings = _json(row.warnings) if state in _WARNED else "[]"
    return (
        f"{batch_id}\t{row.number}\t{state}\t{row.key[0]}\t{row.key[1]}\t\\\\x{row.content.hex()}\t\\\\x{cells}\t"
        f"{_json(problems)}\t{warnings}\t{copy_value(changes) if changes else '{}'}\t\t\t\n"
    )


@lru_cache(maxsize=4096)
def _json(problems: tuple[Problem, ...]) -> str:
    return copy_value(as_dicts(problems)) if problems else "[]"


def as_dicts(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Problems as the receipt tells them."""
    return [each._asdict() for each in problems]
