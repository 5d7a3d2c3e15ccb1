"""The pages of the waiting list: what they say and what they do, for who has nothing booked and for who has."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from audit.context import Actor
from bookings import leave_links, services
from bookings.constants import BookingStatus, NeedKind, PlaceOfferStatus
from bookings.models import Booking, PlaceOffer, WaitingEntry
from common import clock
from courses.models import Session
from notifications.models import Message
from referrals.models import Referral
from tests.bookings.conftest import rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.support.notify import API_KEY

DAY = dt.timedelta(days=1)
JOB = Actor("job", "offer_places")
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


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


def full(days: int = 20) -> Session:
    session: Session = c.OpenSessionFactory.create(starts_at=at(days), capacity=1)
    c.TakenPlaceFactory.create(session=session)
    return session


def freed(offer: Referral, session: Session) -> PlaceOffer:
    """The one who has the place gives it back, and the sweep comes round."""
    session.places.update(state="RELEASED", released_at=clock.now(), release_reason="cancelled")
    services.offer_places(by=JOB, now=clock.now())
    return PlaceOffer.objects.get(referral=offer)


def booked(offer: Referral, days: int = 40) -> Booking:
    Referral.objects.filter(pk=offer.pk).update(status="BOOKED", first_booked_at=clock.now())
    offer.refresh_from_db()
    booking: Booking = b.ConfirmedBookingFactory.create(
        now=clock.now(), referral=offer, session=c.OpenSessionFactory.create(starts_at=at(days))
    )
    return booking


def test_where_nothing_fits_the_list_of_dates_leads_to_the_waiting_list(browser: Client) -> None:
    full()
    page = text(browser.get("/sessions/"))
    assert "There are no dates you can book at the moment" in page
    assert "Join the waiting list" in page
    c.OpenSessionFactory.create(starts_at=at(21))
    assert "join the waiting list for another date" in text(browser.get("/sessions/"))


def test_what_the_dates_were_narrowed_to_is_ticked_already(browser: Client) -> None:
    hall = c.RoomFactory.create(venue__town="Ashford").venue
    c.RoomFactory.create(venue__town="Dover")
    form = browser.get("/waiting/join/?how=CLASSROOM&when=weekend&where=Ashford").context["form"]
    assert form.initial == {"modes": ["CLASSROOM"], "venues": [hall.pk], "weekdays": [6, 7], "parts": []}
    assert browser.get("/waiting/join/?how=x&when=y&where=z").context["form"].initial == {
        "modes": [],
        "venues": [],
        "weekdays": [],
        "parts": [],
    }


def test_joining_says_what_happens_next_and_leaving_is_one_click(browser: Client) -> None:
    full()
    assert browser.get("/waiting/")["Location"] == "/waiting/join/"
    page = text(browser.get("/waiting/join/"))
    assert "You have 24 working hours to take it." in page
    assert "Waiting costs nothing." in page
    response = browser.post("/waiting/join/", {"weekdays": ["6", "7"], "parts": ["morning"], "modes": ["DIGITAL"]})
    assert response["Location"] == "/waiting/?joined"
    page = text(browser.get("/waiting/?joined"))
    for words in ("You are on the waiting list now", "Saturday; Sunday", "Online, by video call", "Morning"):
        assert words in page
    assert browser.get("/waiting/join/").context["form"].initial["weekdays"] == [6, 7]
    assert browser.post("/waiting/leave/")["Location"] == "/waiting/?left"
    assert "You have left the waiting list" in text(browser.get("/waiting/?left"))
    assert browser.post("/waiting/leave/")["Location"] == "/waiting/?left"
    assert WaitingEntry.objects.get().ended_cause == "LEFT"


@pytest.mark.parametrize("texts_go_out", [False, True])
def test_who_cannot_be_written_to_is_told_so_where_they_join(
    browser: Client, offer: Referral, settings: Any, texts_go_out: bool
) -> None:
    if texts_go_out:
        settings.NOTIFY_API_KEY, settings.NOTIFY_SMS_TEMPLATE_ID = API_KEY, "sms-template"
    Referral.objects.filter(pk=offer.pk).update(email="", mobile="07700900123")
    full()
    browser.post("/waiting/join/", {})
    for path in ("/waiting/join/", "/waiting/"):
        page = text(browser.get(path))
        assert ("We have no email address for you" in page) is not texts_go_out
        assert ("write to you at once" in page) is texts_go_out


def test_who_wants_what_is_free_is_led_to_it(browser: Client) -> None:
    c.OpenSessionFactory.create(starts_at=at(21))
    before = rows()
    response = browser.post("/waiting/join/", {})
    page = text(response)
    assert "There is 1 date like this that you can have now." in page
    assert 'href="/sessions/"' in page
    assert (rows(), WaitingEntry.objects.count()) == (before, 0)


def test_a_tampered_form_is_refused(browser: Client) -> None:
    full()
    c.VenueFactory.create_batch(2)
    for wrong in ({"weekdays": ["8"]}, {"parts": ["night"]}, {"modes": ["ON_ROAD"]}, {"venues": ["0"]}):
        assert browser.post("/waiting/join/", wrong).status_code == 200
    assert WaitingEntry.objects.count() == 0


def test_what_somebody_needs_leaves_out_the_ways_that_do_not_fit(browser: Client, offer: Referral) -> None:
    b.NeedFactory.create(referral=offer, kind=NeedKind.NO_INTERNET)
    assert "modes" not in browser.get("/waiting/join/").context["form"].fields


def test_an_offered_place_is_taken_and_paid_for_like_any_other(browser: Client, offer: Referral) -> None:
    session = full()
    browser.post("/waiting/join/", {})
    held = freed(offer, session)
    assert "A place has come free for you." in text(browser.get("/waiting/"))
    page = text(browser.get("/waiting/offer/"))
    assert f"until {clock.moment_words(held.until)}" in page
    assert "Take this place" in page
    assert browser.post("/waiting/offer/accept/", {"offer": held.pk})["Location"] == "/booking/details/"
    booking = Booking.objects.get(referral=offer)
    assert (booking.place_id, booking.status) == (held.place_id, BookingStatus.HELD)
    assert "We are holding your place for" in text(browser.get("/booking/details/"))
    # The link of the message, once more.
    assert "We do not hold a place for you at the moment" in text(browser.get("/waiting/offer/"))
    assert browser.post("/waiting/offer/accept/", {"offer": held.pk}).status_code == 409


def test_no_thank_you_passes_it_on_and_keeps_them_on_the_list(browser: Client, offer: Referral) -> None:
    session = full()
    browser.post("/waiting/join/", {})
    held = freed(offer, session)
    for _ in range(2):
        assert browser.post("/waiting/offer/decline/", {"offer": held.pk})["Location"] == "/waiting/"
    held.refresh_from_db()
    assert held.status == PlaceOfferStatus.DECLINED
    assert "You are on the waiting list" in text(browser.get("/waiting/"))


def test_nobody_takes_or_passes_on_another_s_place(browser: Client) -> None:
    others = b.PlaceOfferFactory.create(now=clock.now(), session=c.OpenSessionFactory.create(starts_at=at(20)))
    before = rows()
    for path in ("accept", "decline"):
        for tampered in (others.pk, "", "x", 10**20):
            assert browser.post(f"/waiting/offer/{path}/", {"offer": tampered}).status_code == 409
    others.refresh_from_db()
    assert (rows(), others.status) == (before, PlaceOfferStatus.OPEN)


def test_signing_in_leads_to_the_place_on_offer(client: Client, offer: Referral) -> None:
    entry = b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    b.PlaceOfferFactory.create(now=clock.now(), entry=entry, session=c.OpenSessionFactory.create(starts_at=at(20)))
    given = {"reference": "46TEST0001X", "how": "pin", "pin": r.PIN}
    assert client.post("/sign-in/", given)["Location"] == "/waiting/offer/"


def test_who_is_booked_waits_for_an_earlier_date_and_is_moved_to_it(browser: Client, offer: Referral) -> None:
    session = full()
    booking = booked(offer)
    assert "Wait for an earlier date" in text(browser.get("/booking/"))
    page = text(browser.get("/waiting/join/"))
    assert f"You have a course at {clock.moment_words(booking.place.session.starts_at)}." in page
    assert browser.post("/waiting/join/", {})["Location"] == "/waiting/?joined"
    held = freed(offer, session)
    assert "You pay nothing." in text(browser.get("/waiting/offer/"))
    assert browser.post("/waiting/offer/accept/", {"offer": held.pk})["Location"] == "/booking/?moved"
    assert "Your date has changed" in text(browser.get("/booking/?moved"))
    booking.refresh_from_db()
    assert booking.place.session_id == session.pk


@pytest.mark.parametrize("is_swept", [False, True])
def test_after_book_by_the_page_says_that_they_wait_no_longer(
    browser: Client, offer: Referral, is_swept: bool
) -> None:
    b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    yesterday = clock.london_day(clock.now()) - DAY
    Referral.objects.filter(pk=offer.pk).update(offer_on=yesterday - 30 * DAY, book_by=yesterday)
    if is_swept:
        services.offer_places(by=JOB, now=clock.now())
    page = text(browser.get("/waiting/"))
    assert '<h1 class="govuk-heading-l">You are no longer on the waiting list</h1>' in page
    assert f"The last day to book was {clock.date_words(yesterday)}" in page
    assert "Leave the waiting list" not in page
    assert browser.get("/waiting/join/")["Location"] == "/waiting/"


def past_book_by(offer: Referral) -> None:
    yesterday = clock.london_day(clock.now()) - DAY
    Referral.objects.filter(pk=offer.pk).update(offer_on=yesterday - 30 * DAY, book_by=yesterday)


def started(offer: Referral) -> None:
    booked(offer, days=0)
    past = clock.now() - dt.timedelta(hours=1)
    Session.objects.update(starts_at=past, ends_at=past + dt.timedelta(hours=3))


@pytest.mark.parametrize(
    ("became", "words"),
    [
        (past_book_by, "The last day to book a course with this offer has passed."),
        (started, "The course has started, so its date can no longer be changed here."),
    ],
)
def test_who_may_not_wait_is_told_why_and_shown_no_form(
    browser: Client, offer: Referral, became: Callable[[Referral], None], words: str
) -> None:
    became(offer)
    for response in (browser.get("/waiting/join/"), browser.post("/waiting/join/", {})):
        assert (response.status_code, WaitingEntry.objects.count()) == (409, 0)
        assert words in text(response)
        assert "<form method" not in text(response).partition("<main")[2]


@pytest.mark.parametrize("path", ["/waiting/", "/waiting/join/", "/waiting/offer/"])
def test_pages_cost_few_queries(
    browser: Client, offer: Referral, django_assert_max_num_queries: Any, path: str
) -> None:
    entry = b.WaitingEntryFactory.create(now=clock.now(), referral=offer, venue_ids=[1])
    b.PlaceOfferFactory.create(now=clock.now(), entry=entry, session=c.OpenSessionFactory.create(starts_at=at(20)))
    with django_assert_max_num_queries(10):
        assert browser.get(path).status_code == 200


def test_a_withdrawn_offer_cannot_wait(client: Client) -> None:
    withdrawn = r.WithdrawnReferralFactory.create(now=clock.now())
    response = sign_in(client, withdrawn, clock.now()).post("/waiting/join/", {})
    assert (response.status_code, WaitingEntry.objects.count()) == (409, 0)


def test_the_place_offered_has_a_way_back_to_the_list(browser: Client, offer: Referral) -> None:
    b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    freed(offer, full())
    assert '<a href="/waiting/" class="govuk-back-link">Back</a>' in text(browser.get("/waiting/offer/"))


# --- Leaving by the link of a message ------------------------------------------------------------------------------
def leave_path(offer: Referral) -> str:
    """The path of the link in the message that offered a place."""
    message = Message.objects.get(kind="waiting_offer", channel="EMAIL", referral_key=offer.key)
    path: str = message.context["leave_url"].removeprefix(settings.SITE_URL)
    assert path.startswith("/waiting/leave/")
    return path


def test_who_is_not_signed_in_leaves_by_the_link_with_one_button(client: Client, offer: Referral) -> None:
    b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    held = freed(offer, full())
    path = leave_path(offer)
    before = rows()
    page = text(client.get(path))
    assert '<h1 class="govuk-heading-l">Leave the waiting list?</h1>' in page
    assert page.count("<form") == 1
    assert offer.surname not in page
    assert rows() == before
    assert WaitingEntry.objects.get().status == "WAITING"  # looking at it, as a mail scanner does, changes nothing

    response = client.post(path, follow=True)
    assert "You are not on the waiting list" in text(response)
    entry = WaitingEntry.objects.get()
    assert (entry.status, entry.ended_cause, entry.status_by) == ("ENDED", "LEFT", f"candidate:{offer.key}")
    held.refresh_from_db()
    assert held.status == "DECLINED"

    after = rows()
    assert "You are not on the waiting list" in text(client.post(path))
    assert rows() == after


def test_the_link_of_an_earlier_time_on_the_list_does_not_end_a_later_one(client: Client, offer: Referral) -> None:
    old = b.EndedWaitingEntryFactory.create(now=clock.now(), referral=offer)
    b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    path = leave_links.url_of(old.pk, last_day=offer.complete_by).removeprefix(settings.SITE_URL)
    before = rows()
    assert "You are not on the waiting list" in text(client.post(path))
    assert rows() == before
    assert services.leave_waiting_list(referral_id=offer.pk, by=JOB, now=clock.now())


def test_the_link_ends_with_the_last_day_of_the_course(client: Client, offer: Referral) -> None:
    entry = b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    today = clock.london_day(clock.now())
    path = leave_links.url_of(entry.pk, last_day=today - DAY).removeprefix(settings.SITE_URL)
    before = rows()
    response = client.post(path)
    assert response.status_code == 410
    assert "This link has expired" in text(response)
    assert rows() == before
    entry.refresh_from_db()
    assert entry.status == "WAITING"
    last = leave_links.url_of(entry.pk, last_day=today).removeprefix(settings.SITE_URL)
    assert client.get(last).status_code == 200


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "9" + token, lambda token: "1-20990101"])
def test_a_tampered_leaving_link_is_not_found(client: Client, offer: Referral, change: Callable[[str], str]) -> None:
    entry = b.WaitingEntryFactory.create(now=clock.now(), referral=offer)
    path = leave_links.url_of(entry.pk, last_day=offer.complete_by).removeprefix(settings.SITE_URL)
    token = path.split("/")[-2]
    before = rows()
    assert client.post(path.replace(token, change(token))).status_code == 404
    assert rows() == before
    entry.refresh_from_db()
    assert entry.status == "WAITING"
