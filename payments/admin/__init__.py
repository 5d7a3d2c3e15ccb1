"""Finance's pages. Everything is read here; what may be done is done by a service.

`ChargeAdmin` and `FeeScheduleAdmin` are registered by `bookings.admin`, which knows policy and bookings;
`DisputeAdmin` by `oversight.admin`, which knows everything about a booking.
"""

from payments.admin.exports import ExportAdmin
from payments.admin.inbox import StripeEventAdmin, WebhookRefusalAdmin
from payments.admin.ledger import JournalAdmin
from payments.admin.reconciliation import PayoutAdmin, ReconciliationRunAdmin
from payments.admin.refunds import RefundAdmin, RefundLimitAdmin
from payments.admin.statements import CostAdmin, StatementAdmin

__all__ = [
    "CostAdmin",
    "ExportAdmin",
    "JournalAdmin",
    "PayoutAdmin",
    "ReconciliationRunAdmin",
    "RefundAdmin",
    "RefundLimitAdmin",
    "StatementAdmin",
    "StripeEventAdmin",
    "WebhookRefusalAdmin",
]
