"""Issuing what is owed to the forces and to UKROEd, marking it as paid, and entering what courses cost KCC."""

import datetime as dt

from django.db import connection, transaction

from audit import services as audit
from audit.context import Actor
from common.clock import end_of_london_day, london_day, month_words, start_of_london_day
from common.money import pounds_and_pence
from payments import rules, selectors
from payments.constants import Account, JournalKind, Payee
from payments.errors import MonthNotOverError, PaidOnError, StatementPaidError
from payments.models import Cost, Statement, StatementPayment
from payments.services import ledger

ISSUER = Actor("job", "issue_statements")
# One statement of SQL, so that what the statement counts and what it lists are the same postings. What is owed is a
# credit; what pays a statement is none of it. A posting that is on a statement never comes again.
_ISSUE = """
    WITH due AS MATERIALIZED (
        SELECT p.id, p.force_code, -p.amount_pence AS pence, j.occurred_at, j.booking_reference,
               CASE WHEN j.kind = 'COMPLETED' AND j.occurred_at >= %(starts_at)s THEN 'COMPLETED' ELSE 'CORRECTION' END
                   AS kind
        FROM payments_posting p JOIN payments_journal j ON j.id = p.journal_id
        WHERE p.account = %(account)s AND j.kind <> 'SETTLED' AND j.occurred_at < %(ends_at)s
            AND NOT EXISTS (SELECT FROM payments_statementline l WHERE l.posting_id = p.id)
    ), issued AS (
        INSERT INTO payments_statement (month, payee, force_code, issued_at, issued_by, completed, completed_pence,
            corrections, corrections_pence, total_pence)
        SELECT %(month)s, %(payee)s, force_code, %(now)s, %(by)s,
               count(*) FILTER (WHERE kind = 'COMPLETED'),
               coalesce(sum(pence) FILTER (WHERE kind = 'COMPLETED'), 0),
               count(*) FILTER (WHERE kind = 'CORRECTION'),
               coalesce(sum(pence) FILTER (WHERE kind = 'CORRECTION'), 0), sum(pence)
        FROM due GROUP BY force_code ORDER BY force_code
        ON CONFLICT (month, force_code) DO NOTHING
        RETURNING id, force_code
    )
    INSERT INTO payments_statementline (statement_id, posting_id, kind, occurred_at, booking_reference, amount_pence)
    SELECT issued.id, due.id, due.kind, due.occurred_at, due.booking_reference, due.pence
    FROM due JOIN issued USING (force_code) ORDER BY issued.id, due.occurred_at, due.id
"""


@transaction.atomic(durable=True)
def issue_statements(*, month: dt.date, by: Actor = ISSUER, now: dt.datetime) -> list[Statement]:
    """Freeze what fell due to each force and to UKROEd in a London month, given by any of its days.

    Whatever the ledger has of earlier months that is on no statement yet is a correction on this one. Issued again it
    does nothing and returns no statement. Raises MonthNotOverError for a month that runs, or before one issued later.
    """
    month = month.replace(day=1)
    first_after = _next(month)
    if london_day(now) < first_after or Statement.objects.filter(month__gt=month).exists():
        raise MonthNotOverError
    if Statement.objects.filter(month=month).exists():
        return []
    with connection.cursor() as cursor:
        for payee, account in ((Payee.FORCE, Account.POLICE_PAYABLE), (Payee.UKROED, Account.LEVY_PAYABLE)):
            facts: dict[str, str | dt.datetime | dt.date] = {
                "month": month,
                "payee": payee,
                "account": account,
                "starts_at": start_of_london_day(month),
                "ends_at": start_of_london_day(first_after),
                "now": now,
                "by": str(by),
            }
            cursor.execute(_ISSUE, facts)
    new = list(Statement.objects.filter(month=month, issued_at=now, issued_by=str(by)).order_by("pk"))
    for statement in new:
        words = f"Statement {statement.number} issued: {statement.completed} courses completed"
        words = f"{words}, {statement.corrections} corrections, {pounds_and_pence(statement.total_pence)} to pay"
        audit.record("statement.issued", by=by, now=now, words=words, subject=f"statement:{statement.pk}")
    return new


def issue_due_statements(*, by: Actor = ISSUER, now: dt.datetime) -> list[Statement]:
    """Issue the statements of every month that is over and has none, the earliest first. May be repeated."""
    issued = []
    month = selectors.first_month_to_issue()
    while month is not None and _next(month) <= london_day(now):
        issued += issue_statements(month=month, by=by, now=now)
        month = _next(month)
    return issued


@transaction.atomic(durable=True)
def mark_statement_paid(
    *, statement_id: int, paid_on: dt.date, reference: str, by: Actor, now: dt.datetime
) -> StatementPayment:
    """Record that the bank paid a statement, in the ledger too. Once: raises StatementPaidError, also for nothing.

    Raises PaidOnError for a day to come or in the statement's own month. Locks the statement.
    """
    statement = Statement.objects.select_for_update().get(pk=statement_id)
    if statement.total_pence == 0 or StatementPayment.objects.filter(statement=statement).exists():
        raise StatementPaidError
    if not _next(statement.month) <= paid_on <= london_day(now):
        raise PaidOnError
    journal = ledger.write_journal(
        JournalKind.SETTLED,
        source=f"settled:statement:{statement.pk}",
        lines=rules.settled_lines(total_pence=statement.total_pence, force_code=statement.force_code),
        occurred_at=min(now, end_of_london_day(paid_on) - dt.timedelta(microseconds=1)),
        booking_reference="",
        by=by,
        now=now,
        note=f"{statement} {reference}"[:200],
    )
    if journal is None:
        raise StatementPaidError
    payment = StatementPayment.objects.create(
        statement=statement,
        journal=journal,
        paid_on=paid_on,
        reference=reference[:60],
        recorded_at=now,
        recorded_by=str(by),
    )
    words = f"Statement {statement.number} paid: {pounds_and_pence(statement.total_pence)}"
    subject = f"statement:{statement.pk}"
    audit.record("statement.paid", by=by, now=now, words=words, subject=subject, reason=reference)
    return payment


@transaction.atomic(durable=True)
def enter_cost(*, month: dt.date, kind: str, amount_pence: int, note: str, by: Actor, now: dt.datetime) -> Cost:
    """Enter what a month cost, for the surplus statement; a mistake is corrected by an entry below nought."""
    cost = Cost.objects.create(
        month=month.replace(day=1),
        kind=kind,
        amount_pence=amount_pence,
        note=note[:200],
        entered_at=now,
        entered_by=str(by),
    )
    words = f"{cost.get_kind_display()} in {month_words(cost.month)}: {pounds_and_pence(amount_pence)}"
    audit.record("cost.entered", by=by, now=now, words=words, subject=f"cost:{cost.pk}", reason=note)
    return cost


def _next(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)
