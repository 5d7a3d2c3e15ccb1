"""Money through the real programs: the sandbox's webhooks into gunicorn, the jobs in a Celery worker."""

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.core.management import call_command

from audit.models import AuditEvent
from bookings.constants import BookingStatus
from common import clock
from devtools.stripe_sandbox.testing import wait_until
from notifications.models import Message
from payments import services
from payments.constants import ChargeStatus, RefundReason, RefundStatus
from payments.models import Attempt, Charge, Refund, StripeEvent
from tests.factories.bookings import ReadyBookingFactory
from tests.factories.payments import ChargeFactory
from tests.payments.conftest import CANDIDATE, CLERK, PAID_LINES, REFUNDED_LINES, Till, ledger, start


def test_s08_a_payment_told_by_real_webhooks_is_settled_by_a_real_worker(
    live_web: Any, celery_worker_process: Any, stripe_sandbox: Any
) -> None:
    booking = ReadyBookingFactory.create(now=clock.now())
    charge = ChargeFactory.create(now=clock.now(), booking_reference=booking.reference)
    stripe_sandbox.control("webhooks", duplicate=8, reorder_seconds=0.3)
    attempt = start(charge)
    assert stripe_sandbox.pay(attempt.url).outcome == "paid"
    stripe_sandbox.wait_for_webhooks()

    def is_done() -> bool:
        # Only of this booking: deliveries of an earlier test may have waited at the port until the web began to serve.
        told = StripeEvent.objects.filter(payload__data__object__metadata__booking=booking.reference)
        return not told.filter(status="RECEIVED").exists() and Charge.objects.get().status == ChargeStatus.PAID

    wait_until(is_done, timeout_seconds=20, what="the worker to settle the payment")
    assert ledger() == [("PAID", PAID_LINES)]
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    paid = AuditEvent.objects.get(action="charge.paid")
    assert Message.objects.filter(kind__contains="confirm").count() == 1
    assert paid.actor in ("job:apply_stripe_events", "job:settle_payments")

    services.ask_refund(
        charge_id=charge.pk,
        amount_pence=9200,
        reason=RefundReason.GOODWILL,
        note="bereavement",
        policy_pence=9200,
        by=CLERK,
        now=clock.now(),
    )
    wait_until(
        lambda: Refund.objects.get().status == RefundStatus.SUCCEEDED,
        timeout_seconds=20,
        what="the worker to send the refund",
    )
    assert ledger() == [("PAID", PAID_LINES), ("REFUNDED", REFUNDED_LINES)]


def test_s13_a_charge_given_up_is_closed_by_the_bell(celery_worker_process: Any, stripe_sandbox: Any) -> None:
    charge = ChargeFactory.create(now=clock.now())
    attempt = start(charge)
    services.give_up_charge(booking_reference=charge.booking_reference, by=CANDIDATE, now=clock.now())
    wait_until(lambda: Attempt.objects.get().status == "EXPIRED", timeout_seconds=20, what="the page to be closed")
    assert stripe_sandbox.pay(attempt.url).outcome == "closed"


@pytest.mark.django_db
@pytest.mark.parametrize("job", ["apply_stripe_events", "settle_payments", "send_refunds"])
def test_the_jobs_of_the_schedule_are_there_and_do_nothing_where_there_is_nothing(job: str) -> None:
    from payments import jobs

    name = f"payments.jobs.{job}"
    assert name in {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    getattr(jobs, job)()
    assert AuditEvent.objects.count() == 0


def test_the_command_answers_in_json_and_acts_under_its_name(till: Till) -> None:
    till.sandbox.pay(till.start().url)
    later = clock.now().replace(microsecond=0) + dt.timedelta(minutes=4)
    out = StringIO()
    call_command("settle_payments", "--now", later.isoformat(), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"asked": 1, "paid": 1, "closed": 0, "failed": 0}
    assert AuditEvent.objects.get(action="charge.paid").actor == "command:settle_payments"
    call_command("settle_payments", stdout=out)
    assert out.getvalue().endswith("0 asked about, 0 paid, 0 closed, 0 to be tried again\n")
