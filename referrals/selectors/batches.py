"""Batches, their receipts and rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Min, QuerySet

from referrals.cells import cells_of
from referrals.constants import MOST_ATTEMPTS, UNFINISHED, BatchStatus, RowState
from referrals.errors import BatchNotFoundError
from referrals.files import rejected_csv
from referrals.models import COUNTS, Batch, BatchRow, Force
from referrals.rules import Problem

GROUP_ROWS = 20


def batch_of_force(*, force: Force | str, batch_id: UUID) -> Batch:
    """A batch of this force. Raises BatchNotFoundError for any other."""
    batch: Batch | None = Batch.objects.of_force(force).select_related("force").filter(pk=batch_id).first()
    if batch is None:
        raise BatchNotFoundError
    return batch


def receipt(batch: Batch) -> dict[str, Any]:
    """The receipt of a batch (CONTRACT.md, batch files), as plain JSON values; `settled_at` is null until it is."""
    return {
        "batch": str(batch.pk),
        "kind": batch.kind,
        "force": batch.force_id,
        "sha256": batch.sha256,
        "file_name": batch.file_name,
        "received_at": instant(batch.received_at),
        "settled_at": instant(batch.settled_at),
        "rows": batch.rows,
        **{name: getattr(batch, name) for name in COUNTS},
        "warnings": batch.warnings,
    }


def instant(moment: datetime | None) -> str | None:
    """An instant as JSON holds it: "2026-11-20T10:00:00Z"."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


@dataclass(frozen=True)
class Progress:
    """How far a batch is.

    `is_worked_on`: a worker has it just now. `is_interrupted`: one had begun and is gone, and another will go on.
    `is_left`: so many have failed that a person must look at it. `before_it`: files that are to be done first.
    """

    is_running: bool
    is_worked_on: bool
    is_interrupted: bool
    is_left: bool
    before_it: int
    rows_read: int
    rows_checked: int
    rows_settled: int
    rows_expected: int | None
    percent: int | None
    seconds_left: int | None


def progress(batch: Batch, *, now: datetime) -> Progress:
    """How far a batch is, and about how long it still takes, from the pace so far."""
    is_running = batch.status in UNFINISHED
    is_worked_on = is_running and batch.claimed_until is not None and batch.claimed_until > now
    is_left = is_running and not is_worked_on and batch.attempts >= MOST_ATTEMPTS
    is_waiting = is_running and not is_worked_on and not is_left
    before_it = 0
    if is_waiting and batch.status == BatchStatus.RECEIVED:
        earlier = Batch.objects.filter(status__in=UNFINISHED, attempts__lt=MOST_ATTEMPTS)
        before_it = earlier.filter(received_at__lt=batch.received_at).count()
    left = None
    # What an earlier worker had done says nothing about this one's pace.
    is_first_worker = batch.status == BatchStatus.RUNNING and is_worked_on and batch.attempts < 2
    if is_first_worker and batch.rows_expected and batch.rows:
        elapsed = (now - batch.status_at).total_seconds()
        left = max(1, round(elapsed / batch.rows * (batch.rows_expected - batch.rows)))
    return Progress(
        is_running=is_running and not is_left,
        is_worked_on=is_worked_on,
        is_interrupted=is_waiting and batch.attempts > 0,
        is_left=is_left,
        before_it=before_it,
        rows_read=batch.rows_read,
        rows_checked=batch.rows_checked,
        rows_settled=batch.rows,
        rows_expected=batch.rows_expected,
        percent=min(100, 100 * batch.rows // batch.rows_expected) if batch.rows_expected else None,
        seconds_left=left,
    )


def sender_of(batch: Batch) -> str:
    """Who sent a batch, in words: an officer by name, a system by the way it came."""
    kind, _, key = batch.received_by.partition(":")
    if kind in ("officer", "staff") and key.isdecimal():
        user = get_user_model().objects.filter(pk=int(key)).first()
        return (user.get_full_name() or user.get_username()) if user else "an account since removed"
    return {"api": "the force's system (API)", "job": "the drop folder"}.get(kind, "KCC")


@dataclass(frozen=True)
class ToldRow:
    """A row in a group of the receipt page."""

    number: int
    reference: str
    value: str
    message: str


@dataclass(frozen=True)
class ProblemGroup:
    """Rows of a batch that have the same thing the matter with them; the first few of them.

    `message` is theirs together, or empty where each has its own.
    """

    code: str
    column: str
    message: str
    count: int
    rows: tuple[ToldRow, ...]


_GROUPS = """
    SELECT code, col, message, value, number, reference, total, shared FROM (
        SELECT told->>'code' AS code, told->>'column' AS col, told->>'message' AS message, told->>'value' AS value,
               r.number, r.reference,
               count(*) OVER same AS total,
               min(told->>'message') OVER same = max(told->>'message') OVER same AS shared,
               row_number() OVER (PARTITION BY told->>'code', told->>'column' ORDER BY r.number) AS place
          FROM referrals_batchrow r, jsonb_array_elements(r.errors) AS told
         WHERE r.batch_id = %s AND r.state = %s AND r.decision = ''
        WINDOW same AS (PARTITION BY told->>'code', told->>'column')
    ) AS each WHERE place <= %s ORDER BY total DESC, code, col, number"""


def problem_groups(batch: Batch, *, state: str) -> list[ProblemGroup]:
    """The rejected, or the undecided quarantined, rows of a batch by what is the matter, the most frequent first.

    One query. A quarantined row has one thing the matter with it, a rejected one may be in several groups.
    """
    groups: dict[tuple[str, str], ProblemGroup] = {}
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, [batch.pk, state, GROUP_ROWS])
        for code, column, message, value, number, reference, total, shared in cursor.fetchall():
            key = (code, column)
            before = groups[key].rows if key in groups else ()
            rows = (*before, ToldRow(number, reference, value, message))
            groups[key] = ProblemGroup(code, column, message if shared else "", total, rows)
    return list(groups.values())


def rows_of(batch: Batch, *, state: str = "", warned: bool = False, after: int = 0, limit: int = 50) -> list[BatchRow]:
    """Rows of a batch in their order, of one state or all, or only those with warnings; those after a row number."""
    rows = BatchRow.objects.filter(batch=batch, number__gt=after).order_by("number")
    if state:
        rows = rows.filter(state=RowState(state))
    if warned:
        rows = rows.exclude(warnings=[])
    return list(rows.defer("cells_encrypted")[:limit])


def rejected_file(batch: Batch) -> Iterator[bytes]:
    """`rejected.csv`: the rejected rows as they came, with their errors, to be mended and uploaded as it is."""
    rows = BatchRow.objects.filter(batch=batch, state=RowState.REJECTED).order_by("number")
    told = rows.values_list("cells_encrypted", "errors").iterator(chunk_size=500)
    return rejected_csv(
        batch.columns, ((cells_of(cells), [Problem(**each) for each in errors]) for cells, errors in told)
    )


def undecided_rows(*, force: Force | str | None = None) -> "QuerySet[BatchRow]":
    """Quarantined rows that wait for a person, the oldest batch first; of one force, or of all for KCC staff."""
    batches = Batch.objects.all() if force is None else Batch.objects.of_force(force)
    return (
        BatchRow.objects.filter(state=RowState.QUARANTINED, decision="", batch__in=batches)
        .select_related("batch__force")
        .order_by("batch__received_at", "batch_id", "number")
    )


def undecided_row(*, force: Force | str, row_id: int) -> BatchRow:
    """A quarantined row of this force, decided or not. Raises BatchNotFoundError for any other."""
    row = (
        BatchRow.objects.filter(pk=row_id, state=RowState.QUARANTINED, batch__in=Batch.objects.of_force(force))
        .select_related("batch__force")
        .first()
    )
    if row is None:
        raise BatchNotFoundError
    return row


def oldest_unprocessed_batch_at() -> datetime | None:
    """Since when the oldest batch has waited to be settled; None when none waits."""
    waiting = Batch.objects.filter(status__in=UNFINISHED)
    first: datetime | None = waiting.aggregate(first=Min("received_at"))["first"]
    return first
