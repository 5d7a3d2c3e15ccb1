"""Disputes: what a card holder's bank takes back, whose loss it is in the end, and who answers by when.

The ledger follows the money, not the words: each balance transaction of a dispute is one journal between the clearing
account and the disputes account. Only a verdict says whose the money is (ADR 0015).
"""

import datetime as dt

from django.db import transaction
from django.db.models import Sum

from audit.context import Actor
from common.clock import moment_words
from common.money import pounds
from payments import gateway, rules, signals
from payments.constants import (
    DISPUTE_TRANSITIONS,
    DISPUTES_WAITING,
    Account,
    AttemptStatus,
    DisputeStatus,
    JournalKind,
)
from payments.errors import MismatchError
from payments.models import Attempt, Charge, Dispute, Journal, Posting
from payments.services import ledger, letters, moves

REMINDED_BEFORE = dt.timedelta(days=2)
_STATUSES = {
    "warning_needs_response": DisputeStatus.INQUIRY,
    "warning_under_review": DisputeStatus.INQUIRY,
    "warning_closed": DisputeStatus.CLOSED,
    "prevented": DisputeStatus.CLOSED,
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "won": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}
_SAID = {
    DisputeStatus.INQUIRY: ("dispute.inquiry", "The payer's bank asks about the payment of {}"),
    DisputeStatus.NEEDS_RESPONSE: ("dispute.opened", "The payer's bank disputes {}"),
    DisputeStatus.UNDER_REVIEW: ("dispute.answered", "Our answer about the disputed {} is with the payer's bank"),
    DisputeStatus.WON: ("dispute.won", "The dispute about {} is won"),
    DisputeStatus.LOST: ("dispute.lost", "The dispute about {} is lost: the money is gone"),
    DisputeStatus.CLOSED: ("dispute.closed", "The payer's bank has let the matter of {} rest"),
}


def record_dispute(fact: gateway.DisputeFact, *, by: Actor, now: dt.datetime) -> Dispute | None:
    """Write down what Stripe says of a dispute and book the money it moved. None where no payment of ours is meant.

    May be repeated, and an older answer that comes after a newer one changes nothing. Staff are told once of each
    dispute and of its end. Locks the charge. Raises MismatchError.
    """
    if fact.status not in _STATUSES:
        raise MismatchError(f"dispute {fact.dispute_id} is {fact.status}, in {fact.currency}")
    paid = Attempt.objects.filter(payment_intent_id=fact.intent_id, status=AttemptStatus.PAID)
    attempt = paid.exclude(payment_intent_id="").first()
    if attempt is None:
        return None
    return _record(fact, attempt_id=attempt.pk, charge_id=attempt.charge_id, by=by, now=now)


def is_as_told(fact: gateway.DisputeFact) -> bool:
    """Whether we know this dispute just as Stripe has it."""
    return Dispute.objects.filter(
        stripe_dispute_id=fact.dispute_id,
        status=_STATUSES.get(fact.status, ""),
        evidence_due_by=fact.due_by,
        has_evidence=fact.has_evidence,
    ).exists()


@transaction.atomic(durable=True)
def take_dispute(*, dispute_id: int, note: str, by: Actor, now: dt.datetime) -> Dispute:
    """Note who sees to the answer of a dispute, and how; may be done again by another. Locks the charge."""
    charge = moves.lock_charge(Dispute.objects.values_list("charge_id", flat=True).get(pk=dispute_id))
    dispute = Dispute.objects.select_for_update().get(pk=dispute_id)
    dispute.taken_by, dispute.taken_at, dispute.note = str(by), now, note[:200]
    dispute.save(update_fields=["taken_by", "taken_at", "note"])
    words = f"Sees to the answer about the disputed {pounds(dispute.amount_pence)}"
    moves.record(charge, "dispute.taken", by=by, now=now, words=words, reason=note, data={"dispute": dispute.pk})
    return dispute


@transaction.atomic(durable=True)
def remind_of_disputes(*, now: dt.datetime) -> int:
    """Write to staff once about each dispute whose answer is due within two days; returns how many there are."""
    soon = Dispute.objects.filter(
        status__in=DISPUTES_WAITING, evidence_due_by__gt=now, evidence_due_by__lte=now + REMINDED_BEFORE
    ).select_related("charge")
    for dispute in soon:
        words = f"Two days are left to answer the dispute about {pounds(dispute.amount_pence)}"
        _write(dispute, words, key="due", now=now)
    return len(soon)


@transaction.atomic(durable=True)
def _record(fact: gateway.DisputeFact, *, attempt_id: int, charge_id: int, by: Actor, now: dt.datetime) -> Dispute:
    reference = Charge.objects.values_list("booking_reference", flat=True).get(pk=charge_id)
    signals.charge_locking.send(sender=Charge, booking_reference=reference)
    charge = moves.lock_charge(charge_id)
    attempt = Attempt.objects.get(pk=attempt_id)
    if fact.currency != rules.CURRENCY or not 0 < fact.amount_pence <= attempt.paid_pence:
        raise MismatchError(f"dispute {fact.dispute_id} is of {fact.amount_pence} {fact.currency}")
    to = _STATUSES[fact.status]
    dispute = Dispute.objects.select_for_update().filter(stripe_dispute_id=fact.dispute_id).first()
    is_new = dispute is None
    if dispute is None:
        dispute = Dispute(
            stripe_dispute_id=fact.dispute_id, charge=charge, attempt=attempt, status=to, opened_at=fact.created_at
        )
    elif dispute.attempt_id != attempt_id:
        raise MismatchError(f"dispute {fact.dispute_id} is about another payment than before")
    is_news = is_new or to in DISPUTE_TRANSITIONS[dispute.status]
    if is_news or to == dispute.status:  # else an older answer than what we know
        dispute.reason, dispute.amount_pence = fact.reason[:60], fact.amount_pence
        dispute.evidence_due_by, dispute.has_evidence = fact.due_by, fact.has_evidence
    if is_news:
        dispute.status, dispute.status_at = to, now
    dispute.save()
    _book(dispute, fact, charge=charge, by=by, now=now)
    if is_news:
        _tell(dispute, charge=charge, by=by, now=now)
    return dispute


def _book(dispute: Dispute, fact: gateway.DisputeFact, *, charge: Charge, by: Actor, now: dt.datetime) -> None:
    for moved in fact.moved:
        ledger.write_journal(
            JournalKind.DISPUTED if moved.amount_pence < 0 else JournalKind.DISPUTE_WON,
            source=f"disputed:{moved.transaction_id}",
            lines=rules.disputed_lines(moved.amount_pence),
            occurred_at=moved.created_at,
            booking_reference=charge.booking_reference,
            by=by,
            now=now,
            note=dispute.stripe_dispute_id,
        )
        ledger.write_fee(moved, booking_reference=charge.booking_reference, by=by, now=now)
    if dispute.status not in (DisputeStatus.WON, DisputeStatus.LOST):
        return
    taken = -sum(moved.amount_pence for moved in fact.moved)
    stem = f"dispute-lost:{dispute.stripe_dispute_id}:"
    before = Journal.objects.filter(source__startswith=stem)
    given_up: int = -Posting.objects.filter(journal__in=before, account=Account.DISPUTES).aggregate(
        pence=Sum("amount_pence", default=0)
    )["pence"]
    gone = taken if dispute.status == DisputeStatus.LOST else 0
    if gone == given_up:
        return
    bearer = rules.bearing_account(
        purpose=charge.purpose,
        is_earned=ledger.live_earning(charge) is not None,
        is_extra=dispute.attempt.is_extra,
    )
    ledger.write_journal(
        JournalKind.DISPUTE_LOST if gone else JournalKind.REVERSAL,
        source=f"{stem}{before.count() + 1}",
        lines=rules.dispute_lost_lines(amount_pence=gone - given_up, bearer=bearer),
        occurred_at=now,
        booking_reference=charge.booking_reference,
        by=by,
        now=now,
        note=dispute.stripe_dispute_id,
    )


def _tell(dispute: Dispute, *, charge: Charge, by: Actor, now: dt.datetime) -> None:
    """The record, and a letter to staff."""
    action, words = _SAID[DisputeStatus(dispute.status)]
    words = words.format(pounds(dispute.amount_pence))
    moves.record(charge, action, by=by, now=now, words=words, data={"dispute": dispute.pk})
    if dispute.status != DisputeStatus.UNDER_REVIEW:
        _write(dispute, words, key=dispute.status, now=now)


def _write(dispute: Dispute, words: str, *, key: str, now: dt.datetime) -> None:
    """A letter to staff, once for each `key` of a dispute."""
    facts = [f"booking {dispute.charge.booking_reference}", f"the bank says: {dispute.reason}"]
    if dispute.status in DISPUTES_WAITING and dispute.evidence_due_by:
        facts.append(f"answer at Stripe by {moment_words(dispute.evidence_due_by)}")
    path = f"/admin/payments/dispute/{dispute.pk}/change/"
    letters.write(words, facts=facts, path=path, key=f"dispute:{dispute.stripe_dispute_id}:{key}", now=now)
