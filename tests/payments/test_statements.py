"""Statements: the ledger's postings of a month, frozen; what is learnt later is on the next one; paid once."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from payments import selectors, services
from payments.constants import CostKind
from payments.errors import MonthNotOverError, PaidOnError, StatementPaidError
from payments.models import Charge, Cost, Journal, Statement, StatementLine, StatementPayment
from payments.services import ledger as bookkeeping
from tests.factories import payments as f
from tests.payments.conftest import CLERK, ledger, races, together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]
UTC = dt.UTC
APRIL, MAY = dt.date(2027, 4, 1), dt.date(2027, 5, 1)
IN_APRIL = dt.datetime(2027, 4, 10, 12, tzinfo=UTC)
IN_MAY = dt.datetime(2027, 5, 3, 9, tzinfo=UTC)
IN_JUNE = dt.datetime(2027, 6, 2, 9, tzinfo=UTC)


@transaction.atomic
def _completed(force: str, at: dt.datetime) -> Charge:
    charge = f.PaidChargeFactory.create(force_code=force, now=at)
    bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=CLERK, now=at)
    services.record_completion(booking_reference=charge.booking_reference, by=CLERK, now=at)
    return charge


def _undo(charge: Charge, at: dt.datetime) -> None:
    services.reverse_completion(booking_reference=charge.booking_reference, reason="wrong", by=CLERK, now=at)


def _issue(month: dt.date, now: dt.datetime) -> dict[str, tuple[int, int, int, int, int]]:
    return {
        one.number: (one.completed, one.completed_pence, one.corrections, one.corrections_pence, one.total_pence)
        for one in services.issue_statements(month=month, by=CLERK, now=now)
    }


def test_a_month_is_what_fell_due_in_it_to_each_force_and_ukroed() -> None:
    for force in ("46", "46", "42"):
        _completed(force, IN_APRIL)
    # London's April ends an hour before UTC's.
    _completed("46", dt.datetime(2027, 4, 30, 22, 59, 59, tzinfo=UTC))
    _completed("46", dt.datetime(2027, 4, 30, 23, 0, tzinfo=UTC))
    assert _issue(dt.date(2027, 4, 17), IN_MAY) == {
        "2027-04-42": (1, 4500, 0, 0, 4500),
        "2027-04-46": (3, 13500, 0, 0, 13500),
        "2027-04-UKROED": (4, 1200, 0, 0, 1200),
    }
    words = "Statement 2027-04-46 issued: 3 courses completed, 0 corrections, £135.00 to pay"
    assert AuditEvent.objects.filter(action="statement.issued", words=words).count() == 1


def test_issued_again_it_is_what_it_was_and_late_facts_are_corrections_next_month() -> None:
    first = _completed("46", IN_APRIL)
    _issue(APRIL, IN_MAY)
    before = list(Statement.objects.values()), list(StatementLine.objects.values()), AuditEvent.objects.count()
    assert _issue(APRIL, IN_MAY) == {}
    _completed("46", IN_APRIL)  # learnt late
    _completed("42", IN_APRIL)
    assert _issue(APRIL, IN_MAY) == {}
    assert (list(Statement.objects.values()), list(StatementLine.objects.values())) == before[:2]
    _undo(first, IN_MAY)
    _completed("46", IN_MAY)
    assert _issue(MAY, IN_JUNE) == {
        "2027-05-42": (0, 0, 1, 4500, 4500),
        "2027-05-46": (1, 4500, 2, 0, 4500),
        "2027-05-UKROED": (1, 300, 3, 300, 600),
    }


def test_statements_and_ledger_agree_to_the_penny() -> None:
    charges = [_completed("46", IN_APRIL) for _ in range(3)]
    _undo(charges[0], IN_APRIL)
    _issue(APRIL, IN_MAY)
    owed = {(line.account, line.force_code): -line.pence for line in selectors.trial_balance(day=dt.date(2027, 4, 30))}
    totals = dict(Statement.objects.values_list("force_code", "total_pence"))
    assert totals == {"46": owed["POLICE_PAYABLE", "46"], "": owed["LEVY_PAYABLE", ""]} == {"46": 9000, "": 600}


@pytest.mark.parametrize("month", [dt.date(2027, 6, 1), dt.date(2027, 7, 1), dt.date(2027, 3, 1)])
def test_a_month_that_runs_or_comes_before_one_issued_is_refused(month: dt.date) -> None:
    _completed("46", IN_APRIL)
    _issue(APRIL, IN_MAY)
    before = Statement.objects.count(), AuditEvent.objects.count()
    with pytest.raises(MonthNotOverError):
        _issue(month, IN_JUNE)
    assert (Statement.objects.count(), AuditEvent.objects.count()) == before


def test_the_command_issues_every_month_that_is_over_and_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    _completed("46", IN_APRIL)
    _completed("46", IN_MAY)
    for expected in (["2027-04-46", "2027-04-UKROED", "2027-05-46", "2027-05-UKROED"], []):
        call_command("issue_statements", "--now", IN_JUNE.isoformat(), "--json")
        assert json.loads(capsys.readouterr().out) == {"issued": expected}
    call_command("issue_statements", "--now", IN_JUNE.isoformat(), "--month", "2027-05")
    assert capsys.readouterr().out == "0 issued: none\n"


@races
def test_issued_by_two_at_once_it_is_issued_once() -> None:
    _completed("46", IN_APRIL)
    issue: Callable[[], Any] = lambda: _issue(APRIL, IN_MAY)  # noqa: E731
    answers = together(issue, issue)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert (Statement.objects.count(), StatementLine.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE payments_statement SET total_pence = 0, completed_pence = 0",
        "DELETE FROM payments_statementline",
        "UPDATE payments_statementline SET amount_pence = 1",
        "TRUNCATE payments_statementpayment",
    ],
)
def test_what_is_issued_is_never_changed(sql: str) -> None:
    _completed("46", IN_APRIL)
    _issue(APRIL, IN_MAY)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Statement.objects.count() == 2


def test_no_line_joins_a_statement_later_and_none_is_on_two() -> None:
    _completed("46", IN_APRIL)
    _issue(APRIL, IN_MAY)
    line = StatementLine.objects.first()
    assert line is not None
    late = _completed("46", IN_APRIL)
    posting = Journal.objects.get(booking_reference=late.booking_reference, kind="COMPLETED").postings.first()
    assert posting is not None
    line.pk = None
    with pytest.raises(IntegrityError, match="posting_id"), transaction.atomic():
        line.save(force_insert=True)
    line.posting = posting
    with pytest.raises(IntegrityError, match="is not the sum of its lines"), transaction.atomic():
        line.save(force_insert=True)


# --- Paid ------------------------------------------------------------------------------------------------------
def _pay(statement: Statement, day: dt.date = dt.date(2027, 5, 3)) -> StatementPayment:
    return services.mark_statement_paid(
        statement_id=statement.pk, paid_on=day, reference="BACS 1", by=CLERK, now=IN_MAY
    )


def test_a_statement_is_paid_once_from_the_bank() -> None:
    _completed("46", IN_APRIL)
    _issue(APRIL, IN_MAY)
    force, ukroed = Statement.objects.get(force_code="46"), Statement.objects.get(force_code="")
    _pay(force)
    _pay(ukroed)
    assert ledger()[-2:] == [
        ("SETTLED", [("POLICE_PAYABLE", 4500), ("BANK", -4500)]),
        ("SETTLED", [("LEVY_PAYABLE", 300), ("BANK", -300)]),
    ]
    owed = {line.account: line.pence for line in selectors.trial_balance(day=dt.date(2027, 5, 3))}
    assert (owed["POLICE_PAYABLE"], owed["LEVY_PAYABLE"], owed["BANK"]) == (0, 0, -4800)
    with pytest.raises(StatementPaidError):
        _pay(force)
    assert (Journal.objects.filter(kind="SETTLED").count(), StatementPayment.objects.count()) == (2, 2)
    # A payment is no correction of the month it was made in.
    assert _issue(MAY, IN_JUNE) == {}


@pytest.mark.parametrize("day", [dt.date(2027, 4, 30), dt.date(2027, 5, 4)])
def test_it_is_paid_after_its_month_and_not_in_the_future(day: dt.date) -> None:
    _completed("46", IN_APRIL)
    _issue(APRIL, IN_MAY)
    with pytest.raises(PaidOnError):
        _pay(Statement.objects.get(force_code="46"), day)
    assert (Journal.objects.filter(kind="SETTLED").count(), StatementPayment.objects.count()) == (0, 0)


def test_a_statement_of_nothing_is_not_paid() -> None:
    _undo(_completed("46", IN_APRIL), IN_APRIL)
    assert _issue(APRIL, IN_MAY)["2027-04-46"] == (1, 4500, 1, -4500, 0)
    with pytest.raises(StatementPaidError):
        _pay(Statement.objects.get(force_code="46"))


# --- Surplus ---------------------------------------------------------------------------------------------------
def test_the_surplus_is_income_less_costs(django_assert_num_queries: Any) -> None:
    _completed("46", IN_APRIL)
    refunded = _completed("46", IN_APRIL)
    bookkeeping.write_journal(
        "REFUNDED",
        source="refunded:re_1",
        lines=bookkeeping.rules.refunded_lines(
            amount_pence=9200,
            purpose="COURSE_FEE",
            parts=bookkeeping.parts_of(refunded),
            is_earned=True,
            is_extra=False,
        ),
        occurred_at=IN_APRIL,
        booking_reference=refunded.booking_reference,
        by=CLERK,
        now=IN_APRIL,
    )
    _completed("46", IN_MAY)
    for kind, pence in ((CostKind.TRAINERS, 11000), (CostKind.TRAINERS, -1000), (CostKind.VENUES, 500)):
        services.enter_cost(month=IN_APRIL.date(), kind=kind, amount_pence=pence, note="x", by=CLERK, now=IN_APRIL)
    assert Cost.objects.filter(month=APRIL).count() == 3
    with django_assert_num_queries(3):
        april = selectors.surplus(first=APRIL, last=APRIL)
    assert dict(april.income) == {
        "KCC course income": 8800,
        "Move and rebooking income": 0,
        "Refunds out of income": -9200,
        "Stripe fees": 0,
    }
    assert dict(april.costs) == {"Trainers": -10000, "Venues": -500, "Staff": 0, "Overheads": 0}
    assert (april.income_pence, april.costs_pence, april.pence) == (-400, -10500, -10900)
    assert selectors.surplus(first=APRIL, last=MAY).pence == -6500
