"""Scenario 15: a day of money through the real programs agrees to the penny, and each tampering is one exception."""

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection

from audit.context import Actor
from bookings.models import Booking
from common import clock
from devtools.stripe_sandbox.testing import wait_until
from payments import gateway, services
from payments.constants import RefundReason
from payments.models import Attempt, Charge, Dispute, Payout, Refund, StripeEvent, StripeTransaction
from tests.factories.bookings import ConfirmedBookingFactory, LapsedBookingFactory, ReadyBookingFactory
from tests.factories.payments import ChargeFactory, PaidChargeFactory
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox

CANDIDATE, CLERK = Actor("candidate", "46/46TEST0001"), Actor("staff", "7")
SHOWN = ("kind", "subject", "ours_pence", "theirs_pence")


def _pays(sandbox: "Sandbox", *, cards: tuple[str, ...] = ("4242424242424242",), is_told: bool = True) -> Charge:
    """A candidate with a held place pays at Stripe; the webhook tells, unless it is lost."""
    now = clock.now()
    booking = ReadyBookingFactory.create(now=now)
    charge: Charge = ChargeFactory.create(
        now=now, booking_reference=booking.reference, referral_key=booking.referral.key
    )
    attempt = services.start_checkout(
        charge_id=charge.pk,
        success_url="http://testserver/paid/",
        cancel_url="http://testserver/pay/",
        expires_at=now + dt.timedelta(minutes=45),
        by=CANDIDATE,
        now=now,
    )
    sandbox.control("webhooks", drop=not is_told)
    for card in cards:
        paid = sandbox.pay(attempt.url, card)
    assert paid.outcome == "paid"
    sandbox.control("webhooks", reset=True)
    return charge


def _settled(sandbox: "Sandbox") -> None:
    """Every webhook is delivered and applied by the worker."""
    sandbox.wait_for_webhooks()
    wait_until(
        lambda: not StripeEvent.objects.filter(status="RECEIVED").exists(),
        timeout_seconds=30,
        what="the worker to apply every event",
    )


def _intent(charge: Charge) -> str:
    return Attempt.objects.get(charge=charge, paid_at__isnull=False).payment_intent_id


def _compare(day: dt.date) -> dict[str, Any]:
    """What the command answers."""
    out = StringIO()
    try:
        call_command("reconcile_payments", "--day", day.isoformat(), "--json", stdout=out)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert code == (3 if answer["exceptions"] else 0)
    return answer


def _found(day: dt.date) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in SHOWN) for one in _compare(day)["exceptions"]]


@pytest.fixture
def day() -> dt.date:
    return clock.london_day(clock.now())


@pytest.fixture
def a_day_of_money(
    live_web: Web, celery_worker_process: Program, stripe_sandbox: "Sandbox", day: dt.date
) -> list[Charge]:
    """Seven payments, one after a decline, one unheard of; refunds by us and by hand, disputes, payouts."""
    paid = [_pays(stripe_sandbox) for _ in range(4)]
    paid.append(_pays(stripe_sandbox, cards=("4000000000000002", "4242424242424242")))
    _settled(stripe_sandbox)
    ours, by_hand, won, lost, _ = paid
    services.ask_refund(
        charge_id=ours.pk, amount_pence=9200, reason=RefundReason.KCC_CANCELLED, policy_pence=9200, by=CLERK,
        now=clock.now(), note="The trainer fell ill",
    )  # fmt: skip
    wait_until(
        lambda: Refund.objects.filter(status="SUCCEEDED").exists(), timeout_seconds=30, what="the worker to refund"
    )
    gateway.create_refund(
        idempotency_key="by-hand", booking_reference="", intent_id=_intent(by_hand), amount_pence=2500
    )
    for charge, outcome in ((won, "won"), (lost, "lost")):
        opened = stripe_sandbox.control("dispute", charge=_intent(charge))
        stripe_sandbox.control("settle", id=opened["id"], outcome=outcome)
    # Of these two nothing is left: their courses are over, else a place that nobody pays for is told.
    Booking.objects.filter(reference__in=[ours.booking_reference, lost.booking_reference]).update(status="COMPLETED")
    failed = stripe_sandbox.control("payout", include_pending=True)
    stripe_sandbox.control("settle", id=failed["id"], outcome="failed")
    _settled(stripe_sandbox)
    paid.append(_pays(stripe_sandbox, is_told=False))
    stripe_sandbox.control("payout", include_pending=True)
    paid.append(_pays(stripe_sandbox))  # in no payout yet
    _settled(stripe_sandbox)
    return paid


def test_s15_a_day_agrees_to_the_penny_and_each_tampering_is_exactly_its_exception(
    a_day_of_money: list[Charge], stripe_sandbox: "Sandbox", day: dt.date
) -> None:
    first = _compare(day)
    assert (first["status"], first["exceptions"], first["repaired"]) == ("GREEN", [], 1)
    assert first["stripe_balance_pence"] == first["ledger_balance_pence"] == gateway.balance_pence()
    # Seven payments; refunds of £92 and £25; one dispute came back, one did not; a fee for each payment and dispute.
    assert first["payments_pence"] == 7 * 9200
    assert (first["refunds_pence"], first["disputes_pence"]) == (-11700, -9200)
    assert first["fees_pence"] == 7 * 158 + 2 * 2000
    assert sorted(Dispute.objects.values_list("status", flat=True)) == ["LOST", "WON"]
    assert sorted(Payout.objects.values_list("status", flat=True)) == ["ARRIVED", "FAILED"]
    assert {charge.status for charge in Charge.objects.all()} == {"PAID"}
    again = _compare(day)
    assert {**first, "repaired": 0} == again

    for tamper in (_stray_payment, _lost_at_stripe, _changed_posting, _another_currency, _unpaid_booking,
                   _unplaced_payment, _payout_without_a_part, _changed_yesterday):  # fmt: skip
        expected, undo = tamper(stripe_sandbox, a_day_of_money[-1])
        assert (tamper.__name__, _found(day)) == (tamper.__name__, [expected])
        undo()
        assert (tamper.__name__, _compare(day)["status"]) == (tamper.__name__, "GREEN")


# --- The tamperings: what is found, and how it is undone -------------------------------------------------------
Tampered = tuple[tuple[Any, ...], Callable[[], None]]


def _stripe_sql(sandbox: "Sandbox", sql: str, *values: Any) -> list[Any]:
    with sqlite3.connect(sandbox.db, timeout=10) as db:
        return db.execute(sql, values).fetchall()


def _our_sql(sql: str, *values: Any) -> None:
    """Past every trigger, as only somebody with the keys to the database could."""
    with connection.cursor() as cursor:
        for table in ("payments_journal", "payments_posting"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        for table in ("payments_journal", "payments_posting"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _remove_entry(source: str) -> None:
    _our_sql(
        "DELETE FROM payments_posting p USING payments_journal j WHERE p.journal_id = j.id AND j.source = %s", source
    )
    _our_sql("DELETE FROM payments_journal WHERE source = %s", source)


def _line(charge: Charge) -> StripeTransaction:
    at_stripe = Attempt.objects.get(charge=charge, paid_at__isnull=False).stripe_charge_id
    return StripeTransaction.objects.get(source=at_stripe, kind="CHARGE")


def _stray_payment(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """Somebody took a payment in Stripe's dashboard."""
    before = {row[0] for row in _stripe_sql(sandbox, "SELECT id FROM objects")}
    sandbox.control("seed", count=1, amount=4200)
    rows = _stripe_sql(sandbox, "SELECT id, kind FROM objects")
    made = [key for key, kind in rows if key not in before and kind == "balance_transaction"]

    def undo() -> None:
        _stripe_sql(sandbox, "DELETE FROM objects WHERE id = ?", made[0])
        _remove_entry(f"stripe-fee:{made[0]}")

    return ("AT_STRIPE_ONLY", made[0], None, 4200), undo


def _lost_at_stripe(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """Stripe knows nothing of a payment we have booked."""
    key = _line(charge).transaction_id
    _stripe_sql(sandbox, "UPDATE objects SET kind = 'away' WHERE id = ?", key)

    def undo() -> None:
        _stripe_sql(sandbox, "UPDATE objects SET kind = 'balance_transaction' WHERE id = ?", key)

    return ("WITH_US_ONLY", f"paid:{_intent(charge)}", 9200, None), undo


def _changed_posting(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """A penny is taken out of the ledger."""
    change = (
        "UPDATE payments_posting SET amount_pence = %s WHERE account = 'STRIPE_CLEARING' AND journal_id ="
        " (SELECT id FROM payments_journal WHERE source = %s)"
    )
    source = f"paid:{_intent(charge)}"
    _our_sql(change, 9199, source)
    return ("AMOUNT", _line(charge).transaction_id, 9199, 9200), lambda: _our_sql(change, 9200, source)


def _another_currency(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """Stripe booked it in euros."""
    key = _line(charge).transaction_id
    change = "UPDATE objects SET data = json_set(data, '$.currency', ?) WHERE id = ?"
    _stripe_sql(sandbox, change, "eur", key)

    def undo() -> None:
        _stripe_sql(sandbox, change, "gbp", key)

    return ("CURRENCY", key, 9200, 9200), undo


def _unpaid_booking(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """A place was given away."""
    booking = ConfirmedBookingFactory.create(now=clock.now())

    def undo() -> None:
        PaidChargeFactory.create(now=clock.now() - dt.timedelta(days=2), booking_reference=booking.reference)

    return ("BOOKING_UNPAID", f"booking:{booking.reference}", 0, 9200), undo


def _unplaced_payment(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """Paid more than a day ago; neither a place nor the money back."""
    at = clock.now() - dt.timedelta(hours=25, minutes=1)
    booking = LapsedBookingFactory.create(now=at)
    paid = PaidChargeFactory.create(now=at, booking_reference=booking.reference)

    def undo() -> None:
        Charge.objects.filter(pk=paid.pk).update(refunded_pence=9200)

    return ("PAID_UNPLACED", f"booking:{booking.reference}", 9200, None), undo


def _payout_without_a_part(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """The payout says more than its transactions."""
    arrived = Payout.objects.get(status="ARRIVED")
    part = "SELECT id FROM objects WHERE kind = 'balance_transaction' AND payout = ? AND type = 'charge' LIMIT 1"
    ((key,),) = _stripe_sql(sandbox, part, arrived.stripe_payout_id)
    change = "UPDATE objects SET payout = ? WHERE id = ?"
    _stripe_sql(sandbox, change, None, key)
    less = arrived.amount_pence - (9200 - 158)

    def undo() -> None:
        _stripe_sql(sandbox, change, arrived.stripe_payout_id, key)

    return ("PAYOUT_SUM", arrived.stripe_payout_id, arrived.amount_pence, less), undo


def _changed_yesterday(sandbox: "Sandbox", charge: Charge) -> Tampered:
    """An entry is slipped into a day that was compared already."""
    at = clock.now() - dt.timedelta(days=3)
    _our_sql(
        "WITH made AS (INSERT INTO payments_journal (kind, source, occurred_at, recorded_at, booking_reference,"
        " total_pence, recorded_by, note) VALUES ('PAID', 'paid:slipped-in', %s, %s, '', 700, 'x', '') RETURNING id)"
        " INSERT INTO payments_posting (journal_id, account, force_code, amount_pence) SELECT id, account, '', pence"
        " FROM made, (VALUES ('STRIPE_CLEARING', 700), ('BANK', -700)) AS side (account, pence)",
        at, at,
    )  # fmt: skip
    held = gateway.balance_pence()

    def undo() -> None:
        _remove_entry("paid:slipped-in")

    return ("BALANCE", "clearing", held + 700, held), undo
