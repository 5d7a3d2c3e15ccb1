"""What Stripe says is written down once, whoever asks and however late."""

import datetime as dt
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from audit.models import AuditEvent
from common import clock
from notifications.models import Message
from payments import gateway, services, signals
from payments.constants import AttemptStatus, ChargeStatus, RefundReason, RefundStatus
from payments.models import Attempt, Charge, Refund
from payments.services import ledger as bookkeeping
from payments.services.settlement import SETTLER, refresh_attempt
from tests.factories.payments import OpenAttemptFactory
from tests.payments.conftest import (
    CANDIDATE,
    PAID_LINES,
    REFUNDED_LINES,
    Heard,
    Killed,
    Till,
    die,
    events_of,
    ledger,
    post_event,
    races,
    together,
)

MINUTE = dt.timedelta(minutes=1)
NOTHING = {"asked": 0, "paid": 0, "closed": 0, "failed": 0}


def test_s10_browser_closed_and_webhook_lost_is_settled_by_the_mop_up(till: Till, heard: Heard) -> None:
    now = clock.now()
    till.sandbox.control("webhooks", drop=True)
    till.sandbox.pay(till.start(now=now).url)
    assert services.settle_payments(now=now + dt.timedelta(seconds=179)) == NOTHING
    assert services.settle_payments(now=now + 3 * MINUTE) == {**NOTHING, "asked": 1, "paid": 1}
    assert services.settle_payments(now=now + 6 * MINUTE) == NOTHING
    assert till.reload().status == ChargeStatus.PAID
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names == ["charge_locking", "charge_settled"]


def test_the_mop_up_asks_about_an_open_page_at_every_sweep(till: Till) -> None:
    now = clock.now()
    till.start(now=now)
    for minutes in (3, 5, 7):
        assert services.settle_payments(now=now + minutes * MINUTE) == {**NOTHING, "asked": 1}
    assert Attempt.objects.get().attempts == 3


@races
def test_sweeps_at_once_settle_a_payment_once(till: Till, heard: Heard) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    attempt = Attempt.objects.select_related("charge").get()
    sweep = partial(services.settle_payments, now=now + 3 * MINUTE)
    look = partial(services.refresh_charge, charge_id=attempt.charge_id, now=now)
    answers = together(sweep, look, sweep, look, sweep, look)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names.count("charge_settled") == 1
    assert AuditEvent.objects.filter(action="charge.paid").count() == 1


def test_while_stripe_is_down_the_mop_up_leaves_everything_for_the_next_sweep(till: Till) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    OpenAttemptFactory.create(now=now + MINUTE)  # a later one, which is not even asked about
    till.sandbox.control("api", error_next=3)
    assert services.settle_payments(now=now + 4 * MINUTE) == {**NOTHING, "asked": 1, "failed": 1}
    assert till.reload().status == ChargeStatus.OPEN
    Attempt.objects.exclude(charge=till.charge).update(status=AttemptStatus.EXPIRED)
    assert services.settle_payments(now=now + 6 * MINUTE) == {**NOTHING, "asked": 1, "paid": 1}


def test_refresh_charge_while_stripe_is_down_answers_what_we_know(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    till.sandbox.control("api", error_next=3)
    assert services.refresh_charge(charge_id=till.charge.pk, now=clock.now()).status == ChargeStatus.OPEN


# --- Scenario 12 -----------------------------------------------------------------------------------------------
def test_s12_declined_then_paid_with_another_card(till: Till, heard: Heard) -> None:
    attempt = till.start()
    assert till.sandbox.pay(attempt.url, "4000000000000002").outcome == "declined"
    charge = services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    assert (charge.status, Attempt.objects.get().status) == (ChargeStatus.OPEN, AttemptStatus.OPEN)
    assert till.start().url == attempt.url
    assert till.sandbox.pay(attempt.url, "5555555555554444").outcome == "paid"
    charge = services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    assert (charge.status, Attempt.objects.get().card_last4) == (ChargeStatus.PAID, "4444")
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names == ["charge_locking", "charge_settled"]


def test_s12_abandoned_3d_secure_stays_open_until_the_page_expires(till: Till, heard: Heard) -> None:
    now = clock.now()
    attempt = till.start(now=now)
    assert till.sandbox.pay(attempt.url, "4000002760003220", "abandon").outcome == "abandoned"
    assert services.settle_payments(now=now + 3 * MINUTE) == {**NOTHING, "asked": 1}
    assert Attempt.objects.get().status == AttemptStatus.OPEN
    till.sandbox.advance(46 * 60)
    assert services.settle_payments(now=now + 46 * MINUTE) == {**NOTHING, "asked": 1, "closed": 1}
    assert (Attempt.objects.get().status, till.reload().status) == (AttemptStatus.EXPIRED, ChargeStatus.OPEN)
    assert (ledger(), heard.names) == ([], [])
    again = till.start(now=now + 47 * MINUTE)
    assert till.sandbox.pay(again.url, "4000002760003220", "approve").outcome == "paid"
    assert services.refresh_charge(charge_id=till.charge.pk, now=clock.now()).status == ChargeStatus.PAID


# --- Money that comes later than its page closed ----------------------------------------------------------------
@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_delayed_payment_settles_or_fails_once_its_bell_rings(till: Till, heard: Heard, outcome: str) -> None:
    till.sandbox.control("payments", async_next=1)
    attempt = till.start()
    assert till.sandbox.pay(attempt.url).outcome == "paid"
    for event in events_of(till.sandbox):
        post_event(event)
    services.apply_stripe_events(now=clock.now())
    under_way = Attempt.objects.get()
    assert (under_way.status, till.reload().status, ledger()) == (AttemptStatus.OPEN, ChargeStatus.OPEN, [])
    till.sandbox.control("settle", id=_intent(attempt), outcome=outcome)
    (bell,) = [each for each in events_of(till.sandbox) if each["type"].startswith("checkout.session.async_payment_")]
    assert (bell["type"], post_event(bell)) == (f"checkout.session.async_payment_{outcome}", 200)
    services.apply_stripe_events(now=clock.now())
    if outcome == "succeeded":
        assert (till.reload().status, ledger()) == (ChargeStatus.PAID, [("PAID", PAID_LINES)])
        assert heard.names == ["charge_locking", "charge_settled"]
    else:
        failed = Attempt.objects.get()
        assert (failed.status, failed.error) == (
            AttemptStatus.EXPIRED,
            "the payment failed after Checkout was complete",
        )
        assert (till.reload().status, ledger(), heard.names) == (ChargeStatus.OPEN, [], [])


def _intent(attempt: Attempt) -> str:
    payment = gateway.retrieve_checkout(attempt.checkout_session_id).payment
    assert payment is not None
    return payment.intent_id


# --- Given up, late and double ---------------------------------------------------------------------------------
def test_s13_a_charge_given_up_has_its_page_closed_by_the_next_sweep(till: Till, heard: Heard) -> None:
    now = clock.now()
    attempt = till.start(now=now)
    assert services.give_up_charge(booking_reference=till.charge.booking_reference, by=CANDIDATE, now=now) == 1
    assert services.settle_payments(now=now) == {**NOTHING, "asked": 1, "closed": 1}
    assert Attempt.objects.get().status == AttemptStatus.EXPIRED
    assert till.sandbox.pay(attempt.url).outcome == "closed"
    assert services.give_up_charge(booking_reference=till.charge.booking_reference, by=CANDIDATE, now=now) == 0
    assert (till.reload().status, heard.names) == (ChargeStatus.CANCELLED, [])


def test_s11_money_that_comes_after_the_charge_was_given_up_is_recorded_and_told(till: Till, heard: Heard) -> None:
    now = clock.now()
    attempt = till.start(now=now)
    services.give_up_charge(booking_reference=till.charge.booking_reference, by=CANDIDATE, now=now)
    till.sandbox.pay(attempt.url)
    assert services.settle_payments(now=now) == {**NOTHING, "asked": 1, "paid": 1}
    charge = till.reload()
    assert (charge.status, charge.paid_pence) == (ChargeStatus.PAID, 9200)
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names == ["charge_locking", "charge_settled"]


def test_a_receiver_may_send_the_money_back_in_the_same_breath(till: Till, heard: Heard) -> None:
    def send_back(sender: Any, *, charge: Charge, by: Any, now: dt.datetime, **_: Any) -> None:
        services.request_refund(
            charge_id=charge.pk, amount_pence=9200, reason=RefundReason.PAID_TOO_LATE, by=by, now=now
        )

    signals.charge_settled.connect(send_back)
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    services.refresh_charge(charge_id=till.charge.pk, now=now)
    assert services.send_refunds(now=now) == {"sent": 1, "followed": 0, "failed": 0, "put_off": 0}
    assert (Refund.objects.get().status, till.reload().refunded_pence) == (RefundStatus.SUCCEEDED, 9200)
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]


def test_a_second_payment_is_recorded_and_sent_back_by_itself(till: Till, heard: Heard) -> None:
    now = clock.now()
    first = till.start(now=now)
    # As if Stripe had told us it expired while the payer still had the page.
    Attempt.objects.filter(pk=first.pk).update(status=AttemptStatus.EXPIRED)
    second = till.start(now=now)
    assert [till.sandbox.pay(url).outcome for url in (first.url, second.url)] == ["paid", "paid"]
    services.refresh_charge(charge_id=till.charge.pk, now=now)
    refresh_attempt(Attempt.objects.select_related("charge").get(pk=first.pk), by=SETTLER, now=now)
    assert list(Attempt.objects.order_by("pk").values_list("status", "is_extra")) == [("PAID", True), ("PAID", False)]
    assert heard.names.count("charge_settled") == 1
    services.send_refunds(now=now)
    refund = Refund.objects.get()
    assert (refund.attempt_id, refund.cause, refund.status) == (first.pk, RefundReason.PAID_TWICE, "SUCCEEDED")
    charge = till.reload()
    assert (charge.status, charge.paid_pence, charge.refunded_pence) == (ChargeStatus.PAID, 18400, 9200)
    assert ledger() == [("PAID", PAID_LINES), ("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]


# --- What must not be settled ----------------------------------------------------------------------------------
def test_an_amount_that_is_not_what_was_asked_settles_nothing_and_is_said_once(till: Till, heard: Heard) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    Charge.objects.filter(pk=till.charge.pk).update(amount_pence=9300)
    for minutes in (3, 5):
        assert services.settle_payments(now=now + minutes * MINUTE) == {**NOTHING, "asked": 1, "failed": 1}
    assert (till.reload().status, Attempt.objects.get().status) == (ChargeStatus.OPEN, AttemptStatus.OPEN)
    assert (ledger(), heard.names) == ([], ["charge_locking", "charge_locking"])
    words = "Amount, currency, booking or mode of the Checkout session are not those of the charge."
    assert list(AuditEvent.objects.filter(action="checkout.mismatch").values_list("words", flat=True)) == [words]
    told = Message.objects.get(kind="money_task")
    assert (told.context["what"], told.context["facts"][0]) == (words[:-1], f"booking {till.charge.booking_reference}")


def test_what_does_not_match_is_asked_about_ever_less_and_is_a_difference_of_its_day(till: Till) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    Charge.objects.filter(pk=till.charge.pk).update(amount_pence=9300)
    sweeps = [now + minutes * MINUTE for minutes in range(3, 24 * 60, 30)]
    asked = [at for at in sweeps if services.settle_payments(now=at)["asked"]]
    assert len(asked) == 10
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps == sorted(gaps)
    run = services.reconcile_day(day=clock.london_day(now), by=CANDIDATE, now=now)
    assert list(run.exceptions.values_list("kind", "theirs_pence")) == [("AT_STRIPE_ONLY", 9200)]
    assert (Attempt.objects.get().status, Message.objects.filter(dedupe_key__startswith="mismatch:").count()) == (
        AttemptStatus.OPEN, 1
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes", [{"booking_reference": "KCC-XXXX-XXXX"}, {"key": "another"}], ids=["booking", "attempt"]
)
def test_a_session_that_is_not_this_attempts_settles_nothing(till: Till, changes: dict[str, str]) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    if "key" in changes:
        Attempt.objects.update(idempotency_key=changes["key"])
    else:
        Charge.objects.update(**changes)
    assert services.settle_payments(now=now + 3 * MINUTE) == {**NOTHING, "asked": 1, "failed": 1}
    assert (till.reload().status, ledger()) == (ChargeStatus.OPEN, [])


def test_a_receiver_that_fails_undoes_the_whole_settlement_and_it_is_tried_again(till: Till, heard: Heard) -> None:
    def fail(sender: Any, **_: Any) -> None:
        raise RuntimeError("no")

    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    signals.charge_settled.connect(fail)
    assert services.settle_payments(now=now + 3 * MINUTE) == {**NOTHING, "asked": 1, "failed": 1}
    assert (till.reload().status, Attempt.objects.get().status, ledger()) == ("OPEN", "OPEN", [])
    assert not AuditEvent.objects.filter(action="charge.paid").exists()
    signals.charge_settled.disconnect(fail)
    assert services.settle_payments(now=now + 5 * MINUTE) == {**NOTHING, "asked": 1, "paid": 1}
    assert ledger() == [("PAID", PAID_LINES)]


def test_a_process_that_dies_while_settling_leaves_nothing_half_done(
    till: Till, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    till.sandbox.pay(till.start(now=now).url)
    with monkeypatch.context() as patch:
        patch.setattr(bookkeeping, "write_paid", die)
        with pytest.raises(Killed):
            services.refresh_charge(charge_id=till.charge.pk, now=now)
    assert (till.reload().status, Attempt.objects.get().status) == ("OPEN", "OPEN")
    assert services.settle_payments(now=now + 3 * MINUTE) == {**NOTHING, "asked": 1, "paid": 1}
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names.count("charge_settled") == 1
