"""The watched folder: files that forces drop by SFTP are taken in as uploads are, and returns are laid out for them.

`BATCH_DROP_DIR` holds one folder for each force, named by its code. A file in it, or in `referrals`, `withdrawals` or
`forecast` below it, ends in `done` or `refused` with its receipt beside it; outcomes come in `returns`.
"""

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import services as audit
from audit.context import Actor
from referrals import rules, selectors
from referrals.constants import BatchKind, BatchStatus
from referrals.errors import BatchTooLargeError
from referrals.files import FileRefusedError, open_table
from referrals.models import Batch, Force, Outcome, OutcomeReturn, OutcomeSequence
from referrals.services import drop_folders
from referrals.services.batches import receive_batch, tell_force
from referrals.services.drop_folders import DONE, REFUSED, RETURNS, CannotBeReadError, Taken, Waiting, readable
from referrals.services.importing import limits
from referrals.services.outcomes import compose_outcome_return

_NOT_OF_THIS_KIND = frozenset({"unknown_columns", "missing_columns"})

logger = logging.getLogger(__name__)

# After this a worker that took a file and did not bring it in is taken for dead.
LEFT_AFTER = timedelta(minutes=10)
# Outcomes are gathered for a while, so that a force gets a few files a day and not one for each course.
GATHER_FOR = timedelta(hours=1)
_WHICH_KIND = (
    "What the file holds could not be told. Begin its name with referrals-, withdrawals- or forecast-, "
    "or give it the column names of one of these."
)


def collect_drops(*, by: Actor, now: datetime) -> dict[str, int]:
    """Look once through the watched folder, and count what was done.

    {"received", "finished", "refused", "growing": put back as it changed meanwhile, "returns"}. Nothing where no
    folder is set. May be killed, repeated, and run twice at once: a file is taken by renaming it, the same bytes are
    the same batch, and what was taken but not finished is taken up by a later look.
    """
    counts = {"received": 0, "finished": 0, "refused": 0, "growing": 0, "returns": 0}
    if not settings.BATCH_DROP_DIR:
        return counts
    root = Path(settings.BATCH_DROP_DIR)
    quiet = timedelta(seconds=settings.BATCH_DROP_QUIET_SECONDS)
    forces = {force.pk: force for force in Force.objects.filter(is_active=True)}
    for path in drop_folders.strays(root):
        _refuse(root, path, drop_folders.short(path.name), "It lies in no force's folder.", force=None, by=by, now=now)
        counts["refused"] += 1
    for home in drop_folders.folders(root):
        try:
            _collect(home, forces.get(home.name), counts, quiet=quiet, by=by, now=now)
        except Exception:  # a folder that is full, or what nobody foresaw: the other forces are served all the same
            logger.exception("a drop folder could not be worked on")
    return counts


def _collect(
    home: Path, force: Force | None, counts: dict[str, int], *, quiet: timedelta, by: Actor, now: datetime
) -> None:
    left = drop_folders.take_left(home, now=now, after=LEFT_AFTER)
    for taken in [*left, *drop_folders.take_new(home, now=now, quiet=quiet)]:
        counts[_bring_in(taken, force, by=by, now=now)] += 1
    if force is None:
        return
    for each in drop_folders.waiting(home):
        counts["finished"] += _finish(each, force)
    counts["returns"] += _lay_out_return(home, force, by=by, now=now)


def _bring_in(taken: Taken, force: Force | None, *, by: Actor, now: datetime) -> str:
    """Make a batch of a taken file; what became of it, as `collect_drops` counts it."""
    sha256 = ""
    try:
        if force is None:
            raise CannotBeReadError(f"There is no force “{readable(taken.home.name)}”.")
        with drop_folders.open_whole(taken.path, max_bytes=settings.BATCH_MAX_BYTES) as file:
            if file is None:
                drop_folders.put_back(taken)
                return "growing"
            if not taken.kind:
                sha256 = drop_folders.sha256_in(file, max_bytes=settings.BATCH_MAX_BYTES)
            kind = taken.kind or _kind_of(file)
            batch, _ = receive_batch(
                file=file,
                file_name=readable(taken.name),
                kind=kind,
                force=force,
                by=by,
                now=now,
                receipt_email=force.contact_email,
            )
    except (CannotBeReadError, FileRefusedError, BatchTooLargeError) as error:
        _refuse(taken.home, taken.path, taken.name, str(error), force=force, by=by, now=now, sha256=sha256)
        return "refused"
    drop_folders.wait_for(taken, str(batch.pk))
    return "received"


def _kind_of(file: BinaryIO) -> str:
    """The kind whose columns the first row has. Raises FileRefusedError where it is none's."""
    for kind in BatchKind.values:
        try:
            open_table(file, kind=rules.KINDS[kind], limits=limits())
        except FileRefusedError as error:
            if error.code not in _NOT_OF_THIS_KIND:
                raise
        else:
            file.seek(0)
            return kind
    raise FileRefusedError("missing_columns", _WHICH_KIND)


def _refuse(
    home: Path, path: Path, name: str, why: str, *, force: Force | None, by: Actor, now: datetime, sha256: str = ""
) -> None:
    """Lay a file aside that never became a batch, and tell its force. `sha256` is empty where it was not read."""
    receipt = {
        "batch": None,
        "force": force.pk if force else None,
        "sha256": sha256 or None,
        "file_name": readable(name),
        "received_at": selectors.instant(now),
        "refused": why,
    }
    with transaction.atomic(durable=True):
        audit.record(
            "drop.refused",
            by=by,
            now=now,
            words=f"The dropped file {readable(name)[:200]} was refused: {why}",
            subject=f"drop:{readable(home.name)}"[:80],
        )
        if force:
            tell_force(force=force, file_name=readable(name), sha256=sha256, refusal=why, now=now)
    drop_folders.finish(home, path, REFUSED, name=f"{now:%Y%m%dT%H%M%SZ}-{name}", receipt=receipt)


def _finish(each: Waiting, force: Force) -> bool:
    """Lay a file aside whose batch is settled or refused; False while it is neither."""
    batch = Batch.objects.of_force(force).filter(pk=each.batch_id).first() if _is_uuid(each.batch_id) else None
    if batch is None or batch.status not in (BatchStatus.SETTLED, BatchStatus.REFUSED):
        return False
    if drop_folders.sha256_of(each.path) not in ("", batch.sha256):
        # Its sender stopped for longer than we wait, and then went on: the whole of it is another file.
        drop_folders.put_back(Taken(each.home, each.path, each.name, batch.kind))
        return False
    receipt: dict[str, Any] = selectors.receipt(batch)
    where = DONE
    if batch.status == BatchStatus.REFUSED:
        where, receipt = REFUSED, receipt | {"refused": batch.refusal}
    beside = b"".join(selectors.rejected_file(batch)) if batch.rejected else b""
    name = f"{batch.received_at:%Y%m%dT%H%M%SZ}-{batch.sha256[:8]}-{each.name}"
    drop_folders.finish(each.home, each.path, where, name=name, receipt=receipt, beside=beside)
    return True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def lay_out_return(*, force_code: str, by: Actor, now: datetime) -> bool:
    """Write the return that is due into a force's drop folder at once, without gathering; False where none is.

    A force without a folder gets none: nobody would have it, and its outcomes would no longer be told as late.
    """
    force = Force.objects.filter(pk=force_code, is_active=True).first()
    if force is None or not settings.BATCH_DROP_DIR:
        return False
    homes = [home for home in drop_folders.folders(Path(settings.BATCH_DROP_DIR)) if home.name == force.pk]
    return any(_lay_out_return(home, force, by=by, now=now, gather_for=timedelta(0)) for home in homes)


def _lay_out_return(home: Path, force: Force, *, by: Actor, now: datetime, gather_for: timedelta = GATHER_FOR) -> bool:
    """Write the return that is due into the force's folder; False where none is.

    The files are written hidden before the transaction commits and shown after it: killed in between, they are shown
    or thrown away by the next look, as the record says.
    """
    folder = drop_folders.folder_in(home, RETURNS)
    gathered = Outcome.objects.of_force(force).filter(returned_in__isnull=True, recorded_at__lte=now - gather_for)
    left = drop_folders.hidden(folder)
    if not left and not gathered.exists():
        return False
    with transaction.atomic(durable=True):
        sequence = OutcomeSequence.objects.select_for_update().filter(pk=force.pk).first()
        for name in drop_folders.hidden(folder):
            _show_or_drop(folder, name, force)
        if sequence is None or not gathered.filter(sequence__gt=sequence.acknowledged).exists():
            return False
        written = compose_outcome_return(force=force, by=by, now=now)
        if written is None:
            return False
        drop_folders.hide(folder, f"{written.name}.csv", written.content)
        drop_folders.hide(folder, f"{written.name}.json", json.dumps(written.manifest, indent=2).encode())
    drop_folders.show(folder, f"{written.name}.csv")
    # Whoever waits for the manifest finds the file it speaks of.
    drop_folders.show(folder, f"{written.name}.json")
    return True


def _show_or_drop(folder: Path, name: str, force: Force) -> None:
    """Finish what a look left that was killed around its commit; the caller holds the lock of the force's returns."""
    first, last = (int(part) for part in Path(name).stem.split("-")[-2:])
    if OutcomeReturn.objects.of_force(force).filter(first=first, last=last).exists():
        drop_folders.show(folder, name)
    else:
        drop_folders.throw_away(folder, name)
