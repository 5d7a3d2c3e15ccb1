"""The switches of the API and the clock, and what refuses them."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlencode

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakePaid, MakeSession, session_params


def test_work_is_done_when_a_call_times_out(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    intent = make_paid()
    sandbox.control("api", time_out_next=1, match="POST /v1/refunds")

    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(params={"payment_intent": intent.id}, options={"idempotency_key": "refund-1"})

    [done] = client.v1.refunds.list().data
    again = client.v1.refunds.create(params={"payment_intent": intent.id}, options={"idempotency_key": "refund-1"})
    assert again.id == done.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_library_recovers_by_itself_when_a_call_times_out_twice(sandbox: Sandbox) -> None:
    patient = stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.url}, max_network_retries=2)
    sandbox.control("api", time_out_next=2)

    session = patient.v1.checkout.sessions.create(params=session_params())

    assert [one.id for one in patient.v1.checkout.sessions.list().data] == [session.id]


def test_nothing_is_done_when_a_call_fails_with_five_hundred(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("api", error_next=2)
    sessions = client.v1.checkout.sessions
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})
        assert failed.value.http_status == 500

    made = sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})

    assert [one.id for one in sessions.list().data] == [made.id]


def test_five_hundred_is_the_answer_for_good_when_kept(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    sandbox.control("api", error_next=1, keep_error=True)
    sessions = client.v1.checkout.sessions

    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})
        assert failed.value.http_status == 500

    assert sessions.list().data == []


def test_clock_moves_and_comes_back(client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession) -> None:
    sandbox.control("clock", now="2030-01-01T09:00:00+00:00")
    assert 0 <= make_session().created - 1_893_488_400 <= 3
    sandbox.control("clock", reset=True)

    assert abs(make_session().created - time.time()) < 3


@pytest.mark.parametrize(
    ("path", "given", "message"),
    [
        ("webhooks", {"dorp": True}, "Unknown switch 'dorp'"),
        ("webhooks", {"delay_seconds": "long"}, "'long' does not fit 'delay_seconds'"),
        ("clock", {"now": "teatime"}, "'teatime' is not a moment."),
        ("nothing", {}, "There is no switch 'nothing'."),
        ("settle", {"id": "re_nothing", "outcome": "failed"}, "There is no 're_nothing'."),
        ("endpoints", {"url": "http://127.0.0.1:9/"}, "An endpoint has a url and at least one secret."),
        ("dispute", {"charge": "ch_nothing"}, "No such charge: 'ch_nothing'"),
    ],
)
def test_switch_is_refused_when_it_makes_no_sense(
    sandbox: Sandbox, path: str, given: dict[str, object], message: str
) -> None:
    before = {name: value for name, value in sandbox.state().items() if name != "now"}

    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        sandbox.control(path, **given)

    assert {name: value for name, value in sandbox.state().items() if name != "now"} == before


def test_page_of_switches_works_by_form(sandbox: Sandbox) -> None:
    fields = {"box:drop": "1", "box:hold": "1", "drop": "on", "drop_next": "2", "types": "charge.*, refund.*"}
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port)
    connection.request(
        "POST",
        "/_control/webhooks",
        urlencode(fields),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.getheader("Location")) == (303, "/_control/?said=Done%3A+webhooks.")

    rules = sandbox.state()["webhooks"]
    assert (rules["drop"], rules["hold"], rules["drop_next"]) == (True, False, 2)
    assert rules["types"] == ["charge.*", "refund.*"]
    connection.request("GET", "/_control/?said=Done%3A+%3Cb%3E")
    page = connection.getresponse().read().decode()
    assert "Done: &lt;b&gt;" in page
    connection.close()


def test_reset_forgets_everything(client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid) -> None:
    make_paid()
    sandbox.control("api", delay_seconds=1)
    sandbox.control("endpoints", url="http://127.0.0.1:9/", secrets=["whsec_x"])
    first = sandbox.state()

    sandbox.reset()

    state = sandbox.state()
    assert (state["objects"], state["deliveries"], state["api"]["delay_seconds"]) == ({}, {}, 0.0)
    assert state["endpoints"] != first["endpoints"]
    assert client.v1.charges.list().data == []
