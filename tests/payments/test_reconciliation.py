"""A day at Stripe beside our ledger: what was missed is written down, what does not agree is listed, exactly once."""

import datetime as dt
import json
import sqlite3
from typing import Any

import pytest
from django.db import connection

from audit.context import Actor
from audit.models import AuditEvent
from common import clock
from notifications.models import Message
from payments import selectors, services
from payments.constants import ExceptionKind, RefundReason, RefundStatus, RunStatus
from payments.errors import AlreadyResolvedError, DayNotBegunError
from payments.models import (
    Attempt,
    Charge,
    Dispute,
    Journal,
    Payout,
    ReconciliationException,
    ReconciliationRun,
    Refund,
    StripeTransaction,
)
from payments.rules import Finding
from tests.factories.payments import ChargeFactory, PaidChargeFactory
from tests.payments.conftest import CLERK, Till, ledger, start

BY = Actor("job", "reconcile_payments")
SECOND = Actor("staff", "8")


def _run(**given: Any) -> ReconciliationRun:
    now = clock.now()
    return services.reconcile_day(day=clock.london_day(now), by=BY, now=now, **given)


def _found() -> list[tuple[str, str, int | None, int | None, int]]:
    rows = ReconciliationException.objects.filter(gone_at__isnull=True).order_by("kind", "subject")
    return list(rows.values_list("kind", "subject", "ours_pence", "theirs_pence", "effect_pence"))


def _intent(charge: Charge) -> str:
    return Attempt.objects.get(charge=charge).payment_intent_id


@pytest.fixture
def paid(till: Till) -> Till:
    """£92 paid and settled; Stripe kept £1.58 of it, of which the ledger knows nothing yet."""
    till.sandbox.pay(till.start().url)
    services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    return till


def _at_stripe(till: Till, sql: str, *values: Any) -> None:
    """Change Stripe's books behind everybody's back."""
    with sqlite3.connect(till.sandbox.db, timeout=10) as db:
        db.execute(sql, values)


def _tamper(sql: str, *values: Any) -> None:
    """Change our books as only somebody with the keys to the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("ALTER TABLE payments_journal DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE payments_posting DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("ALTER TABLE payments_journal ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE payments_posting ENABLE TRIGGER USER")


# --- A day that agrees -----------------------------------------------------------------------------------------
def test_a_day_agrees_once_the_fees_are_booked(paid: Till) -> None:
    run = _run()
    assert (run.status, run.transactions, run.repaired) == (RunStatus.GREEN, 1, 0)
    assert (run.payments_pence, run.fees_pence, run.other_pence) == (9200, 158, 0)
    assert (run.stripe_balance_pence, run.ledger_balance_pence) == (9042, 9042)
    assert ledger()[1] == ("STRIPE_FEE", [("STRIPE_FEES", 158), ("STRIPE_CLEARING", -158)])
    fee = Journal.objects.get(kind="STRIPE_FEE")
    line = StripeTransaction.objects.get()
    assert (fee.source, fee.occurred_at) == (f"stripe-fee:{line.transaction_id}", line.created_at)
    assert (fee.booking_reference, fee.recorded_by) == (paid.charge.booking_reference, "job:reconcile_payments")
    assert Message.objects.filter(kind="money_task").count() == 0
    words = list(AuditEvent.objects.filter(action="reconciliation.run").values_list("words", flat=True))
    assert words == [f"Reconciled {clock.date_words(run.day)}: all agree"]


def test_run_again_nothing_is_doubled(paid: Till) -> None:
    first = _run()
    before = (ledger(), StripeTransaction.objects.count())
    again = _run()
    assert (again.pk, again.turn, again.status) == (first.pk, 2, RunStatus.GREEN)
    assert (ledger(), StripeTransaction.objects.count()) == before
    assert set(StripeTransaction.objects.values_list("turn", flat=True)) == {2}
    assert ReconciliationException.objects.count() == 0


def test_an_empty_day_agrees(till: Till) -> None:
    run = _run()
    assert (run.status, run.transactions, run.stripe_balance_pence) == (RunStatus.GREEN, 0, 0)


def test_a_day_that_has_not_begun_is_refused(till: Till) -> None:
    now = clock.now()
    with pytest.raises(DayNotBegunError):
        services.reconcile_day(day=clock.london_day(now) + dt.timedelta(days=1), by=BY, now=now)
    assert (ReconciliationRun.objects.count(), AuditEvent.objects.count()) == (0, 0)


# --- What was missed is written down ---------------------------------------------------------------------------
def test_a_day_of_lost_webhooks_is_made_good(till: Till, heard: Any) -> None:
    refunded = ChargeFactory.create(now=clock.now(), referral_key="46/46TEST0002")
    for charge in (till.charge, refunded):
        till.sandbox.pay(start(charge).url)
    intents = [event["data"]["object"]["id"] for event in _events(till, "payment_intent.succeeded")]
    by_booking = {event["data"]["object"]["metadata"]["booking"]: event["data"]["object"]["id"]
                  for event in _events(till, "payment_intent.succeeded")}  # fmt: skip
    assert len(intents) == 2
    _refund_by_hand(till, by_booking[refunded.booking_reference], 1200)
    opened = till.sandbox.control("dispute", charge=by_booking[till.charge.booking_reference])
    till.sandbox.control("settle", id=opened["id"], outcome="won")
    till.sandbox.control("payout", include_pending=True)
    run = _run()
    assert (run.status, _found()) == (RunStatus.GREEN, [])
    assert (run.transactions, run.repaired) == (6, 6)
    assert heard.names.count("charge_settled") == 2
    assert {charge.status for charge in Charge.objects.all()} == {"PAID"}
    assert (Dispute.objects.get().status, Payout.objects.get().status) == ("WON", "ARRIVED")
    assert Charge.objects.get(pk=refunded.pk).refunded_pence == 1200
    assert (run.payments_pence, run.refunds_pence, run.disputes_pence, run.fees_pence) == (18400, -1200, 0, 2316)
    assert (run.payouts_pence, run.stripe_balance_pence, run.ledger_balance_pence) == (-14884, 0, 0)
    payout = Payout.objects.get()
    assert (payout.transactions, payout.transactions_pence, payout.amount_pence) == (5, 14884, 14884)


def _events(till: Till, kind: str) -> list[dict[str, Any]]:
    from tests.payments.conftest import events_of

    return [event for event in events_of(till.sandbox) if event["type"] == kind]


def _refund_by_hand(till: Till, intent: str, pence: int) -> None:
    """As somebody does in Stripe's dashboard."""
    from payments import gateway

    gateway.create_refund(
        idempotency_key="by-hand", booking_reference="KCC-0000-0000", intent_id=intent, amount_pence=pence
    )


def test_a_verdict_that_moved_no_money_is_caught_up_with(paid: Till) -> None:
    opened = paid.sandbox.control("dispute", charge=_intent(paid.charge))
    assert _run().status == RunStatus.GREEN
    paid.sandbox.control("settle", id=opened["id"], outcome="lost")
    assert _run().status == RunStatus.GREEN
    assert (Dispute.objects.get().status, ledger()[-1][0]) == ("LOST", "DISPUTE_LOST")


def _books() -> tuple[object, ...]:
    known = list(Dispute.objects.values()), Dispute.history.count(), Message.objects.count(), ledger()
    return *known, AuditEvent.objects.filter(action__startswith="dispute.").count()


def test_an_inquiry_whose_webhook_was_lost_is_a_task_with_its_deadline_after_the_days_run(paid: Till) -> None:
    paid.sandbox.control("webhooks", drop=True)
    asked = paid.sandbox.control("dispute", charge=_intent(paid.charge), reason="general", inquiry=True)
    run = _run()
    assert (run.status, run.repaired, run.disputes_pence) == (RunStatus.GREEN, 1, 0)
    dispute = Dispute.objects.get()
    assert (dispute.stripe_dispute_id, dispute.status, dispute.charge) == (asked["id"], "INQUIRY", paid.charge)
    assert dispute.evidence_due_by == dt.datetime.fromtimestamp(asked["evidence_details"]["due_by"], dt.UTC)
    told = Message.objects.get(kind="money_task").context
    assert told["what"] == "The payer's bank asks about the payment of £92"
    assert told["facts"][-1] == f"answer at Stripe by {clock.moment_words(dispute.evidence_due_by)}"
    before = _books()
    assert (_run().repaired, _books()) == (0, before)
    paid.sandbox.control("settle", id=asked["id"], outcome="closed")
    assert _run().status == RunStatus.GREEN
    assert (Dispute.objects.get().status, [kind for kind, _ in ledger()]) == ("CLOSED", ["PAID", "STRIPE_FEE"])


def test_an_inquiry_that_became_a_dispute_unheard_is_booked_once(paid: Till) -> None:
    asked = paid.sandbox.control("dispute", charge=_intent(paid.charge), inquiry=True)
    _run()
    paid.sandbox.control("settle", id=asked["id"], outcome="disputed")
    for _ in range(2):
        assert _run().status == RunStatus.GREEN
    assert (Dispute.objects.get().status, [kind for kind, _ in ledger()]) == (
        "NEEDS_RESPONSE", ["PAID", "STRIPE_FEE", "DISPUTED", "STRIPE_FEE"]
    )  # fmt: skip


def test_an_inquiry_about_a_payment_unheard_of_settles_that_first(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    (paid,) = _events(till, "payment_intent.succeeded")
    till.sandbox.control("dispute", charge=paid["data"]["object"]["id"], inquiry=True)
    now = clock.now()
    # The payment's own day is not compared here, only the one before it.
    run = services.reconcile_day(day=clock.london_day(now) - dt.timedelta(days=1), by=BY, now=now)
    assert (run.status, run.transactions, run.repaired) == (RunStatus.GREEN, 0, 1)
    assert (till.reload().status, Dispute.objects.get().status) == ("PAID", "INQUIRY")


def test_an_inquiry_of_an_earlier_day_is_found_for_a_week(paid: Till) -> None:
    paid.sandbox.control("dispute", charge=_intent(paid.charge), inquiry=True)
    for days, found in ((8, 0), (7, 1)):
        later = clock.now() + dt.timedelta(days=days)
        services.reconcile_day(day=clock.london_day(later), by=BY, now=later)
        assert Dispute.objects.count() == found


@pytest.mark.parametrize("changes", [{"amount": 9300}, {"status": "invented"}])
def test_an_inquiry_that_cannot_be_ours_breaks_no_day(paid: Till, changes: dict[str, object]) -> None:
    asked = paid.sandbox.control("dispute", charge=_intent(paid.charge), inquiry=True)
    paid.sandbox.control("seed", count=1, events=True)
    stranger = _events(paid, "payment_intent.succeeded")[0]["data"]["object"]["id"]
    assert stranger != _intent(paid.charge)
    paid.sandbox.control("dispute", charge=stranger, inquiry=True)
    ((name, value),) = changes.items()
    _at_stripe(paid, "UPDATE objects SET data = json_set(data, ?, ?) WHERE id = ?", f"$.{name}", value, asked["id"])
    run = _run()
    assert (run.repaired, Dispute.objects.count()) == (0, 0)
    assert [kind for kind, *_ in _found()] == ["AT_STRIPE_ONLY"]  # the stranger's payment


def test_while_stripe_does_not_list_its_disputes_the_day_stays_due(paid: Till) -> None:
    from payments import gateway

    paid.sandbox.control("dispute", charge=_intent(paid.charge), inquiry=True)
    paid.sandbox.control("api", error_next=gateway.RETRIES + 1, match="GET /v1/disputes")
    with pytest.raises(gateway.StripeUnavailableError):
        _run()
    assert (ReconciliationRun.objects.get().status, Dispute.objects.count()) == (RunStatus.RUNNING, 0)
    assert (_run().status, Dispute.objects.count()) == (RunStatus.GREEN, 1)


def test_a_payment_from_before_we_kept_the_charges_name_is_matched(paid: Till) -> None:
    Attempt.objects.update(stripe_charge_id="")
    run = _run()
    assert (run.status, run.repaired) == (RunStatus.GREEN, 1)
    assert Attempt.objects.get().stripe_charge_id == StripeTransaction.objects.get().source


def test_a_failed_refund_comes_back_on_the_day_it_did(paid: Till) -> None:
    services.request_refund(
        charge_id=paid.charge.pk, amount_pence=9200, reason=RefundReason.GOODWILL, by=CLERK, now=clock.now()
    )
    services.send_refunds(now=clock.now())
    refund = paid.charge.refunds.get()
    paid.sandbox.control("settle", id=refund.stripe_refund_id, outcome="failed")
    run = _run()
    assert (run.status, run.refunds_pence, run.repaired) == (RunStatus.GREEN, 0, 1)
    assert ledger()[2][0] == "REFUND_FAILED"


# --- What does not agree ---------------------------------------------------------------------------------------
def test_a_payment_nobody_asked_for_is_at_stripe_only(paid: Till) -> None:
    paid.sandbox.control("seed", count=1, amount=5000)
    run = _run()
    line = StripeTransaction.objects.get(amount_pence=5000)
    assert _found() == [("AT_STRIPE_ONLY", line.transaction_id, None, 5000, -5000)]
    assert (run.status, run.stripe_balance_pence - run.ledger_balance_pence) == (RunStatus.EXCEPTIONS, 5000)
    told = Message.objects.get(kind="money_task")
    assert told.context["what"] == f"{clock.date_words(run.day)} does not agree with Stripe"
    assert told.context["facts"] == ["1 new differences", "2 transactions compared"]
    _run()
    assert Message.objects.filter(kind="money_task").count() == 1  # nothing new was found


def test_an_entry_stripe_knows_nothing_of_is_with_us_only(paid: Till) -> None:
    _at_stripe(paid, "DELETE FROM objects WHERE kind = 'balance_transaction'")
    _run()
    assert _found() == [("WITH_US_ONLY", f"paid:{_intent(paid.charge)}", 9200, None, 9200)]


def test_another_amount_in_the_ledger_is_told(paid: Till) -> None:
    _run()
    _tamper(
        "UPDATE payments_posting SET amount_pence = 9100 WHERE account = 'STRIPE_CLEARING' AND amount_pence = 9200"
    )
    _run()
    line = StripeTransaction.objects.get()
    assert _found() == [("AMOUNT", line.transaction_id, 9100, 9200, -100)]


def test_another_fee_in_the_ledger_is_told(paid: Till) -> None:
    _run()
    _tamper("UPDATE payments_posting SET amount_pence = -150 WHERE amount_pence = -158")
    _run()
    line = StripeTransaction.objects.get()
    assert _found() == [("AMOUNT", f"stripe-fee:{line.transaction_id}", -150, -158, 8)]


def test_another_amount_in_our_payment_is_told(paid: Till) -> None:
    Attempt.objects.update(paid_pence=9000)
    _run()
    line = StripeTransaction.objects.get()
    assert _found() == [("AMOUNT", line.transaction_id, 9000, 9200, 0)]


def test_another_currency_is_told(paid: Till) -> None:
    _run()
    change = "UPDATE objects SET data = json_set(data, '$.currency', 'eur') WHERE kind = 'balance_transaction'"
    _at_stripe(paid, change)
    _run()
    line = StripeTransaction.objects.get()
    assert _found() == [("CURRENCY", line.transaction_id, 9200, 9200, 9042)]


def test_a_payout_that_is_not_the_sum_of_its_transactions_is_told(paid: Till) -> None:
    made = paid.sandbox.control("payout", include_pending=True)
    _at_stripe(
        paid,
        "UPDATE objects SET payout = NULL, hidden = '{}' WHERE kind = 'balance_transaction' AND type = 'charge'",
    )
    _run()
    assert _found() == [("PAYOUT_SUM", made["id"], 9042, 0, 0)]


def test_a_balance_that_nothing_explains_is_told(paid: Till) -> None:
    _run()
    # Yesterday's books were changed: no line of today tells.
    yesterday = clock.now() - dt.timedelta(days=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH made AS (INSERT INTO payments_journal (kind, source, occurred_at, recorded_at, booking_reference,"
            " total_pence, recorded_by, note) VALUES ('PAID', 'paid:pi_old', %s, %s, '', 700, 'x', '') RETURNING id)"
            " INSERT INTO payments_posting (journal_id, account, force_code, amount_pence)"
            " SELECT id, account, '', pence FROM made, (VALUES ('STRIPE_CLEARING', 700), ('BANK', -700)) v (account,"
            " pence)",
            [yesterday, yesterday],
        )
    run = _run()
    assert _found() == [("BALANCE", "clearing", 9742, 9042, 700)]
    assert (run.ledger_balance_pence, run.stripe_balance_pence) == (9742, 9042)


def test_what_bookings_find_is_listed_beside(paid: Till) -> None:
    asked = []
    today = clock.london_day(clock.now())

    def look(start_at: dt.datetime, end_at: dt.datetime) -> list[Finding]:
        asked.append((start_at, end_at))
        return [Finding(ExceptionKind.BOOKING_UNPAID, "booking:KCC-1", 0, 9200, 0, "nothing paid", "KCC-1")]

    assert _run(look_at_bookings=look).status == RunStatus.EXCEPTIONS
    assert _found() == [("BOOKING_UNPAID", "booking:KCC-1", 0, 9200, 0)]
    assert asked == [(clock.start_of_london_day(today), clock.end_of_london_day(today))]


def test_a_payment_that_only_our_rows_know_is_told(till: Till) -> None:
    charge = PaidChargeFactory.create(now=clock.now())
    assert _run().status == RunStatus.EXCEPTIONS
    assert _found() == [("WITH_US_ONLY", f"payment:{_intent(charge)}", 9200, None, 0)]


@pytest.fixture
def waiting(paid: Till) -> Refund:
    """All of a payment is asked back, and waits for a second person."""
    return services.ask_refund(
        charge_id=paid.charge.pk, amount_pence=9200, reason=RefundReason.GOODWILL, note="bereavement", by=CLERK,
        now=clock.now(),
    )  # fmt: skip


def _compare_today_and_tomorrow() -> list[str]:
    now = clock.now()
    days = [now, now + dt.timedelta(days=1)]
    return [services.reconcile_day(day=clock.london_day(day), by=BY, now=day).status for day in days]


def _is_one_refund_at_stripe_only(pence: int) -> bool:
    (found,) = ReconciliationException.objects.all()
    return (found.kind, found.theirs_pence, found.effect_pence) == (ExceptionKind.AT_STRIPE_ONLY, -pence, pence)


def test_a_refund_by_hand_beside_one_that_waits_is_told_and_taken_in_once_that_is_rejected(
    paid: Till, waiting: Refund
) -> None:
    _refund_by_hand(paid, _intent(paid.charge), 9200)
    assert _compare_today_and_tomorrow() == [RunStatus.EXCEPTIONS, RunStatus.GREEN]
    assert _is_one_refund_at_stripe_only(9200)
    assert (Refund.objects.get().pk, paid.reload().refunded_pence) == (waiting.pk, 9200)
    assert [kind for kind, _ in ledger()] == ["PAID", "STRIPE_FEE"]
    services.reject_refund(refund_id=waiting.pk, note="made at Stripe", by=SECOND, now=clock.now())
    assert (_run().status, _found()) == (RunStatus.GREEN, [])


def test_a_refund_by_hand_after_the_bank_paid_one_that_failed_is_told(till: Till) -> None:
    till.sandbox.pay(till.start().url, "4000000000005126")
    services.refresh_charge(charge_id=till.charge.pk, now=clock.now())
    services.request_refund(
        charge_id=till.charge.pk, amount_pence=9200, reason=RefundReason.GOODWILL, by=CLERK, now=clock.now()
    )
    services.send_refunds(now=clock.now())
    till.sandbox.advance(10)
    _run()
    failed = Refund.objects.get()
    services.settle_refund_elsewhere(refund_id=failed.pk, note="BACS 17", by=SECOND, now=clock.now())
    _refund_by_hand(till, _intent(till.charge), 9200)
    assert _compare_today_and_tomorrow() == [RunStatus.EXCEPTIONS, RunStatus.GREEN]
    assert _is_one_refund_at_stripe_only(9200)
    assert (Refund.objects.get().status, till.reload().refunded_pence) == (RefundStatus.ELSEWHERE, 9200)


def test_what_breaks_a_comparison_off_is_marked_and_told_once(paid: Till) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            _run(look_at_bookings=lambda *_: 1 / 0)
    run = ReconciliationRun.objects.get()
    assert (run.status, run.finished_at, selectors.last_reconciled_day()) == (RunStatus.FAILED, None, None)
    told = Message.objects.get(kind="money_task")
    assert told.context["what"] == f"{clock.date_words(run.day)} could not be compared with Stripe"
    assert told.context["facts"][0] == "ZeroDivisionError"
    assert _run().status == RunStatus.GREEN


# --- Its life --------------------------------------------------------------------------------------------------
def test_an_exception_that_is_gone_is_closed_and_opens_again_when_it_returns(paid: Till) -> None:
    wrong = [Finding(ExceptionKind.BOOKING_UNPAID, "booking:KCC-1", 0, 9200)]
    _run(look_at_bookings=lambda *_: wrong)
    found = ReconciliationException.objects.get()
    services.resolve_exception(exception_id=found.pk, reason="Paid in cash", by=CLERK, now=clock.now())
    run = ReconciliationRun.objects.get()
    assert run.status == RunStatus.EXPLAINED
    assert _run(look_at_bookings=lambda *_: wrong).status == RunStatus.EXPLAINED
    assert _run().status == RunStatus.GREEN
    found.refresh_from_db()
    assert (found.gone_at is not None, found.resolution) == (True, "Paid in cash")
    assert _run(look_at_bookings=lambda *_: wrong).status == RunStatus.EXCEPTIONS
    found.refresh_from_db()
    assert (found.gone_at, found.resolved_at, found.resolution) == (None, None, "")


def test_explaining_is_recorded_and_done_once(paid: Till) -> None:
    paid.sandbox.control("seed", count=1, amount=5000)
    run = _run()
    found = ReconciliationException.objects.get()
    services.resolve_exception(exception_id=found.pk, reason="A trainer's test card", by=CLERK, now=clock.now())
    run.refresh_from_db()
    found.refresh_from_db()
    assert (run.status, found.resolved_by, found.resolution) == ("EXPLAINED", "staff:7", "A trainer's test card")
    event = AuditEvent.objects.get(action="reconciliation.resolved")
    assert (event.actor, event.reason, event.subject) == (
        "staff:7",
        "A trainer's test card",
        f"reconciliation:{run.day}",
    )
    with pytest.raises(AlreadyResolvedError):
        services.resolve_exception(exception_id=found.pk, reason="Again", by=CLERK, now=clock.now())
    assert AuditEvent.objects.filter(action="reconciliation.resolved").count() == 1


def test_what_an_earlier_day_left_open_is_not_told_again(paid: Till) -> None:
    paid.sandbox.control("seed", count=1, amount=5000)
    _run()
    # The next day, by Stripe's clock and ours: only yesterday's difference stands.
    tomorrow = clock.now() + dt.timedelta(days=1)
    run = services.reconcile_day(day=clock.london_day(tomorrow), by=BY, now=tomorrow)
    assert (run.status, run.stripe_balance_pence - run.ledger_balance_pence) == (RunStatus.GREEN, 5000)


def test_a_run_that_was_cut_off_is_begun_again(paid: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    from payments import gateway

    paid.sandbox.control("api", error_next=gateway.RETRIES + 1, match="GET /v1/payouts")
    with pytest.raises(gateway.StripeUnavailableError):
        _run()
    run = ReconciliationRun.objects.get()
    assert (run.status, run.finished_at, StripeTransaction.objects.count()) == (RunStatus.RUNNING, None, 1)
    assert (_run().status, StripeTransaction.objects.count()) == (RunStatus.GREEN, 1)


def test_a_turn_that_was_overtaken_leaves_the_word_to_the_later_one(paid: Till) -> None:
    def meanwhile(*_: Any) -> list[Finding]:
        _run()
        return [Finding(ExceptionKind.BOOKING_UNPAID, "booking:KCC-1", 0, 9200)]

    run = _run(look_at_bookings=meanwhile)
    assert (run.turn, run.status, _found()) == (2, RunStatus.GREEN, [])


def test_lines_hold_nothing_of_the_payer(paid: Till) -> None:
    _run()
    kept = json.dumps(list(StripeTransaction.objects.values()), default=str)
    for personal in ("payer@example.com", "Test Payer", "4242", "candidate@example.org"):
        assert personal not in kept
