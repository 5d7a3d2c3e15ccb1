"""The receipt on paper: one page, what was paid and what went back, and nothing that only a screen needs."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from common import clock
from tests.factories import bookings as b
from tests.factories import payments as p
from tests.factories import referrals as r
from tests.support.people import PIN
from tests.support.programs import Web

if TYPE_CHECKING:
    from playwright.sync_api import Page

REFERENCE = "46TEST0001X"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_receipt_prints_on_one_page(new_page: "Callable[..., Page]", live_web: Web) -> None:
    referral = r.BookedReferralFactory.create(now=clock.now(), reference=REFERENCE)
    booking = b.ConfirmedBookingFactory.create(now=clock.now(), referral=referral)
    charge = p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=referral.key)
    p.SucceededRefundFactory.create(charge=charge)
    page = new_page()
    page.goto("/sign-in/")
    page.get_by_label("Reference").fill(REFERENCE)
    page.get_by_label("The PIN on my letter").check()
    page.get_by_label("PIN", exact=True).fill(PIN)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.goto("/booking/receipt/")
    page.emulate_media(media="print")
    said = page.locator("main").inner_text()
    for words in (
        booking.reference,
        "Telephone",
        "£92.00",
        "Refund",
        "Paid, less refunds",
        "outside the scope of VAT",
    ):
        assert words in said
    for only_on_screens in (".booking-screen-only", ".govuk-back-link", ".portal-account"):
        assert not page.locator(only_on_screens).first.is_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
