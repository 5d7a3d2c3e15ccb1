"""Finance's pages. Everything is read here; what may be done is done by a service.

`FeeScheduleAdmin` is registered by `bookings.admin`, which adds what a change would mean for bookings.
"""

from payments.admin.charges import ChargeAdmin
from payments.admin.fees import FeeScheduleAdmin
from payments.admin.inbox import StripeEventAdmin, WebhookRefusalAdmin
from payments.admin.ledger import JournalAdmin
from payments.admin.refunds import RefundAdmin

__all__ = ["ChargeAdmin", "FeeScheduleAdmin", "JournalAdmin", "RefundAdmin", "StripeEventAdmin", "WebhookRefusalAdmin"]
