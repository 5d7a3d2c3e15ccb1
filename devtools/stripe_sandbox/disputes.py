"""Disputes: the card holder's bank takes the money back, and sometimes returns it."""

from __future__ import annotations

from typing import Any

from . import balance
from .checks import merged_metadata
from .errors import ApiError
from .events import Call, emit, update
from .store import Json, new_id

EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
ANSWER_SECONDS = 7 * balance.DAY
OPEN = ("needs_response", "under_review")
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}


def open_dispute(call: Call, charge: Json, *, reason: str, amount: int | None = None) -> Json:
    """The bank takes ``amount`` (default: what is not refunded) and Stripe its fee."""
    if charge["disputed"]:
        raise ApiError("This charge is already disputed.", code="charge_disputed")
    amount = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    if not 0 < amount <= charge["amount"]:
        raise ApiError("A dispute takes something and no more than was paid.", param="amount")
    identifier = new_id("du_1")
    taken = balance.transact(
        call,
        kind="adjustment",
        category="dispute",
        amount=-amount,
        source=identifier,
        currency=charge["currency"],
        fee=balance.DISPUTE_FEE_PENCE,
        fee_words="Dispute fee",
        description=f"Chargeback withdrawal for {charge['id']}",
        wait_seconds=0,
    )
    network = charge["payment_method_details"]["card"]["network"]
    card = {"brand": network, "case_type": "chargeback", "network_reason_code": "10.4"}
    dispute = call.tx.add(
        {
            "id": identifier,
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [taken],
            "charge": charge["id"],
            "created": call.now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": call.now + ANSWER_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "network_reason_code": "10.4",
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {"card": {**card, "network": network}, "type": "card"},
            "reason": reason,
            "status": "needs_response",
        }
    )
    previous = update(call, charge, {"disputed": True})
    emit(call, "charge.dispute.created", dispute)
    emit(call, "charge.updated", charge, previous=previous)
    emit(call, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def answer(call: Call, dispute: Json, params: dict[str, Any]) -> Json:
    """The API's update: evidence kept or handed in; Stripe's two magic words decide at once in test mode."""
    if dispute["status"] not in OPEN:
        raise ApiError("This dispute is already closed", code="dispute_already_closed")
    evidence = {name: value for name, value in params.get("evidence", {}).items() if name in EVIDENCE}
    details = dict(dispute["evidence_details"])
    changes: Json = {"evidence": {**dispute["evidence"], **evidence}, "evidence_details": details}
    if "metadata" in params:
        changes["metadata"] = merged_metadata(dispute, params["metadata"])
    details["has_evidence"] = details["has_evidence"] or bool(evidence)
    handed_in = params.get("submit", True) and details["has_evidence"]
    if handed_in:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        changes["status"] = "under_review"
    previous = update(call, dispute, changes)
    emit(call, "charge.dispute.updated", dispute, previous=previous)
    verdict = VERDICTS.get(str(changes["evidence"].get("uncategorized_text")))
    if handed_in and verdict:
        settle(call, dispute, outcome=verdict)
    return dispute


def settle(call: Call, dispute: Json, *, outcome: str) -> Json:
    """The bank decides: ``won`` returns the money (the fee stays paid), ``lost`` keeps it."""
    if dispute["status"] not in OPEN:
        raise ApiError("This dispute is already closed", code="dispute_already_closed")
    if outcome not in ("won", "lost"):
        raise ApiError("A dispute is won or lost.", param="outcome")
    changes: Json = {"status": outcome}
    if outcome == "won":
        back = balance.transact(
            call,
            kind="adjustment",
            category="dispute_reversal",
            amount=dispute["amount"],
            source=dispute["id"],
            currency=dispute["currency"],
            description=f"Chargeback reversal for {dispute['charge']}",
            wait_seconds=0,
        )
        changes["balance_transactions"] = [*dispute["balance_transactions"], back]
    update(call, dispute, changes)
    if outcome == "won":
        emit(call, "charge.dispute.funds_reinstated", dispute)
    emit(call, "charge.dispute.closed", dispute)
    return dispute
