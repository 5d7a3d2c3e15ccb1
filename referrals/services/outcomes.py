"""What goes back to the force: outcomes under a sequence without gaps, returns of them, and their acknowledgement."""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from referrals.constants import OutcomeCode
from referrals.errors import AcknowledgementError
from referrals.files import protect
from referrals.models import Force, Outcome, OutcomeReturn, OutcomeSequence, Referral

COLUMNS = (
    "sequence",
    "force_code",
    "reference",
    "outcome",
    "reason",
    "course_code",
    "attended_on",
    "provider_reference",
    "recorded_at",
)


@dataclass(frozen=True)
class WrittenReturn:
    """A return as it goes out: the record of it, its file's bytes and its manifest."""

    record: OutcomeReturn
    content: bytes
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """The file's name without an ending: what it holds, so that no two are the same."""
        return f"outcomes-{self.record.force_id}-{self.record.first:08d}-{self.record.last:08d}"


def latest_outcome(referral: Referral) -> Outcome | None:
    """What the force was told last of a referral."""
    return referral.outcomes.order_by("-sequence").first()


def add_outcome(
    *,
    referral: Referral,
    outcome: OutcomeCode,
    reason: str,
    attended_on: date | None,
    provider_reference: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Write one line for the force. Composed; locks the force's sequence to the end of the transaction.

    That lock is what leaves no gap: a number is given out only to who commits it, and in that order.
    """
    with transaction.atomic():
        sequence = _lock_sequence(referral.force_id)
        sequence.last += 1
        sequence.save(update_fields=["last"])
        written = Outcome.objects.create(
            force_id=referral.force_id,
            sequence=sequence.last,
            referral=referral,
            outcome=outcome,
            reason=reason,
            course_code=referral.course_type.code,
            attended_on=attended_on,
            provider_reference=provider_reference,
            recorded_at=now,
        )
        audit.record(
            "outcome.recorded",
            by=by,
            now=now,
            words=f"Outcome {sequence.last} for police: {outcome.label.lower()}",
            referral_key=referral.key,
            subject=f"outcome:{written.pk}",
        )
        return written


def write_outcome_return(*, force: Force, by: Actor, now: datetime) -> WrittenReturn | None:
    """Write the return that is due: every outcome that no return holds and the force has not acknowledged.

    Returns nothing where none is due. Two at once: the second finds what is left.
    """
    with transaction.atomic(durable=True):
        return compose_outcome_return(force=force, by=by, now=now)


def compose_outcome_return(*, force: Force, by: Actor, now: datetime) -> WrittenReturn | None:
    """As `write_outcome_return`, in the caller's transaction."""
    with transaction.atomic():
        sequence = _lock_sequence(force.pk)
        due = Outcome.objects.of_force(force).filter(returned_in__isnull=True, sequence__gt=sequence.acknowledged)
        outcomes = list(due.select_related("referral").order_by("sequence"))
        if not outcomes:
            return None
        content = as_csv(outcomes)
        record = OutcomeReturn.objects.create(
            force=force,
            first=outcomes[0].sequence,
            last=outcomes[-1].sequence,
            rows=len(outcomes),
            sha256=hashlib.sha256(content).hexdigest(),
            written_at=now,
            written_by=str(by),
        )
        mine = Outcome.objects.filter(pk__in=[each.pk for each in outcomes])
        mine.filter(returned_at__isnull=True).update(returned_at=now)
        mine.update(returned_in=record)
        audit.record(
            "outcomes.returned",
            by=by,
            now=now,
            words=f"Outcomes {record.first} to {record.last} written for {force.name}",
            subject=f"outcome_return:{record.pk}",
            data={"sha256": record.sha256, "rows": record.rows},
        )
        return WrittenReturn(record, content, manifest_of(record))


def read_again(record: OutcomeReturn) -> WrittenReturn:
    """A return as it was written: outcomes never change, so its bytes come out the same."""
    outcomes = record.outcomes.select_related("referral").order_by("sequence")
    return WrittenReturn(record, as_csv(outcomes), manifest_of(record))


def give_out(*, force: Force, after: int, limit: int, now: datetime) -> list[Outcome]:
    """Hand the force's system the outcomes after a sequence, and note when it first had each.

    What the force has acknowledged never comes again, however early `after` is.
    """
    with transaction.atomic(durable=True):
        told = OutcomeSequence.objects.filter(pk=force.pk).values_list("acknowledged", flat=True).first()
        after = max(after, told or 0)
        found = Outcome.objects.of_force(force).filter(sequence__gt=after).select_related("referral")
        outcomes = list(found.order_by("sequence")[:limit])
        fresh = [each.pk for each in outcomes if each.returned_at is None]
        if fresh:
            Outcome.objects.filter(pk__in=fresh, returned_at__isnull=True).update(returned_at=now)
        return outcomes


def acknowledge(*, force: Force, up_to: int, by: Actor, now: datetime) -> int:
    """Take the force's word that it has every outcome up to a sequence; returns up to where it has them.

    They never come again. Less than before changes nothing. Raises AcknowledgementError where one of them was not
    given out yet, by file or API: it would be lost.
    """
    with transaction.atomic(durable=True):
        sequence = _lock_sequence(force.pk)
        if up_to <= sequence.acknowledged:
            return sequence.acknowledged
        outcomes = Outcome.objects.of_force(force).filter(sequence__gt=sequence.acknowledged, sequence__lte=up_to)
        if up_to > sequence.last or outcomes.filter(returned_at__isnull=True).exists():
            raise AcknowledgementError
        sequence.acknowledged = up_to
        sequence.save(update_fields=["acknowledged"])
        audit.record(
            "outcomes.acknowledged",
            by=by,
            now=now,
            words=f"{force.name} has the outcomes up to {up_to}",
            subject=f"force:{force.pk}",
        )
        return up_to


def as_values(outcome: Outcome) -> tuple[str, ...]:
    """An outcome as the return and the API hold it, in the order of `COLUMNS`; its referral is loaded."""
    return (
        str(outcome.sequence),
        outcome.force_id,
        outcome.referral.reference,
        outcome.outcome,
        outcome.reason,
        outcome.course_code,
        outcome.attended_on.isoformat() if outcome.attended_on else "",
        outcome.provider_reference,
        outcome.recorded_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def as_csv(outcomes: Iterable[Outcome]) -> bytes:
    """The return's file: UTF-8, commas, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for outcome in outcomes:
        writer.writerow(map(protect, as_values(outcome)))
    return text.getvalue().encode()


def manifest_of(record: OutcomeReturn) -> dict[str, Any]:
    """What the force checks the file against."""
    return {
        "force_code": record.force_id,
        "sha256": record.sha256,
        "rows": record.rows,
        "first_sequence": record.first,
        "last_sequence": record.last,
        "written_at": record.written_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _lock_sequence(force_code: str) -> OutcomeSequence:
    locked = OutcomeSequence.objects.select_for_update().filter(pk=force_code).first()
    if locked is None:
        OutcomeSequence.objects.bulk_create([OutcomeSequence(force_id=force_code)], ignore_conflicts=True)
        return OutcomeSequence.objects.select_for_update().get(pk=force_code)
    return locked
