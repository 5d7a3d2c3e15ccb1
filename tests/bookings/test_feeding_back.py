"""After the course: what the police are told and when, and two questions, once."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AuditEvent
from bookings import services
from bookings.errors import BookingStateError, FeedbackGivenError
from bookings.models import Booking, Feedback
from common import clock
from referrals.models import Outcome
from tests.bookings.conftest import NOW, candidate, rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def say(booking: Booking, rating: int = 5, words: str = "") -> Feedback:
    by = candidate(booking.referral)
    return services.give_feedback(booking_id=booking.pk, rating=rating, words=words, by=by, now=NOW)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def taken() -> Booking:
    return b.CompletedBookingFactory.create()


@pytest.fixture
def browser(client: Client, taken: Booking) -> Client:
    return sign_in(client, taken.referral, clock.now())


def test_said_once(taken: Booking) -> None:
    feedback = say(taken, 4, " More breaks ")
    assert (feedback.rating, feedback.words, feedback.given_at) == (4, "More breaks", NOW)
    assert AuditEvent.objects.filter(action="feedback.given").count() == 1
    before = rows()
    with pytest.raises(FeedbackGivenError):
        say(taken, 1)
    assert (rows(), Feedback.objects.get().rating) == (before, 4)


def test_who_did_not_complete_may_say_it_too() -> None:
    assert say(b.NotCompletedBookingFactory.create(), 1).get_rating_display() == "Very poor"


def test_nothing_is_said_before_the_course() -> None:
    booking = b.ConfirmedBookingFactory.create()
    before = rows()
    with pytest.raises(BookingStateError):
        say(booking)
    assert (rows(), Feedback.objects.count()) == (before, 0)


def test_two_questions_on_a_page(browser: Client) -> None:
    assert "Tell us how the course was" in text(browser.get("/booking/"))
    assert "Select how the course was" in text(browser.post("/booking/feedback/", {"words": "x"}))
    assert Feedback.objects.count() == 0
    sent = {"rating": "5", "words": "Thank you"}
    assert browser.post("/booking/feedback/", sent)["Location"] == "/booking/?thanks"
    page = text(browser.get("/booking/?thanks"))
    assert "Thank you for telling us" in page
    assert "We ask two questions" not in page
    again = browser.post("/booking/feedback/", sent)
    assert again.status_code == 409
    assert "You have already told us about this course." in text(again)
    assert Feedback.objects.count() == 1


def test_the_page_says_what_the_police_are_told_and_when(browser: Client, taken: Booking) -> None:
    outcome = Outcome.objects.create(
        force_id=taken.referral.force_id,
        sequence=1,
        referral=taken.referral,
        outcome="NOT_COMPLETED",
        reason="LATE",
        course_code="NSAC",
        provider_reference=taken.reference,
        recorded_at=clock.from_london(dt.date(2026, 12, 18), dt.time(12)),
    )
    page = text(browser.get("/booking/"))
    assert "Kent Police, by Monday 21 December 2026" in page
    assert "you came too late" in page
    Outcome.objects.filter(pk=outcome.pk).update(returned_at=clock.from_london(dt.date(2026, 12, 18), dt.time(17)))
    assert "Kent Police, 5pm on Friday 18 December 2026" in text(browser.get("/booking/"))


def test_staff_read_it_by_course_with_averages(client: Client) -> None:
    staff = User.objects.create_user("manager", password="x", role=Role.MANAGER, is_staff=True, is_superuser=True)
    client.force_login(staff)
    room = c.ClassroomSessionFactory.create()
    for rating in (5, 2):
        say(b.CompletedBookingFactory.create(session=room), rating, "Warmer room")
    online = b.CompletedBookingFactory.create()
    say(online, 4)
    page = text(client.get(reverse("admin:bookings_feedback_changelist")))
    assert "<td>NSAC, classroom</td> <td>2</td> <td>3.5</td>" in page
    assert "<td>NSAC, digital</td> <td>1</td> <td>4.0</td>" in page
    assert "Warmer room" in page
    assert online.reference not in page
    assert online.referral.surname not in page


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_few_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    staff = User.objects.create_user("manager", password="x", role=Role.MANAGER, is_staff=True, is_superuser=True)
    client.force_login(staff)
    for _ in range(count):
        say(b.CompletedBookingFactory.create())
    client.get(reverse("admin:bookings_feedback_changelist"))
    with django_assert_num_queries(8):
        client.get(reverse("admin:bookings_feedback_changelist"))
