"""Stripe's webhooks: verified, stored once, and only then looked into. A webhook is a bell; the truth is fetched."""

import datetime as dt
import json
import logging
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from audit import services as audit
from audit.context import Actor
from common import claims
from common.bell import ring_on_commit
from common.clock import london_day
from common.prepared import Prepared
from payments import gateway, rules
from payments.constants import EventStatus
from payments.errors import EventNotParkedError, WebhookRefusedError
from payments.models import Attempt, StripeEvent, WebhookRefusal
from payments.services import disputes, letters, payouts, refunds, settlement

logger = logging.getLogger(__name__)

READER = Actor("job", "apply_stripe_events")
CLAIM_SECONDS = 300
SLICE = 50
# Who has paid comes back to our page in this time, which asks Stripe itself: most events then find all done. And what
# comes in a flood is looked into together.
LOOKS_AFTER_SECONDS = 2
_STORE = """
    INSERT INTO payments_stripeevent
        (event_id, type, created_at, received_at, payload, object_id, status, attempts, error)
    VALUES (%(event_id)s, %(type)s, %(created_at)s, %(received_at)s, %(payload)s, %(object_id)s, %(status)s, 0, '')
    ON CONFLICT DO NOTHING
"""


def receive_webhook(*, payload: bytes, signature: str, now: dt.datetime) -> None:
    """Store a webhook that is truly Stripe's, once, and ring for a worker. Any number of copies may come.

    A forged, stale, malformed or wrong-mode one is counted by day and cause, and raises WebhookRefusedError; nothing
    of it is kept. A type we do not act on is stored as ignored.
    """
    try:
        event = gateway.verify_webhook(payload, signature, now=now)
    except gateway.WebhookError as error:
        _count_refusal(error.cause, now=now)
        raise WebhookRefusedError(error.cause) from error
    is_ours = rules.is_acted_on(event.type)
    _store(event, status=EventStatus.RECEIVED if is_ours else EventStatus.IGNORED, now=now)


def _store(event: gateway.Event, *, status: str, now: dt.datetime) -> None:
    """One statement, committed by itself: under a flood every round trip to the database counts."""
    row: dict[str, str | dt.datetime] = {
        "event_id": event.event_id,
        "type": event.type[:80],
        "created_at": event.created_at,
        "received_at": now,
        "payload": json.dumps(event.payload),
        "object_id": event.object_id[:100],
        "status": status,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORE, row)
    if status == EventStatus.RECEIVED:
        ring_on_commit("payments.jobs.apply_stripe_events", after_seconds=LOOKS_AFTER_SECONDS)


@transaction.atomic(durable=True)
def _count_refusal(cause: str, *, now: dt.datetime) -> None:
    day = london_day(now)
    WebhookRefusal.objects.bulk_create([WebhookRefusal(day=day, cause=cause)], ignore_conflicts=True)
    WebhookRefusal.objects.filter(day=day, cause=cause).update(count=F("count") + 1)


def apply_stripe_events(*, now: dt.datetime, by: Actor = READER) -> dict[str, int]:
    """Look into every waiting event: fetch its object from Stripe and write down what it says, in any order.

    Safe to run twice and at once. Events of one object are answered by one look. An event that fails eight times is
    parked and told to staff. While Stripe does not answer, one is asked about, all wait, and no try is counted.
    Returns counts: applied, ignored, failed, parked.
    """
    counts = {"applied": 0, "ignored": 0, "failed": 0, "parked": 0}
    waiting = StripeEvent.objects.filter(status=EventStatus.RECEIVED)
    while events := claims.claim(waiting, now=now, limit=SLICE, seconds=CLAIM_SECONDS, ordering=("received_at", "id")):
        groups: dict[tuple[str, str], list[StripeEvent]] = {}
        for event in events:
            try:
                groups.setdefault(_subject(event), []).append(event)
            except (KeyError, TypeError, AttributeError) as error:
                logger.exception("event %s does not say what it is about", event.pk)
                counts[_fail([event], error, by=by, now=now)] += 1
        while groups:
            kind, key = next(iter(groups))
            group = groups.pop((kind, key))
            try:
                became = _look_into(kind, key, group, by=by, now=now)
            except gateway.StripeUnavailableError as error:
                logger.warning("Stripe does not answer; events wait: %s", error)
                waiting_on = [*group, *(event for others in groups.values() for event in others)]
                _put_off(waiting_on, error=str(error), counts_as_try=False, by=by, now=now)
                counts["failed"] += len(waiting_on)
                return counts
            counts[became] += len(group)
        if len(events) < SLICE:
            break  # those that came since have rung anew
    return counts


def _object(event: StripeEvent) -> dict[str, Any]:
    about: dict[str, Any] = event.payload["data"]["object"]
    return about


def _subject(event: StripeEvent) -> tuple[str, str]:
    """What the event is a bell for: an attempt by its key, a refund, a dispute, a payout, or a payment's refunds."""
    about = _object(event)
    metadata = about.get("metadata") or {}
    if about["object"] in ("checkout.session", "payment_intent"):
        return "attempt", str(metadata.get("attempt", ""))
    if about["object"] in ("refund", "dispute", "payout"):
        return str(about["object"]), str(about["id"])
    return "payment", str(about.get("payment_intent") or "")


def _look_into(kind: str, key: str, events: list[StripeEvent], *, by: Actor, now: dt.datetime) -> str:
    """Fetch the truth and write it down. What became of the events, as `apply_stripe_events` counts it."""
    try:
        is_ours = _apply(kind, key, by=by, now=now)
    except gateway.StripeUnavailableError:
        raise
    except Exception as error:  # a poison event must not keep the others from being applied; it is parked in the end
        logger.exception("an event about %s cannot be applied", kind)
        return _fail(events, error, by=by, now=now)
    status = EventStatus.APPLIED if is_ours else EventStatus.IGNORED
    _finish(events, status=status, error="" if is_ours else "not a payment of ours", now=now)
    return "applied" if is_ours else "ignored"


def _fail(events: list[StripeEvent], error: Exception, *, by: Actor, now: dt.datetime) -> str:
    return _put_off(events, error=f"{type(error).__name__}: {error}", counts_as_try=True, by=by, now=now)


_ATTEMPT = Prepared(lambda blank: Attempt.objects.select_related("charge").filter(idempotency_key=blank("key")))


def _apply(kind: str, key: str, *, by: Actor, now: dt.datetime) -> bool:
    """Bring what the event is about up to date. False where it is none of ours. Calls Stripe."""
    if kind == "attempt":
        attempt = _ATTEMPT.first(key=key) if key else None
        if attempt is None:
            return False
        settlement.refresh_attempt(attempt, by=by, now=now)
        return True
    if kind == "refund":
        refund = gateway.retrieve_refund(key)
        settlement.settle_first(refund.intent_id, by=by, now=now)
        return refunds.record_refund(refund, by=by, now=now) is not None
    if kind == "dispute":
        dispute = gateway.retrieve_dispute(key)
        settlement.settle_first(dispute.intent_id, by=by, now=now)
        return disputes.record_dispute(dispute, by=by, now=now) is not None
    if kind == "payout":
        payouts.record_payout(gateway.retrieve_payout(key), by=by, now=now)
        return True
    settlement.settle_first(key, by=by, now=now)
    if not Attempt.objects.filter(payment_intent_id=key).exclude(payment_intent_id="").exists():
        return False
    for fact in gateway.refunds_of(key):
        refunds.record_refund(fact, by=by, now=now)
    return True


@transaction.atomic(durable=True)
def _finish(events: Iterable[StripeEvent], *, status: str, error: str, now: dt.datetime) -> None:
    StripeEvent.objects.filter(pk__in=[event.pk for event in events], status=EventStatus.RECEIVED).update(
        status=status, applied_at=now, error=error, claimed_until=None
    )


@transaction.atomic(durable=True)
def _put_off(events: Iterable[StripeEvent], *, error: str, counts_as_try: bool, by: Actor, now: dt.datetime) -> str:
    """Leave events for later, or park those that had their tries. "parked" where any was, else "failed"."""
    became = "failed"
    for event in events:
        event.error = error[:200]
        event.claimed_until = now + rules.pause_before_retry(event.attempts)
        if not counts_as_try:
            event.attempts -= 1
        elif event.attempts >= rules.EVENT_TRIES:
            became = "parked"
            event.status, event.claimed_until = EventStatus.PARKED, None
            words = f"A Stripe event ({event.type}) was parked after {event.attempts} failed tries"
            audit.record("stripe_event.parked", by=by, now=now, words=words, subject=f"stripe_event:{event.pk}")
            facts, path = [f"about {event.object_id}", event.error], f"/admin/payments/stripeevent/{event.pk}/change/"
            letters.write(words, facts=facts, path=path, key=f"parked:{event.event_id}", now=now)
        event.save(update_fields=["error", "claimed_until", "attempts", "status"])
    return became


@transaction.atomic(durable=True)
def try_event_again(*, event_id: int, by: Actor, now: dt.datetime) -> StripeEvent:
    """Put a parked event back into the queue, with all its tries before it. Raises EventNotParkedError."""
    event = StripeEvent.objects.select_for_update().get(pk=event_id)
    if event.status != EventStatus.PARKED:
        raise EventNotParkedError
    event.status, event.attempts, event.claimed_until = EventStatus.RECEIVED, 0, None
    event.save(update_fields=["status", "attempts", "claimed_until"])
    words = f"The parked Stripe event ({event.type}) is to be tried again"
    audit.record("stripe_event.tried_again", by=by, now=now, words=words, subject=f"stripe_event:{event.pk}")
    ring_on_commit("payments.jobs.apply_stripe_events")
    return event
