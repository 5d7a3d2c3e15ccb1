"""One sandbox and one shop for all these tests; each test finds them empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.receiver import Receiver

SECRET = "whsec_sandbox_tests"
SUCCESS = "http://shop.example/paid/?session={CHECKOUT_SESSION_ID}"
CANCEL = "http://shop.example/back/"
MakeSession = Callable[..., stripe.checkout.Session]
MakePaid = Callable[..., stripe.PaymentIntent]


@pytest.fixture(scope="session")
def _shop() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def _running(_shop: Receiver) -> Iterator[Sandbox]:
    with Sandbox(webhook_url=_shop.url, webhook_secret=SECRET, retry_seconds=0.05) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running: Sandbox, _shop: Receiver) -> Sandbox:
    _running.reset()
    _running.wait_for_webhooks()
    _shop.clear()
    return _running


@pytest.fixture
def shop(_shop: Receiver) -> Receiver:
    return _shop


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    """Stripe's own library, without its own retries, so that a test sees each answer."""
    return stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.url}, max_network_retries=0)


def session_params(**changes: Any) -> Any:
    """What a shop asks for one £92 course; ``Any``, for tests also send what the library's types forbid."""
    price = {"currency": "gbp", "unit_amount": 9200, "product_data": {"name": "Speed awareness"}}
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
        "customer_email": "payer@example.com",
        "client_reference_id": "booking-7",
        "metadata": {"attempt": "1"},
        "payment_intent_data": {
            "description": "Course fee",
            "metadata": {"charge": "12"},
            "statement_descriptor_suffix": "NSAC",
        },
        **changes,
    }


@pytest.fixture
def make_session(client: stripe.StripeClient) -> MakeSession:
    def make(**changes: Any) -> stripe.checkout.Session:
        return client.v1.checkout.sessions.create(params=session_params(**changes))

    return make


@pytest.fixture
def make_paid(client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession) -> MakePaid:
    """A paid PaymentIntent with its charge expanded."""

    def make(card: str = "4242424242424242", **changes: Any) -> stripe.PaymentIntent:
        session = make_session(**changes)
        assert sandbox.pay(session.id, card).outcome == "paid"
        paid = client.v1.checkout.sessions.retrieve(session.id)
        return client.v1.payment_intents.retrieve(str(paid.payment_intent), params={"expand": ["latest_charge"]})

    return make
