"""What is logged while money moves and fails names neither secrets nor payers, at any level."""

import json
import logging
import re
import time
from typing import Any

import pytest

from common import clock
from devtools.stripe_sandbox.deliveries import signature
from payments import gateway, services
from payments.constants import ChargeStatus
from payments.errors import CheckoutRefusedError
from payments.services import settlement
from tests.factories.payments import ChargeFactory
from tests.payments.conftest import Till, events_of, post_event, start

CARD = "4242424242424242"
CVC = "8731"
NAME = "Wilhelmina Unheard"
REFUSED = "wilhelmina@no-such-address"
WRONG_KEY = "sk_test_no_key_of_ours"


def test_no_secret_no_card_number_and_no_payer_is_ever_logged(
    till: Till, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    attempt = till.start()
    till.sandbox.pay(attempt.url, CARD, name=NAME, cvc=CVC)
    events = events_of(till.sandbox)
    completed = next(event for event in events if event["type"] == "checkout.session.completed")
    assert all(
        word in json.dumps(events) for word in (NAME, till.charge.email)
    )  # what might be logged is there to be logged

    header = signature(json.dumps(completed).encode(), [settings.STRIPE_WEBHOOK_SECRETS[0]], at=int(time.time()))
    assert post_event(completed, header=header) == 200
    for refused in ({"secret": "whsec_not_ours"}, {"age_seconds": 3600}, {"header": header[:-1] + "x"}):
        assert post_event(completed, **refused) == 400  # type: ignore[arg-type]  # one of three kinds of argument

    now = clock.now()
    with monkeypatch.context() as poison:
        poison.setattr(settlement, "refresh_attempt", lambda *_, **__: 1 / 0)
        assert services.apply_stripe_events(now=now)["failed"] == 1
    key, settings.STRIPE_SECRET_KEY = settings.STRIPE_SECRET_KEY, WRONG_KEY
    services.settle_payments(now=now + settlement.OPEN_IS_ASKED_ABOUT_AFTER)
    settings.STRIPE_SECRET_KEY = key
    till.sandbox.control("api", error_next=gateway.RETRIES + 1)
    services.settle_payments(now=now + 2 * settlement.OPEN_IS_ASKED_ABOUT_AFTER)
    services.settle_payments(now=now + 4 * settlement.OPEN_IS_ASKED_ABOUT_AFTER)
    assert till.reload().status == ChargeStatus.PAID

    with pytest.raises(CheckoutRefusedError):
        start(ChargeFactory.create(now=now, email=REFUSED))  # Stripe's answer repeats it

    logged = "\n".join((caplog.text, *map(_words_of, caplog.records)))
    for words in ("an event about attempt cannot be applied", "the mop-up stops at", "Checkout for attempt"):
        assert words in logged
    secrets = (key, till.sandbox.secret_key, WRONG_KEY, *settings.STRIPE_WEBHOOK_SECRETS, header.rpartition("v1=")[2])
    told = (*secrets, settings.SECRET_KEY, CARD, "4242 4242", NAME, REFUSED, till.charge.email)
    assert [word for word in told if word in logged] == []
    assert re.findall(rf"(?<!\d){CVC}(?!\d)", logged) == []  # four digits stand in many a longer number


def _words_of(record: logging.LogRecord) -> str:
    """All that a record holds but its numbers: its clock, its line, its process."""
    return str([value for value in vars(record).values() if not isinstance(value, int | float)])
