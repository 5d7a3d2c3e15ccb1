"""A payer's bank takes money back: booked as it moves, told to staff, and borne by who has to bear it."""

import datetime as dt
import random
from functools import partial
from typing import Any

import pytest
from django.conf import settings

from audit.context import Actor
from audit.models import AuditEvent
from common import clock
from notifications.models import Message
from payments import gateway, selectors, services
from payments.constants import DisputeStatus, EventStatus, JournalKind, RefundStatus
from payments.errors import MismatchError, OverRefundError, TakenBackError
from payments.models import Attempt, Charge, Dispute, Journal, Refund, StripeEvent
from tests.payments.conftest import CLERK, Till, events_of, ledger, post_event, races, together

SECOND = Actor("staff", "8")
WITHDRAWN = [("DISPUTES", 9200), ("STRIPE_CLEARING", -9200)]
FEE = [("STRIPE_FEES", 2000), ("STRIPE_CLEARING", -2000)]


@pytest.fixture
def paid(till: Till) -> Till:
    """Paid, with nothing of it disputed yet."""
    till.sandbox.pay(till.start().url)
    services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    return till


def _dispute(paid: Till) -> str:
    return str(paid.sandbox.control("dispute", charge=_intent(paid))["id"])


def _intent(paid: Till) -> str:
    return Attempt.objects.get(charge=paid.charge).payment_intent_id


def _deliver(paid: Till, *, order: str = "newest first") -> dict[str, int]:
    events = [event for event in events_of(paid.sandbox) if event["type"].startswith("charge.dispute.")]
    if order == "oldest first":
        events.reverse()
    for event in events:
        assert post_event(event) == 200
    return services.apply_stripe_events(now=clock.now())


def _balances() -> dict[str, int]:
    today = clock.london_day(clock.now())
    return {line.account: line.pence for line in selectors.trial_balance(day=today) if line.pence}


@pytest.mark.parametrize("order", ["newest first", "oldest first"])
def test_an_opened_dispute_is_booked_and_told_once(paid: Till, order: str) -> None:
    identifier = _dispute(paid)
    assert _deliver(paid, order=order)["applied"] == 2
    assert _deliver(paid, order=order)["applied"] == 0
    assert ledger()[1:] == [("DISPUTED", WITHDRAWN), ("STRIPE_FEE", FEE)]
    dispute = Dispute.objects.get()
    assert (dispute.stripe_dispute_id, dispute.reason, dispute.amount_pence) == (identifier, "fraudulent", 9200)
    assert (dispute.status, dispute.charge_id, dispute.has_evidence) == ("NEEDS_RESPONSE", paid.charge.pk, False)
    assert dispute.evidence_due_by == dispute.opened_at + dt.timedelta(days=7)
    told = Message.objects.get(kind="money_task")
    assert told.to == settings.HELP_EMAIL
    assert told.context["what"] == "The payer's bank disputes £92"
    assert told.context["facts"] == [
        f"booking {paid.charge.booking_reference}",
        "the bank says: fraudulent",
        f"answer at Stripe by {clock.moment_words(dispute.evidence_due_by)}",
    ]
    assert list(AuditEvent.objects.filter(action__startswith="dispute.").values_list("action", "words")) == [
        ("dispute.opened", "The payer's bank disputes £92")
    ]


def _turn_round(identifier: str) -> None:
    """The card scheme finds for us after all; Stripe tells it twice."""
    lost = gateway.retrieve_dispute(identifier)
    back = gateway.Transaction("txn_back", "adjustment", "dispute_reversal", 9200, 0, "gbp", identifier, clock.now())
    fact = {name: getattr(lost, name) for name in lost.__slots__} | {"status": "won", "moved": (*lost.moved, back)}
    won = gateway.DisputeFact(**fact)
    for _ in range(2):
        services.record_dispute(won, by=CLERK, now=clock.now())


def test_a_won_dispute_puts_the_money_back_and_keeps_the_fee(paid: Till) -> None:
    identifier = _dispute(paid)
    paid.sandbox.control("settle", id=identifier, outcome="won")
    _deliver(paid)
    assert Dispute.objects.get().status == DisputeStatus.WON
    assert _balances() == {"STRIPE_CLEARING": 7200, "FEES_IN_ADVANCE": -9200, "STRIPE_FEES": 2000}
    assert [kind for kind, _ in ledger()] == ["PAID", "DISPUTED", "STRIPE_FEE", "DISPUTE_WON"]


def test_lost_before_the_course_it_is_no_longer_owed(paid: Till) -> None:
    identifier = _dispute(paid)
    _deliver(paid)
    paid.sandbox.control("settle", id=identifier, outcome="lost")
    _deliver(paid)
    assert ledger()[-1] == ("DISPUTE_LOST", [("FEES_IN_ADVANCE", 9200), ("DISPUTES", -9200)])
    assert _balances() == {"STRIPE_CLEARING": -2000, "STRIPE_FEES": 2000}
    assert list(AuditEvent.objects.filter(action__startswith="dispute.").values_list("action", flat=True)) == [
        "dispute.lost", "dispute.opened"
    ]  # fmt: skip
    # Should the course be taken all the same, force and UKROEd get their parts, and KCC bears them.
    services.record_completion(booking_reference=paid.charge.booking_reference, by=CLERK, now=clock.now())
    assert _balances() == {
        "STRIPE_CLEARING": -2000, "STRIPE_FEES": 2000, "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300,
        "COURSE_INCOME": -4400,
        "REFUNDS": 9200,
    }  # fmt: skip


def test_lost_after_the_course_kcc_bears_it_and_what_fell_due_stays_due(paid: Till) -> None:
    services.record_completion(booking_reference=paid.charge.booking_reference, by=CLERK, now=clock.now())
    identifier = _dispute(paid)
    paid.sandbox.control("settle", id=identifier, outcome="lost")
    _deliver(paid)
    assert ledger()[-1] == ("DISPUTE_LOST", [("REFUNDS", 9200), ("DISPUTES", -9200)])
    assert _balances() == {
        "STRIPE_CLEARING": -2000, "STRIPE_FEES": 2000, "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300,
        "COURSE_INCOME": -4400,
        "REFUNDS": 9200,
    }  # fmt: skip


def test_a_dispute_about_a_fee_that_is_kept_is_borne_by_kcc_before_and_after(paid: Till) -> None:
    reference = paid.charge.booking_reference
    identifier = _dispute(paid)
    paid.sandbox.control("settle", id=identifier, outcome="lost")
    _deliver(paid)
    services.record_forfeiture(booking_reference=reference, by=CLERK, now=clock.now())
    balances = {"STRIPE_CLEARING": -2000, "STRIPE_FEES": 2000, "COURSE_INCOME": -9200, "REFUNDS": 9200}
    assert _balances() == balances
    _turn_round(identifier)
    assert _balances() == {"STRIPE_CLEARING": 7200, "STRIPE_FEES": 2000, "COURSE_INCOME": -9200}


def _surplus() -> tuple[int, int]:
    today = clock.london_day(clock.now())
    found = selectors.surplus(first=today, last=today)
    return found.pence, found.disputed_pence


@pytest.mark.parametrize(("outcome", "is_earned", "surplus"), [
    ("lost", False, -2000), ("won", False, -2000), ("lost", True, -6800), ("won", True, 2400),
])  # fmt: skip
def test_the_surplus_counts_a_dispute_once_it_is_lost(paid: Till, outcome: str, is_earned: bool, surplus: int) -> None:
    if is_earned:
        services.record_completion(booking_reference=paid.charge.booking_reference, by=CLERK, now=clock.now())
    identifier = _dispute(paid)
    _deliver(paid)
    assert _surplus() == (2400 if is_earned else -2000, 9200)
    paid.sandbox.control("settle", id=identifier, outcome=outcome)
    _deliver(paid)
    assert _surplus() == (surplus, 0)


# --- Never twice -------------------------------------------------------------------------------------------------
def _standing() -> tuple[object, ...]:
    return list(Refund.objects.order_by("pk").values()), list(Charge.objects.values()), ledger()


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_the_bank_has_taken_back_is_not_refunded_by_hand_nor_from_the_bank(paid: Till, is_lost: bool) -> None:
    refund = services.request_refund(
        charge_id=paid.charge.pk, amount_pence=9200, reason="KCC_CANCELLED", by=CLERK, now=clock.now()
    )
    identifier = _dispute(paid)
    if is_lost:
        paid.sandbox.control("settle", id=identifier, outcome="lost")
    _deliver(paid)
    assert services.send_refunds(now=clock.now())["failed"] == 1
    refund.refresh_from_db()
    assert (refund.status, refund.error) == (RefundStatus.FAILED, "refunds.create: charge_disputed")
    before = _standing()
    given: dict[str, Any] = {"by": SECOND, "now": clock.now(), "note": "BACS 17"}
    for refused in (
        partial(services.settle_refund_elsewhere, refund_id=refund.pk),
        partial(services.try_refund_again, refund_id=refund.pk),
        partial(services.ask_refund, charge_id=paid.charge.pk, amount_pence=1, reason="GOODWILL", policy_pence=9200),
    ):
        with pytest.raises(TakenBackError):
            refused(**given)
        assert _standing() == before
    with pytest.raises(OverRefundError):
        services.ask_refund(charge_id=paid.charge.pk, amount_pence=9201, reason="GOODWILL", policy_pence=9201, **given)


def test_once_a_dispute_is_won_the_money_goes_back_as_was_asked(paid: Till) -> None:
    identifier = _dispute(paid)
    _deliver(paid)
    # A booking that ends while the bank has the money ends all the same: its refund is a task.
    refund = services.request_refund(
        charge_id=paid.charge.pk, amount_pence=9200, reason="KCC_CANCELLED", by=CLERK, now=clock.now()
    )
    services.send_refunds(now=clock.now())
    paid.sandbox.control("settle", id=identifier, outcome="won")
    _deliver(paid)
    settled = services.settle_refund_elsewhere(refund_id=refund.pk, note="BACS 17", by=SECOND, now=clock.now())
    assert settled.status == RefundStatus.ELSEWHERE
    assert ledger()[-1] == ("REFUND_BANK", [("FEES_IN_ADVANCE", 9200), ("BANK", -9200)])


def test_a_refund_that_waits_while_the_bank_takes_the_money_is_not_approved(paid: Till) -> None:
    refund = services.ask_refund(
        charge_id=paid.charge.pk, amount_pence=9200, reason="GOODWILL", note="x", by=CLERK, now=clock.now()
    )
    _dispute(paid)
    _deliver(paid)
    before = _standing()
    with pytest.raises(TakenBackError):
        services.approve_refund(refund_id=refund.pk, note="seen", by=SECOND, now=clock.now())
    assert _standing() == before
    rejected = services.reject_refund(refund_id=refund.pk, note="disputed", by=SECOND, now=clock.now())
    assert rejected.status == RefundStatus.REJECTED


def test_a_dispute_heard_of_before_its_payment_settles_that_first(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    (paid,) = (event for event in events_of(till.sandbox) if event["type"] == "payment_intent.succeeded")
    till.sandbox.control("dispute", charge=paid["data"]["object"]["id"])
    assert _deliver(till)["applied"] == 2
    assert (till.reload().status, Dispute.objects.get().status) == ("PAID", DisputeStatus.NEEDS_RESPONSE)
    assert [kind for kind, _ in ledger()] == ["PAID", "DISPUTED", "STRIPE_FEE"]


def test_a_verdict_turned_round_is_booked_back(paid: Till) -> None:
    identifier = _dispute(paid)
    paid.sandbox.control("settle", id=identifier, outcome="lost")
    _deliver(paid)
    _turn_round(identifier)
    assert _balances() == {"STRIPE_CLEARING": 7200, "FEES_IN_ADVANCE": -9200, "STRIPE_FEES": 2000}
    assert [kind for kind, _ in ledger()] == [
        "PAID", "DISPUTED", "STRIPE_FEE", "DISPUTE_LOST", "DISPUTE_WON", "REVERSAL"
    ]  # fmt: skip


def test_an_older_answer_changes_nothing(paid: Till) -> None:
    identifier = _dispute(paid)
    older = gateway.retrieve_dispute(identifier)
    paid.sandbox.control("settle", id=identifier, outcome="lost")
    _deliver(paid)
    before = (ledger(), Message.objects.count(), AuditEvent.objects.count())
    services.record_dispute(older, by=CLERK, now=clock.now())
    assert Dispute.objects.get().status == DisputeStatus.LOST
    assert (ledger(), Message.objects.count(), AuditEvent.objects.count()) == before


def test_an_inquiry_moves_no_money(paid: Till) -> None:
    intent = _intent(paid)
    due = clock.now() + dt.timedelta(days=5)
    asked = partial(
        gateway.DisputeFact, "du_asked", reason="general", amount_pence=9200, currency="gbp", intent_id=intent,
        created_at=clock.now(), due_by=due, has_evidence=False, moved=(),
    )  # fmt: skip
    for status, ours in [("warning_needs_response", "INQUIRY"), ("warning_under_review", "INQUIRY"),
                         ("warning_closed", "CLOSED")]:  # fmt: skip
        services.record_dispute(asked(status=status), by=CLERK, now=clock.now())
        assert Dispute.objects.get().status == ours
    assert [kind for kind, _ in ledger()] == ["PAID"]


def test_the_dispute_of_a_stranger_is_none_of_ours(paid: Till) -> None:
    paid.sandbox.control("seed", count=1, events=True)
    stranger = next(e for e in events_of(paid.sandbox) if e["type"] == "payment_intent.succeeded")
    paid.sandbox.control("dispute", charge=stranger["data"]["object"]["id"])
    assert _deliver(paid)["ignored"] == 2
    assert (Dispute.objects.count(), Message.objects.filter(kind="money_task").count()) == (0, 0)
    assert [kind for kind, _ in ledger()] == ["PAID"]


@pytest.mark.parametrize("change", [{"amount_pence": 9201}, {"currency": "eur"}, {"status": "invented"}])
def test_one_that_cannot_be_is_refused_whole(paid: Till, change: dict[str, object]) -> None:
    fact = gateway.retrieve_dispute(_dispute(paid))
    wrong = gateway.DisputeFact(**{name: getattr(fact, name) for name in fact.__slots__} | change)
    before = AuditEvent.objects.count()
    with pytest.raises(MismatchError):
        services.record_dispute(wrong, by=CLERK, now=clock.now())
    assert (Dispute.objects.count(), Message.objects.count(), AuditEvent.objects.count()) == (0, 0, before)
    assert [kind for kind, _ in ledger()] == ["PAID"]


def test_who_sees_to_it_is_recorded(paid: Till) -> None:
    _dispute(paid)
    _deliver(paid)
    now = clock.now()
    taken = services.take_dispute(dispute_id=Dispute.objects.get().pk, note="Sending the register", by=CLERK, now=now)
    assert (taken.taken_by, taken.taken_at, taken.note) == ("staff:7", now, "Sending the register")
    event = AuditEvent.objects.get(action="dispute.taken")
    assert (event.actor, event.reason) == ("staff:7", "Sending the register")


def test_staff_are_reminded_once_two_days_before_the_answer_is_due(paid: Till) -> None:
    _dispute(paid)
    _deliver(paid)
    due = Dispute.objects.get().evidence_due_by
    assert due is not None
    Message.objects.all().delete()
    assert services.remind_of_disputes(now=due - dt.timedelta(days=2, minutes=1)) == 0
    for hours in (48, 24):
        assert services.remind_of_disputes(now=due - dt.timedelta(hours=hours)) == 1
    assert services.remind_of_disputes(now=due) == 0
    told = Message.objects.get()
    assert told.context["what"] == "Two days are left to answer the dispute about £92"
    assert told.context["facts"][2] == f"answer at Stripe by {clock.moment_words(due)}"


def test_one_that_is_answered_needs_no_reminder(paid: Till) -> None:
    _dispute(paid)
    _deliver(paid)
    Dispute.objects.update(status=DisputeStatus.UNDER_REVIEW)
    due = Dispute.objects.get().evidence_due_by
    assert due is not None
    assert services.remind_of_disputes(now=due - dt.timedelta(days=1)) == 0
    assert Message.objects.filter(kind="money_task").count() == 1  # that it was opened


@races
def test_copies_in_parallel_book_a_dispute_once(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    identifier = _dispute(till)
    till.sandbox.control("settle", id=identifier, outcome="won")
    events = [event for event in events_of(till.sandbox) if event["type"].startswith("charge.dispute.")] * 3
    random.Random(15).shuffle(events)
    fact = gateway.retrieve_dispute(identifier)
    works = [partial(services.record_dispute, fact, by=CLERK, now=clock.now())] * 4
    answers = together(*[partial(post_event, event) for event in events], *works)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    services.apply_stripe_events(now=clock.now())
    assert not StripeEvent.objects.filter(status__in=[EventStatus.RECEIVED, EventStatus.PARKED]).exists()
    assert sorted(Journal.objects.values_list("kind", flat=True)) == sorted(
        [JournalKind.PAID, JournalKind.DISPUTED, JournalKind.STRIPE_FEE, JournalKind.DISPUTE_WON]
    )
    assert (Dispute.objects.count(), Message.objects.filter(kind="money_task").count()) == (1, 1)
