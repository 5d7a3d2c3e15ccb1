"""Scenario 11, paid with no place: other dates are held; one is chosen with the money paid, or it goes back."""

import datetime as dt

import pytest

from audit.context import Actor
from bookings import services
from bookings.constants import BookingStatus, LatePaymentStatus, PlaceOfferStatus, WaitingStatus
from bookings.errors import AlreadyBookedError, OfferEndedError, PlaceOfferOverError
from bookings.models import Booking, LatePayment, PlaceOffer
from common.clock import from_london
from courses import services as courses
from courses.constants import PlaceState
from courses.models import Session
from notifications.models import Message
from payments import services as payments
from payments.constants import RefundReason, RefundStatus
from payments.models import Attempt, Charge, Refund
from referrals import services as referrals
from referrals.constants import ReferralStatus
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF, candidate, claimed, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

BY = Actor("job", "apply_stripe_events")
LATER = NOW + dt.timedelta(minutes=40)
DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


def gone() -> Booking:
    """A booking whose hold ran out and whose place, the last one, is somebody else's."""
    session = c.OpenSessionFactory.create(capacity=1)
    booking = b.LapsedBookingFactory.create(session=session)
    c.TakenPlaceFactory.create(session=session)
    return booking


def date(days: int, **fields: object) -> Session:
    """An open digital session with one place so many days after 14 December, at 9am."""
    starts_at = from_london(dt.date(2026, 12, 14) + days * DAY, dt.time(9))
    return c.OpenSessionFactory.create(starts_at=starts_at, capacity=1, **fields)


def pay(booking: Booking, now: dt.datetime = LATER) -> Charge:
    """The payment arrives."""
    charge = p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    services.lock_for_charge(booking_reference=charge.booking_reference)
    services.confirm(charge=charge, by=BY, now=now)
    return charge


def sweep(now: dt.datetime = LATER) -> dict[str, int]:
    counts = services.offer_places(by=BY, now=now)
    return {name: count for name, count in counts.items() if count}


def open_offers() -> list[PlaceOffer]:
    return list(PlaceOffer.objects.open().with_session().order_by("place__session__starts_at"))


def refunds() -> list[tuple[int, str]]:
    return list(Refund.objects.order_by("pk").values_list("amount_pence", "cause"))


def kinds() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))


def offered(dates: int = 3) -> Booking:
    """A late payment for which so many dates are held."""
    booking = gone()
    for days in range(1, dates + 1):
        date(days)
    pay(booking)
    sweep()
    return booking


def test_s11_the_next_three_dates_are_held_for_a_day_and_nothing_is_refunded() -> None:
    booking = gone()
    sessions = [date(days) for days in (5, 2, 1, 3)]
    date(4, code="WDU")
    pay(booking)
    assert (PlaceOffer.objects.count(), kinds(), refunds()) == (0, [], [])
    assert sweep() == {"late_offered": 1}
    assert [offer.place.session_id for offer in open_offers()] == [sessions[2].pk, sessions[1].pk, sessions[3].pk]
    assert {(offer.until, offer.place.held_until) for offer in open_offers()} == {(LATER + DAY, LATER + DAY)}
    assert ([claimed(one) for one in sessions], refunds(), kinds()) == ([0, 1, 1, 1], [], ["late_dates"])
    words = Message.objects.get().context
    assert words["dates"][0] == "9am to 11:45am, Tuesday 15 December 2026, Online, by video call"
    assert (words["amount"], words["offer_until"]) == ("£92", "10:40am on Saturday 21 November 2026")
    before = rows()
    assert (sweep(), rows()) == ({}, before)


def test_s11_choosing_one_books_it_with_the_money_already_paid() -> None:
    booking = offered()
    first, second, third = open_offers()
    services.choose_late_date(offer_id=second.pk, by=candidate(booking.referral), now=LATER)
    before = rows()
    services.choose_late_date(offer_id=second.pk, by=candidate(booking.referral), now=LATER)
    assert rows() == before
    booking.refresh_from_db()
    booking.referral.refresh_from_db()
    assert (booking.status, booking.place_id, booking.place.state) == (
        BookingStatus.CONFIRMED,
        second.place_id,
        PlaceState.TAKEN,
    )
    assert booking.referral.status == ReferralStatus.BOOKED
    assert [claimed(offer.place.session) for offer in (first, second, third)] == [0, 1, 0]
    assert LatePayment.objects.get().status == LatePaymentStatus.PLACED
    assert (refunds(), Charge.objects.count(), kinds()) == ([], 1, ["late_dates", "confirmation"])
    # Neither the end of the time nor the news once more changes any of it.
    assert sweep(LATER + 2 * DAY) == {}
    services.confirm(charge=Charge.objects.get(), by=BY, now=LATER + 2 * DAY)
    assert (refunds(), Booking.objects.get().status) == ([], BookingStatus.CONFIRMED)


def test_s11_after_a_day_the_money_goes_back_by_itself_and_the_places_too() -> None:
    booking = offered()
    sessions = [offer.place.session for offer in open_offers()]
    assert sweep(LATER + DAY - dt.timedelta(seconds=1)) == {}
    assert sweep(LATER + DAY) == {"lapsed": 3, "late_refunded": 1}
    assert refunds() == [(9200, RefundReason.PAID_TOO_LATE)]
    assert ([claimed(session) for session in sessions], sweep(LATER + DAY)) == ([0, 0, 0], {})
    assert kinds() == ["late_dates", "paid_too_late"]
    booking.refresh_from_db()
    assert (booking.status, LatePayment.objects.get().status) == (BookingStatus.LAPSED, LatePaymentStatus.REFUNDED)
    with pytest.raises(PlaceOfferOverError):
        services.choose_late_date(
            offer_id=PlaceOffer.objects.earliest("pk").pk, by=candidate(booking.referral), now=LATER + DAY
        )


def test_s11_declining_refunds_at_once_and_only_once() -> None:
    booking = offered()
    assert services.decline_late_dates(booking_id=booking.pk, by=candidate(booking.referral), now=LATER)
    assert not services.decline_late_dates(booking_id=booking.pk, by=candidate(booking.referral), now=LATER)
    assert (refunds(), open_offers()) == ([(9200, RefundReason.PAID_TOO_LATE)], [])
    assert set(PlaceOffer.objects.values_list("status", flat=True)) == {PlaceOfferStatus.DECLINED}


def test_a_late_payment_that_cannot_be_settled_keeps_no_other_waiting() -> None:
    bad, good = gone(), gone()
    for booking in (bad, good):
        date(1 if booking == bad else 2)
        pay(booking)
    Attempt.objects.filter(charge__booking_reference=bad.reference).update(
        status="EXPIRED", paid_at=None, paid_pence=0
    )
    assert services.settle_late_payments(by=BY, now=LATER) == {"late_offered": 1, "late_refunded": 0}
    assert LatePayment.objects.get(booking=bad).status == LatePaymentStatus.SEEKING
    assert LatePayment.objects.get(booking=good).status == LatePaymentStatus.OFFERED


def test_s11_where_one_date_fits_that_one_is_offered() -> None:
    offered(dates=1)
    assert len(open_offers()) == 1


def test_s11_a_date_that_somebody_waits_for_is_theirs() -> None:
    booking = gone()
    wanted = date(1)
    pay(booking)
    waiting = b.WaitingEntryFactory.create()
    # By the time of the look it is somebody else's turn: no date is left, the money goes back.
    assert sweep() == {"late_refunded": 1, "offered": 1}
    assert [(offer.referral_id, offer.place.session_id) for offer in open_offers()] == [
        (waiting.referral_id, wanted.pk)
    ]
    assert refunds() == [(9200, RefundReason.PAID_TOO_LATE)]


def test_s11_dates_after_complete_by_or_of_another_mode_are_not_offered() -> None:
    booking = gone()
    Referral.objects.filter(pk=booking.referral_id).update(complete_by=dt.date(2026, 12, 15))
    date(2)
    c.ClassroomSessionFactory.create(starts_at=from_london(dt.date(2026, 12, 10), dt.time(9)))
    pay(booking)
    assert (LatePayment.objects.count(), refunds()) == (0, [(9200, RefundReason.PAID_TOO_LATE)])


def test_s11_paid_after_the_session_was_cancelled_is_offered_other_dates() -> None:
    booking = b.LapsedBookingFactory.create()
    courses.cancel_session(session_id=booking.place.session_id, reason="Trainer ill", by=STAFF, now=NOW)
    other = date(1)
    pay(booking)
    assert sweep() == {"late_offered": 1}
    assert open_offers()[0].place.session_id == other.pk


def test_s11_no_offer_lasts_past_what_is_useful() -> None:
    booking = gone()
    soon = c.OpenSessionFactory.create(starts_at=LATER + dt.timedelta(hours=5))
    pay(booking)
    sweep()
    (offer,) = open_offers()
    assert (offer.place.session_id, offer.until) == (soon.pk, LATER + dt.timedelta(hours=4))


@pytest.mark.parametrize("is_offered", [True, False])
def test_s11_withdrawn_during_the_offer_gives_back_money_and_places(is_offered: bool) -> None:
    booking = gone()
    other = date(1)
    pay(booking)
    if is_offered:
        sweep()
    referrals.withdraw(
        force_code="46",
        reference=booking.referral.reference,
        reason="COURT",
        effective_at=None,
        received_at=LATER,
        by=STAFF,
        now=LATER,
    )
    assert (refunds(), open_offers(), claimed(other)) == ([(9200, RefundReason.WITHDRAWN)], [], 0)
    assert Message.objects.get(kind="paid_too_late").context["is_withdrawn"] is True
    assert (sweep(), refunds()) == ({}, [(9200, RefundReason.WITHDRAWN)])


def test_s11_expired_during_the_offer_gives_back_money_and_places() -> None:
    booking = offered()
    Referral.objects.filter(pk=booking.referral_id).update(complete_by=dt.date(2026, 11, 19))
    assert referrals.expire_referrals(by=BY, now=LATER) == 1
    assert (refunds(), open_offers()) == ([(9200, RefundReason.PAID_TOO_LATE)], [])


def test_s11_staff_refund_during_the_offer_ends_it() -> None:
    booking = offered()
    charge = Charge.objects.get()
    payments.ask_refund(
        charge_id=charge.pk,
        amount_pence=9200,
        reason=RefundReason.GOODWILL,
        note="Asked for it",
        policy_pence=9200,
        by=STAFF,
        now=LATER,
    )
    before = rows()
    with pytest.raises(PlaceOfferOverError):
        services.choose_late_date(offer_id=open_offers()[0].pk, by=candidate(booking.referral), now=LATER)
    assert rows() == before
    assert sweep() == {"late_refunded": 1}
    assert (refunds(), open_offers()) == ([(9200, RefundReason.GOODWILL)], [])


@pytest.mark.parametrize("is_approved", [True, False])
def test_s11_a_refund_that_waits_for_a_second_person_is_waited_for(is_approved: bool) -> None:
    booking = offered()
    refund = payments.ask_refund(
        charge_id=Charge.objects.get().pk,
        amount_pence=9200,
        reason=RefundReason.GOODWILL,
        note="Asked for it",
        by=STAFF,
        now=LATER,
    )
    with pytest.raises(PlaceOfferOverError):
        services.choose_late_date(offer_id=open_offers()[0].pk, by=candidate(booking.referral), now=LATER)
    assert (sweep(), open_offers(), LatePayment.objects.get().status) == ({}, [], LatePaymentStatus.OFFERED)
    decide = payments.approve_refund if is_approved else payments.reject_refund
    decide(refund_id=refund.pk, note="Looked at", by=Actor("staff", "8"), now=LATER)
    assert sweep() == {"late_refunded": 1}
    going = Refund.objects.filter(status=RefundStatus.REQUESTED).values_list("amount_pence", "cause")
    assert list(going) == [(9200, RefundReason.GOODWILL if is_approved else RefundReason.PAID_TOO_LATE)]


def test_s11_who_books_and_pays_another_date_meanwhile_gets_the_first_money_back() -> None:
    booking = offered()
    other = b.ReadyBookingFactory.create(referral=booking.referral, session=c.OpenSessionFactory.create())
    with pytest.raises(AlreadyBookedError):
        services.choose_late_date(offer_id=open_offers()[0].pk, by=candidate(booking.referral), now=LATER)
    charge = pay(other)
    assert sweep()["late_refunded"] == 1
    other.refresh_from_db()
    assert (other.status, open_offers(), len(refunds())) == (BookingStatus.CONFIRMED, [], 1)
    assert not Refund.objects.filter(charge=charge).exists()


def test_s11_a_cancelled_date_leaves_the_others() -> None:
    offered()
    first = open_offers()[0]
    courses.cancel_session(session_id=first.place.session_id, reason="Trainer ill", by=STAFF, now=LATER)
    assert (len(open_offers()), sweep(), refunds()) == (2, {}, [])


def test_s11_choosing_ends_the_waiting() -> None:
    booking = offered()
    entry = b.WaitingEntryFactory.create(referral=booking.referral)
    services.choose_late_date(offer_id=open_offers()[0].pk, by=candidate(booking.referral), now=LATER)
    entry.refresh_from_db()
    assert entry.status == WaitingStatus.ENDED


def test_s11_choosing_after_the_offer_ended_is_refused() -> None:
    payment = b.OfferedLatePaymentFactory.create(
        booking=b.LapsedBookingFactory.create(referral=r.WithdrawnReferralFactory.create())
    )
    offer = payment.offers.get()
    before = rows()
    with pytest.raises(OfferEndedError):
        services.choose_late_date(offer_id=offer.pk, by=candidate(payment.booking.referral), now=NOW)
    assert rows() == before
