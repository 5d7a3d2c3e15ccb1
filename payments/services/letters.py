"""Letters to staff about money that needs a person."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings

from notifications import services as notifications
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


def write_refund(refund: Refund, words: str, *, charge: Charge, now: dt.datetime) -> None:
    """A letter that a refund needs a person: once for each state in which it does. Composed."""
    stripe_says = [f"Stripe says: {refund.error}"] if refund.error else []
    write(
        words,
        facts=[f"booking {charge.booking_reference}", *stripe_says],
        path=f"/admin/payments/refund/{refund.pk}/change/",
        key=f"refund:{refund.pk}:{refund.status.lower()}",
        now=now,
    )
