"""The waiting list: joining, whose turn it is, an offered place and everything that ends it."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.context import Actor
from bookings import services
from bookings.constants import BookingStatus, NeedKind, PlaceOfferStatus, WaitingCause, WaitingStatus
from bookings.errors import (
    BookByPassedError,
    DatesFreeError,
    OfferEndedError,
    PlaceOfferOverError,
    PlaceWaitedForError,
)
from bookings.models import Booking, PlaceOffer, WaitingEntry
from bookings.services import turns
from bookings.services.waiting import Wishes
from common.clock import from_london
from courses import services as courses
from courses.constants import Mode, PlaceState
from courses.models import Place, Session
from notifications.models import Message
from referrals import services as referrals
from referrals.constants import ReferralStatus
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF, candidate, claimed, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

JOB = Actor("job", "offer_places")
HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.django_db


def sweep(now: dt.datetime = NOW) -> int:
    """Run the sweep; how many places were offered."""
    return services.offer_places(by=JOB, now=now)["offered"]


def full_session(**fields: Any) -> tuple[Session, Booking]:
    """A session with one place, which is somebody's; and the booking of it."""
    session = c.OpenSessionFactory.create(capacity=1, **fields)
    return session, b.ConfirmedBookingFactory.create(session=session)


def cancel(booking: Booking, now: dt.datetime = NOW) -> None:
    services.cancel(booking_id=booking.pk, by=STAFF, now=now)


def waits(days_to_complete: int = 100, *, now: dt.datetime = NOW, **wishes: Any) -> WaitingEntry:
    """Somebody who waits and has so many days from NOW to complete a course."""
    referral = r.LiveReferralFactory.create(complete_by=(NOW + dt.timedelta(days=days_to_complete)).date())
    return b.WaitingEntryFactory.create(referral=referral, now=now, **wishes)


def offered_to() -> list[int]:
    """The referrals to whom places are offered just now."""
    return list(PlaceOffer.objects.open().order_by("pk").values_list("referral_id", flat=True))


# --- Scenario 5 ----------------------------------------------------------------------------------------------------
def test_s05_a_place_freed_at_23_on_saturday_goes_to_the_one_nearest_to_complete_by() -> None:
    session, booking = full_session()
    saturday = from_london(dt.date(2026, 11, 21), dt.time(23))
    later, first, second, third, last = (waits(days) for days in (90, 40, 50, 60, 120))
    cancel(booking, saturday)
    assert sweep(saturday) == 1
    offer = PlaceOffer.objects.get()
    assert (offer.referral_id, offer.place.state, claimed(session)) == (first.referral_id, PlaceState.HELD, 1)
    # 24 working hours of eight a day: the whole of Monday, Tuesday and Wednesday.
    assert offer.until == offer.place.held_until == from_london(dt.date(2026, 11, 25), dt.time(17))
    message = Message.objects.get(kind="waiting_offer")
    assert message.context["offer_until"] == "5pm on Wednesday 25 November 2026"
    assert (message.send_at, message.useless_at) == (saturday, offer.until)
    # Untaken, it passes on by itself, and the one who let it pass waits on.
    for passed, turn in ((first, second), (second, third)):
        before = offer.until
        assert sweep(before - dt.timedelta(seconds=1)) == 0
        assert sweep(before) == 1
        offer.refresh_from_db()
        assert offer.status == PlaceOfferStatus.LAPSED
        told = Message.objects.get(kind="waiting_passed", referral_key=passed.referral.key)
        assert told.context["day"] == "Monday 14 December 2026"
        passed.refresh_from_db()
        assert passed.status == WaitingStatus.WAITING
        offer = PlaceOffer.objects.open().get()
        assert offer.referral_id == turn.referral_id
    assert claimed(session) == 1
    assert (WaitingEntry.objects.waiting().count(), p.Charge.objects.count()) == (5, 0)
    assert {later.referral_id, last.referral_id} & set(offered_to()) == set()


def test_s05_of_two_with_the_same_complete_by_the_one_who_waits_longer_comes_first() -> None:
    _, booking = full_session()
    waits(50)
    longer = waits(50, now=NOW - HOUR)
    cancel(booking)
    assert sweep() == 1
    assert offered_to() == [longer.referral_id]


def test_s05_nobody_passing_by_takes_the_place_of_who_waits() -> None:
    session, booking = full_session()
    entry = waits()
    passer = r.LiveReferralFactory.create()
    cancel(booking)
    before = rows()
    with pytest.raises(PlaceWaitedForError):
        services.hold(referral_id=passer.pk, session_id=session.pk, by=candidate(passer), now=NOW)
    assert (rows(), claimed(session)) == (before, 0)
    assert sweep() == 1
    assert offered_to() == [entry.referral_id]
    services.leave_waiting_list(referral_id=entry.referral_id, by=candidate(entry.referral), now=NOW)
    assert services.hold(referral_id=passer.pk, session_id=session.pk, by=candidate(passer), now=NOW).is_live


def test_s03_s05_no_place_after_complete_by_is_offered_nor_could_be() -> None:
    session, booking = full_session()
    entry = waits(days_to_complete=20)  # the session is in 24 days
    cancel(booking)
    assert sweep() == 0
    place = c.HeldPlaceFactory.create(session=session, holder=entry.referral.key)
    with pytest.raises(IntegrityError, match="after complete by"), transaction.atomic():
        b.PlaceOfferFactory.create(entry=entry, session=session, place=place)


# --- After book by ---------------------------------------------------------------------------------------------------
BOOK_BY = dt.date(2026, 12, 7)  # a Monday; the session of `full_session` is a week later


def waits_until(book_by: dt.date, **referral: Any) -> WaitingEntry:
    """Somebody with nothing booked who waits and may book up to this day."""
    return b.WaitingEntryFactory.create(referral=r.LiveReferralFactory.create(book_by=book_by, **referral))


def test_the_day_after_book_by_who_has_nothing_booked_is_taken_off_the_list_and_told_once() -> None:
    entry, later = waits_until(BOOK_BY), waits_until(BOOK_BY + dt.timedelta(days=1))
    midnight = from_london(BOOK_BY + dt.timedelta(days=1), dt.time(0))
    services.offer_places(by=JOB, now=midnight - dt.timedelta(seconds=1))
    assert (WaitingEntry.objects.waiting().count(), Message.objects.count()) == (2, 0)
    for _ in range(2):
        services.offer_places(by=JOB, now=midnight)
    entry.refresh_from_db()
    assert (entry.status, entry.ended_cause, entry.status_at) == (WaitingStatus.ENDED, WaitingCause.EXPIRED, midnight)
    assert WaitingEntry.objects.waiting().get() == later
    message = Message.objects.get()
    assert (message.kind, message.referral_key) == ("waiting_ended", entry.referral.key)
    assert message.context["book_by"] == "Monday 7 December 2026"
    assert message.useless_at == from_london(entry.referral.complete_by + dt.timedelta(days=1), dt.time(0))


@pytest.mark.parametrize("first", ["release_holds", "offer_places"])
def test_a_place_held_to_the_end_of_book_by_goes_and_nobody_hears_that_they_wait_on(first: str) -> None:
    session, booking = full_session()
    waits_until(BOOK_BY)
    cancel(booking, from_london(BOOK_BY, dt.time(10)))
    assert sweep(from_london(BOOK_BY, dt.time(10))) == 1
    midnight = PlaceOffer.objects.open().get().until
    assert midnight == from_london(BOOK_BY + dt.timedelta(days=1), dt.time(0))
    getattr(services, first)(by=JOB, now=midnight)
    services.offer_places(by=JOB, now=midnight)
    assert (WaitingEntry.objects.waiting().count(), claimed(session)) == (0, 0)
    told = Message.objects.filter(kind__startswith="waiting").order_by("pk")
    assert list(told.values_list("kind", flat=True)) == ["waiting_offer", "waiting_ended"]


def test_who_is_booked_or_pays_just_now_waits_on_after_book_by() -> None:
    booked, held = booked_later(), b.ReadyBookingFactory.create()
    for booking in (booked, held):
        b.WaitingEntryFactory.create(referral=booking.referral)
    Referral.objects.update(book_by=BOOK_BY)
    services.offer_places(by=JOB, now=from_london(BOOK_BY + dt.timedelta(days=1), dt.time(0)))
    assert WaitingEntry.objects.waiting().filter(referral=booked.referral).exists()
    assert Message.objects.filter(kind="waiting_ended").count() == 0


# --- Joining and leaving -------------------------------------------------------------------------------------------
def test_joining_twice_changes_what_is_waited_for_and_keeps_the_turn(referral: Referral) -> None:
    first = services.join_waiting_list(
        referral_id=referral.pk, wishes=Wishes(modes=[Mode.CLASSROOM]), by=candidate(referral), now=NOW
    )
    services.join_waiting_list(
        referral_id=referral.pk, wishes=Wishes(weekdays=[6, 7]), by=candidate(referral), now=NOW + HOUR
    )
    entry = WaitingEntry.objects.get()
    assert (entry.pk, entry.created_at, entry.modes, entry.weekdays) == (first.pk, NOW, [], [6, 7])


def test_nobody_waits_for_what_can_be_booked_at_once(referral: Referral, session: Session) -> None:
    before = rows()
    for wishes in (Wishes(), Wishes(modes=[Mode.DIGITAL]), Wishes(weekdays=[1]), Wishes(parts=["morning"])):
        with pytest.raises(DatesFreeError):
            services.join_waiting_list(referral_id=referral.pk, wishes=wishes, by=candidate(referral), now=NOW)
    assert (rows(), WaitingEntry.objects.count()) == (before, 0)
    for wishes in (Wishes(modes=[Mode.CLASSROOM]), Wishes(weekdays=[2]), Wishes(parts=["evening"])):
        services.join_waiting_list(referral_id=referral.pk, wishes=wishes, by=candidate(referral), now=NOW)
    assert sweep() == 0


@pytest.mark.parametrize(
    ("made_by", "error"),
    [
        (r.WithdrawnReferralFactory, OfferEndedError),
        (r.ExpiredReferralFactory, OfferEndedError),
        (r.CompletedReferralFactory, OfferEndedError),
    ],
)
def test_who_cannot_book_cannot_wait(made_by: type[r.LiveReferralFactory], error: type[Exception]) -> None:
    referral = made_by.create()
    before = rows()
    with pytest.raises(error):
        services.join_waiting_list(referral_id=referral.pk, wishes=Wishes(), by=STAFF, now=NOW)
    assert (rows(), WaitingEntry.objects.count()) == (before, 0)


def test_after_book_by_nobody_waits(referral: Referral) -> None:
    with pytest.raises(BookByPassedError):
        services.join_waiting_list(referral_id=referral.pk, wishes=Wishes(), by=STAFF, now=NOW + dt.timedelta(days=40))
    assert WaitingEntry.objects.count() == 0


def test_leaving_gives_back_the_place_on_offer_and_may_be_repeated() -> None:
    offer = b.PlaceOfferFactory.create()
    next_one = waits(110)
    assert services.leave_waiting_list(referral_id=offer.referral_id, by=STAFF, now=NOW, cause=WaitingCause.STAFF)
    assert not services.leave_waiting_list(referral_id=offer.referral_id, by=STAFF, now=NOW)
    offer.refresh_from_db()
    offer.entry.refresh_from_db()
    assert (offer.status, offer.place.state) == (PlaceOfferStatus.DECLINED, PlaceState.RELEASED)
    assert (offer.entry.status, offer.entry.ended_cause) == (WaitingStatus.ENDED, WaitingCause.STAFF)
    sweep()
    assert offered_to() == [next_one.referral_id]


# --- What is wished for --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wishes", "suits"),
    [
        ({}, True),
        ({"modes": [Mode.CLASSROOM]}, True),
        ({"modes": [Mode.DIGITAL, Mode.CLASSROOM]}, True),
        ({"modes": [Mode.DIGITAL]}, False),
        ({"weekdays": [1]}, True),
        ({"weekdays": [2, 7]}, False),
        ({"parts": ["morning"]}, True),
        ({"parts": ["afternoon", "evening"]}, False),
        ({"venue_ids": [0]}, False),
    ],
)
def test_only_what_is_wished_for_is_offered(wishes: dict[str, list[Any]], suits: bool) -> None:
    session = c.ClassroomSessionFactory.create()
    entry = waits(**wishes)
    in_turn = turns.in_turn(session, now=NOW)
    assert list(in_turn) == ([entry] if suits else [])
    # The sweep's one look at all sessions says the same as the look at one.
    assert sweep() == (1 if suits else 0)


@pytest.mark.parametrize("need", [NeedKind.NO_INTERNET, NeedKind.STEP_FREE])
def test_what_somebody_needs_is_kept_to(need: NeedKind) -> None:
    entry = waits()
    b.NeedFactory.create(referral=entry.referral, kind=need)
    if need == NeedKind.NO_INTERNET:
        unfit = c.OpenSessionFactory.create()
    else:
        unfit = c.ClassroomSessionFactory.create()
        assert unfit.room is not None
        unfit.room.venue.is_step_free = False
        unfit.room.venue.save()
    assert list(turns.in_turn(unfit, now=NOW)) == []
    assert (sweep(), list(turns.free_sessions(entry.referral, now=NOW))) == (0, [])
    fit = c.ClassroomSessionFactory.create()
    assert list(turns.in_turn(fit, now=NOW)) == [entry]
    assert sweep() == 1


def test_a_venue_binds_courses_in_person_alone() -> None:
    online = c.OpenSessionFactory.create(capacity=1)
    here = c.ClassroomSessionFactory.create(capacity=1)
    assert here.room is not None
    entry = waits(venue_ids=[here.room.venue_id])
    assert list(turns.in_turn(here, now=NOW)) == list(turns.in_turn(online, now=NOW)) == [entry]


def test_evening_and_weekday_are_londons_in_summer_too() -> None:
    summer = dt.datetime(2027, 6, 4, 10, tzinfo=dt.UTC)
    starts = from_london(dt.date(2027, 6, 21), dt.time(0, 30))  # 23:30 of Sunday in UTC
    session = c.OpenSessionFactory.create(starts_at=starts, capacity=1)
    entry = b.WaitingEntryFactory.create(now=summer, weekdays=[1], parts=["morning"])
    assert list(turns.in_turn(session, now=summer)) == [entry]
    assert sweep(summer) == 1


def test_a_course_decided_anew_is_what_is_waited_for_then() -> None:
    entry = waits()
    session = c.OpenSessionFactory.create(code="WDU", capacity=1)
    referrals.decide_course(
        force_code="46", reference=entry.referral.reference, course_code="WDU", reason="Asked", by=STAFF, now=NOW
    )
    assert sweep() == 1
    assert PlaceOffer.objects.get().place.session_id == session.pk


# --- Offered, and how it ends --------------------------------------------------------------------------------------
def test_the_same_date_is_never_offered_twice_to_the_same_entry() -> None:
    _, booking = full_session()
    entry = waits()
    cancel(booking)
    assert sweep() == 1
    assert services.decline_offer(offer_id=PlaceOffer.objects.get().pk, by=candidate(entry.referral), now=NOW)
    assert not services.decline_offer(offer_id=PlaceOffer.objects.get().pk, by=candidate(entry.referral), now=NOW)
    assert sweep() == 0
    # So it is anybody's.
    passer = r.LiveReferralFactory.create()
    services.hold(referral_id=passer.pk, session_id=booking.place.session_id, by=candidate(passer), now=NOW)


def test_two_freed_places_are_offered_to_two_people_and_one_has_one_at_a_time() -> None:
    first, second = (full_session()[1] for _ in range(2))
    one = waits(40)
    for booking in (first, second):
        cancel(booking)
    assert sweep() == 1
    other = waits(50)
    assert sweep() == 1
    assert sorted(offered_to()) == sorted([one.referral_id, other.referral_id])


def test_a_place_to_be_offered_is_never_past_what_is_useful() -> None:
    starts = NOW + dt.timedelta(hours=26)
    _, booking = full_session(starts_at=starts)
    waits()
    cancel(booking)
    sweep()
    assert PlaceOffer.objects.get().until == starts - HOUR  # booking closes an hour before


def test_an_offer_ends_with_book_by() -> None:
    _, booking = full_session()
    entry = waits()
    Referral.objects.filter(pk=entry.referral_id).update(book_by=NOW.date())
    cancel(booking)
    sweep()
    assert PlaceOffer.objects.get().until == from_london(dt.date(2026, 11, 21), dt.time())


def test_accepting_begins_a_booking_that_holds_as_long_as_was_said() -> None:
    offer = b.PlaceOfferFactory.create(session=c.OpenSessionFactory.create(capacity=1))
    booking = services.accept_offer(offer_id=offer.pk, by=candidate(offer.referral), now=NOW + HOUR)
    offer.refresh_from_db()
    assert (booking.place_id, booking.status, booking.fee_pence) == (offer.place_id, BookingStatus.HELD, 9200)
    assert (offer.status, booking.place.held_until) == (PlaceOfferStatus.ACCEPTED, offer.until)
    with pytest.raises(PlaceOfferOverError):
        services.accept_offer(offer_id=offer.pk, by=candidate(offer.referral), now=NOW + HOUR)
    assert claimed(booking.place.session) == 1


def test_accepting_in_the_last_minute_holds_for_the_ordinary_time() -> None:
    offer = b.PlaceOfferFactory.create()
    at = offer.until - dt.timedelta(minutes=1)
    booking = services.accept_offer(offer_id=offer.pk, by=candidate(offer.referral), now=at)
    assert booking.place.held_until == at + dt.timedelta(minutes=15)


def test_accepting_too_late_changes_nothing() -> None:
    offer = b.PlaceOfferFactory.create()
    before = rows()
    for pk in (offer.pk, 0):
        with pytest.raises(PlaceOfferOverError):
            services.accept_offer(offer_id=pk, by=candidate(offer.referral), now=offer.until)
    assert rows() == before


def test_choosing_the_offered_date_from_the_list_accepts_the_offer() -> None:
    offer = b.PlaceOfferFactory.create()
    services.hold(
        referral_id=offer.referral_id,
        session_id=offer.place.session_id,
        by=candidate(offer.referral),
        now=NOW + HOUR,
    )
    offer.refresh_from_db()
    assert offer.status == PlaceOfferStatus.ACCEPTED
    assert Place.objects.claiming().count() == 1


def test_paying_ends_the_waiting_and_gives_back_what_else_is_on_offer() -> None:
    offer = b.PlaceOfferFactory.create()
    booking = b.ReadyBookingFactory.create(referral=offer.referral)
    charge = p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=offer.referral.key)
    services.lock_for_charge(booking_reference=booking.reference)
    services.confirm(charge=charge, by=JOB, now=NOW)
    sweep()
    offer.refresh_from_db()
    offer.entry.refresh_from_db()
    assert (offer.status, offer.place.state) == (PlaceOfferStatus.ENDED, PlaceState.RELEASED)
    assert (offer.entry.status, offer.entry.ended_cause) == (WaitingStatus.ENDED, WaitingCause.BOOKED)
    assert list(Message.objects.values_list("kind", flat=True)) == ["confirmation"]


def test_withdrawn_by_police_while_a_place_is_on_offer() -> None:
    offer = b.PlaceOfferFactory.create()
    next_one = waits(110)
    referrals.withdraw(
        force_code="46",
        reference=offer.referral.reference,
        reason="COURT",
        effective_at=None,
        received_at=NOW,
        by=STAFF,
        now=NOW,
    )
    offer.refresh_from_db()
    offer.entry.refresh_from_db()
    assert (offer.status, offer.place.state) == (PlaceOfferStatus.ENDED, PlaceState.RELEASED)
    assert (offer.entry.status, offer.entry.ended_cause) == (WaitingStatus.ENDED, WaitingCause.POLICE)
    sweep()
    assert offered_to() == [next_one.referral_id]


def test_expired_while_waiting() -> None:
    entry = b.WaitingEntryFactory.create(
        referral=r.LiveReferralFactory.create(complete_by=NOW.date() - dt.timedelta(days=1))
    )
    assert referrals.expire_referrals(by=JOB, now=NOW) == 1
    entry.refresh_from_db()
    entry.referral.refresh_from_db()
    assert (entry.ended_cause, entry.referral.status) == (WaitingCause.EXPIRED, ReferralStatus.EXPIRED)


def test_a_session_cancelled_under_an_offer_leaves_them_waiting_and_told() -> None:
    offer = b.PlaceOfferFactory.create()
    courses.cancel_session(session_id=offer.place.session_id, reason="Trainer ill", by=STAFF, now=NOW)
    offer.refresh_from_db()
    assert (offer.status, offer.place.state) == (PlaceOfferStatus.ENDED, PlaceState.RELEASED)
    assert [message.kind for message in Message.objects.all()] == ["waiting_passed"]
    assert WaitingEntry.objects.waiting().count() == 1


def test_an_offer_whose_time_is_over_makes_room_at_once() -> None:
    offer = b.PlaceOfferFactory.create(session=c.OpenSessionFactory.create(capacity=1))
    passer = r.LiveReferralFactory.create()
    at = offer.until + HOUR
    booking = services.hold(referral_id=passer.pk, session_id=offer.place.session_id, by=candidate(passer), now=at)
    offer.refresh_from_db()
    assert (booking.status, offer.status) == (BookingStatus.HELD, PlaceOfferStatus.LAPSED)


def test_release_holds_lets_offers_go_too() -> None:
    offer = b.PlaceOfferFactory.create()
    assert services.release_holds(by=JOB, now=offer.until) == {"released": 1}
    assert services.release_holds(by=JOB, now=offer.until) == {"released": 0}


def test_more_places_are_offered_when_there_are_more() -> None:
    session, _ = full_session()
    entries = [waits(days) for days in (40, 50, 60)]
    assert sweep() == 0
    courses.change_capacity(session_id=session.pk, capacity=3, reason="A larger room", by=STAFF, now=NOW)
    assert sweep() == 2
    assert offered_to() == [entry.referral_id for entry in entries[:2]]


def test_who_holds_another_date_is_passed_over_until_that_lapses() -> None:
    _, booking = full_session()
    first, second = waits(40), waits(50)
    b.ReadyBookingFactory.create(referral=first.referral)
    cancel(booking)
    sweep()
    assert offered_to() == [second.referral_id]


def test_holding_costs_one_look_more_when_nobody_waits(
    referral: Referral, session: Session, django_assert_num_queries: Any
) -> None:
    b.WaitingEntryFactory.create(referral=r.LiveReferralFactory.create(course_type="WDU"))
    with django_assert_num_queries(1):
        turns.check(session, referral=referral, now=NOW)


# --- Who is booked already -----------------------------------------------------------------------------------------
def booked_later(days: int = 21, **fields: Any) -> Booking:
    """Somebody's confirmed booking so many days after the session they would rather have."""
    starts_at = from_london(dt.date(2026, 12, 14) + dt.timedelta(days=days), dt.time(9))
    return b.ConfirmedBookingFactory.create(session=c.OpenSessionFactory.create(starts_at=starts_at), **fields)


def test_who_is_booked_is_offered_an_earlier_date_and_moved_to_it_free() -> None:
    session, others = full_session()
    booking = booked_later()
    services.join_waiting_list(
        referral_id=booking.referral_id, wishes=Wishes(), by=candidate(booking.referral), now=NOW
    )
    assert sweep() == 0
    cancel(others)
    assert sweep() == 1
    offer = PlaceOffer.objects.get()
    told = Message.objects.get(kind="waiting_offer").context
    assert (offer.referral_id, told["booked_on"]) == (booking.referral_id, "9am on Monday 4 January 2027")
    was = booking.place.session
    services.accept_offer(offer_id=offer.pk, by=candidate(booking.referral), now=NOW)
    booking.refresh_from_db()
    offer.refresh_from_db()
    move = booking.moves.get()
    assert (booking.status, booking.place.session_id, booking.place.state) == (
        BookingStatus.CONFIRMED,
        session.pk,
        PlaceState.TAKEN,
    )
    assert (move.rule, move.fee_pence, claimed(was), claimed(session)) == ("OURS", 0, 0, 1)
    assert (offer.status, WaitingEntry.objects.get().ended_cause) == (PlaceOfferStatus.ACCEPTED, WaitingCause.BOOKED)
    assert Message.objects.filter(kind="moved").count() == 1
    with pytest.raises(PlaceOfferOverError):
        services.accept_offer(offer_id=offer.pk, by=candidate(booking.referral), now=NOW)


def test_who_is_booked_is_offered_no_later_date_and_none_of_another_kind() -> None:
    booking = booked_later(days=-7)
    b.WaitingEntryFactory.create(referral=booking.referral)
    _, others = full_session()
    cancel(others)
    c.ClassroomSessionFactory.create(starts_at=from_london(dt.date(2026, 11, 30), dt.time(9)))
    assert sweep() == 0


def test_who_is_booked_waits_for_no_date_that_is_free() -> None:
    booking = booked_later()
    c.OpenSessionFactory.create()
    with pytest.raises(DatesFreeError):
        services.join_waiting_list(referral_id=booking.referral_id, wishes=Wishes(), by=STAFF, now=NOW)
    services.join_waiting_list(referral_id=booking.referral_id, wishes=Wishes(weekdays=[7]), by=STAFF, now=NOW)


def test_moving_to_another_date_ends_the_waiting() -> None:
    booking = booked_later()
    b.WaitingEntryFactory.create(referral=booking.referral)
    other = c.OpenSessionFactory.create()
    services.move_by_staff(booking_id=booking.pk, session_id=other.pk, reason="Asked by phone", by=STAFF, now=NOW)
    assert WaitingEntry.objects.get().ended_cause == WaitingCause.BOOKED


def test_nobody_moves_past_who_waits() -> None:
    session, others = full_session()
    waits()
    mover = booked_later()
    cancel(others)
    before = rows()
    with pytest.raises(PlaceWaitedForError):
        services.hold_move(booking_id=mover.pk, session_id=session.pk, by=candidate(mover.referral), now=NOW)
    assert rows() == before


def test_a_place_left_by_a_move_goes_to_who_waits() -> None:
    session = c.OpenSessionFactory.create(capacity=1)
    booking = b.ConfirmedBookingFactory.create(session=session)
    entry = waits(40)
    other = booked_later().place.session
    services.move_by_staff(booking_id=booking.pk, session_id=other.pk, reason="Asked by phone", by=STAFF, now=NOW)
    sweep()
    assert (entry.referral_id in offered_to(), claimed(session)) == (True, 1)


def test_the_outcome_ends_the_waiting() -> None:
    booking = booked_later()
    b.WaitingEntryFactory.create(referral=booking.referral)
    services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=NOW)
    assert WaitingEntry.objects.waiting().count() == 0
