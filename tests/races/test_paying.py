"""One candidate clicks too often, one payment is told too often: through the real web and a real worker."""

import json
import random
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from bookings.constants import BookingStatus
from bookings.models import Booking
from common import clock
from devtools import processes
from devtools.stripe_sandbox.deliveries import signature
from notifications.models import Message
from payments.constants import EventStatus
from payments.models import Attempt, Charge, Journal, StripeEvent
from tests.factories import referrals as r
from tests.payments.conftest import events_of
from tests.support.people import Candidate, session_in
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox

REFERENCE = "46TEST0001X"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jo(live_web: Web) -> Candidate:
    """Somebody with everything answered, about to pay."""
    r.LiveReferralFactory.create(now=clock.now(), reference=REFERENCE)
    candidate = Candidate(live_web.url, REFERENCE)
    candidate.sign_in()
    candidate.choose(session_in(days=20))
    candidate.answer(email="jo@example.org")
    return candidate


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all works at the same moment, each in its thread."""
    gate = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        gate.wait(timeout=10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_s07_pay_clicked_twenty_times_in_three_tabs_is_one_payment(jo: Candidate, stripe_sandbox: "Sandbox") -> None:
    tabs = [Candidate(jo.origin, REFERENCE) for _ in range(20)]
    for tab in tabs:
        tab.cookies, tab.page = dict(jo.cookies), jo.page
    addresses = set(at_once([tab.click_pay for tab in tabs]))
    assert len(addresses) == 1
    (address,) = addresses
    assert stripe_sandbox.pay(address).outcome == "paid"
    assert {stripe_sandbox.pay(address).outcome for _ in range(3)} == {"paid"}  # the other tabs, after it
    assert jo.get("/booking/return/").heading == "Your course is booked"
    assert (Attempt.objects.count(), Charge.objects.count(), Journal.objects.count()) == (1, 1, 1)
    assert [event["type"] for event in events_of(stripe_sandbox)].count("charge.succeeded") == 1


def test_s08_one_payment_told_fifty_times_before_the_return_page(
    jo: Candidate, stripe_sandbox: "Sandbox", celery_worker_process: Program
) -> None:
    stripe_sandbox.control("webhooks", drop=True)
    jo.click_pay()
    paid = jo.pay(stripe_sandbox)
    events = events_of(stripe_sandbox)
    copies = [event for event in events for _ in range(50)]
    random.Random(8).shuffle(copies)
    answers = at_once([lambda part=copies[n::10]: [_deliver(jo.origin, event) for event in part] for n in range(10)])
    assert {status for answer in answers for status in answer} == {200}
    assert processes.wait_until(_nothing_waits, seconds=30)
    page = jo.come_back(paid)
    assert page.heading == "Your course is booked"
    assert sorted(StripeEvent.objects.values_list("event_id", flat=True)) == sorted(event["id"] for event in events)
    assert (Attempt.objects.get().status, Booking.objects.get().status) == ("PAID", BookingStatus.CONFIRMED)
    assert Journal.objects.get().total_pence == 9200
    assert Message.objects.filter(kind="confirmation").count() == 1


def _nothing_waits() -> bool:
    return not StripeEvent.objects.filter(status=EventStatus.RECEIVED).exists()


def _deliver(origin: str, event: dict[str, Any]) -> int:
    """Deliver an event as Stripe would; the status of the answer."""
    body = json.dumps(event).encode()
    header = signature(body, list(settings.STRIPE_WEBHOOK_SECRETS), at=int(time.time()))
    request = urllib.request.Request(
        f"{origin}/payments/stripe/webhook/",
        body,
        {"Content-Type": "application/json", "Stripe-Signature": header},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)
