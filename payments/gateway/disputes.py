"""Disputes at Stripe: a card holder's bank takes money back, and sometimes returns it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payments.gateway.balances import Transaction, transaction_of
from payments.gateway.calling import calling, client, instant, listed

_DISPUTES = "/v1/disputes"


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """A dispute: `status` warning_…, needs_response, under_review, won or lost; `moved`: the money that moved so far.

    A warning (an inquiry of the bank) has moved no money yet, and may never.
    """

    dispute_id: str
    status: str
    reason: str
    amount_pence: int
    currency: str
    intent_id: str
    created_at: dt.datetime
    due_by: dt.datetime | None
    has_evidence: bool
    moved: tuple[Transaction, ...]


def retrieve_dispute(dispute_id: str) -> DisputeFact:
    """The dispute as Stripe has it now."""
    with calling("disputes.retrieve"):
        found = client().raw_request("get", f"{_DISPUTES}/{dispute_id}")
    return _dispute(found.data)


def disputes_since(since: dt.datetime) -> Iterator[DisputeFact]:
    """Every dispute opened since an instant, inquiries among them, as Stripe has it now."""
    return map(_dispute, listed(_DISPUTES, created={"gte": int(since.timestamp())}))


def _dispute(found: Mapping[str, Any]) -> DisputeFact:
    evidence = found["evidence_details"]
    return DisputeFact(
        dispute_id=found["id"],
        status=found["status"],
        reason=found["reason"],
        amount_pence=found["amount"],
        currency=found["currency"],
        intent_id=found["payment_intent"] or "",
        created_at=instant(found["created"]),
        due_by=instant(evidence["due_by"]) if evidence["due_by"] else None,
        has_evidence=evidence["submission_count"] > 0,
        moved=tuple(transaction_of(moved) for moved in found["balance_transactions"]),
    )
