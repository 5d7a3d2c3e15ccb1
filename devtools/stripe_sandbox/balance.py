"""Money in the account: balance transactions with their fees, and payouts that sweep them."""

from __future__ import annotations

from .errors import ApiError
from .events import Call, emit, update
from .store import Json, new_id

DAY = 86_400
PENDING_SECONDS = 2 * DAY
DISPUTE_FEE_PENCE = 2_000


def card_fee(amount: int) -> int:
    """Stripe's fee on a UK card in pence: 1.5% and 20p, halves upwards."""
    return (amount * 15 + 500) // 1_000 + 20


def transact(
    call: Call,
    *,
    kind: str,
    category: str,
    amount: int,
    source: str,
    currency: str,
    fee: int = 0,
    fee_words: str = "Stripe processing fees",
    description: str | None = None,
    wait_seconds: int = PENDING_SECONDS,
) -> Json:
    """Writes one balance transaction; after ``wait_seconds`` of the sandbox's clock it becomes available."""
    details = [
        {"amount": fee, "application": None, "currency": currency, "description": fee_words, "type": "stripe_fee"}
    ]
    available_on = call.now + wait_seconds
    return call.tx.add(
        {
            "id": new_id("txn_3"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": available_on,
            "balance_type": "payments",
            "created": call.now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "pending" if wait_seconds else "available",
            "type": kind,
        },
        hidden={"payout": None},
        due_at=available_on if wait_seconds else None,
    )


def become_available(call: Call, transaction: Json) -> None:
    """The clock has reached ``available_on``."""
    update(call, transaction, {"status": "available"})


def balance(call: Call) -> Json:
    """The account's balance, available and not yet available, in each currency it ever held; pounds always."""
    query = (
        "SELECT json_extract(data, '$.currency') AS currency, sum(json_extract(data, '$.net')) FROM objects"
        " WHERE kind = 'balance_transaction' AND status = ? GROUP BY currency"
    )
    parts: Json = {}
    for status in ("available", "pending"):
        held = {"gbp": 0} | dict(call.tx.db.execute(query, (status,)).fetchall())
        parts[status] = [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(held.items())
        ]
    return {"object": "balance", "livemode": False, "refund_and_dispute_prefunding": None, **parts}


def pay_out(call: Call, *, include_pending: bool = False, arrive: bool = True) -> Json:
    """Sweeps the balance to the bank; refused where there is nothing above zero to send."""
    free = "kind = 'balance_transaction' AND payout IS NULL AND type != 'payout'"
    if not include_pending:
        free += " AND status = 'available'"
    query = f"SELECT coalesce(sum(json_extract(data, '$.net')), 0) FROM objects WHERE {free}"
    amount = call.tx.db.execute(query).fetchone()[0]
    if amount <= 0:
        raise ApiError("There is nothing to pay out.", code="balance_insufficient")
    payout = new_id("po_")
    transaction = transact(
        call,
        kind="payout",
        category="payout",
        amount=-amount,
        source=payout,
        currency="gbp",
        description="STRIPE PAYOUT",
        wait_seconds=0,
    )
    made = call.tx.add(
        {
            "id": payout,
            "object": "payout",
            "amount": amount,
            "application_fee": None,
            "application_fee_amount": None,
            "arrival_date": call.now if arrive else call.now + DAY,
            "automatic": True,
            "balance_transaction": transaction["id"],
            "created": call.now,
            "currency": "gbp",
            "description": "STRIPE PAYOUT",
            "destination": "ba_1SandboxBankAccount0001",
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": {},
            "method": "standard",
            "original_payout": None,
            "payout_method": None,
            "reconciliation_status": "completed",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": "in_transit",
            "trace_id": None,
            "type": "bank_account",
        },
        due_at=None if arrive else call.now + DAY,
    )
    call.tx.save(transaction, hidden={"payout": payout})
    call.tx.db.execute(
        "UPDATE objects SET payout = :payout, status = 'available', due_at = NULL,"
        " data = json_set(data, '$.status', 'available'), hidden = json_set(hidden, '$.payout', :payout)"
        f" WHERE {free}",
        {"payout": payout},
    )
    emit(call, "payout.created", made)
    if arrive:
        arrived(call, made)
    return made


def arrived(call: Call, payout: Json) -> None:
    """The bank has the money."""
    update(call, payout, {"status": "paid", "trace_id": {"status": "pending", "value": None}})
    emit(call, "payout.paid", payout)


def failed(call: Call, payout: Json) -> None:
    """The bank sent the money back: it returns to the balance."""
    back = transact(
        call,
        kind="payout_failure",
        category="payout_reversal",
        amount=payout["amount"],
        source=payout["id"],
        currency="gbp",
        description="PAYOUT FAILURE",
        wait_seconds=0,
    )
    changes = {
        "status": "failed",
        "failure_balance_transaction": back["id"],
        "failure_code": "account_closed",
        "failure_message": "The bank account has been closed.",
    }
    update(call, payout, changes)
    emit(call, "payout.failed", payout)
