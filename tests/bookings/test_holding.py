"""Holding a place: once, on what the offer allows, for as long as was said."""

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from bookings import messages, services
from bookings.constants import BookingStatus, CancelCause, ConsentKind
from bookings.errors import (
    AfterCompleteByError,
    AlreadyBookedError,
    BookByPassedError,
    ConsentNeededError,
    HoldEndedError,
    NoMoreTimeError,
    OfferEndedError,
    StartsTooSoonError,
)
from bookings.models import Booking, Consent, ConsentText
from common import clock
from common.identifiers import normalise_booking_reference
from courses.constants import PlaceState
from courses.errors import NoPlaceLeftError, SessionNotFoundError, SessionNotOpenError
from courses.models import Place, Session
from notifications.models import Message
from payments.constants import ChargeStatus
from payments.models import Attempt, Charge
from referrals.constants import ReferralStatus
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF, candidate, claimed, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox

MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def hold(referral: Referral, session: Session, now: dt.datetime = NOW) -> Booking:
    return services.hold(referral_id=referral.pk, session_id=session.pk, by=candidate(referral), now=now)


def test_hold_keeps_a_place_for_a_quarter_of_an_hour(referral: Referral, session: Session) -> None:
    booking = hold(referral, session)
    assert normalise_booking_reference(booking.reference) == booking.reference
    assert booking.status == BookingStatus.HELD
    assert (booking.place.state, booking.place.held_until) == (PlaceState.HELD, NOW + 15 * MINUTE)
    assert (booking.fee_pence, booking.fee_parts) == (9200, b.FEE_PARTS)
    assert claimed(session) == 1
    event = AuditEvent.objects.get(action="booking.held")
    assert (event.referral_key, event.actor) == (referral.key, f"candidate:{referral.key}")


def test_hold_twice_makes_one(referral: Referral, session: Session) -> None:
    first = hold(referral, session)
    before = rows()
    second = hold(referral, session, NOW + MINUTE)
    assert (second.pk, rows(), claimed(session)) == (first.pk, before, 1)


def test_hold_of_another_session_gives_the_first_back(referral: Referral, session: Session) -> None:
    other = c.OpenSessionFactory.create(starts_at=session.starts_at + dt.timedelta(days=1))
    first = hold(referral, session)
    second = hold(referral, other, NOW + MINUTE)
    first.refresh_from_db()
    assert (first.status, first.cancel_cause) == (BookingStatus.CANCELLED, CancelCause.CANDIDATE)
    assert second.status == BookingStatus.HELD
    assert (claimed(session), claimed(other)) == (0, 1)


def test_hold_of_a_full_session_leaves_the_first_as_it_is(referral: Referral, session: Session) -> None:
    full = c.OpenSessionFactory.create(capacity=1)
    c.TakenPlaceFactory.create(session=full)
    first = hold(referral, session)
    before = rows()
    with pytest.raises(NoPlaceLeftError):
        hold(referral, full, NOW + MINUTE)
    first.refresh_from_db()
    assert (first.status, first.place.state, rows()) == (BookingStatus.HELD, PlaceState.HELD, before)


def test_a_hold_that_cannot_be_let_go_keeps_no_other_from_going(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = (b.ReadyBookingFactory.create(session=c.OpenSessionFactory.create()) for _ in range(2))
    over = NOW + dt.timedelta(hours=1)
    Place.objects.filter(pk=good.place_id).update(held_until=over - MINUTE)
    Place.objects.filter(pk=bad.place_id).update(held_until=over - 2 * MINUTE)
    tell = messages.hold_lapsed
    monkeypatch.setattr(messages, "hold_lapsed", lambda it, **given: 1 / 0 if it == bad else tell(it, **given))
    assert services.release_holds(now=over, by=STAFF) == {"released": 1}
    assert (Booking.objects.get(pk=bad.pk).status, claimed(bad.place.session)) == (BookingStatus.HELD, 1)
    assert Booking.objects.get(pk=good.pk).status == BookingStatus.LAPSED


def test_hold_lets_run_out_holds_of_a_full_session_lapse_first(referral: Referral) -> None:
    full = c.OpenSessionFactory.create(capacity=1)
    theirs = b.ReadyBookingFactory.create(session=full, now=NOW - 20 * MINUTE)
    mine = hold(referral, full)
    theirs.refresh_from_db()
    assert (theirs.status, mine.status, claimed(full)) == (BookingStatus.LAPSED, BookingStatus.HELD, 1)
    assert Message.objects.get().kind == "hold_lapsed"


def test_hold_never_takes_a_place_from_under_an_open_payment(referral: Referral) -> None:
    full = c.OpenSessionFactory.create(capacity=1)
    theirs = b.ReadyBookingFactory.create(session=full, now=NOW - 20 * MINUTE)
    charge = p.ChargeFactory.create(booking_reference=theirs.reference)
    p.OpenAttemptFactory.create(charge=charge, expires_at=NOW + 10 * MINUTE)
    with pytest.raises(NoPlaceLeftError):
        hold(referral, full)
    theirs.refresh_from_db()
    assert (theirs.status, theirs.place.held_until) == (BookingStatus.HELD, NOW + 15 * MINUTE)


def test_coming_back_after_the_time_makes_a_new_hold(referral: Referral, session: Session) -> None:
    first = hold(referral, session)
    second = hold(referral, session, NOW + 16 * MINUTE)
    first.refresh_from_db()
    assert second.pk != first.pk
    assert (first.status, claimed(session)) == (BookingStatus.LAPSED, 1)


# --- What is refused ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("made_by", [r.WithdrawnReferralFactory, r.ExpiredReferralFactory, r.CompletedReferralFactory])
def test_hold_with_an_ended_offer_is_refused(made_by: type[r.LiveReferralFactory], session: Session) -> None:
    ended = made_by.create()
    before = rows()
    with pytest.raises(OfferEndedError):
        hold(ended, session)
    assert rows() == before


def test_hold_on_the_last_day_to_book_and_not_after(referral: Referral, session: Session) -> None:
    last = clock.end_of_london_day(referral.book_by)
    late = c.OpenSessionFactory.create(starts_at=last + dt.timedelta(days=5))
    before = rows()
    with pytest.raises(BookByPassedError):
        hold(referral, late, last)
    assert rows() == before
    assert hold(referral, late, last - MINUTE).status == BookingStatus.HELD


def test_s03_hold_on_complete_by_and_not_a_day_later(session: Session) -> None:
    day = dt.date(2027, 5, 14)
    offer = r.LiveReferralFactory.create(complete_by=day)
    in_time = c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(18)))
    late = c.OpenSessionFactory.create(starts_at=clock.from_london(day + dt.timedelta(days=1), dt.time(9)))
    before = rows()
    with pytest.raises(AfterCompleteByError):
        hold(offer, late)
    assert rows() == before
    assert hold(offer, in_time).status == BookingStatus.HELD


def test_s03_no_route_places_anybody_after_complete_by() -> None:
    day = dt.date(2027, 5, 14)
    offer = r.LiveReferralFactory.create(complete_by=day)
    late = c.OpenSessionFactory.create(starts_at=clock.from_london(day + dt.timedelta(days=1), dt.time(9)))
    place = b.place_for(offer, late)
    made = b.BookingFactory.build(referral=offer, place=place, session=late, policy=b.Policy.objects.get())
    with pytest.raises(IntegrityError, match="ends after complete by"), transaction.atomic():
        made.save()
    with pytest.raises(IntegrityError, match="ends after complete by"), transaction.atomic():
        Booking.objects.bulk_create([made])
    in_time = b.BookingFactory.create(
        referral=offer, session=c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)))
    )
    with pytest.raises(IntegrityError, match="ends after complete by"), transaction.atomic():
        Booking.objects.filter(pk=in_time.pk).update(place=place)
    assert Booking.objects.get().place_id == in_time.place_id


def test_hold_of_another_course_is_refused_as_not_found(referral: Referral) -> None:
    other = c.OpenSessionFactory.create(code="WDU")
    before = rows()
    with pytest.raises(SessionNotFoundError):
        hold(referral, other)
    assert rows() == before


def test_hold_of_an_unknown_session_is_refused(referral: Referral) -> None:
    with pytest.raises(SessionNotFoundError):
        services.hold(referral_id=referral.pk, session_id=0, by=candidate(referral), now=NOW)


def test_hold_within_the_last_hour_is_refused(referral: Referral, session: Session) -> None:
    offer = r.LiveReferralFactory.create(book_by=dt.date(2027, 1, 31))
    with pytest.raises(SessionNotOpenError):
        hold(offer, session, session.starts_at - 59 * MINUTE)
    assert hold(offer, session, session.starts_at - 60 * MINUTE).status == BookingStatus.HELD


def test_hold_when_booked_is_refused(session: Session) -> None:
    confirmed = b.ConfirmedBookingFactory.create()
    before = rows()
    with pytest.raises(AlreadyBookedError):
        hold(confirmed.referral, session)
    assert rows() == before


def test_hold_of_the_course_that_was_missed_is_refused(session: Session) -> None:
    booking = b.ConfirmedBookingFactory.create(session=session)
    services.record_outcome(booking_id=booking.pk, is_completed=False, reason="DID_NOT_ATTEND", by=STAFF, now=NOW)
    before = rows()
    with pytest.raises(SessionNotOpenError):
        hold(booking.referral, session)
    assert rows() == before


def test_one_live_booking_per_referral_is_the_databases_rule(referral: Referral) -> None:
    b.BookingFactory.create(referral=referral)
    with pytest.raises(IntegrityError, match="bookings_one_live_per_referral"), transaction.atomic():
        b.BookingFactory.create(referral=referral)


# --- More time, details, consents --------------------------------------------------------------------------------
def test_extend_gives_a_quarter_of_an_hour_from_now_twice(referral: Referral, session: Session) -> None:
    booking = hold(referral, session)
    for after in (10, 20):
        now = NOW + after * MINUTE
        extended = services.extend_hold(booking_id=booking.pk, by=candidate(referral), now=now)
        assert extended.place.held_until == now + 15 * MINUTE
    before = rows()
    with pytest.raises(NoMoreTimeError):
        services.extend_hold(booking_id=booking.pk, by=candidate(referral), now=NOW + 30 * MINUTE)
    assert rows() == before


def pay(booking: Booking, now: dt.datetime) -> Attempt:
    return services.start_payment(
        booking_id=booking.pk,
        success_url="http://testserver/paid/",
        cancel_url="http://testserver/pay/",
        by=candidate(booking.referral),
        now=now,
    )


def test_the_payment_page_closes_by_the_start_or_is_not_opened(stripe_sandbox: "Sandbox", referral: Referral) -> None:
    session = c.OpenSessionFactory.create(starts_at=NOW + 61 * MINUTE)
    booking = b.ReadyBookingFactory.create(referral=referral, session=session)
    for after in (14, 28):
        services.extend_hold(booking_id=booking.pk, by=candidate(referral), now=NOW + after * MINUTE)
    before = rows()
    with pytest.raises(StartsTooSoonError):
        pay(booking, NOW + 31 * MINUTE)
    assert (rows(), Charge.objects.count()) == (before, 0)
    stripe_sandbox.control("clock", now=(NOW + 30 * MINUTE).isoformat())
    attempt = pay(booking, NOW + 30 * MINUTE)
    booking.place.refresh_from_db()
    assert (attempt.expires_at, booking.place.held_until) == (session.starts_at, session.starts_at)
    assert pay(booking, NOW + 40 * MINUTE).pk == attempt.pk  # the page that is open is still of use


def test_a_place_held_on_the_last_evening_to_book_is_paid_for_after_midnight(
    stripe_sandbox: "Sandbox", referral: Referral
) -> None:
    midnight = clock.end_of_london_day(referral.book_by)
    session = c.OpenSessionFactory.create(starts_at=midnight + dt.timedelta(days=5))
    held_at, paid_at = midnight - 5 * MINUTE, midnight + 4 * MINUTE
    booking = b.ReadyBookingFactory.create(referral=referral, session=session, now=held_at)
    stripe_sandbox.control("clock", now=paid_at.isoformat())
    assert pay(booking, paid_at).url
    with pytest.raises(BookByPassedError):
        hold(referral, c.OpenSessionFactory.create(starts_at=session.starts_at), paid_at)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.HELD


def test_nothing_can_be_done_with_a_hold_that_ran_out(referral: Referral, session: Session) -> None:
    booking = hold(referral, session)
    late, by = NOW + 15 * MINUTE, candidate(referral)
    before = rows()
    with pytest.raises(HoldEndedError):
        services.extend_hold(booking_id=booking.pk, by=by, now=late)
    with pytest.raises(HoldEndedError):
        services.give_details(booking_id=booking.pk, email="a@example.org", mobile="", by=by, now=late)
    with pytest.raises(HoldEndedError):
        services.give_consents(booking_id=booking.pk, text_ids=[], by=by, now=late)
    booking.refresh_from_db()
    assert (rows(), booking.email, booking.details_at) == (before, "", None)


def test_consents_are_all_or_nothing_and_kept_with_their_version(referral: Referral, session: Session) -> None:
    booking = hold(referral, session)
    texts = services.texts_needed(booking, now=NOW)
    assert [text.kind for text in texts] == list(ConsentKind.values)
    with pytest.raises(ConsentNeededError):
        services.give_consents(
            booking_id=booking.pk, text_ids=[text.pk for text in texts[1:]], by=candidate(referral), now=NOW
        )
    assert Consent.objects.count() == 0
    for _ in range(2):
        services.give_consents(
            booking_id=booking.pk, text_ids=[text.pk for text in texts], by=candidate(referral), now=NOW
        )
    assert set(Consent.objects.values_list("text__kind", "text__version")) == {
        (kind, 1) for kind in ConsentKind.values
    }


def test_consents_follow_the_newest_version_and_the_mode(referral: Referral) -> None:
    ConsentText.objects.create(kind="TERMS", version=2, valid_from=dt.date(2026, 11, 1), statement="New")
    ConsentText.objects.create(kind="TERMS", version=3, valid_from=dt.date(2027, 11, 1), statement="Not yet")
    classroom = hold(referral, c.ClassroomSessionFactory.create())
    needed = {text.kind: text.version for text in services.texts_needed(classroom, now=NOW)}
    assert needed == dict.fromkeys(b.CLASSROOM_CONSENTS, 1) | {"TERMS": 2}


# --- Letting go --------------------------------------------------------------------------------------------------
def test_release_holds_lets_go_what_ran_out_and_nothing_else(referral: Referral, session: Session) -> None:
    ran_out = b.ReadyBookingFactory.create(session=session, now=NOW - 15 * MINUTE)
    charge = p.ChargeFactory.create(booking_reference=ran_out.reference)
    running = hold(referral, session)
    assert services.release_holds(now=NOW, by=STAFF) == {"released": 1}
    assert services.release_holds(now=NOW, by=STAFF) == {"released": 0}
    ran_out.refresh_from_db()
    running.refresh_from_db()
    charge.refresh_from_db()
    assert (ran_out.status, running.status, claimed(session)) == (BookingStatus.LAPSED, BookingStatus.HELD, 1)
    assert charge.status == ChargeStatus.CANCELLED
    assert ran_out.referral.status == ReferralStatus.LIVE
    assert [message.kind for message in Message.objects.all()] == ["hold_lapsed"]


def test_release_holds_stretches_a_hold_that_is_being_paid_for(session: Session) -> None:
    paying = b.ReadyBookingFactory.create(session=session, now=NOW - 20 * MINUTE)
    p.OpenAttemptFactory.create(
        charge=p.ChargeFactory.create(booking_reference=paying.reference), expires_at=NOW + 2 * MINUTE
    )
    assert services.release_holds(now=NOW, by=STAFF) == {"released": 0}
    paying.refresh_from_db()
    assert (paying.status, paying.place.held_until) == (BookingStatus.HELD, NOW + 7 * MINUTE)
    assert services.release_holds(now=NOW + 7 * MINUTE, by=STAFF) == {"released": 1}
