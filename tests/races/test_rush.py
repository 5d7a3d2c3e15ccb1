"""A rush for a session of twenty, while holds on it lapse and payments for it arrive; with its control.

`python -m benchmarks oversell` does the same a hundred times over HTTP, with the worker and Stripe's sandbox.
"""

import datetime as dt
from functools import partial

import pytest

from bookings import services
from bookings.constants import BookingStatus
from bookings.models import Booking
from courses.constants import PlaceState
from courses.models import Place, Session
from payments.models import Refund
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.races.test_bookings import JOB, NOW, at_once, counts_are_right, paid_charge, settle
from tests.races.test_places import drop_the_guard

CAPACITY, CANDIDATES = 20, 32
LAPSED, PAID_IN_TIME, PAID_LATE = 5, 4, 3
RUNS = 3
AGO = dt.timedelta(minutes=20)
pytestmark = pytest.mark.django_db(transaction=True)


def rush() -> Session:
    """All at once: the candidates, the payments, and two sweeps that let holds lapse."""
    session: Session = c.OpenSessionFactory.create(capacity=CAPACITY)
    b.BookingFactory.create_batch(LAPSED, session=session, now=NOW - AGO)
    in_time = b.ReadyBookingFactory.create_batch(PAID_IN_TIME, session=session, now=NOW)
    late = b.ReadyBookingFactory.create_batch(PAID_LATE, session=session, now=NOW - AGO)
    payments = [partial(settle, paid_charge(booking)) for booking in (*in_time, *late)]
    offers = r.LiveReferralFactory.create_batch(CANDIDATES)
    raised = at_once(
        *(partial(services.hold, referral_id=offer.pk, session_id=session.pk, by=JOB, now=NOW) for offer in offers),
        *payments,
        *(partial(services.release_holds, now=NOW, by=JOB) for _ in range(2)),
    )
    assert raised == []
    assert all(booking.status == BookingStatus.CONFIRMED for booking in Booking.objects.filter(pk__in=keys(in_time)))
    for booking in Booking.objects.filter(pk__in=keys(late)).select_related("place"):
        has_place = booking.status == BookingStatus.CONFIRMED and booking.place.state == PlaceState.TAKEN
        goes_back = Refund.objects.filter(charge__booking_reference=booking.reference).count()
        assert (has_place, goes_back) in ((True, 0), (False, 1))
    return session


def keys(bookings: list[Booking]) -> list[int]:
    return [booking.pk for booking in bookings]


def test_never_one_place_too_many_while_holds_lapse_and_payments_confirm() -> None:
    for _ in range(RUNS):
        session = rush()
        assert Place.objects.filter(session=session).claiming().count() == CAPACITY
        assert counts_are_right()


def test_control_without_the_guard_the_same_rush_oversells() -> None:
    drop_the_guard()
    assert Place.objects.filter(session=rush()).claiming().count() > CAPACITY
