"""Moves at the same moment as something else, on real threads; with their control."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from bookings import services
from bookings.constants import BookingStatus, MoveRule, MoveStatus
from bookings.models import Booking, Move
from courses import services as courses
from courses.constants import PlaceState
from courses.models import Place, Session
from payments.constants import ChargeStatus
from payments.models import Charge, Refund
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.races.test_bookings import JOB, NOW, ROUNDS, at_once, counts_are_right, settle, withdraw

DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db(transaction=True)


def two_dates(capacity: int = 1) -> list[Session]:
    return [c.OpenSessionFactory.create(starts_at=NOW + days * DAY, capacity=capacity) for days in (30, 31)]


def hold_and_confirm(booking: Booking, session: Session) -> None:
    move = services.hold_move(booking_id=booking.pk, session_id=session.pk, by=JOB, now=NOW)
    services.confirm_move(move_id=move.pk, by=JOB, now=NOW)


def paid(move: Move) -> Charge:
    """The charge of a move, paid at Stripe, of which we have not heard yet."""
    charge = Charge.objects.get(pk=move.charge_id)
    charge.status, charge.paid_pence = ChargeStatus.PAID, charge.amount_pence
    charge.save()
    p.PaidAttemptFactory.create(charge=charge)
    return charge


def has_one_place(booking: Booking) -> bool:
    """Whether all they hold is the place they are booked on."""
    booking = Booking.objects.select_related("place").get(pk=booking.pk)
    held = Place.objects.claiming().filter(holder=booking.referral.key).values_list("pk", flat=True)
    return (list(held), booking.status, booking.place.state) == (
        [booking.place_id],
        BookingStatus.CONFIRMED,
        PlaceState.TAKEN,
    )


# --- Tabs ---------------------------------------------------------------------------------------------------------
def test_s04_two_tabs_moving_to_the_last_place_of_two_sessions_end_on_one() -> None:
    for _ in range(ROUNDS):
        booking, sessions = b.ConfirmedBookingFactory.create(), two_dates()
        assert at_once(*(partial(hold_and_confirm, booking, session) for session in (*sessions, *sessions))) == []
        services.release_holds(now=NOW + DAY, by=JOB)
        assert has_one_place(booking)
        assert Move.objects.filter(booking=booking, status=MoveStatus.HELD).count() == 0
    assert counts_are_right()


def test_control_without_locks_and_index_the_tabs_hold_two_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX bookings_one_held_move")
    gate = threading.Barrier(2)

    def no_lock(booking_id: int, **_: Any) -> Booking:
        return Booking.objects.with_session().get(pk=booking_id)

    def meet(booking_id: int, looked: Any = services.held_move) -> Move | None:
        found: Move | None = looked(booking_id)
        if found is None and not gate.broken:
            gate.wait(timeout=20)
        return found

    monkeypatch.setattr("bookings.services.moving.lock_booking", no_lock)
    monkeypatch.setattr("bookings.services.moving.held_move", meet)
    booking, sessions = b.ConfirmedBookingFactory.create(), two_dates()
    acts = [
        partial(services.hold_move, booking_id=booking.pk, session_id=session.pk, by=JOB, now=NOW)
        for session in sessions
    ]
    assert at_once(*acts) == []
    assert Move.objects.filter(booking=booking, status=MoveStatus.HELD).count() == 2


def test_s04_two_people_swap_dates_with_each_others_places_and_nothing_deadlocks() -> None:
    """Each wants the session the other is on; locks are taken by number, not by old and new."""
    for _ in range(ROUNDS):
        first, second = two_dates(capacity=2)
        one, other = (b.ConfirmedBookingFactory.create(session=session) for session in (first, second))
        assert at_once(partial(hold_and_confirm, one, second), partial(hold_and_confirm, other, first)) == []
        for booking, session in ((one, second), (other, first)):
            assert has_one_place(booking)
            booking.refresh_from_db()
            assert booking.place.session_id == session.pk
    assert counts_are_right()


# --- Paid while something else happens ----------------------------------------------------------------------------
def nobody_has_paid_for_nothing(move: Move, *, move_pence: int = 2500) -> bool:
    """Either they are moved or the fee for it goes back; never both, never neither."""
    move.refresh_from_db()
    goes_back = sum(Refund.objects.filter(charge=move.charge_id).values_list("amount_pence", flat=True))
    is_moved = move.status == MoveStatus.DONE
    return (is_moved, goes_back) in ((True, 0), (False, move_pence))


@pytest.mark.parametrize("seats", [1, 9])
def test_s04_paid_at_the_moment_the_hold_of_the_new_place_lapses(seats: int) -> None:
    for _ in range(ROUNDS):
        session = c.OpenSessionFactory.create(starts_at=NOW + 30 * DAY, capacity=seats)
        move = b.PaidMoveFactory.create(session=session, now=NOW - dt.timedelta(minutes=20))
        charge = paid(move)
        rival = b.ConfirmedBookingFactory.create()
        raised = at_once(
            partial(settle, charge),
            partial(services.lapse_move, move_id=move.pk, by=JOB, now=NOW),
            partial(services.hold_move, booking_id=rival.pk, session_id=session.pk, by=JOB, now=NOW),
        )
        assert raised == []
        assert nobody_has_paid_for_nothing(move)
        assert has_one_place(move.booking)
        session.refresh_from_db()
        assert session.places_claimed <= seats
    assert counts_are_right()


def cancel(move: Move) -> None:
    services.cancel(booking_id=move.booking_id, by=JOB, now=NOW)


def withdraw_offer(move: Move) -> None:
    withdraw(move.booking.referral)


def call_off_old(move: Move) -> None:
    courses.cancel_session(session_id=move.from_place.session_id, reason="Trainer ill", by=JOB, now=NOW)


def call_off_new(move: Move) -> None:
    courses.cancel_session(session_id=move.place.session_id, reason="Trainer ill", by=JOB, now=NOW)


@pytest.mark.parametrize("end", [cancel, withdraw_offer, call_off_old, call_off_new])
def test_s04_s13_paid_at_the_moment_it_ends_for_another_reason(end: Any) -> None:
    for _ in range(ROUNDS):
        move = b.PaidMoveFactory.create()
        charge = paid(move)
        assert at_once(partial(settle, charge), partial(end, move)) == []
        services.release_holds(now=NOW, by=JOB)
        booking = Booking.objects.select_related("place").get(pk=move.booking_id)
        claimed = Place.objects.claiming().filter(holder=booking.referral.key).count()
        assert claimed == (1 if booking.status == BookingStatus.CONFIRMED else 0)
        move.refresh_from_db()
        goes_back = sum(Refund.objects.filter(charge=charge).values_list("amount_pence", flat=True))
        # Moved and then ended: what comes back follows the cancelling. Not moved: the fee comes back.
        assert move.status == MoveStatus.DONE or goes_back == 2500
    assert counts_are_right()


def test_s04_staff_the_candidate_and_the_waiting_list_move_one_booking_at_once() -> None:
    for _ in range(ROUNDS):
        booking, sessions = b.ConfirmedBookingFactory.create(), two_dates(capacity=3)
        offered = b.place_for(booking.referral, c.OpenSessionFactory.create(starts_at=NOW + 32 * DAY))

        def accept(booking: Booking = booking, place_id: int = offered.pk) -> None:
            with transaction.atomic(durable=True):
                locked = services.lock_booking(booking.pk)
                services.move_to_place(booking=locked, place_id=place_id, by=JOB, now=NOW)

        staff = partial(
            services.move_by_staff,
            booking_id=booking.pk,
            session_id=sessions[0].pk,
            reason="They rang",
            rule=MoveRule.OURS,
            by=JOB,
            now=NOW,
        )
        assert at_once(staff, accept, partial(hold_and_confirm, booking, sessions[1])) == []
        services.release_holds(now=NOW + DAY, by=JOB)
        booking.refresh_from_db()
        assert (booking.status, booking.place.state) == (BookingStatus.CONFIRMED, PlaceState.TAKEN)
        claimed = set(Place.objects.claiming().filter(holder=booking.referral.key).values_list("pk", flat=True))
        assert claimed - {offered.pk} <= {booking.place_id}
    assert counts_are_right()
