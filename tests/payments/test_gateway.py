"""Every call our gateway makes, and what it makes of Stripe's answers and failures."""

import datetime as dt
import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest

from common import clock
from payments import gateway, rules

SECRETS = ["sk_test_sandbox", "whsec_for_tests_only"]
# Functions that make no call.
OFFLINE = {"is_live", "verify_webhook"}


def _create(key: str = "key-1", **given: Any) -> gateway.Checkout:
    facts: dict[str, Any] = {
        "booking_reference": "KCC-CDFG-HJKM",
        "amount_pence": 9200,
        "description": "National Speed Awareness Course, 14 May 2027",
        "email": "candidate@example.org",
        "success_url": "http://testserver/paid/?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://testserver/pay/",
        "expires_at": clock.now() + dt.timedelta(minutes=45),
    }
    return gateway.create_checkout(idempotency_key=key, **(facts | given))


def test_every_call_is_accepted_by_the_checker_of_typed_parameters(
    stripe_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox refuses any parameter that the installed library's own types do not know."""
    called = set()

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:
            called.add(name)
            return function(*args, **given)

        return call

    public = {
        name: function
        for name, function in vars(gateway).items()
        if inspect.isfunction(function) and name in gateway.__all__
    }
    for name, function in public.items():
        monkeypatch.setattr(gateway, name, noting(name, function))

    session = _create()
    assert (session.status, session.payment_status, session.payment) == ("open", "unpaid", None)
    assert (session.amount_pence, session.currency, session.is_live) == (9200, "gbp", False)
    without_address = _create("key-2", email="")
    assert gateway.expire_checkout(without_address.session_id).status == "expired"
    stripe_sandbox.pay(session.session_id)
    paid = gateway.retrieve_checkout(session.session_id)
    assert paid.payment is not None
    assert (paid.status, paid.payment_status, paid.payment.status) == ("complete", "paid", "succeeded")
    assert (paid.payment.received_pence, paid.payment.card_last4, paid.payment.card_brand) == (9200, "4242", "visa")
    assert gateway.retrieve_payment(paid.payment.intent_id) == paid.payment
    refund = gateway.create_refund(
        idempotency_key="key-3.2", booking_reference="KCC-CDFG-HJKM", intent_id=paid.payment.intent_id, amount_pence=50
    )
    assert refund.metadata == {"booking": "KCC-CDFG-HJKM", "refund": "key-3"}
    assert gateway.retrieve_refund(refund.refund_id) == refund
    assert gateway.refunds_of(paid.payment.intent_id) == [refund]
    _read_the_books(stripe_sandbox, paid.payment, refund)
    assert called == set(public) - OFFLINE


def _read_the_books(stripe_sandbox: Any, payment: gateway.Payment, refund: gateway.RefundFact) -> None:
    """Balance transactions, a dispute, a payout and the charge behind them, as Stripe's own pages would show them."""
    assert gateway.retrieve_charge(payment.charge_id).intent_id == payment.intent_id
    opened = stripe_sandbox.control("dispute", charge=payment.intent_id)
    dispute = gateway.retrieve_dispute(opened["id"])
    assert (dispute.status, dispute.amount_pence, dispute.intent_id) == ("needs_response", 9150, payment.intent_id)
    assert [(one.amount_pence, one.fee_pence, one.net_pence) for one in dispute.moved] == [(-9150, 2000, -11150)]
    stripe_sandbox.control("settle", id=opened["id"], outcome="won")
    won = gateway.retrieve_dispute(opened["id"])
    assert (won.status, [one.amount_pence for one in won.moved]) == ("won", [-9150, 9150])
    since = clock.now() - dt.timedelta(hours=1)
    assert list(gateway.disputes_since(since)) == [won]
    assert list(gateway.disputes_since(clock.now() + dt.timedelta(hours=1))) == []
    booked = list(gateway.transactions(since=since))
    assert [(one.type, one.category, one.amount_pence, one.fee_pence) for one in booked] == [
        ("adjustment", "dispute_reversal", 9150, 0),
        ("adjustment", "dispute", -9150, 2000),
        ("refund", "refund", -50, 0),
        ("charge", "charge", 9200, 158),
    ]
    assert gateway.transactions_about(refund.refund_id) == [booked[2]]
    assert gateway.find_transaction(booked[0].transaction_id) == booked[0]
    assert gateway.find_transaction("txn_nobody") is None
    assert gateway.balance_pence() == sum(one.net_pence for one in booked) == 6992
    made = stripe_sandbox.control("payout", include_pending=True)
    payout = gateway.retrieve_payout(made["id"])
    assert (payout.status, payout.amount_pence, payout.currency, payout.returned) == ("paid", 6992, "gbp", None)
    assert list(gateway.payouts(since=since, until=since + dt.timedelta(hours=2))) == [payout]
    of_payout = list(gateway.transactions_of_payout(made["id"]))
    assert of_payout == [payout.left, *booked]
    assert gateway.balance_pence() == 0
    stripe_sandbox.control("settle", id=made["id"], outcome="failed")
    failed = gateway.retrieve_payout(made["id"])
    assert (failed.status, failed.failure, failed.returned is not None) == ("failed", "account_closed", True)


def test_the_same_key_gives_the_same_session(stripe_sandbox: Any) -> None:
    until = clock.now() + dt.timedelta(minutes=45)
    assert _create(expires_at=until).session_id == _create(expires_at=until).session_id
    with pytest.raises(gateway.StripeRefusedError):
        _create(expires_at=until, amount_pence=9300)
    assert stripe_sandbox.state()["objects"] == {"checkout.session": 1}


@pytest.mark.parametrize(("switch", "tries"), [("error_next", 3), ("time_out_next", 3)])
def test_no_answer_is_told_from_a_no(stripe_sandbox: Any, switch: str, tries: int) -> None:
    stripe_sandbox.control("api", **{switch: tries})
    with pytest.raises(gateway.StripeUnavailableError) as caught:
        gateway.retrieve_checkout("cs_test_nobody")
    assert caught.value.is_kept is False
    with pytest.raises(gateway.StripeRefusedError) as refused:
        gateway.retrieve_checkout("cs_test_nobody")
    assert refused.value.code == "resource_missing"


def test_one_failure_is_got_over_without_a_word(stripe_sandbox: Any) -> None:
    stripe_sandbox.control("api", error_next=1)
    assert _create().status == "open"


def test_a_key_that_stripe_refuses_loses_nothing(stripe_sandbox: Any, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_revoked"
    with pytest.raises(gateway.StripeUnavailableError):
        _create()


def test_nobody_there_is_no_answer(stripe_sandbox: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.calling, "RETRIES", 0)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(gateway.StripeUnavailableError):
        _create()


def test_logs_and_errors_hold_no_secret_and_no_person(
    stripe_sandbox: Any, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(gateway.StripeRefusedError) as caught:
        _create(email="not an address of anybody")
    assert str(caught.value) == "checkout.sessions.create: email_invalid"
    settings.STRIPE_SECRET_KEY = "sk_test_revoked"
    with pytest.raises(gateway.StripeUnavailableError):
        _create()
    for secret in [*SECRETS, "sk_test_revoked", "not an address", "candidate@example.org"]:
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("key", "is_live"),
    [("sk_test_1", False), ("sk_live_1", True), ("rk_live_1", True), ("sk_live", True), ("", False)],
)
def test_is_live_is_read_from_the_key(settings: Any, key: str, is_live: bool) -> None:
    settings.STRIPE_SECRET_KEY = key
    assert gateway.is_live() is is_live


def test_tolerance_is_the_five_minutes_of_the_rules() -> None:
    assert dt.timedelta(minutes=5) == rules.WEBHOOK_TOLERANCE
