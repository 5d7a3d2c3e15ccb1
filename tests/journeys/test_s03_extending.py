"""Nobody is placed after complete by, until police extend it with what shows that they did (scenario 3)."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AuditEvent
from bookings.models import Booking
from common import clock
from courses.models import Session
from referrals import services
from referrals.models import Referral
from tests.bookings.conftest import NOW, rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.referrals.files import JOB

DAY = dt.timedelta(days=1)
LAST = dt.date(2026, 12, 21)
LATER = LAST + 10 * DAY
NEW = clock.date_words(LATER)
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture(autouse=True)
def _noon(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def offer() -> Referral:
    offer: Referral = r.LiveReferralFactory.create(reference="46TEST0001X", complete_by=LAST, book_by=LAST)
    return offer


@pytest.fixture
def late() -> Session:
    """A course on the day after complete by."""
    session: Session = c.OpenSessionFactory.create(starts_at=clock.from_london(LAST + DAY, dt.time(9)))
    return session


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("clerk", role=Role.CLERK, is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def sergeant() -> Client:
    client = Client()
    client.force_login(r.OfficerFactory.create(username="kent").user)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def extend(sergeant: Client, *, evidence: str) -> Any:
    date = {"complete_by_day": LATER.day, "complete_by_month": LATER.month, "complete_by_year": LATER.year}
    sent = date | {"evidence": evidence, "confirmed": "yes"}
    return sergeant.post("/police/referrals/46TEST0001X/extend/", sent)


def test_s03_staff_place_nobody_after_complete_by_until_police_extend_it_with_evidence(
    staff: Client, sergeant: Client, client: Client, offer: Referral, late: Session
) -> None:
    by_telephone = reverse("admin:bookings_telephone", args=[offer.pk])
    before = rows()
    refused = staff.post(by_telephone, {"session": late.pk})
    assert "This course ends after the last day you have to complete one." in text(refused)
    assert rows() == before

    assert extend(sergeant, evidence=" ").status_code == 422
    offer.refresh_from_db()
    assert (offer.complete_by, AuditEvent.objects.filter(action="referral.extended").count()) == (LAST, 0)
    assert extend(sergeant, evidence="Letter 7 of 19 November").status_code == 302
    assert AuditEvent.objects.get(action="referral.extended").reason == "Letter 7 of 19 November"

    browser = sign_in(client, offer)
    assert clock.day_words(LATER) in text(browser.get("/offer/"))
    assert f"You need to complete it by {NEW}." in text(browser.get("/sessions/"))
    placed = staff.post(by_telephone, {"session": late.pk})
    booking = Booking.objects.get()
    assert placed["Location"] == reverse("admin:bookings_read_out", args=[booking.pk])
    assert booking.place.session_id == late.pk


def test_s03_who_is_booked_sees_the_new_last_day_where_they_change_their_date(
    sergeant: Client, client: Client, late: Session
) -> None:
    offer = r.BookedReferralFactory.create(reference="46TEST0001X", complete_by=LAST, book_by=LAST)
    booking = b.ConfirmedBookingFactory.create(referral=offer)
    browser = sign_in(client, offer)
    assert f'value="{late.pk}"' not in text(browser.get("/booking/move/dates/"))
    assert extend(sergeant, evidence="Letter 7").status_code == 302
    assert clock.day_words(LATER) in text(browser.get("/booking/move/"))
    page = text(browser.get("/booking/move/dates/"))
    assert f"You need to complete it by {NEW}." in page
    assert f'value="{late.pk}"' in page
    assert browser.post("/booking/move/hold/", {"session": late.pk})["Location"] == "/booking/move/check/"
    assert booking.moves.get().place.session_id == late.pk


def test_s03_an_expired_offer_opens_again(
    sergeant: Client, client: Client, offer: Referral, time_machine: Any
) -> None:
    after = clock.from_london(LAST + DAY, dt.time(9))
    in_time = c.OpenSessionFactory.create(starts_at=clock.from_london(LATER, dt.time(9)))
    time_machine.move_to(after, tick=False)
    assert services.expire_referrals(by=JOB, now=after) == 1
    browser = sign_in(client, offer, after)
    assert "The time to complete a course has ended." in text(browser.get("/offer/"))
    before = rows()
    assert browser.post("/booking/hold/", {"session": in_time.pk}).status_code == 409
    assert rows() == before
    assert extend(sergeant, evidence="Letter 7").status_code == 302
    page = text(browser.get("/offer/"))
    assert "The time to complete a course has ended." not in page
    assert "Choose a date" in page
    assert browser.post("/booking/hold/", {"session": in_time.pk})["Location"] == "/booking/details/"
    assert Booking.objects.get().place.session_id == in_time.pk
