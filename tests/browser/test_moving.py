"""Changing the date in a browser: every page and state looked at, without JavaScript, and with the keyboard alone."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from audit.context import Actor
from bookings import services as bookings
from bookings.models import Booking, Move
from common import clock
from courses.models import Place, Session
from payments import services as payments
from referrals.models import Referral
from tests.browser.looking import Looker
from tests.browser.test_accessibility import press, sign_in
from tests.browser.test_journey import DECLINED, GOOD, Keyboard, pay
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r
from tests.support.people import session_in
from tests.support.programs import Program, Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from devtools.stripe_sandbox.testing import Sandbox

REFERENCE = "46TEST0001X"
JOB = Actor("job", "release_holds")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]


def booked_in(days: float, *, in_room: bool = False) -> Booking:
    """Jo's booking so many days from now, and other dates of that week and the next."""
    now = clock.now()
    referral: Referral = r.BookedReferralFactory.create(now=now, reference=REFERENCE, email="jo@example.org")
    session = session_in(days=days)
    if in_room:
        session = c.ClassroomSessionFactory.create(starts_at=session.starts_at + dt.timedelta(hours=4))
    booking = b.ConfirmedBookingFactory.create(now=now, referral=referral, session=session)
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=referral.key, created_at=now)
    for other in (days + 1, days + 7, days + 8):
        session_in(days=other)
    session_in(days=200)
    return booking


def choose(page: "Page") -> None:
    page.locator("form[action='/booking/move/hold/'] button").first.click()


def test_s04_s29_pages_of_a_free_change(new_page: NewPage, live_web: Web) -> None:
    booking = booked_in(20, in_room=True)
    page = new_page()
    looker = Looker(page, "moving", live_web.url)
    sign_in(page)
    page.get_by_role("link", name="Change your date").click()
    looker.look("free", "Change your date")
    press(page, "See other dates")
    looker.look("dates", "Choose a new date")
    full = page.locator("button[name=session]").first
    gone = Session.objects.get(pk=full.get_attribute("value"))
    c.TakenPlaceFactory.create_batch(gone.capacity, session=gone)
    full.click()
    looker.look("dates-just-taken", "Choose a new date")
    choose(page)
    looker.look("check-free", "Check your new date")
    press(page, "Confirm the new date")
    looker.look("check-consent-missing", "Check your new date")
    page.goto("/booking/move/dates/")
    looker.look("dates-while-holding", "Choose a new date")
    page.goto("/booking/")
    looker.look("booking-while-holding", "Your booking")
    page.goto("/booking/move/")
    looker.look("start-while-holding", "Change your date")
    page.goto("/booking/move/check/")
    place = Move.objects.get().place
    Place.objects.filter(pk=place.pk).update(held_until=clock.now() + dt.timedelta(minutes=3))
    Move.objects.update(extensions=2)
    page.reload()
    looker.look("hold-ends-soon", "Check your new date")
    Place.objects.filter(pk=place.pk).update(held_until=clock.now())
    press(page, "Confirm the new date")
    looker.look("hold-ended", "Your date has not changed")
    press(page, "Change your date")
    press(page, "See other dates")
    choose(page)
    page.get_by_role("button", name="Keep my booked date").click()
    looker.look("kept", "Your booking")
    page.goto("/booking/move/dates/")
    choose(page)
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Confirm the new date")
    looker.look("moved", "Your booking")
    assert page.locator(".govuk-notification-banner--success").inner_text().startswith("Success")
    booking.refresh_from_db()
    assert booking.place_id == Move.objects.latest("pk").place_id
    page.goto("/booking/move/")
    looker.look("second-change", "Change your date")
    assert looker.faults == []


def test_s04_s29_pages_of_a_change_that_is_paid(new_page: NewPage, live_web: Web, stripe_sandbox: "Sandbox") -> None:
    booking = booked_in(3)
    page = new_page()
    looker = Looker(page, "moving-paid", live_web.url)
    sign_in(page)
    page.goto("/booking/move/")
    looker.look("late", "Change your date")
    press(page, "See other dates")
    looker.look("dates-with-fee", "Choose a new date")
    choose(page)
    looker.look("check-paid", "Check your new date, then pay")
    stripe_sandbox.control("webhooks", drop=True)
    press(page, "Continue to payment")
    checkout = page.url
    page.goto("/booking/move/return/")
    looker.look("not-charged", "Check your new date, then pay")
    back = stripe_sandbox.pay(checkout).url
    stripe_sandbox.control("api", error_next=100)
    page.goto(back)
    looker.look("changing", "We have your payment and are changing your date")
    stripe_sandbox.control("api", error_next=0)
    page.goto(back)
    looker.look("moved", "Your booking")

    Session.objects.filter(pk=Booking.objects.get().place.session_id).update(
        starts_at=clock.now() + dt.timedelta(hours=3), ends_at=clock.now() + dt.timedelta(hours=6)
    )
    page.goto("/booking/move/")
    looker.look("full-fee", "Change your date")
    press(page, "See other dates")
    choose(page)
    looker.look("check-full-fee", "Check your new date, then pay")
    press(page, "Continue to payment")
    back = stripe_sandbox.pay(page.url).url
    move = Move.objects.latest("pk")
    payments.give_up_charge(booking_reference=booking.reference, by=JOB, now=clock.now())
    Place.objects.filter(pk=move.place_id).update(held_until=clock.now())
    bookings.lapse_move(move_id=move.pk, by=JOB, now=clock.now() + dt.timedelta(minutes=50))
    session = move.place.session
    c.TakenPlaceFactory.create_batch(session.capacity, session=session)
    page.goto(back)
    looker.look("not-made", "We could not change your date")
    Session.objects.filter(pk=Booking.objects.get().place.session_id).update(starts_at=clock.now())
    page.goto("/booking/move/")
    looker.look("too-late", "You cannot do this now")
    assert looker.faults == []


def test_s04_s29_without_javascript(new_page: NewPage, live_web: Web) -> None:
    booking = booked_in(20)
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 640})
    sign_in(page)
    page.get_by_role("link", name="Change your date").click()
    press(page, "See other dates")
    choose(page)
    assert page.locator("#hold").inner_text().startswith("We are holding the new date for 14 minutes")
    press(page, "Get 15 minutes more")
    press(page, "Confirm the new date")
    assert "Your date has changed" in page.locator("main").inner_text()
    before = booking.place_id
    booking.refresh_from_db()
    assert booking.place_id != before


def test_s04_s29_a_change_that_is_paid_without_javascript(
    new_page: NewPage, live_web: Web, stripe_sandbox: "Sandbox"
) -> None:
    booking = booked_in(3)
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 640})
    sign_in(page)
    page.goto("/booking/")
    page.get_by_role("link", name="Change your date").click()
    help_line = page.locator("main").get_by_role("link", name=settings.HELP_PHONE)
    assert help_line.get_attribute("href") == "tel:03069990100"
    press(page, "See other dates")
    choose(page)
    press(page, "Get 15 minutes more")
    press(page, "Continue to payment")
    pay(page, DECLINED, "£25.00")
    assert "Your card was declined." in page.get_by_role("alert").inner_text()
    pay(page, GOOD, "£25.00")
    page.wait_for_url("**/booking/?moved*")
    assert "Your date has changed" in page.locator("main").inner_text()
    before = booking.place_id
    booking.refresh_from_db()
    assert (booking.place_id, Move.objects.get().charge.paid_pence) == (Move.objects.get().place_id, 2500)
    assert booking.place_id != before


def test_s04_s29_with_the_keyboard_alone_at_400_per_cent(
    new_page: NewPage, stripe_sandbox: "Sandbox", celery_worker_process: Program
) -> None:
    booking = booked_in(3)
    page = new_page(viewport={"width": 320, "height": 256})
    sign_in(page)
    page.goto("/booking/")
    keyboard = Keyboard(page)
    keyboard.press("Change your date", "Change your date")
    keyboard.press("See other dates", "Choose a new date")
    keyboard.press("Choose", "Check your new date, then pay")
    keyboard.press("Get 15 minutes more", "Check your new date, then pay")
    keyboard.press("Continue to payment")
    page.wait_for_url(f"{stripe_sandbox.url}/**")
    for name, text in (
        ("Card number", GOOD),
        ("Expiry date", "12/49"),
        ("Security code", "123"),
        ("Name on card", "Jo Smith"),
    ):
        keyboard.type(name, text)
    keyboard.press("Pay £25.00", "Your booking")
    page.get_by_text("Your date has changed").wait_for()
    assert keyboard.unseen == []
    booking.refresh_from_db()
    assert booking.place_id == Move.objects.get().place_id
