"""Importing a batch: claim, read, check, settle slice by slice, close. Any of it may be killed and taken up again."""

import gc
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from audit import services as audit
from audit.context import Actor, acting
from common import claims
from common.clock import london_day
from referrals import rules
from referrals.constants import MOST_ATTEMPTS, UNFINISHED, BatchKind, BatchStatus, RowState
from referrals.errors import BatchBusyError, BatchNotFoundError, ClaimLostError
from referrals.files import FileRefusedError, Limits, Table, open_table
from referrals.models import Batch, BatchRow
from referrals.services.ahead import Slice, Tally, ahead, slices
from referrals.services.batches import refuse, tell_sender
from referrals.services.checking import Prepared, checked_on, prepare
from referrals.services.forecasts import settle_forecast
from referrals.services.lines import Lines
from referrals.services.rows import advance, change_claimed, keep_claim
from referrals.services.scheme import Scheme, read_scheme
from referrals.services.settling import count, settle, write
from referrals.services.withdrawals import settle_withdrawal

# Opening a workbook takes a while before the first slice; from then on each slice renews the claim.
OPENING_SECONDS = 300
_SLICE = timedelta(seconds=60)
_TRIES = 5
_TURN_SECONDS = 0.0005

# A withdrawal takes locks in many places, so each has a transaction of its own.
_SLICE_ROWS = {BatchKind.REFERRALS: 1_000, BatchKind.WITHDRAWALS: 1, BatchKind.FORECAST: 500}


def waiting(now: datetime) -> "QuerySet[Batch]":
    """Batches that nobody works on, in the order in which they came."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    return Batch.objects.filter(free, status__in=UNFINISHED, attempts__lt=MOST_ATTEMPTS).order_by("received_at", "pk")


def import_next_batch(*, by: Actor, now: datetime) -> Batch | None:
    """Import the batch that waited longest. Returns it, or nothing where none waits. May run many times at once."""
    moment = _clock(now)
    for batch in claims.claim(waiting(now), now=now, limit=1, seconds=OPENING_SECONDS, ordering=("received_at", "id")):
        return _import(batch, by=by, now=now, moment=moment)
    return None


def import_batch(*, batch_id: UUID, by: Actor, now: datetime) -> Batch:
    """Import one batch, or what is left of it, and return it; nothing is done to one that is finished.

    May be repeated after any failure, a killed process among them: the next run goes on after the last slice that was
    committed. Raises BatchNotFoundError, and BatchBusyError while somebody else has it.
    """
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise BatchNotFoundError
    if batch.status not in UNFINISHED:
        return batch
    moment = _clock(now)
    this_one = Batch.objects.filter(pk=batch_id, status__in=UNFINISHED)
    claimed = claims.claim(this_one, now=now, limit=1, seconds=OPENING_SECONDS)
    if not claimed:
        batch.refresh_from_db()
        if batch.status not in UNFINISHED:
            return batch
        raise BatchBusyError
    return _import(claimed[0], by=by, now=now, moment=moment)


def _clock(now: datetime) -> Callable[[], datetime]:
    """What time it is, from here on: a batch may take minutes, and its claim is renewed as it goes."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def _import(batch: Batch, *, by: Actor, now: datetime, moment: Callable[[], datetime]) -> Batch:
    """Do a batch that is claimed. Raises ClaimLostError where it was claimed by somebody else in between."""
    with acting(by, on_behalf_of=batch.received_by), batch.file.open("rb") as opened:
        try:
            # The file itself: Django's two wrappers are asked for each line whether they are closed.
            table = open_table(cast("BinaryIO", opened.file.file), kind=rules.KINDS[batch.kind], limits=limits())
        except FileRefusedError as error:
            with transaction.atomic(durable=True):
                refuse(batch=batch, why=error.message, by=by, now=now)
            return batch
        scheme = read_scheme(london_day(now))
        _begin(batch, table, now=now, claimed_until=moment() + _SLICE)
        _settle_all(batch, table, scheme=scheme, by=by, now=now, moment=moment)
        _close(batch, by=by, now=now, settled_at=moment())
    return batch


def limits() -> Limits:
    """How much a file may hold (settings)."""
    return Limits(
        max_bytes=settings.BATCH_MAX_BYTES,
        max_rows=settings.BATCH_MAX_ROWS,
        max_columns=settings.BATCH_MAX_COLUMNS,
        max_cell_characters=settings.BATCH_MAX_CELL_CHARACTERS,
    )


def _begin(batch: Batch, table: Table, *, now: datetime, claimed_until: datetime) -> None:
    batch.status, batch.status_at = BatchStatus.RUNNING, now
    batch.rows_expected, batch.columns = table.rows, list(table.names)
    with transaction.atomic(durable=True):
        change_claimed(
            batch,
            status=batch.status,
            status_at=now,
            rows_expected=batch.rows_expected,
            # What an earlier worker was ahead by is gone with it.
            rows_read=batch.rows,
            rows_checked=batch.rows,
            columns=batch.columns,
            claimed_until=claimed_until,
        )


def _settle_all(
    batch: Batch, table: Table, *, scheme: Scheme, by: Actor, now: datetime, moment: Callable[[], datetime]
) -> None:
    context = checked_on(now, force_code=batch.force_id, scheme=scheme)
    lines = Lines.of(batch, by=by, now=now)
    settled_before = _settled_before(batch, table)
    after = max(batch.settled_to, 1)
    tally = Tally()

    is_of_referrals = batch.kind == BatchKind.REFERRALS

    def make() -> Generator[Slice]:
        # Made here, so that only the process that checks has it.
        seen = rules.SeenRows(table.rows) if settled_before is None else settled_before
        rows = prepare(table, after=after, context=context, seen=seen, courses=scheme.courses)
        return slices(
            rows, size=_SLICE_ROWS[BatchKind(batch.kind)], lines=lines if is_of_referrals else None, tally=tally
        )

    def again(row: Prepared) -> rules.ReferralValues:
        """The values of a good row, read again where another process read them."""
        if row.values is not None:
            return cast(rules.ReferralValues, row.values)
        checked = rules.check_referral(table.header.in_order(row.as_list()), context=context)
        return cast(rules.ReferralValues, checked.values)

    def settle_part(part: Slice) -> tuple[Mapping[str, int], int]:
        if is_of_referrals:
            return settle(part, batch=batch, scheme=scheme, lines=lines, again=again)
        if batch.kind == BatchKind.WITHDRAWALS:
            settled = [settle_withdrawal(row, batch=batch, by=by, now=now) for row in part.rows()]
        else:
            settled = settle_forecast(part.rows(), batch=batch, scheme=scheme, now=now)
        write(b"", lines.rows(settled).encode(), b"")
        return count(settled)

    large = table.rows - after if is_of_referrals else 0
    with _undisturbed(), ahead(make, rows=large, tally=tally) as made:
        for part in made:
            _settle_slice(batch, part, settle_part, tally=tally, claimed_until=moment() + _SLICE)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep Python from standing in its own way while a batch is imported.

    The thread that writes has its turn soon after PostgreSQL has answered: with Python's usual interval each of a
    slice's statements would wait for five milliseconds. And nobody looks for cycles among rows that have none.
    """
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(_TURN_SECONDS)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
        if collects:
            gc.enable()


def _settled_before(batch: Batch, table: Table) -> rules.SeenRows | None:
    """The good rows that an earlier run has settled, if there was one."""
    if not batch.settled_to:
        return None
    seen = rules.SeenRows(table.rows)
    settled = BatchRow.objects.filter(batch=batch).exclude(state=RowState.REJECTED).order_by("number")
    for force_code, reference, content in settled.values_list("row_force_code", "reference", "content_hash").iterator(
        chunk_size=2_000
    ):
        seen.meet((force_code, reference), bytes(content))
    return seen


def _settle_slice(
    batch: Batch,
    part: Slice,
    settle_part: Callable[[Slice], tuple[Mapping[str, int], int]],
    *,
    tally: Tally,
    claimed_until: datetime,
) -> None:
    """Settle a slice in its own transaction, again where another batch came in between.

    Raises ClaimLostError where somebody else went on with the batch.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction.atomic(durable=True):
                _keep_short()
                keep_claim(batch)
                states, warnings = settle_part(part)
                advance(
                    batch,
                    settled_to=part.last,
                    states=states,
                    warnings=warnings,
                    checked=batch.rows + tally.checked,
                    read=batch.rows + tally.read,
                    claimed_until=claimed_until,
                )
        except DataError:
            # It would be the same at every attempt: nobody tries again, and people are told (`tell_left`).
            change_claimed(batch, attempts=MOST_ATTEMPTS, claimed_until=None)
            raise
        except (IntegrityError, OperationalError):
            # Another batch brought one of the references first, or the two waited for each other.
            if not tries_left:
                raise
        else:
            batch.settled_to = part.last
            return


def _keep_short() -> None:
    """Settings of a slice's transaction.

    Its commit returns before it is on disk. Where the server dies in the next moments the slice is lost with its mark
    in the batch, and done again. Whoever builds on it waits for the disk, and what was committed before is then there
    too: so does the batch's last commit. And no other processes are started for look-ups of a few milliseconds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO OFF; SET LOCAL max_parallel_workers_per_gather TO 0")


def _close(batch: Batch, *, by: Actor, now: datetime, settled_at: datetime) -> None:
    """Close a batch whose rows are all settled, by now."""
    with transaction.atomic(durable=True):
        locked = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.status != BatchStatus.RUNNING or locked.attempts != batch.attempts:
            raise ClaimLostError
        locked.status, locked.status_at = BatchStatus.SETTLED, settled_at
        locked.settled_at, locked.claimed_until = settled_at, None
        locked.save(update_fields=["status", "status_at", "settled_at", "claimed_until"])
        audit.record(
            "batch.settled",
            by=by,
            now=now,
            words=(
                f"{locked.file_name}: {locked.rows} rows, {locked.new} new, {locked.unchanged} unchanged, "
                f"{locked.changed} changed, {locked.rejected} rejected, {locked.quarantined} quarantined"
            ),
            subject=f"batch:{locked.pk}",
        )
        tell_sender(batch=locked, now=now)
    batch.refresh_from_db()
