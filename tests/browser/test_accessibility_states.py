"""States that candidates seldom meet, and what is drawn where colours are forced and nothing may move."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from audit.context import Actor
from bookings import pay_links, services
from bookings.constants import CancelCause
from bookings.models import Booking
from common import clock
from referrals import services as referrals
from referrals.models import Referral
from tests.browser.looking import Looker
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r
from tests.support import days
from tests.support.people import PIN
from tests.support.programs import Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

DAY = dt.timedelta(days=1)
STAFF, JOB = Actor("staff", "7"), Actor("job", "release_holds")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


def press(page: "Page", button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def sign_in(page: "Page", referral: Referral) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Reference").fill(referral.reference)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill(PIN)
    press(page, "Continue")


def live(reference: str) -> Referral:
    offer: Referral = r.LiveReferralFactory.create(now=clock.now(), reference=reference)
    return offer


def past_book_by(offer: Referral) -> None:
    yesterday = clock.london_day(clock.now()) - DAY
    Referral.objects.filter(pk=offer.pk).update(offer_on=yesterday - 30 * DAY, book_by=yesterday)


def withdraw(offer: Referral) -> None:
    now = clock.now()
    referrals.withdraw(
        force_code="46",
        reference=offer.reference,
        reason="COURT",
        effective_at=now,
        received_at=now,
        by=Actor("officer", "3"),
        now=now,
    )


def test_bookings_and_offers_that_have_ended(new_page: NewPage, live_web: Web) -> None:
    now = clock.now()
    page = new_page()
    looker = Looker(page, "candidate-ended", live_web.url)

    failed = r.NotCompletedReferralFactory.create(now=now, reference="46ENDED0001X")
    b.NotCompletedBookingFactory.create(now=now, referral=failed)
    sign_in(page, failed)
    page.goto("/booking/")
    looker.look("not-completed", "Your booking")
    page.goto("/offer/")
    looker.look("offer-not-completed", "Kent Police offer you a course")

    by_kcc = live("46ENDED0002X")
    b.CancelledBookingFactory.create(now=now, referral=by_kcc, cancel_cause=CancelCause.KCC)
    sign_in(page, by_kcc)
    page.goto("/booking/")
    looker.look("cancelled-by-kcc", "Your booking")

    by_police = r.BookedReferralFactory.create(now=now, reference="46ENDED0003X")
    b.ConfirmedBookingFactory.create(now=now, referral=by_police)
    sign_in(page, by_police)
    withdraw(by_police)
    page.goto("/booking/")
    looker.look("cancelled-by-police", "Your booking")

    sign_in(page, r.ExpiredReferralFactory.create(now=now, reference="46ENDED0004X"))
    page.goto("/offer/")
    looker.look("offer-expired", "Kent Police offered you a course")

    over = live("46ENDED0005X")
    c.OpenSessionFactory.create(starts_at=days.at(days.monday(weeks=2)))
    b.WaitingEntryFactory.create(now=now, referral=over)
    sign_in(page, over)
    page.goto("/sessions/")
    past_book_by(over)
    page.locator("button[name=session]").first.click()
    looker.look("refused-after-book-by", "You cannot do this now")
    page.goto("/offer/")
    looker.look("offer-after-book-by", "Kent Police offer you a course")
    page.goto("/waiting/")
    looker.look("waiting-over", "You are no longer on the waiting list")

    slow = live("46ENDED0006X")
    b.BookingFactory.create(now=now, referral=slow)
    sign_in(page, slow)
    page.goto("/booking/details/")
    Booking.objects.filter(referral=slow).update(extensions=2)
    press(page, "Get 15 minutes more")
    looker.look("refused-no-more-time", "You cannot do this now")
    page.goto("/sign-in/")
    page.context.clear_cookies()
    press(page, "Continue")
    looker.look("csrf", "Go back and try again")
    assert looker.faults == []


def test_pay_links_of_places_that_have_gone(new_page: NewPage, live_web: Web) -> None:
    now = clock.now()
    page = new_page()
    looker = Looker(page, "pay-link-ended", live_web.url)
    withdrawn, late = (b.ReadyBookingFactory.create(now=now) for _ in range(2))
    for booking in (withdrawn, late):
        services.send_pay_link(booking_id=booking.pk, by=STAFF, now=now)
    withdraw(withdrawn.referral)
    services.lapse(booking_id=late.pk, by=JOB, now=now + 2 * DAY)
    p.PaidChargeFactory.create(booking_reference=late.reference, referral_key=late.referral.key)
    for booking, name, heading in (
        (withdrawn, "withdrawn", "This place is no longer yours"),
        (late, "paid-too-late", "Your payment came too late"),
    ):
        page.goto("/" + pay_links.url_of(booking.pk).split("/", 3)[3] + "return/")
        looker.look(name, heading)
    assert looker.faults == []


def test_the_way_to_paying_with_forced_colours_and_nothing_moving(new_page: NewPage, live_web: Web) -> None:
    page = new_page(forced_colors="active", reduced_motion="reduce")
    looker = Looker(page, "forced-colours", live_web.url)
    offer = live("46FORCED001X")
    c.OpenSessionFactory.create(starts_at=days.at(days.monday(weeks=2)))
    page.goto("/")
    looker.look("start", "Book your driver course")
    assert page.evaluate("matchMedia('(forced-colors: active) and (prefers-reduced-motion: reduce)').matches")
    page.goto("/sign-in/")
    press(page, "Continue")
    looker.look("sign-in-empty", "Sign in with your letter")
    sign_in(page, offer)
    press(page, "Choose a date")
    page.get_by_label("No, I do not need anything").check()
    press(page, "Continue")
    looker.look("dates", "Choose a date")
    page.locator("button[name=session]").first.click()
    looker.look("details", "How can we reach you?")
    page.get_by_label("Email address").fill("jo@example.org")
    press(page, "Continue")
    looker.look("consents", "What you agree to")
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Agree and continue")
    looker.look("check", "Check your answers, then pay")
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).animationName !== 'none').length"
    assert page.evaluate(moving) == 0
    Referral.objects.filter(pk=offer.pk).update(status="BOOKED", first_booked_at=clock.now())
    Booking.objects.get(referral=offer).place.session.places.update(state="TAKEN", held_until=None)
    Booking.objects.filter(referral=offer).update(status="CONFIRMED", confirmed_at=clock.now())
    page.goto("/booking/")
    looker.look("booking", "Your booking")
    assert looker.faults == []
