"""Maker and checker: two persons above the limit or outside the policy, by the service and by the database."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.context import Actor
from audit.models import AuditEvent
from courses.errors import ReasonNeededError
from notifications.models import Message
from payments import services
from payments.constants import RefundReason, RefundStatus
from payments.errors import (
    ChargeStateError,
    LimitInThePastError,
    OverRefundError,
    RefundNotFoundError,
    SecondPersonError,
)
from payments.models import Charge, Journal, Refund, RefundLimit
from payments.services import ledger as bookkeeping
from tests.factories import payments as f
from tests.factories.payments import NOW
from tests.payments.conftest import CLERK, Heard, ledger, races, together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]
OTHER = Actor("staff", "8")
SCD = {"amount_pence": 18500, "parts": {"police": 4500, "levy": 300, "vat": 0, "provider": 13700}}


def _ask(charge: Charge, pence: int, *, policy: int, by: Actor = CLERK, reason: str = RefundReason.GOODWILL) -> Refund:
    return services.ask_refund(
        charge_id=charge.pk,
        amount_pence=pence,
        reason=reason,
        note="bereavement",
        policy_pence=policy,
        by=by,
        now=NOW,
    )


def _decide(what: Any, refund: Refund, by: Actor = OTHER, note: str = "seen") -> Refund:
    decided: Refund = what(refund_id=refund.pk, note=note, by=by, now=NOW)
    return decided


approve, reject = partial(_decide, services.approve_refund), partial(_decide, services.reject_refund)
retry, elsewhere = partial(_decide, services.try_refund_again), partial(_decide, services.settle_refund_elsewhere)


def _standing() -> tuple[Any, ...]:
    return list(Refund.objects.values()), list(Charge.objects.values()), AuditEvent.objects.count(), ledger()


def test_within_limit_and_policy_it_is_sent_at_once() -> None:
    refund = _ask(f.PaidChargeFactory.create(), 9200, policy=9200)
    assert (refund.status, refund.needs_approval) == (RefundStatus.REQUESTED, False)


@pytest.mark.parametrize(
    ("pence", "policy", "status"),
    [(15000, 18500, "REQUESTED"), (15001, 18500, "WAITING"), (9200, 9199, "WAITING"), (1, 0, "WAITING")],
)
def test_above_the_limit_or_outside_the_policy_it_waits(pence: int, policy: int, status: str) -> None:
    charge = f.PaidChargeFactory.create(**SCD)
    assert _ask(charge, pence, policy=policy).status == status
    assert Charge.objects.get().refunded_pence == pence


def test_who_could_decide_is_told_once_of_what_waits() -> None:
    charge = f.PaidChargeFactory.create()
    refund = _ask(charge, 9200, policy=0)
    told = Message.objects.get(kind="money_task")
    words = "Refund of £92 asked for: goodwill, with evidence. A second person decides"
    path = f"/admin/payments/refund/{refund.pk}/change/"
    facts = [f"booking {charge.booking_reference}"]
    assert told.context == {"what": words, "facts": facts, "path": path}
    approve(refund)
    approve(refund)
    _ask(f.PaidChargeFactory.create(), 9200, policy=9200)
    assert Message.objects.filter(kind="money_task").count() == 1


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (9200, "Refund of £92 asked for: cancelled by KCC"),
        (0, "Refund of £92 asked for: cancelled by KCC. A second person decides"),
    ],
)
def test_names_in_a_cause_keep_their_capitals(policy: int, words: str) -> None:
    _ask(f.PaidChargeFactory.create(), 9200, policy=policy, reason="KCC_CANCELLED")
    assert AuditEvent.objects.get(action__in=["refund.requested", "refund.asked"]).words == words


def test_slices_of_a_sum_count_together() -> None:
    charge = f.PaidChargeFactory.create(**SCD)
    assert [_ask(charge, 9000, policy=18500).status for _ in range(2)] == ["REQUESTED", "WAITING"]


def test_what_waits_counts_against_what_was_paid_and_no_longer_once_rejected() -> None:
    charge = f.PaidChargeFactory.create()
    refund = _ask(charge, 9200, policy=0)
    before = _standing()
    with pytest.raises(OverRefundError):
        _ask(charge, 1, policy=0)
    assert _standing() == before
    rejected = reject(refund)
    assert (rejected.status, rejected.decided_by, rejected.decided_at) == (RefundStatus.REJECTED, "staff:8", NOW)
    assert Charge.objects.get().refunded_pence == 0
    assert AuditEvent.objects.filter(action="refund.rejected", reason="seen").count() == 1
    assert reject(refund).pk == refund.pk
    assert AuditEvent.objects.count() == 2


def test_a_second_person_approves_once() -> None:
    refund = _ask(f.PaidChargeFactory.create(), 9200, policy=0)
    assert services.send_refunds(now=NOW) == {"sent": 0, "followed": 0, "failed": 0, "put_off": 0}
    approved = approve(refund)
    assert (approved.status, approved.decided_by, approved.decision_note) == ("REQUESTED", "staff:8", "seen")
    before = _standing()
    assert approve(refund).pk == refund.pk
    with pytest.raises(ChargeStateError):
        reject(refund)
    with pytest.raises(ChargeStateError):
        approve(refund, by=Actor("staff", "9"))
    assert _standing() == before


@pytest.mark.parametrize("what", [approve, reject])
def test_who_asked_does_not_decide(what: Any) -> None:
    refund = _ask(f.PaidChargeFactory.create(), 9200, policy=0)
    before = _standing()
    with pytest.raises(SecondPersonError):
        what(refund, by=CLERK)
    with pytest.raises(ReasonNeededError):
        what(refund, note=" ")
    for other in (retry, elsewhere):
        with pytest.raises(ChargeStateError):
            other(refund)
    with pytest.raises(RefundNotFoundError):
        services.approve_refund(refund_id=0, note="seen", by=OTHER, now=NOW)
    assert _standing() == before


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"status": "REQUESTED"}, "decided_before_sent"),
        ({"status": "SUCCEEDED"}, "decided_before_sent"),
        ({"needs_approval": False}, "decided_before_sent"),
        ({"status": "REQUESTED", "decided_by": "staff:7", "decided_at": NOW}, "second_person"),
        ({"status": "REJECTED", "decided_by": "staff:8"}, "decided_before_sent"),
        ({"decided_by": "staff:8", "decided_at": NOW}, "decided_before_sent"),
    ],
)
def test_the_database_wants_two_persons_by_every_door(changes: dict[str, Any], name: str) -> None:
    refund = f.WaitingRefundFactory.create()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(**changes)
    assert Refund.objects.get().status == RefundStatus.WAITING


def test_a_refund_that_nobody_decides_on_is_not_held_up() -> None:
    charge = f.PaidChargeFactory.create(**SCD)
    refund = services.request_refund(
        charge_id=charge.pk, amount_pence=18500, reason=RefundReason.WITHDRAWN, by=Actor("officer", "3"), now=NOW
    )
    assert (refund.status, refund.needs_approval) == (RefundStatus.REQUESTED, False)


@races
def test_one_approves_while_another_rejects_and_one_of_them_is_told() -> None:
    refund = f.WaitingRefundFactory.create()
    third = Actor("staff", "9")
    answers = together(lambda: approve(refund), lambda: reject(refund, by=third))
    assert sum(isinstance(answer, ChargeStateError) for answer in answers) == 1
    refund.refresh_from_db()
    assert (refund.status, refund.decided_by) in {("REQUESTED", "staff:8"), ("REJECTED", "staff:9")}
    assert AuditEvent.objects.filter(action__in=["refund.approved", "refund.rejected"]).count() == 1


# --- Failed ones -----------------------------------------------------------------------------------------------
def test_a_failed_refund_is_tried_again_as_a_new_one() -> None:
    failed = f.FailedRefundFactory.create(amount_pence=4600)
    new = retry(failed)
    failed.refresh_from_db()
    assert (failed.status, new.status, new.amount_pence, new.cause) == ("REPLACED", "REQUESTED", 4600, failed.cause)
    assert (new.retry_of_id, new.attempt_id) == (failed.pk, failed.attempt_id)
    assert new.idempotency_key != failed.idempotency_key
    assert Charge.objects.get().refunded_pence == 4600
    before = _standing()
    assert retry(failed).pk == new.pk
    with pytest.raises(ChargeStateError):
        elsewhere(failed)
    with pytest.raises(ChargeStateError):
        retry(new)
    assert _standing() == before


def test_a_failed_refund_is_paid_by_other_means_from_the_bank(heard: Heard) -> None:
    charge = f.PaidChargeFactory.create()
    bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=CLERK, now=NOW)
    failed = f.FailedRefundFactory.create(charge=charge)
    paid = elsewhere(failed, note="BACS 20261120-1")
    assert (paid.status, Charge.objects.get().refunded_pence) == ("ELSEWHERE", 9200)
    assert ledger()[-1] == ("REFUND_BANK", [("FEES_IN_ADVANCE", 9200), ("BANK", -9200)])
    assert Journal.objects.get(kind="REFUND_BANK").note == "BACS 20261120-1"
    assert heard.names[-1] == "charge_refunded"
    before = _standing()
    assert elsewhere(failed).pk == failed.pk
    assert _standing() == before


def _failed(*, is_by_policy: bool) -> Refund:
    """£185 by the policy is above the limit; £92 that a second person agreed to is outside it."""
    charge = f.PaidChargeFactory.create(**(SCD if is_by_policy else {}))
    bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=CLERK, now=NOW)
    agreed = {} if is_by_policy else {"needs_approval": True, "requested_by": "staff:8", "decided_by": "staff:9"}
    failed: Refund = f.FailedRefundFactory.create(charge=charge, decided_at=NOW if agreed else None, **agreed)
    return failed


@pytest.mark.parametrize("is_by_policy", [True, False])
def test_above_the_limit_or_outside_the_policy_a_failed_refund_is_sent_again_by_two_persons(
    is_by_policy: bool,
) -> None:
    failed = _failed(is_by_policy=is_by_policy)
    new = retry(failed, by=CLERK)
    assert (new.status, new.needs_approval, new.requested_by) == (RefundStatus.WAITING, True, "staff:7")
    assert services.send_refunds(now=NOW)["sent"] == 0
    before = _standing()
    assert retry(failed, by=CLERK).pk == new.pk
    with pytest.raises(SecondPersonError):
        approve(new, by=CLERK)
    assert _standing() == before
    assert approve(new).status == RefundStatus.REQUESTED


@pytest.mark.parametrize("is_by_policy", [True, False])
def test_above_the_limit_or_outside_the_policy_two_persons_say_that_the_bank_paid(
    heard: Heard, is_by_policy: bool
) -> None:
    failed = _failed(is_by_policy=is_by_policy)
    books = ledger()
    asked = elsewhere(failed, by=CLERK)
    assert (asked.status, asked.is_by_bank, asked.requested_by) == (RefundStatus.WAITING, True, "staff:7")
    words = AuditEvent.objects.latest("pk").words
    assert words.startswith(f"Refund of £{asked.amount_pence // 100} asked for, to be paid from the bank: ")
    assert (ledger(), "charge_refunded" in heard.names) == (books, False)
    before = _standing()
    assert elsewhere(failed, by=CLERK).pk == asked.pk
    with pytest.raises(SecondPersonError):
        approve(asked, by=CLERK)
    assert _standing() == before
    with pytest.raises(IntegrityError, match="by_bank_never_sent"), transaction.atomic():
        Refund.objects.filter(pk=asked.pk).update(status="REQUESTED", decided_by="staff:8", decided_at=NOW)
    paid = approve(asked, note="BACS 20261120-1")
    assert (paid.status, paid.decided_by) == (RefundStatus.ELSEWHERE, "staff:8")
    pence = failed.amount_pence
    assert ledger()[-1] == ("REFUND_BANK", [("FEES_IN_ADVANCE", pence), ("BANK", -pence)])
    assert (heard.names[-1], Charge.objects.get().refunded_pence) == ("charge_refunded", pence)
    before = _standing()
    assert approve(asked).pk == elsewhere(failed).pk == asked.pk
    assert _standing() == before


@pytest.mark.parametrize("what", [retry, elsewhere])
def test_a_failed_refund_is_a_task_again_when_what_was_to_follow_it_is_rejected(what: Any) -> None:
    failed = _failed(is_by_policy=False)
    asked = what(failed, by=CLERK)
    assert reject(asked).status == RefundStatus.REJECTED
    failed.refresh_from_db()
    assert (failed.status, failed.retry_of_id, Charge.objects.get().refunded_pence) == (RefundStatus.FAILED, None, 0)
    said = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(said)[-2:] == ["refund.rejected", "refund.failed"]
    before = _standing()
    assert reject(asked).pk == asked.pk
    assert _standing() == before
    again = retry(failed, by=CLERK)
    assert (again.status, again.pk != asked.pk) == (RefundStatus.WAITING, True)


def test_never_over_what_was_paid_in_whichever_way_it_goes_back() -> None:
    failed = f.FailedRefundFactory.create()
    f.SucceededRefundFactory.create(charge=failed.charge, amount_pence=1)
    before = _standing()
    for what in (retry, elsewhere):
        with pytest.raises(OverRefundError):
            what(failed)
    with pytest.raises(IntegrityError, match="over_refunded"), transaction.atomic():
        Refund.objects.filter(pk=failed.pk).update(status=RefundStatus.ELSEWHERE)
    assert _standing() == before


# --- The limit -------------------------------------------------------------------------------------------------
def _limit(over: int, day: dt.date) -> RefundLimit:
    return services.change_refund_limit(over_pence=over, valid_from=day, reason="audit advice", by=CLERK, now=NOW)


def test_the_limit_is_that_of_the_day() -> None:
    _limit(10000, dt.date(2027, 1, 1))
    on = RefundLimit.objects.on
    assert [on(day).over_pence for day in (dt.date(2026, 12, 31), dt.date(2027, 1, 1))] == [15000, 10000]


@pytest.mark.parametrize("day", [dt.date(2026, 11, 20), dt.date(2019, 12, 31)])
def test_the_limit_of_a_day_that_has_begun_stays(day: dt.date) -> None:
    with pytest.raises(LimitInThePastError):
        _limit(10000, day)
    assert (RefundLimit.objects.count(), AuditEvent.objects.count()) == (1, 0)
    with pytest.raises(IntegrityError, match="limit_no_overlap"), transaction.atomic():
        RefundLimit.objects.create(valid_from=dt.date(2027, 1, 1), over_pence=1)
