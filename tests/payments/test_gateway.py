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
        if inspect.isfunction(function) and function.__module__ == gateway.__name__ and not name.startswith("_")
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
    refund = gateway.create_refund(
        idempotency_key="key-3.2", booking_reference="KCC-CDFG-HJKM", intent_id=paid.payment.intent_id, amount_pence=50
    )
    assert refund.metadata == {"booking": "KCC-CDFG-HJKM", "refund": "key-3"}
    assert gateway.retrieve_refund(refund.refund_id) == refund
    assert gateway.refunds_of(paid.payment.intent_id) == [refund]
    assert called == set(public) - OFFLINE


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
    monkeypatch.setattr(gateway, "RETRIES", 0)
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
