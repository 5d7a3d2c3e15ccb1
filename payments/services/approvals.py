"""Refunds asked for by hand, which a second person may have to decide on; and what is done about failed ones."""

import datetime as dt

from django.db import transaction
from django.db.models import Sum

from audit import services as audit
from audit.context import Actor
from common.bell import ring_on_commit
from common.clock import date_words, london_day
from common.labels import mid_sentence
from common.money import pounds
from courses.errors import ReasonNeededError
from payments import rules, signals
from payments.constants import REFUNDS_VOID, RefundStatus
from payments.errors import (
    ChargeStateError,
    LimitInThePastError,
    OverRefundError,
    SecondPersonError,
    TakenBackError,
)
from payments.models import Charge, Refund, RefundLimit
from payments.services import ledger, letters, moves, refunds

# Who decides on what still waits for a second person when its booking ends and the policy gives it back.
POLICY = Actor("job", "refund_policy")


@transaction.atomic(durable=True)
def ask_refund(
    *, charge_id: int, amount_pence: int, reason: str, by: Actor, now: dt.datetime, note: str, policy_pence: int = 0
) -> Refund:
    """A person asks for money to go back, all of it or a part.

    It is sent at once where the policy gives back as much (`policy_pence`, as the app that knows bookings says) and
    the limit of the day is not passed; else it waits for a second person. Sums asked for by hand of one charge count
    together. Raises NothingPaidError, OverRefundError, TakenBackError, ReasonNeededError. Locks as the house does, the
    charge last.
    """
    _lock(charge_id)
    return propose_refund(
        charge_id=charge_id,
        amount_pence=amount_pence,
        reason=reason,
        by=by,
        now=now,
        note=note,
        policy_pence=policy_pence,
        even_if_taken=False,
    )


@transaction.atomic
def propose_refund(
    *,
    charge_id: int,
    amount_pence: int,
    reason: str,
    by: Actor,
    now: dt.datetime,
    note: str,
    policy_pence: int,
    asked_with_pence: int = 0,
    even_if_taken: bool = True,
    attempt_id: int | None = None,
) -> Refund:
    """As `ask_refund`, for who cancels a booking by hand. Composed: who locks bookings does so before.

    `asked_with_pence` is what the same decision sends back of the booking's other charges: it counts to the limit.
    Money that is with the payer's bank keeps no booking from ending (`even_if_taken`): see `request_refund`.
    """
    if not note.strip():
        raise ReasonNeededError
    charge = moves.lock_charge(charge_id)
    is_waiting = _needs_second(
        charge, amount_pence=amount_pence, policy_pence=policy_pence, now=now, asked_with_pence=asked_with_pence
    )
    refund = refunds.new_refund(
        charge,
        amount_pence=amount_pence,
        reason=reason,
        by=by,
        now=now,
        note=note,
        attempt_id=attempt_id,
        is_waiting=is_waiting,
        even_if_taken=even_if_taken,
    )
    _say_asked(charge, refund, by=by, now=now)
    return refund


@transaction.atomic
def overtake_refunds(*, charge_id: int, attempt_id: int, by: Actor, now: dt.datetime) -> None:
    """Void what waits for a second person of a payment, because its booking ends and it goes back anew. Composed.

    Nobody can approve it any more, so that no sum goes back twice, and none is lost should it be rejected. One that
    was to follow a failed one is followed by the new one. Locks the charge.
    """
    charge = moves.lock_charge(charge_id)
    waiting = Refund.objects.select_for_update(of=("self",)).filter(attempt=attempt_id, status=RefundStatus.WAITING)
    for refund in waiting.order_by("pk"):
        note = "Overtaken: the booking has ended"
        refund.decided_by, refund.decided_at, refund.decision_note = str(POLICY), now, note
        words = f"Refund of {pounds(refund.amount_pence)} is no longer decided on: the booking has ended"
        to, action = RefundStatus.REJECTED, "refund.overtaken"
        moves.move_refund(refund, to, charge=charge, by=by, now=now, action=action, words=words, reason=note)
        letters.withdraw_waiting(refund, now=now)


def _needs_second(
    charge: Charge, *, amount_pence: int, policy_pence: int, now: dt.datetime, asked_with_pence: int = 0
) -> bool:
    by_hand = Refund.objects.filter(charge=charge, requested_by__startswith="staff:").exclude(status__in=REFUNDS_VOID)
    return rules.needs_second_person(
        amount_pence=amount_pence,
        asked_before_pence=asked_with_pence + by_hand.aggregate(pence=Sum("amount_pence", default=0))["pence"],
        limit_pence=RefundLimit.objects.on(london_day(now)).over_pence,
        policy_pence=policy_pence,
    )


def _say_asked(charge: Charge, refund: Refund, *, by: Actor, now: dt.datetime) -> None:
    if refund.status != RefundStatus.WAITING:
        refunds.say_requested(charge, refund, by=by, now=now)
        return
    how = ", to be paid from the bank" if refund.is_by_bank else ""
    cause = mid_sentence(refund.get_cause_display())
    words = f"Refund of {pounds(refund.amount_pence)} asked for{how}: {cause}. A second person decides"
    moves.record(charge, "refund.asked", by=by, now=now, words=words, reason=refund.note, data={"refund": refund.pk})
    letters.write_refund(refund, words, charge=charge, now=now)


@transaction.atomic(durable=True)
def approve_refund(*, refund_id: int, note: str, by: Actor, now: dt.datetime) -> Refund:
    """Let a refund that waits be sent, or be recorded as paid from the bank. Repeated by the same person: nothing.

    Raises SecondPersonError for who asked for it, ReasonNeededError, ChargeStateError where it was decided already,
    TakenBackError where the payer's bank has taken the money back meanwhile.
    """
    refund, charge = _lock_refund(refund_id)
    if refund.status != RefundStatus.WAITING and refund.decided_by == str(by) != "":
        return refund
    _decide(refund, note=note, by=by, now=now)
    paid = refund.attempt
    if refunds.taken_pence(paid) > paid.paid_pence - paid.refunded_pence:  # what waits is counted as refunded
        raise TakenBackError
    if refund.is_by_bank:
        words = f"Refund of {pounds(refund.amount_pence)} approved, as paid by other means"
        _settle_from_bank(refund, charge, words=words, note=note, by=by, now=now)
        return refund
    words = f"Refund of {pounds(refund.amount_pence)} approved"
    moves.move_refund(
        refund,
        RefundStatus.REQUESTED,
        charge=charge,
        by=by,
        now=now,
        action="refund.approved",
        words=words,
        reason=note,
    )
    ring_on_commit("payments.jobs.send_refunds")
    return refund


@transaction.atomic(durable=True)
def reject_refund(*, refund_id: int, note: str, by: Actor, now: dt.datetime) -> Refund:
    """Refuse a refund that waits: it no longer counts against what was paid. Raises as `approve_refund`.

    One that was to follow a failed one leaves that to be settled in another way: it is a task again. Any other is
    announced as refused.
    """
    refund, charge = _lock_refund(refund_id)
    if refund.status == RefundStatus.REJECTED and refund.decided_by == str(by):
        return refund
    _decide(refund, note=note, by=by, now=now)
    words = f"Refund of {pounds(refund.amount_pence)} rejected"
    moves.move_refund(
        refund,
        RefundStatus.REJECTED,
        charge=charge,
        by=by,
        now=now,
        action="refund.rejected",
        words=words,
        reason=note,
    )
    if refund.retry_of_id:
        failed = Refund.objects.select_for_update().get(pk=refund.retry_of_id)
        refund.retry_of = None
        refund.save(update_fields=["retry_of"])
        words = f"The failed refund of {pounds(refund.amount_pence)} still needs a person"
        action = "refund.failed"
        moves.move_refund(failed, RefundStatus.FAILED, charge=charge, by=by, now=now, action=action, words=words)
    else:
        signals.refund_rejected.send(sender=Charge, charge=charge, refund=refund, now=now)
    return refund


def _decide(refund: Refund, *, note: str, by: Actor, now: dt.datetime) -> None:
    if not note.strip():
        raise ReasonNeededError
    if refund.status != RefundStatus.WAITING:
        raise ChargeStateError
    if refund.requested_by == str(by):
        raise SecondPersonError
    refund.decided_by, refund.decided_at, refund.decision_note = str(by), now, note[:200]
    letters.withdraw_waiting(refund, now=now)


# --- Failed ones -----------------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def try_refund_again(*, refund_id: int, note: str, by: Actor, now: dt.datetime) -> Refund:
    """Send a refund that failed once more, as a new one of the same amount.

    Above the limit, or where the first was outside the policy, a second person decides on it anew. Returns the new
    one, and the same one when repeated. Raises ReasonNeededError, ChargeStateError for one that has not failed,
    OverRefundError where the money went back in another way meanwhile.
    """
    if not note.strip():
        raise ReasonNeededError
    failed, charge = _lock_refund(refund_id)
    if failed.status == RefundStatus.REPLACED:
        return failed.retried_as
    words = f"The failed refund of {pounds(failed.amount_pence)} is tried again"
    is_waiting = _needs_second_anew(failed, charge, now=now)
    return _replace(failed, charge, words=words, note=note, is_waiting=is_waiting, by=by, now=now)


@transaction.atomic(durable=True)
def settle_refund_elsewhere(*, refund_id: int, note: str, by: Actor, now: dt.datetime) -> Refund:
    """Record that a refund that failed was paid from the bank; the ledger says so. Repeated it does nothing.

    Above the limit, or where the first was outside the policy, it is a new one that a second person decides on, and
    the bank pays after that. `note` says how (the bank transfer's own reference). The database sees that no more goes
    back than was paid. Raises ReasonNeededError, ChargeStateError for one that has not failed, OverRefundError, and
    TakenBackError while the payer's bank has the money in a dispute.
    """
    if not note.strip():
        raise ReasonNeededError
    refund, charge = _lock_refund(refund_id)
    if refund.status == RefundStatus.ELSEWHERE:
        return refund
    if refund.status == RefundStatus.REPLACED and refund.retried_as.is_by_bank:
        return refund.retried_as
    if refund.status != RefundStatus.FAILED:
        raise ChargeStateError
    left = refund.attempt.paid_pence - refund.attempt.refunded_pence
    if refund.amount_pence > left:
        raise OverRefundError
    if refund.amount_pence > left - refunds.taken_pence(refund.attempt):
        raise TakenBackError
    if _needs_second_anew(refund, charge, now=now):
        words = f"The failed refund of {pounds(refund.amount_pence)} is to be paid by other means"
        return _replace(refund, charge, words=words, note=note, is_waiting=True, is_by_bank=True, by=by, now=now)
    words = f"The failed refund of {pounds(refund.amount_pence)} was paid by other means"
    _settle_from_bank(refund, charge, words=words, note=note, by=by, now=now)
    return refund


def _needs_second_anew(failed: Refund, charge: Charge, *, now: dt.datetime) -> bool:
    """As if it were asked for by hand. What needed no second person the first time was given by the policy."""
    policy_pence = 0 if failed.needs_approval else failed.amount_pence
    return _needs_second(charge, amount_pence=failed.amount_pence, policy_pence=policy_pence, now=now)


def _replace(
    failed: Refund,
    charge: Charge,
    *,
    words: str,
    note: str,
    is_waiting: bool,
    by: Actor,
    now: dt.datetime,
    is_by_bank: bool = False,
) -> Refund:
    moves.move_refund(
        failed, RefundStatus.REPLACED, charge=charge, by=by, now=now, action="refund.retried", words=words, reason=note
    )
    refund = refunds.new_refund(
        charge,
        amount_pence=failed.amount_pence,
        reason=failed.cause,
        by=by,
        now=now,
        note=note,
        attempt_id=failed.attempt_id,
        is_waiting=is_waiting,
        retry_of=failed,
        is_by_bank=is_by_bank,
    )
    _say_asked(charge, refund, by=by, now=now)
    return refund


def _settle_from_bank(refund: Refund, charge: Charge, *, words: str, note: str, by: Actor, now: dt.datetime) -> None:
    moves.move_refund(
        refund,
        RefundStatus.ELSEWHERE,
        charge=charge,
        by=by,
        now=now,
        action="refund.paid_elsewhere",
        words=words,
        reason=note,
    )
    ledger.write_refunded_elsewhere(charge=charge, refund=refund, note=note, by=by, now=now)
    charge.refresh_from_db()
    signals.charge_refunded.send(sender=Charge, charge=charge, refund=refund, by=by, now=now)


# --- The limit -------------------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def change_refund_limit(
    *, over_pence: int, valid_from: dt.date, reason: str, by: Actor, now: dt.datetime
) -> RefundLimit:
    """Another limit from a London day on; the running one ends the day before. Raises LimitInThePastError."""
    last = RefundLimit.objects.select_for_update().order_by("-valid_from").first()
    if valid_from <= london_day(now) or (last is not None and valid_from <= last.valid_from):
        raise LimitInThePastError
    was = ""
    if last is not None:
        was = f" (was {pounds(last.over_pence)})"
        last.valid_to = valid_from - dt.timedelta(days=1)
        last.save(update_fields=["valid_to"])
    limit = RefundLimit.objects.create(valid_from=valid_from, over_pence=over_pence)
    words = f"Refunds above {pounds(over_pence)}{was} need a second person from {date_words(valid_from)}"
    audit.record(
        "refund_limit.changed", by=by, now=now, words=words, subject=f"refund_limit:{limit.pk}", reason=reason
    )
    return limit


def _lock(charge_id: int) -> Charge:
    charge = moves.find_charge(charge_id)
    signals.charge_locking.send(sender=Charge, booking_reference=charge.booking_reference)
    return moves.lock_charge(charge_id)


def _lock_refund(refund_id: int) -> tuple[Refund, Charge]:
    charge = _lock(moves.find_refund(refund_id).charge_id)
    refund = Refund.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=refund_id)
    return refund, charge
