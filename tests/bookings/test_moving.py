"""Moving to another date: what it costs, the hold beside the old place, the swap, and everything that ends it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from bookings import services
from bookings.constants import BookingStatus, CancelCause, Evidence, MoveRule, MoveStatus
from bookings.errors import (
    AfterCompleteByError,
    BookingStateError,
    ConsentNeededError,
    MoveEndedError,
    MoveUnpaidError,
    NoMoreTimeError,
    SameSessionError,
    TooLateToMoveError,
)
from bookings.models import Booking, Consent, Move
from common.clock import moment_words
from common.errors import PortalError
from courses import services as courses
from courses.constants import PlaceState
from courses.errors import NoPlaceLeftError, ReasonNeededError, SessionNotFoundError, SessionNotOpenError
from courses.models import Place, Session
from notifications.models import Message
from payments.constants import ChargeStatus, RefundReason
from payments.models import Charge, Refund
from referrals import services as referrals
from tests.bookings.conftest import NOW, STAFF, candidate, claimed, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def later(booking: Booking, **given: object) -> Session:
    """Another session of the same course, a week later."""
    starts_at = booking.place.session.starts_at + 7 * DAY
    return c.OpenSessionFactory.create(**{"starts_at": starts_at, **given})


def hold(booking: Booking, session: Session, now: dt.datetime = NOW) -> Move:
    return services.hold_move(booking_id=booking.pk, session_id=session.pk, by=candidate(booking.referral), now=now)


def by_staff(booking: Booking, session: Session, now: dt.datetime = NOW, **given: object) -> Move:
    return services.move_by_staff(
        booking_id=booking.pk,
        session_id=session.pk,
        reason="They rang",
        by=STAFF,
        now=now,
        **given,  # type: ignore[arg-type]
    )


def confirm(move: Move, now: dt.datetime = NOW, **given: object) -> Move:
    by = candidate(move.booking.referral)
    return services.confirm_move(move_id=move.pk, by=by, now=now, **given)  # type: ignore[arg-type]


def settle(charge: Charge, now: dt.datetime = NOW) -> None:
    """What payments does once Stripe says that a charge is paid."""
    charge.status, charge.paid_pence = ChargeStatus.PAID, charge.amount_pence
    charge.save()
    p.PaidAttemptFactory.create(charge=charge, now=now)
    with transaction.atomic():
        services.lock_for_charge(booking_reference=charge.booking_reference)
        services.confirm(charge=charge, by=STAFF, now=now)


def states(move: Move) -> tuple[str, str, str]:
    """Of the move, its new place and the old one."""
    move = Move.objects.select_related("place", "from_place").get(pk=move.pk)
    return move.status, move.place.state, move.from_place.state


def kinds() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))


def is_where_it_was(booking: Booking) -> bool:
    """Whether the booking is confirmed on the place it had."""
    now = Booking.objects.select_related("place").get(pk=booking.pk)
    return (now.place_id, now.status, now.place.state) == (booking.place_id, BookingStatus.CONFIRMED, PlaceState.TAKEN)


# --- What it costs ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before_start", "rule", "pence"),
    [
        (7 * DAY, MoveRule.FREE, 0),
        (7 * DAY - MINUTE, MoveRule.LATE, 2500),
        (DAY, MoveRule.LATE, 2500),
        (DAY - MINUTE, MoveRule.FULL_FEE, 9200),
        (MINUTE, MoveRule.FULL_FEE, 9200),
    ],
)
def test_s04_the_fee_of_a_first_move_follows_the_time_left(
    before_start: dt.timedelta, rule: MoveRule, pence: int
) -> None:
    booking = b.ConfirmedBookingFactory.create()
    quote = services.quote_move(booking, now=booking.place.session.starts_at - before_start)
    assert (quote.rule, quote.pence) == (rule, pence)


def test_s04_a_second_move_costs_the_move_fee_and_a_waived_one_does_not_count() -> None:
    booking = b.ConfirmedBookingFactory.create()
    for _ in range(2):
        services.move_by_staff(
            booking_id=booking.pk,
            session_id=later(booking).pk,
            reason="In hospital",
            rule=MoveRule.WAIVED,
            evidence=Evidence.HOSPITAL,
            by=STAFF,
            now=NOW,
        )
    booking = Booking.objects.with_session().get(pk=booking.pk)
    assert services.quote_move(booking, now=NOW).rule == MoveRule.FREE
    confirm(hold(booking, later(booking)))
    booking = Booking.objects.with_session().get(pk=booking.pk)
    quote = services.quote_move(booking, now=NOW)
    assert (quote.rule, quote.pence) == (MoveRule.LATE, 2500)


def test_s04_the_policy_the_booking_was_made_under_decides() -> None:
    booking = b.ConfirmedBookingFactory.create()
    policy = booking.policy
    policy.pk, policy.valid_from, policy.valid_to = None, dt.date(2019, 1, 1), dt.date(2019, 1, 2)
    policy.move_free_days, policy.move_fee_pence = 100, 3100
    policy.save()
    booking.policy = policy
    booking.save()
    assert services.quote_move(booking, now=NOW).pence == 3100


def test_s04_the_fee_stays_what_was_shown_when_the_time_passes() -> None:
    booking = b.ConfirmedBookingFactory.create()
    last_free = booking.place.session.starts_at - 7 * DAY
    move = hold(booking, later(booking), last_free)
    confirm(move, last_free + 10 * MINUTE)
    assert states(move) == (MoveStatus.DONE, PlaceState.TAKEN, PlaceState.RELEASED)
    assert Charge.objects.count() == 0


# --- Held beside the old place ------------------------------------------------------------------------------------
def test_s04_a_hold_for_a_move_leaves_the_old_place_theirs() -> None:
    booking = b.ConfirmedBookingFactory.create()
    session = later(booking)
    move = hold(booking, session)
    assert (move.rule, move.fee_pence, move.place.held_until) == (MoveRule.FREE, 0, NOW + 15 * MINUTE)
    assert is_where_it_was(booking)
    assert (claimed(booking.place.session), claimed(session)) == (1, 1)
    event = AuditEvent.objects.get(action="booking.move_held")
    assert event.words == (
        "A place on 9am on Monday 21 December 2026 is held for a move that costs nothing, until 10:15am on Friday 20"
        " November 2026."
    )
    assert kinds() == []


def test_holding_the_same_date_twice_is_one_hold_and_another_date_gives_the_first_back() -> None:
    booking = b.ConfirmedBookingFactory.create()
    first, second = later(booking), later(booking, starts_at=booking.place.session.starts_at + 14 * DAY)
    move = hold(booking, first)
    before = rows()
    assert (hold(booking, first, NOW + MINUTE).pk, rows()) == (move.pk, before)
    other = hold(booking, second)
    assert states(move)[:2] == (MoveStatus.CANCELLED, PlaceState.RELEASED)
    assert states(other)[:2] == (MoveStatus.HELD, PlaceState.HELD)
    assert (claimed(first), claimed(second)) == (0, 1)


@pytest.mark.parametrize(
    ("session", "error"),
    [
        ({"capacity": 1}, NoPlaceLeftError),
        ({"starts_at": NOW + 120 * DAY}, AfterCompleteByError),
        ({"starts_at": NOW + MINUTE}, SessionNotOpenError),
        ({"status": "DRAFT"}, SessionNotOpenError),
        ({"code": "WDU"}, SessionNotFoundError),
    ],
)
def test_s03_s04_a_date_that_cannot_be_had_is_refused_and_nothing_changes(
    session: dict[str, object], error: type[PortalError]
) -> None:
    booking = b.ConfirmedBookingFactory.create()
    wanted = later(booking, **session)
    if "capacity" in session:
        c.TakenPlaceFactory.create(session=wanted)
    before = rows()
    with pytest.raises(error):
        hold(booking, wanted)
    with pytest.raises(error):
        by_staff(booking, wanted, rule=MoveRule.OURS)
    assert (rows(), is_where_it_was(booking), Move.objects.count()) == (before, True, 0)


def test_the_date_they_have_and_one_that_is_unknown_are_refused() -> None:
    booking = b.ConfirmedBookingFactory.create()
    before = rows()
    with pytest.raises(SameSessionError):
        hold(booking, booking.place.session)
    with pytest.raises(SessionNotFoundError):
        services.hold_move(booking_id=booking.pk, session_id=987654321, by=STAFF, now=NOW)
    assert rows() == before


@pytest.mark.parametrize(
    ("made_by", "after", "error"),
    [
        (b.ConfirmedBookingFactory, dt.timedelta(), TooLateToMoveError),
        (b.ReadyBookingFactory, -DAY, BookingStateError),
        (b.CancelledBookingFactory, -DAY, BookingStateError),
        (b.CompletedBookingFactory, DAY, BookingStateError),
    ],
)
def test_a_booking_that_is_not_to_come_is_not_moved(
    made_by: type[b.BookingFactory], after: dt.timedelta, error: type[PortalError]
) -> None:
    booking = made_by.create()
    session = later(booking)
    before = rows()
    with pytest.raises(error):
        hold(booking, session, booking.place.session.starts_at + after)
    assert rows() == before


def test_s02_a_full_session_of_holds_that_ran_out_has_places_again() -> None:
    booking = b.ConfirmedBookingFactory.create()
    session = later(booking, capacity=1)
    idle = b.MoveFactory.create(session=session, now=NOW - 20 * MINUTE)
    move = hold(booking, session)
    assert (states(idle)[0], states(move)[:2]) == (MoveStatus.LAPSED, (MoveStatus.HELD, PlaceState.HELD))
    assert claimed(session) == 1


def test_the_hold_is_extended_twice_and_not_again() -> None:
    move = b.MoveFactory.create()
    by = candidate(move.booking.referral)
    for minutes in (10, 20):
        services.extend_move(move_id=move.pk, by=by, now=NOW + minutes * MINUTE)
    move.refresh_from_db()
    assert (move.extensions, move.place.held_until) == (2, NOW + 35 * MINUTE)
    before = rows()
    with pytest.raises(NoMoreTimeError):
        services.extend_move(move_id=move.pk, by=by, now=NOW + 30 * MINUTE)
    with pytest.raises(MoveEndedError):
        services.extend_move(move_id=move.pk, by=by, now=NOW + 40 * MINUTE)
    assert rows() == before


def test_no_route_holds_a_place_for_a_move_past_complete_by() -> None:
    booking = b.ConfirmedBookingFactory.create()
    late = later(booking, starts_at=NOW + 120 * DAY)
    place = b.place_for(booking.referral, late)
    with pytest.raises(IntegrityError, match="ends after complete by"), transaction.atomic():
        b.MoveFactory.create(booking=booking, place=place)
    with pytest.raises(IntegrityError, match="ends after complete by"), transaction.atomic():
        Booking.objects.filter(pk=booking.pk).update(place=place)
    with pytest.raises(IntegrityError, match="is not held for referral"), transaction.atomic():
        b.MoveFactory.create(booking=booking, place=c.HeldPlaceFactory.create(session=later(booking)))
    with pytest.raises(AfterCompleteByError):
        services.move_to_place(booking=booking, place_id=place.pk, by=STAFF, now=NOW)
    assert is_where_it_was(booking)


# --- The swap -----------------------------------------------------------------------------------------------------
def test_s04_a_free_move_swaps_both_places_at_once_and_tells_once() -> None:
    booking = b.ConfirmedBookingFactory.create()
    old, new = booking.place.session, later(booking)
    move = confirm(hold(booking, new))
    before = rows()
    confirm(move)  # a double submit
    booking.refresh_from_db()
    assert (rows(), booking.place.session_id, booking.status) == (before, new.pk, BookingStatus.CONFIRMED)
    assert states(move) == (MoveStatus.DONE, PlaceState.TAKEN, PlaceState.RELEASED)
    assert (claimed(old), claimed(new)) == (0, 1)
    message = Message.objects.get()
    assert (message.kind, message.context["was"], message.context["move_fee"]) == (
        "moved",
        "9am on Monday 14 December 2026",
        "",
    )
    assert "DTSTART;TZID=Europe/London:20261221T090000" in message.attachments[0]["text"]
    assert AuditEvent.objects.get(action="booking.moved").words == (
        "The booking was moved from 9am on Monday 14 December 2026 to 9am on Monday 21 December 2026."
    )


def test_reminders_of_the_old_date_are_withdrawn_and_those_of_the_new_one_come() -> None:
    booking = b.ConfirmedBookingFactory.create(now=NOW - 10 * DAY)
    start = booking.place.session.starts_at
    services.schedule_reminders(now=start - 7 * DAY, by=STAFF)
    by_staff(booking, later(booking), start - 7 * DAY, rule=MoveRule.OURS)
    assert [(one.kind, one.status) for one in Message.objects.order_by("pk")] == [
        ("reminder_7d", "DROPPED"),
        ("moved", "QUEUED"),
    ]
    assert services.schedule_reminders(now=start, by=STAFF)["reminder_7d"] == 1


def test_a_move_to_a_room_and_back_needs_the_consent_of_digital_courses() -> None:
    room = c.ClassroomSessionFactory.create()
    booking = b.ConfirmedBookingFactory.create(session=room)
    move = hold(booking, later(booking))
    before = rows()
    with pytest.raises(ConsentNeededError):
        confirm(move)
    assert (rows(), is_where_it_was(booking)) == (before, True)
    confirm(move, text_ids=[text.pk for text in services.texts_for_move(move, now=NOW)])
    assert states(move)[0] == MoveStatus.DONE
    assert Consent.objects.filter(booking=booking, text__kind="DIGITAL").count() == 1


def test_a_free_move_is_refused_once_its_hold_ran_out_or_the_fee_is_due() -> None:
    free, dear = b.MoveFactory.create(), b.PaidMoveFactory.create()
    before = rows()
    with pytest.raises(MoveEndedError):
        confirm(free, NOW + 16 * MINUTE)
    with pytest.raises(MoveUnpaidError):
        confirm(dear)
    assert rows() == before
    assert is_where_it_was(free.booking)


def test_an_abandoned_move_gives_the_new_place_back() -> None:
    move = b.PaidMoveFactory.create()
    for _ in range(2):
        services.abandon_move(move_id=move.pk, by=STAFF, now=NOW)
    assert states(move) == (MoveStatus.CANCELLED, PlaceState.RELEASED, PlaceState.TAKEN)
    assert Charge.objects.get().status == ChargeStatus.CANCELLED
    assert is_where_it_was(move.booking)


# --- Paid ---------------------------------------------------------------------------------------------------------
def test_s04_paid_in_time_the_places_swap() -> None:
    move = b.PaidMoveFactory.create()
    settle(move.charge)
    assert states(move) == (MoveStatus.DONE, PlaceState.TAKEN, PlaceState.RELEASED)
    assert (kinds(), Message.objects.get().context["move_fee"], Refund.objects.count()) == (["moved"], "£25", 0)


def test_paid_after_the_time_but_before_the_sweep_still_moves() -> None:
    move = b.PaidMoveFactory.create(now=NOW - 30 * MINUTE)
    settle(move.charge)
    assert states(move)[0] == MoveStatus.DONE


def test_s04_unpaid_the_hold_lapses_and_the_old_place_is_still_theirs() -> None:
    move = b.PaidMoveFactory.create()
    assert services.release_holds(now=NOW + 16 * MINUTE, by=STAFF) == {"released": 1}
    assert states(move) == (MoveStatus.LAPSED, PlaceState.RELEASED, PlaceState.TAKEN)
    assert (Charge.objects.get().status, is_where_it_was(move.booking)) == (ChargeStatus.CANCELLED, True)
    told = Message.objects.get()
    assert (told.kind, told.dedupe_key) == ("move_lapsed", f"move_lapsed:{move.pk}")
    assert (told.context["wanted"], told.context["starts"]) == (
        "9am on Monday 21 December 2026",
        moment_words(move.booking.place.session.starts_at),
    )
    assert services.release_holds(now=NOW + 16 * MINUTE, by=STAFF) == {"released": 0}
    assert Message.objects.count() == 1


def test_a_move_that_is_being_paid_for_does_not_lapse() -> None:
    move = b.PaidMoveFactory.create()
    attempt = p.OpenAttemptFactory.create(charge=move.charge)
    assert services.release_holds(now=NOW + 16 * MINUTE, by=STAFF) == {"released": 0}
    move.refresh_from_db()
    assert (move.status, move.place.held_until) == (MoveStatus.HELD, attempt.expires_at + 5 * MINUTE)


def test_s04_paid_after_it_lapsed_while_a_seat_is_free_still_moves() -> None:
    move = b.LapsedMoveFactory.create()
    first = move.place_id
    settle(move.charge, NOW + 40 * MINUTE)
    move.refresh_from_db()
    assert move.place_id != first
    assert states(move) == (MoveStatus.DONE, PlaceState.TAKEN, PlaceState.RELEASED)
    assert kinds() == ["moved"]


def test_s04_paid_after_it_lapsed_and_the_seat_went_is_refunded_and_the_old_place_stays() -> None:
    move = b.LapsedMoveFactory.create()
    session = move.place.session
    c.TakenPlaceFactory.create_batch(session.capacity, session=session)
    settle(move.charge, NOW + 40 * MINUTE)
    refund = Refund.objects.get()
    assert (refund.amount_pence, refund.cause) == (2500, RefundReason.PAID_TOO_LATE)
    assert is_where_it_was(move.booking)
    message = Message.objects.get()
    assert (message.kind, message.context["refund"], message.context["is_booked"], message.context["wanted"]) == (
        "move_not_made",
        "£25",
        True,
        "9am on Monday 21 December 2026",
    )


@pytest.mark.parametrize("is_released_first", [False, True])
def test_s04_paid_when_the_new_course_has_begun_is_refunded_and_the_old_place_stays(is_released_first: bool) -> None:
    move = b.PaidMoveFactory.create()
    old, begun = move.booking.place_id, move.place.session.starts_at + 11 * MINUTE
    if is_released_first:
        services.release_holds(now=begun, by=STAFF)
    settle(move.charge, begun)
    services.release_holds(now=begun, by=STAFF)
    move.refresh_from_db()
    move.booking.refresh_from_db()
    assert (move.status in (MoveStatus.LAPSED, MoveStatus.CANCELLED), move.booking.place_id) == (True, old)
    assert states(move)[1:] == (PlaceState.RELEASED, PlaceState.TAKEN)
    refund = Refund.objects.get()
    assert (refund.amount_pence, refund.cause) == (move.fee_pence, RefundReason.PAID_TOO_LATE)


def test_paid_for_a_date_left_for_another_is_refunded() -> None:
    left = b.PaidMoveFactory.create()
    other = hold(left.booking, later(left.booking, starts_at=NOW + 14 * DAY))
    settle(Charge.objects.get(pk=left.charge_id))
    assert (states(left)[0], states(other)[0]) == (MoveStatus.CANCELLED, MoveStatus.HELD)
    assert (Refund.objects.get().amount_pence, kinds()) == (2500, ["move_not_made"])
    assert is_where_it_was(left.booking)


def test_paid_after_staff_moved_them_elsewhere_is_refunded() -> None:
    move = b.PaidMoveFactory.create()
    services.move_by_staff(
        booking_id=move.booking_id,
        session_id=later(move.booking, starts_at=NOW + 14 * DAY).pk,
        reason="They rang",
        rule=MoveRule.OURS,
        by=STAFF,
        now=NOW,
    )
    settle(Charge.objects.get(pk=move.charge_id))
    assert (Refund.objects.get().amount_pence, kinds()) == (2500, ["moved", "move_not_made"])


# --- Ends with something else -------------------------------------------------------------------------------------
def cancel(move: Move) -> None:
    services.cancel(booking_id=move.booking_id, by=candidate(move.booking.referral), now=NOW)


def withdraw(move: Move) -> None:
    referral = move.booking.referral
    referrals.withdraw(
        force_code=referral.force_id,
        reference=referral.reference,
        reason="OTHER",
        effective_at=None,
        received_at=NOW,
        by=STAFF,
        now=NOW,
    )


def call_off_old(move: Move) -> None:
    courses.cancel_session(session_id=move.from_place.session_id, reason="Trainer ill", by=STAFF, now=NOW)


@pytest.mark.parametrize("end", [cancel, withdraw, call_off_old])
def test_a_move_ends_with_its_booking_and_gives_the_new_place_back(end: object) -> None:
    move = b.PaidMoveFactory.create()
    end(move)  # type: ignore[operator]
    services.release_holds(now=NOW, by=STAFF)
    assert states(move) == (MoveStatus.CANCELLED, PlaceState.RELEASED, PlaceState.RELEASED)
    assert Charge.objects.get().status == ChargeStatus.CANCELLED
    settle(Charge.objects.get(), NOW + MINUTE)  # they had paid all the same
    assert Refund.objects.get().amount_pence == 2500
    assert Message.objects.get(kind="move_not_made").context["is_booked"] is False
    assert Place.objects.claiming().count() == 0


def test_a_move_ends_when_the_new_date_is_called_off_or_changed_and_the_old_place_stays() -> None:
    off, changed = b.PaidMoveFactory.create(), b.PaidMoveFactory.create()
    courses.cancel_session(session_id=off.place.session_id, reason="Trainer ill", by=STAFF, now=NOW)
    courses.change_session(
        session_id=changed.place.session_id, reason="Room", starts_at=NOW + 30 * DAY, by=STAFF, now=NOW
    )
    services.release_holds(now=NOW, by=STAFF)
    for move in (off, changed):
        assert states(move) == (MoveStatus.CANCELLED, PlaceState.RELEASED, PlaceState.TAKEN)
        assert is_where_it_was(move.booking)
    assert (kinds(), Charge.objects.filter(status=ChargeStatus.OPEN).count()) == ([], 0)


def test_a_move_made_is_not_paid_back_on_cancelling_but_is_when_kcc_cancels() -> None:
    moved = []
    for _ in range(2):
        move = b.PaidMoveFactory.create()
        p.PaidChargeFactory.create(booking_reference=move.booking.reference)
        settle(move.charge)
        moved.append(move)
    theirs, ours = (move.booking_id for move in moved)
    assert services.cancel(booking_id=theirs, by=STAFF, now=NOW).pence == 9200
    assert services.cancel(booking_id=ours, cause=CancelCause.KCC, reason="Ours", by=STAFF, now=NOW).pence == 11700


# --- By staff, and by the waiting list ----------------------------------------------------------------------------
def test_staff_move_at_once_with_a_reason_and_the_kind_of_evidence() -> None:
    move = b.PaidMoveFactory.create()
    before = rows()
    with pytest.raises(ReasonNeededError):
        services.move_by_staff(
            booking_id=move.booking_id,
            session_id=move.place.session_id,
            reason=" ",
            by=STAFF,
            now=NOW,
        )
    assert rows() == before
    made = services.move_by_staff(
        booking_id=move.booking_id,
        session_id=move.place.session_id,  # the very one that is held
        reason="In hospital",
        rule=MoveRule.WAIVED,
        evidence=Evidence.HOSPITAL,
        by=STAFF,
        now=NOW,
    )
    assert (made.rule, made.fee_pence, made.evidence) == (MoveRule.WAIVED, 0, "HOSPITAL")
    assert states(made) == (MoveStatus.DONE, PlaceState.TAKEN, PlaceState.RELEASED)
    assert states(move)[:2] == (MoveStatus.CANCELLED, PlaceState.RELEASED)
    event = AuditEvent.objects.get(action="booking.moved")
    assert (event.reason, claimed(move.place.session)) == ("In hospital", 1)


def test_staff_move_free_by_the_policy_at_once_and_it_counts() -> None:
    booking = b.ConfirmedBookingFactory.create()
    made = by_staff(booking, later(booking))
    assert (made.rule, made.status, kinds()) == (MoveRule.FREE, MoveStatus.DONE, ["moved"])
    booking = Booking.objects.with_session().get(pk=booking.pk)
    assert services.quote_move(booking, now=NOW).rule == MoveRule.LATE


def test_a_fee_is_never_taken_by_staff_the_candidate_is_told_where_to_pay() -> None:
    booking = b.ConfirmedBookingFactory.create()
    late = booking.place.session.starts_at - 3 * DAY
    move = by_staff(booking, later(booking), late)
    assert (move.rule, move.fee_pence, move.place.held_until) == (MoveRule.LATE, 2500, late + 84 * MINUTE)
    assert is_where_it_was(booking)
    message = Message.objects.get()
    assert (message.kind, message.context["move_fee"], message.context["wanted"], message.useless_at) == (
        "move_to_pay",
        "£25",
        "9am on Monday 21 December 2026",
        late + 84 * MINUTE,
    )
    assert message.context["pay_url"].endswith("/booking/move/check/")
    services.release_holds(now=late + 84 * MINUTE, by=STAFF)
    assert (states(move)[0], is_where_it_was(booking)) == (MoveStatus.LAPSED, True)


@pytest.mark.parametrize("given", [{"rule": MoveRule.FREE}, {"rule": MoveRule.WAIVED}, {"evidence": Evidence.MEDICAL}])
def test_staff_choose_no_other_rule_and_waive_nothing_without_the_kind_of_evidence(given: dict[str, object]) -> None:
    booking = b.ConfirmedBookingFactory.create()
    session = later(booking)
    before = rows()
    with pytest.raises(BookingStateError):
        by_staff(booking, session, **given)
    assert rows() == before


def test_staff_read_out_what_a_digital_course_needs() -> None:
    booking = b.ConfirmedBookingFactory.create(session=c.ClassroomSessionFactory.create())
    session = later(booking)
    before = rows()
    with pytest.raises(ConsentNeededError):
        by_staff(booking, session, rule=MoveRule.OURS)
    assert (rows(), is_where_it_was(booking)) == (before, True)
    texts = services.texts_to_join(booking, now=NOW)
    by_staff(booking, session, rule=MoveRule.OURS, text_ids=[text.pk for text in texts])
    assert Consent.objects.filter(booking=booking, text__kind="DIGITAL").count() == 1


@pytest.mark.parametrize("is_under_way", [False, True])
def test_a_place_held_already_is_moved_to_free(is_under_way: bool) -> None:
    move = b.PaidMoveFactory.create()
    booking = move.booking
    place = move.place if is_under_way else b.place_for(booking.referral, later(booking, starts_at=NOW + 14 * DAY))
    with transaction.atomic():
        made = services.move_to_place(booking=services.lock_booking(booking.pk), place_id=place.pk, by=STAFF, now=NOW)
    services.release_holds(now=NOW, by=STAFF)
    booking.refresh_from_db()
    assert (booking.place_id, made.rule, made.fee_pence) == (place.pk, MoveRule.OURS, 0)
    assert (kinds(), Place.objects.claiming().count()) == (["moved"], 1)
    assert Charge.objects.get().status == ChargeStatus.CANCELLED
