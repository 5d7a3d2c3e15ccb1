"""The candidate's pages: what they say, how many queries they cost, and every refusal with its own words."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings import services
from bookings.constants import BookingStatus, CancelCause
from bookings.models import Booking, Policy
from common import clock
from common.clock import date_words
from common.money import pounds
from courses.models import Session
from payments.models import Charge, FeeSchedule, Refund
from referrals import services as referrals
from referrals.models import Referral
from tests.bookings.conftest import STAFF, candidate, claimed, rows, sign_in
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
    return r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")


@pytest.fixture
def browser(client: Client, offer: Referral) -> Client:
    return sign_in(client, offer, clock.now())


def text(response: Any) -> str:
    """The page as a reader sees it, blanks folded."""
    return " ".join(response.content.decode().split())


def hold(offer: Referral, session: Session | None = None, ago: dt.timedelta = dt.timedelta()) -> Booking:
    session = session or c.OpenSessionFactory.create(starts_at=at(20))
    return services.hold(referral_id=offer.pk, session_id=session.pk, by=candidate(offer), now=clock.now() - ago)


def ready(offer: Referral, session: Session | None = None, ago: dt.timedelta = dt.timedelta()) -> Booking:
    booking = hold(offer, session, ago)
    by, now = candidate(offer), clock.now() - ago
    services.give_details(booking_id=booking.pk, email="jo@example.org", mobile="", by=by, now=now)
    texts = services.texts_needed(booking, now=now)
    services.give_consents(booking_id=booking.pk, text_ids=[text.pk for text in texts], by=by, now=now)
    return booking


def confirmed(offer: Referral, **given: Any) -> Booking:
    booking = b.ConfirmedBookingFactory.create(
        now=clock.now(),
        referral=offer,
        session=given.pop("session", None) or c.OpenSessionFactory.create(starts_at=at(20)),
        **given,
    )
    Referral.objects.filter(pk=offer.pk).update(status="BOOKED")
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=offer.key, created_at=clock.now())
    return booking


# --- Offer and dates -----------------------------------------------------------------------------------------------
def test_start_says_what_is_needed(client: Client) -> None:
    page = text(client.get("/"))
    assert "your letter from the police, with its reference and PIN" in page
    assert "It takes about 5 minutes." in page


def test_the_offer_says_what_the_letter_says(browser: Client, offer: Referral) -> None:
    page = text(browser.get("/offer/"))
    for words in ("Kent Police offer you a course", "A28 Ashford Road", "36 mph", "£92", date_words(offer.book_by)):
        assert words in page


@pytest.mark.parametrize("percent", [100, 50, 0])
def test_the_fee_on_the_offer_is_the_fee_that_is_asked(client: Client, percent: int) -> None:
    Policy.objects.update(missed_fee_percent=percent)
    missed = r.NotCompletedReferralFactory.create(now=clock.now())
    browser = sign_in(client, missed, clock.now())
    shown = browser.get("/offer/").context["offer"]["fee"]
    booking = hold(missed)
    assert shown == pounds(booking.fee_pence)
    assert booking.fee_pence == (9200 if percent == 100 else 4800)
    assert "full fee" not in text(browser.get("/offer/"))


def test_where_the_fee_is_not_the_same_in_every_way_the_least_is_shown(browser: Client, offer: Referral) -> None:
    in_room = FeeSchedule.objects.get(course_type=offer.course_type, mode="CLASSROOM", force=None, valid_to=None)
    FeeSchedule.objects.filter(pk=in_room.pk).update(
        total_pence=in_room.total_pence - 500, provider_pence=in_room.provider_pence - 500
    )
    assert browser.get("/offer/").context["offer"]["fee"] == "from £87"
    room = c.RoomFactory.create()
    asked = hold(offer, c.ClassroomSessionFactory.create(starts_at=at(20), room=room)).fee_pence
    assert (asked, hold(offer).fee_pence) == (8700, 9200)


def test_dates_say_time_place_and_places_left(browser: Client) -> None:
    c.OpenSessionFactory.create(starts_at=at(3), capacity=3)
    room = c.RoomFactory.create(venue__name="Example Hall", venue__town="Ashford")
    c.ClassroomSessionFactory.create(starts_at=at(4, 13), room=room, capacity=1)
    page = text(browser.get("/sessions/"))
    for words in ("9am to 11:45am", "3 places left", "1pm to 3:45pm", "In a classroom in Ashford", "1 place left"):
        assert words in page


def test_hidden_dates_are_explained(browser: Client, offer: Referral) -> None:
    Referral.objects.filter(pk=offer.pk).update(complete_by=clock.london_day(at(10)))
    c.OpenSessionFactory.create(starts_at=at(3))
    full = c.OpenSessionFactory.create(starts_at=at(4), capacity=1)
    c.TakenPlaceFactory.create(session=full)
    for days in (11, 12):
        c.OpenSessionFactory.create(starts_at=at(days))
    c.OpenSessionFactory.create(starts_at=clock.now() + 30 * MINUTE)
    c.OpenSessionFactory.create(starts_at=at(5), code="WDU")
    page = text(browser.get("/sessions/"))
    last = date_words(clock.london_day(at(10)))
    assert f"2 dates are after the last day you have to complete a course, {last}." in page
    assert "1 date is full." in page
    assert "1 date starts too soon to book." in page
    assert page.count('name="session"') == 1


def test_filters_are_links_that_narrow_and_widen(browser: Client) -> None:
    c.OpenSessionFactory.create(starts_at=at(3, 9))
    c.OpenSessionFactory.create(starts_at=at(3, 18))
    c.ClassroomSessionFactory.create(starts_at=at(3, 13))
    assert text(browser.get("/sessions/")).count('name="session"') == 3
    narrowed = text(browser.get("/sessions/?how=DIGITAL&when=evening"))
    assert narrowed.count('name="session"') == 1
    assert "6pm to 8:45pm" in narrowed
    assert "2 more dates do not match your choices." in narrowed
    nothing = text(browser.get("/sessions/?how=CLASSROOM&when=evening"))
    assert "No dates match your choices" in nothing
    assert "There are 3 other dates you can book." in nothing
    assert "join the waiting list for a date like this" in nothing
    assert "call us on" in nothing
    assert 'href="/waiting/join/?how=CLASSROOM&amp;when=evening"' in nothing
    ticked = browser.get("/waiting/join/?how=CLASSROOM&when=evening").context["form"].initial
    assert (ticked["modes"], ticked["parts"]) == (["CLASSROOM"], ["evening"])
    assert text(browser.get("/sessions/?how=nonsense&when=x&from=y")).count('name="session"') == 3


def test_weeks_follow_one_another_and_few_dates_share_a_page(browser: Client) -> None:
    monday = 7 - clock.london_day(clock.now()).weekday()
    for days in (monday, monday + 7, monday + 14):
        for hour in (9, 18) if days != monday + 7 else (9, 10, 11, 12, 13):
            c.OpenSessionFactory.create(starts_at=at(days, hour))
    first = browser.get("/sessions/").context
    assert first["earlier"] == ""
    assert [bool(day["week"]) for day in first["days"]] == [True, True]
    second = browser.get(first["later"]).context
    assert second["later"] == ""
    assert [len(context["found"].sessions) for context in (first, second)] == [7, 2]
    assert browser.get(second["earlier"]).context["found"].sessions == first["found"].sessions


def test_no_dates_at_all_is_no_dead_end(browser: Client) -> None:
    page = text(browser.get("/sessions/"))
    assert "There are no dates you can book at the moment" in page
    assert "Call us on" in page
    assert "Join the waiting list" in page


@pytest.mark.parametrize("sessions", [1, 30])
def test_pages_cost_the_same_few_queries(
    browser: Client, offer: Referral, sessions: int, django_assert_num_queries: Any
) -> None:
    for n in range(sessions):
        c.ClassroomSessionFactory.create(starts_at=at(21) + n * MINUTE)
    browser.get("/")  # templates are compiled, the session is in the cache
    with django_assert_num_queries(6):
        browser.get("/sessions/")
    booking = ready(offer, Session.objects.first())
    for path, queries in (
        ("/offer/", 5),
        ("/booking/details/", 2),
        ("/booking/consents/", 4),
        ("/booking/check/", 6),
        ("/booking/return/", 3),
    ):
        with django_assert_num_queries(queries):
            browser.get(path)
    Booking.objects.filter(pk=booking.pk).update(status="CONFIRMED", confirmed_at=clock.now())
    for path, queries in (("/booking/", 6), ("/booking/receipt/", 4), ("/booking/cancel/", 3)):
        with django_assert_num_queries(queries):
            assert browser.get(path).status_code == 200


# --- Holding -------------------------------------------------------------------------------------------------------
def test_choosing_holds_and_goes_on(browser: Client) -> None:
    session = c.OpenSessionFactory.create(starts_at=at(20))
    response = browser.post("/booking/hold/", {"session": session.pk})
    assert response["Location"] == "/booking/details/"
    page = text(browser.get("/booking/details/"))
    assert "We are holding your place for <strong>14 minutes</strong>" in page
    assert "Get 15 minutes more" in page


def test_a_place_just_taken_shows_other_dates(browser: Client) -> None:
    full = c.OpenSessionFactory.create(starts_at=at(20), capacity=1)
    c.TakenPlaceFactory.create(session=full)
    c.OpenSessionFactory.create(starts_at=at(21))
    before = rows()
    response = browser.post("/booking/hold/", {"session": full.pk})
    assert response.status_code == 409
    page = text(response)
    assert "The last place on this course has just been taken." in page
    assert page.count('name="session"') == 1
    assert (rows(), claimed(full)) == (before, 1)


@pytest.mark.parametrize("tampered", ["", "0", "-1", "x", "9" * 30, "1 OR 1=1"])
def test_a_tampered_id_is_not_found_and_changes_nothing(browser: Client, tampered: str) -> None:
    before = rows()
    response = browser.post("/booking/hold/", {"session": tampered})
    assert response.status_code == 404
    assert "We could not find that course date." in text(response)
    assert rows() == before


def test_a_double_submit_holds_once(browser: Client) -> None:
    session = c.OpenSessionFactory.create(starts_at=at(20))
    for _ in range(2):
        assert browser.post("/booking/hold/", {"session": session.pk}).status_code == 302
    assert (Booking.objects.count(), claimed(session)) == (1, 1)


def test_another_offers_booking_cannot_be_reached(client: Client) -> None:
    theirs = confirmed(r.LiveReferralFactory.create(now=clock.now()))
    mine = r.LiveReferralFactory.create(now=clock.now())
    sign_in(client, mine, clock.now())
    assert client.get("/booking/")["Location"] == "/offer/"
    for path in ("/booking/receipt/", "/booking/calendar.ics", "/booking/cancel/"):
        response = client.get(path)
        assert response.status_code == 404
        assert theirs.reference not in text(response)
    assert client.post("/booking/cancel/", {"sure": "yes"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.status == BookingStatus.CONFIRMED


def test_extending_leads_back_and_ends_after_two(browser: Client, offer: Referral) -> None:
    booking = ready(offer, ago=10 * MINUTE)
    for _ in range(2):
        response = browser.post("/booking/extend/", {"next": "/booking/consents/"})
        assert response["Location"] == "/booking/consents/"
    page = text(browser.get("/booking/check/"))
    assert "We cannot hold it for longer." in page
    refused = browser.post("/booking/extend/")
    assert refused.status_code == 409
    assert "We cannot hold this place any longer." in text(refused)
    booking.refresh_from_db()
    assert booking.extensions == 2


def test_the_time_left_is_said_louder_in_the_last_minutes(browser: Client, offer: Referral) -> None:
    hold(offer, ago=dt.timedelta(minutes=11, seconds=30))
    assert "Your place is held for only 3 minutes more" in text(browser.get("/booking/details/"))


@pytest.mark.parametrize("path", ["/booking/details/", "/booking/consents/", "/booking/check/"])
def test_an_ended_hold_says_so_on_every_page(browser: Client, offer: Referral, path: str) -> None:
    ready(offer, ago=16 * MINUTE)
    response = browser.get(path)
    assert response.status_code == 409
    page = text(response)
    assert "Your place is no longer held" in page
    assert "You have not been charged." in page


def test_paying_after_the_hold_ended_is_refused(browser: Client, offer: Referral) -> None:
    ready(offer, ago=16 * MINUTE)
    before = rows()
    response = browser.post("/booking/pay/")
    assert response.status_code == 409
    assert (rows(), Charge.objects.count()) == (before, 0)


def test_a_stale_tab_cannot_pay_for_the_date_that_was_left(browser: Client, offer: Referral) -> None:
    left = ready(offer)
    chosen = c.OpenSessionFactory.create(starts_at=at(21))
    browser.post("/booking/hold/", {"session": chosen.pk})
    response = browser.post("/booking/pay/")  # from the tab with the first date
    assert response["Location"] == "/booking/check/"  # which leads on to what the new date still needs
    assert browser.get("/booking/check/")["Location"] == "/booking/details/"
    left.refresh_from_db()
    assert (left.status, Charge.objects.count()) == (BookingStatus.CANCELLED, 0)


def test_the_last_day_to_book_passed_meanwhile(browser: Client, offer: Referral) -> None:
    booking = ready(offer)
    Referral.objects.filter(pk=offer.pk).update(offer_on=clock.london_day(at(-30)), book_by=clock.london_day(at(-1)))
    response = browser.post("/booking/pay/")
    assert response.status_code == 409
    assert "The last day to book a course with this offer has passed." in text(response)
    listed = browser.get("/sessions/")
    assert listed.status_code == 409
    booking.refresh_from_db()
    assert (booking.status, Charge.objects.count()) == (BookingStatus.HELD, 0)


def test_withdrawn_meanwhile_is_told_on_the_next_page(browser: Client, offer: Referral) -> None:
    booking = ready(offer)
    referrals.withdraw(
        force_code="46",
        reference=offer.reference,
        reason="OTHER",
        effective_at=None,
        received_at=clock.now(),
        by=STAFF,
        now=clock.now(),
    )
    for response in (browser.get("/booking/check/"), browser.post("/booking/pay/"), browser.get("/sessions/")):
        assert response.status_code == 409
        assert "The police have withdrawn your offer" in text(response)
    assert claimed(booking.place.session) == 0
    assert Charge.objects.count() == 0


# --- Details and consents ------------------------------------------------------------------------------------------
def test_details_are_checked_and_kept(browser: Client, offer: Referral) -> None:
    booking = hold(offer)
    wrong = text(browser.post("/booking/details/", {"email": "nobody", "mobile": "12"}))
    assert "Enter an email address in the correct format, like name@example.com" in wrong
    assert "Enter a mobile number, like 07700 900 982" in wrong
    response = browser.post("/booking/details/", {"email": "jo@example.org", "mobile": "07700 900 982"})
    assert response["Location"] == "/booking/consents/"
    booking.refresh_from_db()
    assert (booking.email, booking.mobile) == ("jo@example.org", "07700900982")


def test_the_full_notice_and_terms_are_linked_where_they_are_agreed_to(browser: Client, offer: Referral) -> None:
    booking = hold(offer)
    services.give_details(
        booking_id=booking.pk, email="jo@example.org", mobile="", by=candidate(offer), now=clock.now()
    )
    page = browser.get("/booking/consents/").content.decode()
    assert page.count('href="/privacy/"') == page.count('href="/terms/"') == 2  # here and at the foot
    assert "Read the full privacy notice (opens in a new tab)" in page


def test_every_box_must_be_ticked(browser: Client, offer: Referral) -> None:
    booking = hold(offer)
    assert browser.get("/booking/consents/")["Location"] == "/booking/details/"
    browser.post("/booking/details/", {"email": "jo@example.org"})
    texts = services.texts_needed(booking, now=clock.now())
    some = {f"text_{one.pk}": "on" for one in texts[1:]}
    page = text(browser.post("/booking/consents/", some))
    assert "Tick the box to agree that we share what is needed with the police and UKROEd" in page
    assert booking.consents.count() == 0
    assert browser.get("/booking/check/")["Location"] == "/booking/consents/"
    response = browser.post("/booking/consents/", some | {f"text_{texts[0].pk}": "on"})
    assert response["Location"] == "/booking/check/"
    assert booking.consents.count() == 6


# --- A confirmed booking -------------------------------------------------------------------------------------------
def test_manage_shows_everything(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer)
    page = text(browser.get("/booking/"))
    for words in (booking.reference, "9am to 11:45am", "£92.00", "Add it to your calendar", "Be ready at 8:45am"):
        assert words in page
    assert booking.place.session.joining_url not in page


def test_the_joining_link_is_there_two_days_before(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer, session=c.OpenSessionFactory.create(starts_at=clock.now() + dt.timedelta(hours=47)))
    assert booking.place.session.joining_url in text(browser.get("/booking/"))


@pytest.mark.parametrize(
    ("begins_in", "is_there"), [(-1, True), (-164, True), (-166, False)]
)  # minutes; the course takes 165
def test_the_joining_link_is_there_until_the_course_ends(
    browser: Client, offer: Referral, begins_in: int, is_there: bool
) -> None:
    booking = confirmed(offer, session=c.OpenSessionFactory.create(starts_at=clock.now() + begins_in * MINUTE))
    page = text(browser.get("/booking/"))
    assert (booking.place.session.joining_url in page) == is_there
    assert ("On the day" in page) == is_there
    # Begun, it can be neither moved nor cancelled.
    for path in ("/booking/move/", "/booking/cancel/"):
        assert f'href="{path}"' not in page
        assert browser.get(path).status_code == 409


def test_who_is_booked_is_led_to_the_booking(browser: Client, offer: Referral) -> None:
    confirmed(offer)
    for response in (
        browser.get("/sessions/"),
        browser.get("/booking/check/"),
        browser.post("/booking/hold/", {"session": c.OpenSessionFactory.create(starts_at=at(22)).pk}),
        browser.post("/booking/pay/"),
    ):
        assert response["Location"] == "/booking/"
    assert browser.get("/booking/return/")["Location"] == "/booking/?booked"


def test_receipt_can_be_printed(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer)
    page = text(browser.get("/booking/receipt/"))
    assert booking.reference in page
    assert "£92.00" in page


def test_cancel_shows_what_comes_back_and_asks(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer)
    assert "You get £92 back." in text(browser.get("/booking/cancel/"))
    assert "Select yes if you want to cancel your course" in text(browser.post("/booking/cancel/"))
    assert browser.post("/booking/cancel/", {"sure": "no"})["Location"] == "/booking/"
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    assert browser.post("/booking/cancel/", shown(browser))["Location"] == "/booking/"
    page = text(browser.get("/booking/"))
    assert "This booking is cancelled." in page
    assert Refund.objects.get().amount_pence == 9200
    assert browser.post("/booking/cancel/", {"sure": "yes"}).status_code == 404
    assert Refund.objects.count() == 1


def shown(browser: Client) -> dict[str, str]:
    """The answer yes, with what the cancel page promises now."""
    context = browser.get("/booking/cancel/").context
    return {"sure": "yes", "place": context["booking"].place_id, "refund_pence": context["refund_pence"]}


def is_still_booked(booking: Booking) -> bool:
    booking.refresh_from_db()
    return booking.status == BookingStatus.CONFIRMED and not Refund.objects.exists()


@pytest.mark.parametrize("edge", ["7 days before the course", "14 days after booking"])
def test_what_comes_back_is_what_the_page_said_or_nothing_is_cancelled(
    client: Client, time_machine: Any, edge: str
) -> None:
    booked_at = r.NOW
    course_at = clock.from_london(dt.date(2026, 11, 30), dt.time(9))
    last = course_at - 7 * DAY
    if edge == "14 days after booking":
        course_at = clock.from_london(dt.date(2027, 1, 30), dt.time(9))
        last = clock.end_of_london_day(clock.london_day(booked_at) + 14 * DAY) - MINUTE
    booking = b.ConfirmedBookingFactory.create(now=booked_at, session=c.OpenSessionFactory.create(starts_at=course_at))
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    time_machine.move_to(last - MINUTE, tick=False)
    browser = sign_in(client, booking.referral, clock.now())
    assert "You get £92 back." in text(browser.get("/booking/cancel/"))
    answer = shown(browser)
    time_machine.move_to(last + 2 * MINUTE, tick=False)
    before = rows()
    refused = browser.post("/booking/cancel/", answer)
    assert refused.status_code == 409
    page = text(refused)
    assert "What you get back has changed" in page
    assert "You get no money back if you cancel now." in page
    assert is_still_booked(booking)
    assert rows() == before
    # Told, they may still cancel.
    assert browser.post("/booking/cancel/", shown(browser))["Location"] == "/booking/"
    booking.refresh_from_db()
    assert (booking.status, Refund.objects.count()) == (BookingStatus.CANCELLED, 0)


def test_a_stale_tab_cannot_cancel_the_date_that_was_chosen_since(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer)
    answer = shown(browser)
    near = c.OpenSessionFactory.create(starts_at=at(5))
    move = services.hold_move(booking_id=booking.pk, session_id=near.pk, by=candidate(offer), now=clock.now())
    services.confirm_move(move_id=move.pk, by=candidate(offer), now=clock.now())
    before = rows()
    refused = browser.post("/booking/cancel/", answer)
    assert refused.status_code == 409
    assert "What you get back has changed" in text(refused)
    assert "You get no money back if you cancel now." in text(refused)
    assert is_still_booked(booking)
    assert rows() == before


def test_a_stale_tab_whose_promise_still_holds_is_told_of_the_date_alone(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer, session=c.OpenSessionFactory.create(starts_at=at(30)))
    answer = shown(browser)
    later = c.OpenSessionFactory.create(starts_at=at(31))
    move = services.hold_move(booking_id=booking.pk, session_id=later.pk, by=candidate(offer), now=clock.now())
    services.confirm_move(move_id=move.pk, by=candidate(offer), now=clock.now())
    before = rows()
    refused = browser.post("/booking/cancel/", answer)
    page = text(refused)
    assert (refused.status_code, "The date of your course has changed" in page) == (409, True)
    assert "What you get back has changed" not in page
    assert "You get £92 back." in page
    assert is_still_booked(booking)
    assert rows() == before


@pytest.mark.parametrize("tampered", [{}, {"place": "x", "refund_pence": "-1"}, {"place": "", "refund_pence": "9200"}])
def test_a_page_that_does_not_say_what_it_promised_cancels_nothing(
    browser: Client, offer: Referral, tampered: dict[str, str]
) -> None:
    booking = confirmed(offer)
    before = rows()
    assert browser.post("/booking/cancel/", {"sure": "yes", **tampered}).status_code == 409
    assert is_still_booked(booking)
    assert rows() == before


@pytest.mark.parametrize(
    ("cause", "factory", "says", "is_bookable"),
    [
        (CancelCause.CANDIDATE, r.LiveReferralFactory, "This booking is cancelled.", True),
        (CancelCause.KCC, r.LiveReferralFactory, "We have cancelled this course.", True),
        (
            CancelCause.POLICE,
            r.WithdrawnReferralFactory,
            "This booking is cancelled, because the police have withdrawn their offer.",
            False,
        ),
        (
            CancelCause.EXPIRED,
            r.ExpiredReferralFactory,
            "This booking is cancelled, because the time to complete a course has ended.",
            False,
        ),
    ],
)
def test_a_cancelled_booking_says_through_whom_and_what_can_be_done(
    client: Client, cause: CancelCause, factory: Any, says: str, is_bookable: bool
) -> None:
    referral = factory.create(now=clock.now())
    b.CancelledBookingFactory.create(
        now=clock.now(),
        referral=referral,
        session=c.OpenSessionFactory.create(starts_at=at(20)),
        cancel_cause=cause,
    )
    page = text(sign_in(client, referral, clock.now()).get("/booking/"))
    assert says in page
    assert ("Back to your offer" in page) == is_bookable


def test_cancel_too_late_for_money_says_so_before(browser: Client, offer: Referral) -> None:
    confirmed(offer, session=c.OpenSessionFactory.create(starts_at=at(5)))
    assert "You get no money back if you cancel now." in text(browser.get("/booking/cancel/"))


def test_cancel_once_begun_is_refused(browser: Client, offer: Referral) -> None:
    booking = confirmed(offer, session=c.OpenSessionFactory.create(starts_at=clock.now() - MINUTE))
    response = browser.get("/booking/cancel/")
    assert response.status_code == 409
    assert "The course has started" in text(response)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


@pytest.mark.parametrize(
    "day", [dt.date(2027, 3, 27), dt.date(2027, 3, 28), dt.date(2027, 10, 30), dt.date(2027, 10, 31)]
)
def test_s22_page_and_calendar_file_say_nine(client: Client, time_machine: Any, day: dt.date) -> None:
    time_machine.move_to(r.NOW, tick=False)
    booking = b.ConfirmedBookingFactory.create(
        referral=r.BookedReferralFactory.create(complete_by=dt.date(2027, 12, 31)),
        session=c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9))),
    )
    browser = sign_in(client, booking.referral, r.NOW)
    assert "9am to 11:45am" in text(browser.get("/booking/"))
    response = browser.get("/booking/calendar.ics")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"DTSTART;TZID=Europe/London:{day:%Y%m%d}T090000" in response.content.decode()
    assert booking.reference in response.content.decode()


def test_pages_of_candidates_are_never_kept_by_a_cache(browser: Client) -> None:
    for path in ("/", "/sign-in/", "/offer/", "/sessions/"):
        assert "no-store" in browser.get(path)["Cache-Control"]
