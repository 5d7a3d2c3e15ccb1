"""The whole way of a candidate, over HTTP, paying at the Stripe sandbox: from the letter to a confirmed place."""

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.test import Client

from audit.context import Actor
from audit.models import AuditEvent
from bookings import services
from bookings.constants import BookingStatus
from bookings.models import Booking, PlaceOffer
from common import clock
from courses.constants import PlaceState
from courses.models import Session
from notifications import services as notifications
from notifications.models import Message
from payments import services as payments
from payments.constants import AttemptStatus, RefundStatus
from payments.models import Attempt, Charge, Journal, Refund
from referrals import services as referrals
from referrals.constants import ReferralStatus
from referrals.models import Referral
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Payment, Sandbox
    from tests.support.mail import SmtpSink

JOB = Actor("job", "release_holds")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def offer(transactional_db: None) -> Referral:
    return r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X", email="jo@example.org")


@pytest.fixture
def session(transactional_db: None) -> Session:
    day = clock.london_day(clock.now()) + dt.timedelta(days=20)
    return c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)), capacity=1)


class Candidate:
    """Somebody with a browser. Each step posts what its page asks for and follows where it leads."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.client = Client()
        self.sandbox = sandbox
        self.checkout = ""

    def sign_in(self) -> str:
        return self.post("/sign-in/", reference="46TEST0001X", how="pin", pin=r.PIN)

    def up_to_paying(self, session: Session) -> None:
        assert self.sign_in() == "/offer/"
        assert self.post("/booking/hold/", session=session.pk) == "/booking/details/"
        assert self.post("/booking/details/", email="jo@example.org", mobile="") == "/booking/consents/"
        boxes = dict.fromkeys(self.client.get("/booking/consents/").context["form"].fields, "on")
        assert self.post("/booking/consents/", **boxes) == "/booking/check/"
        assert self.client.get("/booking/check/").status_code == 200

    def pay_page(self) -> str:
        """Click Pay; the address of Stripe's page."""
        self.checkout = self.post("/booking/pay/")
        assert self.checkout.startswith(self.sandbox.url)
        return self.checkout

    def pay(self, card: str = "4242424242424242", three_ds: str = "approve") -> "Payment":
        return self.sandbox.pay(self.checkout, card, three_ds)  # type: ignore[arg-type]

    def come_back(self, address: str) -> str:
        """Follow Stripe's link back to us; where that leads."""
        parts = urlsplit(address)
        return str(self.client.get(f"{parts.path}?{parts.query}").get("Location", ""))

    def post(self, path: str, **fields: object) -> str:
        response = self.client.post(path, fields)
        assert response.status_code == 302, response.content.decode()
        return str(response["Location"])

    def page(self, path: str) -> str:
        return " ".join(self.client.get(path).content.decode().split())


@pytest.fixture
def jo(stripe_sandbox: "Sandbox", offer: Referral) -> Candidate:
    return Candidate(stripe_sandbox)


def booking() -> Booking:
    return Booking.objects.with_session().get()


def test_from_the_letter_to_a_confirmed_place(jo: Candidate, session: Session, smtp_sink: "SmtpSink") -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    paid = jo.pay()
    assert (paid.outcome, jo.come_back(paid.url)) == ("paid", "/booking/?booked")
    page = jo.page("/booking/?booked")
    made = booking()
    assert "Your course is booked" in page
    assert made.reference in page
    assert (made.status, made.place.state, made.referral.status) == (
        BookingStatus.CONFIRMED,
        PlaceState.TAKEN,
        ReferralStatus.BOOKED,
    )
    assert list(Journal.objects.values_list("kind", "total_pence")) == [("PAID", 9200)]
    assert notifications.send_messages(now=clock.now())["sent"] == 1
    (letter,) = smtp_sink.messages
    assert letter["To"] == "jo@example.org"
    assert made.reference in letter["Subject"]
    (attached,) = letter.iter_attachments()
    assert attached.get_filename() == "course.ics"
    assert "BEGIN:VEVENT" in attached.get_content()
    # Every step is on record, as done by the candidate.
    told = list(AuditEvent.objects.filter(actor=f"candidate:{made.referral.key}").values_list("action", flat=True))
    for action in ("candidate.signed_in", "booking.held", "booking.consented", "charge.opened", "booking.confirmed"):
        assert action in told
    assert jo.sign_in() == "/booking/"


def test_s12_declined_then_paid_with_another_card(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    assert jo.pay("4000000000000002").outcome == "declined"
    # They go back to us, see that nothing was charged, and click Pay again: the same page is still open.
    assert "You have not been charged" in jo.page("/booking/check/?unpaid")
    first = jo.checkout
    assert jo.pay_page() == first
    paid = jo.pay()
    assert jo.come_back(paid.url) == "/booking/?booked"
    assert (Attempt.objects.count(), Charge.objects.count()) == (1, 1)


def test_s12_three_d_secure_abandoned_gives_the_place_back_when_the_hold_ends_and_no_sooner(
    jo: Candidate, session: Session
) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    assert jo.pay("4000000000003220", "abandon").outcome == "abandoned"
    until = booking().place.held_until
    assert until is not None
    just_before = until - dt.timedelta(seconds=1)
    assert services.release_holds(now=just_before, by=JOB) == {"released": 0}
    assert booking().status == BookingStatus.HELD
    assert services.release_holds(now=until, by=JOB) == {"released": 1}
    session.refresh_from_db()
    assert (booking().status, session.places_claimed) == (BookingStatus.LAPSED, 0)


def test_s07_pay_clicked_in_several_tabs_opens_one_page(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    assert len({jo.pay_page() for _ in range(20)}) == 1
    paid = jo.pay()
    for _ in range(3):
        assert jo.come_back(paid.url) == "/booking/?booked"
    # A tab that still shows Check your answers.
    assert jo.post("/booking/pay/") == "/booking/"
    assert (Charge.objects.count(), Attempt.objects.filter(status=AttemptStatus.PAID).count()) == (1, 1)
    assert list(Message.objects.values_list("kind", flat=True)) == ["confirmation"]


def test_the_hold_outlasts_the_payment_page(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    attempt = Attempt.objects.get()
    held_until = booking().place.held_until
    assert held_until is not None
    assert held_until >= attempt.expires_at + dt.timedelta(minutes=4)


def test_browser_closed_after_paying_is_confirmed_by_the_mop_up(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    assert jo.pay().outcome == "paid"
    assert booking().status == BookingStatus.HELD
    payments.settle_payments(now=clock.now() + dt.timedelta(minutes=4))
    assert booking().status == BookingStatus.CONFIRMED
    assert jo.sign_in() == "/booking/"


def test_paid_with_the_news_lost_signing_in_anew_shows_the_booking(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    assert jo.pay().outcome == "paid"
    assert booking().status == BookingStatus.HELD  # no webhook comes here, and they never came back
    elsewhere = Candidate(jo.sandbox)
    assert elsewhere.sign_in() == "/booking/return/"
    assert elsewhere.come_back("/booking/return/") == "/booking/?booked"
    assert booking().status == BookingStatus.CONFIRMED
    assert (Charge.objects.count(), Attempt.objects.count()) == (1, 1)


@pytest.mark.parametrize("path", ["/booking/check/", "/booking/check/?unpaid"])
def test_paid_with_the_news_lost_they_are_not_asked_to_pay(jo: Candidate, session: Session, path: str) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    jo.pay()
    assert jo.come_back(path) == "/booking/return/"
    assert jo.come_back("/booking/return/") == "/booking/?booked"


def test_paid_with_the_news_lost_pay_clicked_again_shows_the_booking(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    jo.pay()
    assert jo.post("/booking/pay/") == "/booking/return/"
    assert jo.post("/booking/pay/") == "/booking/"
    assert (Charge.objects.count(), Attempt.objects.count()) == (1, 1)


def test_paid_with_the_news_lost_until_the_place_had_gone_leads_to_other_dates(
    jo: Candidate, session: Session
) -> None:
    dates = other_dates(session)
    jo.up_to_paying(session)
    jo.pay_page()
    services.release_holds(now=clock.now() + dt.timedelta(minutes=40), by=JOB)
    c.TakenPlaceFactory.create(session=session)
    jo.pay()
    elsewhere = Candidate(jo.sandbox)
    assert elsewhere.sign_in() == "/booking/return/"
    assert elsewhere.come_back("/booking/return/") == "/booking/other-dates/"
    elsewhere.page("/booking/other-dates/")
    assert PlaceOffer.objects.count() == len(dates)


def test_back_without_paying_is_told_so(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    assert jo.come_back("/booking/return/") == "/booking/check/?unpaid"


def test_stripe_out_of_reach_on_the_way_back_says_it_is_being_confirmed(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    back = urlsplit(jo.pay().url)
    jo.sandbox.kill()
    try:
        page = jo.page(f"{back.path}?{back.query}")
    finally:
        jo.sandbox.start()
    assert "We have your payment and are confirming your place" in page
    assert jo.come_back(back.geturl()) == "/booking/?booked"


def test_stripe_out_of_reach_on_the_way_there_says_nothing_was_charged(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.sandbox.kill()
    try:
        response = jo.client.post("/booking/pay/")
    finally:
        jo.sandbox.start()
    assert response.status_code == 503
    assert "You have not been charged." in response.content.decode()
    jo.pay_page()
    assert jo.come_back(jo.pay().url) == "/booking/?booked"


def paid_too_late(jo: Candidate, session: Session) -> str:
    """Pay when the place is somebody else's already; where the way back from Stripe leads."""
    jo.up_to_paying(session)
    jo.pay_page()
    gone = clock.now() + dt.timedelta(minutes=40)
    assert services.release_holds(now=gone, by=JOB) == {"released": 1}
    c.TakenPlaceFactory.create(session=session)
    return jo.come_back(jo.pay().url)


def other_dates(session: Session, count: int = 4) -> list[Session]:
    return [
        c.OpenSessionFactory.create(starts_at=session.starts_at + dt.timedelta(days=days)) for days in range(1, count)
    ]


def test_s11_paid_after_the_place_went_another_date_is_chosen_and_nothing_is_paid_again(
    jo: Candidate, session: Session
) -> None:
    dates = other_dates(session)
    assert paid_too_late(jo, session) == "/booking/other-dates/"
    page = jo.page("/booking/other-dates/")
    assert "Your payment arrived after your place had gone" in page
    assert "Choose one of these dates, or have your money back." in page
    assert jo.sign_in() == "/booking/other-dates/"
    assert jo.client.get("/sessions/")["Location"] == "/booking/other-dates/"
    offers = list(PlaceOffer.objects.order_by("place__session__starts_at"))
    assert [offer.place.session_id for offer in offers] == [date.pk for date in dates]
    # Somebody else's offer, or none at all, is not theirs to choose.
    others = b.PlaceOfferFactory.create()
    for tampered in (others.pk, 0, "x", ""):
        refused = jo.client.post("/booking/other-dates/choose/", {"offer": tampered})
        assert (refused.status_code, booking_of(jo).status) == (409, BookingStatus.LAPSED)
        assert "The place is no longer held for you." in refused.content.decode()
    assert jo.post("/booking/other-dates/choose/", offer=offers[1].pk) == "/booking/?booked"
    assert jo.post("/booking/other-dates/choose/", offer=offers[1].pk) == "/booking/?booked"
    assert "Your course is booked" in jo.page("/booking/?booked")
    assert (Charge.objects.count(), Attempt.objects.count(), Refund.objects.count()) == (1, 1, 0)
    assert booking_of(jo).place.session_id == dates[1].pk
    assert jo.client.get("/booking/other-dates/")["Location"] == "/booking/"


def test_s11_paid_after_the_place_went_and_the_money_is_wanted_back(jo: Candidate, session: Session) -> None:
    other_dates(session)
    assert paid_too_late(jo, session) == "/booking/other-dates/"
    assert jo.post("/booking/other-dates/money-back/") == "/booking/other-dates/"
    assert jo.post("/booking/other-dates/money-back/") == "/booking/other-dates/"
    page = jo.page("/booking/other-dates/")
    assert "You get the whole £92 back." in page
    assert "Choose another date" in page
    payments.send_refunds(now=clock.now())
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert jo.sign_in() == "/offer/"


def booking_of(jo: Candidate) -> Booking:
    return Booking.objects.with_session().get(referral__reference="46TEST0001X")


def test_s11_paid_after_the_place_went_is_told_and_refunded(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    gone = clock.now() + dt.timedelta(minutes=40)
    assert services.release_holds(now=gone, by=JOB) == {"released": 1}
    c.TakenPlaceFactory.create(session=session)
    paid = jo.pay()  # the sandbox's clock stands still: its page is still open
    assert paid.outcome == "paid"
    response = jo.client.get(urlsplit(paid.url).path)
    assert "Your payment came too late for this place" in response.content.decode()
    payments.send_refunds(now=clock.now())
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert "paid_too_late" in Message.objects.values_list("kind", flat=True)


def test_s13_withdrawn_on_the_payment_page_closes_it_or_sends_the_money_back(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    now = clock.now()
    referrals.withdraw(
        force_code="46",
        reference="46TEST0001X",
        reason="OTHER",
        effective_at=None,
        received_at=now,
        by=Actor("officer", "3"),
        now=now,
    )
    session.refresh_from_db()
    assert session.places_claimed == 0
    paid = jo.pay()  # quicker than the sweep
    assert paid.outcome == "paid"
    payments.settle_payments(now=now)
    payments.send_refunds(now=now)
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert booking().status == BookingStatus.CANCELLED
    assert "The police have withdrawn your offer" in jo.page("/booking/check/")
    for kind in ("paid_too_late", "withdrawn"):
        assert Message.objects.filter(kind=kind).count() == 1


def test_cancelled_again_sends_the_money_back(jo: Candidate, session: Session) -> None:
    jo.up_to_paying(session)
    jo.pay_page()
    jo.come_back(jo.pay().url)
    shown = jo.client.get("/booking/cancel/").context
    answer = {"place": shown["booking"].place_id, "refund_pence": shown["refund_pence"]}
    assert jo.post("/booking/cancel/", sure="yes", **answer) == "/booking/"
    payments.send_refunds(now=clock.now())
    assert "Refund</dt>" in jo.page("/booking/")
    session.refresh_from_db()
    assert (session.places_claimed, Refund.objects.get().status) == (0, RefundStatus.SUCCEEDED)
    # And the place can be booked again with the same offer.
    assert jo.post("/booking/hold/", session=session.pk) == "/booking/details/"
