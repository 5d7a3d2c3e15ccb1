"""Bookings as the third side of the day's reconciliation, its command, and which days are due."""

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.context import Actor
from bookings import services
from bookings.models import Policy
from bookings.services import reconciling
from common import clock
from courses.models import Session
from notifications.models import Message
from payments.constants import RunStatus
from payments.models import Charge, Dispute, ReconciliationException, ReconciliationRun, StripeTransaction
from tests.factories import bookings as b
from tests.factories.payments import PaidChargeFactory, SucceededRefundFactory, WaitingRefundFactory

pytestmark = pytest.mark.django_db
BY = Actor("job", "reconcile_payments")
# Long before the sandbox's account has moved a penny.
NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)
DAY = NOON.date()
HOUR = dt.timedelta(hours=1)


def _found(day: dt.date = DAY, now: dt.datetime = NOON + 12 * HOUR) -> list[tuple[str, str, int | None, int | None]]:
    services.reconcile_payments(day=day, by=BY, now=now)
    # What the factories call paid is not at Stripe, and moved no balance there.
    found = ReconciliationException.objects.filter(gone_at=None, run__day=day)
    rows = found.exclude(kind__in=["BALANCE", "WITH_US_ONLY"])
    return list(rows.values_list("kind", "subject", "ours_pence", "theirs_pence"))


def test_a_confirmed_booking_without_a_payment_is_told_on_its_day(stripe_sandbox: Any) -> None:
    booking = b.ConfirmedBookingFactory.create(now=NOON)
    assert _found() == [("BOOKING_UNPAID", f"booking:{booking.reference}", 0, 9200)]
    assert _found(DAY + dt.timedelta(days=1), NOON + dt.timedelta(days=2)) == []
    found = ReconciliationException.objects.get(kind="BOOKING_UNPAID")
    assert (found.booking_reference, found.effect_pence) == (booking.reference, 0)


def test_a_paid_one_agrees(stripe_sandbox: Any) -> None:
    booking = b.ConfirmedBookingFactory.create(now=NOON)
    PaidChargeFactory.create(now=NOON, booking_reference=booking.reference)
    assert _found() == []


def _refunded(charge: Charge, at: dt.datetime, **given: Any) -> None:
    SucceededRefundFactory.create(charge=charge, now=at, **given)


def _lost(charge: Charge, at: dt.datetime, **given: Any) -> None:
    Dispute.objects.create(
        stripe_dispute_id="dp_invented",
        charge=charge,
        attempt=charge.attempts.get(),
        reason="fraudulent",
        status="LOST",
        status_at=at,
        opened_at=at,
        **{"amount_pence": 9200, **given},
    )


@pytest.mark.parametrize("goes", [_refunded, _lost])
def test_a_place_whose_fee_is_gone_is_told_on_the_day_it_went(stripe_sandbox: Any, goes: Any) -> None:
    yesterday = NOON - dt.timedelta(days=1)
    booking = b.ConfirmedBookingFactory.create(now=yesterday)
    goes(PaidChargeFactory.create(now=yesterday, booking_reference=booking.reference), NOON)
    assert _found(yesterday.date(), NOON) == []
    assert _found() == [("BOOKING_UNPAID", f"booking:{booking.reference}", 0, 9200)]


@pytest.mark.parametrize("goes", [_refunded, _lost])
def test_a_place_of_whose_fee_a_part_is_left_agrees(stripe_sandbox: Any, goes: Any) -> None:
    booking = b.ConfirmedBookingFactory.create(now=NOON)
    goes(PaidChargeFactory.create(now=NOON, booking_reference=booking.reference), NOON, amount_pence=9199)
    assert _found() == []


def test_a_fee_that_waits_to_go_back_or_went_after_the_course_agrees(stripe_sandbox: Any) -> None:
    waits, over = (b.ConfirmedBookingFactory.create(now=NOON) for _ in range(2))
    WaitingRefundFactory.create(charge=PaidChargeFactory.create(now=NOON, booking_reference=waits.reference), now=NOON)
    begun = NOON - dt.timedelta(days=1)
    Session.objects.filter(pk=over.place.session_id).update(starts_at=begun, ends_at=begun + HOUR)
    _refunded(PaidChargeFactory.create(now=NOON, booking_reference=over.reference), NOON)
    assert _found() == []


@pytest.mark.parametrize(("hours", "is_told"), [(24, False), (26, True)])
def test_paid_with_neither_place_nor_refund_is_told_a_day_later(
    stripe_sandbox: Any, hours: int, is_told: bool
) -> None:
    booking = b.LapsedBookingFactory.create(now=NOON - hours * HOUR)
    PaidChargeFactory.create(now=NOON - hours * HOUR, booking_reference=booking.reference)
    told = [("PAID_UNPLACED", f"booking:{booking.reference}", 9200, None)] if is_told else []
    assert _found(now=NOON) == told


@pytest.mark.parametrize(("hours", "is_told"), [(26, False), (48, False), (50, True)])
def test_the_policy_says_how_long_other_dates_are_offered_for_a_fee(
    stripe_sandbox: Any, hours: int, is_told: bool
) -> None:
    Policy.objects.update(late_offer_hours=48)
    booking = b.LapsedBookingFactory.create(now=NOON - hours * HOUR)
    PaidChargeFactory.create(now=NOON - hours * HOUR, booking_reference=booking.reference)
    told = [("PAID_UNPLACED", f"booking:{booking.reference}", 9200, None)] if is_told else []
    assert _found(now=NOON) == told


@pytest.mark.parametrize(("status", "is_told"), [("DONE", False), ("LAPSED", True)])
def test_a_fee_for_a_move_that_was_not_made_is_told_a_day_later(
    stripe_sandbox: Any, status: str, is_told: bool
) -> None:
    paid_at = NOON - 26 * HOUR
    booking = b.ConfirmedBookingFactory.create(now=paid_at)
    PaidChargeFactory.create(now=paid_at, booking_reference=booking.reference)
    fee = PaidChargeFactory.create(
        now=paid_at,
        booking_reference=booking.reference,
        purpose="MOVE_FEE",
        amount_pence=2500,
        parts={"police": 0, "levy": 0, "vat": 0, "provider": 2500},
    )
    b.PaidMoveFactory.create(now=paid_at, booking=booking, charge=fee, status=status)
    told = [("PAID_UNPLACED", f"booking:{booking.reference}", 2500, None)] if is_told else []
    assert _found(now=NOON) == told


def test_paid_with_a_refund_under_way_is_not_told(stripe_sandbox: Any) -> None:
    from tests.factories.payments import RefundFactory

    booking = b.LapsedBookingFactory.create(now=NOON - 26 * HOUR)
    charge = PaidChargeFactory.create(now=NOON - 26 * HOUR, booking_reference=booking.reference)
    RefundFactory.create(charge=charge)
    assert _found(now=NOON) == []


# --- The command -----------------------------------------------------------------------------------------------
def _command(*words: str, code: int = 0) -> dict[str, Any]:
    out = StringIO()
    if code:
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_payments", *words, "--json", stdout=out)
        assert ended.value.code == code
    else:
        call_command("reconcile_payments", *words, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_the_command_answers_in_json(stripe_sandbox: Any) -> None:
    stripe_sandbox.control("clock", now=NOON.isoformat())
    assert _command("--day", "2026-11-17", "--now", "2026-11-18T06:00:00Z") == {
        "day": "2026-11-17", "status": "GREEN", "transactions": 0, "repaired": 0, "payments_pence": 0,
        "refunds_pence": 0, "disputes_pence": 0, "fees_pence": 0, "payouts_pence": 0, "other_pence": 0,
        "stripe_balance_pence": 0, "ledger_balance_pence": 0, "exceptions": [],
    }  # fmt: skip
    stripe_sandbox.control("seed", count=1)
    answer = _command("--day", "2026-11-18", "--now", "2026-11-19T06:00:00Z", code=3)
    line = StripeTransaction.objects.get()
    assert answer["status"] == "EXCEPTIONS"
    assert answer["exceptions"] == [
        {
            "kind": "AT_STRIPE_ONLY", "subject": line.transaction_id, "booking": "", "ours_pence": None,
            "theirs_pence": 9200, "note": f"charge {line.source} has no entry in the ledger",
        }
    ]  # fmt: skip


def test_the_command_says_it_in_words_for_yesterday(stripe_sandbox: Any) -> None:
    stripe_sandbox.control("clock", now=NOON.isoformat())
    stripe_sandbox.control("seed", count=1)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("reconcile_payments", "--now", "2026-11-19T06:00:00Z", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first == "2026-11-18: Differences to be looked at, 1 transactions, 0 repaired"
    assert second.startswith("At Stripe, not with us: txn_")
    assert second.endswith("has no entry in the ledger)")
    assert ", nothing against £92.00 (charge ch_" in second


def test_a_day_to_come_is_refused_in_words(stripe_sandbox: Any) -> None:
    with pytest.raises(CommandError, match="has not begun"):
        call_command("reconcile_payments", "--day", "2026-11-19", "--now", "2026-11-18T06:00:00Z")
    assert ReconciliationRun.objects.count() == 0


# --- Which days are due ----------------------------------------------------------------------------------------
def _run_of(day: int, *, status: str = RunStatus.GREEN, finished_day: int | None = None) -> ReconciliationRun:
    finished = dt.datetime(2026, 11, finished_day or day + 1, 5, tzinfo=dt.UTC)
    return ReconciliationRun.objects.create(
        day=dt.date(2026, 11, day), status=status, started_at=finished, finished_at=finished, done_by="job:x"
    )


def test_the_first_time_only_yesterday_is_due() -> None:
    assert services.days_due(now=NOON) == [dt.date(2026, 11, 17)]


def test_missed_days_and_broken_off_ones_are_due_and_whole_ones_are_not() -> None:
    _run_of(12)
    _run_of(13, status=RunStatus.RUNNING)
    _run_of(14, finished_day=14)  # run by hand while the day was still going on
    _run_of(16, status=RunStatus.EXPLAINED)
    assert [day.day for day in services.days_due(now=NOON)] == [13, 14, 15, 17]


def test_a_day_with_unexplained_differences_is_compared_again() -> None:
    run = _run_of(16, status=RunStatus.EXCEPTIONS)
    _run_of(17)
    assert services.days_due(now=NOON) == []
    found = ReconciliationException.objects.create(
        run=run, kind="AMOUNT", subject="txn_1", found_at=NOON, ours_pence=1, theirs_pence=2
    )
    assert [day.day for day in services.days_due(now=NOON)] == [16]
    found.resolved_at, found.resolved_by, found.resolution = NOON, "staff:7", "Right so"
    found.save()
    assert services.days_due(now=NOON) == []


def test_after_the_worker_was_off_every_missed_day_is_compared(stripe_sandbox: Any) -> None:
    _run_of(14)
    runs = services.reconcile_due_payments(by=BY, now=NOON)
    assert [(run.day.day, run.status) for run in runs] == [(15, "GREEN"), (16, "GREEN"), (17, "GREEN")]
    assert services.reconcile_due_payments(by=BY, now=NOON) == []


def test_a_day_that_cannot_be_compared_keeps_no_other_from_it(
    stripe_sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run_of(14)
    unpaid = reconciling._unpaid

    def broken(start: dt.datetime, end: dt.datetime) -> Any:
        return unpaid(start, end) if start.day != 15 else 1 / 0

    with monkeypatch.context() as patch:
        patch.setattr(reconciling, "_unpaid", broken)
        for days in [(16, 17), ()]:
            assert [run.day.day for run in services.reconcile_due_payments(by=BY, now=NOON)] == list(days)
    assert ReconciliationRun.objects.get(day=dt.date(2026, 11, 15)).status == RunStatus.FAILED
    assert Message.objects.filter(kind="money_task").count() == 1
    assert [(run.day.day, run.status) for run in services.reconcile_due_payments(by=BY, now=NOON)] == [(15, "GREEN")]


def test_the_job_compares_yesterday(stripe_sandbox: Any) -> None:
    from bookings import jobs

    jobs.reconcile_payments()
    run = ReconciliationRun.objects.get()
    assert (run.day, run.status) == (clock.london_day(clock.now()) - dt.timedelta(days=1), RunStatus.GREEN)
    assert run.done_by == "job:reconcile_payments"
