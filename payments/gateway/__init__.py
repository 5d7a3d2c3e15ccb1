"""The one place that talks to Stripe. What comes back are small values of our own, never Stripe's objects.

Two kinds of failure: `StripeUnavailableError` (network, 5xx, 409, 429, our key refused: the same call may be repeated
with the same idempotency key) and `StripeRefusedError` (Stripe has understood and says no: repeating changes nothing).
No transaction may be open around a call; the functions say so themselves.
"""

from payments.gateway.balances import (
    PayoutFact,
    Transaction,
    balance_pence,
    find_transaction,
    payouts,
    retrieve_payout,
    transactions,
    transactions_about,
    transactions_of_payout,
)
from payments.gateway.calling import RETRIES, StripeError, StripeRefusedError, StripeUnavailableError, is_live
from payments.gateway.checkouts import (
    ChargeFact,
    Checkout,
    Payment,
    create_checkout,
    expire_checkout,
    retrieve_charge,
    retrieve_checkout,
    retrieve_payment,
)
from payments.gateway.disputes import DisputeFact, disputes_since, retrieve_dispute
from payments.gateway.refunds import RefundFact, create_refund, refunds_of, retrieve_refund
from payments.gateway.webhooks import Event, WebhookError, verify_webhook

__all__ = [
    "RETRIES",
    "ChargeFact",
    "Checkout",
    "DisputeFact",
    "Event",
    "Payment",
    "PayoutFact",
    "RefundFact",
    "StripeError",
    "StripeRefusedError",
    "StripeUnavailableError",
    "Transaction",
    "WebhookError",
    "balance_pence",
    "create_checkout",
    "create_refund",
    "disputes_since",
    "expire_checkout",
    "find_transaction",
    "is_live",
    "payouts",
    "refunds_of",
    "retrieve_charge",
    "retrieve_checkout",
    "retrieve_dispute",
    "retrieve_payment",
    "retrieve_payout",
    "retrieve_refund",
    "transactions",
    "transactions_about",
    "transactions_of_payout",
    "verify_webhook",
]
