"""Other contact details, a link that changes, and everything that was sent: told to the right address, once."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from bookings import services
from bookings.constants import BookingStatus
from bookings.errors import BookingStateError, NoContactError
from bookings.models import Booking
from common import clock
from courses import services as courses
from notifications import services as notifications
from notifications.models import Message
from tests.bookings.conftest import NOW, STAFF, candidate, rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r

HOUR = dt.timedelta(hours=1)
LINK = "https://meet.example.org/j/99"
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def booked(**given: Any) -> Booking:
    return b.ConfirmedBookingFactory.create(email="jo@example.org", mobile="07700900123", **given)


def change(booking: Booking, email: str, mobile: str = "07700900123") -> None:
    services.change_contact(booking_id=booking.pk, email=email, mobile=mobile, by=candidate(booking.referral), now=NOW)


def told() -> set[tuple[str, str, bool]]:
    return {(message.kind, message.to, message.context["is_old"]) for message in Message.objects.all()}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- Contact details ------------------------------------------------------------------------------------------------
def test_the_new_and_the_old_address_are_told_and_the_old_not_the_new() -> None:
    booking = booked()
    change(booking, "new@example.org")
    booking.refresh_from_db()
    assert (booking.email, booking.mobile, booking.details_at) == ("new@example.org", "07700900123", NOW)
    assert told() == {("contact_changed", "new@example.org", False), ("contact_changed", "jo@example.org", True)}
    event = AuditEvent.objects.get(action="booking.contact_changed")
    assert "example.org" not in f"{event.words}{event.data}"


def test_the_address_that_came_with_the_offer_is_told_too() -> None:
    referral = r.BookedReferralFactory.create(email="letter@example.org")
    booking = b.ConfirmedBookingFactory.create(email="", mobile="", referral=referral)
    change(booking, "new@example.org", "")
    assert told() == {("contact_changed", "new@example.org", False), ("contact_changed", "letter@example.org", True)}


def test_what_waits_in_the_outbox_goes_to_the_new_address() -> None:
    booking = booked()
    services.schedule_reminders(now=booking.place.session.starts_at - 48 * HOUR, by=STAFF)
    change(booking, "new@example.org")
    assert Message.objects.get(kind="reminder_48h").to == "new@example.org"


def test_the_same_details_again_change_nothing() -> None:
    booking = booked()
    before = rows()
    change(booking, "jo@example.org")
    assert rows() == before


@pytest.mark.parametrize(
    ("factory", "email", "error"),
    [
        (b.ConfirmedBookingFactory, "", NoContactError),
        (b.CancelledBookingFactory, "new@example.org", BookingStateError),
    ],
)
def test_refused_it_changes_nothing(factory: Any, email: str, error: type[Exception]) -> None:
    booking = factory.create(email="jo@example.org")
    before = rows()
    with pytest.raises(error):
        change(booking, email, "")
    booking.refresh_from_db()
    assert (booking.email, rows()) == ("jo@example.org", before)


# --- The link -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("hours", "kinds"), [(50, []), (47, ["joining_link"]), (1, ["joining_link"])])
def test_another_link_is_told_once_links_are_out(hours: int, kinds: list[str]) -> None:
    booking = booked()
    session = booking.place.session
    now = session.starts_at - hours * HOUR
    courses.change_session(session_id=session.pk, joining_url=LINK, reason="New room", by=STAFF, now=now)
    services.schedule_reminders(now=now, by=STAFF)
    links = Message.objects.exclude(kind__startswith="reminder")
    assert list(links.values_list("kind", flat=True)) == kinds
    assert {message.context["joining_url"] for message in links} <= {LINK}


def test_another_time_and_link_is_a_change_of_the_course() -> None:
    booking = booked()
    session = booking.place.session
    courses.change_session(
        session_id=session.pk, joining_url=LINK, starts_at=session.starts_at + HOUR, reason="Late", by=STAFF, now=NOW
    )
    assert Message.objects.get().kind == "session_changed"


# --- The pages ------------------------------------------------------------------------------------------------------
@pytest.fixture
def booking() -> Booking:
    now = clock.now()
    day = clock.london_day(now) + dt.timedelta(days=20)
    session = c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)))
    return booked(now=now, session=session)


@pytest.fixture
def browser(client: Client, booking: Booking) -> Client:
    return sign_in(client, booking.referral, clock.now())


def test_changed_on_a_page_and_shown(browser: Client, booking: Booking) -> None:
    assert 'value="jo@example.org"' in text(browser.get("/booking/contact/"))
    wrong = text(browser.post("/booking/contact/", {"email": "nobody"}))
    assert "Enter an email address in the correct format" in wrong
    response = browser.post("/booking/contact/", {"email": "new@example.org", "mobile": ""})
    assert response["Location"] == "/booking/?contact"
    page = text(browser.get("/booking/?contact"))
    assert "We have your new contact details" in page
    assert "new@example.org" in page


def test_what_is_not_booked_has_no_contact_page(client: Client) -> None:
    cancelled = b.CancelledBookingFactory.create(now=clock.now())
    sign_in(client, cancelled.referral, clock.now())
    before = rows()
    response = client.post("/booking/contact/", {"email": "new@example.org"})
    assert (response.status_code, rows()) == (409, before)
    held = b.ReadyBookingFactory.create(now=clock.now())
    sign_in(client, held.referral, clock.now())
    assert client.get("/booking/contact/").status_code == 404


def test_everything_that_was_sent_can_be_read(browser: Client, booking: Booking, smtp_sink: Any) -> None:
    assert "We have not sent you anything yet." in text(browser.get("/booking/messages/"))
    change(booking, "new@example.org")
    notifications.send_messages(now=clock.now())
    page = text(browser.get("/booking/messages/"))
    assert "Email to new@example.org" in page
    assert "Email to jo@example.org" in page
    mail = Message.objects.get(to="new@example.org")
    read = text(browser.get(f"/booking/messages/{mail.pk}/"))
    assert "From now on we write to you here." in read
    assert mail.subject in read


def test_nobody_elses_messages_and_none_that_was_not_sent(browser: Client, booking: Booking) -> None:
    other = booked(now=clock.now(), session=booking.place.session)
    change(other, "new@example.org")
    Message.objects.update(status="SENT", sent_at=NOW)
    change(booking, "mine@example.org")
    assert "new@example.org" not in text(browser.get("/booking/messages/"))
    for message in Message.objects.all():
        assert browser.get(f"/booking/messages/{message.pk}/").status_code == 404


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_few_queries(
    browser: Client, booking: Booking, count: int, django_assert_num_queries: Any
) -> None:
    for n in range(count):
        notifications.enqueue(
            "offer_ready", to="jo@example.org", dedupe_key=str(n), referral_key=booking.referral.key, now=NOW
        )
    browser.get("/")
    with django_assert_num_queries(2):
        browser.get("/booking/messages/")


def test_a_withdrawn_offers_messages_can_still_be_read(client: Client) -> None:
    referral = r.WithdrawnReferralFactory.create(now=clock.now())
    sign_in(client, referral, clock.now())
    assert client.get("/booking/messages/").status_code == 200


def test_statuses_before_confirmation_have_no_feedback(browser: Client, booking: Booking) -> None:
    before = rows()
    response = browser.post("/booking/feedback/", {"rating": "5"})
    assert (response.status_code, rows(), booking.status) == (409, before, BookingStatus.CONFIRMED)
