"""The test cards on the hosted page."""

from __future__ import annotations

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakeSession

SECURE = "4000000000003220"


def intent_of(client: stripe.StripeClient, session: stripe.checkout.Session) -> stripe.PaymentIntent:
    found = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
    assert isinstance(found.payment_intent, stripe.PaymentIntent)
    return found.payment_intent


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "message"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "Your card was declined."),
        ("4000000000009995", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ("4000000000000069", "expired_card", None, "Your card has expired."),
        ("4111111111111111", "card_declined", "test_mode_live_card", "Your card was declined. Your request was in"),
    ],
)
def test_payment_is_declined_then_paid_when_another_card_is_used(
    client: stripe.StripeClient,
    sandbox: Sandbox,
    make_session: MakeSession,
    card: str,
    code: str,
    decline_code: str | None,
    message: str,
) -> None:
    session = make_session()

    payment = sandbox.pay(session.id, card)

    assert payment.outcome == "declined"
    assert message in payment.message
    intent = intent_of(client, session)
    assert (intent.status, intent.amount_received) == ("requires_payment_method", 0)
    error = intent.last_payment_error
    assert error is not None
    assert error.code == code
    assert getattr(error, "decline_code", None) == decline_code
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    assert client.v1.balance_transactions.list().data == []

    assert sandbox.pay(session.id).outcome == "paid"
    settled = intent_of(client, session)
    assert (settled.id, settled.status, settled.last_payment_error) == (intent.id, "succeeded", None)
    assert [charge.status for charge in client.v1.charges.list().data] == ["succeeded", "failed"]


def test_page_says_what_is_wrong_when_fields_are_bad(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session(customer_email="payer@example.com")

    payment = sandbox.pay(session.id, "4242424242424241", name="", expiry="01 / 20", cvc="1")

    assert payment.outcome == "invalid"
    assert payment.message == (
        "There is a problem Your card number is invalid. Check the number on the card "
        "Your card's expiration date is in the past Enter the 3-digit security code "
        "Enter the name on the card"
    )
    assert client.v1.payment_intents.list().data == []


def test_email_is_asked_when_the_shop_gave_none(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    params = {"customer_email": None}
    session = make_session(**params)

    assert sandbox.pay(session.id, email="nonsense").outcome == "invalid"
    assert sandbox.pay(session.id, email="another@example.com").outcome == "paid"

    done = client.v1.checkout.sessions.retrieve(session.id)
    assert done.customer_details is not None
    assert done.customer_details.email == "another@example.com"


def test_payment_succeeds_when_three_d_secure_is_approved(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    assert sandbox.pay(session.id, SECURE, "approve").outcome == "paid"

    intent = intent_of(client, session)
    assert intent.status == "succeeded"
    assert isinstance(intent.latest_charge, stripe.Charge)
    details = intent.latest_charge.payment_method_details
    assert details is not None
    assert details.card is not None
    assert details.card.three_d_secure is not None
    assert (details.card.last4, details.card.three_d_secure.result) == ("3220", "authenticated")


def test_payment_is_refused_then_paid_when_three_d_secure_fails(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    payment = sandbox.pay(session.id, SECURE, "fail")

    assert payment.outcome == "declined"
    assert "We are unable to authenticate your payment method." in payment.message
    intent = intent_of(client, session)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert client.v1.charges.list().data == []
    assert sandbox.pay(session.id).outcome == "paid"


def test_payment_waits_when_three_d_secure_is_abandoned(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    assert sandbox.pay(session.id, SECURE, "abandon").outcome == "abandoned"

    intent = intent_of(client, session)
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    assert intent.next_action is not None
    assert intent.next_action.type == "redirect_to_url"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"

    sandbox.advance(24 * 3600 + 5)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert intent_of(client, session).status == "canceled"


def test_another_card_pays_when_three_d_secure_was_abandoned(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()
    sandbox.pay(session.id, SECURE, "abandon")

    assert sandbox.pay(session.id).outcome == "paid"

    assert intent_of(client, session).status == "succeeded"
    assert len(client.v1.charges.list().data) == 1


def test_events_tell_the_story_when_a_card_is_declined_then_paid(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()
    sandbox.pay(session.id, "4000000000000002")
    sandbox.pay(session.id)

    assert [event.type for event in reversed(client.v1.events.list().data)] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "checkout.session.completed",
    ]
