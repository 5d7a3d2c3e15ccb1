"""The API's documentation under our content security policy: it renders, and nothing of it is refused."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OPERATIONS = 9


def test_documentation_shows_every_operation_and_breaks_no_policy(page: "Page") -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto("/api/docs/")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock[id*=v1]").count() == OPERATIONS
    page.locator(".opblock-summary-control", has_text="withdraw").first.click()
    page.get_by_text("FIXED_PENALTY_PAID").first.wait_for()
    assert told == []
