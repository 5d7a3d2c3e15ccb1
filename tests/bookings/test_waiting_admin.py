"""Staff read the waiting list, put people on it and take them off, through the same services as their own pages."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from bookings.constants import PlaceOfferStatus, WaitingCause
from bookings.models import WaitingEntry
from common import clock
from courses.constants import PlaceState
from tests.bookings.conftest import rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r

LIST = "/admin/bookings/waitingentry/"
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("manager", password="demo", role=Role.MANAGER, is_staff=True, is_superuser=True)
    client.force_login(user)
    return client


def test_the_list_costs_the_same_few_queries_however_many_wait(
    staff: Client, django_assert_max_num_queries: Any
) -> None:
    b.WaitingEntryFactory.create(now=clock.now())
    staff.get(LIST)
    for _ in range(2):
        with django_assert_max_num_queries(12):
            response = staff.get(LIST)
        assert response.status_code == 200
        b.WaitingEntryFactory.create_batch(29, now=clock.now())
    assert "Add somebody by telephone" in response.content.decode()


def test_an_entry_shows_what_was_offered(staff: Client) -> None:
    offer = b.PlaceOfferFactory.create(now=clock.now())
    page = staff.get(f"{LIST}{offer.entry.pk}/change/").content.decode()
    assert "9am on Monday 14 December 2026: held for them" in page


def test_somebody_is_added_by_telephone(staff: Client) -> None:
    referral = r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")
    given = {"force": "46", "reference": "46test0001x", "weekdays": ["6"], "parts": ["morning"], "modes": ["DIGITAL"]}
    assert staff.post(f"{LIST}add-by-telephone/", given)["Location"] == LIST
    entry = WaitingEntry.objects.get()
    assert (entry.referral_id, entry.weekdays, entry.modes, entry.parts) == (
        referral.pk,
        [6],
        ["DIGITAL"],
        ["morning"],
    )
    assert entry.status_by.startswith("staff:")


def test_what_the_service_refuses_staff_cannot_do(staff: Client) -> None:
    r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")
    c.OpenSessionFactory.create(starts_at=clock.now() + dt.timedelta(days=20))
    before = rows()
    for reference, words in (("46TEST0001X", "There are dates like this"), ("46NONE", "There is no offer with this")):
        page = staff.post(f"{LIST}add-by-telephone/", {"force": "46", "reference": reference}).content.decode()
        assert words in page
    assert (rows(), WaitingEntry.objects.count()) == (before, 0)


def test_somebody_is_taken_off_with_the_place_held_for_them(staff: Client) -> None:
    offer = b.PlaceOfferFactory.create(now=clock.now())
    given = {"action": "take_off", "_selected_action": [offer.entry.pk]}
    assert "1 taken off the waiting list." in staff.post(LIST, given, follow=True).content.decode()
    offer.refresh_from_db()
    assert (offer.status, offer.place.state) == (PlaceOfferStatus.DECLINED, PlaceState.RELEASED)
    assert offer.entry.ended_cause == WaitingCause.STAFF


def test_who_may_only_look_can_do_neither(client: Client) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("clerk", password="demo", role=Role.CLERK, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_waitingentry"))
    client.force_login(user)
    entry = b.WaitingEntryFactory.create(now=clock.now())
    assert "Add somebody by telephone" not in client.get(LIST).content.decode()
    assert client.get(f"{LIST}add-by-telephone/").status_code == 403
    client.post(LIST, {"action": "take_off", "_selected_action": [entry.pk]})
    assert WaitingEntry.objects.waiting().count() == 1
