"""``Idempotency-Key``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox, wait_until
from tests.devtools.stripe_sandbox.conftest import MakePaid, session_params


def test_answer_is_the_first_when_the_key_comes_again(client: stripe.StripeClient) -> None:
    sessions = client.v1.checkout.sessions
    first = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    again = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    assert again.to_dict() == first.to_dict()
    assert first.last_response is not None
    assert again.last_response is not None
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert again.last_response.headers["Idempotency-Key"] == "attempt-1"
    assert [one.id for one in sessions.list().data] == [first.id]


def test_key_is_refused_when_parameters_differ(client: stripe.StripeClient) -> None:
    sessions = client.v1.checkout.sessions
    first = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    with pytest.raises(stripe.IdempotencyError) as refused:
        sessions.create(params=session_params(metadata={"attempt": "2"}), options={"idempotency_key": "attempt-1"})

    assert refused.value.http_status == 400
    assert refused.value.user_message == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        "Try using a key other than 'attempt-1' if you meant to execute a different request."
    )
    assert [one.id for one in sessions.list().data] == [first.id]


def test_key_is_refused_when_the_endpoint_differs(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()
    client.v1.refunds.create(
        params={"payment_intent": intent.id, "amount": 100}, options={"idempotency_key": "one-key"}
    )

    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(params=session_params(), options={"idempotency_key": "one-key"})

    assert len(client.v1.checkout.sessions.list().data) == 1


def test_refusal_is_kept_when_the_endpoint_had_begun(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()
    client.v1.refunds.create(params={"payment_intent": intent.id})
    messages = []
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create(params={"payment_intent": intent.id}, options={"idempotency_key": "refund-again"})
        messages.append((refused.value.user_message, (refused.value.headers or {}).get("Idempotent-Replayed")))

    assert messages[0][0] == messages[1][0]
    assert [replayed for _, replayed in messages] == [None, "true"]


def test_key_is_free_when_the_request_was_refused_before_it_began(client: stripe.StripeClient) -> None:
    sessions = client.v1.checkout.sessions
    with pytest.raises(stripe.InvalidRequestError):
        sessions.create(params=session_params(colour="red"), options={"idempotency_key": "attempt-1"})

    made = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    assert [one.id for one in sessions.list().data] == [made.id]


def test_key_is_in_use_when_the_first_request_is_under_way(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("api", delay_seconds=1.2, match="POST /v1/checkout/sessions")
    sessions = client.v1.checkout.sessions

    def create() -> stripe.checkout.Session:
        return sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    with ThreadPoolExecutor(max_workers=1) as pool:
        first = pool.submit(create)
        wait_until(lambda: sandbox.state()["keys_under_way"] == 1, what="the first call to begin")
        with pytest.raises(stripe.APIError) as refused:
            create()
        assert (refused.value.http_status, refused.value.json_body["error"]["code"]) == (  # type: ignore[index]
            409,
            "idempotency_key_in_use",
        )
        made = first.result()

    assert create().id == made.id
    assert len(sessions.list().data) == 1


def test_key_is_forgotten_after_a_day(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sessions = client.v1.checkout.sessions
    first = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    sandbox.advance(24 * 3600 + 10)

    second = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})
    assert second.id != first.id


def test_refunds_are_one_when_twenty_ask_at_once_with_one_key(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    intent = make_paid()
    # Stripe's library itself tries again on 409.
    patient = stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.url}, max_network_retries=8)

    def refund(_: int) -> str:
        return patient.v1.refunds.create(
            params={"payment_intent": intent.id, "amount": 100}, options={"idempotency_key": "refund-1"}
        ).id

    with ThreadPoolExecutor(max_workers=20) as pool:
        made = set(pool.map(refund, range(20)))

    assert len(made) == 1
    assert [one.amount for one in client.v1.refunds.list().data] == [100]
