"""Refunds at Stripe."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from payments import rules
from payments.gateway.calling import calling, client, instant, metadata_of


@dataclass(frozen=True, slots=True)
class RefundFact:
    """A refund: `status` pending, requires_action, succeeded, failed or canceled."""

    refund_id: str
    status: str
    amount_pence: int
    currency: str
    intent_id: str
    failure: str
    created_at: dt.datetime
    failed_at: dt.datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def create_refund(*, idempotency_key: str, booking_reference: str, intent_id: str, amount_pence: int) -> RefundFact:
    """Send money back to the card it came from. The same key with the same values gives the same refund."""
    with calling("refunds.create"):
        refund = client().v1.refunds.create(
            {
                "payment_intent": intent_id,
                "amount": amount_pence,
                "reason": "requested_by_customer",
                "metadata": {"booking": booking_reference, "refund": rules.key_stem(idempotency_key)},
            },
            {"idempotency_key": idempotency_key},
        )
    return _refund(refund)


def retrieve_refund(refund_id: str) -> RefundFact:
    """The refund as Stripe has it now."""
    with calling("refunds.retrieve"):
        return _refund(client().v1.refunds.retrieve(refund_id, {"expand": ["failure_balance_transaction"]}))


def refunds_of(intent_id: str) -> list[RefundFact]:
    """Every refund of a payment, made by us or by hand at Stripe, newest first."""
    with calling("refunds.list"):
        found = client().v1.refunds.list(
            {"payment_intent": intent_id, "limit": 100, "expand": ["data.failure_balance_transaction"]}
        )
        return [_refund(refund) for refund in found.auto_paging_iter()]


def _refund(refund: Any) -> RefundFact:
    back: Any = getattr(refund, "failure_balance_transaction", None)
    return RefundFact(
        refund_id=refund.id,
        status=refund.status or "",
        amount_pence=refund.amount,
        currency=refund.currency,
        intent_id=refund.payment_intent or "",
        failure=getattr(refund, "failure_reason", None) or "",
        created_at=instant(refund.created),
        failed_at=instant(back.created) if hasattr(back, "created") else None,
        metadata=metadata_of(refund),
    )
