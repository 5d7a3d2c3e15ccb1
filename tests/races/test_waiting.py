"""Two places come free while forty wait: never one place twice, never two places for one; with its control."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection

from audit.context import Actor
from bookings import services
from bookings.constants import PlaceOfferStatus
from bookings.models import Booking, PlaceOffer
from bookings.services import offering, turns
from common.clock import from_london
from courses.constants import PlaceState
from courses.models import Place, Session
from referrals.models import Referral
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.races.test_bookings import at_once, counts_are_right

NOW = r.NOW
JOB = Actor("job", "test")
WAITING = 40
pytestmark = pytest.mark.django_db(transaction=True)


def freed(count: int = 2) -> list[Session]:
    """Sessions of one place each, which has just come free."""
    days = (from_london(dt.date(2026, 12, 14 + n), dt.time(9)) for n in range(count))
    return [c.OpenSessionFactory.create(starts_at=starts_at, capacity=1) for starts_at in days]


def waiting() -> list[Referral]:
    """Forty who wait, the nearest to complete by first."""
    entries = [
        b.WaitingEntryFactory.create(
            referral=r.LiveReferralFactory.create(complete_by=dt.date(2027, 1, 1) + dt.timedelta(days=n))
        )
        for n in range(WAITING)
    ]
    return [entry.referral for entry in entries]


def sweep(now: dt.datetime = NOW) -> dict[str, int]:
    return services.offer_places(by=JOB, now=now)


def held() -> list[tuple[int, int]]:
    """Which referral is offered which session."""
    offers = PlaceOffer.objects.open().order_by("referral__complete_by", "pk")
    return list(offers.values_list("referral_id", "place__session_id"))


def test_s05_two_freed_places_and_forty_waiting_never_cross() -> None:
    people, sessions = waiting(), freed()
    passers = [r.LiveReferralFactory.create() for _ in range(4)]
    acts: list[Any] = [sweep] * 6
    acts += [
        partial(services.hold, referral_id=passer.pk, session_id=session.pk, by=JOB, now=NOW)
        for passer in passers
        for session in sessions
    ]
    assert at_once(*acts) == []
    assert [referral_id for referral_id, _ in held()] == [people[0].pk, people[1].pk]
    assert {session_id for _, session_id in held()} == {session.pk for session in sessions}
    assert (Booking.objects.count(), Place.objects.claiming().count()) == (0, 2)
    assert counts_are_right()


def test_s05_declined_accepted_and_swept_at_the_same_moment() -> None:
    people, _ = waiting(), freed()
    sweep()
    first, second = PlaceOffer.objects.order_by("referral__complete_by")
    acts: list[Any] = [
        partial(services.decline_offer, offer_id=first.pk, by=JOB, now=NOW),
        partial(services.decline_offer, offer_id=first.pk, by=JOB, now=NOW),
        partial(services.accept_offer, offer_id=second.pk, by=JOB, now=NOW),
        partial(services.leave_waiting_list, referral_id=second.referral_id, by=JOB, now=NOW),
        sweep,
        sweep,
    ]
    assert at_once(*acts) == []
    sweep()
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.status == PlaceOfferStatus.DECLINED
    # Whoever was first: taken or given back, never both.
    is_taken = Booking.objects.live().filter(referral=people[1]).exists()
    assert is_taken == (second.status == PlaceOfferStatus.ACCEPTED)
    assert is_taken == Place.objects.claiming().filter(holder=people[1].key).exists()
    assert len(held()) == (1 if is_taken else 2)
    assert (first.referral_id, first.place.session_id) not in held()
    assert (Place.objects.exclude(state=PlaceState.RELEASED).count(), counts_are_right()) == (2, True)


def test_control_without_the_second_look_and_the_index_one_person_gets_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn it is, looked up and not looked at again under the lock, is the same person for both places."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX bookings_one_waiting_offer")
    people, sessions = waiting(), freed()
    both_have_looked = threading.Barrier(2)

    class SeenBefore:
        """The first look's answer, given again."""

        def __init__(self, entries: Any) -> None:
            self.entries = entries

        def first(self) -> Any:
            found = self.entries.first()
            both_have_looked.wait(timeout=20)
            return found

        def filter(self, **_: Any) -> "SeenBefore":
            return self

        def exists(self) -> bool:
            return True

    look = turns.in_turn
    monkeypatch.setattr(
        "bookings.services.offering.turns.in_turn", lambda *args, **kwds: SeenBefore(look(*args, **kwds))
    )
    acts = [partial(offering._offer_one, session.pk, by=JOB, now=NOW) for session in sessions]
    assert at_once(*acts) == []
    assert [referral_id for referral_id, _ in held()] == [people[0].pk, people[0].pk]


def test_s11_chosen_declined_swept_and_withdrawn_at_the_same_moment() -> None:
    """Never a place beside a refund, never neither."""
    for round_ in range(4):
        payment = b.OfferedLatePaymentFactory.create()
        offer, booking = payment.offers.get(), payment.booking
        late = offer.until + dt.timedelta(minutes=1) if round_ % 2 else NOW
        acts: list[Any] = [
            partial(services.choose_late_date, offer_id=offer.pk, by=JOB, now=NOW),
            partial(services.decline_late_dates, booking_id=booking.pk, by=JOB, now=NOW),
            partial(sweep, late),
            partial(sweep, late),
        ]
        assert at_once(*acts) == []
        sweep(late)
        booking.refresh_from_db()
        payment.charge.refresh_from_db()
        has_place = booking.status == "CONFIRMED" and booking.place.state == PlaceState.TAKEN
        assert (has_place, payment.charge.refunded_pence) in ((True, 0), (False, 9200))
        assert not Place.objects.filter(holder=booking.referral.key, state=PlaceState.HELD).exists()
    assert counts_are_right()
