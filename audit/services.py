"""What writes to the record."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from audit.context import Actor, current
from audit.models import AccessLog, AuditEvent, Seal
from audit.sealing import SLICE_ROWS
from audit.sealing import seal as _seal


def record(
    action: str,
    *,
    by: Actor,
    now: dt.datetime,
    words: str,
    referral_key: str = "",
    subject: str = "",
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one audit event in the caller's transaction, which is the one that makes the change it speaks of.

    `action` is a dotted verb ("booking.confirmed"), `subject` a kind and key ("booking:17"), `referral_key` force and
    reference ("46/46DEMO0001"). An empty reason is taken from the context, and so is on whose behalf. One statement;
    where it fails, the caller's change falls with it.
    """
    event = event_of(
        action, by=by, now=now, words=words, referral_key=referral_key, subject=subject, reason=reason, data=data
    )
    event.save(force_insert=True)
    return event


def event_of(
    action: str,
    *,
    by: Actor,
    now: dt.datetime,
    words: str,
    referral_key: str = "",
    subject: str = "",
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """An event not yet written, for `record_many`; as `record` otherwise."""
    told = current()
    return AuditEvent(
        occurred_at=now,
        actor=str(by),
        on_behalf_of=told.on_behalf_of,
        action=action,
        subject=subject,
        referral_key=referral_key,
        words=words,
        reason=reason or told.reason,
        data=data or {},
    )


def record_many(events: Iterable[AuditEvent]) -> int:
    """Write events made by `event_of` in one statement per thousand, in the caller's transaction; returns how many."""
    return len(AuditEvent.objects.bulk_create(events, batch_size=1000))


def log_access(
    action: str,
    *,
    by: Actor,
    now: dt.datetime,
    referral_key: str = "",
    subject: str = "",
    address: str | None = None,
    reason: str = "",
    allowed: bool = True,
) -> AccessLog:
    """Write that somebody opened a person's record, or was refused it, before it is shown.

    One statement, in the caller's transaction if there is one: a refusal that ends in an exception must be logged
    outside the transaction it rolls back.
    """
    entry = AccessLog(
        at=now,
        actor=str(by),
        action=action,
        subject=subject,
        referral_key=referral_key,
        address=address or None,
        reason=reason or current().reason,
        allowed=allowed,
    )
    entry.save(force_insert=True)
    return entry


def seal(*, now: dt.datetime, slice_rows: int = SLICE_ROWS) -> Seal | None:
    """Seal every row of the record written since the last seal, in a transaction of its own.

    None where there is nothing new or another sealer is at work. At most `slice_rows` rows of a table: where the seal
    holds as many or more, call again. Rows of transactions still under way come in a later seal.
    """
    return _seal(now=now, slice_rows=slice_rows)
