"""Outcomes after the course, and needs arranged before it."""

import datetime as dt

import pytest

from bookings import services
from bookings.constants import BookingStatus
from bookings.errors import BookingStateError
from common import clock
from payments import services as payments
from payments.constants import JournalKind
from payments.models import Journal, Statement
from referrals.constants import OutcomeCode, ReferralStatus
from referrals.models import Outcome
from tests.bookings.conftest import NOW, STAFF, rows
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p

AFTER = NOW + dt.timedelta(days=30)
HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(Journal.objects.order_by("pk").values_list("kind", flat=True))


def test_completed_reaches_the_force_and_the_ledger_once() -> None:
    booking = b.ConfirmedBookingFactory.create()
    p.PaidChargeFactory.create(booking_reference=booking.reference)
    for _ in range(2):
        services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=AFTER)
    booking.refresh_from_db()
    booking.referral.refresh_from_db()
    outcome = Outcome.objects.get()
    assert (booking.status, booking.referral.status) == (BookingStatus.COMPLETED, ReferralStatus.COMPLETED)
    assert (outcome.outcome, outcome.attended_on, outcome.provider_reference) == (
        OutcomeCode.COMPLETED,
        dt.date(2026, 12, 14),
        booking.reference,
    )
    assert Journal.objects.filter(kind=JournalKind.COMPLETED).count() == 1


def test_a_correction_is_a_new_line_and_reverses_the_ledger() -> None:
    booking = b.ConfirmedBookingFactory.create()
    p.PaidChargeFactory.create(booking_reference=booking.reference)
    services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=AFTER)
    services.record_outcome(booking_id=booking.pk, is_completed=False, reason="IMPERSONATION", by=STAFF, now=AFTER)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.NOT_COMPLETED
    assert list(Outcome.objects.order_by("sequence").values_list("outcome", "reason", "attended_on")) == [
        ("COMPLETED", "", dt.date(2026, 12, 14)),
        ("NOT_COMPLETED", "IMPERSONATION", None),
    ]
    assert kinds() == ["COMPLETED", "REVERSAL", "FORFEITED"]


def test_who_stays_away_loses_the_fee_until_the_register_is_corrected() -> None:
    booking = b.ConfirmedBookingFactory.create()
    p.PaidChargeFactory.create(booking_reference=booking.reference)
    for _ in range(2):
        services.record_outcome(
            booking_id=booking.pk, is_completed=False, reason="DID_NOT_ATTEND", by=STAFF, now=AFTER
        )
    assert kinds() == ["FORFEITED"]
    services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=AFTER)
    assert kinds() == ["FORFEITED", "REVERSAL", "COMPLETED"]


@pytest.mark.parametrize(
    ("recorded", "issued_first", "statements"),
    [
        (dt.datetime(2027, 2, 1, 5, tzinfo=dt.UTC), False, [("2027-01", 1, 0)]),
        (dt.datetime(2027, 2, 1, 9, tzinfo=dt.UTC), True, [("2027-01", 1, 0), ("2027-02", 0, 1)]),
    ],
)
def test_a_course_is_on_the_statement_of_the_month_in_which_it_was_completed(
    recorded: dt.datetime, issued_first: bool, statements: list[tuple[str, int, int]]
) -> None:
    first, last = (clock.from_london(dt.date(2027, 1, day), dt.time(18)) for day in (12, 31))
    sessions = [c.OpenSessionFactory.create(starts_at=at, ends_at=at + dt.timedelta(hours=2)) for at in (first, last)]
    before, booking = (b.ConfirmedBookingFactory.create(session=session) for session in sessions)
    for one in (before, booking):
        p.PaidChargeFactory.create(booking_reference=one.reference)
    if issued_first:
        services.record_outcome(booking_id=before.pk, is_completed=True, reason="", by=STAFF, now=first + 3 * HOUR)
        payments.issue_due_statements(now=dt.datetime(2027, 2, 1, 6, 10, tzinfo=dt.UTC))
    services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=recorded)
    journal = Journal.objects.get(booking_reference=booking.reference)
    assert (journal.occurred_at, journal.recorded_at) == (sessions[1].ends_at, recorded)
    payments.issue_due_statements(now=dt.datetime(2027, 3, 1, 6, 10, tzinfo=dt.UTC))
    issued = Statement.objects.filter(payee="FORCE").order_by("month")
    assert [(f"{one.month:%Y-%m}", one.completed, one.corrections) for one in issued] == statements


def test_a_fee_is_kept_from_the_end_of_the_course_that_was_missed() -> None:
    booking = b.ConfirmedBookingFactory.create()
    p.PaidChargeFactory.create(booking_reference=booking.reference)
    services.record_outcome(booking_id=booking.pk, is_completed=False, reason="DID_NOT_ATTEND", by=STAFF, now=AFTER)
    assert Journal.objects.get().occurred_at == booking.place.session.ends_at


def test_an_outcome_of_what_was_never_confirmed_is_refused() -> None:
    booking = b.ReadyBookingFactory.create()
    before = rows()
    with pytest.raises(BookingStateError):
        services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=AFTER)
    assert (rows(), Outcome.objects.count()) == (before, 0)
