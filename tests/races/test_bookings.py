"""Things that happen to one booking at the same moment, on real threads; each with its control."""

import datetime as dt
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction

from audit.context import Actor
from bookings import services
from bookings.constants import BookingStatus
from bookings.models import Booking
from bookings.services import confirming
from common.errors import PortalError
from courses.constants import PlaceState
from courses.models import Place, Session
from payments import signals
from payments.constants import ChargeStatus
from payments.models import Charge, Refund
from referrals import services as referrals
from referrals.constants import ReferralStatus
from referrals.models import Referral
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

NOW = r.NOW
JOB = Actor("job", "test")
ROUNDS = 8
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Exception]:
    """Run all acts on threads of their own, started together; what they raised but for expected refusals."""
    start = threading.Barrier(len(acts))
    raised: list[Exception] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=20)
            act()
        except PortalError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


def counts_are_right() -> bool:
    return all(session.places_claimed == session.places.claiming().count() for session in Session.objects.all())


# --- One candidate, several tabs -----------------------------------------------------------------------------------
def choose_in_tabs(referral: Referral, sessions: list[Session]) -> list[Exception]:
    def tab(session: Session) -> Callable[[], Any]:
        return lambda: services.hold(referral_id=referral.pk, session_id=session.pk, by=JOB, now=NOW)

    return at_once(*(tab(session) for session in sessions for _ in range(3)))


def test_a_candidate_in_nine_tabs_ends_with_one_place() -> None:
    sessions = [c.OpenSessionFactory.create() for _ in range(3)]
    for _ in range(3):
        assert choose_in_tabs(r.LiveReferralFactory.create(), sessions) == []
    assert Booking.objects.live().count() == 3
    assert Place.objects.claiming().count() == 3
    assert counts_are_right()


def test_control_without_lock_and_index_the_tabs_hold_several_places(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX bookings_one_live_per_referral")
    barrier = threading.Barrier(3)

    def no_lock(referral_id: int) -> Referral:
        barrier.wait(timeout=20)
        return Referral.objects.get(pk=referral_id)

    monkeypatch.setattr("bookings.services.holding.lock_referral", no_lock)
    referral = r.LiveReferralFactory.create()
    sessions = [c.OpenSessionFactory.create() for _ in range(3)]
    acts = [
        partial(services.hold, referral_id=referral.pk, session_id=session.pk, by=JOB, now=NOW) for session in sessions
    ]
    assert at_once(*acts) == []
    assert Booking.objects.live().filter(referral=referral).count() > 1


# --- Paid while something else happens ------------------------------------------------------------------------------
def settle(charge: Charge) -> None:
    """What payments does once Stripe says that a charge is paid."""
    with transaction.atomic(durable=True):
        signals.charge_locking.send(sender=Charge, booking_reference=charge.booking_reference)
        locked = Charge.objects.select_for_update(no_key=True).get(pk=charge.pk)
        signals.charge_settled.send(sender=Charge, charge=locked, by=JOB, now=NOW)


def withdraw(referral: Referral) -> None:
    referrals.withdraw(
        force_code=referral.force_id,
        reference=referral.reference,
        reason="OTHER",
        effective_at=None,
        received_at=NOW,
        by=JOB,
        now=NOW,
    )


def paid_charge(booking: Booking) -> Charge:
    return p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)


def nobody_has_paid_for_nothing(booking: Booking) -> bool:
    """Either the place is theirs or the money goes back; never both, never neither."""
    booking.refresh_from_db()
    has_place = booking.status == BookingStatus.CONFIRMED and booking.place.state == PlaceState.TAKEN
    goes_back = sum(
        Refund.objects.filter(charge__booking_reference=booking.reference).values_list("amount_pence", flat=True)
    )
    return (has_place, goes_back) in ((True, 0), (False, 9200))


@pytest.mark.parametrize("seats", [1, 9])
def test_s11_paid_at_the_moment_the_hold_lapses(seats: int) -> None:
    for _ in range(ROUNDS):
        session = c.OpenSessionFactory.create(capacity=seats)
        booking = b.ReadyBookingFactory.create(session=session, now=NOW - dt.timedelta(minutes=20))
        charge = paid_charge(booking)
        waiting = r.LiveReferralFactory.create()
        raised = at_once(
            partial(settle, charge),
            partial(services.lapse, booking_id=booking.pk, by=JOB, now=NOW),
            partial(services.hold, referral_id=waiting.pk, session_id=session.pk, by=JOB, now=NOW),
        )
        assert raised == []
        assert nobody_has_paid_for_nothing(booking)
        session.refresh_from_db()
        assert session.places_claimed <= seats
    assert counts_are_right()


def test_s13_paid_at_the_moment_the_police_withdraw() -> None:
    for _ in range(ROUNDS):
        booking = b.ReadyBookingFactory.create()
        charge = paid_charge(booking)
        raised = at_once(partial(settle, charge), partial(withdraw, booking.referral))
        assert raised == []
        booking.referral.refresh_from_db()
        assert booking.referral.status == ReferralStatus.WITHDRAWN
        assert nobody_has_paid_for_nothing(booking)
        assert booking.status == BookingStatus.CANCELLED
    assert counts_are_right()
    assert Charge.objects.exclude(status=ChargeStatus.PAID).count() == 0


def test_withdrawn_while_the_candidate_keeps_choosing_never_deadlocks() -> None:
    sessions = [c.OpenSessionFactory.create() for _ in range(2)]
    for _ in range(ROUNDS):
        referral = r.LiveReferralFactory.create()
        hold = [
            partial(services.hold, referral_id=referral.pk, session_id=session.pk, by=JOB, now=NOW)
            for session in (*sessions, *sessions)
        ]
        assert at_once(*hold, partial(withdraw, referral)) == []
        referral.refresh_from_db()
        assert referral.status == ReferralStatus.WITHDRAWN
        assert Booking.objects.live().filter(referral=referral).count() == 0
    assert counts_are_right()
    assert Place.objects.claiming().count() == 0


def test_control_without_the_lock_a_payment_meets_a_place_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read but not locked, the booking lapses under the payment, which then finds neither place nor refund."""
    read, lapsed = threading.Event(), threading.Event()

    def wait_after_the_look(booking: Booking, **then: Any) -> Place:
        read.set()
        assert lapsed.wait(timeout=20)
        return place_for(booking, **then)

    def lapse_between(booking: Booking) -> None:
        assert read.wait(timeout=20)
        services.lapse(booking_id=booking.pk, by=JOB, now=NOW)
        lapsed.set()

    place_for = confirming._place_for
    monkeypatch.setattr(confirming, "lock_booking", lambda *_, **__: None)
    monkeypatch.setattr(confirming, "_place_for", wait_after_the_look)
    booking = b.ReadyBookingFactory.create(now=NOW - dt.timedelta(minutes=20))
    charge = paid_charge(booking)
    assert at_once(partial(settle, charge), partial(lapse_between, booking)) == []
    assert not nobody_has_paid_for_nothing(booking)
