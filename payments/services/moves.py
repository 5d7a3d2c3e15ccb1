"""The only functions that change the status of a charge, an attempt or a refund."""

import datetime as dt

from audit import services as audit
from audit.context import Actor
from common.prepared import Prepared
from payments.constants import (
    ATTEMPT_TRANSITIONS,
    CHARGE_TRANSITIONS,
    PENDING_ATTEMPTS,
    REFUND_TRANSITIONS,
    RefundStatus,
)
from payments.errors import ChargeNotFoundError, ChargeStateError, RefundNotFoundError
from payments.models import Attempt, Charge, Refund
from payments.services import letters

_FOUND = Prepared(lambda blank: Charge.objects.filter(pk=blank("pk")))
_PENDING = Prepared(
    lambda blank: Attempt.objects.filter(charge_id=blank("charge_id"), status__in=PENDING_ATTEMPTS).order_by("pk")[:1]
)


def pending_attempt(charge: Charge) -> Attempt | None:
    """The attempt of a charge that is being made or open, if there is one."""
    return _PENDING.first(charge_id=charge.pk)


def find_charge(charge_id: int) -> Charge:
    """The charge, not locked. Raises ChargeNotFoundError."""
    try:
        return _FOUND.get(pk=charge_id)
    except Charge.DoesNotExist as error:
        raise ChargeNotFoundError from error


def find_refund(refund_id: int) -> Refund:
    """The refund, not locked. Raises RefundNotFoundError."""
    try:
        return Refund.objects.get(pk=refund_id)
    except Refund.DoesNotExist as error:
        raise RefundNotFoundError from error


_LOCKED = Prepared(lambda blank: Charge.objects.select_for_update(no_key=True).filter(pk=blank("pk")))


def lock_charge(charge_id: int) -> Charge:
    """The charge as it is now, locked until the transaction ends. Raises ChargeNotFoundError."""
    try:
        return _LOCKED.get(pk=charge_id)
    except Charge.DoesNotExist as error:
        raise ChargeNotFoundError from error


def move_charge(charge: Charge, to: str, *, by: Actor, now: dt.datetime, action: str, words: str) -> bool:
    """Bring a locked charge to a status and write the audit event; False where it is there already.

    Raises ChargeStateError where the table has no such way.
    """
    if charge.status == to:
        return False
    if to not in CHARGE_TRANSITIONS[charge.status]:
        raise ChargeStateError
    charge.status, charge.status_at, charge.status_by = to, now, str(by)
    charge.save(update_fields=["status", "status_at", "status_by", "paid_pence"])
    record(charge, action, by=by, now=now, words=words)
    return True


def move_attempt(attempt: Attempt, to: str, *, now: dt.datetime, fields: tuple[str, ...] = ()) -> bool:
    """Bring an attempt, its charge being locked, to a status, saving `fields` with it; False where it is there.

    Raises ChargeStateError where the table has no such way. What it means is told by an event of the charge.
    """
    if attempt.status == to:
        return False
    if to not in ATTEMPT_TRANSITIONS[attempt.status]:
        raise ChargeStateError
    attempt.status, attempt.status_at = to, now
    attempt.save(update_fields=["status", "status_at", *fields])
    return True


def move_refund(
    refund: Refund,
    to: str,
    *,
    charge: Charge,
    by: Actor,
    now: dt.datetime,
    action: str,
    words: str,
    reason: str = "",
) -> bool:
    """Bring a refund, its charge being locked, to a status and write the audit event; False where it is there already.

    Staff are told once of one that failed. Raises ChargeStateError where the table has no such way.
    """
    if refund.status == to:
        return False
    if to not in REFUND_TRANSITIONS[refund.status]:
        raise ChargeStateError
    refund.status, refund.status_at = to, now
    decision = ("decided_by", "decided_at", "decision_note")
    refund.save(update_fields=["status", "status_at", "stripe_refund_id", "error", *decision])
    record(charge, action, by=by, now=now, words=words, reason=reason, data={"refund": refund.pk})
    if to == RefundStatus.FAILED:
        letters.write_refund(refund, words, charge=charge, now=now)
    return True


def record(
    charge: Charge,
    action: str,
    *,
    by: Actor,
    now: dt.datetime,
    words: str,
    reason: str = "",
    data: dict[str, int | str] | None = None,
) -> None:
    """An audit event about a charge, in the caller's transaction."""
    audit.record(
        action,
        by=by,
        now=now,
        words=words,
        referral_key=charge.referral_key,
        subject=f"charge:{charge.pk}",
        reason=reason,
        data={"booking": charge.booking_reference, **(data or {})},
    )
