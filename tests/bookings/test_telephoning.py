"""Booked by telephone: the same services, a link to pay by, and what the link says before, after and too late."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.context import Actor
from audit.models import AuditEvent
from bookings import pay_links, services
from bookings.constants import BookingStatus, LatePaymentStatus
from bookings.errors import HoldEndedError, IncompleteError, NoContactError, NoEmailError
from bookings.models import Booking, Consent, Need, PayLink
from bookings.rules import minutes_words, pay_link_until
from common import clock
from common.clock import moment_words
from courses.models import Session
from notifications.models import Message
from payments.models import Charge
from referrals import services as referrals
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF, rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r
from tests.support.notify import API_KEY

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
JOB = Actor("job", "release_holds")
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def take(booking: Booking, *, email: str = "jo@example.org", mobile: str = "", now: dt.datetime = NOW) -> PayLink:
    texts = [text.pk for text in services.texts_needed(booking, now=now)]
    return services.take_by_telephone(
        booking_id=booking.pk, email=email, mobile=mobile, text_ids=texts, by=STAFF, now=now
    )


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- The services ---------------------------------------------------------------------------------------------------
def test_the_link_goes_out_and_the_place_waits_for_it() -> None:
    booking = b.BookingFactory.create()
    link = take(booking)
    booking.refresh_from_db()
    message = Message.objects.get()
    assert (link.expires_at, booking.place.held_until) == (NOW + DAY, NOW + DAY)
    assert (message.kind, message.to, message.useless_at) == ("pay_link", "jo@example.org", NOW + DAY)
    assert message.context["pay_url"] == pay_links.url_of(booking.pk)
    assert Consent.objects.filter(booking=booking).count() == 6


def test_all_of_it_is_recorded_as_done_by_staff_for_the_candidate() -> None:
    booking = b.BookingFactory.create()
    take(booking)
    told = AuditEvent.objects.order_by("pk").values_list("action", "actor", "on_behalf_of")
    who = ("staff:7", booking.referral.key)
    assert list(told) == [("booking.consented", *who), ("pay_link.sent", *who)]


def test_sent_again_it_is_good_for_no_longer() -> None:
    booking = b.BookingFactory.create()
    take(booking)
    again = services.send_pay_link(booking_id=booking.pk, by=STAFF, now=NOW + HOUR)
    assert (again.times_sent, again.expires_at, again.sent_at) == (2, NOW + DAY, NOW + HOUR)
    assert Message.objects.filter(kind="pay_link").count() == 2


def test_the_place_waits_no_longer_than_booking_is_open() -> None:
    starts_at = NOW + 5 * HOUR
    booking = b.BookingFactory.create(session=c.OpenSessionFactory.create(starts_at=starts_at))
    assert take(booking).expires_at == starts_at - HOUR
    assert pay_link_until(now=NOW, hours=24, starts_at=NOW + 9 * DAY, closes_minutes=60) == NOW + DAY


def test_unpaid_it_lapses_and_the_place_is_free_again() -> None:
    booking = b.BookingFactory.create()
    take(booking)
    assert services.release_holds(now=NOW + DAY - HOUR, by=JOB)["released"] == 0
    assert services.release_holds(now=NOW + DAY, by=JOB)["released"] == 1
    booking.refresh_from_db()
    assert booking.status == BookingStatus.LAPSED


@pytest.mark.parametrize(
    ("email", "after", "error"), [("", 0, NoContactError), ("jo@example.org", 16, HoldEndedError)]
)
def test_refused_it_changes_nothing(email: str, after: int, error: type[Exception]) -> None:
    booking = b.BookingFactory.create()
    before = rows()
    with pytest.raises(error):
        take(booking, email=email, now=NOW + dt.timedelta(minutes=after))
    assert (rows(), PayLink.objects.count(), Consent.objects.count()) == (before, 0, 0)


def test_a_mobile_number_alone_is_refused_while_no_texts_go_out() -> None:
    booking = b.BookingFactory.create()
    before = rows()
    with pytest.raises(NoEmailError):
        take(booking, email="", mobile="07700900123")
    booking.refresh_from_db()
    assert (rows(), PayLink.objects.count(), Consent.objects.count()) == (before, 0, 0)
    assert (booking.mobile, booking.place.held_until) == ("", NOW + dt.timedelta(minutes=15))


def test_no_link_is_sent_again_to_a_number_that_cannot_be_texted() -> None:
    booking = b.BookingFactory.create()
    take(booking)
    services.give_details(booking_id=booking.pk, email="", mobile="07700900123", by=STAFF, now=NOW)
    before = rows()
    with pytest.raises(NoEmailError):
        services.send_pay_link(booking_id=booking.pk, by=STAFF, now=NOW + HOUR)
    assert (rows(), PayLink.objects.get().times_sent) == (before, 1)


def test_a_mobile_number_alone_gets_the_link_as_a_text(settings: Any) -> None:
    settings.NOTIFY_API_KEY, settings.NOTIFY_SMS_TEMPLATE_ID = API_KEY, "sms-template"
    take(b.BookingFactory.create(), email="", mobile="07700900123")
    message = Message.objects.get()
    assert (message.kind, message.channel, message.to, message.status) == ("pay_link", "SMS", "07700900123", "QUEUED")


def test_no_link_before_every_answer_is_given() -> None:
    booking = b.BookingFactory.create()
    before = rows()
    with pytest.raises(IncompleteError):
        services.send_pay_link(booking_id=booking.pk, by=STAFF, now=NOW)
    assert (rows(), PayLink.objects.count()) == (before, 0)


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.5, "less than a minute"), (1, "1 minute"), (119, "119 minutes"), (1439, "23 hours")]
)
def test_the_time_left_in_words(minutes: float, words: str) -> None:
    assert minutes_words(NOW + dt.timedelta(minutes=minutes), NOW) == words


# --- The link -------------------------------------------------------------------------------------------------------
@pytest.fixture
def booking() -> Booking:
    now = clock.now()
    day = clock.london_day(now) + 20 * DAY
    session = c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)))
    made: Booking = b.BookingFactory.create(now=now, session=session)
    take(made, now=now)
    made.refresh_from_db()
    return made


@pytest.fixture
def url(booking: Booking) -> str:
    return path_of(booking)


def path_of(booking: Booking) -> str:
    return "/" + pay_links.url_of(booking.pk).split("/", 3)[3]


def test_the_page_says_what_is_paid_for_and_nothing_of_the_person(client: Client, booking: Booking, url: str) -> None:
    page = text(client.get(url))
    for words in ("Pay for your course", "9am to 11:45am", "£92", "Continue to payment"):
        assert words in page
    for secret in (booking.referral.surname, booking.referral.reference, "jo@example.org", booking.reference):
        assert secret not in page


@pytest.mark.parametrize("tampered", ["1", "1.x", "99999999999999999999.abc", "%20"])
def test_a_tampered_link_is_not_found(client: Client, booking: Booking, tampered: str) -> None:
    before = rows()
    for address in (f"/pay/{tampered}/", f"/pay/{tampered}/return/"):
        assert client.get(address).status_code == 404
    assert client.post(f"/pay/{tampered}/").status_code == 404
    assert rows() == before


def test_a_booking_that_got_no_link_has_none(client: Client) -> None:
    assert client.get(path_of(b.ReadyBookingFactory.create(now=clock.now()))).status_code == 404


def test_an_expired_link_says_so(client: Client, booking: Booking, url: str) -> None:
    services.lapse(booking_id=booking.pk, by=JOB, now=clock.now() + DAY)
    before = rows()
    for response in (client.get(url), client.post(url)):
        assert response.status_code == 410
        assert "This link has expired" in text(response)
        assert "You have not been charged." in text(response)
    assert (rows(), Charge.objects.count()) == (before, 0)


def test_a_withdrawn_offers_link_says_the_place_has_gone(client: Client, booking: Booking, url: str) -> None:
    referrals.withdraw(
        force_code="46",
        reference=booking.referral.reference,
        reason="OTHER",
        effective_at=None,
        received_at=clock.now(),
        by=STAFF,
        now=clock.now(),
    )
    for response in (client.get(url), client.post(url)):
        assert response.status_code == 410
        assert "This place is no longer yours" in text(response)
    assert Charge.objects.count() == 0


def test_a_paid_link_says_the_course_is_booked(client: Client, url: str, booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(status="CONFIRMED", confirmed_at=clock.now())
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    page = client.get(url)
    assert page.status_code == 200
    assert "Your course is booked" in text(page)
    assert booking.reference in text(page)


def test_paid_too_late_the_page_says_the_money_comes_back(client: Client, url: str, booking: Booking) -> None:
    services.lapse(booking_id=booking.pk, by=JOB, now=clock.now() + DAY)
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    page = client.get(f"{url}return/")
    assert page.status_code == 410
    assert "Your payment came too late" in text(page)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (LatePaymentStatus.SEEKING, "We are looking for other dates for you."),
        (LatePaymentStatus.OFFERED, "We hold other dates for you until {until}."),
        (LatePaymentStatus.REFUNDED, "We send all of it back to your card. It reaches you in 5 to 10 days."),
    ],
)
def test_s11_paid_too_late_the_page_says_what_the_letter_says(
    client: Client, url: str, booking: Booking, status: LatePaymentStatus, said: str
) -> None:
    now = clock.now()
    services.lapse(booking_id=booking.pk, by=JOB, now=now + DAY)
    booking.refresh_from_db()
    payment = b.LatePaymentFactory.create(now=now, booking=booking, status=status)
    if status == LatePaymentStatus.OFFERED:
        later = c.OpenSessionFactory.create(starts_at=booking.place.session.starts_at + DAY)
        said = said.format(until=moment_words(now + DAY))
        b.PlaceOfferFactory.create(now=now, entry=None, payment=payment, session=later)
    before = rows()
    for response in (client.get(url), client.get(f"{url}return/")):
        assert response.status_code == 410
        page = text(response)
        assert said in page
        assert ("all of it back to your card" in page) == (status == LatePaymentStatus.REFUNDED)
        assert ("Sign in with your letter" in page) == (status == LatePaymentStatus.OFFERED)
        assert "not been charged" not in page
    assert rows() == before


def test_a_link_whose_payment_may_be_on_its_way_does_not_say_that_nothing_was_charged(
    client: Client, url: str, booking: Booking, settings: Any
) -> None:
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = "http://127.0.0.1:1", "sk_test_sandbox"  # nobody there
    charge = p.ChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    p.OpenAttemptFactory.create(charge=charge, now=clock.now())
    before = rows()
    for response in (client.get(f"{url}?unpaid"), client.post(url)):
        assert "We cannot see now whether you have paid." in text(response)
        assert "Continue to payment" not in text(response)
        assert "not been charged" not in text(response)
    assert rows() == before
    services.lapse(booking_id=booking.pk, by=JOB, now=clock.now() + DAY)
    ended = client.get(url)
    assert ended.status_code == 410
    assert "This link has expired" in text(ended)
    assert "not been charged" not in text(ended)


def test_book_by_passed_meanwhile_is_told_on_the_page(client: Client, url: str, booking: Booking) -> None:
    yesterday = clock.london_day(clock.now()) - DAY
    Referral.objects.filter(pk=booking.referral_id).update(offer_on=yesterday - 30 * DAY, book_by=yesterday)
    response = client.post(url)
    assert response.status_code == 409
    assert "The last day to book a course with this offer has passed." in text(response)
    assert Charge.objects.count() == 0


def test_who_booked_by_telephone_may_sign_in_and_pay_there(client: Client, booking: Booking) -> None:
    sign_in(client, booking.referral, clock.now())
    assert "We are holding your place for <strong>23 hours</strong>" in text(client.get("/booking/check/"))


# --- Staff ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("clerk", password="x", role=Role.CLERK, is_staff=True, is_superuser=True)
    client.force_login(user)
    return client


@pytest.fixture
def offer() -> Referral:
    return r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")


@pytest.fixture
def session() -> Session:
    day = clock.london_day(clock.now()) + 20 * DAY
    return c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)))


def test_staff_book_from_the_referral_to_the_link(staff: Client, offer: Referral, session: Session) -> None:
    change = text(staff.get(reverse("admin:referrals_referral_change", args=[offer.pk])))
    url = reverse("admin:bookings_telephone", args=[offer.pk])
    assert url in change
    page = text(staff.get(url))
    assert offer.surname in page
    assert clock.moment_words(session.starts_at) in page
    staff.post(url, {"tell": "1", "needs": ["INTERPRETER"], "detail": "Polish"})
    assert Need.objects.get().detail == "Polish"
    held = staff.post(url, {"session": session.pk})
    booking = Booking.objects.get()
    assert held["Location"] == reverse("admin:bookings_read_out", args=[booking.pk])
    read_out = text(staff.get(held["Location"]))
    assert "Never take a card number" in read_out
    assert "Read out and agreed: Terms and conditions (version 1)" in read_out
    some = {"email": "jo@example.org", "mobile": ""}
    assert "They must agree to this" in text(staff.post(held["Location"], some))
    assert PayLink.objects.count() == 0
    boxes = {f"text_{one.pk}": "on" for one in services.texts_needed(booking, now=clock.now())}
    unreached = text(staff.post(held["Location"], {"email": "", "mobile": "07700 900123"} | boxes))
    assert "Ask for an email address." in unreached
    assert "The link is on its way" not in unreached
    assert PayLink.objects.count() == 0
    done = staff.post(held["Location"], some | boxes)
    assert done["Location"] == reverse("admin:bookings_booking_change", args=[booking.pk])
    shown = text(staff.get(done["Location"]))
    assert "Not paid yet; the place is held until" in shown
    staff.post(reverse("admin:bookings_pay_link", args=[booking.pk]), {})
    assert PayLink.objects.get().times_sent == 2
    actions = dict(AuditEvent.objects.filter(referral_key=offer.key).values_list("action", "on_behalf_of"))
    for action in ("needs.told", "booking.held", "booking.consented", "pay_link.sent"):
        assert actions[action] == offer.key


def test_a_place_just_taken_is_told_and_nothing_is_held(staff: Client, offer: Referral) -> None:
    session = c.OpenSessionFactory.create(starts_at=clock.now() + 20 * DAY, capacity=1)
    c.TakenPlaceFactory.create(session=session)
    before = rows()
    page = staff.post(reverse("admin:bookings_telephone", args=[offer.pk]), {"session": session.pk})
    assert "has just been taken" in text(page)
    assert rows() == before


def test_a_hold_that_ended_leads_back_to_the_dates(staff: Client) -> None:
    old = b.BookingFactory.create(now=clock.now() - HOUR)
    response = staff.get(reverse("admin:bookings_read_out", args=[old.pk]))
    assert response["Location"] == reverse("admin:bookings_telephone", args=[old.referral_id])


def test_who_may_not_change_bookings_cannot(client: Client, offer: Referral, session: Session) -> None:
    client.force_login(User.objects.create_user("finance", password="x", role=Role.FINANCE, is_staff=True))
    held = b.BookingFactory.create(now=clock.now())
    before = rows()
    for name, pk in (("telephone", offer.pk), ("read_out", held.pk), ("pay_link", held.pk)):
        assert client.post(reverse(f"admin:bookings_{name}", args=[pk]), {"session": session.pk}).status_code == 403
    assert rows() == before


@pytest.mark.parametrize("count", [1, 30])
def test_the_dates_cost_the_same_few_queries(
    staff: Client, offer: Referral, count: int, django_assert_num_queries: Any
) -> None:
    first = clock.london_day(clock.now()) + 20 * DAY
    for n in range(count):
        c.ClassroomSessionFactory.create(starts_at=clock.from_london(first + n * DAY, dt.time(9)))
    url = reverse("admin:bookings_telephone", args=[offer.pk])
    staff.get(url)
    with django_assert_num_queries(6):
        staff.get(url)
