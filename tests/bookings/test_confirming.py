"""A payment arrives: in time, late with a seat left, late without one, after the police withdrew, twice."""

import datetime as dt

import pytest

from audit.context import Actor
from bookings import services
from bookings.constants import BookingStatus, CancelCause
from bookings.models import Booking, LatePayment
from courses import services as courses
from courses.constants import PlaceState
from notifications.models import Message
from payments.constants import RefundReason
from payments.models import Charge, Refund
from referrals.constants import ReferralStatus
from tests.bookings.conftest import NOW, STAFF, candidate, claimed, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

BY = Actor("job", "apply_stripe_events")
LATER = NOW + dt.timedelta(minutes=40)
MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def paid(booking: Booking) -> Charge:
    return p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)


def confirm(charge: Charge, now: dt.datetime = NOW) -> Booking:
    services.lock_for_charge(booking_reference=charge.booking_reference)
    return services.confirm(charge=charge, by=BY, now=now)


def kinds() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))


def test_paid_in_time_takes_the_place_and_tells_once() -> None:
    booking = b.ReadyBookingFactory.create()
    charge = paid(booking)
    confirm(charge)
    before = rows()
    confirm(charge)
    booking.refresh_from_db()
    booking.referral.refresh_from_db()
    assert (booking.status, booking.confirmed_at, booking.place.state) == (
        BookingStatus.CONFIRMED,
        NOW,
        PlaceState.TAKEN,
    )
    assert booking.referral.status == ReferralStatus.BOOKED
    assert (kinds(), rows(), Refund.objects.count()) == (["confirmation"], before, 0)
    message = Message.objects.get()
    assert message.attachments[0]["name"] == "course.ics"
    assert message.context["joining_url"] == ""  # it goes out 48 hours before


def test_confirmation_within_two_days_has_the_joining_link() -> None:
    session = c.OpenSessionFactory.create(starts_at=NOW + dt.timedelta(hours=30))
    confirm(paid(b.ReadyBookingFactory.create(session=session)))
    assert Message.objects.get().context["joining_url"] == session.joining_url


def test_paid_after_the_time_but_before_the_sweep_still_has_its_place() -> None:
    booking = b.ReadyBookingFactory.create(now=NOW - dt.timedelta(minutes=30))
    confirm(paid(booking))
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


def test_s11_paid_after_it_lapsed_while_a_seat_is_free_gets_one() -> None:
    booking = b.LapsedBookingFactory.create()
    lapsed_place = booking.place_id
    confirm(paid(booking), LATER)
    booking.refresh_from_db()
    assert (booking.status, booking.place.state) == (BookingStatus.CONFIRMED, PlaceState.TAKEN)
    assert booking.place_id != lapsed_place
    assert (claimed(booking.place.session), kinds()) == (1, ["confirmation"])


def test_s11_paid_after_it_lapsed_and_the_place_went_with_no_other_date_is_refunded_at_once() -> None:
    session = c.OpenSessionFactory.create(capacity=1)
    booking = b.LapsedBookingFactory.create(session=session)
    c.TakenPlaceFactory.create(session=session)
    charge = paid(booking)
    confirm(charge, LATER)
    booking.refresh_from_db()
    refund = Refund.objects.get()
    assert (booking.status, claimed(session)) == (BookingStatus.LAPSED, 1)
    assert (refund.charge_id, refund.amount_pence, refund.cause) == (charge.pk, 9200, RefundReason.PAID_TOO_LATE)
    message = Message.objects.get()
    assert (message.kind, message.context["refund"], message.context["can_book_again"]) == (
        "paid_too_late",
        "£92",
        True,
    )


@pytest.mark.parametrize("is_released_first", [False, True])
@pytest.mark.parametrize("has_other_date", [False, True])
def test_s11_paid_when_the_course_has_begun_is_never_confirmed(is_released_first: bool, has_other_date: bool) -> None:
    booking = b.ReadyBookingFactory.create(session=c.OpenSessionFactory.create(starts_at=NOW + 61 * MINUTE))
    begun = NOW + 72 * MINUTE
    if has_other_date:
        c.OpenSessionFactory.create(starts_at=NOW + dt.timedelta(days=9))
    if is_released_first:
        services.release_holds(now=begun, by=BY)
    confirm(paid(booking), begun)
    services.release_holds(now=begun, by=BY)
    booking.refresh_from_db()
    assert (booking.status, booking.confirmed_at) == (BookingStatus.LAPSED, None)
    assert (booking.place.state, claimed(booking.place.session)) == (PlaceState.RELEASED, 0)
    back = [] if has_other_date else [(9200, RefundReason.PAID_TOO_LATE)]
    assert list(Refund.objects.values_list("amount_pence", "cause")) == back
    assert LatePayment.objects.filter(booking=booking).exists() == has_other_date


def test_paid_for_a_date_left_for_another_is_refunded() -> None:
    left = b.ReadyBookingFactory.create()
    other = c.OpenSessionFactory.create(starts_at=left.place.session.starts_at + dt.timedelta(days=1))
    now_held = services.hold(referral_id=left.referral_id, session_id=other.pk, by=candidate(left.referral), now=NOW)
    confirm(paid(left), LATER)
    now_held.refresh_from_db()
    assert (now_held.status, Refund.objects.get().cause) == (BookingStatus.HELD, RefundReason.PAID_TOO_LATE)


def test_paid_after_it_lapsed_while_another_date_is_held_is_refunded() -> None:
    lapsed = b.LapsedBookingFactory.create()
    services.hold(
        referral_id=lapsed.referral_id,
        session_id=c.OpenSessionFactory.create().pk,
        by=candidate(lapsed.referral),
        now=NOW,
    )
    confirm(paid(lapsed), LATER)
    assert Refund.objects.get().amount_pence == 9200
    assert Booking.objects.live().count() == 1


def test_paid_after_the_session_was_cancelled_is_refunded() -> None:
    booking = b.LapsedBookingFactory.create()
    courses.cancel_session(session_id=booking.place.session_id, reason="Trainer ill", by=STAFF, now=NOW)
    confirm(paid(booking), LATER)
    assert Refund.objects.get().cause == RefundReason.PAID_TOO_LATE


def test_s13_paid_after_the_police_withdrew_is_refunded() -> None:
    booking = b.LapsedBookingFactory.create(
        referral=r.WithdrawnReferralFactory.create(),
        status=BookingStatus.CANCELLED,
        cancel_cause=CancelCause.POLICE,
    )
    confirm(paid(booking), LATER)
    refund = Refund.objects.get()
    assert (refund.cause, refund.amount_pence) == (RefundReason.WITHDRAWN, 9200)
    assert Message.objects.get().context["can_book_again"] is False
