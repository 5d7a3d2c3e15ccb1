"""Payouts: money that leaves Stripe for our bank, arrives, or comes back."""

import datetime as dt

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.money import pounds_and_pence
from payments import gateway, rules
from payments.constants import PAYOUT_TRANSITIONS, JournalKind, PayoutStatus
from payments.errors import MismatchError
from payments.models import Journal, Payout
from payments.services import ledger, letters

_STATUSES = {
    "pending": PayoutStatus.ON_ITS_WAY,
    "in_transit": PayoutStatus.ON_ITS_WAY,
    "paid": PayoutStatus.ARRIVED,
    "failed": PayoutStatus.FAILED,
    "canceled": PayoutStatus.FAILED,
}
_SAID = {
    PayoutStatus.ON_ITS_WAY: ("payout.began", "Stripe is paying {} to the bank"),
    PayoutStatus.ARRIVED: ("payout.arrived", "Stripe's payout of {} has arrived at the bank"),
    PayoutStatus.FAILED: ("payout.failed", "Stripe's payout of {} came back: the bank did not take it"),
}


@transaction.atomic(durable=True)
def record_payout(fact: gateway.PayoutFact, *, by: Actor, now: dt.datetime) -> Payout:
    """Write down what Stripe says of a payout, and book each step of it once.

    May be repeated, and an older answer that comes after a newer one changes nothing. Raises MismatchError for one
    that is not in pounds. Locks the payout.
    """
    if fact.currency != rules.CURRENCY or fact.status not in _STATUSES:
        raise MismatchError(f"payout {fact.payout_id} is {fact.status}, in {fact.currency}")
    payout, is_new = Payout.objects.select_for_update().get_or_create(
        stripe_payout_id=fact.payout_id,
        defaults={
            "amount_pence": fact.amount_pence,
            "status_at": now,
            "created_at": fact.created_at,
            "arrives_on": fact.arrives_on,
        },
    )
    if is_new:
        _record(payout, by=by, now=now)
    _book(fact, by=by, now=now)
    to = _STATUSES[fact.status]
    if to in PAYOUT_TRANSITIONS[payout.status]:
        payout.status, payout.status_at = to, now
        payout.arrives_on, payout.failure = fact.arrives_on, fact.failure[:60]
        payout.save(update_fields=["status", "status_at", "arrives_on", "failure"])
        _record(payout, by=by, now=now)
    return payout


def _book(fact: gateway.PayoutFact, *, by: Actor, now: dt.datetime) -> None:
    """The journals of what has happened so far; those that are written already stay as they are."""

    def write(kind: str, source: str, lines: tuple[rules.Line, ...], at: dt.datetime) -> None:
        ledger.write_journal(
            kind, source=source, lines=lines, occurred_at=at, booking_reference="", by=by, now=now, note=fact.failure
        )

    arrived = f"arrived:{fact.payout_id}"
    if fact.left is not None:
        lines = rules.paid_out_lines(-fact.left.amount_pence)
        write(JournalKind.PAID_OUT, f"paid-out:{fact.payout_id}", lines, fact.left.created_at)
    if fact.status == "paid":
        # Stripe tells the day, not the hour.
        day = dt.datetime.combine(fact.arrives_on, dt.time(), tzinfo=dt.UTC)
        write(JournalKind.ARRIVED, arrived, rules.arrived_lines(fact.amount_pence), max(day, fact.created_at))
    if fact.returned is not None:
        had_arrived = Journal.objects.filter(source=arrived).exists()
        lines = rules.payout_failed_lines(fact.returned.amount_pence, had_arrived=had_arrived)
        source = f"payout-failed:{fact.payout_id}"
        write(JournalKind.PAYOUT_FAILED, source, lines, fact.returned.created_at)


def _record(payout: Payout, *, by: Actor, now: dt.datetime) -> None:
    action, words = _SAID[PayoutStatus(payout.status)]
    words = words.format(pounds_and_pence(payout.amount_pence))
    audit.record(action, by=by, now=now, words=words, subject=f"payout:{payout.stripe_payout_id}")
    if payout.status == PayoutStatus.FAILED:
        letters.write(
            words,
            facts=[payout.stripe_payout_id, *([f"Stripe says: {payout.failure}"] if payout.failure else [])],
            path=f"/admin/payments/payout/{payout.pk}/change/",
            key=f"payout:{payout.stripe_payout_id}:failed",
            now=now,
        )
