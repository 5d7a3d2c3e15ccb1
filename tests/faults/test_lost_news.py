"""News that never comes, or comes too late for itself: with the real web, worker, mail server and sandbox."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from bookings.constants import BookingStatus
from bookings.models import Booking, PlaceOffer
from common import clock
from courses.models import Place, Session
from devtools import processes
from ndors_portal.celery import app
from notifications.models import Message
from payments.models import Attempt, Charge, Journal, Refund
from referrals.models import Referral
from tests.factories import referrals as r
from tests.support.people import Candidate, Colleague, officer, session_in
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from email.message import EmailMessage

    from devtools.stripe_sandbox.testing import Sandbox
    from tests.support.mail import SmtpSink

REFERENCE = "46TEST0001X"
EMAIL = "jo@example.org"
pytestmark = pytest.mark.usefixtures("celery_worker_process")


@pytest.fixture
def session(transactional_db: None) -> Session:
    """A course with one place."""
    return session_in(days=20, capacity=1)


@pytest.fixture
def jo(live_web: Web, celery_worker_process: Program, session: Session) -> Candidate:
    """Somebody on Stripe's page."""
    r.LiveReferralFactory.create(now=clock.now(), reference=REFERENCE, email=EMAIL)
    candidate = Candidate(live_web.url, REFERENCE)
    candidate.up_to_paying(session, email=EMAIL)
    return candidate


def wait(condition: Callable[[], bool], what: str) -> None:
    assert processes.wait_until(condition, seconds=30, pause=0.1), f"waited 30 s for {what}"


def mails(smtp_sink: "SmtpSink") -> list["EmailMessage"]:
    return [mail for mail in smtp_sink.messages if EMAIL in mail["To"]]


def three_minutes_later() -> None:
    """Beat rings for the mop-up when the payment page has been open for three minutes."""
    Attempt.objects.update(created_at=clock.now() - dt.timedelta(minutes=3))
    app.send_task("payments.jobs.settle_payments", queue="default")


def place_goes_while_the_page_is_open(session: Session, sandbox: "Sandbox", origin: str) -> None:
    """The hold's time and the page's are over by our clock, Stripe does not close the page, and somebody is quick."""
    sandbox.control("api", error_next=1000, match="POST *expire")
    past = clock.now() - dt.timedelta(minutes=10)
    Attempt.objects.update(expires_at=past)
    Place.objects.update(held_until=past)
    app.send_task("bookings.jobs.release_holds", queue="default")
    wait(lambda: Booking.objects.get().status == BookingStatus.LAPSED, "the hold to be let go")
    r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0002X")
    quick = Candidate(origin, "46TEST0002X")
    quick.sign_in()
    assert quick.choose(session).heading == "How can we reach you?"


def told(smtp_sink: "SmtpSink") -> list[str]:
    """The kinds of letters that reached them, once all are sent."""
    wait(lambda: not Message.objects.exclude(status="SENT").exists(), "the letters")
    kinds = list(Message.objects.filter(to=EMAIL).order_by("pk").values_list("kind", flat=True))
    assert len(mails(smtp_sink)) == len(kinds)
    return kinds


def withdraw_at_the_desk(origin: str) -> None:
    """An officer withdraws the offer on their pages."""
    sergeant = Colleague(origin, officer())
    sergeant.sign_in("/police/")
    sergeant.get(f"/police/referrals/{REFERENCE}/withdraw/")
    sergeant.press("Continue", reason="COURT")
    page = sergeant.press("Withdraw the offer")
    assert "The offer 46TEST0001X is withdrawn." in page.words


def test_s10_browser_closed_and_webhook_lost_is_confirmed_by_the_mop_up(
    jo: Candidate, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    stripe_sandbox.control("webhooks", drop=True)
    assert jo.pay(stripe_sandbox).outcome == "paid"
    assert Booking.objects.get().status == BookingStatus.HELD
    three_minutes_later()
    wait(lambda: Booking.objects.get().status == BookingStatus.CONFIRMED, "the mop-up")
    wait(lambda: bool(mails(smtp_sink)), "the confirmation")
    three_minutes_later()
    assert jo.get("/booking/").heading == "Your booking"
    assert (len(mails(smtp_sink)), Journal.objects.count()) == (1, 1)


def test_s11_paid_after_the_place_went_with_no_other_date_is_sent_back_and_told(
    jo: Candidate, session: Session, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    place_goes_while_the_page_is_open(session, stripe_sandbox, jo.origin)
    paid = jo.pay(stripe_sandbox)
    wait(lambda: Refund.objects.filter(status="SUCCEEDED").exists(), "the refund")
    assert told(smtp_sink) == ["hold_lapsed", "paid_too_late"]
    refund, charge = Refund.objects.get(), Charge.objects.get()
    assert refund.status_at - Attempt.objects.get().paid_at < dt.timedelta(minutes=1)
    assert (charge.paid_pence, charge.refunded_pence) == (9200, 9200)
    assert list(Journal.objects.order_by("pk").values_list("kind", "total_pence")) == [
        ("PAID", 9200),
        ("REFUNDED", 9200),
    ]
    page = jo.come_back(paid)
    assert page.heading == "Your payment came too late for this place"
    assert "You get the whole £92 back." in page.words
    session.refresh_from_db()
    assert (session.places_claimed, Booking.objects.filter(status=BookingStatus.HELD).count()) == (1, 1)
    assert not Message.objects.filter(kind="money_task").exists()


def test_s11_paid_after_the_place_went_is_put_on_the_date_they_choose(
    jo: Candidate, session: Session, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    other = session_in(days=21)
    place_goes_while_the_page_is_open(session, stripe_sandbox, jo.origin)
    paid = jo.pay(stripe_sandbox)
    wait(lambda: PlaceOffer.objects.open().exists(), "the other date to be held")
    page = jo.come_back(paid)
    assert page.heading == "Your payment arrived after your place had gone"
    (button,) = [words for form in page.forms for words in form.buttons if words.startswith("Choose")]
    assert jo.press(button).heading == "Your course is booked"
    assert told(smtp_sink) == ["hold_lapsed", "late_dates", "confirmation"]
    booking = Booking.objects.select_related("place").get(referral__reference=REFERENCE)
    assert (booking.status, booking.place.session_id) == (BookingStatus.CONFIRMED, other.pk)
    assert (Refund.objects.count(), Charge.objects.get().paid_pence, Journal.objects.count()) == (0, 9200, 1)


def test_s11_paid_after_the_place_went_and_nothing_chosen_is_sent_back_by_itself(
    jo: Candidate, session: Session, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    other = session_in(days=21)
    place_goes_while_the_page_is_open(session, stripe_sandbox, jo.origin)
    jo.pay(stripe_sandbox)
    wait(lambda: PlaceOffer.objects.open().exists(), "the other date to be held")
    past = clock.now() - dt.timedelta(seconds=1)
    PlaceOffer.objects.update(until=past)
    Place.objects.filter(offer__isnull=False).update(held_until=past)
    app.send_task("bookings.jobs.offer_places", queue="default")
    wait(lambda: Refund.objects.filter(status="SUCCEEDED").exists(), "the refund")
    assert told(smtp_sink) == ["hold_lapsed", "late_dates", "paid_too_late"]
    other.refresh_from_db()
    assert (other.places_claimed, Charge.objects.get().refunded_pence, Journal.objects.count()) == (0, 9200, 2)


def test_s13_withdrawn_on_the_payment_page_closes_it_and_frees_the_place(
    jo: Candidate, session: Session, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    withdraw_at_the_desk(jo.origin)
    session.refresh_from_db()
    assert (session.places_claimed, Booking.objects.get().status) == (0, BookingStatus.CANCELLED)
    wait(lambda: Attempt.objects.get().status == "EXPIRED", "the payment page to be closed")
    assert jo.pay(stripe_sandbox).outcome == "closed"
    wait(lambda: bool(mails(smtp_sink)), "the letter")
    assert jo.get("/sessions/").heading == "The police have withdrawn your offer"
    assert (Charge.objects.get().paid_pence, Journal.objects.count(), len(mails(smtp_sink))) == (0, 0, 1)


def test_s13_withdrawn_when_just_paid_sends_the_money_back(
    jo: Candidate, session: Session, stripe_sandbox: "Sandbox", smtp_sink: "SmtpSink"
) -> None:
    stripe_sandbox.control("webhooks", drop=True)
    assert jo.pay(stripe_sandbox).outcome == "paid"
    withdraw_at_the_desk(jo.origin)
    wait(lambda: Refund.objects.filter(status="SUCCEEDED").exists(), "the refund")
    wait(lambda: not Message.objects.exclude(status="SENT").exists(), "the letters")
    told = dict(Message.objects.filter(to=EMAIL).values_list("kind", "body"))
    assert sorted(told) == ["paid_too_late", "withdrawn"]
    assert "The police withdrew your offer before your payment" in told["paid_too_late"]
    assert len(mails(smtp_sink)) == 2
    page = jo.get("/booking/return/")
    assert (page.heading, "You get the whole £92 back." in page.words) == (
        "The police have withdrawn your offer",
        True,
    )
    session.refresh_from_db()
    charge = Charge.objects.get()
    assert (charge.paid_pence, charge.refunded_pence, session.places_claimed) == (9200, 9200, 0)
    assert list(Journal.objects.order_by("pk").values_list("kind", "total_pence")) == [
        ("PAID", 9200),
        ("REFUNDED", 9200),
    ]
    assert (Booking.objects.get().status, Referral.objects.get().status) == ("CANCELLED", "WITHDRAWN")
