"""What Stripe says of a Checkout session, written down; and the mop-up that asks Stripe about every open attempt."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.context import Actor
from common import claims
from common.bell import ring_on_commit
from common.errors import PortalError
from common.money import pounds
from common.prepared import Prepared
from payments import gateway, rules, signals
from payments.constants import (
    ATTEMPT_TRANSITIONS,
    PENDING_ATTEMPTS,
    AttemptStatus,
    ChargeStatus,
    RefundReason,
)
from payments.errors import MismatchError, PaymentUnknownError
from payments.models import Attempt, Charge
from payments.services import ledger, letters, moves, refunds

logger = logging.getLogger(__name__)

SETTLER = Actor("job", "settle_payments")
CREATING_IS_LOST_AFTER = dt.timedelta(minutes=1)
OPEN_IS_ASKED_ABOUT_AFTER = dt.timedelta(minutes=3)
# Shorter than the pause between two sweeps, so that each sweep asks anew.
CLAIM_SECONDS = 100
MOST_SECONDS = 24 * 60 * 60


# --- One attempt, brought up to date ---------------------------------------------------------------------------
def refresh_attempt(attempt: Attempt, *, by: Actor, now: dt.datetime) -> Attempt:
    """Ask Stripe about an attempt and write down the answer, whatever state either is in. May be repeated.

    One that was being created when its process died is created with the same key and values: Stripe answers as it did
    the first time, if there was one, and is then asked how the session stands today. Calls Stripe; raises
    StripeUnavailableError and MismatchError.
    """
    if attempt.status == AttemptStatus.CREATING:
        attempt = open_at_stripe(attempt, by=by, now=now)
    if attempt.status in (AttemptStatus.PAID, AttemptStatus.FAILED):
        return attempt
    return record_checkout(attempt, gateway.retrieve_checkout(attempt.checkout_session_id), by=by, now=now)


def open_at_stripe(attempt: Attempt, *, by: Actor, now: dt.datetime) -> Attempt:
    """Make, or make sure of, the Checkout session of an attempt whose intent is committed. Calls Stripe.

    Refused, or with Stripe's own failure kept under the key, the attempt has failed: nobody was given its address, so
    nobody can pay it, and the next click begins a new one. Raises StripeUnavailableError and MismatchError.
    """
    charge = attempt.charge
    try:
        fact = gateway.create_checkout(
            idempotency_key=attempt.idempotency_key,
            booking_reference=charge.booking_reference,
            amount_pence=charge.amount_pence,
            description=charge.description,
            email=charge.email,
            success_url=attempt.success_url,
            cancel_url=attempt.cancel_url,
            expires_at=attempt.expires_at,
        )
    except gateway.StripeRefusedError as error:
        logger.exception("Checkout for attempt %s is refused", attempt.pk)
        return _fail(attempt, error=str(error), now=now)
    except gateway.StripeUnavailableError as error:
        if not error.is_kept:
            raise
        return _fail(attempt, error=str(error), now=now)
    return record_checkout(attempt, fact, by=by, now=now)


def close_attempt(attempt: Attempt, *, by: Actor, now: dt.datetime) -> Attempt:
    """Have Stripe close the session of an attempt, or settle it where it was paid first. Calls Stripe; repeatable."""
    if attempt.status == AttemptStatus.CREATING:
        attempt = open_at_stripe(attempt, by=by, now=now)
    if attempt.status != AttemptStatus.OPEN:
        return attempt
    try:
        fact = gateway.expire_checkout(attempt.checkout_session_id)
    except gateway.StripeRefusedError:
        fact = gateway.retrieve_checkout(attempt.checkout_session_id)  # it is complete or expired already
    return record_checkout(attempt, fact, by=by, now=now)


def record_checkout(attempt: Attempt, fact: gateway.Checkout, *, by: Actor, now: dt.datetime) -> Attempt:
    """Write down what Stripe says of an attempt's session; settle it where it is paid.

    May be repeated, and an older answer that comes after a newer one changes nothing. Amount, currency, mode and
    metadata must be what we asked for: else MismatchError, nothing is settled, and the record says so once.
    """
    try:
        return _record(attempt.pk, attempt.charge_id, fact, by=by, now=now)
    except MismatchError as error:
        _note_mismatch(attempt.pk, words=error.message, by=by, now=now)
        raise


_REFERENCE = Prepared(lambda blank: Charge.objects.filter(pk=blank("pk")).values_list("booking_reference", flat=True))
_LOCKED = Prepared(lambda blank: Attempt.objects.select_for_update().filter(pk=blank("pk")))


@transaction.atomic(durable=True)
def _record(attempt_id: int, charge_id: int, fact: gateway.Checkout, *, by: Actor, now: dt.datetime) -> Attempt:
    payment = fact.payment
    is_paid = fact.payment_status == "paid" and payment is not None and payment.status == "succeeded"
    if is_paid:
        reference = _REFERENCE.get(pk=charge_id)
        signals.charge_locking.send(sender=Charge, booking_reference=reference)
    charge = moves.lock_charge(charge_id)
    attempt = _LOCKED.get(pk=attempt_id)
    attempt.charge = charge
    _check(fact, attempt)
    if is_paid and payment is not None:
        _settle(attempt, fact, payment, by=by, now=now)
        return attempt
    to, error = _unpaid_status(fact)
    if to in ATTEMPT_TRANSITIONS[attempt.status]:
        attempt.checkout_session_id, attempt.url, attempt.expires_at = fact.session_id, fact.url, fact.expires_at
        attempt.payment_intent_id = payment.intent_id if payment else ""
        attempt.error = error
        fields = ("checkout_session_id", "url", "expires_at", "payment_intent_id", "error")
        moves.move_attempt(attempt, to, now=now, fields=fields)
        if to == AttemptStatus.OPEN:
            words = f"Payment page opened at Stripe for {pounds(charge.amount_pence)}"
            moves.record(charge, "checkout.opened", by=by, now=now, words=words, data={"attempt": attempt.pk})
        else:
            words = "Payment page closed without a payment"
            moves.record(charge, "checkout.closed", by=by, now=now, words=words, data={"attempt": attempt.pk})
            if error:
                signals.payment_failed.send(sender=Charge, charge=charge, attempt=attempt, now=now)
    return attempt


def _unpaid_status(fact: gateway.Checkout) -> tuple[AttemptStatus, str]:
    """The status of an attempt whose session is not paid, and what went wrong."""
    if fact.status == "open" or (fact.payment is not None and fact.payment.status == "processing"):
        return AttemptStatus.OPEN, ""
    return AttemptStatus.EXPIRED, "" if fact.status == "expired" else "the payment failed after Checkout was complete"


def _check(fact: gateway.Checkout, attempt: Attempt) -> None:
    charge = attempt.charge
    asked = (charge.amount_pence, rules.CURRENCY, charge.booking_reference, gateway.is_live())
    if (fact.amount_pence, fact.currency, fact.client_reference, fact.is_live) != asked:
        raise MismatchError("Amount, currency, booking or mode of the Checkout session are not those of the charge.")
    if fact.metadata.get("attempt") != attempt.idempotency_key:
        raise MismatchError("The Checkout session does not carry this attempt's key.")
    if attempt.checkout_session_id not in ("", fact.session_id):
        raise MismatchError("The attempt already has another Checkout session.")
    paid = fact.payment
    if paid is None or paid.status != "succeeded":
        return
    if (paid.received_pence, paid.currency, paid.metadata.get("attempt")) != (*asked[:2], attempt.idempotency_key):
        raise MismatchError("Amount, currency or key of the payment are not those of the charge.")


def _settle(
    attempt: Attempt, fact: gateway.Checkout, payment: gateway.Payment, *, by: Actor, now: dt.datetime
) -> None:
    """Money has come for a locked charge: book it, tell the apps above, or send it back if the charge was paid before.

    The money is recorded whatever became of the charge. Whether a place can still be given is for the receivers of
    `charge_settled` to say; they run in this transaction.
    """
    charge = attempt.charge
    if attempt.status == AttemptStatus.PAID:
        return
    attempt.checkout_session_id, attempt.expires_at = fact.session_id, fact.expires_at
    attempt.payment_intent_id, attempt.stripe_charge_id = payment.intent_id, payment.charge_id
    if attempt.status == AttemptStatus.CREATING:  # paid before we had written down that it was open
        moves.move_attempt(attempt, AttemptStatus.OPEN, now=now, fields=("checkout_session_id",))
    attempt.is_extra = charge.status == ChargeStatus.PAID
    attempt.paid_at = payment.paid_at or now
    attempt.paid_pence = payment.received_pence
    attempt.card_last4, attempt.card_brand = payment.card_last4, payment.card_brand[:20]
    attempt.url, attempt.error = "", ""
    fields = (
        "checkout_session_id expires_at payment_intent_id stripe_charge_id is_extra paid_at paid_pence card_last4 "
        "card_brand url error"
    )
    moves.move_attempt(attempt, AttemptStatus.PAID, now=now, fields=tuple(fields.split()))
    charge.paid_pence += attempt.paid_pence
    words = (
        f"{pounds(attempt.paid_pence)} paid by {attempt.card_brand or 'card'} ending {attempt.card_last4 or '????'}"
    )
    data: dict[str, int | str] = {"attempt": attempt.pk, "payment_intent": attempt.payment_intent_id}
    if attempt.is_extra:
        charge.save(update_fields=["paid_pence"])
        words = f"{words}, a second time: it is sent back"
        moves.record(charge, "charge.paid_twice", by=by, now=now, words=words, data=data)
    else:
        words = f"{words} for booking {charge.booking_reference}"
        moves.move_charge(charge, ChargeStatus.PAID, by=by, now=now, action="charge.paid", words=words)
    ledger.write_paid(charge=charge, attempt=attempt, by=by, now=now)
    if moves.pending_attempt(charge) is not None:
        ring_on_commit("payments.jobs.settle_payments")  # another page is still open: nobody should pay it too
    if attempt.is_extra:
        refunds.request_refund(
            charge_id=charge.pk,
            amount_pence=attempt.paid_pence,
            reason=RefundReason.PAID_TWICE,
            by=by,
            now=now,
            attempt_id=attempt.pk,
        )
    else:
        signals.charge_settled.send(sender=Charge, charge=charge, by=by, now=now)


@transaction.atomic(durable=True)
def _fail(attempt: Attempt, *, error: str, now: dt.datetime) -> Attempt:
    charge = moves.lock_charge(attempt.charge_id)
    attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
    attempt.charge = charge
    if attempt.status == AttemptStatus.CREATING:
        attempt.error = error[:200]
        moves.move_attempt(attempt, AttemptStatus.FAILED, now=now, fields=("error",))
        words = "Stripe did not open a payment page"
        data: dict[str, int | str] = {"attempt": attempt.pk, "error": error[:200]}
        moves.record(charge, "checkout.failed", by=SETTLER, now=now, words=words, data=data)
    return attempt


@transaction.atomic(durable=True)
def _note_mismatch(attempt_id: int, *, words: str, by: Actor, now: dt.datetime) -> None:
    attempt = Attempt.objects.select_for_update(of=("self",)).select_related("charge").get(pk=attempt_id)
    if attempt.error != words[:200]:
        attempt.error = words[:200]
        attempt.save(update_fields=["error"])
        charge = attempt.charge
        moves.record(charge, "checkout.mismatch", by=by, now=now, words=words, data={"attempt": attempt.pk})
        letters.write(
            words.rstrip("."),
            facts=[f"booking {charge.booking_reference}", "what was paid is not booked, and no place is given for it"],
            path=f"/admin/payments/charge/{charge.pk}/change/",
            key=f"mismatch:{attempt.pk}",
            now=now,
        )


def settle_first(intent_id: str, *, by: Actor, now: dt.datetime) -> None:
    """Settle the payment that a refund or a dispute is about, where news of that came before news of the payment.

    Calls Stripe where we do not know the payment; may be repeated. Nothing for a payment that is not ours. Raises what
    `refresh_attempt` raises.
    """
    if not intent_id or Attempt.objects.filter(payment_intent_id=intent_id, status=AttemptStatus.PAID).exists():
        return
    key = gateway.retrieve_payment(intent_id).metadata.get("attempt", "")
    attempt = Attempt.objects.select_related("charge").filter(idempotency_key=key).first() if key else None
    if attempt is not None:
        refresh_attempt(attempt, by=by, now=now)


# --- Asking about many -----------------------------------------------------------------------------------------
_PENDING = Prepared(
    lambda blank: Attempt.objects.select_related("charge").filter(
        charge_id=blank("charge_id"), status__in=PENDING_ATTEMPTS
    )
)


def refresh_charge(*, charge_id: int, now: dt.datetime, by: Actor = SETTLER, must_hear: bool = False) -> Charge:
    """Ask Stripe now about a charge's pending attempts, so that who returns from paying need not wait for the webhook.

    Calls Stripe. Where Stripe does not answer the charge is returned as we know it: the mop-up will ask again. For
    who `must_hear` of it PaymentUnknownError is raised.
    """
    for attempt in _PENDING.all(charge_id=charge_id):
        try:
            refresh_attempt(attempt, by=by, now=now)
        except (gateway.StripeError, MismatchError) as error:
            logger.warning("attempt %s could not be refreshed: %s", attempt.pk, error)
            if must_hear:
                raise PaymentUnknownError from error
    return moves.find_charge(charge_id)


def to_settle(*, now: dt.datetime) -> QuerySet[Attempt]:
    """Attempts the mop-up asks about: half-made ones, open ones of some age, and all whose charge is not due."""
    return Attempt.objects.filter(status__in=PENDING_ATTEMPTS).filter(
        ~Q(charge__status=ChargeStatus.OPEN)
        | Q(status=AttemptStatus.CREATING, created_at__lte=now - CREATING_IS_LOST_AFTER)
        | Q(status=AttemptStatus.OPEN, created_at__lte=now - OPEN_IS_ASKED_ABOUT_AFTER)
    )


def settle_payments(*, now: dt.datetime, by: Actor = SETTLER) -> dict[str, int]:
    """The mop-up: finish every attempt that a lost webhook or a dead process left behind, close those no longer due.

    Safe to run twice and at once. While Stripe does not answer it stops at the first attempt: a worker that waits out
    a time limit for each would be lost to everybody else. Returns counts: asked, paid, closed, failed (for the next
    sweep).
    """
    counts = {"asked": 0, "paid": 0, "closed": 0, "failed": 0}
    while attempts := claims.claim(
        to_settle(now=now).select_related("charge"),
        now=now,
        limit=50,
        seconds=CLAIM_SECONDS,
        ordering=("created_at", "id"),
    ):
        for attempt in attempts:
            counts["asked"] += 1
            try:
                became = _settle_one(attempt, by=by, now=now)
            except gateway.StripeUnavailableError as error:
                logger.warning("the mop-up stops at attempt %s: %s", attempt.pk, error)
                counts["failed"] += 1
                return counts
            if became:
                counts[became] += 1
    return counts


def _ask_ever_less(attempt: Attempt, *, now: dt.datetime) -> None:
    """A no of Stripe's, or a mismatch, seldom mends itself. What was paid is a difference of its day meanwhile."""
    pause = claims.seconds_to_wait(attempt.attempts, first=CLAIM_SECONDS, most=MOST_SECONDS)
    Attempt.objects.filter(pk=attempt.pk).update(claimed_until=now + dt.timedelta(seconds=pause))


def _settle_one(attempt: Attempt, *, by: Actor, now: dt.datetime) -> str:
    is_due = attempt.charge.status == ChargeStatus.OPEN
    try:
        refreshed = (refresh_attempt if is_due else close_attempt)(attempt, by=by, now=now)
    except gateway.StripeUnavailableError:
        raise
    except (gateway.StripeRefusedError, PortalError):
        logger.exception("attempt %s cannot be settled", attempt.pk)
        _ask_ever_less(attempt, now=now)
        return "failed"
    except Exception:  # one bad attempt, or a receiver that fails, must not keep the others from being settled
        logger.exception("attempt %s broke the mop-up", attempt.pk)
        return "failed"
    if refreshed.status == AttemptStatus.PAID:
        return "paid"
    return "closed" if refreshed.status in (AttemptStatus.EXPIRED, AttemptStatus.FAILED) else ""
