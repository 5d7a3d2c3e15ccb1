"""Taking a file in: its bytes are stored with their hash before anything reads them."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.bell import ring_on_commit
from common.clock import london_day
from notifications import services as notifications
from referrals.constants import BatchKind, BatchStatus
from referrals.errors import BatchTooLargeError, KeyReusedError
from referrals.models import COUNTS, Batch, Force
from referrals.services.idempotency import claim_key
from referrals.services.rows import change_claimed

IMPORT = "referrals.jobs.import_batches"


class _Hashed(File):  # type: ignore[type-arg]  # Django's File takes no argument at run time
    """A file whose bytes are counted and hashed as they go to storage."""

    def __init__(self, file: IO[bytes], *, max_bytes: int) -> None:
        super().__init__(file)
        self.source = file
        self.max_bytes = max_bytes
        self.digest = hashlib.sha256()
        self.bytes = 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Read to the end, or raise BatchTooLargeError as soon as there is too much."""
        while chunk := self.source.read(chunk_size or self.DEFAULT_CHUNK_SIZE):
            self.bytes += len(chunk)
            if self.bytes > self.max_bytes:
                raise BatchTooLargeError(self.max_bytes)
            self.digest.update(chunk)
            yield chunk


def receive_batch(
    *,
    file: IO[bytes],
    file_name: str,
    kind: str,
    force: Force,
    by: Actor,
    now: datetime,
    receipt_email: str = "",
    key: str = "",
) -> tuple[Batch, bool]:
    """Store a file and put it in line to be imported. Returns the batch and whether it is a new one.

    The same bytes from the same force as the same kind are the batch that was received first, whatever became of it:
    nothing is done again. `file` is binary and read once, from where it stands. Raises BatchTooLargeError, and
    KeyReusedError where `key` came before with another file or kind; the file is then not taken in.
    """
    hashed = _Hashed(file, max_bytes=settings.BATCH_MAX_BYTES)
    batch = Batch(force=force, kind=BatchKind(kind), file_name=file_name[-200:])
    path = f"batches/{force.pk}/{now:%Y/%m}/{batch.pk}"
    try:
        stored = default_storage.save(path, hashed)
    except BaseException:
        default_storage.delete(path)
        raise
    batch.file.name = stored
    batch.sha256, batch.size_bytes = hashed.digest.hexdigest(), hashed.bytes
    batch.status, batch.status_at = BatchStatus.RECEIVED, now
    batch.received_at, batch.received_by, batch.receipt_email = now, str(by), receipt_email
    try:
        first = _put_in_line(batch, key=key, by=by, now=now)
    except KeyReusedError:
        default_storage.delete(stored)
        raise
    is_new = first.pk == batch.pk
    if not is_new:
        default_storage.delete(stored)
    return first, is_new


def _put_in_line(batch: Batch, *, key: str, by: Actor, now: datetime) -> Batch:
    """Write down a batch, or find the one that was received first."""
    force = batch.force
    with transaction.atomic(durable=True):
        # Who comes second with the same bytes waits here for the first one's commit.
        Batch.objects.bulk_create([batch], ignore_conflicts=True)
        first = Batch.objects.get(force=force, kind=batch.kind, sha256=batch.sha256)
        if key:
            claim_key(key, batch=first, now=now)
        if first.pk == batch.pk:
            audit.record(
                "batch.received",
                by=by,
                now=now,
                words=f"{force.name} sent {batch.file_name} ({batch.get_kind_display().lower()})",
                subject=f"batch:{batch.pk}",
                data={"sha256": batch.sha256, "size_bytes": batch.size_bytes},
            )
            ring_on_commit(IMPORT, queue="imports")
    return first


def refuse(*, batch: Batch, why: str, by: Actor, now: datetime) -> None:
    """Close a batch whose file cannot be read. Composed; the batch is claimed by the caller. Raises ClaimLostError."""
    with transaction.atomic():
        change_claimed(batch, status=BatchStatus.REFUSED, status_at=now, refusal=why, claimed_until=None)
        batch.status, batch.status_at, batch.refusal, batch.claimed_until = BatchStatus.REFUSED, now, why, None
        audit.record(
            "batch.refused",
            by=by,
            now=now,
            words=f"The file {batch.file_name} was refused: {why}",
            subject=f"batch:{batch.pk}",
        )
        tell_sender(batch=batch, now=now)


def tell_force(*, force: Force, file_name: str, sha256: str, refusal: str, now: datetime) -> None:
    """Mail a force that a file was refused before it became a batch. Composed; once a day for the same file."""
    name = hashlib.sha256(file_name.encode()).hexdigest()[:16]
    notifications.enqueue(
        "batch_receipt",
        to=force.contact_email,
        dedupe_key=f"drop-refused:{force.pk}:{london_day(now)}:{sha256[:16]}:{name}",
        now=now,
        context={"file_name": file_name, "kind": "", "refusal": refusal, **dict.fromkeys((*COUNTS, "rows"), 0)}
        | {"warnings": 0, "path": "/police/batches/"},
    )


def tell_sender(*, batch: Batch, now: datetime) -> None:
    """Mail the receipt, or the refusal, to who sent the batch. Composed; nothing where they left no address."""
    notifications.enqueue(
        "batch_receipt",
        to=batch.receipt_email,
        dedupe_key=f"batch-receipt:{batch.pk}",
        now=now,
        context={
            "file_name": batch.file_name,
            "kind": batch.get_kind_display(),
            "refusal": batch.refusal,
            "rows": batch.rows,
            "new": batch.new,
            "unchanged": batch.unchanged,
            "changed": batch.changed,
            "rejected": batch.rejected,
            "quarantined": batch.quarantined,
            "warnings": batch.warnings,
            "path": f"/police/batches/{batch.pk}/",
        },
    )
