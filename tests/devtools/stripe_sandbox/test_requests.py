"""What every request has in common: the key, the errors, the parameters, the pages, ``expand``, the headers."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from devtools.stripe_sandbox import params as checker
from devtools.stripe_sandbox.errors import ApiError
from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakePaid, MakeSession, session_params


@pytest.mark.parametrize("key", ["sk_test_wrong", "sk_live_sandbox"])
def test_call_is_refused_when_the_key_is_wrong(sandbox: Sandbox, key: str) -> None:
    stranger = stripe.StripeClient(key, base_addresses={"api": sandbox.url}, max_network_retries=0)

    with pytest.raises(stripe.AuthenticationError) as refused:
        stranger.v1.checkout.sessions.create(params=session_params())

    assert refused.value.http_status == 401
    assert str(refused.value.user_message).startswith("Invalid API Key provided: ")
    assert key not in str(refused.value.user_message)
    assert sandbox.state()["objects"] == {}


def test_call_is_refused_when_there_is_no_key(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    connection.request("GET", "/v1/charges")

    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize(
    ("changes", "code", "param", "message"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour", "Received unknown parameter: colour"),
        (
            {"payment_intent_data": {"descripton": "x"}},
            "parameter_unknown",
            "payment_intent_data[descripton]",
            "Received unknown parameter: payment_intent_data[descripton]",
        ),
        (
            {"line_items": [{"price_data": {"currency": "gbp", "product_data": {"name": "x"}, "unit": 1}}]},
            "parameter_unknown",
            "line_items[0][price_data][unit]",
            "Received unknown parameter: line_items[0][price_data][unit]",
        ),
        ({"mode": "paymnt"}, None, "mode", "Invalid mode: must be one of payment, setup, or subscription"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at", "Invalid integer: soon"),
        (
            {"line_items": [{"price_data": {"unit_amount": 100, "product_data": {"name": "x"}}}]},
            "parameter_missing",
            "line_items[0][price_data][currency]",
            "Missing required param: line_items[0][price_data][currency].",
        ),
        ({"metadata": "x"}, None, "metadata", "Invalid object: x"),
    ],
)
def test_create_is_refused_when_a_parameter_is_not_the_librarys(
    client: stripe.StripeClient,
    make_session: MakeSession,
    changes: dict[str, Any],
    code: str | None,
    param: str,
    message: str,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(**changes)

    error = refused.value
    assert (error.http_status, error.code, error.param, error.user_message) == (400, code, param, message)
    assert error.request_id is not None
    assert error.request_id.startswith("req_")
    assert client.v1.checkout.sessions.list().data == []


def test_list_is_refused_when_a_filter_is_unknown(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.list(params={"created": {"since": 4}})  # type: ignore[arg-type]

    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "created[since]")


def test_parameter_is_refused_when_the_sandbox_would_ignore_it(
    client: stripe.StripeClient, make_paid: MakePaid
) -> None:
    charge = str(client.v1.payment_intents.retrieve(make_paid().id).latest_charge)
    calls: list[Callable[[], object]] = [
        lambda: client.v1.payment_intents.list(params={"customer": "cus_1"}),
        lambda: client.v1.refunds.create(params={"charge": charge, "reverse_transfer": True}),
        lambda: client.v1.charges.update(charge, params={"receipt_email": "a@example.com"}),
    ]

    for call in calls:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            call()
        assert refused.value.code == "sandbox_not_offered"
    assert client.v1.refunds.list().data == []


def test_object_is_missing_when_unknown(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.retrieve("pi_nothing")

    error = missing.value
    assert (error.http_status, error.code) == (404, "resource_missing")
    assert error.user_message == "No such payment_intent: 'pi_nothing'"


def test_address_is_unknown_when_stripe_is_not_mimicked_there(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.customers.list()

    assert missing.value.http_status == 404
    assert str(missing.value.user_message).startswith("Unrecognized request URL (GET: /v1/customers).")


def test_lists_page_in_both_directions(client: stripe.StripeClient, make_session: MakeSession) -> None:
    made = [make_session().id for _ in range(7)][::-1]
    sessions = client.v1.checkout.sessions

    first = sessions.list(params={"limit": 3})
    assert ([one.id for one in first.data], first.has_more, first.url) == (made[:3], True, "/v1/checkout/sessions")
    second = sessions.list(params={"limit": 3, "starting_after": made[2]})
    assert ([one.id for one in second.data], second.has_more) == (made[3:6], True)
    last = sessions.list(params={"limit": 3, "starting_after": made[5]})
    assert ([one.id for one in last.data], last.has_more) == (made[6:], False)
    back = sessions.list(params={"limit": 3, "ending_before": made[4]})
    assert ([one.id for one in back.data], back.has_more) == (made[1:4], True)
    assert [one.id for one in sessions.list(params={"limit": 2}).auto_paging_iter()] == made


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "cs_test_nothing"}, "starting_after"),
        ({"starting_after": "a", "ending_before": "b"}, "starting_after"),
    ],
)
def test_list_is_refused_when_the_cursor_is_bad(
    client: stripe.StripeClient, given: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.list(params=given)  # type: ignore[arg-type]

    assert (refused.value.http_status, refused.value.param) == (400, param)


def test_expand_reaches_through_lists_and_objects(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()
    refund = client.v1.refunds.create(
        params={"payment_intent": intent.id, "amount": 100, "expand": ["charge", "balance_transaction"]}
    )
    assert isinstance(refund.charge, stripe.Charge)
    assert isinstance(refund.balance_transaction, stripe.BalanceTransaction)

    [_, paid] = client.v1.balance_transactions.list(params={"expand": ["data.source.payment_intent"]}).data

    assert isinstance(paid.source, stripe.Charge)
    assert isinstance(paid.source.payment_intent, stripe.PaymentIntent)
    charge = client.v1.charges.retrieve(paid.source.id, params={"expand": ["refunds"]})
    assert charge.refunds is not None
    assert [one.id for one in charge.refunds.data] == [refund.id]


@pytest.mark.parametrize("path", ["amount", "nothing", "payment_intent.latest_charge.balance_transaction.source.x"])
def test_expand_is_refused_when_it_leads_nowhere(
    client: stripe.StripeClient, make_session: MakeSession, path: str
) -> None:
    session = make_session()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.retrieve(session.id, params={"expand": [path]})

    assert refused.value.param == "expand"


def test_answers_carry_stripes_headers(client: stripe.StripeClient, make_session: MakeSession) -> None:
    headers = make_session().last_response.headers  # type: ignore[union-attr]

    assert headers["Stripe-Version"] == checker.api_version()
    assert headers["Request-Id"].startswith("req_")
    pinned = client.v1.checkout.sessions.list(options={"stripe_version": "2025-01-27.acacia"})
    assert pinned.last_response is not None
    assert pinned.last_response.headers["Stripe-Version"] == "2025-01-27.acacia"


def test_events_are_found_by_type(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    make_paid()
    events = client.v1.events

    assert [one.type for one in events.list(params={"types": ["charge.*", "payment_intent.created"]}).data] == [
        "charge.updated",
        "charge.succeeded",
        "payment_intent.created",
    ]
    [created] = events.list(params={"type": "payment_intent.created"}).data
    assert events.retrieve(created.id).data.object["object"] == "payment_intent"


def test_form_is_decoded_as_stripe_encodes_it() -> None:
    tree = checker.decode_form("a=1&b[c]=2&d[0][e]=3&d[1][e]=4&f[]=x&f[]=y&g=")

    assert tree == {
        "a": "1",
        "b": {"c": "2"},
        "d": {"0": {"e": "3"}, "1": {"e": "4"}},
        "f": {"0": "x", "1": "y"},
        "g": "",
    }


def test_checker_gives_values_their_types() -> None:
    form = checker.decode_form("amount=100&refund_application_fee=true&metadata[a]=1&expand[0]=charge")

    assert checker.check(form, against="RefundCreateParams") == {
        "amount": 100,
        "refund_application_fee": True,
        "metadata": {"a": "1"},
        "expand": ["charge"],
    }


def test_checker_refuses_an_empty_value_that_cannot_be_unset() -> None:
    with pytest.raises(ApiError) as refused:
        checker.check({"charge": ""}, against="RefundCreateParams")

    assert (refused.value.code, refused.value.param) == ("parameter_invalid_empty", "charge")
    assert checker.check({"metadata": ""}, against="RefundCreateParams") == {"metadata": ""}
