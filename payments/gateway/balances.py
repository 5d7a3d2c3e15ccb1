"""Stripe's own books: balance transactions, the balance they add up to, and payouts to the bank.

Lists come page by page, newest first, and are never held whole: a day may have tens of thousands.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payments import rules
from payments.gateway.calling import StripeRefusedError, calling, client, instant, listed

_TRANSACTIONS = "/v1/balance_transactions"
_PAYOUTS = "/v1/payouts"
_OF_PAYOUT = ["balance_transaction", "failure_balance_transaction"]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement of our balance at Stripe, all signed; `source` is the id of what it is about, or ""."""

    transaction_id: str
    type: str
    category: str
    amount_pence: int
    fee_pence: int
    currency: str
    source: str
    created_at: dt.datetime

    @property
    def net_pence(self) -> int:
        """What the balance changed by."""
        return self.amount_pence - self.fee_pence


@dataclass(frozen=True, slots=True)
class PayoutFact:
    """A payout: `status` pending, in_transit, paid, failed or canceled; a failed one has the transaction back."""

    payout_id: str
    status: str
    amount_pence: int
    currency: str
    created_at: dt.datetime
    arrives_on: dt.date
    failure: str
    left: Transaction | None
    returned: Transaction | None


def transactions(*, since: dt.datetime, until: dt.datetime | None = None) -> Iterator[Transaction]:
    """Every balance transaction from one instant to just before another, or to now."""
    created = {"gte": int(since.timestamp())}
    if until is not None:
        created["lt"] = int(until.timestamp())
    return map(transaction_of, listed(_TRANSACTIONS, created=created))


def transactions_of_payout(payout_id: str) -> Iterator[Transaction]:
    """The balance transactions a payout is made of, the payout's own (of type "payout") among them."""
    return map(transaction_of, listed(_TRANSACTIONS, payout=payout_id))


def transactions_about(source: str) -> list[Transaction]:
    """The balance transactions of one charge, refund, dispute or payout."""
    return [transaction_of(found) for found in listed(_TRANSACTIONS, source=source)]


def find_transaction(transaction_id: str) -> Transaction | None:
    """One balance transaction; None where Stripe has none of that name."""
    try:
        with calling("balance_transactions.retrieve"):
            found = client().raw_request("get", f"{_TRANSACTIONS}/{transaction_id}")
    except StripeRefusedError as error:
        if error.code == "resource_missing":
            return None
        raise
    return transaction_of(found.data)


def balance_pence() -> int:
    """What Stripe holds for us in pounds at this moment, in pence: available and not yet available together."""
    with calling("balance.retrieve"):
        held = client().raw_request("get", "/v1/balance").data
    return sum(part["amount"] for part in [*held["available"], *held["pending"]] if part["currency"] == rules.CURRENCY)


def retrieve_payout(payout_id: str) -> PayoutFact:
    """The payout as Stripe has it now."""
    with calling("payouts.retrieve"):
        found = client().raw_request("get", f"{_PAYOUTS}/{payout_id}", expand=_OF_PAYOUT)
    return _payout(found.data)


def payouts(*, since: dt.datetime, until: dt.datetime) -> Iterator[PayoutFact]:
    """Every payout begun from one instant to just before another."""
    created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
    return map(_payout, listed(_PAYOUTS, created=created, expand=[f"data.{name}" for name in _OF_PAYOUT]))


def transaction_of(found: Mapping[str, Any]) -> Transaction:
    """A balance transaction from Stripe's JSON."""
    return Transaction(
        transaction_id=found["id"],
        type=found["type"],
        category=found["reporting_category"],
        amount_pence=found["amount"],
        fee_pence=found["fee"],
        currency=found["currency"],
        source=found["source"] or "",
        created_at=instant(found["created"]),
    )


def _payout(found: Mapping[str, Any]) -> PayoutFact:
    left, returned = found["balance_transaction"], found["failure_balance_transaction"]
    return PayoutFact(
        payout_id=found["id"],
        status=found["status"],
        amount_pence=found["amount"],
        currency=found["currency"],
        created_at=instant(found["created"]),
        arrives_on=instant(found["arrival_date"]).date(),
        failure=found["failure_code"] or "",
        left=transaction_of(left) if left else None,
        returned=transaction_of(returned) if returned else None,
    )
