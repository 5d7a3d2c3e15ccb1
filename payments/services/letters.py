"""Letters to staff about money that needs a person."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings

from notifications import services as notifications
from payments.constants import RefundStatus
from payments.models import Charge, Refund


def write(what: str, *, facts: Iterable[str], path: str, key: str, now: dt.datetime) -> None:
    """A letter to staff, once for each `key`, with the page in admin where it is seen to. Composed."""
    notifications.enqueue(
        "money_task",
        to=settings.HELP_EMAIL,
        dedupe_key=key,
        now=now,
        context={"what": what, "facts": list(facts), "path": path},
    )


def _refund_key(refund: Refund, status: str) -> str:
    return f"refund:{refund.pk}:{status.lower()}"


def withdraw_waiting(refund: Refund, *, now: dt.datetime) -> None:
    """Take back the letter that a refund waits for a second person, if it has not gone: it waits no longer."""
    notifications.withdraw(dedupe_keys=[_refund_key(refund, RefundStatus.WAITING)], now=now)


def write_refund(refund: Refund, words: str, *, charge: Charge, now: dt.datetime) -> None:
    """A letter that a refund needs a person: once for each state in which it does. Composed."""
    stripe_says = [f"Stripe says: {refund.error}"] if refund.error else []
    write(
        words,
        facts=[f"booking {charge.booking_reference}", *stripe_says],
        path=f"/admin/payments/refund/{refund.pk}/change/",
        key=_refund_key(refund, refund.status),
        now=now,
    )
