"""Refunds: whole, partial, refused, pending, failed."""

from __future__ import annotations

import pytest
import stripe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakePaid, MakeSession


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    assert isinstance(intent.latest_charge, stripe.Charge)
    return client.v1.charges.retrieve(intent.latest_charge.id)


def test_whole_refund_when_no_amount_is_named(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()

    refund = client.v1.refunds.create(
        params={"payment_intent": intent.id, "reason": "requested_by_customer", "metadata": {"why": "cancelled"}},
        options={"idempotency_key": "refund-1"},
    )

    assert (refund.amount, refund.status, refund.reason) == (9200, "succeeded", "requested_by_customer")
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (9200, True)
    assert refund.charge == charge.id
    transaction = client.v1.balance_transactions.retrieve(str(refund.balance_transaction))
    assert (transaction.amount, transaction.fee, transaction.net, transaction.type) == (-9200, 0, -9200, "refund")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(params={"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"
    assert refused.value.user_message == f"Charge {charge.id} has already been refunded."
    assert [one.id for one in client.v1.refunds.list().data] == [refund.id]


def test_refund_is_refused_when_more_than_is_left(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()
    charge = charge_of(client, intent)
    first = client.v1.refunds.create(params={"charge": charge.id, "amount": 9000})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(params={"charge": charge.id, "amount": 201})

    assert refused.value.param == "amount"
    assert refused.value.user_message == "Refund amount (£2.01) is greater than unrefunded amount on charge (£2.00)"
    assert charge_of(client, intent).amount_refunded == 9000
    second = client.v1.refunds.create(params={"charge": charge.id, "amount": 200})
    found = client.v1.refunds.list(params={"payment_intent": intent.id})
    assert [one.id for one in found.data] == [second.id, first.id]
    assert client.v1.refunds.retrieve(second.id).amount == 200


@pytest.mark.parametrize("amount", [0, -1])
def test_refund_is_refused_when_the_amount_is_not_positive(
    client: stripe.StripeClient, make_paid: MakePaid, amount: int
) -> None:
    intent = make_paid()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(params={"payment_intent": intent.id, "amount": amount})

    assert refused.value.code == "parameter_invalid_integer"
    assert client.v1.refunds.list().data == []


def test_refund_is_refused_when_nothing_was_paid(
    client: stripe.StripeClient, sandbox: Sandbox, make_session: MakeSession
) -> None:
    session = make_session()
    sandbox.pay(session.id, "4000000000000002")
    intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(params={"payment_intent": intent})
    assert refused.value.param == "payment_intent"
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.refunds.create(params={"payment_intent": "pi_nothing"})
    assert unknown.value.code == "resource_missing"

    assert client.v1.refunds.list().data == []


def test_refund_becomes_final_when_pending(client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid) -> None:
    intent = make_paid("4000000000007726")
    refund = client.v1.refunds.create(params={"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")

    sandbox.advance(10)

    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    [event] = client.v1.events.list(params={"type": "refund.updated"}).data
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes["status"] == "pending"


def test_money_comes_back_when_a_refund_fails_later(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    intent = make_paid("4000000000005126")
    refund = client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 4000})
    assert refund.status == "succeeded"

    sandbox.advance(10)

    failed = client.v1.refunds.retrieve(refund.id, params={"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    back = failed.failure_balance_transaction
    assert isinstance(back, stripe.BalanceTransaction)
    assert (back.amount, back.type, back.reporting_category) == (4000, "refund_failure", "refund_failure")
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert [event.type for event in client.v1.events.list(params={"limit": 3}).data] == [
        "refund.failed",
        "charge.refund.updated",
        "refund.updated",
    ]


def test_refund_settles_by_control_when_all_begin_pending(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    sandbox.control("refunds", pending=True)
    intent = make_paid()
    refund = client.v1.refunds.create(params={"payment_intent": intent.id})
    assert refund.status == "pending"

    sandbox.control("settle", id=refund.id, outcome="failed", reason="lost_or_stolen_card")

    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    sandbox.advance(10)
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    with pytest.raises(ValueError, match="A refund that has failed cannot become succeeded"):
        sandbox.control("settle", id=refund.id, outcome="succeeded")
