"""What the database itself refuses about money, through whichever door."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from payments.constants import AttemptStatus, JournalKind, RefundStatus
from payments.models import Attempt, Charge, FeeSchedule, Journal, Posting, Refund
from tests.factories import payments as f

pytestmark = pytest.mark.django_db


def _journal(*postings: tuple[str, int], total: int | None = None, source: str = "test:1") -> Journal:
    """A journal written with plain inserts, its deferred checks made at once."""
    debits = sum(pence for _, pence in postings if pence > 0)
    with transaction.atomic():
        journal = Journal.objects.create(
            kind=JournalKind.PAID,
            source=source,
            occurred_at=f.NOW,
            recorded_at=f.NOW,
            total_pence=debits if total is None else total,
            recorded_by="test",
        )
        Posting.objects.bulk_create(
            Posting(journal=journal, account=account, amount_pence=pence) for account, pence in postings
        )
        _check_now()
    return journal


def _check_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_journal_that_balances_is_stored() -> None:
    journal = _journal(("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200))
    assert list(journal.postings.order_by("pk").values_list("amount_pence", flat=True)) == [9200, -9200]


@pytest.mark.parametrize(
    ("postings", "total"),
    [
        ((("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9199)), None),
        ((("STRIPE_CLEARING", 9200),), None),
        ((), None),
        ((("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200)), 9201),
    ],
)
def test_s15_a_journal_that_does_not_balance_is_refused(
    postings: tuple[tuple[str, int], ...], total: int | None
) -> None:
    with pytest.raises(IntegrityError, match="does not balance"):
        _journal(*postings, total=total)
    assert (Journal.objects.count(), Posting.objects.count()) == (0, 0)


def test_postings_cannot_join_a_journal_later_even_when_they_balance() -> None:
    journal = _journal(("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200))
    joining = [
        Posting(journal=journal, account="BANK", amount_pence=500),
        Posting(journal=journal, account="STRIPE_FEES", amount_pence=-500),
    ]

    def join() -> None:
        with transaction.atomic():
            Posting.objects.bulk_create(joining)
            _check_now()

    with pytest.raises(IntegrityError, match="does not balance"):
        join()
    assert Posting.objects.count() == 2


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_journal SET note = 'x'",
        "DELETE FROM payments_journal",
        "TRUNCATE payments_journal CASCADE",
        "UPDATE payments_posting SET amount_pence = amount_pence * 2",
        "DELETE FROM payments_posting",
        "TRUNCATE payments_posting CASCADE",
    ],
)
def test_the_ledger_refuses_change_and_removal(statement: str, skip: bool) -> None:
    _journal(("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200))
    if skip:  # the door django-pgtrigger leaves open for other triggers
        statement = (
            f"SELECT set_config('pgtrigger.ignore', '{{payments.Journal,payments.Posting}}', true); {statement}"
        )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (Journal.objects.count(), Posting.objects.count()) == (1, 2)


def test_a_fact_is_booked_once() -> None:
    _journal(("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200), source="paid:pi_1")
    with pytest.raises(IntegrityError, match="source"):
        _journal(("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200), source="paid:pi_1")


# --- Refunds ---------------------------------------------------------------------------------------------------
INSERT_REFUND = """
    INSERT INTO payments_refund (charge_id, attempt_id, amount_pence, cause, note, status, status_at, requested_at,
        requested_by, idempotency_key, stripe_refund_id, attempts, error, needs_approval, decided_by, decision_note)
    SELECT charge_id, id, %s, 'GOODWILL', '', 'REQUESTED', now(), now(), 'psql', gen_random_uuid()::text, '', 0, '',
        FALSE, '', ''
    FROM payments_attempt WHERE id = %s
"""


def test_s14_over_refund_is_refused_by_the_database_in_plain_sql() -> None:
    charge = f.PaidChargeFactory.create()
    attempt = charge.attempts.get()
    with connection.cursor() as cursor:
        cursor.execute(INSERT_REFUND, [5000, attempt.pk])
    charge.refresh_from_db()
    attempt.refresh_from_db()
    assert (charge.refunded_pence, attempt.refunded_pence) == (5000, 5000)
    with pytest.raises(IntegrityError, match="over_refunded"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT_REFUND, [4201, attempt.pk])
    with pytest.raises(IntegrityError, match="over_refunded"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_refund SET amount_pence = 9201")
    with pytest.raises(IntegrityError, match="over_refunded"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE payments_charge SET refunded_pence = 9201")
    assert Refund.objects.get().amount_pence == 5000
    assert Charge.objects.get().refunded_pence == 5000


def test_a_failed_refund_counts_no_longer_and_may_be_asked_again() -> None:
    refund = f.PendingRefundFactory.create()
    assert Charge.objects.get().refunded_pence == 9200
    Refund.objects.filter(pk=refund.pk).update(status=RefundStatus.FAILED)
    assert (Charge.objects.get().refunded_pence, Attempt.objects.get().refunded_pence) == (0, 0)
    f.RefundFactory.create(charge=refund.charge)
    with pytest.raises(IntegrityError, match="over_refunded"), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(status=RefundStatus.SUCCEEDED)
    assert Charge.objects.get().refunded_pence == 9200


def test_a_refund_of_another_charges_payment_is_refused() -> None:
    mine, other = f.PaidChargeFactory.create_batch(2)
    with pytest.raises(IntegrityError, match="is not of charge"), transaction.atomic():
        f.RefundFactory.create(charge=mine, attempt=other.attempts.get())
    assert Refund.objects.count() == 0


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM payments_refund", "never removed"),
        ("TRUNCATE payments_refund", "never removed|keeps its key"),
        ("UPDATE payments_refund SET attempt_id = attempt_id + 1", "never moved"),
    ],
)
def test_a_refund_stays_where_it_is(statement: str, words: str) -> None:
    f.RefundFactory.create()
    _check_now()  # PostgreSQL truncates nothing that a deferred check still waits for
    with pytest.raises(IntegrityError, match=words), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Refund.objects.count() == 1


# --- Charges and attempts --------------------------------------------------------------------------------------
def test_one_open_charge_per_booking_and_purpose() -> None:
    charge = f.ChargeFactory.create()
    f.CancelledChargeFactory.create(booking_reference=charge.booking_reference)
    f.ChargeFactory.create(booking_reference=charge.booking_reference, purpose="MOVE_FEE")
    with pytest.raises(IntegrityError, match="payments_charge_one_open"), transaction.atomic():
        f.ChargeFactory.create(booking_reference=charge.booking_reference)
    assert Charge.objects.count() == 3


@pytest.mark.parametrize("second", [f.AttemptFactory, f.OpenAttemptFactory])
def test_one_pending_attempt_per_charge(second: type[f.AttemptFactory]) -> None:
    attempt = f.OpenAttemptFactory.create()
    f.ExpiredAttemptFactory.create(charge=attempt.charge)
    with pytest.raises(IntegrityError, match="payments_attempt_one_pending"), transaction.atomic():
        second.create(charge=attempt.charge)
    assert Attempt.objects.count() == 2


@pytest.mark.parametrize(
    "changes",
    [{"paid_pence": 9200}, {"status": "PAID"}, {"status": "CANCELLED", "paid_pence": 1}, {"amount_pence": 0}],
)
def test_a_charge_is_paid_exactly_when_its_money_came(changes: dict[str, object]) -> None:
    charge = f.ChargeFactory.create()
    with pytest.raises(IntegrityError, match="payments_charge"), transaction.atomic():
        Charge.objects.filter(pk=charge.pk).update(**changes)


@pytest.mark.parametrize(
    "changes", [{"status": AttemptStatus.PAID}, {"paid_pence": 9200}, {"paid_at": f.NOW}, {"refunded_pence": 1}]
)
def test_an_attempt_is_paid_exactly_when_it_has_its_facts(changes: dict[str, object]) -> None:
    attempt = f.OpenAttemptFactory.create()
    with pytest.raises(IntegrityError, match="payments_attempt"), transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(**changes)


def test_every_state_has_a_factory() -> None:
    f.FailedAttemptFactory.create()
    f.SucceededRefundFactory.create()
    f.FailedRefundFactory.create()
    f.AppliedEventFactory.create()
    f.ParkedEventFactory.create()
    assert Charge.objects.get(refunds__status=RefundStatus.SUCCEEDED).refunded_pence == 9200
    assert Charge.objects.get(refunds__status=RefundStatus.FAILED).refunded_pence == 0


# --- Fees ------------------------------------------------------------------------------------------------------
def test_fees_of_the_reference_data() -> None:
    rows = FeeSchedule.objects.values_list("course_type__code", "mode", "total_pence", "provider_pence")
    assert sorted(rows) == [
        *[(code, mode, 9200, 4400) for code in ("NMAC", "NRRAC", "NSAC") for mode in ("CLASSROOM", "DIGITAL")],
        ("SCD", "ON_ROAD", 18500, 13700),
        *[("WDU", mode, 9200, 4400) for mode in ("CLASSROOM", "DIGITAL")],
    ]
    assert set(FeeSchedule.objects.values_list("police_pence", "levy_pence", "vat_pence", "valid_from")) == {
        (4500, 300, 0, dt.date(2020, 1, 1))
    }


def test_fees_that_overlap_or_do_not_add_up_are_refused() -> None:
    fee = f.fee()
    parts = {"total_pence": 9200, "police_pence": 4500, "levy_pence": 300, "provider_pence": 4400}
    place = {"course_type": fee.course_type, "mode": fee.mode, "valid_from": dt.date(2027, 1, 1)}
    with pytest.raises(IntegrityError, match="payments_fee_no_overlap"), transaction.atomic():
        FeeSchedule.objects.create(**place, **parts)
    with pytest.raises(IntegrityError, match="payments_fee_parts_add_up"), transaction.atomic():
        FeeSchedule.objects.filter(pk=fee.pk).update(total_pence=9300)
    assert FeeSchedule.objects.filter(course_type=fee.course_type, mode=fee.mode).count() == 1
