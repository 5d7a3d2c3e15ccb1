"""Checkout Sessions: made, paid, expired."""

from __future__ import annotations

import time

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import CANCEL, SUCCESS, MakePaid, MakeSession, session_params


def test_session_is_as_asked_when_created(sandbox: Sandbox, make_session: MakeSession) -> None:
    before = int(time.time())
    session = make_session()

    assert session.id.startswith("cs_test_")
    assert session.url == f"{sandbox.url}/c/pay/{session.id}"
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_total, session.currency) == (9200, "gbp")
    assert (session.client_reference_id, session.customer_email) == ("booking-7", "payer@example.com")
    assert session.metadata is not None
    assert session.metadata.to_dict() == {"attempt": "1"}
    assert (session.success_url, session.cancel_url) == (SUCCESS, CANCEL)
    assert 24 * 3600 <= session.expires_at - before <= 24 * 3600 + 5
    # Since API version 2022-08-01 the PaymentIntent is made when the payer first presses Pay.
    assert session.payment_intent is None
    assert session.livemode is False


def test_payment_carries_what_the_session_said_when_paid(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    payment = sandbox.pay(str(session.url))

    assert payment.outcome == "paid"
    assert payment.url == f"http://shop.example/paid/?session={session.id}"
    paid = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details is not None
    assert paid.customer_details.email == "payer@example.com"
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 9200, 9200)
    assert (intent.description, intent.metadata.to_dict()) == ("Course fee", {"charge": "12"})
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.captured, charge.status) == (True, True, "succeeded")
    assert (charge.statement_descriptor_suffix, charge.metadata.to_dict()) == ("NSAC", {"charge": "12"})
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert (charge.payment_method_details.card.last4, charge.payment_method_details.card.brand) == ("4242", "visa")


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (29 * 60, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
        (24 * 3600 + 60, "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."),
    ],
)
def test_create_is_refused_when_expiry_is_out_of_bounds(
    client: stripe.StripeClient, make_session: MakeSession, seconds: int, message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(expires_at=int(time.time()) + seconds)

    assert (refused.value.user_message, refused.value.param, refused.value.http_status) == (message, "expires_at", 400)
    assert client.v1.checkout.sessions.list().data == []


def test_session_expires_when_its_time_comes(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session(expires_at=int(time.time()) + 30 * 60 + 5)
    sandbox.pay(session.id, "4000000000000002")
    sandbox.advance(30 * 60)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"

    sandbox.advance(10)

    gone = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]})
    assert (gone.status, gone.payment_status, gone.url) == ("expired", "unpaid", None)
    assert isinstance(gone.payment_intent, stripe.PaymentIntent)
    assert gone.payment_intent.status == "canceled"
    names = [event.type for event in client.v1.events.list().data]
    assert names[:2] == ["checkout.session.expired", "payment_intent.canceled"]
    assert sandbox.pay(session.id).outcome == "closed"


def test_session_is_closed_when_expired_by_the_shop(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    assert client.v1.checkout.sessions.expire(session.id).status == "expired"

    assert sandbox.pay(session.id).outcome == "closed"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.expire(session.id)
    assert refused.value.user_message == (
        'Only Checkout Sessions with a status in ["open"] can be expired. '
        "This Checkout Session has a status of `expired`."
    )
    assert client.v1.events.list(params={"type": "checkout.session.expired"}).data[0].data.object["id"] == session.id
    assert len(client.v1.events.list().data) == 1


def test_expire_is_refused_when_paid(client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession) -> None:
    session = make_session()
    sandbox.pay(session.id)

    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_page_leads_to_the_shop_when_paid_in_another_tab(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    outcomes = [sandbox.pay(session.id) for _ in range(3)]

    assert [payment.outcome for payment in outcomes] == ["paid", "paid", "paid"]
    assert len(client.v1.charges.list().data) == 1


def test_list_finds_by_payment_intent_and_status(
    client: stripe.StripeClient, make_paid: MakePaid, make_session: MakeSession
) -> None:
    intent = make_paid()
    still_open = make_session()

    by_intent = client.v1.checkout.sessions.list(params={"payment_intent": intent.id})
    by_status = client.v1.checkout.sessions.list(params={"status": "open"})

    assert [session.payment_intent for session in by_intent.data] == [intent.id]
    assert [session.id for session in by_status.data] == [still_open.id]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"success_url": "shop/paid"}, "url_invalid", "success_url"),
        ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"mode": "subscription"}, "sandbox_not_offered", "mode=subscription"),
        ({"allow_promotion_codes": True}, "sandbox_not_offered", "allow_promotion_codes"),
        ({"metadata": {f"key{number}": "x" for number in range(51)}}, None, "metadata"),
        ({"metadata": {"long": "x" * 501}}, None, "metadata[long]"),
        (
            {"payment_intent_data": {"statement_descriptor_suffix": "A * B"}},
            None,
            "payment_intent_data[statement_descriptor_suffix]",
        ),
    ],
)
def test_create_is_refused_when_a_value_is_bad(
    client: stripe.StripeClient, make_session: MakeSession, changes: dict[str, object], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(**changes)

    assert (refused.value.code, refused.value.param) == (code, param)
    assert client.v1.checkout.sessions.list().data == []


def test_amount_is_refused_when_under_thirty_pence(client: stripe.StripeClient) -> None:
    params = session_params()
    params["line_items"][0]["price_data"]["unit_amount"] = 29

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(params=params)

    assert refused.value.code == "amount_too_small"
    assert refused.value.user_message == "The Checkout Session's total amount due must add up to at least £0.30 gbp"
    params["line_items"][0]["price_data"]["unit_amount"] = 30
    assert client.v1.checkout.sessions.create(params=params).amount_total == 30


def test_line_items_are_listed_with_their_prices(client: stripe.StripeClient, make_session: MakeSession) -> None:
    session = make_session()

    [item] = client.v1.checkout.sessions.line_items.list(session.id).data

    assert (item.description, item.quantity, item.amount_total) == ("Speed awareness", 1, 9200)


def test_metadata_is_taken_away_when_set_empty(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()

    client.v1.payment_intents.update(intent.id, params={"metadata": {"charge": "", "seen": "yes"}})
    assert client.v1.payment_intents.retrieve(intent.id).metadata.to_dict() == {"seen": "yes"}
    client.v1.payment_intents.update(intent.id, params={"metadata": ""})

    assert client.v1.payment_intents.retrieve(intent.id).metadata.to_dict() == {}


def test_open_session_keeps_its_expiry_when_metadata_changes(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()

    client.v1.checkout.sessions.update(session.id, params={"metadata": {"attempt": "2"}})

    sandbox.advance(24 * 3600 + 5)
    gone = client.v1.checkout.sessions.retrieve(session.id)
    assert gone.status == "expired"
    assert gone.metadata is not None
    assert gone.metadata.to_dict() == {"attempt": "2"}


def test_intent_is_not_cancelled_when_it_is_a_sessions(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession, make_paid: MakePaid
) -> None:
    session = make_session()
    sandbox.pay(session.id, "4000000000000002")
    waiting = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)
    paid = make_paid()

    for identifier, status in ((waiting, "requires_payment_method"), (paid.id, "succeeded")):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.cancel(identifier)
        assert refused.value.code == "payment_intent_unexpected_state"
        assert client.v1.payment_intents.retrieve(identifier).status == status


def test_session_completes_unpaid_when_the_method_is_delayed(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    sandbox.control("payments", async_next=2)
    good, bad = make_session(), make_session()
    for session in (good, bad):
        assert sandbox.pay(session.id).outcome == "paid"
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.status, done.payment_status) == ("complete", "unpaid")
    intents = [str(client.v1.checkout.sessions.retrieve(one.id).payment_intent) for one in (good, bad)]

    sandbox.control("settle", id=intents[0], outcome="succeeded")
    sandbox.control("settle", id=intents[1], outcome="failed")

    assert client.v1.checkout.sessions.retrieve(good.id).payment_status == "paid"
    assert client.v1.checkout.sessions.retrieve(bad.id).payment_status == "unpaid"
    events = client.v1.events.list(params={"type": "checkout.session.async_payment_*"}).data
    assert [(event.type, event.data.object["id"]) for event in events] == [
        ("checkout.session.async_payment_failed", bad.id),
        ("checkout.session.async_payment_succeeded", good.id),
    ]
