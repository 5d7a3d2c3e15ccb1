"""Writing the ledger. Every journal has a source of its own, so the same fact is never booked twice.

The functions are composed: they run in the transaction, and under the charge's lock, of the change they record.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from audit.context import Actor
from common.money import pounds
from common.prepared import Prepared
from payments import gateway, rules
from payments.constants import ChargeStatus, JournalKind, Purpose, RefundStatus
from payments.models import Attempt, Charge, Journal, Posting, Refund
from payments.services import moves

_BOOKED = Prepared(lambda blank: Journal.objects.filter(source=blank("source")).values_list("pk", flat=True))


def write_journal(
    kind: str,
    *,
    source: str,
    lines: Iterable[rules.Line],
    occurred_at: dt.datetime,
    booking_reference: str,
    by: Actor,
    now: dt.datetime,
    note: str = "",
) -> Journal | None:
    """Book a fact once: None where its source is booked already. The database checks at commit that it balances."""
    if _BOOKED.first(source=source) is not None:
        return None
    lines = list(lines)
    journal = Journal.objects.create(
        kind=kind,
        source=source,
        occurred_at=occurred_at,
        recorded_at=now,
        booking_reference=booking_reference,
        total_pence=sum(line.amount_pence for line in lines if line.amount_pence > 0),
        recorded_by=str(by),
        note=note,
    )
    Posting.objects.bulk_create(
        Posting(journal=journal, account=line.account, force_code=line.force_code, amount_pence=line.amount_pence)
        for line in lines
    )
    return journal


def write_paid(*, charge: Charge, attempt: Attempt, by: Actor, now: dt.datetime) -> Journal | None:
    """The payment of an attempt arrived at Stripe."""
    return write_journal(
        JournalKind.PAID,
        source=f"paid:{attempt.payment_intent_id}",
        lines=rules.paid_lines(amount_pence=attempt.paid_pence, purpose=charge.purpose, parts=parts_of(charge)),
        occurred_at=attempt.paid_at or now,
        booking_reference=charge.booking_reference,
        by=by,
        now=now,
    )


def write_refunded(
    *, charge: Charge, refund: Refund, occurred_at: dt.datetime, by: Actor, now: dt.datetime
) -> Journal | None:
    """Stripe took a refund out of our balance."""
    return write_journal(
        JournalKind.REFUNDED,
        source=f"refunded:{refund.stripe_refund_id}",
        lines=rules.refunded_lines(
            amount_pence=refund.amount_pence,
            purpose=charge.purpose,
            parts=parts_of(charge),
            is_earned=live_earning(charge) is not None,
            is_extra=refund.attempt.is_extra,
            before=_given_back_before(charge, refund),
        ),
        occurred_at=occurred_at,
        booking_reference=charge.booking_reference,
        by=by,
        now=now,
    )


def write_refunded_elsewhere(
    *, charge: Charge, refund: Refund, note: str, by: Actor, now: dt.datetime
) -> Journal | None:
    """A refund that failed at Stripe was paid from the bank."""
    return write_journal(
        JournalKind.REFUND_BANK,
        source=f"refunded-elsewhere:{refund.pk}",
        lines=rules.refunded_lines(
            amount_pence=refund.amount_pence,
            purpose=charge.purpose,
            parts=parts_of(charge),
            is_earned=live_earning(charge) is not None,
            is_extra=refund.attempt.is_extra,
            before=_given_back_before(charge, refund),
            out_of="BANK",
        ),
        occurred_at=now,
        booking_reference=charge.booking_reference,
        by=by,
        now=now,
        note=note[:200],
    )


def parts_of(charge: Charge) -> rules.Parts:
    """The parts a charge was sold under."""
    return rules.parts_of(charge.parts, amount_pence=charge.amount_pence)


def write_refund_failed(
    *, charge: Charge, refund: Refund, occurred_at: dt.datetime, by: Actor, now: dt.datetime
) -> Journal | None:
    """A refund came back to our balance: the journal that recorded it is undone, account by account."""
    refunded = Journal.objects.get(source=f"refunded:{refund.stripe_refund_id}")
    return write_journal(
        JournalKind.REFUND_FAILED,
        source=f"refund-failed:{refund.stripe_refund_id}",
        lines=rules.reversed_lines(lines_of(refunded)),
        occurred_at=occurred_at,
        booking_reference=charge.booking_reference,
        by=by,
        now=now,
    )


def write_fee(moved: gateway.Transaction, *, booking_reference: str, by: Actor, now: dt.datetime) -> Journal | None:
    """Stripe kept a fee with one of its balance transactions; None where it kept none."""
    if moved.fee_pence == 0:
        return None
    return write_journal(
        JournalKind.STRIPE_FEE,
        source=f"stripe-fee:{moved.transaction_id}",
        lines=rules.fee_lines(moved.fee_pence),
        occurred_at=moved.created_at,
        booking_reference=booking_reference,
        by=by,
        now=now,
    )


def lines_of(journal: Journal) -> list[rules.Line]:
    """The postings of a journal as values."""
    return [
        rules.Line(posting.account, posting.amount_pence, posting.force_code)  # type: ignore[arg-type]
        for posting in journal.postings.order_by("pk")
    ]


@transaction.atomic
def record_completion(
    *, booking_reference: str, by: Actor, now: dt.datetime, completed_at: dt.datetime | None = None
) -> list[Journal]:
    """Let the components of a booking's paid course fee fall due, because the course was completed. Composed.

    They fall due when it was completed, however much later that is recorded: the statement of that month has them.
    Repeating it is a no-op; where the fee was kept because the course was not completed, that is undone first. A
    booking without a paid course fee has nothing to fall due. Locks its charges.
    """
    written = []
    for charge in _course_fees(booking_reference):
        earned = live_earning(charge)
        if earned is not None:
            if earned.kind == JournalKind.COMPLETED:
                continue
            written.append(_reverse(earned, note="Course completed after all", by=by, now=now))
        parts = parts_of(charge)
        lines = rules.completed_lines(
            parts=parts, refunded_pence=_gone_from_advance(charge), force_code=charge.force_code
        )
        written.append(_earn(charge, JournalKind.COMPLETED, lines, occurred_at=completed_at, by=by, now=now))
        words = f"Course completed: {pounds(parts.police)} falls due to force {charge.force_code}"
        words = f"{words} and {pounds(parts.levy)} to UKROEd"
        moves.record(charge, "charge.fell_due", by=by, now=now, words=words)
    return [journal for journal in written if journal is not None]


@transaction.atomic
def reverse_completion(*, booking_reference: str, reason: str, by: Actor, now: dt.datetime) -> list[Journal]:
    """Undo `record_completion` after a register was corrected. Composed, a no-op when repeated. Locks the charges."""
    written = []
    for charge in _course_fees(booking_reference):
        completion = live_earning(charge)
        if completion is None or completion.kind != JournalKind.COMPLETED:
            continue
        written.append(_reverse(completion, note=reason[:200], by=by, now=now))
        words = "Course not completed after all: the components of the fee no longer fall due"
        moves.record(charge, "charge.fell_due_reversed", by=by, now=now, words=words, reason=reason)
    return [journal for journal in written if journal is not None]


@transaction.atomic
def record_forfeiture(
    *, booking_reference: str, by: Actor, now: dt.datetime, missed_at: dt.datetime | None = None
) -> list[Journal]:
    """Earn what is kept of a booking's paid course fee, because it ended without a completed course. Composed.

    Repeating it is a no-op, and so is it where the whole fee has gone back or is on its way. A part on its way, or
    asked for later, is borne by KCC when it leaves, as after completion. Locks the charges.
    """
    written = []
    for charge in _course_fees(booking_reference):
        goes_back = _refunded_from_advance(charge) + _on_its_way(charge)
        if goes_back >= charge.amount_pence or live_earning(charge) is not None:
            continue
        lines = rules.forfeited_lines(parts=parts_of(charge), refunded_pence=_gone_from_advance(charge))
        written.append(_earn(charge, JournalKind.FORFEITED, lines, occurred_at=missed_at, by=by, now=now))
        words = "Course not completed: what is kept of the fee is earned"
        moves.record(charge, "charge.forfeited", by=by, now=now, words=words)
    return [journal for journal in written if journal is not None]


def live_earning(charge: Charge) -> Journal | None:
    """The journal by which this charge was earned, completed or kept, unless it was reversed. Under its lock."""
    by_its_source = Q(source__startswith=f"completed:{charge.pk}:") | Q(source__startswith=f"forfeited:{charge.pk}:")
    of_booking = Journal.objects.filter(booking_reference=charge.booking_reference)
    last = of_booking.filter(by_its_source).order_by("-pk").first()
    if last is None or Journal.objects.filter(source=f"reversal:{last.source}").exists():
        return None
    return last


def _earn(
    charge: Charge,
    kind: JournalKind,
    lines: Iterable[rules.Line],
    *,
    occurred_at: dt.datetime | None,
    by: Actor,
    now: dt.datetime,
) -> Journal | None:
    stem = f"{kind.lower()}:{charge.pk}:"
    return write_journal(
        kind,
        source=f"{stem}{Journal.objects.filter(source__startswith=stem).count() + 1}",
        lines=lines,
        occurred_at=min(occurred_at or now, now),
        booking_reference=charge.booking_reference,
        by=by,
        now=now,
    )


def _reverse(earned: Journal, *, note: str, by: Actor, now: dt.datetime) -> Journal | None:
    return write_journal(
        JournalKind.REVERSAL,
        source=f"reversal:{earned.source}",
        lines=rules.reversed_lines(lines_of(earned)),
        occurred_at=now,
        booking_reference=earned.booking_reference,
        by=by,
        now=now,
        note=note,
    )


def _gone_from_advance(charge: Charge) -> int:
    """What of the fee went back, or was lost to the payer's bank, before it was earned."""
    lost = Q(source__in=[])
    for dispute_id in charge.disputes.filter(attempt__is_extra=False).values_list("stripe_dispute_id", flat=True):
        lost |= Q(source__startswith=f"dispute-lost:{dispute_id}:")
    return _refunded_from_advance(charge) + _out_of_advance(lost)


def _refunded_from_advance(charge: Charge) -> int:
    return _out_of_advance(Q(source__in=_sources_of(Refund.objects.filter(charge=charge, attempt__is_extra=False))))


def _sources_of(refunds: QuerySet[Refund]) -> list[str]:
    sources = []
    for key, at_stripe in refunds.values_list("pk", "stripe_refund_id"):
        known_as = [f"refunded:{at_stripe}", f"refund-failed:{at_stripe}"] if at_stripe else []
        sources += [*known_as, f"refunded-elsewhere:{key}"]
    return sources


def _on_its_way(charge: Charge) -> int:
    """What is to be sent to Stripe: what has left us has its journal, what waits for a second person may not go."""
    refunds = Refund.objects.filter(charge=charge, attempt__is_extra=False, status=RefundStatus.REQUESTED)
    pence: int = refunds.aggregate(pence=Sum("amount_pence", default=0))["pence"]
    return pence


def _given_back_before(charge: Charge, refund: Refund) -> tuple[int, int]:
    """What of a refund's payment KCC has borne already, and the VAT in that: with its earning, and refunds since."""
    parts, gone, vat = parts_of(charge), 0, 0
    earned = live_earning(charge)
    if earned is not None and not refund.attempt.is_extra:
        gone = parts.total - _pence_of(Q(pk=earned.pk), "FEES_IN_ADVANCE")
        vat = parts.vat + _pence_of(Q(pk=earned.pk), "VAT_PAYABLE")
    others = Q(source__in=_sources_of(Refund.objects.filter(attempt=refund.attempt_id).exclude(pk=refund.pk)))
    vat_since = _pence_of(others, "VAT_PAYABLE")
    return gone + _pence_of(others, "REFUNDS") + vat_since, vat + vat_since


def _out_of_advance(sources: Q) -> int:
    return _pence_of(sources, "FEES_IN_ADVANCE")


def _pence_of(journals: Q, account: rules.AccountName) -> int:
    posted = Posting.objects.filter(account=account, journal__in=Journal.objects.filter(journals))
    pence: int = posted.aggregate(pence=Sum("amount_pence", default=0))["pence"]
    return pence


def _course_fees(booking_reference: str) -> list[Charge]:
    paid = Charge.objects.filter(
        booking_reference=booking_reference, purpose=Purpose.COURSE_FEE, status=ChargeStatus.PAID
    )
    return list(paid.select_for_update(no_key=True).order_by("pk"))
