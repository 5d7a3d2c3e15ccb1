"""Cancelled, withdrawn, expired, called off: the place goes back and the money goes where the policy says."""

import datetime as dt
from collections.abc import Callable

import pytest

from audit.context import Actor
from audit.models import AuditEvent
from bookings import services
from bookings.constants import BookingStatus, CancelCause, Evidence
from bookings.errors import BookingNotFoundError, CandidatesStrandedError, TooLateToCancelError
from bookings.models import Booking
from common import clock
from courses import services as courses
from courses.constants import PlaceState, SessionStatus
from courses.errors import ReasonNeededError
from notifications.constants import MessageStatus
from notifications.models import Message
from payments import services as payments
from payments.constants import ChargeStatus, Purpose, RefundReason, RefundStatus
from payments.errors import ChargeStateError
from payments.models import Posting, Refund
from referrals import services as referrals
from referrals.constants import ReferralStatus, WithdrawalReason
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF, candidate, claimed, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p

DAY = dt.timedelta(days=1)
POLICE = Actor("officer", "3")
SCD = {"amount_pence": 18500, "parts": {"police": 4500, "levy": 300, "vat": 0, "provider": 13700}}
pytestmark = pytest.mark.django_db


def confirmed(**given: object) -> Booking:
    booking = b.ConfirmedBookingFactory.create(**given)
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key)
    return booking


def cancel(booking: Booking, now: dt.datetime = NOW, **given: object) -> int:
    by = STAFF if given else candidate(booking.referral)
    return services.cancel(booking_id=booking.pk, by=by, now=now, **given).pence  # type: ignore[arg-type]


def kept() -> int:
    """What was earned of a fee without a course, in pence."""
    return -sum(Posting.objects.filter(account="COURSE_INCOME").values_list("amount_pence", flat=True))


def withdraw(referral: Referral, reason: str = WithdrawalReason.OTHER, now: dt.datetime = NOW) -> None:
    referrals.withdraw(
        force_code=referral.force_id,
        reference=referral.reference,
        reason=reason,
        effective_at=None,
        received_at=now,
        by=POLICE,
        now=now,
    )


# --- By the candidate, or for them -------------------------------------------------------------------------------
def test_cancel_in_time_gives_everything_back() -> None:
    booking = confirmed()
    assert cancel(booking, NOW + DAY) == 9200
    booking.refresh_from_db()
    booking.referral.refresh_from_db()
    refund = Refund.objects.get()
    assert (booking.status, booking.cancel_cause) == (BookingStatus.CANCELLED, CancelCause.CANDIDATE)
    assert (booking.place.state, claimed(booking.place.session)) == (PlaceState.RELEASED, 0)
    assert booking.referral.status == ReferralStatus.LIVE
    assert (refund.amount_pence, refund.cause) == (9200, RefundReason.CANCELLED_IN_TIME)
    message = Message.objects.get()
    assert (message.kind, message.context["refund"], message.context["by_kcc"]) == ("cancelled", "£92", False)
    assert "METHOD:CANCEL" in message.attachments[0]["text"]


@pytest.mark.parametrize(
    ("booked", "cancelled", "back"),
    [
        # The course is at 9am on 14 December; booked on 20 November.
        (NOW, clock.from_london(dt.date(2026, 12, 4), dt.time(23, 59)), 9200),
        (NOW, clock.from_london(dt.date(2026, 12, 5), dt.time(0, 0)), 0),
        (NOW + 10 * DAY, clock.from_london(dt.date(2026, 12, 7), dt.time(9, 0)), 9200),
        (NOW + 10 * DAY, clock.from_london(dt.date(2026, 12, 7), dt.time(9, 1)), 0),
    ],
)
def test_cancel_refunds_within_14_days_while_the_course_is_7_days_away(
    booked: dt.datetime, cancelled: dt.datetime, back: int
) -> None:
    booking = confirmed(now=booked, session=c.OpenSessionFactory.create())
    assert cancel(booking, cancelled) == back
    assert Refund.objects.count() == (1 if back else 0)
    assert kept() == 9200 - back


def test_staff_may_ask_it_back_for_a_kind_of_evidence_with_a_reason_and_a_second_person_agrees() -> None:
    booking = confirmed()
    late = booking.place.session.starts_at - DAY
    with pytest.raises(ReasonNeededError):
        cancel(booking, late, evidence=Evidence.HOSPITAL)
    assert Booking.objects.get().status == BookingStatus.CONFIRMED
    assert cancel(booking, late, evidence=Evidence.HOSPITAL, reason="Letter seen") == 9200
    refund = Refund.objects.get()
    assert (refund.cause, refund.status) == (RefundReason.GOODWILL, RefundStatus.WAITING)
    event = AuditEvent.objects.get(action="booking.cancelled")
    assert (event.reason, event.data["evidence"]) == ("Letter seen", "HOSPITAL")
    assert event.words.endswith("£92 goes back once a second person has agreed.")
    told = Message.objects.exclude(kind="money_task").get()
    assert (told.kind, told.context["refund"], told.context["is_waiting"]) == ("cancelled", "£92", True)


def decided(what: Callable[..., Refund], refund: Refund) -> None:
    for _ in range(2):
        what(refund_id=refund.pk, note="No such letter", by=Actor("staff", "8"), now=NOW)


def test_who_was_told_that_a_refund_is_checked_is_told_once_that_it_is_not_sent() -> None:
    booking = confirmed()
    late = booking.place.session.starts_at - DAY
    cancel(booking, late, evidence=Evidence.HOSPITAL, reason="Letter seen")
    decided(payments.reject_refund, Refund.objects.get())
    told = Message.objects.exclude(kind="money_task").order_by("pk")
    assert list(told.values_list("kind", "referral_key")) == [
        ("cancelled", booking.referral.key),
        ("refund_refused", booking.referral.key),
    ]
    assert (told[1].context["amount"], told[1].context["reference"]) == ("£92", booking.reference)
    assert "No such letter" not in str(told[1].context)
    assert (kept(), Refund.objects.get().status) == (9200, RefundStatus.REJECTED)


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_who_was_told_of_no_check_is_not_told_of_its_end(is_cancelled: bool) -> None:
    booking = confirmed()
    if is_cancelled:
        assert cancel(booking, booking.place.session.starts_at - DAY) == 0
    before = Message.objects.count()
    asked = payments.ask_refund(
        charge_id=p.Charge.objects.get().pk,
        amount_pence=4000,
        reason=RefundReason.GOODWILL,
        note="Bereavement",
        by=STAFF,
        now=NOW,
    )
    decided(payments.reject_refund, asked)
    assert Message.objects.exclude(kind="money_task").count() == before
    # Nor need staff hear any more that it waits.
    assert Message.objects.get(kind="money_task").status == MessageStatus.DROPPED


def test_an_approved_refund_is_not_told_as_refused() -> None:
    booking = confirmed()
    cancel(booking, booking.place.session.starts_at - DAY, evidence=Evidence.HOSPITAL, reason="Letter seen")
    decided(payments.approve_refund, Refund.objects.get())
    assert not Message.objects.filter(kind="refund_refused").exists()
    assert Message.objects.get(kind="money_task").status == MessageStatus.DROPPED


def test_cancel_by_kcc_gives_everything_back_however_late() -> None:
    booking = confirmed()
    late = booking.place.session.starts_at - dt.timedelta(hours=1)
    assert cancel(booking, late, cause=CancelCause.KCC, reason="Our mistake") == 9200
    refund = Refund.objects.get()
    assert (refund.cause, refund.status) == (RefundReason.KCC_CANCELLED, RefundStatus.REQUESTED)
    assert Message.objects.get().context["is_waiting"] is False


def test_cancel_by_kcc_above_the_limit_waits_for_a_second_person_and_a_called_off_session_does_not() -> None:
    single, of_session = b.ConfirmedBookingFactory.create(), b.ConfirmedBookingFactory.create()
    for booking in (single, of_session):
        p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=booking.referral.key, **SCD)
    assert cancel(single, cause=CancelCause.KCC, reason="Our mistake") == 18500
    courses.cancel_session(session_id=of_session.place.session_id, reason="Trainer ill", by=STAFF, now=NOW)
    refunds = Refund.objects.order_by("pk")
    assert [(refund.amount_pence, refund.status) for refund in refunds] == [(18500, "WAITING"), (18500, "REQUESTED")]


def test_the_fee_of_a_move_counts_to_the_limit_with_the_course_fee() -> None:
    booking = confirmed()
    p.PaidChargeFactory.create(
        booking_reference=booking.reference, purpose=Purpose.REBOOK_FEE, parts={"provider": 9200}
    )
    assert cancel(booking, cause=CancelCause.KCC, reason="Our mistake") == 18400
    assert list(Refund.objects.order_by("pk").values_list("amount_pence", "status")) == [(9200, "WAITING")] * 2


def _withdrawn(booking: Booking) -> None:
    withdraw(booking.referral, WithdrawalReason.COURT)


def _by_kcc(booking: Booking) -> None:
    cancel(booking, cause=CancelCause.KCC, reason="Our mistake")


def _with_session(booking: Booking) -> None:
    courses.cancel_session(session_id=booking.place.session_id, reason="Trainer ill", by=STAFF, now=NOW)


def _in_time(booking: Booking) -> None:
    cancel(booking)


@pytest.mark.parametrize("end", [_withdrawn, _by_kcc, _with_session, _in_time])
@pytest.mark.parametrize("asked", [9200, 4000])
def test_what_waits_for_a_second_person_is_overtaken_and_all_of_it_goes_back_once(
    end: Callable[[Booking], None], asked: int
) -> None:
    booking = confirmed(session=c.OpenSessionFactory.create())
    waiting = payments.ask_refund(
        charge_id=p.Charge.objects.get().pk,
        amount_pence=asked,
        reason=RefundReason.GOODWILL,
        note="Bereavement",
        by=STAFF,
        now=NOW,
    )
    end(booking)
    refunds = Refund.objects.order_by("pk").values_list("amount_pence", "status")
    assert list(refunds) == [(asked, "REJECTED"), (9200, "REQUESTED")]
    for decide in (payments.approve_refund, payments.reject_refund):
        with pytest.raises(ChargeStateError):
            decide(refund_id=waiting.pk, note="Seen", by=Actor("staff", "8"), now=NOW)
    assert (list(refunds), p.Charge.objects.get().refunded_pence) == ([(asked, "REJECTED"), (9200, "REQUESTED")], 9200)
    assert (kept(), Message.objects.exclude(kind="money_task").get().context["refund"]) == (0, "£92")
    assert AuditEvent.objects.get(action="refund.overtaken").data["refund"] == waiting.pk
    assert not Message.objects.filter(kind="refund_refused").exists()
    letter = Message.objects.get(dedupe_key=f"refund:{waiting.pk}:waiting")
    assert (letter.kind, letter.status) == ("money_task", MessageStatus.DROPPED)


@pytest.mark.parametrize("end", [_withdrawn, _by_kcc, _with_session, _in_time])
def test_a_booking_whose_fee_the_bank_has_taken_back_ends_all_the_same(end: Callable[[Booking], None]) -> None:
    booking = confirmed(session=c.OpenSessionFactory.create())
    charge = p.Charge.objects.get()
    p.DisputeFactory.create(charge=charge)
    end(booking)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCELLED
    assert list(Refund.objects.values_list("amount_pence", "status")) == [(9200, "REQUESTED")]


def test_what_waits_is_still_decided_on_where_the_policy_gives_nothing_back() -> None:
    booking = confirmed()
    payments.ask_refund(
        charge_id=p.Charge.objects.get().pk,
        amount_pence=4000,
        reason=RefundReason.GOODWILL,
        note="Bereavement",
        by=STAFF,
        now=NOW,
    )
    assert cancel(booking, booking.place.session.starts_at - DAY) == 0
    refund = Refund.objects.get()
    payments.approve_refund(refund_id=refund.pk, note="Seen", by=Actor("staff", "8"), now=NOW)
    assert list(Refund.objects.values_list("amount_pence", "status")) == [(4000, "REQUESTED")]


def test_cancel_of_what_is_only_held_gives_up_the_charge() -> None:
    booking = b.ReadyBookingFactory.create()
    charge = p.ChargeFactory.create(booking_reference=booking.reference)
    assert cancel(booking) == 0
    charge.refresh_from_db()
    assert (charge.status, claimed(booking.place.session)) == (ChargeStatus.CANCELLED, 0)
    assert (Message.objects.count(), kept()) == (0, 0)


def test_cancel_once_it_has_started_is_refused() -> None:
    booking = confirmed()
    before = rows()
    with pytest.raises(TooLateToCancelError):
        cancel(booking, booking.place.session.starts_at)
    booking.refresh_from_db()
    assert (booking.status, rows(), Refund.objects.count()) == (BookingStatus.CONFIRMED, before, 0)


def test_cancel_of_an_unknown_booking_is_refused(referral: Referral) -> None:
    with pytest.raises(BookingNotFoundError):
        services.cancel(booking_id=0, by=STAFF, now=NOW)


def test_a_second_payment_that_came_back_by_itself_does_not_count() -> None:
    booking = confirmed()
    charge = p.Charge.objects.get()
    p.PaidAttemptFactory.create(charge=charge, is_extra=True)
    assert cancel(booking) == 9200


# --- By the police -----------------------------------------------------------------------------------------------
def test_s13_withdrawn_while_paying_frees_the_place_and_gives_up_the_charge() -> None:
    booking = b.ReadyBookingFactory.create()
    charge = p.ChargeFactory.create(booking_reference=booking.reference)
    p.OpenAttemptFactory.create(charge=charge)
    withdraw(booking.referral)
    booking.refresh_from_db()
    charge.refresh_from_db()
    assert (booking.status, booking.cancel_cause) == (BookingStatus.CANCELLED, CancelCause.POLICE)
    assert (charge.status, claimed(booking.place.session)) == (ChargeStatus.CANCELLED, 0)
    assert Message.objects.get().kind == "withdrawn"


@pytest.mark.parametrize(
    ("reason", "before_course", "back"),
    [
        (WithdrawalReason.OTHER, DAY, 9200),
        (WithdrawalReason.COURT, DAY, 9200),
        (WithdrawalReason.FIXED_PENALTY_PAID, 8 * DAY, 9200),
        (WithdrawalReason.FIXED_PENALTY_PAID, 6 * DAY, 0),
        (WithdrawalReason.FAILED_TO_COMPLETE, DAY, 9200),
        (WithdrawalReason.FAILED_TO_COMPLETE, -DAY, 0),
    ],
)
def test_withdrawn_when_booked_refunds_as_the_policy_says(reason: str, before_course: dt.timedelta, back: int) -> None:
    booking = confirmed()
    now = booking.place.session.starts_at - before_course
    withdraw(booking.referral, reason, now)
    booking.refresh_from_db()
    booking.referral.refresh_from_db()
    assert (booking.status, booking.referral.status) == (BookingStatus.CANCELLED, ReferralStatus.WITHDRAWN)
    assert sum(Refund.objects.values_list("amount_pence", flat=True)) == back
    assert kept() == 9200 - back
    message = Message.objects.get()
    assert (message.kind, message.context["refund"]) == ("withdrawn", "£92" if back else "")


def test_what_expires_before_its_course_keeps_the_fee() -> None:
    booking = confirmed()
    services.end_with_referral(referral=booking.referral, kind="expired", reason="", by=STAFF, now=NOW + DAY)
    assert (Refund.objects.count(), kept()) == (0, 9200)


def test_expired_lets_a_hold_go_and_leaves_a_begun_course_to_its_register() -> None:
    held = b.ReadyBookingFactory.create()
    begun = confirmed()
    after = begun.place.session.ends_at
    for booking in (held, begun):
        services.end_with_referral(referral=booking.referral, kind="expired", reason="", by=STAFF, now=after)
    held.refresh_from_db()
    begun.refresh_from_db()
    assert (held.status, held.cancel_cause, begun.status) == (
        BookingStatus.CANCELLED,
        CancelCause.EXPIRED,
        BookingStatus.CONFIRMED,
    )


# --- By KCC ------------------------------------------------------------------------------------------------------
def test_a_cancelled_session_lets_everybody_go_with_their_money() -> None:
    session = c.OpenSessionFactory.create()
    two = [confirmed(session=session) for _ in range(2)]
    held = b.ReadyBookingFactory.create(session=session)
    for _ in range(2):
        courses.cancel_session(session_id=session.pk, reason="Trainer ill", by=STAFF, now=NOW)
    session.refresh_from_db()
    assert (session.status, session.places_claimed) == (SessionStatus.CANCELLED, 0)
    assert {booking.status for booking in Booking.objects.all()} == {BookingStatus.CANCELLED}
    assert {referral.status for referral in Referral.objects.all()} == {ReferralStatus.LIVE}
    assert Refund.objects.count() == 2
    assert Message.objects.filter(kind="session_cancelled").count() == 3
    assert {booking.reference for booking in (*two, held)} == {
        message.context["reference"] for message in Message.objects.all()
    }


def test_a_moved_session_tells_who_is_booked() -> None:
    booking = confirmed()
    session = booking.place.session
    courses.change_session(
        session_id=session.pk, starts_at=session.starts_at + DAY, reason="Room flooded", by=STAFF, now=NOW
    )
    message = Message.objects.get()
    assert (message.kind, message.context["day"]) == ("session_changed", "Tuesday 15 December 2026")


def test_s03_a_session_is_not_moved_past_anybodys_complete_by() -> None:
    booking = confirmed()
    session = booking.place.session
    late = clock.from_london(booking.referral.complete_by + DAY, dt.time(9))
    before = rows()
    with pytest.raises(CandidatesStrandedError):
        courses.change_session(session_id=session.pk, starts_at=late, reason="Room flooded", by=STAFF, now=NOW)
    session.refresh_from_db()
    assert (rows(), clock.london_day(session.starts_at)) == (before, dt.date(2026, 12, 14))
