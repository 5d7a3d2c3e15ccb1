"""Money: fees with dates, charges and attempts to pay them, Stripe's events as they came, refunds, and the ledger.

All amounts are integer pence, GBP. A charge names its booking by reference, for this app knows nothing of bookings.
"""

from payments.models.charges import Attempt, Charge, Refund
from payments.models.disputes import Dispute
from payments.models.exports import Export
from payments.models.fees import FeeSchedule
from payments.models.inbox import StripeEvent, WebhookRefusal
from payments.models.ledger import Journal, Posting
from payments.models.limits import RefundLimit
from payments.models.payouts import Payout
from payments.models.reconciliation import ReconciliationException, ReconciliationRun, StripeTransaction
from payments.models.statements import Cost, Statement, StatementLine, StatementPayment

__all__ = [
    "Attempt",
    "Charge",
    "Cost",
    "Dispute",
    "Export",
    "FeeSchedule",
    "Journal",
    "Payout",
    "Posting",
    "ReconciliationException",
    "ReconciliationRun",
    "Refund",
    "RefundLimit",
    "Statement",
    "StatementLine",
    "StatementPayment",
    "StripeEvent",
    "StripeTransaction",
    "WebhookRefusal",
]
