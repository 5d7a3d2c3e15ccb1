"""`kill -9` of every part in turn, while candidates pay and batches import: nothing is lost or done twice."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Sum

from audit.models import AuditEvent
from audit.sealing import seal
from bookings.models import Booking
from common import clock
from courses.models import Place, Session
from devtools import processes
from notifications.channels.smtp import message_id
from notifications.models import Message
from payments.models import Attempt, Charge, Journal, Posting, StripeEvent
from referrals.models import Batch, BatchRow, Referral
from tests.factories import referrals as r
from tests.payments.conftest import events_of
from tests.support.people import Candidate, Colleague, offer_row, offers_csv, officer, session_in
from tests.support.stack import Stack

PARTS = ("worker", "redis", "postgres", "beat", "web")
ROWS = 4_500  # three slices, so that a kill finds some settled and some not


@pytest.fixture
def session(stack: Stack) -> Session:
    return session_in(days=20, capacity=len(PARTS) + 3)


def test_every_part_killed_in_turn_while_candidates_pay_and_batches_import(stack: Stack, session: Session) -> None:
    sergeant = Colleague(stack.web.url, officer())
    sergeant.sign_in("/police/")
    for part in PARTS:
        payer, clicker = (_candidate(stack, f"46{part.upper()}{number}") for number in (1, 2))
        payer.up_to_paying(session, email=_email(payer))
        if part == "web":
            _up_to_the_click(clicker, session)
        page = sergeant.send_file(offers_csv([offer_row(f"46{part[:4].upper()}{n:06}") for n in range(ROWS)]))
        assert page.path.startswith("/police/batches/"), page.words
        _wait(_is_half_done, f"the batch beside which {part} dies")

        with ThreadPoolExecutor() as pool:
            paying = pool.submit(payer.pay, stack.sandbox)
            clicking = pool.submit(_click, clicker) if part == "web" else None
            _kill(stack, part)
            paid = paying.result()
            assert paid.outcome == "paid"
            if clicking:
                clicking.result()
        if part == "redis":
            _up_to_the_click(clicker, session)  # the pages do without it
            clicker.click_pay()
            assert clicker.come_back(clicker.pay(stack.sandbox)).heading == "Your course is booked"
        _start(stack, part)
        assert payer.come_back(paid).heading == "Your course is booked"
        if part == "web":
            assert clicker.click_pay()
            assert clicker.come_back(clicker.pay(stack.sandbox)).heading == "Your course is booked"

    _wait(_all_is_done, "everything to be done", seconds=90)
    payers = len(PARTS) + 2
    _batches_are_whole(payers + 3)
    _each_paid_once(stack, session, payers)
    _each_told_once(stack, payers)
    _record_is_whole(stack)


def _candidate(stack: Stack, reference: str) -> Candidate:
    r.LiveReferralFactory.create(now=clock.now(), reference=reference, email=f"{reference.lower()}@example.org")
    return Candidate(stack.web.url, reference)


def _email(candidate: Candidate) -> str:
    return f"{candidate.reference.lower()}@example.org"


def _up_to_the_click(candidate: Candidate, session: Session) -> None:
    candidate.sign_in()
    candidate.choose(session)
    candidate.answer(email=_email(candidate))


def _click(candidate: Candidate) -> None:
    """Click Pay at a web server that dies under it; the page stays what it was."""
    before, candidate.patience = candidate.page, 2.0
    with suppress(HTTPException, OSError, AssertionError):
        candidate.click_pay()
    candidate.page, candidate.patience = before, 60.0


def _kill(stack: Stack, part: str) -> None:
    getattr(stack, part).kill()
    if part == "postgres":
        connection.close()


def _start(stack: Stack, part: str) -> None:
    getattr(stack, part).start()
    if part in {"worker", "postgres"}:
        # The claims of who died run out: two minutes that nobody needs to wait for here.
        for model in (Batch, Message, StripeEvent, Attempt):
            model.objects.filter(claimed_until__isnull=False).update(claimed_until=clock.now())


def _is_half_done() -> bool:
    return bool(Batch.objects.latest("received_at").rows_read)


def _all_is_done() -> bool:
    waiting = (
        Batch.objects.exclude(status="SETTLED"),
        Booking.objects.exclude(status="CONFIRMED"),
        StripeEvent.objects.filter(status="RECEIVED"),
        Message.objects.exclude(status="SENT"),
    )
    return not any(rows.exists() for rows in waiting)


def _wait(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    assert processes.wait_until(condition, seconds=seconds, pause=0.05), f"waited {seconds} s for {what}"


def _batches_are_whole(candidates: int) -> None:
    batches = Batch.objects.values_list("status", "rows", "new", "rejected")
    assert list(batches) == [("SETTLED", ROWS, ROWS, 0)] * len(PARTS)
    assert BatchRow.objects.values("batch").annotate(rows=Count("pk")).filter(rows=ROWS).count() == len(PARTS)
    assert Referral.objects.count() == ROWS * len(PARTS) + candidates
    received = AuditEvent.objects.filter(action="referral.received")
    assert (received.count(), received.values("referral_key").distinct().count()) == (ROWS * len(PARTS),) * 2


def _each_paid_once(stack: Stack, session: Session, payers: int) -> None:
    session.refresh_from_db()
    live = Place.objects.filter(session=session).claiming()
    assert (session.places_claimed, live.count(), Booking.objects.count()) == (payers,) * 3
    assert Counter(live.values_list("state", flat=True)) == {"TAKEN": payers}
    assert list(Charge.objects.values_list("status", "paid_pence", "refunded_pence")) == [("PAID", 9200, 0)] * payers
    assert list(Attempt.objects.values_list("status", flat=True)) == ["PAID"] * payers
    assert list(Journal.objects.values_list("kind", "total_pence")) == [("PAID", 9200)] * payers
    assert Posting.objects.aggregate(sum=Sum("amount_pence")) == {"sum": 0}
    at_stripe = Counter(event["type"] for event in events_of(stack.sandbox))
    assert (at_stripe["checkout.session.completed"], at_stripe["charge.succeeded"]) == (payers, payers)
    confirmed = AuditEvent.objects.filter(action="booking.confirmed")
    assert (confirmed.count(), confirmed.values("referral_key").distinct().count()) == (payers, payers)


def _each_told_once(stack: Stack, payers: int) -> None:
    """Mail cannot be taken back: who dies between sending and noting it sends again, under the same Message-ID."""
    assert Message.objects.filter(kind="confirmation").count() == payers
    came = Counter(mail["Message-ID"] for mail in stack.smtp.messages)
    tries = {message_id(message.dedupe_key): message.attempts for message in Message.objects.all()}
    assert set(came) == set(tries)
    assert {identity: count for identity, count in came.items() if count > tries[identity]} == {}


def _record_is_whole(stack: Stack) -> None:
    seal(now=clock.now())  # what beat has not sealed yet
    verdict: dict[str, Any] = json.loads(stack.manage("verify_audit", "--json").splitlines()[-1])
    assert (verdict["ok"], verdict["problems"]) == (True, [])
    assert verdict["rows"] >= AuditEvent.objects.count()
