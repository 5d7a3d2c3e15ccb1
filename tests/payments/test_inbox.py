"""Stripe's webhooks: believed only when signed, stored once, and looked into in any order, any number of times."""

import datetime as dt
import json
import random
from functools import partial
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from common import clock
from common.prepared import Prepared
from notifications.models import Message
from payments import gateway, services
from payments.constants import ChargeStatus, EventStatus
from payments.errors import EventNotParkedError
from payments.models import Attempt, StripeEvent, WebhookRefusal
from payments.services import moves, settlement
from tests.factories.payments import AppliedEventFactory, ParkedEventFactory, StripeEventFactory
from tests.payments.conftest import (
    CLERK,
    PAID_LINES,
    WEBHOOK,
    Heard,
    Till,
    events_of,
    ledger,
    meeting_instead_of_lock,
    post_event,
    races,
    together,
)

MINUTE = dt.timedelta(minutes=1)
NOTHING = {"applied": 0, "ignored": 0, "failed": 0, "parked": 0}


def _paid_events(till: Till) -> list[dict[str, Any]]:
    till.sandbox.pay(till.start().url)
    return events_of(till.sandbox)


# --- Scenario 8 ------------------------------------------------------------------------------------------------
@races
def test_s08_fifty_copies_in_parallel_and_out_of_order_settle_once(till: Till, heard: Heard) -> None:
    events = _paid_events(till)
    assert len(events) > 4
    copies = [event for event in events for _ in range(-(-50 // len(events)))]
    random.Random(8).shuffle(copies)

    def deliver(part: list[dict[str, Any]]) -> list[int]:
        return [post_event(event) for event in part]

    def work() -> None:
        for _ in range(3):
            services.apply_stripe_events(now=clock.now())

    answers = together(*[partial(deliver, copies[start::8]) for start in range(8)], work, work)
    assert [status for answer in answers[:8] for status in answer] == [200] * len(copies)
    services.apply_stripe_events(now=clock.now())
    assert StripeEvent.objects.count() == len(events)
    assert not StripeEvent.objects.exclude(status__in=[EventStatus.APPLIED, EventStatus.IGNORED]).exists()
    assert till.reload().status == ChargeStatus.PAID
    assert ledger() == [("PAID", PAID_LINES)]
    assert heard.names.count("charge_settled") == 1
    assert AuditEvent.objects.filter(action="charge.paid").count() == 1


@races
def test_s08_control_without_locks_one_payment_is_settled_several_times(
    till: Till, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.sandbox.pay(till.start().url)
    monkeypatch.setattr(moves, "lock_charge", meeting_instead_of_lock(6))
    unlocked = Prepared(lambda blank: Attempt.objects.filter(pk=blank("pk")))
    monkeypatch.setattr(settlement, "_LOCKED", unlocked)
    together(*[partial(services.refresh_charge, charge_id=till.charge.pk, now=clock.now())] * 6)
    assert heard.names.count("charge_settled") > 1
    assert ledger() == [("PAID", PAID_LINES)]  # the journal's unique source holds all the same


def test_events_of_one_payment_are_answered_by_one_look(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    for event in _paid_events(till):
        post_event(event)
    looks = []
    retrieve = gateway.retrieve_checkout

    def look(session_id: str) -> gateway.Checkout:
        looks.append(session_id)
        return retrieve(session_id)

    monkeypatch.setattr(gateway, "retrieve_checkout", look)
    counts = services.apply_stripe_events(now=clock.now())
    assert (counts, len(looks)) == ({**NOTHING, "applied": 2}, 1)


def test_every_event_alone_in_either_order_leads_to_the_same(till: Till) -> None:
    for event in _paid_events(till):  # newest first
        assert post_event(event) == 200
        services.apply_stripe_events(now=clock.now())
    assert ledger() == [("PAID", PAID_LINES)]


def test_an_event_that_comes_before_the_session_is_written_down_settles(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    Attempt.objects.update(status="CREATING", checkout_session_id="", url="")
    for event in events_of(till.sandbox):
        post_event(event)
    services.apply_stripe_events(now=clock.now())
    assert (till.reload().status, ledger()) == (ChargeStatus.PAID, [("PAID", PAID_LINES)])


def test_nothing_of_the_payer_is_kept_of_an_event(till: Till) -> None:
    for event in _paid_events(till):
        post_event(event)
    kept = json.dumps(list(StripeEvent.objects.values_list("payload", flat=True)))
    for personal in ("payer@example.com", "Test Payer", "candidate@example.org", "4242", "fingerprint", "/c/pay/"):
        assert personal not in kept


# --- Scenario 9 ------------------------------------------------------------------------------------------------
def _refusals() -> dict[str, int]:
    return dict(WebhookRefusal.objects.values_list("cause", "count"))


def test_s09_forged_stale_wrong_mode_and_malformed_are_refused_and_counted(till: Till, heard: Heard) -> None:
    event = next(event for event in _paid_events(till) if event["type"] == "checkout.session.completed")
    refused = [
        post_event(event, secret="whsec_somebody_elses"),
        post_event(event, header=""),
        post_event(event, header="t=now,v1=abc"),
        post_event(event, age_seconds=360),
        post_event(event, age_seconds=-360),
        post_event({**event, "livemode": True}),
        post_event({**event, "object": "charge"}),
        post_event({"object": "event"}),
    ]
    assert refused == [400] * 8
    assert _refusals() == {"SIGNATURE": 3, "STALE": 2, "MODE": 1, "MALFORMED": 2}
    assert StripeEvent.objects.count() == 0
    assert services.apply_stripe_events(now=clock.now()) == NOTHING
    assert (till.reload().status, ledger(), heard.names) == (ChargeStatus.OPEN, [], [])


def test_s09_a_test_event_is_refused_in_live_mode(till: Till, settings: Any) -> None:
    event = _paid_events(till)[0]
    settings.STRIPE_SECRET_KEY = "sk_live_never_used"
    assert (post_event(event), _refusals()) == (400, {"MODE": 1})


def test_s09_an_unknown_type_is_stored_and_ignored(till: Till) -> None:
    event = {**_paid_events(till)[0], "type": "invoice.finalized"}
    assert [post_event(event), post_event(event)] == [200, 200]
    assert list(StripeEvent.objects.values_list("type", "status")) == [("invoice.finalized", EventStatus.IGNORED)]
    assert services.apply_stripe_events(now=clock.now()) == NOTHING
    assert _refusals() == {}


def test_an_event_just_within_five_minutes_is_believed(till: Till) -> None:
    assert post_event(_paid_events(till)[0], age_seconds=295) == 200


def test_either_of_two_live_secrets_is_believed(till: Till, settings: Any) -> None:
    events = _paid_events(till)
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]
    assert [post_event(event, secret="whsec_old") for event in events] == [200] * len(events)
    assert post_event(events[0], secret="whsec_new") == 200
    assert StripeEvent.objects.count() == len(events)


def test_the_door_takes_posts_only_and_no_floods(db: None) -> None:
    assert Client().get(WEBHOOK).status_code == 405
    flood = Client(enforce_csrf_checks=True).post(WEBHOOK, b"x" * (256 * 1024 + 1), content_type="application/json")
    assert flood.status_code == 413
    assert StripeEvent.objects.count() == WebhookRefusal.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null"])
def test_a_signed_body_that_is_no_event_is_refused(db: None, body: bytes, settings: Any) -> None:
    from devtools.stripe_sandbox.deliveries import signature

    header = signature(body, settings.STRIPE_WEBHOOK_SECRETS, at=int(clock.now().timestamp()))
    answer = Client().post(WEBHOOK, body, content_type="application/json", headers={"Stripe-Signature": header})
    assert (answer.status_code, _refusals()) == (400, {"MALFORMED": 1})


# --- Looking into events ---------------------------------------------------------------------------------------
def test_an_event_about_nobodys_session_is_ignored(till: Till) -> None:
    StripeEventFactory.create(now=clock.now())
    assert services.apply_stripe_events(now=clock.now()) == {**NOTHING, "ignored": 1}
    assert StripeEvent.objects.get().error == "not a payment of ours"


def test_a_poison_event_is_parked_and_told_after_eight_tries_and_can_be_tried_again(
    till: Till, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    post_event(next(event for event in _paid_events(till) if event["type"] == "checkout.session.completed"))
    now = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(settlement, "refresh_attempt", lambda *_, **__: 1 / 0)
        for tries in range(1, 9):
            now += dt.timedelta(hours=1)
            became = "parked" if tries == 8 else "failed"
            assert services.apply_stripe_events(now=now) == {**NOTHING, became: 1}
        assert services.apply_stripe_events(now=now + dt.timedelta(hours=1)) == NOTHING
    event = StripeEvent.objects.get()
    assert (event.status, event.attempts) == (EventStatus.PARKED, 8)
    assert event.error == "ZeroDivisionError: division by zero"
    words = "A Stripe event (checkout.session.completed) was parked after 8 failed tries"
    assert AuditEvent.objects.get(action="stripe_event.parked").words == words
    told = Message.objects.get(kind="money_task")
    assert (told.to, told.context["what"]) == (settings.HELP_EMAIL, words)
    assert told.context["facts"] == [f"about {event.object_id}", "ZeroDivisionError: division by zero"]
    assert told.context["path"] == f"/admin/payments/stripeevent/{event.pk}/change/"

    services.try_event_again(event_id=event.pk, by=CLERK, now=now)
    assert services.apply_stripe_events(now=now) == {**NOTHING, "applied": 1}
    assert (till.reload().status, StripeEvent.objects.get().status) == (ChargeStatus.PAID, EventStatus.APPLIED)
    assert AuditEvent.objects.get(action="stripe_event.tried_again").actor == "staff:7"


def test_a_poison_event_does_not_keep_the_others_from_being_applied(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    for event in _paid_events(till):
        post_event(event)
    ParkedEventFactory.create()
    StripeEventFactory.create(now=clock.now(), object_id="re_gone", type="refund.updated")
    StripeEvent.objects.filter(object_id="re_gone").update(
        payload={"data": {"object": {"id": "re_gone", "object": "refund"}}}, received_at=clock.now() - MINUTE
    )
    assert services.apply_stripe_events(now=clock.now()) == {**NOTHING, "applied": 2, "failed": 1}
    assert till.reload().status == ChargeStatus.PAID


def test_an_event_that_says_not_what_it_is_about_is_parked_and_holds_up_no_other(till: Till) -> None:
    now = clock.now()
    bad = StripeEventFactory.create(now=now - MINUTE, type="refund.updated")
    StripeEvent.objects.filter(pk=bad.pk).update(payload={"data": {"object": {"id": "re_1"}}})
    for event in _paid_events(till):
        post_event(event)
    assert services.apply_stripe_events(now=now + MINUTE) == {**NOTHING, "applied": 2, "failed": 1}
    assert till.reload().status == ChargeStatus.PAID
    for _ in range(7):
        now += dt.timedelta(hours=1)
        services.apply_stripe_events(now=now)
    bad.refresh_from_db()
    assert (bad.status, bad.error) == (EventStatus.PARKED, "KeyError: 'object'")
    assert Message.objects.filter(kind="money_task").count() == 1


def test_while_stripe_is_down_events_wait_without_losing_a_try(till: Till) -> None:
    post_event(next(event for event in _paid_events(till) if event["type"] == "checkout.session.completed"))
    other = StripeEventFactory.create(now=clock.now(), type="refund.updated")
    StripeEvent.objects.filter(pk=other.pk).update(payload={"data": {"object": {"id": "re_1", "object": "refund"}}})
    till.sandbox.control("api", error_next=gateway.RETRIES + 1)
    now = clock.now()
    assert services.apply_stripe_events(now=now) == {**NOTHING, "failed": 2}
    assert list(StripeEvent.objects.values_list("status", "attempts")) == [(EventStatus.RECEIVED, 0)] * 2
    assert services.apply_stripe_events(now=now + MINUTE) == {**NOTHING, "applied": 1, "failed": 1}


@pytest.mark.parametrize("factory", [StripeEventFactory, AppliedEventFactory])
def test_only_a_parked_event_is_tried_again(db: None, factory: type[StripeEventFactory]) -> None:
    event = factory.create()
    with pytest.raises(EventNotParkedError):
        services.try_event_again(event_id=event.pk, by=CLERK, now=clock.now())
    assert StripeEvent.objects.get().status == event.status
    assert AuditEvent.objects.count() == 0
