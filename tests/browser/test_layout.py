"""The look in a real browser: accessible, without fonts, without scripts of its own, at any width."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.browser.kit_urls")]

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = [1280, 320]  # 320 px is also 1280 px at 400 % zoom (WCAG 1.4.10)
PAGES = [
    "/",
    "/confirmed/",
    "/desk/",
    "/accounts/login/",
    "/accounts/password/reset/",
    "/accessibility/",
    "/privacy/",
    "/terms/",
    "/cookies/",
    "/nowhere/",
    "/broken/",
]
SIGNED_IN = [
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/password/change/",
    "/accounts/logout/",
]


class Watched:
    """A page with what it loaded and complained about."""

    def __init__(self, page: "Page", origin: str) -> None:
        self.page = page
        self.origin = origin
        self.fonts: list[str] = []
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._note)
        page.on("console", lambda message: self._complain(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, request: Any) -> None:
        if request.resource_type == "font":
            self.fonts.append(request.url)
        if not request.url.startswith((self.origin, "data:")):
            self.foreign.append(request.url)

    def _complain(self, kind: str, text: str) -> None:
        # An error page's own status is reported by the browser as a failed resource; that is what was asked for.
        if kind == "error" and "the server responded with a status of" not in text:
            self.complaints.append(text)

    def violations(self) -> list[tuple[str, str]]:
        found = Axe().run(self.page, options={"runOnly": LEVELS}).response["violations"]
        return [(each["id"], node["html"]) for each in found for node in each["nodes"]]

    def assert_sound(self) -> None:
        assert self.violations() == []
        width = self.page.viewport_size["width"]  # type: ignore[index]
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width
        assert (self.fonts, self.foreign, self.complaints) == ([], [], [])


@pytest.fixture
def open_page(chromium: "Browser", live_server: Any) -> Iterator[Callable[..., Watched]]:
    """Opens an address of the kit; keyword arguments are Playwright's context options."""
    contexts = []

    def open_(address: str, **options: Any) -> Watched:
        context = chromium.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        watched = Watched(context.new_page(), live_server.url)
        watched.page.goto(address)
        return watched

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(open_page: Callable[..., Watched], width: int) -> None:
    watched = open_page(PAGES[0], viewport={"width": width, "height": 800})
    for address in PAGES:
        watched.page.goto(address)
        watched.assert_sound()


@pytest.mark.parametrize("width", WIDTHS)
def test_form_in_error_is_accessible_and_leads_to_the_field(open_page: Callable[..., Watched], width: int) -> None:
    watched = open_page("/", viewport={"width": width, "height": 800})
    page = watched.page
    page.get_by_role("button", name="Continue").click()
    page.wait_for_function("document.activeElement.classList.contains('govuk-error-summary')")
    assert page.title() == "Error: Components - Book a driver course - Kent County Council"
    watched.assert_sound()
    page.get_by_role("link", name="Enter email address").click()
    assert page.evaluate("document.activeElement.id") == "id_email"
    page.get_by_role("link", name="Enter your date of birth").click()
    assert page.evaluate("document.activeElement.id") == "id_born_on_day"


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_a_signed_in_person_are_accessible(open_page: Callable[..., Watched], width: int) -> None:
    get_user_model().objects.create_user(username="officer", password="three random words")
    watched = open_page("/accounts/login/?next=/accounts/2fa/", viewport={"width": width, "height": 800})
    page = watched.page
    page.get_by_label("Username").fill("officer")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.title().startswith("Error: Sign in")
    watched.assert_sound()
    page.get_by_label("Password", exact=True).fill("three random words")
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.get_by_role("heading", name="Your sign-in").is_visible()
    for address in SIGNED_IN:
        page.goto(address)
        if page.get_by_role("heading", name="Confirm it is you").is_visible():
            watched.assert_sound()
            page.get_by_label("Password", exact=True).fill("three random words")
            page.get_by_role("button", name="Confirm").click()
        watched.assert_sound()
        assert page.get_by_role("button", name="Sign out").first.is_visible()


def test_everything_works_without_javascript(open_page: Callable[..., Watched]) -> None:
    page = open_page("/", java_script_enabled=False).page
    assert not page.locator("#id_text_number").is_visible()
    page.get_by_label("Text message").check()
    assert page.locator("#id_text_number").is_visible()
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_role("heading", name="There is a problem").is_visible()
    assert page.title().startswith("Error: ")
    page.goto("/accounts/login/")
    assert page.get_by_role("button", name="Sign in", exact=True).is_visible()
    assert not page.get_by_text("Sign in with a passkey").is_visible()


def test_keyboard_skips_to_the_content_and_sees_where_it_is(open_page: Callable[..., Watched]) -> None:
    page = open_page("/desk/").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    assert page.locator(".govuk-skip-link").bounding_box()["height"] > 20  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"


def test_no_text_is_set_in_the_font_of_govuk(open_page: Callable[..., Watched]) -> None:
    page = open_page("/").page
    families = page.evaluate(
        "[...new Set([...document.querySelectorAll('body, body *')].map(e => getComputedStyle(e).fontFamily))]"
    )
    assert [family for family in families if "Transport" in family] == []
    assert any(family.startswith("system-ui") for family in families)


def test_forced_colours_keep_focus_visible_and_header_apart(open_page: Callable[..., Watched]) -> None:
    page = open_page("/", forced_colors="active").page
    button = page.get_by_role("button", name="Continue")
    button.focus()
    assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    assert page.locator(".portal-header").evaluate("e => getComputedStyle(e).borderBottomStyle") == "solid"


def test_print_leaves_out_what_can_only_be_clicked(open_page: Callable[..., Watched]) -> None:
    page = open_page("/").page
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Continue").is_visible()
    assert not page.locator(".govuk-back-link").is_visible()
    assert page.get_by_role("heading", name="Components", exact=True).is_visible()
    assert page.get_by_text("Kent County Council").first.is_visible()
