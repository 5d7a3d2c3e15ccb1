"""Every write of money. The rule of all calls to Stripe: commit the intent with its idempotency key, call with no
transaction open, then lock, re-read and record. Whatever dies between two steps is finished by `settle_payments`.

Lock order: session, referral, booking, charge; below the charge its attempt or refund.
"""

from payments.services.approvals import (
    approve_refund,
    ask_refund,
    change_refund_limit,
    overtake_refunds,
    propose_refund,
    reject_refund,
    settle_refund_elsewhere,
    try_refund_again,
)
from payments.services.charges import give_up_charge, open_charge
from payments.services.checkout import start_checkout
from payments.services.disputes import record_dispute, remind_of_disputes, take_dispute
from payments.services.exports import ask_export, expire_exports, make_exports, open_export, try_export_again
from payments.services.fees import change_fee
from payments.services.inbox import apply_stripe_events, receive_webhook, try_event_again
from payments.services.ledger import record_completion, record_forfeiture, reverse_completion
from payments.services.payouts import record_payout
from payments.services.reconciliation import reconcile_day, resolve_exception
from payments.services.refunds import request_refund, send_refunds
from payments.services.settlement import refresh_charge, settle_payments
from payments.services.statements import enter_cost, issue_due_statements, issue_statements, mark_statement_paid

__all__ = [
    "apply_stripe_events",
    "approve_refund",
    "ask_export",
    "ask_refund",
    "change_fee",
    "change_refund_limit",
    "enter_cost",
    "expire_exports",
    "give_up_charge",
    "issue_due_statements",
    "issue_statements",
    "make_exports",
    "mark_statement_paid",
    "open_charge",
    "open_export",
    "overtake_refunds",
    "propose_refund",
    "receive_webhook",
    "reconcile_day",
    "record_completion",
    "record_dispute",
    "record_forfeiture",
    "record_payout",
    "refresh_charge",
    "reject_refund",
    "remind_of_disputes",
    "request_refund",
    "resolve_exception",
    "reverse_completion",
    "send_refunds",
    "settle_payments",
    "settle_refund_elsewhere",
    "start_checkout",
    "take_dispute",
    "try_event_again",
    "try_export_again",
    "try_refund_again",
]
