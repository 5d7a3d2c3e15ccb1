"""Files for finance: asked for with a purpose, made by a job, kept for some days, then deleted; the row stays.

A file is written aside and hashed first, so that no transaction is open while storage is at work. Its name is in the
row before it is in storage, so that whatever a killed worker leaves behind is known and replaced.
"""

import datetime as dt
import hashlib
import logging
import tempfile
import uuid
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from audit import services as audit
from audit.context import Actor
from common import claims
from common.bell import ring_on_commit
from common.clock import date_words, london_day
from common.labels import mid_sentence
from payments import sheets
from payments.constants import (
    EXPORT_DAYS,
    EXPORT_TRANSITIONS,
    EXPORT_TRIES,
    PURPOSE_CHARACTERS,
    ExportKind,
    ExportStatus,
)
from payments.errors import (
    ExportExpiredError,
    ExportNotFoundError,
    ExportNotReadyError,
    ExportPeriodError,
    ExportPurposeError,
    ExportStateError,
)
from payments.models import Export

logger = logging.getLogger(__name__)

MAKER = Actor("job", "make_exports")
EXPIRER = Actor("job", "expire_exports")
CLAIM_SECONDS = 900
MAKE = "payments.jobs.make_exports"


@transaction.atomic(durable=True)
def ask_export(*, kind: str, first_on: dt.date, last_on: dt.date, purpose: str, by: Actor, now: dt.datetime) -> Export:
    """Put a file of a kind's records from one London day to another in line to be made.

    Raises ExportPeriodError and ExportPurposeError. Asked again it is another file, with a purpose of its own.
    """
    if not first_on <= last_on <= london_day(now):
        raise ExportPeriodError
    purpose = " ".join(purpose.split())
    if len(purpose) < PURPOSE_CHARACTERS:
        raise ExportPurposeError
    export = Export.objects.create(
        kind=ExportKind(kind),
        first_on=first_on,
        last_on=last_on,
        purpose=purpose,
        asked_at=now,
        asked_by=str(by),
        status_at=now,
    )
    _record(export, "export.asked", by=by, now=now, words="asked for", reason=purpose)
    ring_on_commit(MAKE)
    return export


def make_exports(*, by: Actor = MAKER, now: dt.datetime) -> dict[str, int]:
    """Make the files that wait, one after the other. Safe to run twice and at once.

    One that cannot be made is tried again later, and given up after five tries, those of killed workers among them.
    Returns counts: ready, failed, put_off.
    """
    counts = {"ready": 0, "failed": 0, "put_off": 0}
    waiting = Export.objects.filter(status=ExportStatus.WAITING)
    while claimed := claims.claim(waiting, now=now, limit=1, seconds=CLAIM_SECONDS, ordering=("asked_at", "id")):
        (export,) = claimed
        try:
            became = _make(export, by=by, now=now) if export.attempts <= EXPORT_TRIES else ""
        except (OSError, DatabaseError) as error:
            logger.exception("export %s cannot be made", export.pk)
            became = _put_off(export, error=type(error).__name__, by=by, now=now)
        counts[became or _put_off(export, error=export.error or "broken off", by=by, now=now)] += 1
    return counts


def _make(export: Export, *, by: Actor, now: dt.datetime) -> str:
    """Write a claimed export's file. "ready", or "put_off" where another worker has meanwhile taken it over."""
    if export.file:
        default_storage.delete(str(export.file.name))
    path = f"exports/{export.pk}/{uuid.uuid4().hex}.csv"
    if not _mine(export).update(file=path):
        return "put_off"
    export.file.name = path
    with tempfile.TemporaryFile() as aside:
        row_count, sha256 = _write(export, aside)
        aside.seek(0)
        default_storage.save(path, File(aside))
    with transaction.atomic(durable=True):
        export_now = _mine(export).select_for_update().first()
        if export_now is not None:
            export_now.row_count, export_now.sha256, export_now.error = row_count, sha256, ""
            export_now.ready_at, export_now.expires_at = now, now + dt.timedelta(days=EXPORT_DAYS)
            words = f"ready with {row_count} rows"
            _move(export_now, ExportStatus.READY, by=by, now=now, action="export.ready", words=words)
    if export_now is None:
        default_storage.delete(path)
        return "put_off"
    return "ready"


def _write(export: Export, aside: IO[bytes]) -> tuple[int, str]:
    """Write the whole file, as it is at one moment; how many rows it has, and its hash."""
    sheet = sheets.sheet_of(kind=export.kind, first_on=export.first_on, last_on=export.last_on)
    digest, count = hashlib.sha256(), 0

    def put(text: str) -> None:
        data = text.encode()
        digest.update(data)
        aside.write(data)

    put(sheets.line(sheet.headings))
    with transaction.atomic(durable=True):
        for text in sheet.lines():
            put(text)
            count += 1
    return count, digest.hexdigest()


def _put_off(export: Export, *, error: str, by: Actor, now: dt.datetime) -> str:
    """Leave a claimed export for later, or give it up. "failed" where it was given up, else "put_off"."""
    is_last = export.attempts >= EXPORT_TRIES
    if is_last and export.file:
        default_storage.delete(str(export.file.name))
    return _say_put_off(export, error=error, is_last=is_last, by=by, now=now)


@transaction.atomic(durable=True)
def _say_put_off(export: Export, *, error: str, is_last: bool, by: Actor, now: dt.datetime) -> str:
    export_now = _mine(export).select_for_update().first()
    if export_now is None:
        return "put_off"
    export_now.error = error
    if is_last:
        export_now.file = ""
        words = f"given up after {EXPORT_TRIES} tries"
        _move(export_now, ExportStatus.FAILED, by=by, now=now, action="export.failed", words=words, reason=error)
        return "failed"
    export_now.claimed_until = now + dt.timedelta(seconds=claims.seconds_to_wait(export_now.attempts))
    export_now.save(update_fields=["error", "claimed_until"])
    return "put_off"


@transaction.atomic(durable=True)
def try_export_again(*, export_id: int, by: Actor, now: dt.datetime) -> Export:
    """Put an export that failed in line again, with all its tries before it. Raises ExportStateError."""
    export = _lock(export_id)
    export.attempts = 0
    if not _move(export, ExportStatus.WAITING, by=by, now=now, action="export.tried_again", words="to be tried again"):
        raise ExportStateError
    ring_on_commit(MAKE)
    return export


def expire_exports(*, by: Actor = EXPIRER, now: dt.datetime) -> int:
    """Delete the files of exports whose days are over; returns how many. May be repeated, and run at once.

    The file goes before the row says so: who dies between the two leaves a row that nobody can download by, and that
    the next run finishes.
    """
    due = Export.objects.filter(status=ExportStatus.READY, expires_at__lte=now).order_by("pk")
    count = 0
    for export in list(due):
        default_storage.delete(str(export.file.name))
        with transaction.atomic(durable=True):
            export_now = _lock(export.pk)
            export_now.file = ""
            words = "expired: the file is deleted"
            count += _move(export_now, ExportStatus.EXPIRED, by=by, now=now, action="export.expired", words=words)
    return count


def open_export(
    *, export_id: int, by: Actor, now: dt.datetime, address: str | None = None
) -> "tuple[Export, File[bytes]]":
    """The file of an export, open to be read and closed by the caller; who took it is in the access log.

    Raises ExportNotFoundError, ExportExpiredError (also before the sweep came by) and ExportNotReadyError.
    """
    export = Export.objects.filter(pk=export_id).first()
    if export is None:
        raise ExportNotFoundError
    is_over = export.status == ExportStatus.EXPIRED or (export.expires_at is not None and export.expires_at <= now)
    is_allowed = export.status == ExportStatus.READY and not is_over
    audit.log_access(
        "export.downloaded",
        by=by,
        now=now,
        subject=f"export:{export.pk}",
        address=address,
        reason=export.purpose,
        allowed=is_allowed,
    )
    if is_over:
        raise ExportExpiredError
    if not is_allowed:
        raise ExportNotReadyError
    try:
        return export, default_storage.open(str(export.file.name))
    except FileNotFoundError as error:
        raise ExportNotReadyError from error


def _mine(export: Export) -> QuerySet[Export]:
    """The row while it waits under the very claim it was taken with: a claim that lapsed may be another's."""
    return Export.objects.filter(pk=export.pk, status=ExportStatus.WAITING, claimed_until=export.claimed_until)


def _lock(export_id: int) -> Export:
    try:
        return Export.objects.select_for_update().get(pk=export_id)
    except Export.DoesNotExist as error:
        raise ExportNotFoundError from error


def _move(export: Export, to: str, *, by: Actor, now: dt.datetime, action: str, words: str, reason: str = "") -> bool:
    """Bring a locked export to a status, saving it whole, with its audit event; False where it is there already.

    Raises ExportStateError where the table has no such way.
    """
    if export.status == to:
        return False
    if to not in EXPORT_TRANSITIONS[export.status]:
        raise ExportStateError
    export.status, export.status_at, export.claimed_until = to, now, None
    export.save()
    _record(export, action, by=by, now=now, words=words, reason=reason)
    return True


def _record(export: Export, action: str, *, by: Actor, now: dt.datetime, words: str, reason: str = "") -> None:
    period = f"{date_words(export.first_on)} to {date_words(export.last_on)}"
    audit.record(
        action,
        by=by,
        now=now,
        words=f"Export of {mid_sentence(export.get_kind_display())}, {period}: {words}",
        subject=f"export:{export.pk}",
        reason=reason,
        data={"sha256": export.sha256, "rows": export.row_count} if export.sha256 else {},
    )
