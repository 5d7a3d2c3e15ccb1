"""Time on the candidate's pages: told in words without a script, and louder two minutes before the end with one."""

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from audit.context import Actor
from bookings import services
from bookings.constants import BookingStatus
from bookings.models import Booking
from common import clock
from courses.models import Session
from referrals.models import Referral
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.support.programs import Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from devtools.stripe_sandbox.testing import Sandbox

REFERENCE = "46TEST0001X"
NewPage = Callable[..., "Page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def offer(transactional_db: None) -> Referral:
    offer: Referral = r.LiveReferralFactory.create(now=clock.now(), reference=REFERENCE, email="jo@example.org")
    return offer


@pytest.fixture
def session(transactional_db: None) -> Session:
    day = clock.london_day(clock.now()) + dt.timedelta(days=20)
    session: Session = c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)))
    return session


def press(page: "Page", button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def sign_in(page: "Page") -> None:
    page.goto("/")
    page.get_by_role("button", name="Start now").click()
    page.get_by_label("Reference").fill(REFERENCE)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill(r.PIN)
    press(page, "Continue")


def hold(page: "Page") -> None:
    press(page, "Choose a date")
    page.get_by_label("No, I do not need anything").check()
    press(page, "Continue")
    page.get_by_role("button", name="Choose").first.click()


def test_s29_the_whole_way_without_a_script_on_a_small_phone(
    new_page: NewPage, live_web: Web, stripe_sandbox: "Sandbox", offer: Referral, session: Session
) -> None:
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 640})
    sign_in(page)
    hold(page)
    booking = Booking.objects.with_session().get()
    # Seven minutes go by; the page says what is left, and more can be had.
    booking.place.held_until = clock.now() + dt.timedelta(minutes=4, seconds=30)
    booking.place.save()
    page.reload()
    expect(page.locator("#hold")).to_contain_text("Your place is held for only 4 minutes more")
    press(page, "Get 15 minutes more")
    expect(page.locator("#hold")).to_contain_text(re.compile("We are holding your place for 1[45] minutes"))
    page.get_by_label("Email address").fill("jo@example.org")
    press(page, "Continue")
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Agree and continue")
    press(page, "Continue to payment")
    paid = stripe_sandbox.pay(page.url)
    page.goto(paid.url)
    expect(page.locator("h1")).to_have_text("Your course is booked")
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    expect(page.locator("main")).to_contain_text(booking.reference)


def test_s29_a_script_warns_two_minutes_before_the_hold_ends(
    new_page: NewPage, live_web: Web, offer: Referral, session: Session
) -> None:
    page = new_page()
    sign_in(page)
    services.hold(referral_id=offer.pk, session_id=session.pk, by=Actor("candidate", offer.key), now=clock.now())
    page.clock.install()
    page.goto("/booking/details/")
    warning = page.locator("#hold-warning")
    page.clock.fast_forward("12:50")
    expect(warning).to_be_empty()
    page.clock.fast_forward("00:15")
    expect(warning).to_have_text("Your place is held for only 2 more minutes.")
    page.clock.fast_forward("02:05")
    expect(warning).to_have_text("The time to hold your place has ended. If you have not paid, choose a date again.")


def test_s29_a_script_says_of_a_new_date_that_the_booked_one_stays(
    new_page: NewPage, live_web: Web, session: Session
) -> None:
    now = clock.now()
    referral = r.BookedReferralFactory.create(now=now, reference=REFERENCE)
    booking = b.ConfirmedBookingFactory.create(now=now, referral=referral, session=session)
    page = new_page()
    sign_in(page)
    later = c.OpenSessionFactory.create(starts_at=session.starts_at + dt.timedelta(days=7))
    by = Actor("candidate", referral.key)
    services.hold_move(booking_id=booking.pk, session_id=later.pk, by=by, now=clock.now())
    page.clock.install()
    page.goto("/booking/move/check/")
    warning = page.locator("#hold-warning")
    page.clock.fast_forward("13:05")
    expect(warning).to_have_text("The new date is held for only 2 more minutes.")
    page.clock.fast_forward("02:05")
    expect(warning).to_have_text("The time to hold the new date has ended. Your booked date is still yours.")
    expect(page.get_by_text("We are holding the new date for")).to_be_hidden()
    expect(page.get_by_role("button", name="Get 15 minutes more")).to_be_hidden()


def test_s29_a_script_warns_before_signing_out_and_keeps_what_was_typed(
    new_page: NewPage, live_web: Web, offer: Referral, session: Session
) -> None:
    page = new_page()
    sign_in(page)
    services.hold(referral_id=offer.pk, session_id=session.pk, by=Actor("candidate", offer.key), now=clock.now())
    page.clock.install()
    page.goto("/booking/details/")
    page.get_by_label("Email address").fill("half-typed@")
    warning = page.locator("#idle-warning")
    page.clock.fast_forward("17:50")
    expect(warning).to_be_hidden()
    page.clock.fast_forward("00:15")
    expect(warning).to_contain_text("You will be signed out in 2 minutes")
    press(page, "Stay signed in")
    expect(warning).to_be_hidden()
    expect(page.get_by_label("Email address")).to_have_value("half-typed@")
