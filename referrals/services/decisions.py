"""Quarantined rows: right in themselves, but a person must decide. Accepted, a row does what it would have done."""

from datetime import datetime
from typing import Any, cast

from django.db import IntegrityError, transaction

from audit import services as audit
from audit.context import Actor
from common.clock import london_day
from common.errors import PortalError
from courses.models import Place
from referrals import rules
from referrals.cells import cells_of
from referrals.constants import BatchKind, ReferralStatus, RowDecision, RowState
from referrals.errors import DecisionError, ReasonMissingError, ReferralNotFoundError
from referrals.files.header import column_name
from referrals.models import BatchRow, Referral
from referrals.rules import ReferralValues, WithdrawalValues
from referrals.services import standing
from referrals.services.changes import changed_columns, hashes_of, listed
from referrals.services.checking import Prepared, checked_on, prepared_of, with_secrets
from referrals.services.lifecycle import id_of, lock, withdraw_composed
from referrals.services.scheme import Scheme, read_scheme
from referrals.services.settling import insert, update
from referrals.signals import referral_locking


def accept_row(*, row_id: int, reason: str, by: Actor, now: datetime) -> BatchRow:
    """Take a quarantined row as it is: bring in the offer, apply the change, or withdraw what is known by now.

    The row is checked once more, as of now. Another force's row is accepted by KCC staff alone, as that force's. Locks
    the row, then session, referral, booking, charge. Raises DecisionError with what stands in the way.
    """
    if not reason.strip():
        raise ReasonMissingError
    try:
        with transaction.atomic(durable=True):
            row = _lock(row_id)
            words = _accept(row, by=by, now=now)
            return _decide(row, RowDecision.ACCEPTED, reason, words, by=by, now=now)
    except IntegrityError as error:
        raise DecisionError("This reference has come in meanwhile. Look at it before you decide.") from error


def refuse_row(*, row_id: int, reason: str, by: Actor, now: datetime) -> BatchRow:
    """Leave a quarantined row out for good: nothing else changes. Locks the row. Raises DecisionError."""
    if not reason.strip():
        raise ReasonMissingError
    with transaction.atomic(durable=True):
        row = _lock(row_id)
        return _decide(row, RowDecision.REFUSED, reason, "not taken", by=by, now=now)


def _lock(row_id: int) -> BatchRow:
    row = (
        BatchRow.objects.select_for_update(of=("self",))
        .select_related("batch")
        .filter(pk=row_id, state=RowState.QUARANTINED)
        .first()
    )
    if row is None or row.decision:
        raise DecisionError("This row has been decided already.")
    return row


def _decide(row: BatchRow, decision: RowDecision, reason: str, words: str, *, by: Actor, now: datetime) -> BatchRow:
    row.decision, row.decision_reason = decision, reason.strip()
    row.decided_at, row.decided_by = now, str(by)
    row.save(update_fields=["decision", "decision_reason", "decided_at", "decided_by"])
    audit.record(
        f"row.{decision.value}",
        by=by,
        now=now,
        words=f"Row {row.number} of {row.batch.file_name} {decision.label.lower()}: {words}",
        referral_key=f"{row.row_force_code}/{row.reference}",
        subject=f"batch_row:{row.pk}",
        reason=reason.strip(),
        data={"batch": str(row.batch_id), "row": row.number, "codes": [each["code"] for each in row.errors]},
    )
    return row


def _accept(row: BatchRow, *, by: Actor, now: datetime) -> str:
    if row.row_force_code != row.batch.force_id and by.kind != "staff":
        raise DecisionError("Only KCC staff can accept a row of another force. You can refuse it.")
    if row.batch.kind == BatchKind.REFERRALS:
        return _accept_referral(row, by=by, now=now)
    if row.batch.kind == BatchKind.WITHDRAWALS:
        return _accept_withdrawal(row, by=by, now=now)
    raise DecisionError("Send the forecast again under the force's own code. You can refuse this row.")


def _accept_referral(row: BatchRow, *, by: Actor, now: datetime) -> str:
    scheme = read_scheme(london_day(now))
    prepared = _check_again(row, scheme, now)
    values = cast(ReferralValues, prepared.values)
    found = Referral.objects.of_force(values.force_code).filter(reference=values.reference).first()
    if found is None:
        insert(prepared, batch=row.batch, by=by, now=now)
        return "the offer is live"
    referral_locking.send(sender=Referral, referral_id=found.pk)
    referral = lock(found.pk)
    said = standing.said_before([referral])[referral.key]
    row_applied, values, _ = standing.applied(prepared, values, held=referral, said=said, courses=scheme.courses)
    changes = changed_columns(referral, values, hashes_of(values))
    _check_change(referral, values, changes)
    update([row_applied])
    return f"changed {listed(changes)}" if changes else "nothing differs any more"


def _check_change(referral: Referral, values: ReferralValues, changes: dict[str, list[str]]) -> None:
    status = ReferralStatus(referral.status)
    if status in (ReferralStatus.WITHDRAWN, ReferralStatus.EXPIRED):
        raise DecisionError(f"The offer is “{status.label.lower()}”: nothing of it can be changed by a file.")
    if status in (ReferralStatus.BOOKED, ReferralStatus.COMPLETED) and "course_code" in changes:
        raise DecisionError("A course of the other kind is booked or done. Cancel the booking first.")
    is_nearer = values.complete_by < referral.complete_by
    if status == ReferralStatus.BOOKED and is_nearer:
        raise DecisionError("A course is booked, so complete by cannot come nearer. Withdraw the offer instead.")
    if ("course_code" in changes or is_nearer) and Place.objects.held_for([referral.key]).exists():
        raise DecisionError("The candidate is choosing a date just now. Try again in half an hour.")


def _accept_withdrawal(row: BatchRow, *, by: Actor, now: datetime) -> str:
    prepared = _check_again(row, read_scheme(london_day(now)), now)
    values = cast(WithdrawalValues, prepared.values)
    try:
        withdrawal, is_new = withdraw_composed(
            referral_id=id_of(force_code=values.force_code, reference=values.reference),
            reason=values.reason,
            effective_at=values.effective_at,
            received_at=row.batch.received_at,
            by=by,
            now=now,
            batch=row.batch,
        )
    except ReferralNotFoundError as error:
        raise DecisionError("We still do not hold this reference. Wait for it, or refuse the row.") from error
    except PortalError as error:
        raise DecisionError(error.message) from error
    return "withdrawn" if is_new else f"it was withdrawn before ({withdrawal.get_reason_display().lower()})"


def _check_again(row: BatchRow, scheme: Scheme, now: datetime) -> Prepared:
    cells = cells_of(row.cells_encrypted)
    if not cells:
        raise DecisionError("The row's cells have been erased. Ask the force to send it again.")
    named = dict(zip(map(column_name, row.batch.columns), cells, strict=True))
    context = checked_on(now, force_code=row.row_force_code, scheme=scheme)
    is_referral = row.batch.kind == BatchKind.REFERRALS
    check: Any = rules.check_referral if is_referral else rules.check_withdrawal
    checked = check(named, context=context)
    if checked.values is None:
        raise DecisionError("It cannot be accepted any more: " + " ".join(each.message for each in checked.errors))
    return with_secrets(prepared_of(checked, number=row.number, cells=cells, courses=scheme.courses))
