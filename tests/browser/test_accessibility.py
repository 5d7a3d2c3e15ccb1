"""Every page and state of the thread: no WCAG 2.2 A or AA violation that axe can find, and nothing to scroll sideways."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from audit.context import Actor
from bookings import services as bookings
from bookings.models import Booking, Need
from common import clock
from courses.models import Place, Session, SessionTrainer
from payments import services as payments
from referrals import services as referrals
from referrals.models import Referral
from tests.browser.looking import Looker
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.referrals.files import UGLY
from tests.support.people import PASSWORD, PIN, officer, offer_row, offers_csv, session_in, trainer
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from devtools.stripe_sandbox.testing import Sandbox

REFERENCE = "46TEST0001X"
JOB = Actor("job", "release_holds")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


@pytest.fixture
def offer(transactional_db: None) -> Referral:
    """Jo's offer, and what there is to choose from: this week and later, digital and in classrooms, one full."""
    offer: Referral = r.LiveReferralFactory.create(now=clock.now(), reference=REFERENCE, email="jo@example.org")
    for days in (8, 9.1, 9.4, 16):
        session_in(days=days)
    day = clock.london_day(clock.now()) + dt.timedelta(days=9)
    c.ClassroomSessionFactory.create(starts_at=clock.from_london(day, dt.time(18)), capacity=12)
    c.TakenPlaceFactory.create(session=session_in(days=10, capacity=1))
    session_in(days=200)
    return offer


def press(page: "Page", button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def test_candidates_pages_before_paying(new_page: NewPage, offer: Referral) -> None:
    page = new_page()
    looker = Looker(page, "candidate")
    for path, heading in (
        ("/", "Book your driver course"),
        ("/accessibility/", "Accessibility statement"),
        ("/privacy/", "Privacy notice"),
        ("/terms/", "Terms of booking"),
        ("/cookies/", "Cookies"),
        ("/nowhere/", "Page not found"),
        ("/timed-out/?next=/offer/", "You have been signed out"),
        ("/signed-out/", "You are signed out"),
        ("/sign-in/", "Sign in with your letter"),
    ):
        page.goto(path)
        looker.look(path.partition("?")[0].strip("/") or "start", heading)

    press(page, "Continue")
    looker.look("sign-in-empty", "Sign in with your letter")
    page.get_by_label("Reference").fill(REFERENCE)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill("000000")
    press(page, "Continue")
    looker.look("sign-in-wrong", "Sign in with your letter")
    page.get_by_label("My driving licence number").check()
    looker.look("sign-in-driver-number", "Sign in with your letter")
    for _ in range(5):
        page.get_by_label("Driving licence number", exact=True).fill("NOBODY")
        press(page, "Continue")
    looker.look("sign-in-too-often", "Wait before you try again")
    bookings.forget_old_tries(now=clock.now() + dt.timedelta(hours=1))

    sign_in(page)
    looker.look("offer", "Kent Police offer you a course")
    press(page, "Choose a date")
    looker.look("dates", "Choose a date")
    page.goto("/sessions/?how=CLASSROOM&when=morning")
    looker.look("dates-none-match", "Choose a date")
    page.goto("/sessions/")
    full = page.locator("form[action='/booking/hold/']").first
    gone = Session.objects.get(pk=full.locator("input[name=session]").input_value())
    b.BookingFactory.create_batch(9, session=gone, now=clock.now())
    full.get_by_role("button").click()
    looker.look("dates-just-taken", "Choose a date")
    page.locator("form[action='/booking/hold/']").first.get_by_role("button").click()

    looker.look("details", "How can we reach you?")
    page.get_by_label("Email address").fill("jo@")
    page.get_by_label("Mobile number").fill("12")
    press(page, "Continue")
    looker.look("details-wrong", "How can we reach you?")
    page.get_by_label("Email address").fill("jo@example.org")
    page.get_by_label("Mobile number").fill("")
    press(page, "Continue")
    looker.look("consents", "What you agree to")
    press(page, "Agree and continue")
    looker.look("consents-missing", "What you agree to")
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Agree and continue")
    looker.look("check", "Check your answers, then pay")
    page.goto("/sessions/")
    looker.look("dates-while-holding", "Choose a date")
    page.goto("/offer/")
    looker.look("offer-while-holding", "Kent Police offer you a course")

    place = Place.objects.get(holder=offer.key)
    Place.objects.filter(pk=place.pk).update(held_until=clock.now() + dt.timedelta(minutes=3))
    page.goto("/booking/check/")
    looker.look("hold-ends-soon", "Check your answers, then pay")
    Booking.objects.filter(place=place).update(extensions=2)
    page.reload()
    looker.look("hold-cannot-be-extended", "Check your answers, then pay")
    page.evaluate("document.getElementById('idle-warning').hidden = false")
    looker.look("idle-warning")
    Place.objects.filter(pk=place.pk).update(held_until=clock.now())
    page.goto("/booking/check/")
    looker.look("hold-ended", "Your place is no longer held")

    Session.objects.update(status="CANCELLED", cancel_reason="None left")
    page.goto("/sessions/")
    looker.look("dates-none-at-all", "Choose a date")
    assert looker.faults == []


def sign_in(page: "Page") -> None:
    page.goto("/sign-in/")
    page.get_by_label("Reference").fill(REFERENCE)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill(PIN)
    press(page, "Continue")
