"""What finance's CSV files hold, and how their cells are written. Bookings go by reference; no person is named."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import OuterRef, QuerySet, Subquery

from common.clock import end_of_london_day, london_day, start_of_london_day
from payments import rules
from payments.constants import (
    Account,
    AttemptStatus,
    ChargeStatus,
    ExportKind,
    JournalKind,
    Purpose,
    RefundReason,
    RefundStatus,
)
from payments.models import Attempt, Charge, Posting, Refund
from referrals.files.protection import protect

_CHUNK_ROWS = 2000
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's headings, its rows as a query, and how one becomes cells."""

    headings: tuple[str, ...]
    rows: "QuerySet[Any, Row]"
    cells: Callable[[Row], Iterable[object]]

    def lines(self) -> Iterator[str]:
        """The rows as lines of CSV, without the headings, of one moment and in flat memory.

        To be run through inside a transaction. The cursor is the server's own: `iterator()` would fetch all rows at
        once, since server-side cursors are switched off for the sake of a connection pool.
        """
        sql, params = self.rows.query.sql_with_params()
        with connections[self.rows.db].chunked_cursor() as cursor:
            cursor.execute(sql, params)
            while rows := cursor.fetchmany(_CHUNK_ROWS):
                for row in rows:
                    yield line(self.cells(row))


def sheet_of(*, kind: str, first_on: dt.date, last_on: dt.date) -> Sheet:
    """The records of a kind from one London day to another, both counted."""
    makers = {ExportKind.JOURNALS: _journals, ExportKind.CHARGES: _charges, ExportKind.REFUNDS: _refunds}
    return makers[ExportKind(kind)](start_of_london_day(first_on), end_of_london_day(last_on))


def line(cells: Iterable[object]) -> str:
    """A line of CSV in which no cell is taken for a formula."""
    text = io.StringIO()
    csv.writer(text).writerow([protect(str(cell)) for cell in cells])
    return text.getvalue()


def sides(pence: int) -> tuple[str, str]:
    """Debit and credit in pounds, never with a sign; a debit is above nought."""
    return (amount(pence), "") if pence > 0 else ("", amount(-pence))


def amount(pence: int) -> str:
    """Pounds as the finance system reads them, "1234.50": no sign of the currency, no commas. Not below nought."""
    return f"{pence // 100}.{pence % 100:02d}"


def _journals(since: dt.datetime, before: dt.datetime) -> Sheet:
    """Every posting of the ledger's journals in the period: it balances."""
    rows = Posting.objects.filter(journal__occurred_at__gte=since, journal__occurred_at__lt=before)
    names = ("kind", "source", "occurred_at", "booking_reference")
    return Sheet(
        ("journal", "line", "date", "kind", "source", "booking", "account", "force", "debit", "credit"),
        rows.order_by("journal_id", "pk").values_list(
            "journal_id", "pk", *(f"journal__{name}" for name in names), "account", "force_code", "amount_pence"
        ),
        _journal_cells,
    )


def _journal_cells(row: Row) -> Iterable[object]:
    journal, posting, kind, source, occurred_at, booking, account, force, pence = row
    words = JournalKind(kind).label, source, booking, Account(account).label, force
    return (journal, posting, london_day(occurred_at).isoformat(), *words, *sides(pence))


def _charges(since: dt.datetime, before: dt.datetime) -> Sheet:
    """Every charge opened in the period, with its parts and the payment that settled it."""
    settled = Attempt.objects.filter(charge=OuterRef("pk"), status=AttemptStatus.PAID, is_extra=False).order_by("pk")
    rows = Charge.objects.filter(created_at__gte=since, created_at__lt=before).annotate(
        paid_at=Subquery(settled.values("paid_at")[:1]),
        intent=Subquery(settled.values("payment_intent_id")[:1]),
        last4=Subquery(settled.values("card_last4")[:1]),
    )
    return Sheet(
        (
            "charge", "opened", "booking", "force", "purpose", "status", "amount", "police", "levy", "vat", "kcc",
            "paid", "refunded", "paid_on", "stripe_payment", "card_last_four",
        ),
        rows.order_by("pk").values_list(
            "pk", "created_at", "booking_reference", "force_code", "purpose", "status", "amount_pence", "parts",
            "paid_pence", "refunded_pence", "paid_at", "intent", "last4",
        ),
        _charge_cells,
    )  # fmt: skip


def _charge_cells(row: Row) -> Iterable[object]:
    pk, created_at, booking, force, purpose, status, pence, parts_json, paid, refunded, paid_at, intent, last4 = row
    parts = rules.parts_of(json.loads(parts_json), amount_pence=pence)
    amounts = (pence, parts.police, parts.levy, parts.vat, parts.provider, paid, refunded)
    return (
        pk,
        london_day(created_at).isoformat(),
        booking,
        force,
        Purpose(purpose).label,
        ChargeStatus(status).label,
        *map(amount, amounts),
        london_day(paid_at).isoformat() if paid_at else "",
        intent or "",
        last4 or "",
    )


def _refunds(since: dt.datetime, before: dt.datetime) -> Sheet:
    """Every refund asked for in the period. Notes stay behind: they are people's own words."""
    rows = Refund.objects.filter(requested_at__gte=since, requested_at__lt=before)
    return Sheet(
        ("refund", "asked", "booking", "charge", "amount", "cause", "status", "status_on", "stripe_refund",
         "stripe_payment", "card_last_four"),
        rows.order_by("pk").values_list(
            "pk", "requested_at", "charge__booking_reference", "charge_id", "amount_pence", "cause", "status",
            "status_at", "stripe_refund_id", "attempt__payment_intent_id", "attempt__card_last4",
        ),
        _refund_cells,
    )  # fmt: skip


def _refund_cells(row: Row) -> Iterable[object]:
    pk, requested_at, booking, charge, pence, cause, status, status_at, refund_id, intent, last4 = row
    return (
        pk,
        london_day(requested_at).isoformat(),
        booking,
        charge,
        amount(pence),
        RefundReason(cause).label,
        RefundStatus(status).label,
        london_day(status_at).isoformat(),
        refund_id,
        intent,
        last4,
    )
