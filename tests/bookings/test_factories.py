"""Every factory makes a row that the database takes."""

import pytest

from bookings.constants import BookingStatus, MoveStatus
from courses.constants import PlaceState
from tests.factories import bookings as b
from tests.factories import courses as c


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("made_by", "status", "place"),
    [
        (b.BookingFactory, BookingStatus.HELD, PlaceState.HELD),
        (b.ReadyBookingFactory, BookingStatus.HELD, PlaceState.HELD),
        (b.ConfirmedBookingFactory, BookingStatus.CONFIRMED, PlaceState.TAKEN),
        (b.LapsedBookingFactory, BookingStatus.LAPSED, PlaceState.RELEASED),
        (b.CancelledBookingFactory, BookingStatus.CANCELLED, PlaceState.RELEASED),
        (b.CompletedBookingFactory, BookingStatus.COMPLETED, PlaceState.TAKEN),
        (b.NotCompletedBookingFactory, BookingStatus.NOT_COMPLETED, PlaceState.TAKEN),
    ],
)
def test_a_booking_of_each_state_can_be_made(
    made_by: type[b.BookingFactory], status: BookingStatus, place: PlaceState
) -> None:
    booking = made_by.create()
    booking.refresh_from_db()
    assert (booking.status, booking.place.state) == (status, place)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("made_by", "status", "place"),
    [
        (b.MoveFactory, MoveStatus.HELD, PlaceState.HELD),
        (b.PaidMoveFactory, MoveStatus.HELD, PlaceState.HELD),
        (b.LapsedMoveFactory, MoveStatus.LAPSED, PlaceState.RELEASED),
    ],
)
def test_a_move_of_each_state_can_be_made(made_by: type[b.MoveFactory], status: MoveStatus, place: PlaceState) -> None:
    move = made_by.create()
    move.refresh_from_db()
    assert (move.status, move.place.state, move.booking.status) == (status, place, BookingStatus.CONFIRMED)


@pytest.mark.django_db
def test_sessions_of_every_mode_can_be_made() -> None:
    assert c.OpenSessionFactory.create().capacity == 9
    assert c.ClassroomSessionFactory.create().capacity == 12
    assert c.OnRoadSessionFactory.create().course_type.code == "SCD"
    assert c.SessionTrainerFactory.create().starts_at == c.SessionFactory.build().starts_at
    b.NeedFactory.create()
    b.ArrangedNeedFactory.create()


@pytest.mark.django_db
def test_places_offered_can_be_made_in_each_state() -> None:
    assert b.WaitingEntryFactory.create().status == "WAITING"
    assert b.EndedWaitingEntryFactory.create().ended_cause == "LEFT"
    assert b.PlaceOfferFactory.create().place.state == PlaceState.HELD
    assert b.LatePaymentFactory.create().status == "SEEKING"
    assert b.OfferedLatePaymentFactory.create().offers.get().status == "OPEN"
