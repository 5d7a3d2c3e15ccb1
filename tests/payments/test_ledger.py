"""Where each penny lies: paid, fallen due, refunded before and after, and undone."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from audit.context import Actor
from audit.models import AuditEvent
from payments import gateway, rules, selectors, services
from payments.constants import JournalKind, Purpose, RefundReason
from payments.models import Attempt, Charge, Journal
from payments.services import ledger as bookkeeping
from payments.services import refunds
from tests.factories import payments as f
from tests.payments.conftest import PAID_LINES, Heard, ledger

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]
NOW = f.NOW
TRAINER = Actor("trainer", "5")
DUE = [("FEES_IN_ADVANCE", 9200), ("POLICE_PAYABLE", -4500), ("LEVY_PAYABLE", -300), ("COURSE_INCOME", -4400)]
BACK = [(account, -pence) for account, pence in DUE]
KEPT = [("FEES_IN_ADVANCE", 9200), ("COURSE_INCOME", -9200)]
NO_LONGER_KEPT = [(account, -pence) for account, pence in KEPT]


def _paid(**given: object) -> Charge:
    """A paid charge with its journal."""
    charge = f.PaidChargeFactory.create(**given)
    bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=TRAINER, now=NOW)
    return charge


def _complete(charge: Charge) -> list[Journal]:
    return services.record_completion(booking_reference=charge.booking_reference, by=TRAINER, now=NOW)


def _forfeit(charge: Charge) -> list[Journal]:
    return services.record_forfeiture(booking_reference=charge.booking_reference, by=TRAINER, now=NOW)


def _undo(charge: Charge) -> list[Journal]:
    return services.reverse_completion(
        booking_reference=charge.booking_reference, reason="wrong register", by=TRAINER, now=NOW
    )


def _refund(charge: Charge, pence: int, *, attempt: Attempt | None = None, status: str = "succeeded") -> None:
    """A refund asked for and answered by Stripe with `status`."""
    refund = services.request_refund(
        charge_id=charge.pk,
        amount_pence=pence,
        reason=RefundReason.GOODWILL,
        by=TRAINER,
        now=NOW,
        attempt_id=attempt.pk if attempt else None,
    )
    _answer(refund.pk, refund.idempotency_key, refund.attempt.payment_intent_id, pence, status)


def _answer(number: int, key: str, intent: str, pence: int, status: str) -> None:
    fact = gateway.RefundFact(
        refund_id=f"re_{number}",
        status=status,
        amount_pence=pence,
        currency="gbp",
        intent_id=intent,
        failure="",
        created_at=NOW,
        metadata={"refund": key},
    )
    refunds.record_refund(fact, by=TRAINER, now=NOW)


def _balances() -> dict[str, int]:
    return {line.account: line.pence for line in selectors.trial_balance(day=dt.date(2026, 11, 20)) if line.pence}


def test_completion_lets_the_components_fall_due_once() -> None:
    charge = _paid(force_code="42")
    assert len(_complete(charge)) == 1
    assert _complete(charge) == []
    assert ledger() == [("PAID", PAID_LINES), ("COMPLETED", DUE)]
    assert Journal.objects.get(kind="COMPLETED").postings.get(account="POLICE_PAYABLE").force_code == "42"
    words = "Course completed: £45 falls due to force 42 and £3 to UKROEd"
    assert list(AuditEvent.objects.values_list("action", "words")) == [("charge.fell_due", words)]


def test_completion_without_a_paid_course_fee_books_nothing() -> None:
    charge = f.ChargeFactory.create()
    moved = f.PaidChargeFactory.create(booking_reference=charge.booking_reference, purpose=Purpose.MOVE_FEE)
    assert (_complete(charge), _complete(moved), ledger()) == ([], [], [])


def test_completion_undone_and_recorded_again() -> None:
    charge = _paid()
    _complete(charge)
    assert len(_undo(charge)) == 1
    assert _undo(charge) == []
    assert len(_complete(charge)) == 1
    assert ledger() == [("PAID", PAID_LINES), ("COMPLETED", DUE), ("REVERSAL", BACK), ("COMPLETED", DUE)]
    assert Journal.objects.get(kind="REVERSAL").note == "wrong register"


def test_part_refunded_before_completion_comes_out_of_kccs_part() -> None:
    charge = _paid()
    _refund(charge, 2000)
    _complete(charge)
    assert _balances() == {
        "STRIPE_CLEARING": 7200, "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300, "COURSE_INCOME": -4400,
        "REFUNDS": 2000,
    }  # fmt: skip


def test_refunded_after_completion_is_borne_by_kcc() -> None:
    charge = _paid()
    _complete(charge)
    _refund(charge, 9200)
    assert _balances() == {
        "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300, "COURSE_INCOME": -4400, "REFUNDS": 9200
    }  # fmt: skip


def test_a_refund_asked_before_and_sent_after_completion_counts_as_after() -> None:
    charge = _paid()
    refund = services.request_refund(
        charge_id=charge.pk, amount_pence=9200, reason=RefundReason.GOODWILL, by=TRAINER, now=NOW
    )
    _complete(charge)
    _answer(1, refund.idempotency_key, refund.attempt.payment_intent_id, 9200, "succeeded")
    assert _balances() == {
        "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300, "COURSE_INCOME": -4400, "REFUNDS": 9200
    }  # fmt: skip


# --- The fee kept ------------------------------------------------------------------------------------------------
def test_a_fee_that_is_kept_is_earned_once_and_nothing_falls_due_to_others() -> None:
    charge = _paid()
    assert len(_forfeit(charge)) == 1
    assert _forfeit(charge) == []
    assert ledger() == [("PAID", PAID_LINES), ("FORFEITED", KEPT)]
    assert Journal.objects.get(kind="FORFEITED").source == f"forfeited:{charge.pk}:1"
    words = "Course not completed: what is kept of the fee is earned"
    assert list(AuditEvent.objects.values_list("action", "words")) == [("charge.forfeited", words)]
    month = dt.date(2026, 11, 1)
    assert selectors.surplus(first=month, last=month).pence == 9200


def test_nothing_is_kept_of_what_was_not_paid_or_is_no_course_fee() -> None:
    charge = f.ChargeFactory.create()
    moved = f.PaidChargeFactory.create(booking_reference=charge.booking_reference, purpose=Purpose.MOVE_FEE)
    assert (_forfeit(charge), _forfeit(moved), ledger()) == ([], [], [])


def test_a_register_corrected_both_ways() -> None:
    charge = _paid()
    _forfeit(charge)
    assert _undo(charge) == []  # there is no completion to undo
    assert [journal.kind for journal in _complete(charge)] == ["REVERSAL", "COMPLETED"]
    assert _complete(charge) == []
    assert _forfeit(charge) == []  # what has fallen due is not kept
    _undo(charge)
    _forfeit(charge)
    assert ledger() == [
        ("PAID", PAID_LINES),
        ("FORFEITED", KEPT),
        ("REVERSAL", NO_LONGER_KEPT),
        ("COMPLETED", DUE),
        ("REVERSAL", BACK),
        ("FORFEITED", KEPT),
    ]
    assert _balances() == {"STRIPE_CLEARING": 9200, "COURSE_INCOME": -9200}


def test_a_refund_after_the_fee_was_kept_is_borne_by_kcc() -> None:
    charge = _paid()
    _forfeit(charge)
    _refund(charge, 9200)
    assert _balances() == {"COURSE_INCOME": -9200, "REFUNDS": 9200}
    _complete(charge)
    assert _balances() == {
        "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300, "COURSE_INCOME": -4400, "REFUNDS": 9200
    }  # fmt: skip
    _undo(charge)
    _forfeit(charge)
    assert _balances() == {"COURSE_INCOME": -9200, "REFUNDS": 9200}


def test_part_refunded_before_the_rest_was_kept() -> None:
    charge = _paid()
    _refund(charge, 2000)
    _forfeit(charge)
    assert _balances() == {"STRIPE_CLEARING": 7200, "COURSE_INCOME": -9200, "REFUNDS": 2000}


@pytest.mark.parametrize(
    ("pence", "kinds", "balances"),
    [
        (9200, ["PAID", "REFUNDED"], {}),
        (
            4600,
            ["PAID", "FORFEITED", "REFUNDED"],
            {"STRIPE_CLEARING": 4600, "COURSE_INCOME": -9200, "REFUNDS": 4600},
        ),
    ],
)
def test_a_refund_on_its_way_when_the_booking_ends(pence: int, kinds: list[str], balances: dict[str, int]) -> None:
    charge = _paid()
    refund = services.request_refund(
        charge_id=charge.pk, amount_pence=pence, reason=RefundReason.GOODWILL, by=TRAINER, now=NOW
    )
    _forfeit(charge)
    _answer(1, refund.idempotency_key, refund.attempt.payment_intent_id, pence, "succeeded")
    assert [kind for kind, _ in ledger()] == kinds
    assert _balances() == balances


def test_a_refund_that_waits_for_a_second_person_is_not_on_its_way() -> None:
    charge = _paid()
    f.WaitingRefundFactory.create(charge=charge)
    _forfeit(charge)
    assert ledger()[-1] == ("FORFEITED", KEPT)


def test_a_refund_that_failed_leaves_no_trace_in_the_balances() -> None:
    charge = _paid()
    _refund(charge, 9200, status="failed")
    assert [kind for kind, _ in ledger()] == ["PAID", "REFUNDED", "REFUND_FAILED"]
    assert _balances() == {"STRIPE_CLEARING": 9200, "FEES_IN_ADVANCE": -9200}


def test_an_extra_payment_refunded_after_completion_goes_back_from_advance() -> None:
    charge = _paid()
    Charge.objects.filter(pk=charge.pk).update(paid_pence=18400)
    extra = f.PaidAttemptFactory.create(charge=charge, is_extra=True)
    bookkeeping.write_paid(charge=charge, attempt=extra, by=TRAINER, now=NOW)
    _complete(charge)
    _refund(charge, 9200, attempt=extra)
    assert _balances() == {
        "STRIPE_CLEARING": 9200, "POLICE_PAYABLE": -4500, "LEVY_PAYABLE": -300, "COURSE_INCOME": -4400
    }  # fmt: skip


def test_an_extra_payment_is_no_part_of_the_fee_that_is_kept() -> None:
    charge = _paid()
    Charge.objects.filter(pk=charge.pk).update(paid_pence=18400)
    extra = f.PaidAttemptFactory.create(charge=charge, is_extra=True)
    bookkeeping.write_paid(charge=charge, attempt=extra, by=TRAINER, now=NOW)
    _forfeit(charge)
    assert _balances() == {"STRIPE_CLEARING": 18400, "FEES_IN_ADVANCE": -9200, "COURSE_INCOME": -9200}
    _refund(charge, 9200, attempt=extra)
    assert _balances() == {"STRIPE_CLEARING": 9200, "COURSE_INCOME": -9200}


@pytest.mark.parametrize("purpose", [Purpose.MOVE_FEE, Purpose.REBOOK_FEE])
def test_other_fees_are_income_at_once_and_their_refunds_are_borne_by_kcc(purpose: str) -> None:
    parts = {"police": 0, "levy": 0, "vat": 0, "provider": 2500}
    charge = _paid(purpose=purpose, amount_pence=2500, parts=parts)
    assert _balances() == {"STRIPE_CLEARING": 2500, "MOVE_INCOME": -2500}
    _refund(charge, 1000)
    assert _balances() == {"STRIPE_CLEARING": 1500, "MOVE_INCOME": -2500, "REFUNDS": 1000}


VATTED = {"police": 4500, "levy": 300, "vat": 1533, "provider": 2867}


@pytest.mark.parametrize("before_the_course", [0, 1, 3])
def test_a_fee_refunded_in_three_parts_leaves_no_penny_of_vat(before_the_course: int) -> None:
    charge = _paid(parts=VATTED)
    for number, pence in enumerate((3067, 3067, 3066)):
        if number == before_the_course:
            _complete(charge)
        _refund(charge, pence)
    if before_the_course == 3:
        _complete(charge)
    assert "VAT_PAYABLE" not in _balances()


def test_a_part_that_came_back_takes_its_vat_along() -> None:
    charge = _paid(parts=VATTED)
    _complete(charge)
    for pence, status in ((3067, "succeeded"), (3067, "failed"), (3067, "succeeded"), (3066, "succeeded")):
        _refund(charge, pence, status=status)
    assert "VAT_PAYABLE" not in _balances()


def test_the_same_source_is_not_written_twice() -> None:
    charge = _paid()
    assert bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=TRAINER, now=NOW) is None
    assert Journal.objects.count() == 1


def test_s15_the_service_cannot_store_a_journal_that_does_not_balance() -> None:
    def write() -> None:
        with transaction.atomic():
            bookkeeping.write_journal(
                JournalKind.PAID,
                source="paid:wrong",
                lines=[rules.Line("STRIPE_CLEARING", 9200), rules.Line("FEES_IN_ADVANCE", -9100)],
                occurred_at=NOW,
                booking_reference="",
                by=TRAINER,
                now=NOW,
            )
            transaction.get_connection().check_constraints()

    with pytest.raises(IntegrityError, match="does not balance"):
        write()
    assert Journal.objects.count() == 0


def test_trial_balance_of_a_past_day_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    kent = _paid()
    essex = _paid(force_code="42", now=NOW + dt.timedelta(days=1))
    _complete(kent)
    services.record_completion(
        booking_reference=essex.booking_reference, by=TRAINER, now=NOW + dt.timedelta(days=1, hours=1)
    )
    with django_assert_num_queries(1):
        today = selectors.trial_balance(day=dt.date(2026, 11, 20))
    assert today == [
        selectors.Balance("COURSE_INCOME", "", 0, 4400),
        selectors.Balance("FEES_IN_ADVANCE", "", 9200, 9200),
        selectors.Balance("LEVY_PAYABLE", "", 0, 300),
        selectors.Balance("POLICE_PAYABLE", "46", 0, 4500),
        selectors.Balance("STRIPE_CLEARING", "", 9200, 0),
    ]
    tomorrow = selectors.trial_balance(day=dt.date(2026, 11, 21))
    assert [(line.account, line.force_code, line.pence) for line in tomorrow] == [
        ("COURSE_INCOME", "", -8800),
        ("FEES_IN_ADVANCE", "", 0),
        ("LEVY_PAYABLE", "", -600),
        ("POLICE_PAYABLE", "42", -4500),
        ("POLICE_PAYABLE", "46", -4500),
        ("STRIPE_CLEARING", "", 18400),
    ]
    assert sum(line.pence for line in tomorrow) == 0
    assert selectors.trial_balance(day=dt.date(2026, 11, 19)) == []


def test_who_listens_hears_of_a_refund_once_it_arrived(heard: Heard) -> None:
    charge = _paid()
    _refund(charge, 9200, status="pending")
    assert "charge_refunded" not in heard.names
    refund = charge.refunds.get()
    _answer(refund.pk, refund.idempotency_key, refund.attempt.payment_intent_id, 9200, "succeeded")
    assert heard.names.count("charge_refunded") == 1
