"""Uploads of forces' systems that may be repeated: an `Idempotency-Key` stands for one file."""

from datetime import datetime

from django.db import transaction

from referrals.errors import KeyReusedError
from referrals.models import Batch, IdempotentUpload


def claim_key(key: str, *, batch: Batch, now: datetime) -> None:
    """Let a key stand for the file of a batch. Composed, in the transaction that takes the file in.

    Who comes second with the key waits here for the first one's commit. Raises KeyReusedError where it stands for
    another file or kind.
    """
    wanted = {"kind": batch.kind, "sha256": batch.sha256}
    with transaction.atomic():
        upload = IdempotentUpload(force_id=batch.force_id, key=key, batch=batch, created_at=now, **wanted)
        IdempotentUpload.objects.bulk_create([upload], ignore_conflicts=True)
        if not IdempotentUpload.objects.filter(force_id=batch.force_id, key=key, **wanted).exists():
            raise KeyReusedError
