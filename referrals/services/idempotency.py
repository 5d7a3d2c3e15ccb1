"""Uploads of forces' systems that may be repeated: an `Idempotency-Key` stands for one file."""

import hashlib
from datetime import datetime
from typing import IO

from django.db import transaction

from audit.context import Actor
from referrals.errors import KeyReusedError
from referrals.models import Batch, Force, IdempotentUpload
from referrals.services.batches import receive_batch


def receive_keyed_batch(
    *,
    key: str,
    file: IO[bytes],
    file_name: str,
    kind: str,
    force: Force,
    by: Actor,
    now: datetime,
    receipt_email: str = "",
) -> tuple[Batch, bool]:
    """As `receive_batch`, under a key. The same key with the same file gives the same batch.

    Raises KeyReusedError where the key came before with another file or kind; the file is then not taken in.
    """
    known = IdempotentUpload.objects.filter(force=force, key=key).first()
    if known is not None and known.kind != kind:
        raise KeyReusedError
    if known is not None and known.sha256 != _sha256(file):
        raise KeyReusedError
    batch, is_new = receive_batch(
        file=file, file_name=file_name, kind=kind, force=force, by=by, now=now, receipt_email=receipt_email
    )
    with transaction.atomic(durable=True):
        upload = IdempotentUpload(force=force, key=key, kind=kind, sha256=batch.sha256, batch=batch, created_at=now)
        IdempotentUpload.objects.bulk_create([upload], ignore_conflicts=True)
        first = IdempotentUpload.objects.get(force=force, key=key)
    if first.sha256 != batch.sha256 or first.kind != kind:
        raise KeyReusedError
    return batch, is_new


def _sha256(file: IO[bytes]) -> str:
    """The file's hash; it is read and put back to where it stood."""
    start = file.tell()
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(start)
    return digest
