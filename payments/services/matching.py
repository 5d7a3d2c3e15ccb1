"""Laying Stripe's side of a day beside ours, set by set in SQL: fifty thousand lines are matched in a second or two.

`lines` are the rows of `StripeTransaction` that one turn of one run has read. Nothing here calls Stripe.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from audit.context import Actor
from payments import rules
from payments.constants import ExceptionKind
from payments.rules import Finding

_SLICE = 10_000
CLEARING = "STRIPE_CLEARING"


@dataclass(frozen=True, slots=True)
class Lines:
    """Which rows: those that `turn` of a run has read."""

    run_id: int
    turn: int

    @property
    def values(self) -> dict[str, Any]:
        """For a query that says `run_id = %(run)s AND turn = %(turn)s`."""
        return {"run": self.run_id, "turn": self.turn}


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A line without a journal: what Stripe says moved, and what it was about."""

    line_id: int
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal that touches the clearing account."""

    source: str
    pence: int
    booking_reference: str


def name_payments(lines: Lines) -> None:
    """Give each payment's line the name of its journal, through the attempt it belongs to."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE payments_stripetransaction l SET ledger_source = 'paid:' || a.payment_intent_id
            FROM payments_attempt a
            WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND l.kind = 'CHARGE' AND l.ledger_source = ''
                AND a.stripe_charge_id = l.source AND a.stripe_charge_id <> '' AND a.paid_at IS NOT NULL
            """,
            lines.values,
        )


def unmatched(lines: Lines, *, are_payments: bool, after: int = 0, limit: int = 200) -> list[Unmatched]:
    """Lines that no journal answers to, payments or all others, in the order of their ids, from `after` on."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id, l.kind, l.source FROM payments_stripetransaction l
            LEFT JOIN payments_journal j ON j.source = l.ledger_source AND l.ledger_source <> ''
            WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND l.id > %(after)s AND j.id IS NULL AND l.kind <> 'FEE'
                AND (l.kind = 'CHARGE') = %(are_payments)s
            ORDER BY l.id LIMIT %(limit)s
            """,
            {**lines.values, "are_payments": are_payments, "after": after, "limit": limit},
        )
        return [Unmatched(*row) for row in cursor.fetchall()]


def analyse() -> None:
    """Tell the planner what was just copied: it would take a day's lines for a handful."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE payments_stripetransaction")


def write_fees(lines: Lines, *, by: Actor, now: dt.datetime) -> int:
    """Book every fee that Stripe kept on the day and that is not booked yet; returns how many.

    In slices of their own transactions, so that no lock is held for long; repeated, it writes nothing.
    """
    written, after = 0, 0
    while True:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT max(id) FROM (
                    SELECT id FROM payments_stripetransaction
                    WHERE run_id = %(run)s AND turn = %(turn)s AND id > %(after)s ORDER BY id LIMIT %(limit)s) slice
                """,
                {**lines.values, "after": after, "limit": _SLICE},
            )
            (last,) = cursor.fetchone()
            if last is None:
                return written
            written += _write_fees(
                cursor, {**lines.values, "after": after, "last": last, "now": now, "by": str(by), "currency": "gbp"}
            )
        after = last


def _write_fees(cursor: Any, given: dict[str, Any]) -> int:
    # The journals first and their postings by another statement, which looks each up by its source: joining the two
    # sets inside one statement, the planner has no idea how many there are.
    cursor.execute(
        """
        INSERT INTO payments_journal (kind, source, occurred_at, recorded_at, booking_reference, total_pence,
            recorded_by, note)
        SELECT 'STRIPE_FEE', 'stripe-fee:' || l.transaction_id, l.created_at, %(now)s,
            coalesce(j.booking_reference, ''), abs(fee.pence), %(by)s, ''
        FROM payments_stripetransaction l
        CROSS JOIN LATERAL (SELECT CASE WHEN l.kind = 'FEE' THEN -l.amount_pence ELSE l.fee_pence END AS pence) fee
        LEFT JOIN payments_journal j ON j.source = l.ledger_source AND l.ledger_source <> ''
        WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND l.id > %(after)s AND l.id <= %(last)s
            AND l.currency = %(currency)s AND fee.pence <> 0
            AND NOT EXISTS (SELECT 1 FROM payments_journal f WHERE f.source = 'stripe-fee:' || l.transaction_id)
        ORDER BY l.id
        ON CONFLICT (source) DO NOTHING
        """,
        given,
    )
    written: int = cursor.rowcount
    if written:
        cursor.execute(
            """
            INSERT INTO payments_posting (journal_id, account, force_code, amount_pence)
            SELECT j.id, side.account, '',
                side.sign * CASE WHEN l.kind = 'FEE' THEN -l.amount_pence ELSE l.fee_pence END
            FROM payments_stripetransaction l
            JOIN payments_journal j ON j.source = 'stripe-fee:' || l.transaction_id
            CROSS JOIN (VALUES ('STRIPE_FEES', 1), ('STRIPE_CLEARING', -1)) AS side (account, sign)
            WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND l.id > %(after)s AND l.id <= %(last)s
                AND NOT EXISTS (SELECT 1 FROM payments_posting p WHERE p.journal_id = j.id)
            ORDER BY l.id, side.sign DESC
            """,
            given,
        )
    return written


def differences(lines: Lines) -> Iterator[Finding]:
    """Where a line and our books do not say the same: with its journal, or with our payment or refund."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.transaction_id, l.type, l.kind, l.source, l.amount_pence, l.currency, l.ledger_source,
                j.id IS NOT NULL, coalesce(j.booking_reference, ''), p.pence, coalesce(a.paid_pence, -r.amount_pence),
                coalesce(f.pence, 0)
            FROM payments_stripetransaction l
            LEFT JOIN payments_journal j ON j.source = l.ledger_source AND l.ledger_source <> ''
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount_pence), 0) AS pence FROM payments_posting
                WHERE journal_id = j.id AND account = 'STRIPE_CLEARING'
            ) p ON j.id IS NOT NULL
            LEFT JOIN payments_attempt a ON l.kind = 'CHARGE' AND a.stripe_charge_id = l.source
                AND a.stripe_charge_id <> '' AND a.paid_at IS NOT NULL
            LEFT JOIN payments_refund r ON l.kind = 'REFUND' AND r.stripe_refund_id = l.source
                AND r.stripe_refund_id <> ''
            LEFT JOIN LATERAL (
                SELECT sum(fp.amount_pence) AS pence FROM payments_journal fj
                JOIN payments_posting fp ON fp.journal_id = fj.id AND fp.account = 'STRIPE_CLEARING'
                WHERE fj.source = 'stripe-fee:' || l.transaction_id
            ) f ON l.currency <> %(currency)s
            WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND (
                j.id IS NULL OR p.pence <> l.amount_pence OR l.currency <> %(currency)s
                OR coalesce(a.paid_pence, -r.amount_pence, l.amount_pence) <> l.amount_pence)
            ORDER BY l.id
            """,
            {**lines.values, "currency": rules.CURRENCY},
        )
        for row in cursor.fetchall():
            yield _difference(_Compared(*row))
        yield from _fee_differences(cursor, lines)


@dataclass(frozen=True, slots=True)
class _Compared:
    """A line with what we have of it: `ours` is on the clearing account, `row_says` in our payment or refund.

    `fee` is what we booked of its fee, asked only of a line in another currency, which has none in ours.
    """

    transaction_id: str
    type: str
    kind: str
    source: str
    theirs: int
    currency: str
    ledger_source: str
    is_booked: bool
    reference: str
    ours: int | None
    row_says: int | None
    fee: int


def _difference(line: _Compared) -> Finding:
    about, theirs, ours = f"{line.type} {line.source}".strip(), line.theirs, line.ours
    if line.currency != rules.CURRENCY:
        note = f"{about} is in {line.currency.upper()}"
        return Finding(
            ExceptionKind.CURRENCY, line.transaction_id, ours, theirs, (ours or 0) + line.fee, note, line.reference
        )
    if not line.is_booked:
        note = f"{about} has no entry in the ledger"
        return Finding(ExceptionKind.AT_STRIPE_ONLY, line.transaction_id, None, theirs, -theirs, note)
    if ours is not None and ours != theirs:
        note = f"{about} and the entry {line.ledger_source}"
        return Finding(ExceptionKind.AMOUNT, line.transaction_id, ours, theirs, ours - theirs, note, line.reference)
    note = f"{about}: the ledger agrees, our {'refund' if line.kind == 'REFUND' else 'payment'} does not"
    return Finding(ExceptionKind.AMOUNT, line.transaction_id, line.row_says, theirs, 0, note, line.reference)


def _fee_differences(cursor: Any, lines: Lines) -> Iterator[Finding]:
    cursor.execute(
        """
        SELECT l.transaction_id, l.fee_pence, j.booking_reference, p.pence
        FROM payments_stripetransaction l
        JOIN payments_journal j ON j.source = 'stripe-fee:' || l.transaction_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_pence), 0) AS pence FROM payments_posting
            WHERE journal_id = j.id AND account = 'STRIPE_CLEARING'
        ) p
        WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND l.kind <> 'FEE' AND l.currency = %(currency)s
            AND p.pence <> -l.fee_pence
        ORDER BY l.id
        """,
        {**lines.values, "currency": rules.CURRENCY},
    )
    for transaction_id, fee, reference, ours in cursor.fetchall():
        subject, note = f"stripe-fee:{transaction_id}", "Stripe's fee and the entry of it"
        yield Finding(ExceptionKind.AMOUNT, subject, ours, -fee, ours + fee, note, reference)


def entries_without_line(lines: Lines, *, start: dt.datetime, end: dt.datetime) -> list[Entry]:
    """Journals of the day that touch the clearing account and that no line read for it answers to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH named AS MATERIALIZED (
                SELECT ledger_source AS source FROM payments_stripetransaction
                WHERE run_id = %(run)s AND turn = %(turn)s AND ledger_source <> ''
                UNION ALL
                SELECT 'stripe-fee:' || transaction_id FROM payments_stripetransaction
                WHERE run_id = %(run)s AND turn = %(turn)s
            )
            SELECT j.source, sum(p.amount_pence), j.booking_reference
            FROM payments_journal j JOIN payments_posting p ON p.journal_id = j.id
            WHERE j.occurred_at >= %(start)s AND j.occurred_at < %(end)s AND p.account = 'STRIPE_CLEARING'
                AND NOT EXISTS (SELECT 1 FROM named WHERE named.source = j.source)
            GROUP BY j.id ORDER BY j.id
            """,
            {**lines.values, "start": start, "end": end},
        )
        return [Entry(*row) for row in cursor.fetchall()]


def rows_without_entry(lines: Lines, *, start: dt.datetime, end: dt.datetime) -> list[Finding]:
    """Payments of the day that neither the ledger nor Stripe's lines know: somebody wrote them past the services."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.payment_intent_id, a.paid_pence, c.booking_reference
            FROM payments_attempt a JOIN payments_charge c ON c.id = a.charge_id
            WHERE a.paid_at >= %(start)s AND a.paid_at < %(end)s
                AND NOT EXISTS (SELECT 1 FROM payments_journal j WHERE j.source = 'paid:' || a.payment_intent_id)
                AND NOT EXISTS (
                    SELECT 1 FROM payments_stripetransaction l
                    WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND l.source = a.stripe_charge_id)
            ORDER BY a.id
            """,
            {**lines.values, "start": start, "end": end},
        )
        note = "we hold it for paid; neither the ledger nor Stripe knows of it"
        return [
            Finding(ExceptionKind.WITH_US_ONLY, f"payment:{intent}", pence, None, 0, note, reference)
            for intent, pence, reference in cursor.fetchall()
        ]


def booked_later(lines: Lines, *, end: dt.datetime) -> int:
    """Pence on the clearing account of journals that answer to lines of the day but are dated after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(p.amount_pence), 0) FROM payments_stripetransaction l
            JOIN payments_journal j ON j.source = l.ledger_source AND l.ledger_source <> ''
            JOIN payments_posting p ON p.journal_id = j.id
            WHERE l.run_id = %(run)s AND l.turn = %(turn)s AND j.occurred_at >= %(end)s
                AND p.account = 'STRIPE_CLEARING'
            """,
            {**lines.values, "end": end},
        )
        return int(cursor.fetchone()[0])


def clearing_balance(*, end: dt.datetime) -> int:
    """The clearing account's balance in pence, of all that happened before `end`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(p.amount_pence), 0) FROM payments_posting p
            JOIN payments_journal j ON j.id = p.journal_id
            WHERE p.account = 'STRIPE_CLEARING' AND j.occurred_at < %s
            """,
            [end],
        )
        return int(cursor.fetchone()[0])


def totals(lines: Lines) -> dict[str, tuple[int, int, int]]:
    """By kind of movement: how many, what they add up to, and their fees, all in pounds sterling."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT kind, count(*), sum(amount_pence), sum(fee_pence) FROM payments_stripetransaction
            WHERE run_id = %(run)s AND turn = %(turn)s GROUP BY kind
            """,
            lines.values,
        )
        return {kind: (count, int(pence), int(fees)) for kind, count, pence, fees in cursor.fetchall()}
