"""Database triggers of money: journals balance at commit, ledger rows are never changed, refunds are counted.

None of them can be skipped with `pgtrigger.ignore`.
"""

import pgtrigger

from common.triggers import Unskippable


def balanced(journal_column: str) -> Unskippable:
    """Checks at commit that a journal has two postings or more, that they balance, and that none joined it later."""
    return Unskippable(
        name="balanced",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        declare=[("its", "record")],
        func=f"""
            SELECT count(p.id) AS postings, coalesce(sum(p.amount_pence), 0) AS difference,
                   coalesce(sum(p.amount_pence) FILTER (WHERE p.amount_pence > 0), 0) AS debits, j.total_pence
            INTO its
            FROM payments_journal j LEFT JOIN payments_posting p ON p.journal_id = j.id
            WHERE j.id = NEW.{journal_column} GROUP BY j.id;
            IF its.postings < 2 OR its.difference <> 0 OR its.debits <> its.total_pence THEN
                RAISE EXCEPTION 'journal % does not balance: % postings, difference %, debits % of %',
                    NEW.{journal_column}, its.postings, its.difference, its.debits, its.total_pence
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_journal_balances';
            END IF;
            RETURN NULL;
        """,  # noqa: S608 - the column is named in models.py
    )


def never_changed(name: str) -> Unskippable:
    """Refuses UPDATE, DELETE and TRUNCATE on a ledger table: a mistake is a reversing journal."""
    return Unskippable(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func="""
            RAISE EXCEPTION 'the ledger is append-only: write a reversing journal'
                USING ERRCODE = 'integrity_constraint_violation';
        """,
    )


# What is asked for or done counts at once, so that two refunds of one payment meet at the CHECKs of the charge and of
# the attempt, whichever door they came through. One that failed or was rejected no longer counts.
count_refund = Unskippable(
    name="count_refund",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("status", "amount_pence"),
    declare=[("counted", "integer := 0")],
    func="""
        IF NEW.status NOT IN ('FAILED', 'REPLACED', 'REJECTED') THEN
            counted := NEW.amount_pence;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.status NOT IN ('FAILED', 'REPLACED', 'REJECTED') THEN
            counted := counted - OLD.amount_pence;
        END IF;
        IF counted <> 0 THEN
            UPDATE payments_charge SET refunded_pence = refunded_pence + counted WHERE id = NEW.charge_id;
            UPDATE payments_attempt SET refunded_pence = refunded_pence + counted
            WHERE id = NEW.attempt_id AND charge_id = NEW.charge_id;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'attempt % is not of charge %', NEW.attempt_id, NEW.charge_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_refund_of_its_charge';
            END IF;
        END IF;
        RETURN NULL;
    """,
)

refund_stays = Unskippable(
    name="stays",
    level=pgtrigger.Statement,
    when=pgtrigger.Before,
    operation=pgtrigger.Delete | pgtrigger.Truncate,
    func="""
        RAISE EXCEPTION 'a refund is never removed' USING ERRCODE = 'integrity_constraint_violation';
    """,
)

refund_keeps_its_payment = Unskippable(
    name="keeps_its_payment",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("charge_id", "attempt_id"),
    condition=pgtrigger.AnyChange("charge", "attempt"),
    func="""
        RAISE EXCEPTION 'a refund is never moved to another payment' USING ERRCODE = 'integrity_constraint_violation';
    """,
)

# A statement is issued in one statement of SQL with all its lines, so whatever joins it later is one too many.
statement_adds_up = Unskippable(
    name="statement_adds_up",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="new_rows"),
    declare=[("wrong", "bigint")],
    func="""
        SELECT s.id INTO wrong
        FROM (SELECT DISTINCT statement_id FROM new_rows) n
        JOIN payments_statement s ON s.id = n.statement_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS lines, coalesce(sum(l.amount_pence), 0) AS pence,
                   count(*) FILTER (WHERE l.kind = 'COMPLETED') AS completed
            FROM payments_statementline l WHERE l.statement_id = s.id
        ) its
        WHERE its.lines <> s.completed + s.corrections OR its.pence <> s.total_pence
            OR its.completed <> s.completed
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'statement % is not the sum of its lines', wrong
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_statement_adds_up';
        END IF;
        RETURN NULL;
    """,
)
