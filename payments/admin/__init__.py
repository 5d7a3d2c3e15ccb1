"""Finance's pages. Everything is read here; what may be done is done by a service."""

from payments.admin.charges import ChargeAdmin
from payments.admin.fees import FeeScheduleAdmin
from payments.admin.inbox import StripeEventAdmin, WebhookRefusalAdmin
from payments.admin.ledger import JournalAdmin
from payments.admin.refunds import RefundAdmin

__all__ = ["ChargeAdmin", "FeeScheduleAdmin", "JournalAdmin", "RefundAdmin", "StripeEventAdmin", "WebhookRefusalAdmin"]
