"""The pages of changing the date: what they say before anything is changed, and every refusal with its own words."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from bookings import services
from bookings.constants import MoveStatus
from bookings.models import Booking, Move
from common import clock
from courses.models import Session
from payments.models import Charge
from referrals import services as referrals
from referrals.models import Referral
from tests.bookings.conftest import STAFF, candidate, rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def at(days: int, hour: int = 9) -> dt.datetime:
    """So many days from today at that London hour."""
    return clock.from_london(clock.london_day(clock.now()) + days * DAY, dt.time(hour))


@pytest.fixture
def offer() -> Referral:
    return r.BookedReferralFactory.create(now=clock.now(), reference="46TEST0001X")


@pytest.fixture
def browser(client: Client, offer: Referral) -> Client:
    return sign_in(client, offer, clock.now())


def booked(offer: Referral, starts_at: dt.datetime | None = None, **given: Any) -> Booking:
    session = given.pop("session", None) or c.OpenSessionFactory.create(starts_at=starts_at or at(20))
    booking = b.ConfirmedBookingFactory.create(now=clock.now(), referral=offer, session=session, **given)
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=offer.key, created_at=clock.now())
    return booking


def held(booking: Booking, ago: dt.timedelta = dt.timedelta(), session: Session | None = None) -> Move:
    session = session or c.OpenSessionFactory.create(starts_at=at(22))
    by, now = candidate(booking.referral), clock.now() - ago
    return services.hold_move(booking_id=booking.pk, session_id=session.pk, by=by, now=now)


def text(response: Any) -> str:
    """The page as a reader sees it, blanks folded."""
    return " ".join(response.content.decode().split())


def test_the_end_of_a_hold_never_speaks_of_losing_what_is_booked(browser: Client, offer: Referral) -> None:
    move = held(booked(offer), ago=10 * MINUTE)
    Move.objects.filter(pk=move.pk).update(extensions=2)
    page = text(browser.get("/booking/move/check/"))
    assert "If the time ends, your booked date is still yours." in page
    assert "not paid" not in page
    assert "your place" not in page.lower()


# --- What is said before ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("starts", "words"),
    [
        (
            lambda: at(20),
            ("You can change your date now free of charge.", "it costs £25", "£92, the full course fee"),
        ),
        (lambda: at(3), ("It costs £25 to change your date.", "Only the first change is free")),
        (lambda: clock.now() + 5 * MINUTE, ("It costs £92 to change your date.", "less than 24 hours")),
    ],
)
def test_s04_the_rules_and_the_fee_are_told_before(
    browser: Client, offer: Referral, starts: Any, words: tuple[str, ...]
) -> None:
    booked(offer, starts())
    assert "Change your date" in text(browser.get("/booking/"))
    page = text(browser.get("/booking/move/"))
    for each in (*words, "Your booked date stays yours", "See other dates"):
        assert each in page


def test_the_dates_mark_the_present_one_and_explain_what_is_hidden(browser: Client, offer: Referral) -> None:
    monday = at(7 - clock.london(clock.now()).weekday() + 7)
    booking = booked(offer, monday)
    c.OpenSessionFactory.create(starts_at=monday + DAY)
    c.TakenPlaceFactory.create(session=c.OpenSessionFactory.create(starts_at=monday + 2 * DAY, capacity=1))
    c.OpenSessionFactory.create(starts_at=at(200))
    page = text(browser.get("/booking/move/dates/"))
    assert page.count('name="session"') == 1
    assert page.count("Your booked date</p>") == 1
    assert "1 date is full." in page
    assert "1 date is after the last day you have to complete a course" in page
    assert 'action="/booking/move/hold/"' in page
    assert f"You are booked on {clock.day_words(clock.london_day(booking.place.session.starts_at))}" in page


def test_dates_filters_stay_among_the_dates_to_move_to(browser: Client, offer: Referral) -> None:
    booked(offer)
    c.OpenSessionFactory.create(starts_at=at(3))
    c.ClassroomSessionFactory.create(starts_at=at(4))
    page = text(browser.get("/booking/move/dates/?how=CLASSROOM"))
    assert page.count('name="session"') == 1
    assert 'href="/booking/move/dates/?how=DIGITAL"' in page
    assert 'href="/sessions/' not in page


def test_dates_cost_the_same_queries_however_many_there_are(
    browser: Client, offer: Referral, django_assert_num_queries: Any
) -> None:
    booked(offer)
    for count in (1, 30):
        for hour in range(count):
            c.ClassroomSessionFactory.create(starts_at=at(9) + hour * MINUTE)
        with django_assert_num_queries(7):
            browser.get("/booking/move/dates/")


# --- Free ---------------------------------------------------------------------------------------------------------
def test_s04_a_free_change_over_the_pages(browser: Client, offer: Referral) -> None:
    booking = booked(offer)
    session = c.OpenSessionFactory.create(starts_at=at(22))
    assert browser.post("/booking/move/hold/", {"session": session.pk})["Location"] == "/booking/move/check/"
    page = text(browser.get("/booking/move/check/"))
    for words in (
        "Your new date",
        "Your booked date",
        "Nothing. This change is free.",
        "We are holding the new date for",
    ):
        assert words in page
    assert "We hold that date until" in text(browser.get("/booking/"))
    move = Move.objects.get()
    answer = browser.post("/booking/move/confirm/", {"move": move.pk})
    assert answer["Location"] == "/booking/?moved"
    page = text(browser.get("/booking/?moved"))
    assert "Your date has changed" in page
    assert clock.day_words(clock.london_day(session.starts_at)) in page
    booking.refresh_from_db()
    assert booking.place.session_id == session.pk
    before = rows()
    assert browser.post("/booking/move/confirm/", {"move": move.pk})["Location"] == "/booking/?moved"  # twice
    assert rows() == before


def test_the_hold_can_be_extended_from_the_check_page(browser: Client, offer: Referral) -> None:
    move = held(booked(offer), ago=10 * MINUTE)
    assert 'action="/booking/move/extend/"' in text(browser.get("/booking/move/check/"))
    assert browser.post("/booking/move/extend/")["Location"] == "/booking/move/check/"
    move.refresh_from_db()
    assert move.extensions == 1


def test_keeping_the_booked_date_gives_the_new_one_back(browser: Client, offer: Referral) -> None:
    move = held(booked(offer))
    for _ in range(2):
        assert browser.post("/booking/move/keep/")["Location"] == "/booking/?kept"
    move.refresh_from_db()
    assert move.status == MoveStatus.CANCELLED
    assert "Your date has not changed" in text(browser.get("/booking/?kept"))


def test_from_a_room_to_online_what_that_needs_is_agreed_to(browser: Client, offer: Referral) -> None:
    booking = booked(offer, session=c.ClassroomSessionFactory.create(starts_at=at(20)))
    move = held(booking)
    page = text(browser.get("/booking/move/check/"))
    assert "How you take part" in page
    refused = browser.post("/booking/move/confirm/", {"move": move.pk})
    assert "Tick the box to say you will join alone" in text(refused)
    boxes = dict.fromkeys(refused.context["form"].fields, "on")
    assert browser.post("/booking/move/confirm/", {"move": move.pk, **boxes})["Location"] == "/booking/?moved"


# --- Refusals -----------------------------------------------------------------------------------------------------
def refused(response: Any, status: int, *words: str) -> bool:
    page = text(response)
    return response.status_code == status and all(each in page for each in words)


def test_too_late_once_the_course_has_started(browser: Client, offer: Referral) -> None:
    booked(offer, clock.now() - MINUTE)
    session = c.OpenSessionFactory.create(starts_at=at(3))
    before = rows()
    words = "The course has started, so its date can no longer be changed here."
    for response in (
        browser.get("/booking/move/"),
        browser.get("/booking/move/dates/"),
        browser.post("/booking/move/hold/", {"session": session.pk}),
        browser.get("/booking/move/check/"),
    ):
        assert refused(response, 409, words, "See your booking")
    assert rows() == before


@pytest.mark.parametrize("chosen", ["full", "same", "text", "9" * 30, "987654321"])
def test_a_date_that_is_gone_shows_the_others(browser: Client, offer: Referral, chosen: str) -> None:
    booking = booked(offer)
    c.OpenSessionFactory.create(starts_at=at(3))
    full = c.OpenSessionFactory.create(starts_at=at(4), capacity=1)
    c.TakenPlaceFactory.create(session=full)
    value = {"full": full.pk, "same": booking.place.session_id}.get(chosen, chosen)
    before = rows()
    response = browser.post("/booking/move/hold/", {"session": value})
    assert refused(response, response.status_code, "Choose a new date", "Choose another date.")
    assert response.status_code in (404, 409)
    assert (rows(), Move.objects.count()) == (before, 0)


def test_the_hold_has_ended(browser: Client, offer: Referral) -> None:
    move = held(booked(offer), ago=20 * MINUTE)
    before = rows()
    for response in (
        browser.get("/booking/move/check/"),
        browser.post("/booking/move/extend/"),
        browser.post("/booking/move/confirm/", {"move": move.pk}),
    ):
        assert refused(response, 409, "Your date has not changed", "Your booked date is still yours.")
    assert rows() == before


def test_a_page_left_open_in_another_tab_confirms_nothing_else(browser: Client, offer: Referral) -> None:
    booking = booked(offer)
    stale, present = held(booking), held(booking, session=c.OpenSessionFactory.create(starts_at=at(25)))
    before = rows()
    for value in (stale.pk, "", "x"):
        assert refused(browser.post("/booking/move/confirm/", {"move": value}), 409, "Your date has not changed")
    assert rows() == before
    present.refresh_from_db()
    assert present.status == MoveStatus.HELD


def test_another_persons_move_is_none_of_theirs(browser: Client, offer: Referral) -> None:
    booked(offer)
    other = b.MoveFactory.create(now=clock.now())
    before = rows()
    assert refused(browser.post("/booking/move/confirm/", {"move": other.pk}), 409, "Your date has not changed")
    assert rows() == before


@pytest.mark.parametrize("path", ["", "dates/", "check/"])
def test_without_a_booking_there_is_nothing_to_move(client: Client, path: str) -> None:
    sign_in(client, r.LiveReferralFactory.create(now=clock.now()), clock.now())
    assert refused(client.get(f"/booking/move/{path}"), 404, "We could not find that booking.")
    assert client.get("/booking/move/return/")["Location"] == "/booking/"


def test_withdrawn_meanwhile(browser: Client, offer: Referral) -> None:
    move = held(booked(offer))
    referrals.withdraw(
        force_code="46",
        reference=offer.reference,
        reason="COURT",
        effective_at=None,
        received_at=clock.now(),
        by=STAFF,
        now=clock.now(),
    )
    before = rows()
    for response in (
        browser.get("/booking/move/"),
        browser.get("/booking/move/check/"),
        browser.post("/booking/move/confirm/", {"move": move.pk}),
        browser.post("/booking/move/keep/"),
    ):
        assert refused(response, 404, "The police have withdrawn your offer")
    assert rows() == before


@pytest.mark.parametrize("path", ["move/hold/", "move/extend/", "move/keep/", "move/confirm/"])
def test_what_changes_something_is_not_reached_by_a_link(browser: Client, path: str) -> None:
    assert browser.get(f"/booking/{path}").status_code == 405


@pytest.mark.parametrize("path", ["move/", "move/dates/", "move/check/", "move/return/"])
def test_signed_out_they_come_back_to_the_same_page(client: Client, path: str) -> None:
    answer = client.get(f"/booking/{path}")
    assert answer["Location"] == "/sign-in/?" + urlencode({"next": f"/booking/{path}"})


def test_paid_but_not_moved_is_told_with_the_booked_date(browser: Client, offer: Referral) -> None:
    session = c.OpenSessionFactory.create(starts_at=at(22))
    move = b.LapsedMoveFactory.create(booking=booked(offer), now=clock.now() - 60 * MINUTE, session=session)
    Charge.objects.filter(pk=move.charge_id).update(status="PAID", paid_pence=2500)
    page = text(browser.get("/booking/move/return/"))
    for words in ("We could not change your date", "You get the whole £25 back.", "You are still booked on"):
        assert words in page
