"""Database triggers of money: journals balance at commit, and ledger rows are never changed."""

import pgtrigger

balanced = pgtrigger.Trigger(
    name="balanced",
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    timing=pgtrigger.Deferred,
    func="""
        IF (SELECT sum(amount_pence) FROM payments_posting WHERE journal_id = NEW.journal_id) <> 0 THEN
            RAISE EXCEPTION 'journal % does not balance', NEW.journal_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_journal_balances';
        END IF;
        RETURN NULL;
    """,
)

# Without this a journal with no postings at all would slip past `balanced`.
has_postings = pgtrigger.Trigger(
    name="has_postings",
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    timing=pgtrigger.Deferred,
    func="""
        IF (SELECT count(*) FROM payments_posting WHERE journal_id = NEW.id) < 2 THEN
            RAISE EXCEPTION 'journal % has fewer than two postings', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payments_journal_balances';
        END IF;
        RETURN NULL;
    """,
)


def never_changed(name: str) -> pgtrigger.Trigger:
    """Refuses UPDATE, DELETE and TRUNCATE on a ledger table: a mistake is a reversing journal."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func="RAISE EXCEPTION 'the ledger is append-only: write a reversing journal';",
    )
