"""Outcomes after the course, and needs arranged before it."""

import datetime as dt

import pytest

from bookings import services
from bookings.constants import BookingStatus
from bookings.errors import BookingStateError
from payments.constants import JournalKind
from payments.models import Journal
from referrals.constants import OutcomeCode, ReferralStatus
from referrals.models import Outcome
from tests.bookings.conftest import NOW, STAFF, rows
from tests.factories import bookings as b
from tests.factories import payments as p

AFTER = NOW + dt.timedelta(days=30)
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


def test_an_outcome_of_what_was_never_confirmed_is_refused() -> None:
    booking = b.ReadyBookingFactory.create()
    before = rows()
    with pytest.raises(BookingStateError):
        services.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=STAFF, now=AFTER)
    assert (rows(), Outcome.objects.count()) == (before, 0)
