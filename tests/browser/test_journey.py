"""A candidate's whole way in a browser: with and without JavaScript, wide and narrow, with the keyboard alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from bookings.constants import BookingStatus
from bookings.models import Booking
from common import clock
from payments.models import Attempt, Charge
from tests.factories import referrals as r
from tests.support.people import PIN, session_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from devtools.stripe_sandbox.testing import Sandbox
    from tests.support.programs import Program

REFERENCE = "46TEST0001X"
DECLINED, GOOD = "4000 0000 0000 0002", "4242 4242 4242 4242"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NewPage = Callable[..., "Page"]

# What a screen reader would say of the element in focus, near enough, and whether one sees where the focus is.
FOCUSED = """() => {
    const e = document.activeElement;
    if (e === document.body) return ['', true];  // past the last of them, before the first again
    const label = e.labels && e.labels.length ? e.labels[0] : null;
    const name = e.getAttribute('aria-label') || (label && label.innerText) || e.innerText || e.value || '';
    const looks = [getComputedStyle(e), ...(label ? [getComputedStyle(label, '::before')] : [])];
    const seen = looks.some(l => l.boxShadow !== 'none' || (l.outlineStyle !== 'none' && l.outlineWidth !== '0px'));
    return [name.replace(/\\s+/g, ' ').trim(), seen];
}"""

# There is no telephone behind this browser: what a pressed link asks for is kept instead.
HANDED_OVER = """() => document.addEventListener('click', event => {
    window.dialled = event.target.closest('a').href;
    event.preventDefault();
}, {once: true})"""


@pytest.fixture(autouse=True)
def _offer(transactional_db: None) -> None:
    r.LiveReferralFactory.create(now=clock.now(), reference=REFERENCE)
    session_in(days=8)
    session_in(days=9)


def heading(page: "Page") -> str:
    return page.locator("h1").inner_text()


def press(page: "Page", button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def pay(page: "Page", card: str, fee: str = "£92.00") -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry date").fill("12/49")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on card").fill("Jo Smith")
    press(page, f"Pay {fee}")


@pytest.mark.parametrize(("scripts", "width"), [(True, 1280), (False, 320)], ids=["scripts-1280", "no-scripts-320"])
def test_from_the_letter_to_the_booked_course(
    new_page: NewPage, stripe_sandbox: "Sandbox", celery_worker_process: "Program", *, scripts: bool, width: int
) -> None:
    page = new_page(java_script_enabled=scripts, viewport={"width": width, "height": 800})
    page.goto("/")
    press(page, "Start now")
    page.get_by_label("Reference").fill(REFERENCE.lower())
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill(PIN)
    press(page, "Continue")
    press(page, "Choose a date")
    page.get_by_label("No, I do not need anything").check()
    press(page, "Continue")
    page.locator("form[action='/booking/hold/'] button").first.click()
    assert page.locator("#hold").inner_text().startswith("We are holding your place for 14 minutes")
    press(page, "Get 15 minutes more")
    assert heading(page) == "How can we reach you?"
    page.get_by_label("Email address").fill("jo@example.org")
    press(page, "Continue")
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "Agree and continue")
    assert heading(page) == "Check your answers, then pay"
    press(page, "Continue to payment")
    checkout = page.url
    assert checkout.startswith(stripe_sandbox.url)

    pay(page, DECLINED)
    assert "Your card was declined." in page.get_by_role("alert").inner_text()
    page.goto("/booking/check/")  # as the back button does: our pages are never kept
    assert heading(page) == "Check your answers, then pay"
    press(page, "Continue to payment")
    assert page.url == checkout
    pay(page, GOOD)
    page.wait_for_url("**/booking/?booked")
    assert heading(page) == "Your course is booked"

    second_tab = page.context.new_page()
    second_tab.goto("/booking/check/")
    assert heading(second_tab) == "Your booking"
    page.goto(checkout)  # as the back button does: Stripe sends on who has paid
    assert heading(page) == "Your course is booked"
    page.goto("/sessions/")
    assert heading(page) == "Your booking"
    assert (Booking.objects.get().status, Charge.objects.count(), Attempt.objects.count()) == ("CONFIRMED", 1, 1)


class Keyboard:
    """Somebody who has no mouse."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.unseen: list[str] = []

    def to(self, name: str) -> None:
        """Tab to what begins with that name."""
        passed = []
        for _ in range(60):
            self.page.keyboard.press("Tab")
            said, is_seen = self.page.evaluate(FOCUSED)
            if said and not is_seen:
                self.unseen.append(f"{said} at {self.page.url}")
            if said.startswith(name):
                return
            passed.append(said)
        raise AssertionError(f"Tab never came to {name!r} on {self.page.url}, only to {passed}")

    def press(self, name: str, heading: str = "") -> None:
        """Tab to a link or button and press Enter; wait for the page with that heading."""
        self.to(name)
        self.page.keyboard.press("Enter")
        if heading:
            self.page.get_by_role("heading", name=heading, exact=True).wait_for()

    def dial(self) -> str:
        """Tab to the help line's number and press Enter; what the browser would hand to the telephone."""
        self.page.evaluate(HANDED_OVER)
        self.to(settings.HELP_PHONE)
        self.page.keyboard.press("Enter")
        number: str = self.page.evaluate("window.dialled")
        return number

    def type(self, name: str, text: str) -> None:
        """Tab to a field and write over what is in it."""
        self.to(name)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)

    def tick(self, name: str) -> None:
        """Tab to a tick box or radio button and press the space bar."""
        self.to(name)
        self.page.keyboard.press("Space")


def test_s29_with_the_keyboard_alone_at_400_per_cent(new_page: NewPage, stripe_sandbox: "Sandbox") -> None:
    page = new_page(viewport={"width": 320, "height": 256})
    keyboard = Keyboard(page)
    page.goto("/")
    keyboard.press("Start now", "Sign in with your letter")
    keyboard.press("Continue")
    page.wait_for_function("document.activeElement.classList.contains('govuk-error-summary')")
    keyboard.press("Enter the reference from your letter")
    assert page.evaluate("document.activeElement.id") == "id_reference"
    page.keyboard.type(REFERENCE)
    keyboard.tick("The PIN on my letter")
    keyboard.type("PIN", PIN)
    keyboard.press("Continue", "Kent Police offer you a course")
    keyboard.press("Choose a date", "Do you need anything from us to take part?")
    keyboard.tick("No, I do not need anything")
    keyboard.press("Continue", "Choose a date")
    keyboard.press("Choose", "How can we reach you?")
    keyboard.press("Get 15 minutes more", "How can we reach you?")
    keyboard.type("Email address", "jo@example.org")
    keyboard.press("Continue", "What you agree to")
    for name in page.locator("label.govuk-checkboxes__label").all_inner_texts():
        keyboard.tick(name)
    keyboard.press("Agree and continue", "Check your answers, then pay")
    keyboard.press("Continue to payment")
    page.wait_for_url(f"{stripe_sandbox.url}/**")
    for name, text in (
        ("Card number", GOOD),
        ("Expiry date", "12/49"),
        ("Security code", "123"),
        ("Name on card", "Jo Smith"),
    ):
        keyboard.type(name, text)
    keyboard.press("Pay £92.00", "Your course is booked")
    keyboard.press("Cancel this course", "Cancel your course")
    keyboard.press("Back", "Your booking")
    assert keyboard.dial() == "tel:03069990100"
    keyboard.press("Sign out", "You are signed out")
    assert keyboard.unseen == []
    assert Booking.objects.get().status == BookingStatus.CONFIRMED
