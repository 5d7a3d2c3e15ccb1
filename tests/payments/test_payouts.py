"""Payouts: on their way, at the bank, or back; each step booked once, in whatever order it is heard of."""

import datetime as dt

import pytest

from audit.models import AuditEvent
from common import clock
from notifications.models import Message
from payments import gateway, selectors, services
from payments.constants import PayoutStatus
from payments.errors import MismatchError
from payments.models import Payout
from tests.payments.conftest import CLERK, Till, events_of, ledger, post_event

LEFT = [("IN_TRANSIT", 9042), ("STRIPE_CLEARING", -9042)]
ARRIVED = [("BANK", 9042), ("IN_TRANSIT", -9042)]


@pytest.fixture
def paid(till: Till) -> Till:
    """£92 paid, of which Stripe kept £1.58."""
    till.sandbox.pay(till.start().url)
    services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    return till


def _deliver(paid: Till) -> None:
    for event in events_of(paid.sandbox):
        if event["type"].startswith("payout."):
            assert post_event(event) == 200
    services.apply_stripe_events(now=clock.now())


def _balances() -> dict[str, int]:
    # Stripe's clock runs ahead in some of these tests.
    day = clock.london_day(clock.now()) + dt.timedelta(days=3)
    return {line.account: line.pence for line in selectors.trial_balance(day=day) if line.pence}


def test_a_payout_goes_to_the_bank_in_two_steps(paid: Till) -> None:
    made = paid.sandbox.control("payout", include_pending=True, arrive=False)
    _deliver(paid)
    assert ledger()[1:] == [("PAID_OUT", LEFT)]
    assert Payout.objects.get().status == PayoutStatus.ON_ITS_WAY
    paid.sandbox.control("settle", id=made["id"], outcome="paid")
    _deliver(paid)
    _deliver(paid)
    assert ledger()[1:] == [("PAID_OUT", LEFT), ("ARRIVED", ARRIVED)]
    payout = Payout.objects.get()
    assert (payout.stripe_payout_id, payout.amount_pence, payout.status) == (made["id"], 9042, "ARRIVED")
    events = AuditEvent.objects.filter(action__startswith="payout.").order_by("pk")
    assert [event.words for event in events] == [
        "Stripe is paying £90.42 to the bank",
        "Stripe's payout of £90.42 has arrived at the bank",
    ]
    assert _balances() == {"STRIPE_CLEARING": 158, "BANK": 9042, "FEES_IN_ADVANCE": -9200}


def test_one_that_fails_on_its_way_comes_back(paid: Till) -> None:
    made = paid.sandbox.control("payout", include_pending=True, arrive=False)
    paid.sandbox.control("settle", id=made["id"], outcome="failed")
    _deliver(paid)
    _deliver(paid)
    services.record_payout(gateway.retrieve_payout(made["id"]), by=CLERK, now=clock.now())
    assert ledger()[1:] == [
        ("PAID_OUT", LEFT),
        ("PAYOUT_FAILED", [("STRIPE_CLEARING", 9042), ("IN_TRANSIT", -9042)]),
    ]
    payout = Payout.objects.get()
    assert (payout.status, payout.failure) == (PayoutStatus.FAILED, "account_closed")
    told = Message.objects.get(kind="money_task")
    assert told.context["what"] == "Stripe's payout of £90.42 came back: the bank did not take it"
    assert told.context["facts"] == [made["id"], "Stripe says: account_closed"]
    assert told.context["path"] == f"/admin/payments/payout/{payout.pk}/change/"
    assert _balances() == {"STRIPE_CLEARING": 9200, "FEES_IN_ADVANCE": -9200}


def test_one_that_the_bank_sends_back_after_it_arrived(paid: Till) -> None:
    made = paid.sandbox.control("payout", include_pending=True)
    _deliver(paid)
    paid.sandbox.control("settle", id=made["id"], outcome="failed")
    _deliver(paid)
    assert ledger()[-1] == ("PAYOUT_FAILED", [("STRIPE_CLEARING", 9042), ("BANK", -9042)])
    assert _balances() == {"STRIPE_CLEARING": 9200, "FEES_IN_ADVANCE": -9200}


def test_an_older_answer_changes_nothing(paid: Till) -> None:
    made = paid.sandbox.control("payout", include_pending=True, arrive=False)
    older = gateway.retrieve_payout(made["id"])
    paid.sandbox.control("settle", id=made["id"], outcome="paid")
    _deliver(paid)
    before = (ledger(), AuditEvent.objects.count())
    services.record_payout(older, by=CLERK, now=clock.now())
    assert (Payout.objects.get().status, ledger(), AuditEvent.objects.count()) == ("ARRIVED", *before)


def test_one_in_another_currency_is_refused(paid: Till) -> None:
    made = paid.sandbox.control("payout", include_pending=True)
    fact = gateway.retrieve_payout(made["id"])
    wrong = gateway.PayoutFact(**{name: getattr(fact, name) for name in fact.__slots__} | {"currency": "eur"})
    with pytest.raises(MismatchError):
        services.record_payout(wrong, by=CLERK, now=clock.now())
    assert (Payout.objects.count(), len(ledger())) == (0, 1)
    assert not AuditEvent.objects.filter(action__startswith="payout.").exists()
