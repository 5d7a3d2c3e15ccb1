"""Refunds: never more than was paid, and not always final."""

from __future__ import annotations

from . import balance, disputes
from .cards import find
from .checks import check_metadata
from .errors import ApiError, not_offered, resource_missing
from .events import Call, emit, update
from .store import Json, new_id

SETTLE_SECONDS = 5
OFFERED = {"amount", "charge", "expand", "metadata", "payment_intent", "reason"}
FAILURES = (
    "lost_or_stolen_card",
    "expired_or_canceled_card",
    "charge_for_pending_refund_disputed",
    "insufficient_funds",
    "declined",
    "merchant_request",
    "unknown",
)


def pounds(pence: int) -> str:
    """An amount as Stripe writes it in messages."""
    return f"£{pence // 100:,}.{pence % 100:02d}"


def create(call: Call) -> Json:
    """The API's create, by PaymentIntent or by charge; whole where no amount is given."""
    params = call.params
    for name in params:
        if name not in OFFERED:
            raise not_offered(name)
    check_metadata(params.get("metadata"), "metadata")
    charge = _charge(call)
    if charge["status"] != "succeeded":
        raise ApiError(
            f"This charge ({charge['id']}) has not been paid and cannot be refunded.", code="charge_not_refundable"
        )
    left = charge["amount"] - charge["amount_refunded"]
    if disputes.forbids_refund(call, charge):
        raise ApiError(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if left == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", param="charge"
        )
    amount = params.get("amount", left)
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise ApiError(
            f"Refund amount ({pounds(amount)}) is greater than unrefunded amount on charge ({pounds(left)})",
            param="amount",
        )
    card = find(call.tx.hidden(charge["id"])["card"])
    is_pending = card.refund == "pending" or call.tx.setting("refunds_pending", False)
    settles_at = call.now + SETTLE_SECONDS if card.refund or is_pending else None
    identifier = new_id("re_3")
    transaction = balance.transact(
        call,
        kind="refund",
        category="refund",
        amount=-amount,
        source=identifier,
        currency=charge["currency"],
        description=f"REFUND FOR CHARGE ({charge['description']})" if charge["description"] else "REFUND FOR CHARGE",
    )
    refund: Json = {
        "id": identifier,
        "object": "refund",
        "amount": amount,
        "balance_transaction": transaction["id"],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "customer": None,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": params.get("metadata") or {},
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if is_pending else "succeeded",
        "transfer_reversal": None,
    }
    if is_pending:
        refund["pending_reason"] = "processing"
    call.tx.add(refund, hidden={"outcome": "failed" if card.refund == "fails" else "succeeded"}, due_at=settles_at)
    refunded = charge["amount_refunded"] + amount
    previous = update(call, charge, {"amount_refunded": refunded, "refunded": refunded == charge["amount"]})
    emit(call, "refund.created", refund)
    emit(call, "charge.refunded", charge, previous=previous)
    return refund


def _charge(call: Call) -> Json:
    """The charge to refund, from either parameter."""
    params = call.params
    if "payment_intent" in params:
        intent = call.tx.get("payment_intent", params["payment_intent"])
        if intent is None:
            raise resource_missing("payment_intent", params["payment_intent"], param="payment_intent", status=404)
        found = intent["latest_charge"]
        if intent["status"] != "succeeded" or not found:
            raise ApiError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                code="charge_not_refundable",
                param="payment_intent",
            )
        if params.get("charge", found) != found:
            raise ApiError("The charge is not of this PaymentIntent.", param="charge")
    elif "charge" in params:
        found = params["charge"]
    else:
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or charge.",
            before_execution=True,
        )
    charge = call.tx.get("charge", found)
    if charge is None:
        raise resource_missing("charge", found, param="charge", status=404)
    return charge


def settle(call: Call, refund: Json, *, outcome: str, reason: str = "expired_or_canceled_card") -> Json:
    """The bank's answer: a pending refund succeeds or fails, one that had succeeded may still fail."""
    if outcome == "succeeded" and refund["status"] == "pending":
        changes: Json = {"status": "succeeded", "pending_reason": None}
        previous = update(call, refund, changes)
        emit(call, "refund.updated", refund, previous=previous)
        emit(call, "charge.refund.updated", refund, previous=previous)
    elif outcome == "failed" and refund["status"] in ("pending", "succeeded"):
        _fail(call, refund, reason)
    elif outcome != refund["status"]:
        raise ApiError(f"A refund that has {refund['status']} cannot become {outcome}.", param="outcome")
    else:
        update(call, refund, {})
    return refund


def _fail(call: Call, refund: Json, reason: str) -> None:
    """The money comes back to the balance, and the charge counts as not refunded by that much."""
    if reason not in FAILURES:
        raise ApiError(f"Invalid reason: must be one of {', '.join(FAILURES)}", param="reason")
    back = balance.transact(
        call,
        kind="refund_failure",
        category="refund_failure",
        amount=refund["amount"],
        source=refund["id"],
        currency=refund["currency"],
        description="REFUND FAILURE",
        wait_seconds=0,
    )
    changes = {
        "status": "failed",
        "failure_balance_transaction": back["id"],
        "failure_reason": reason,
        "pending_reason": None,
    }
    previous = update(call, refund, changes)
    charge = call.tx.get("charge", refund["charge"])
    if charge is None:
        raise resource_missing("charge", refund["charge"])
    update(call, charge, {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False})
    emit(call, "refund.updated", refund, previous=previous)
    emit(call, "charge.refund.updated", refund, previous=previous)
    emit(call, "refund.failed", refund)
