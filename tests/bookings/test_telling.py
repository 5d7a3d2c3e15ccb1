"""Who is told what where it matters: nobody reachable, a payment that failed, and no letter twice over."""

import datetime as dt
from typing import Any

import pytest

from bookings import messages, receivers, services
from bookings.models import Booking
from courses import services as courses
from courses.models import Place
from notifications import selectors as notifications
from notifications.models import Message
from payments.models import Attempt
from tests.bookings.conftest import NOW, STAFF
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

pytestmark = pytest.mark.django_db


def nowhere(**given: Any) -> Booking:
    """Booked by somebody who gave neither an address nor a number."""
    referral = r.BookedReferralFactory.create(email="", mobile="")
    return b.ConfirmedBookingFactory.create(referral=referral, email="", mobile="", **given)


def test_who_cannot_be_reached_is_on_staffs_list() -> None:
    booking = nowhere()
    messages.confirmation(booking, now=NOW)
    message = notifications.untold().get()
    assert (message.kind, message.referral_key) == ("confirmation", booking.referral.key)
    assert message.error == "no email address, and no number we can text: tell them by post or telephone"


def test_a_place_held_for_somebody_who_cannot_be_reached_is_staffs_to_tell() -> None:
    referral = r.LiveReferralFactory.create(email="", mobile="")
    b.WaitingEntryFactory.create(referral=referral)
    session = c.OpenSessionFactory.create(capacity=1)
    assert services.offer_places(by=STAFF, now=NOW)["offered"] == 1
    message = notifications.untold().get()
    assert (message.kind, message.referral_key) == ("waiting_offer", referral.key)
    assert Place.objects.get(session=session).holder == referral.key


def test_dates_held_for_a_late_payment_of_somebody_who_cannot_be_reached_are_staffs_to_tell() -> None:
    booking = b.LapsedBookingFactory.create(referral=r.LiveReferralFactory.create(email="", mobile=""))
    Booking.objects.filter(pk=booking.pk).update(email="", mobile="")
    booking.refresh_from_db()
    offer = b.PlaceOfferFactory.create(entry=None, payment=b.LatePaymentFactory.create(booking=booking))
    messages.late_dates(booking, [offer], amount_pence=9200, now=NOW)
    assert notifications.untold().get().kind == "late_dates"


def test_a_reminder_without_news_is_nobodys_task() -> None:
    messages.reminder(nowhere(), "reminder_7d", now=NOW, useless_at=NOW + dt.timedelta(days=1))
    assert Message.objects.count() == 0


def test_a_changed_course_is_told_to_everybody_on_it() -> None:
    reached, unreached = b.ConfirmedBookingFactory.create(), nowhere()
    for booking in (reached, unreached):
        session = booking.place.session
        courses.change_session(
            session_id=session.pk,
            starts_at=session.starts_at + dt.timedelta(hours=1),
            reason="Room",
            by=STAFF,
            now=NOW,
        )
    told = dict(Message.objects.filter(kind="session_changed").values_list("referral_key", "status"))
    assert told == {reached.referral.key: "QUEUED", unreached.referral.key: "DEAD"}


def failed(booking: Booking) -> Attempt:
    charge = p.ChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    attempt: Attempt = p.AttemptFactory.create(charge=charge)
    receivers.on_payment_failed(charge=charge, attempt=attempt, now=NOW)
    return attempt


def test_a_payment_that_failed_is_told_while_the_place_is_held() -> None:
    booking = b.ReadyBookingFactory.create()
    failed(booking)
    message = Message.objects.get()
    assert (message.kind, message.useless_at) == ("payment_failed", booking.place.held_until)


@pytest.mark.parametrize("factory", [b.LapsedBookingFactory, b.ConfirmedBookingFactory])
def test_a_payment_that_failed_is_no_news_where_nothing_is_held(factory: Any) -> None:
    failed(factory.create())
    assert Message.objects.count() == 0


def test_a_refund_that_a_letter_announced_is_not_told_again() -> None:
    told, untold = b.LapsedBookingFactory.create(), b.CancelledBookingFactory.create()
    messages.paid_too_late(told, refund_pence=9200, can_book_again=True, now=NOW)
    for booking in (told, untold):
        charge = p.PaidChargeFactory.create(booking_reference=booking.reference)
        refund = p.RefundFactory.create(charge=charge)
        receivers.on_charge_refunded(charge=charge, refund=refund, now=NOW)
    sent = Message.objects.order_by("pk").values_list("kind", "referral_key")
    assert list(sent) == [("paid_too_late", told.referral.key), ("payment_refunded", untold.referral.key)]
