"""Sending the payer to Stripe, over HTTP against the sandbox."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from audit.models import AuditEvent
from common import clock
from payments import gateway, services
from payments.constants import AttemptStatus, ChargeStatus
from payments.errors import (
    AlreadyPaidError,
    ChargeNotFoundError,
    CheckoutRefusedError,
    NoLongerDueError,
    PaymentsUnavailableError,
)
from payments.models import Attempt, Charge
from payments.services import checkout, moves, settlement
from tests.payments.conftest import (
    CANDIDATE,
    PAID_LINES,
    Heard,
    Killed,
    Till,
    die,
    ledger,
    meeting_instead_of_lock,
    races,
    start,
    together,
)

MINUTE = dt.timedelta(minutes=1)


def test_start_checkout_opens_a_session_and_the_return_page_settles_it(till: Till, heard: Heard) -> None:
    attempt = till.start()
    assert (attempt.status, attempt.checkout_session_id[:8]) == (AttemptStatus.OPEN, "cs_test_")
    paid = till.sandbox.pay(attempt.url)
    assert (paid.outcome, paid.url) == ("paid", f"http://testserver/paid/?session={attempt.checkout_session_id}")
    charge = services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    assert (charge.status, charge.paid_pence, charge.refunded_pence) == (ChargeStatus.PAID, 9200, 0)
    attempt = Attempt.objects.get()
    card = (attempt.card_last4, attempt.card_brand)
    assert (attempt.status, attempt.paid_pence, card, attempt.url) == ("PAID", 9200, ("4242", "visa"), "")
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names == ["charge_locking", "charge_settled"]
    assert heard.calls[0][1]["booking_reference"] == charge.booking_reference
    assert list(AuditEvent.objects.order_by("id").values_list("action", "words")) == [
        ("checkout.opened", "Payment page opened at Stripe for £92"),
        ("charge.paid", f"£92 paid by visa ending 4242 for booking {charge.booking_reference}"),
    ]
    with pytest.raises(AlreadyPaidError):
        till.start()


def test_stripe_is_told_nothing_of_the_person_but_the_address_for_its_page(till: Till) -> None:
    attempt = till.start()
    till.sandbox.pay(attempt.url)
    session = gateway.retrieve_checkout(attempt.checkout_session_id)
    known = {"booking": till.charge.booking_reference, "attempt": attempt.idempotency_key}
    assert session.metadata == known
    assert session.payment is not None
    assert session.payment.metadata == known
    assert session.client_reference == till.charge.booking_reference


# --- Scenario 7 ------------------------------------------------------------------------------------------------
def _clicks(charge: Charge, count: int = 20) -> list[Any]:
    return together(*[partial(start, charge)] * count)


@races
def test_s07_twenty_clicks_open_one_session(till: Till) -> None:
    urls = {answer.url if isinstance(answer, Attempt) else answer for answer in _clicks(till.charge)}
    attempt = Attempt.objects.get()
    assert (attempt.status, urls) == (AttemptStatus.OPEN, {attempt.url})
    assert till.sandbox.state()["objects"] == {"checkout.session": 1}
    assert AuditEvent.objects.filter(action="checkout.opened").count() == 1
    till.sandbox.pay(attempt.url)
    together(*[partial(services.refresh_charge, charge_id=till.charge.pk, now=clock.now())] * 5)
    assert ledger() == [("PAID", PAID_LINES)]


@races
def test_s07_control_without_lock_and_index_the_same_clicks_open_several(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX payments_attempt_one_pending")
    monkeypatch.setattr(moves, "lock_charge", meeting_instead_of_lock(20))
    _clicks(till.charge)
    assert till.sandbox.state()["objects"]["checkout.session"] > 1


def test_a_second_click_gets_the_same_page_without_asking_stripe(till: Till) -> None:
    attempt = till.start()
    till.sandbox.control("api", error_next=9)
    again = till.start()
    assert (again.pk, again.url) == (attempt.pk, attempt.url)


def test_a_page_about_to_expire_is_closed_and_a_new_one_opened(till: Till) -> None:
    now = clock.now()
    first = till.start(now=now)
    second = till.start(now=now + 44 * MINUTE)
    assert [one.status for one in Attempt.objects.order_by("pk")] == [AttemptStatus.EXPIRED, AttemptStatus.OPEN]
    assert first.url != second.url
    assert till.sandbox.pay(first.url).outcome == "closed"
    assert till.sandbox.pay(second.url).outcome == "paid"


def test_a_page_about_to_expire_that_was_paid_settles_the_charge(till: Till, heard: Heard) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    with pytest.raises(AlreadyPaidError):
        till.start(now=now + 44 * MINUTE)
    assert till.reload().status == ChargeStatus.PAID
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names == ["charge_locking", "charge_settled"]


def test_start_checkout_of_a_charge_given_up_is_refused(till: Till) -> None:
    services.give_up_charge(booking_reference=till.charge.booking_reference, by=CANDIDATE, now=clock.now())
    with pytest.raises(NoLongerDueError):
        till.start()
    assert Attempt.objects.count() == 0
    assert till.sandbox.state()["objects"] == {}


def test_a_charge_given_up_while_stripe_was_asked_leaves_no_page_open(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = gateway.create_checkout

    def create_slowly(**given: Any) -> gateway.Checkout:
        services.give_up_charge(booking_reference=till.charge.booking_reference, by=CANDIDATE, now=clock.now())
        return create(**given)

    monkeypatch.setattr(gateway, "create_checkout", create_slowly)
    with pytest.raises(NoLongerDueError):
        till.start()
    attempt = Attempt.objects.get()
    assert attempt.status == AttemptStatus.EXPIRED
    assert till.sandbox.pay(attempt.checkout_session_id).outcome == "closed"


def test_start_checkout_of_nothing_is_not_found(till: Till) -> None:
    with pytest.raises(ChargeNotFoundError):
        start(Charge(pk=0))


def test_start_checkout_inside_a_transaction_is_a_mistake(till: Till) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        till.start()
    assert Attempt.objects.count() == 0


def test_the_gateway_refuses_to_call_inside_a_transaction(till: Till) -> None:
    with pytest.raises(RuntimeError, match="never called inside a transaction"), transaction.atomic():
        gateway.retrieve_checkout("cs_test_any")


# --- When Stripe or we ourselves fail --------------------------------------------------------------------------
def test_while_stripe_is_down_the_intent_is_kept_and_the_next_click_finishes_it(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "WAIT_SECONDS", 0.1)
    till.sandbox.control("api", error_next=gateway.RETRIES + 1)
    with pytest.raises(PaymentsUnavailableError):
        till.start()
    begun = Attempt.objects.get()
    assert (begun.status, begun.url) == (AttemptStatus.CREATING, "")
    attempt = till.start()
    assert (attempt.pk, attempt.status) == (begun.pk, AttemptStatus.OPEN)
    assert till.sandbox.state()["objects"] == {"checkout.session": 1}


def test_an_answer_lost_after_stripe_acted_leads_to_the_same_session(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "WAIT_SECONDS", 0.1)
    till.sandbox.control("api", time_out_next=gateway.RETRIES + 1, match="POST /v1/checkout/sessions")
    with pytest.raises(PaymentsUnavailableError):
        till.start()
    assert till.start().status == AttemptStatus.OPEN
    assert till.sandbox.state()["objects"] == {"checkout.session": 1}


def test_a_failure_that_stripe_keeps_under_the_key_begins_a_new_attempt(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "WAIT_SECONDS", 0.1)
    till.sandbox.control("api", error_next=1, keep_error=True)
    with pytest.raises(PaymentsUnavailableError):
        till.start()
    attempt = till.start()
    assert [one.status for one in Attempt.objects.order_by("pk")] == [AttemptStatus.FAILED, AttemptStatus.OPEN]
    assert attempt.status == AttemptStatus.OPEN


def test_what_stripe_refuses_is_said_and_nothing_is_left_pending(till: Till) -> None:
    Charge.objects.filter(pk=till.charge.pk).update(email="not an address")
    with pytest.raises(CheckoutRefusedError):
        till.start()
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (AttemptStatus.FAILED, "checkout.sessions.create: email_invalid")
    assert till.reload().status == ChargeStatus.OPEN


@pytest.mark.parametrize(("module", "name"), [(gateway, "create_checkout"), (settlement, "record_checkout")])
def test_a_process_that_dies_while_opening_is_repaired_by_the_mop_up(
    till: Till, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    now = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(module, name, die)
        with pytest.raises(Killed):
            till.start(now=now)
    assert Attempt.objects.get().status == AttemptStatus.CREATING
    early = services.settle_payments(now=now + dt.timedelta(seconds=59))
    late = services.settle_payments(now=now + MINUTE)
    assert (early["asked"], late["asked"]) == (0, 1)
    attempt = Attempt.objects.get()
    assert attempt.status == AttemptStatus.OPEN
    assert till.sandbox.state()["objects"] == {"checkout.session": 1}
    assert till.start().pk == attempt.pk
