"""Webhooks: signed, tried again, and spoilt on demand."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox, wait_until
from tests.devtools.stripe_sandbox.conftest import SECRET, MakePaid, MakeSession
from tests.devtools.stripe_sandbox.receiver import Receiver

STORY = {
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
    "checkout.session.completed",
}


def test_every_event_arrives_signed(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_paid: MakePaid
) -> None:
    intent = make_paid()
    sandbox.wait_for_webhooks()

    events = shop.events(SECRET)

    assert {event.type for event in events} == STORY
    assert len(events) == len(STORY)
    for event in events:
        assert event.livemode is False
        kept = client.v1.events.retrieve(event.id)
        assert kept.data.object.to_dict() == event.data.object.to_dict()
        assert kept.pending_webhooks == 0
        through_client = client.construct_event(shop.received[0].body, shop.received[0].signature, SECRET)
        assert through_client.object == "event"
    [completed] = [event for event in events if event.type == "checkout.session.completed"]
    assert completed.data.object["payment_intent"] == intent.id
    assert completed.data.object["payment_status"] == "paid"


def test_event_names_the_request_that_caused_it(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_paid: MakePaid
) -> None:
    intent = make_paid()
    refund = client.v1.refunds.create(params={"payment_intent": intent.id}, options={"idempotency_key": "refund-1"})
    sandbox.wait_for_webhooks()

    [event] = shop.events(SECRET, "refund.created")

    assert event.request is not None
    assert event.request.idempotency_key == "refund-1"
    assert refund.last_response is not None
    assert event.request.id == refund.last_response.headers["Request-Id"]


def test_delivery_is_tried_again_until_two_hundred(
    sandbox: Sandbox, shop: Receiver, client: stripe.StripeClient, make_session: MakeSession
) -> None:
    session = make_session()
    shop.answers.extend([500, 302, 404])

    client.v1.checkout.sessions.expire(session.id)
    sandbox.wait_for_webhooks()

    assert [one.status for one in shop.received] == [500, 302, 404, 200]
    assert len({json.loads(one.body)["id"] for one in shop.received}) == 1
    [delivery] = sandbox.deliveries()
    assert (delivery["state"], delivery["tries"]) == ("delivered", 4)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 302, 404, 200]
    gaps = [after["at"] - before["at"] for before, after in pairwise(delivery["attempts"])]
    assert [gap >= least for gap, least in zip(gaps, (0.05, 0.1, 0.2), strict=True)] == [True] * 3


def test_signature_fails_when_the_secret_is_another(sandbox: Sandbox, shop: Receiver, make_paid: MakePaid) -> None:
    make_paid()
    sandbox.wait_for_webhooks()

    with pytest.raises(stripe.SignatureVerificationError):
        shop.received[0].event("whsec_another")


def test_both_secrets_verify_while_one_is_rolled(sandbox: Sandbox, shop: Receiver, make_paid: MakePaid) -> None:
    sandbox.control("endpoints", url=shop.url, secrets=[SECRET, "whsec_next"])

    make_paid()
    sandbox.wait_for_webhooks()

    assert {event.type for event in shop.events(SECRET)} == STORY
    assert {event.type for event in shop.events("whsec_next")} == STORY


def test_two_endpoints_each_get_their_types(sandbox: Sandbox, shop: Receiver, make_paid: MakePaid) -> None:
    wanted = [
        {"url": shop.url, "secrets": [SECRET]},
        {"url": shop.url, "secrets": ["whsec_second"], "types": ["charge.*"]},
    ]
    sandbox.control("endpoints", endpoints=wanted)

    make_paid()
    sandbox.wait_for_webhooks()

    assert len(shop.received) == len(STORY) + 2


def test_nothing_arrives_when_webhooks_are_dropped(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_paid: MakePaid
) -> None:
    sandbox.control("webhooks", drop=True)

    make_paid()
    sandbox.wait_for_webhooks()

    assert shop.received == []
    assert sandbox.state()["deliveries"] == {"dropped": len(STORY)}
    assert len(client.v1.events.list().data) == len(STORY)


def test_one_is_lost_when_the_next_is_dropped(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_session: MakeSession
) -> None:
    sandbox.control("webhooks", drop_next=1, types=["checkout.session.completed"])
    for _ in range(2):
        sandbox.pay(make_session().id)
    sandbox.wait_for_webhooks()

    assert len(shop.events(SECRET, "checkout.session.completed")) == 1
    assert len(shop.events(SECRET, "payment_intent.succeeded")) == 2

    sandbox.control("webhooks/retry", dropped=True)
    sandbox.wait_for_webhooks()
    assert len(shop.events(SECRET, "checkout.session.completed")) == 2


def test_copies_arrive_when_webhooks_are_duplicated(sandbox: Sandbox, shop: Receiver, make_paid: MakePaid) -> None:
    sandbox.control("webhooks", duplicate=3, reorder_seconds=0.2)

    make_paid()
    sandbox.wait_for_webhooks()

    events = shop.events(SECRET)
    assert len(events) == 3 * len(STORY)
    assert len({event.id for event in events}) == len(STORY)


def test_order_is_turned_round_when_held_and_released(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_paid: MakePaid
) -> None:
    sandbox.control("webhooks", hold=True)
    make_paid()
    sandbox.wait_for_webhooks()
    assert shop.received == []

    assert sandbox.control("webhooks/release", order="reverse") == {"released": len(STORY)}
    sandbox.wait_for_webhooks()

    newest_first = [event.type for event in client.v1.events.list().data]
    assert [event.type for event in shop.events(SECRET)] == newest_first


def test_delivery_waits_when_delayed(sandbox: Sandbox, shop: Receiver, make_paid: MakePaid) -> None:
    sandbox.control("webhooks", delay_seconds=1.2)
    make_paid()

    sandbox.wait_for_webhooks()

    assert {event.type for event in shop.events(SECRET)} == STORY
    created = {event.id: event.created for event in shop.events(SECRET)}
    for delivery in sandbox.deliveries():
        assert delivery["attempts"][0]["at"] >= created[delivery["event"]] + 1.2


def test_event_is_sent_again_on_demand(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_paid: MakePaid
) -> None:
    make_paid()
    sandbox.wait_for_webhooks()
    shop.clear()
    [event] = client.v1.events.list(params={"type": "payment_intent.succeeded"}).data

    sandbox.control("webhooks/resend", event=event.id, copies=4)
    sandbox.wait_for_webhooks()

    assert [one.id for one in shop.events(SECRET)] == [event.id] * 4


def test_resent_event_is_stale_forged_or_live_when_asked(
    client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_paid: MakePaid
) -> None:
    make_paid()
    sandbox.wait_for_webhooks()
    shop.clear()
    [event] = client.v1.events.list(params={"type": "payment_intent.succeeded"}).data
    shop.answers.extend([400, 400, 400])

    for change in ({"age_seconds": 360}, {"secret": "whsec_forged"}, {"livemode": True}):
        sandbox.control("webhooks/resend", event=event.id, **change)
        sandbox.wait_for_webhooks()

    stale, forged, live = shop.received
    for bad in (stale, forged):
        with pytest.raises(stripe.SignatureVerificationError):
            bad.event(SECRET)
    assert live.event(SECRET).livemode is True
    assert [delivery["state"] for delivery in sandbox.deliveries(event.id)[:3]] == ["failed"] * 3


def test_delivery_follows_the_endpoint_when_it_moves(
    sandbox: Sandbox, shop: Receiver, client: stripe.StripeClient, make_session: MakeSession
) -> None:
    session = make_session()
    sandbox.control("endpoints", url="http://127.0.0.1:9/", secrets=[SECRET])
    client.v1.checkout.sessions.expire(session.id)
    wait_until(lambda: sandbox.deliveries()[0]["tries"] >= 1, what="a first try")
    assert sandbox.deliveries()[0]["attempts"][0]["error"] == "ConnectionRefusedError"

    sandbox.control("endpoints", url=shop.url, secrets=[SECRET])
    sandbox.control("webhooks/retry")
    sandbox.wait_for_webhooks()

    assert [event.type for event in shop.events(SECRET)] == ["checkout.session.expired"]
