"""The hosted pages and the page of switches in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import stripe
from axe_playwright_python.sync_playwright import Axe

from devtools.stripe_sandbox.testing import Sandbox
from tests.devtools.stripe_sandbox.conftest import MakeSession
from tests.devtools.stripe_sandbox.receiver import Receiver

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
NARROW: Any = {"width": 320, "height": 800}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def fill(page: Page, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry date").fill("12/49")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Name on card").fill("Test Payer")
    page.get_by_role("button", name="Pay £92.00").click()


def violations(page: Page) -> list[tuple[str, str]]:
    found: dict[str, Any] = Axe().run(page, options={"runOnly": TAGS}).response
    return [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]]


def overflows(page: Page) -> bool:
    answer: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return answer


def test_payer_gets_through_without_javascript(
    chromium: Browser, client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_session: MakeSession
) -> None:
    session = make_session(success_url=f"{shop.url}?paid={{CHECKOUT_SESSION_ID}}", cancel_url=f"{shop.url}?back=1")
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(str(session.url))
    page.get_by_role("button", name="Pay £92.00").click()
    assert page.title() == "Error: Pay £92.00 – Checkout"
    page.get_by_role("link", name="Enter the card number").click()
    assert page.url.endswith("#card_number")

    fill(page, "4000 0000 0000 0002")
    assert "Your card was declined." in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Card number").input_value() == ""
    assert page.get_by_label("Name on card").input_value() == "Test Payer"
    fill(page, "4000 0000 0000 3220")
    page.get_by_role("button", name="Fail authentication").click()
    assert "We are unable to authenticate your payment method." in page.get_by_role("alert").inner_text()
    fill(page, "4000 0000 0000 3220")
    page.get_by_role("link", name="Walk away without an answer").click()
    assert page.get_by_role("heading").inner_text() == "You left the bank's page"
    page.goto(str(session.url))
    fill(page, "4000 0000 0000 3220")
    page.get_by_role("button", name="Complete authentication").click()

    assert page.url == f"{shop.url}?paid={session.id}"
    page.goto(str(session.url))
    assert page.url == f"{shop.url}?paid={session.id}"
    assert [charge.status for charge in client.v1.charges.list().data] == ["succeeded", "failed"]
    context.close()


def test_pages_are_accessible(chromium: Browser, sandbox: Sandbox, make_session: MakeSession) -> None:
    session, expired = make_session(), make_session()
    context = chromium.new_context(bypass_csp=True, viewport=NARROW)
    page = context.new_page()
    found: dict[str, object] = {}

    def look(name: str) -> None:
        wide: Any = {"width": 1280, "height": 800}
        page.set_viewport_size(wide)
        found[f"{name}, wide"] = ([], overflows(page))
        page.set_viewport_size(NARROW)
        found[name] = (violations(page), overflows(page))

    page.goto(str(session.url))
    page.get_by_role("button", name="Pay £92.00").click()
    page.get_by_text("Cards to try").click()
    look("fields")
    fill(page, "4000000000000002")
    look("declined")
    fill(page, "4000000000003220")
    look("3-D Secure")
    page.goto(f"{sandbox.url}/_control/?said=Done.")
    look("switches")
    sandbox.advance(24 * 3600 + 5)
    page.goto(str(expired.url))
    assert page.get_by_role("heading").inner_text() == "This payment page has expired"
    look("expired")
    context.close()

    assert found == dict.fromkeys(found, ([], False))


def test_switches_turn_by_hand(
    chromium: Browser, client: stripe.StripeClient, sandbox: Sandbox, shop: Receiver, make_session: MakeSession
) -> None:
    sandbox.control("webhooks", drop=True)
    session = make_session()
    client.v1.checkout.sessions.expire(session.id)
    page = chromium.new_page(java_script_enabled=False)
    page.goto(f"{sandbox.url}/_control/")

    page.get_by_label("Drop all").uncheck()
    page.get_by_role("button", name="Set").first.click()
    assert page.get_by_role("status").inner_text() == "Done: webhooks."
    page.get_by_role("button", name="Send checkout.session.expired again").click()
    sandbox.wait_for_webhooks()

    assert sandbox.state()["webhooks"]["drop"] is False
    assert len(shop.received) == 1
    page.get_by_label("Charge or PaymentIntent", exact=True).fill("ch_nothing")
    page.get_by_role("button", name="Dispute").click()
    assert page.get_by_role("status").inner_text() == "Refused: No such charge: 'ch_nothing'"
    page.close()
