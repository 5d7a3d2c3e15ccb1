"""Fees, the balance, payouts and disputes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from devtools.stripe_sandbox.balance import card_fee
from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakePaid

DAY = 86_400


@pytest.mark.parametrize(("amount", "fee"), [(9200, 158), (18500, 298), (30, 20), (100, 22), (33, 20), (34, 21)])
def test_fee_is_one_and_a_half_per_cent_and_twenty_pence(amount: int, fee: int) -> None:
    assert card_fee(amount) == fee


def test_payment_leaves_a_balance_transaction_with_its_fee(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    intent = make_paid()

    [transaction] = client.v1.balance_transactions.list(params={"type": "charge"}).data

    assert isinstance(intent.latest_charge, stripe.Charge)
    assert transaction.source == intent.latest_charge.id
    assert (transaction.amount, transaction.fee, transaction.net) == (9200, 158, 9042)
    assert [(fee.amount, fee.type) for fee in transaction.fee_details] == [(158, "stripe_fee")]
    assert (transaction.status, transaction.available_on - transaction.created) == ("pending", 2 * DAY)
    assert client.v1.balance_transactions.list(params={"created": {"gt": transaction.created}}).data == []
    found = client.v1.balance_transactions.list(params={"created": {"gte": transaction.created}}).data
    assert [one.id for one in found] == [transaction.id]
    assert client.v1.balance.retrieve().pending[0].amount == 9042


def test_payout_sweeps_what_is_available(client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid) -> None:
    first = make_paid()
    client.v1.refunds.create(params={"payment_intent": first.id, "amount": 1200})
    with pytest.raises(ValueError, match="nothing to pay out"):
        sandbox.control("payout")
    sandbox.advance(2 * DAY + 5)
    make_paid()

    payout = client.v1.payouts.retrieve(sandbox.control("payout")["id"])

    assert (payout.amount, payout.status, payout.currency) == (9042 - 1200, "paid", "gbp")
    swept = client.v1.balance_transactions.list(params={"payout": payout.id}).data
    assert sorted(one.type for one in swept) == ["charge", "payout", "refund"]
    assert sum(one.net for one in swept) == 0
    assert [one.id for one in client.v1.payouts.list().data] == [payout.id]
    assert [event.type for event in client.v1.events.list(params={"type": "payout.*"}).data] == [
        "payout.paid",
        "payout.created",
    ]
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 9042)


def test_payouts_are_found_by_day(client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid) -> None:
    made = []
    for _ in range(2):
        make_paid()
        made.append(sandbox.control("payout", include_pending=True))
        sandbox.advance(DAY)

    def found(**given: Any) -> list[str]:
        params: Any = given
        return [payout.id for payout in client.v1.payouts.list(params=params).data]

    first, second = made
    assert found(arrival_date={"gte": second["arrival_date"]}) == [second["id"]]
    assert found(arrival_date={"lt": second["arrival_date"]}) == [first["id"]]
    assert found(created={"gte": second["created"]}) == [second["id"]]
    assert found(status="paid") == [second["id"], first["id"]]
    assert found(status="failed") == []


def test_payout_fails_when_the_bank_sends_it_back(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    make_paid()
    payout = sandbox.control("payout", include_pending=True, arrive=False)
    assert client.v1.payouts.retrieve(payout["id"]).status == "in_transit"

    sandbox.control("settle", id=payout["id"], outcome="failed")

    assert client.v1.payouts.retrieve(payout["id"]).status == "failed"
    assert client.v1.balance.retrieve().available[0].amount == 9042
    again = sandbox.control("payout")
    assert again["amount"] == 9042


def test_dispute_takes_the_money_when_the_card_holder_complains(
    client: stripe.StripeClient, make_paid: MakePaid
) -> None:
    intent = make_paid("4000000000000259")

    [dispute] = client.v1.disputes.list(params={"payment_intent": intent.id}).data

    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 9200)
    assert dispute.evidence_details.due_by == dispute.created + 7 * DAY
    [taken] = dispute.balance_transactions
    assert (taken.amount, taken.fee, taken.net) == (-9200, 2000, -11200)
    assert (taken.type, taken.reporting_category) == ("adjustment", "dispute")
    charge = client.v1.charges.retrieve(str(dispute.charge))
    assert charge.disputed is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(params={"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    assert client.v1.refunds.list().data == []


def test_dispute_is_lost_when_closed(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    make_paid("4000000000000259")
    [dispute] = client.v1.disputes.list().data

    assert client.v1.disputes.close(dispute.id).status == "lost"

    [event] = client.v1.events.list(params={"type": "charge.dispute.closed"}).data
    assert (event.data.object["id"], event.data.object["status"]) == (dispute.id, "lost")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(dispute.id)


def test_money_returns_when_a_dispute_is_won(client: stripe.StripeClient, make_paid: MakePaid) -> None:
    make_paid("4000000000000259")
    [dispute] = client.v1.disputes.list().data

    client.v1.disputes.update(
        dispute.id,
        params={
            "evidence": {"uncategorized_text": "winning_evidence"},
            "submit": True,
            "metadata": {"task": "9"},
        },
    )

    won = client.v1.disputes.retrieve(dispute.id)
    assert (won.status, won.evidence_details.submission_count) == ("won", 1)
    assert won.metadata.to_dict() == {"task": "9"}
    assert [one.net for one in won.balance_transactions] == [-11200, 9200]
    assert won.balance_transactions[1].reporting_category == "dispute_reversal"


def test_inquiry_takes_no_money_until_it_becomes_a_dispute(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    intents = [make_paid() for _ in range(2)]
    rests, grows = (sandbox.control("dispute", charge=intent.id, inquiry=True)["id"] for intent in intents)
    asked = client.v1.disputes.retrieve(rests)
    assert (asked.status, asked.is_charge_refundable, asked.balance_transactions) == (
        "warning_needs_response", True, []
    )  # fmt: skip
    client.v1.refunds.create(params={"payment_intent": intents[0].id, "amount": 100})
    with pytest.raises(ValueError, match=r"An inquiry is closed or disputed\."):
        sandbox.control("settle", id=rests, outcome="won")

    sandbox.control("settle", id=rests, outcome="closed")
    sandbox.control("settle", id=grows, outcome="disputed")

    assert client.v1.disputes.retrieve(rests).status == "warning_closed"
    disputed = client.v1.disputes.retrieve(grows)
    assert (disputed.status, [taken.net for taken in disputed.balance_transactions]) == ("needs_response", [-11200])
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        client.v1.refunds.create(params={"payment_intent": intents[1].id})
    sandbox.control("settle", id=grows, outcome="lost")


def test_inquiry_is_under_review_when_answered(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    asked = sandbox.control("dispute", charge=make_paid().id, inquiry=True)
    params: Any = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert client.v1.disputes.update(asked["id"], params=params).status == "warning_under_review"


def test_dispute_opens_and_settles_by_control(
    client: stripe.StripeClient, sandbox: Sandbox, make_paid: MakePaid
) -> None:
    intent = make_paid()

    made = sandbox.control("dispute", charge=intent.id, reason="product_not_received")
    sandbox.control("settle", id=made["id"], outcome="lost")

    dispute = client.v1.disputes.retrieve(made["id"])
    assert (dispute.status, dispute.reason) == ("lost", "product_not_received")


def test_seeding_makes_many_paid_intents(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    made = sandbox.control("seed", count=120, amount=18500)["payment_intents"]

    found = [intent.id for intent in client.v1.payment_intents.list(params={"limit": 100}).auto_paging_iter()]

    assert found == made[::-1]
    assert sandbox.state()["deliveries"] == {}
