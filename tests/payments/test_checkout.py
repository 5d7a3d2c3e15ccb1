"""Sending the payer to Stripe and what comes of it, over HTTP against the sandbox."""

import pytest

from audit.models import AuditEvent
from common import clock
from payments import services
from payments.constants import AttemptStatus, ChargeStatus
from payments.errors import AlreadyPaidError
from payments.models import Attempt, Journal
from tests.payments.conftest import Heard, Till


def test_start_checkout_opens_a_session_and_the_return_page_settles_it(till: Till, heard: Heard) -> None:
    attempt = till.start()
    assert (attempt.status, attempt.checkout_session_id[:8]) == (AttemptStatus.OPEN, "cs_test_")
    paid = till.sandbox.pay(attempt.url)
    assert paid.outcome == "paid"
    charge = services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    assert (charge.status, charge.paid_pence, charge.refunded_pence) == (ChargeStatus.PAID, 9200, 0)
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.paid_pence, attempt.card_last4, attempt.card_brand) == (
        "PAID",
        9200,
        "4242",
        "visa",
    )
    journal = Journal.objects.get()
    assert (journal.kind, journal.source, journal.total_pence) == ("PAID", f"paid:{attempt.payment_intent_id}", 9200)
    assert list(journal.postings.order_by("pk").values_list("account", "amount_pence")) == [
        ("STRIPE_CLEARING", 9200),
        ("FEES_IN_ADVANCE", -9200),
    ]
    assert heard.names == ["charge_locking", "charge_settled"]
    assert list(AuditEvent.objects.order_by("id").values_list("action", "words")) == [
        ("checkout.opened", "Payment page opened at Stripe for £92"),
        ("charge.paid", f"£92 paid by visa ending 4242 for booking {charge.booking_reference}"),
    ]
    with pytest.raises(AlreadyPaidError):
        till.start()
