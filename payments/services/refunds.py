"""Money going back: asked for, sent with its idempotency key, and followed until it has arrived or failed."""

import datetime as dt
import logging
import uuid

from django.db import transaction
from django.db.models import Q, Sum

from audit.context import Actor
from common import claims
from common.bell import ring_on_commit
from common.labels import mid_sentence
from common.money import pounds
from payments import gateway, rules, signals
from payments.constants import (
    DISPUTES_TAKEN,
    REFUND_TRANSITIONS,
    AttemptStatus,
    ChargeStatus,
    RefundReason,
    RefundStatus,
)
from payments.errors import MismatchError, NothingPaidError, OverRefundError, TakenBackError
from payments.models import Attempt, Charge, Dispute, Refund
from payments.services import ledger, moves

logger = logging.getLogger(__name__)

SENDER = Actor("job", "send_refunds")
CLAIM_SECONDS = 300
_STATUSES = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
_SAID = {
    RefundStatus.PENDING: ("refund.sent", "Stripe has taken the refund of {} and is paying it out"),
    RefundStatus.SUCCEEDED: ("refund.succeeded", "{} refunded"),
    RefundStatus.FAILED: ("refund.failed", "The refund of {} failed and needs a person"),
}


@transaction.atomic
def request_refund(
    *,
    charge_id: int,
    amount_pence: int,
    reason: str,
    by: Actor,
    now: dt.datetime,
    note: str = "",
    attempt_id: int | None = None,
) -> Refund:
    """Send money back as the policy says; `send_refunds` does it. Composed: who locks bookings does so before.

    It goes back to the payment that settled the charge, or to the one named by `attempt_id`. Never more than was paid
    and has not gone back: raises OverRefundError, or NothingPaidError. Locks the charge; the database's CHECKs stand
    behind it. What a person asks for by hand goes through `ask_refund`, which may need a second person. Money that is
    with the payer's bank keeps no booking from ending: Stripe refuses the refund, which is a task until the verdict.
    """
    charge = moves.lock_charge(charge_id)
    refund = new_refund(
        charge,
        amount_pence=amount_pence,
        reason=reason,
        by=by,
        now=now,
        note=note,
        attempt_id=attempt_id,
        even_if_taken=True,
    )
    say_requested(charge, refund, by=by, now=now)
    return refund


def new_refund(
    charge: Charge,
    *,
    amount_pence: int,
    reason: str,
    by: Actor,
    now: dt.datetime,
    note: str = "",
    attempt_id: int | None = None,
    is_waiting: bool = False,
    retry_of: Refund | None = None,
    is_by_bank: bool = False,
    even_if_taken: bool = False,
) -> Refund:
    """The row of a refund of a locked charge, to be sent or to wait for a second person.

    Raises NothingPaidError, OverRefundError and, unless `even_if_taken`, TakenBackError.
    """
    if charge.status != ChargeStatus.PAID:
        raise NothingPaidError
    paid = Attempt.objects.filter(charge=charge, status=AttemptStatus.PAID)
    if attempt_id is not None:
        paid = paid.filter(pk=attempt_id)
    payments = [
        rules.Paid(one.pk, one.paid_pence, one.refunded_pence, one.is_extra, 0 if even_if_taken else taken_pence(one))
        for one in paid
    ]
    payment = rules.payment_to_refund(payments, amount_pence=amount_pence)
    if payment is None:
        is_taken = any(amount_pence <= one.refundable_pence + one.taken_pence for one in payments if one.taken_pence)
        raise TakenBackError if is_taken else OverRefundError
    return Refund.objects.create(
        charge=charge,
        attempt_id=payment.key,
        amount_pence=amount_pence,
        cause=reason,
        note=note[:200],
        status=RefundStatus.WAITING if is_waiting else RefundStatus.REQUESTED,
        status_at=now,
        requested_at=now,
        requested_by=str(by),
        needs_approval=is_waiting,
        retry_of=retry_of,
        is_by_bank=is_by_bank,
        idempotency_key=uuid.uuid4().hex,
    )


def taken_pence(attempt: Attempt) -> int:
    """What of a payment its payer's bank has taken back, in disputes that are open or lost."""
    taken = Dispute.objects.filter(attempt=attempt, status__in=DISPUTES_TAKEN)
    pence: int = taken.aggregate(pence=Sum("amount_pence", default=0))["pence"]
    return pence


def say_requested(charge: Charge, refund: Refund, *, by: Actor, now: dt.datetime) -> None:
    """The audit event of a refund that is to be sent, and the bell for who sends it."""
    words = f"Refund of {pounds(refund.amount_pence)} asked for: {mid_sentence(refund.get_cause_display())}"
    data: dict[str, int | str] = {"refund": refund.pk}
    moves.record(charge, "refund.requested", by=by, now=now, words=words, reason=refund.note, data=data)
    ring_on_commit("payments.jobs.send_refunds")


def send_refunds(*, now: dt.datetime, by: Actor = SENDER) -> dict[str, int]:
    """Send what was asked for to Stripe, and ask it what became of what is under way. Safe to run twice and at once.

    While Stripe does not answer it asks about no more than one. Returns counts: sent, followed, failed, put_off.
    """
    counts = {"sent": 0, "followed": 0, "failed": 0, "put_off": 0}
    waiting = Refund.objects.filter(status__in=(RefundStatus.REQUESTED, RefundStatus.PENDING))
    while refunds := claims.claim(
        waiting.select_related("charge", "attempt"),
        now=now,
        limit=20,
        seconds=CLAIM_SECONDS,
        ordering=("requested_at", "id"),
    ):
        for position, refund in enumerate(refunds):
            try:
                counts[_send(refund, by=by, now=now)] += 1
            except gateway.StripeUnavailableError as error:
                logger.warning("refunds are put off: %s", error)
                for waits in refunds[position:]:
                    _put_off(waits, now=now, error=str(error) if waits == refund else "")
                counts["put_off"] += len(refunds) - position
                return counts
    return counts


def _send(refund: Refund, *, by: Actor, now: dt.datetime) -> str:
    """One refund's turn. What it did, as `send_refunds` counts it."""
    try:
        if refund.status == RefundStatus.PENDING:
            record_refund(gateway.retrieve_refund(refund.stripe_refund_id), by=by, now=now)
            _put_off(refund, now=now)
            return "followed"
        record_refund(_find_sent(refund) or _create(refund), by=by, now=now)
    except gateway.StripeUnavailableError as error:
        if not error.is_kept:
            raise
        _put_off(refund, now=now, is_kept=True, error=str(error))
        return "put_off"
    except gateway.StripeRefusedError as error:
        logger.exception("refund %s is refused", refund.pk)
        _refuse(refund, error=str(error), by=by, now=now)
        return "failed"
    except MismatchError:
        logger.exception("refund %s is not what Stripe reports", refund.pk)
        _put_off(refund, now=now, error="Stripe reports something else")
        return "failed"
    except Exception as error:  # one bad refund, or a receiver that fails, must not keep the others from being sent
        logger.exception("refund %s cannot be sent", refund.pk)
        _put_off(refund, now=now, error=f"{type(error).__name__}: {error}")
        return "failed"
    return "sent"


def _find_sent(refund: Refund) -> gateway.RefundFact | None:
    """On a second try: the refund, should Stripe have made it the first time. Keys are forgotten after a day."""
    if refund.attempts <= 1:
        return None
    stem = rules.key_stem(refund.idempotency_key)
    facts = gateway.refunds_of(refund.attempt.payment_intent_id)
    return next((fact for fact in facts if fact.metadata.get("refund") == stem), None)


def _create(refund: Refund) -> gateway.RefundFact:
    return gateway.create_refund(
        idempotency_key=refund.idempotency_key,
        booking_reference=refund.charge.booking_reference,
        intent_id=refund.attempt.payment_intent_id,
        amount_pence=refund.amount_pence,
    )


def _put_off(refund: Refund, *, now: dt.datetime, is_kept: bool = False, error: str = "") -> None:
    """Leave it alone for a while. Where Stripe keeps its own failure under the key, the next try needs another key."""
    changes: dict[str, object] = {
        "claimed_until": now + rules.pause_before_retry(refund.attempts),
        "error": error[:200],
    }
    if is_kept:
        changes["idempotency_key"] = rules.next_key(refund.idempotency_key)
    Refund.objects.filter(pk=refund.pk, idempotency_key=refund.idempotency_key).update(**changes)


@transaction.atomic(durable=True)
def _refuse(refund: Refund, *, error: str, by: Actor, now: dt.datetime) -> None:
    charge = moves.lock_charge(refund.charge_id)
    refund = Refund.objects.select_for_update().get(pk=refund.pk)
    if refund.status == RefundStatus.REQUESTED:
        refund.error = error[:200]
        action, words = _SAID[RefundStatus.FAILED]
        words = words.format(pounds(refund.amount_pence))
        moves.move_refund(refund, RefundStatus.FAILED, charge=charge, by=by, now=now, action=action, words=words)


def record_refund(fact: gateway.RefundFact, *, by: Actor, now: dt.datetime) -> Refund | None:
    """Write down what Stripe says of a refund, and book it. None where it is not of a payment of ours.

    May be repeated, and an older answer that comes after a newer one changes nothing. A refund made by hand at Stripe
    is taken in as one of ours, so that ledger and balance agree. Locks the charge. Raises MismatchError.
    """
    refund = _known(fact)
    paid = Attempt.objects.filter(payment_intent_id=fact.intent_id, status=AttemptStatus.PAID)
    attempt = refund.attempt if refund else paid.first()
    if attempt is None:
        return None
    return _record(fact, attempt_id=attempt.pk, charge_id=attempt.charge_id, by=by, now=now)


def _known(fact: gateway.RefundFact) -> Refund | None:
    """Our refund, by the name we gave it in Stripe's metadata or by Stripe's."""
    is_it = Q(stripe_refund_id=fact.refund_id)
    if stem := fact.metadata.get("refund"):
        is_it |= Q(idempotency_key=stem) | Q(idempotency_key__startswith=f"{stem}.")
    return Refund.objects.select_related("attempt").filter(is_it).first()


@transaction.atomic(durable=True)
def _record(fact: gateway.RefundFact, *, attempt_id: int, charge_id: int, by: Actor, now: dt.datetime) -> Refund:
    reference = Charge.objects.values_list("booking_reference", flat=True).get(pk=charge_id)
    signals.charge_locking.send(sender=Charge, booking_reference=reference)
    charge = moves.lock_charge(charge_id)
    known = _known(fact)
    refund = (
        Refund.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=known.pk)
        if known
        else _take_in(fact, charge=charge, attempt_id=attempt_id, by=by, now=now)
    )
    _check(fact, refund)
    to = _STATUSES[fact.status]
    if refund.status == RefundStatus.REPLACED or to not in REFUND_TRANSITIONS[refund.status]:
        return refund  # nothing new, or an answer older than what we know
    refund.stripe_refund_id = fact.refund_id
    refund.error = fact.failure
    ledger.write_refunded(charge=charge, refund=refund, occurred_at=fact.created_at, by=by, now=now)
    if to == RefundStatus.FAILED:
        came_back_at = fact.failed_at or now
        ledger.write_refund_failed(charge=charge, refund=refund, occurred_at=came_back_at, by=by, now=now)
    action, words = _SAID[to]
    words = words.format(pounds(refund.amount_pence))
    moves.move_refund(refund, to, charge=charge, by=by, now=now, action=action, words=words)
    if to == RefundStatus.SUCCEEDED:
        charge.refresh_from_db()
        signals.charge_refunded.send(sender=Charge, charge=charge, refund=refund, by=by, now=now)
    return refund


def _take_in(fact: gateway.RefundFact, *, charge: Charge, attempt_id: int, by: Actor, now: dt.datetime) -> Refund:
    paid = Attempt.objects.get(pk=attempt_id)
    if fact.amount_pence > paid.paid_pence - paid.refunded_pence:  # with what waits or was paid in another way
        raise MismatchError(f"refund {fact.refund_id}, made by hand, is of more than is left of the payment")
    refund = Refund.objects.create(
        charge=charge,
        attempt_id=attempt_id,
        amount_pence=fact.amount_pence,
        cause=RefundReason.AT_STRIPE,
        status=RefundStatus.REQUESTED,
        status_at=now,
        requested_at=fact.created_at,
        requested_by="stripe:dashboard",
        idempotency_key=f"stripe-{fact.refund_id}"[:64],
        stripe_refund_id=fact.refund_id,
    )
    words = f"Refund of {pounds(fact.amount_pence)} made by hand in Stripe's dashboard"
    moves.record(charge, "refund.taken_in", by=by, now=now, words=words, data={"refund": refund.pk})
    return refund


def _check(fact: gateway.RefundFact, refund: Refund) -> None:
    expected = (refund.amount_pence, rules.CURRENCY, refund.attempt.payment_intent_id)
    if (fact.amount_pence, fact.currency, fact.intent_id) != expected or fact.status not in _STATUSES:
        raise MismatchError(f"refund {fact.refund_id} is not refund {refund.pk} of ours")
    if refund.stripe_refund_id not in ("", fact.refund_id):
        raise MismatchError(f"refund {refund.pk} has two refunds at Stripe")
