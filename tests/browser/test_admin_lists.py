"""Lists of admin on a laptop: no column is cut, and what narrows them stands above them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from accounts.models import Role, User
from common import clock
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.support.people import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LISTS = ("bookings/booking", "courses/session", "courses/place", "payments/charge", "payments/refund")


def test_no_column_is_cut_at_1280_pixels(new_page: Callable[..., "Page"]) -> None:
    User.objects.create_user("admin", password=PASSWORD, role=Role.MANAGER, is_staff=True, is_superuser=True)
    b.ConfirmedBookingFactory.create(now=clock.now())
    c.SessionTrainerFactory.create(session=c.ClassroomSessionFactory.create())
    p.SucceededRefundFactory.create(now=clock.now())
    page = new_page(viewport={"width": 1280, "height": 900})
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    for name in LISTS:
        page.goto(f"/admin/{name}/")
        results = page.locator("#changelist-form .results")
        assert results.evaluate("it => it.scrollWidth - it.clientWidth") == 0, name
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        narrowing = page.locator("#changelist-filter")
        if narrowing.count():
            above, list_ = narrowing.bounding_box(), results.bounding_box()
            assert above is not None
            assert list_ is not None
            assert above["y"] + above["height"] <= list_["y"], name
