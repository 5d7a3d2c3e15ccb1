"""Every object and event has the shape that the installed library declares."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import stripe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakePaid, MakeSession
from tests.devtools.stripe_sandbox.shapes import CLASSES, faults

LISTS = {
    "checkout/sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "balance_transactions": "balance_transaction",
    "payouts": "payout",
    "disputes": "dispute",
    "events": "event",
}


def raw(sandbox: Sandbox, path: str) -> dict[str, Any]:
    request = Request(f"{sandbox.url}/v1/{path}", headers={"Authorization": f"Bearer {sandbox.secret_key}"})
    with urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def everything(client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession, make_paid: MakePaid) -> None:
    """One of each thing in each of its states."""
    make_session()
    client.v1.checkout.sessions.expire(make_session(customer_email=None, allowed_payment_method_types=["card"]).id)
    for card in ("4000000000000002", "4000000000003220"):
        session = make_session()
        sandbox.pay(session.id, card, "fail")
    sandbox.pay(make_session().id, "4000000000003220", "abandon")
    make_paid("4000000000003220")
    make_paid("4000000000000259")
    for card in ("4242424242424242", "4000000000007726", "4000000000005126"):
        client.v1.refunds.create(params={"payment_intent": make_paid(card).id, "amount": 1000})
    sandbox.control("dispute", charge=make_paid().id)
    client.v1.disputes.update(
        client.v1.disputes.list().data[0].id, params={"evidence": {"uncategorized_text": "winning_evidence"}}
    )
    sandbox.control("dispute", charge=make_paid().id, inquiry=True)
    sandbox.control("payments", async_next=1)
    sandbox.pay(make_session().id)
    sandbox.control("payout", include_pending=True)
    sandbox.advance(10)


def test_shapes_are_the_librarys(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession, make_paid: MakePaid
) -> None:
    everything(client, sandbox, make_session, make_paid)
    problems: set[str] = set()
    for path, kind in LISTS.items():
        found = raw(sandbox, f"{path}?limit=100")["data"]
        assert found, path
        for one in found:
            assert one["object"] == kind
            problems.update(faults(one))
            if kind == "event":
                problems.update(faults(one["data"]["object"], at=f"{one['type']}: {one['data']['object']['object']}"))
    session = raw(sandbox, "checkout/sessions?expand[]=data.line_items&limit=1")["data"][0]
    problems.update(faults(session["line_items"]["data"][0]))
    problems.update(faults(raw(sandbox, "balance")))

    assert sorted(problems) == []


def test_library_reads_every_event(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession, make_paid: MakePaid
) -> None:
    everything(client, sandbox, make_session, make_paid)

    for event in client.v1.events.list(params={"limit": 100}).auto_paging_iter():
        assert isinstance(event.data.object, CLASSES[event.data.object["object"]])


def test_a_wrong_shape_is_noticed(client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid) -> None:
    make_paid()
    charge = raw(sandbox, "charges")["data"][0]
    del charge["captured"]
    charge["colour"] = "red"
    charge["status"] = "fine"
    charge["amount"] = "9200"
    charge["payment_method_details"]["card"]["exp_month"] = None
    del charge["billing_details"]["email"]

    assert sorted(faults(charge)) == [
        "charge.amount: '9200' is no int",
        "charge.captured is missing",
        "charge.colour is unknown to the library",
        "charge.payment_method_details.card.exp_month: None is no int",
        "charge.status: 'fine' is none of ('failed', 'pending', 'succeeded')",
    ]
