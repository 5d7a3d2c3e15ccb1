"""Who has paid, or may have paid, is never told that nothing was charged."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings.constants import LatePaymentStatus
from bookings.models import Booking, LatePayment
from common import clock
from referrals.models import Referral
from tests.bookings.conftest import rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
CHECK, DETAILS, CONSENTS = "/booking/check/", "/booking/details/", "/booking/consents/"
MAKING = (CHECK, DETAILS, CONSENTS, "/booking/pay/", "/booking/extend/")
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def at(days: int, hour: int = 9) -> dt.datetime:
    """So many days from today at that London hour."""
    return clock.from_london(clock.london_day(clock.now()) + days * DAY, dt.time(hour))


@pytest.fixture
def offer() -> Referral:
    return r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X", email="jo@example.org")


@pytest.fixture
def browser(client: Client, offer: Referral) -> Client:
    return sign_in(client, offer, clock.now())


def text(response: Any) -> str:
    """The page as a reader sees it, blanks folded."""
    return " ".join(response.content.decode().split())


def paid_too_late(offer: Referral, status: LatePaymentStatus) -> LatePayment:
    """A payment that came when the place had gone, and how far it has got."""
    now = clock.now()
    booking = b.LapsedBookingFactory.create(
        now=now, referral=offer, session=c.OpenSessionFactory.create(starts_at=at(20))
    )
    payment: LatePayment = b.LatePaymentFactory.create(now=now, booking=booking, status=status)
    if status == LatePaymentStatus.OFFERED:
        b.PlaceOfferFactory.create(
            now=now, entry=None, payment=payment, session=c.OpenSessionFactory.create(starts_at=at(22))
        )
    return payment


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", [*MAKING, "/offer/"])
@pytest.mark.parametrize("status", [LatePaymentStatus.SEEKING, LatePaymentStatus.OFFERED, LatePaymentStatus.REFUNDED])
def test_s11_who_paid_too_late_is_never_told_that_nothing_was_charged(
    browser: Client, offer: Referral, status: LatePaymentStatus, path: str, method: str
) -> None:
    paid_too_late(offer, status)
    before = rows()
    response = getattr(browser, method)(path)
    assert response.status_code in {200, 302, 405, 409}
    assert "not been charged" not in text(response)
    if path in MAKING and response.status_code != 405:
        if status == LatePaymentStatus.REFUNDED:
            assert response.status_code == 409
            assert "You get all of it back." in text(response)
        else:
            assert response["Location"] == "/booking/other-dates/"
    assert rows() == before


@pytest.mark.parametrize("status", [LatePaymentStatus.SEEKING, LatePaymentStatus.OFFERED])
def test_s11_the_offer_leads_who_paid_too_late_to_the_dates_held_for_them(
    browser: Client, offer: Referral, status: LatePaymentStatus
) -> None:
    paid_too_late(offer, status)
    page = text(browser.get("/offer/"))
    assert "Your payment is here, choose a date." in page
    assert 'href="/booking/other-dates/"' in page
    assert 'href="/needs/"' not in page
    assert 'href="/sessions/"' not in page


def test_who_has_had_the_money_back_may_choose_again(browser: Client, offer: Referral) -> None:
    paid_too_late(offer, LatePaymentStatus.REFUNDED)
    page = text(browser.get("/offer/"))
    assert "Your payment is here" not in page
    assert "Choose a date" in page


@pytest.mark.parametrize(
    "factory", [b.CompletedBookingFactory, b.NotCompletedBookingFactory, b.CancelledBookingFactory]
)
@pytest.mark.parametrize("path", MAKING)
def test_what_was_booked_and_is_over_is_shown_instead(client: Client, factory: Any, path: str) -> None:
    booking = factory.create(now=clock.now(), session=c.OpenSessionFactory.create(starts_at=at(20)))
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    browser = sign_in(client, booking.referral, clock.now())
    response = browser.get(path) if path == CHECK else browser.post(path)
    assert response["Location"] == "/booking/"


# --- The page is open at Stripe, and Stripe does not say -------------------------------------------------------------
NOBODY_HOME = "http://127.0.0.1:1"
UNKNOWN = "We cannot see now whether you have paid."


@pytest.fixture
def no_stripe(settings: Any) -> None:
    """Stripe is out of reach: at its address nobody answers."""
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = NOBODY_HOME, "sk_test_sandbox"


def on_the_payment_page(offer: Referral, ago: dt.timedelta = dt.timedelta()) -> Booking:
    """Ready to pay, with a payment page that was opened."""
    booking: Booking = b.ReadyBookingFactory.create(
        now=clock.now() - ago, referral=offer, session=c.OpenSessionFactory.create(starts_at=at(20))
    )
    charge = p.ChargeFactory.create(booking_reference=booking.reference, referral_key=offer.key)
    p.OpenAttemptFactory.create(charge=charge, now=clock.now() - ago)
    return booking


@pytest.mark.usefixtures("no_stripe")
def test_where_stripe_is_out_of_reach_nobody_is_told_that_nothing_was_charged(
    browser: Client, offer: Referral
) -> None:
    on_the_payment_page(offer)
    before = rows()
    page = text(browser.get("/booking/check/?unpaid"))
    assert UNKNOWN in page
    assert "Look again" in page
    assert "Continue to payment" not in page
    assert "not been charged" not in page
    refused = browser.post("/booking/pay/")
    assert refused.status_code == 503
    assert UNKNOWN in text(refused)
    assert "not been charged" not in text(refused)
    assert rows() == before


@pytest.mark.usefixtures("no_stripe")
@pytest.mark.parametrize("path", MAKING)
def test_nor_once_the_hold_has_ended(browser: Client, offer: Referral, path: str) -> None:
    on_the_payment_page(offer, ago=40 * MINUTE)
    before = rows()
    response = browser.get(path) if path == CHECK else browser.post(path)
    assert response.status_code == 503
    assert "not been charged" not in text(response)
    assert rows() == before


@pytest.mark.usefixtures("no_stripe")
def test_a_change_of_date_that_may_be_paid_is_not_said_to_be_unpaid(client: Client) -> None:
    booking = b.ConfirmedBookingFactory.create(now=clock.now(), session=c.OpenSessionFactory.create(starts_at=at(3)))
    move = b.PaidMoveFactory.create(
        now=clock.now(), booking=booking, session=c.OpenSessionFactory.create(starts_at=at(20))
    )
    p.OpenAttemptFactory.create(charge=move.charge, now=clock.now())
    browser = sign_in(client, booking.referral, clock.now())
    page = text(browser.get("/booking/move/check/?unpaid"))
    assert UNKNOWN in page
    assert "Look again" in page
    assert "Continue to payment" not in page
    assert "not been charged" not in page
    before = rows()
    refused = browser.post("/booking/move/confirm/", {"move": move.pk})
    assert refused.status_code == 503
    assert UNKNOWN in text(refused)
    assert rows() == before


@pytest.mark.usefixtures("no_stripe")
def test_without_a_payment_page_stripe_is_not_asked(browser: Client, offer: Referral) -> None:
    b.ReadyBookingFactory.create(
        now=clock.now(), referral=offer, session=c.OpenSessionFactory.create(starts_at=at(20))
    )
    page = text(browser.get("/booking/check/?unpaid"))
    assert "You have not been charged" in page
    assert UNKNOWN not in page
