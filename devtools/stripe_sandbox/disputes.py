"""Disputes: the card holder's bank takes the money back, and sometimes returns it; an inquiry only asks."""

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
ASKED = ("warning_needs_response", "warning_under_review")
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}


def open_dispute(call: Call, charge: Json, *, reason: str, amount: int | None = None, inquiry: bool = False) -> Json:
    """The bank takes ``amount`` (default: what is not refunded) and Stripe its fee; an ``inquiry`` takes nothing."""
    if charge["disputed"]:
        raise ApiError("This charge is already disputed.", code="charge_disputed")
    amount = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    if not 0 < amount <= charge["amount"]:
        raise ApiError("A dispute takes something and no more than was paid.", param="amount")
    network = charge["payment_method_details"]["card"]["network"]
    case_type = "inquiry" if inquiry else "chargeback"
    card = {"brand": network, "case_type": case_type, "network_reason_code": "10.4"}
    dispute = call.tx.add(
        {
            "id": new_id("du_1"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
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
            "is_charge_refundable": True,
            "livemode": False,
            "metadata": {},
            "network_reason_code": "10.4",
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {"card": {**card, "network": network}, "type": "card"},
            "reason": reason,
            "status": "warning_needs_response",
        }
    )
    if not inquiry:
        _withdraw(call, dispute)
    previous = update(call, charge, {"disputed": True})
    emit(call, "charge.dispute.created", dispute)
    emit(call, "charge.updated", charge, previous=previous)
    if not inquiry:
        emit(call, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def forbids_refund(call: Call, charge: Json) -> bool:
    """Whether the bank has taken this charge's money, so that a refund would send it twice."""
    return any(not one["is_charge_refundable"] for one in call.tx.every("dispute", charge=charge["id"]))


def _withdraw(call: Call, dispute: Json) -> Json:
    """The bank takes the money; gives the old values of what changed."""
    taken = balance.transact(
        call,
        kind="adjustment",
        category="dispute",
        amount=-dispute["amount"],
        source=dispute["id"],
        currency=dispute["currency"],
        fee=balance.DISPUTE_FEE_PENCE,
        fee_words="Dispute fee",
        description=f"Chargeback withdrawal for {dispute['charge']}",
        wait_seconds=0,
    )
    changes = {"balance_transactions": [taken], "is_charge_refundable": False, "status": "needs_response"}
    return update(call, dispute, changes)


def answer(call: Call, dispute: Json, params: dict[str, Any]) -> Json:
    """The API's update: evidence kept or handed in; Stripe's two magic words decide at once in test mode."""
    if dispute["status"] not in OPEN + ASKED:
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
        changes["status"] = "under_review" if dispute["status"] in OPEN else "warning_under_review"
    previous = update(call, dispute, changes)
    emit(call, "charge.dispute.updated", dispute, previous=previous)
    verdict = VERDICTS.get(str(changes["evidence"].get("uncategorized_text")))
    if verdict and dispute["status"] == "under_review":
        settle(call, dispute, outcome=verdict)
    return dispute


def settle(call: Call, dispute: Json, *, outcome: str) -> Json:
    """The bank decides: ``won`` returns the money (the fee stays paid), ``lost`` keeps it.

    An inquiry is let rest (``closed``), or becomes a dispute that takes the money (``disputed``).
    """
    if dispute["status"] in ASKED:
        return _settle_inquiry(call, dispute, outcome=outcome)
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


def _settle_inquiry(call: Call, inquiry: Json, *, outcome: str) -> Json:
    if outcome == "closed":
        update(call, inquiry, {"status": "warning_closed"})
        emit(call, "charge.dispute.closed", inquiry)
    elif outcome == "disputed":
        previous = _withdraw(call, inquiry)
        emit(call, "charge.dispute.updated", inquiry, previous=previous)
        emit(call, "charge.dispute.funds_withdrawn", inquiry)
    else:
        raise ApiError("An inquiry is closed or disputed.", param="outcome")
    return inquiry
