"""Money going back: once, never more than came, and followed to its end."""

import datetime as dt
import threading
from collections.abc import Iterable
from functools import partial

import pytest
import stripe
from django.db import connection

from audit.models import AuditEvent
from common import clock
from notifications.models import Message
from payments import gateway, rules, services
from payments.constants import RefundReason, RefundStatus
from payments.errors import NothingPaidError, OverRefundError
from payments.models import Charge, Refund
from payments.services import moves, refunds
from tests.factories.payments import ChargeFactory, PaidChargeFactory
from tests.payments.conftest import (
    CLERK,
    PAID_LINES,
    REFUNDED_LINES,
    Heard,
    Till,
    events_of,
    ledger,
    post_event,
    races,
    start,
    together,
)

MINUTE = dt.timedelta(minutes=1)
NOTHING = {"sent": 0, "followed": 0, "failed": 0, "put_off": 0}
COMES_BACK = [("FEES_IN_ADVANCE", -9200), ("STRIPE_CLEARING", 9200)]


@pytest.fixture
def paid(till: Till) -> Till:
    """The charge is paid and settled."""
    _pay(till)
    return till


def _pay(till: Till, card: str = "4242424242424242") -> None:
    till.sandbox.pay(till.start().url, card)
    services.refresh_charge(charge_id=till.charge.pk, now=clock.now())


def _ask(charge: Charge, pence: int = 9200, *, now: dt.datetime | None = None) -> Refund:
    return services.ask_refund(
        charge_id=charge.pk,
        amount_pence=pence,
        reason=RefundReason.GOODWILL,
        note="bereavement",
        policy_pence=pence,
        by=CLERK,
        now=now or clock.now(),
    )


def _refunded_at_stripe(till: Till) -> int:
    return int(till.sandbox.state()["objects"].get("refund", 0))


def test_a_refund_goes_back_and_is_booked(paid: Till, heard: Heard) -> None:
    refund = _ask(paid.charge, 5000)
    assert (refund.status, paid.reload().refunded_pence) == (RefundStatus.REQUESTED, 5000)
    assert services.send_refunds(now=clock.now()) == {**NOTHING, "sent": 1}
    assert services.send_refunds(now=clock.now()) == NOTHING
    refund.refresh_from_db()
    assert (refund.status, refund.stripe_refund_id[:3]) == (RefundStatus.SUCCEEDED, "re_")
    assert ledger() == [
        ("PAID", PAID_LINES),
        ("REFUNDED", [("FEES_IN_ADVANCE", 5000), ("STRIPE_CLEARING", -5000)]),
    ]
    assert heard.names[-3:] == ["charge_locking", "charge_locking", "charge_refunded"]
    assert heard.calls[-1][1]["refund"].pk == refund.pk
    said = AuditEvent.objects.filter(action__startswith="refund.").order_by("id")
    assert list(said.values_list("action", "words", "reason", "actor")) == [
        ("refund.requested", "Refund of £50 asked for: goodwill, with evidence", "bereavement", "staff:7"),
        ("refund.succeeded", "£50 refunded", "", "job:send_refunds"),
    ]


def test_a_refund_of_more_than_is_left_is_refused(paid: Till) -> None:
    _ask(paid.charge, 9199)
    events = AuditEvent.objects.count()
    with pytest.raises(OverRefundError):
        _ask(paid.charge, 2)
    assert (Refund.objects.count(), paid.reload().refunded_pence, AuditEvent.objects.count()) == (1, 9199, events)
    _ask(paid.charge, 1)
    assert paid.reload().refunded_pence == 9200


@pytest.mark.parametrize("pence", [0, -1])
def test_a_refund_of_nothing_is_refused(db: None, heard: Heard, pence: int) -> None:
    with pytest.raises(OverRefundError):
        _ask(PaidChargeFactory.create(), pence)
    assert Refund.objects.count() == 0


def test_a_refund_of_an_unpaid_charge_is_refused(db: None, heard: Heard) -> None:
    with pytest.raises(NothingPaidError):
        _ask(ChargeFactory.create())
    assert (Refund.objects.count(), AuditEvent.objects.count()) == (0, 0)


# --- Scenario 14 -----------------------------------------------------------------------------------------------
@races
def test_s14_two_staff_at_once_and_a_time_out_after_stripe_acted_make_one_refund(paid: Till, heard: Heard) -> None:
    answers = together(*[partial(_ask, paid.charge)] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["OverRefundError", "Refund"]
    paid.sandbox.control("api", time_out_next=gateway.RETRIES + 1, match="POST /v1/refunds")
    now = clock.now()
    assert services.send_refunds(now=now) == {**NOTHING, "put_off": 1}
    assert _refunded_at_stripe(paid) == 1
    assert (Refund.objects.get().status, ledger()) == (RefundStatus.REQUESTED, [("PAID", PAID_LINES)])
    together(*[partial(services.send_refunds, now=now + MINUTE)] * 3)
    assert (_refunded_at_stripe(paid), Refund.objects.get().status) == (1, RefundStatus.SUCCEEDED)
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]
    assert heard.names.count("charge_refunded") == 1


@races
def test_s14_control_without_lock_and_checks_two_staff_refund_twice(
    paid: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_charge DROP CONSTRAINT payments_charge_never_over_refunded")
        cursor.execute("ALTER TABLE payments_attempt DROP CONSTRAINT payments_attempt_never_over_refunded")
    gate, decide = threading.Barrier(8), rules.payment_to_refund

    def decide_when_all_have_read(payments: Iterable[rules.Paid], *, amount_pence: int) -> rules.Paid | None:
        read = list(payments)
        gate.wait(timeout=30)
        return decide(read, amount_pence=amount_pence)

    monkeypatch.setattr(moves, "lock_charge", lambda charge_id: Charge.objects.get(pk=charge_id))
    monkeypatch.setattr(rules, "payment_to_refund", decide_when_all_have_read)
    together(*[partial(_ask, paid.charge)] * 8)
    assert Refund.objects.count() > 1
    assert paid.reload().refunded_pence > 9200


@races
def test_workers_at_once_send_a_refund_once(paid: Till) -> None:
    _ask(paid.charge, 100)
    _ask(paid.charge, 200)
    answers = together(*[partial(services.send_refunds, now=clock.now())] * 4)
    assert sum(answer["sent"] for answer in answers) == 2
    assert _refunded_at_stripe(paid) == 2


# --- When Stripe fails -----------------------------------------------------------------------------------------
def test_while_stripe_is_down_one_is_asked_and_all_wait(paid: Till) -> None:
    _ask(paid.charge, 100)
    _ask(paid.charge, 200)
    paid.sandbox.control("api", error_next=gateway.RETRIES + 1)
    now = clock.now()
    assert services.send_refunds(now=now) == {**NOTHING, "put_off": 2}
    assert services.send_refunds(now=now + MINUTE) == {**NOTHING, "sent": 2}
    assert _refunded_at_stripe(paid) == 2


def test_a_key_that_stripe_has_forgotten_does_not_refund_twice(paid: Till) -> None:
    _ask(paid.charge)
    paid.sandbox.control("api", time_out_next=gateway.RETRIES + 1, match="POST /v1/refunds")
    now = clock.now()
    services.send_refunds(now=now)
    paid.sandbox.advance(25 * 60 * 60)
    assert services.send_refunds(now=now + MINUTE) == {**NOTHING, "sent": 1}
    assert (_refunded_at_stripe(paid), Refund.objects.get().status) == (1, RefundStatus.SUCCEEDED)


def test_a_failure_that_stripe_keeps_under_the_key_is_got_round_with_another_key(paid: Till) -> None:
    refund = _ask(paid.charge)
    paid.sandbox.control("api", error_next=1, keep_error=True, match="POST /v1/refunds")
    now = clock.now()
    assert services.send_refunds(now=now) == {**NOTHING, "put_off": 1}
    assert services.send_refunds(now=now + MINUTE) == {**NOTHING, "put_off": 1}
    assert Refund.objects.get().idempotency_key == f"{refund.idempotency_key}.2"
    assert services.send_refunds(now=now + 5 * MINUTE) == {**NOTHING, "sent": 1}
    assert (_refunded_at_stripe(paid), Refund.objects.get().status) == (1, RefundStatus.SUCCEEDED)


def test_a_refund_that_cannot_be_written_down_keeps_no_other_from_being_sent(paid: Till) -> None:
    bad = _ask(paid.charge, 100)
    parts = paid.charge.parts
    Charge.objects.filter(pk=paid.charge.pk).update(parts={})
    other = ChargeFactory.create(now=clock.now(), referral_key="46/46TEST0002")
    paid.sandbox.pay(start(other).url)
    services.refresh_charge(charge_id=other.pk, now=clock.now())
    good = _ask(other, 200)
    now = clock.now()
    assert services.send_refunds(now=now) == {**NOTHING, "failed": 1, "sent": 1}
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, bad.attempts, bad.error[:11]) == (RefundStatus.REQUESTED, 1, "ValueError:")
    assert good.status == RefundStatus.SUCCEEDED
    assert services.send_refunds(now=now) == NOTHING
    Charge.objects.filter(pk=paid.charge.pk).update(parts=parts)
    assert services.send_refunds(now=now + MINUTE) == {**NOTHING, "sent": 1}
    assert (_refunded_at_stripe(paid), paid.reload().refunded_pence) == (2, 100)


def test_what_stripe_refuses_fails_and_gives_the_sum_free_again(paid: Till) -> None:
    _refund_by_hand(paid)
    _ask(paid.charge)
    assert services.send_refunds(now=clock.now()) == {**NOTHING, "failed": 1}
    refund = Refund.objects.get()
    assert (refund.status, refund.error) == (RefundStatus.FAILED, "refunds.create: charge_already_refunded")
    assert services.send_refunds(now=clock.now()) == NOTHING
    assert Message.objects.filter(kind="money_task").count() == 1
    assert paid.reload().refunded_pence == 0
    assert ledger() == [("PAID", PAID_LINES)]


def test_a_pending_refund_is_followed_until_it_has_arrived(till: Till, heard: Heard) -> None:
    _pay(till, "4000000000007726")
    _ask(till.charge)
    now = clock.now()
    assert services.send_refunds(now=now) == {**NOTHING, "sent": 1}
    assert Refund.objects.get().status == RefundStatus.PENDING
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]
    assert "charge_refunded" not in heard.names
    till.sandbox.advance(10)
    assert services.send_refunds(now=now + 10 * MINUTE) == {**NOTHING, "followed": 1}
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]
    assert heard.names.count("charge_refunded") == 1


def test_a_refund_that_comes_back_days_later_is_booked_back_and_told(till: Till) -> None:
    _pay(till, "4000000000005126")
    _ask(till.charge)
    services.send_refunds(now=clock.now())
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    till.sandbox.advance(10)
    for _ in range(2):
        for event in events_of(till.sandbox):
            if event["type"].startswith(("refund", "charge.refund")):
                post_event(event)
        services.apply_stripe_events(now=clock.now())
    refund = Refund.objects.get()
    assert (refund.status, refund.error) == (RefundStatus.FAILED, "expired_or_canceled_card")
    assert till.reload().refunded_pence == 0
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES), ("REFUND_FAILED", COMES_BACK)]
    assert AuditEvent.objects.get(action="refund.failed").words == "The refund of £92 failed and needs a person"
    told = Message.objects.get(kind="money_task")
    assert told.context == {
        "what": "The refund of £92 failed and needs a person",
        "facts": [f"booking {till.charge.booking_reference}", "Stripe says: expired_or_canceled_card"],
        "path": f"/admin/payments/refund/{refund.pk}/change/",
    }


def _refund_by_hand(till: Till, pence: int = 9200) -> str:
    """Somebody refunds in Stripe's dashboard."""
    client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": till.sandbox.url})
    intent = till.charge.attempts.get().payment_intent_id
    return client.v1.refunds.create({"payment_intent": intent, "amount": pence}).id


def test_a_refund_made_by_hand_at_stripe_is_taken_in(paid: Till) -> None:
    made = _refund_by_hand(paid, 200)
    for _ in range(2):
        for event in events_of(paid.sandbox):
            post_event(event)
        services.apply_stripe_events(now=clock.now())
    refund = Refund.objects.get()
    assert (refund.stripe_refund_id, refund.amount_pence, refund.status) == (made, 200, RefundStatus.SUCCEEDED)
    assert (refund.cause, refund.requested_by) == (RefundReason.AT_STRIPE, "stripe:dashboard")
    assert paid.reload().refunded_pence == 200
    assert [kind for kind, _ in ledger()] == ["PAID", "REFUNDED"]
    with pytest.raises(OverRefundError):
        _ask(paid.charge, 9001)


def test_a_refund_heard_of_before_its_payment_settles_that_first(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    (paid,) = (event for event in events_of(till.sandbox) if event["type"] == "payment_intent.succeeded")
    client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": till.sandbox.url})
    client.v1.refunds.create({"payment_intent": paid["data"]["object"]["id"], "amount": 9200})
    for event in events_of(till.sandbox):
        if event["type"].startswith(("refund", "charge.refund")):
            post_event(event)
    assert services.apply_stripe_events(now=clock.now())["ignored"] == 0
    assert (till.reload().status, till.reload().refunded_pence) == ("PAID", 9200)
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]


def test_an_older_answer_after_a_newer_one_changes_nothing(paid: Till) -> None:
    _ask(paid.charge)
    services.send_refunds(now=clock.now())
    refund = Refund.objects.get()
    fact = gateway.retrieve_refund(refund.stripe_refund_id)
    older = gateway.RefundFact(
        refund_id=fact.refund_id,
        status="pending",
        amount_pence=fact.amount_pence,
        currency=fact.currency,
        intent_id=fact.intent_id,
        failure="",
        created_at=fact.created_at,
        metadata=fact.metadata,
    )
    events = AuditEvent.objects.count()
    refunds.record_refund(older, by=CLERK, now=clock.now())
    assert (Refund.objects.get().status, AuditEvent.objects.count()) == (RefundStatus.SUCCEEDED, events)
    assert len(ledger()) == 2
