"""The register: marks that are never written over, and a close that makes outcomes exactly once."""

from datetime import timedelta

import pytest

from audit.context import Actor
from audit.models import AuditEvent
from bookings.constants import BookingStatus
from bookings.models import Booking
from courses.constants import SessionStatus
from courses.models import Session
from referrals.models import Outcome
from rosters import services
from rosters.constants import DocumentKind, Mark
from rosters.errors import (
    DocumentNeededError,
    MarkConflictError,
    NotStartedError,
    RegisterClosedError,
    UnmarkedError,
)
from rosters.models import Attendance, Register
from tests.factories.bookings import ConfirmedBookingFactory
from tests.factories.courses import OpenSessionFactory

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor("trainer", "5")


@pytest.fixture
def session() -> Session:
    made: Session = OpenSessionFactory.create()
    return made


@pytest.fixture
def booking(session: Session) -> Booking:
    made: Booking = ConfirmedBookingFactory.create(session=session)
    return made


def mark(booking: Booking, what: Mark = Mark.DID_NOT_ATTEND, **changes: object) -> Attendance:
    session = booking.place.session
    values: dict[str, object] = {
        "session_id": session.pk,
        "booking_id": booking.pk,
        "mark": what,
        "seen_at": None,
        "by": BY,
        "now": session.starts_at,
        **changes,
    }
    return services.mark(**values)  # type: ignore[arg-type]


def test_mark_is_kept_with_who_and_when(booking: Booking) -> None:
    attendance = mark(booking, Mark.COMPLETED, document_kind=DocumentKind.PHOTOCARD)
    assert (attendance.mark, attendance.document_kind, attendance.marked_by) == ("COMPLETED", "PHOTOCARD", "trainer:5")
    assert attendance.marked_at == booking.place.session.starts_at
    assert AuditEvent.objects.get(action="register.marked").referral_key == booking.referral.key


def test_marking_twice_alike_is_one_mark_and_one_event(booking: Booking) -> None:
    mark(booking)
    mark(booking)
    assert Attendance.objects.count() == 1
    assert AuditEvent.objects.filter(action="register.marked").count() == 1


def test_a_mark_made_meanwhile_is_not_written_over(booking: Booking) -> None:
    first = mark(booking, Mark.LATE)
    with pytest.raises(MarkConflictError):
        mark(booking, Mark.DID_NOT_ATTEND, by=Actor("trainer", "6"))
    assert Attendance.objects.get().mark == Mark.LATE
    # Who has seen the mark may change it.
    mark(booking, Mark.DID_NOT_ATTEND, seen_at=first.marked_at, now=first.marked_at + timedelta(minutes=1))
    assert Attendance.objects.get().mark == Mark.DID_NOT_ATTEND


def test_completed_needs_a_document(booking: Booking) -> None:
    with pytest.raises(DocumentNeededError):
        mark(booking, Mark.COMPLETED)
    assert not Attendance.objects.exists()


@pytest.mark.parametrize("minutes", [-16, 165 + 48 * 60 + 1])
def test_marking_outside_the_time_is_refused(booking: Booking, minutes: int) -> None:
    with pytest.raises(NotStartedError):
        mark(booking, now=booking.place.session.starts_at + timedelta(minutes=minutes))
    assert not Register.objects.exists()


def test_marking_a_client_of_another_session_is_refused(booking: Booking) -> None:
    other = OpenSessionFactory.create()
    with pytest.raises(Booking.DoesNotExist):
        mark(booking, session_id=other.pk)
    assert not Attendance.objects.exists()


def test_close_makes_outcomes_and_delivery_once(session: Session, booking: Booking) -> None:
    absent: Booking = ConfirmedBookingFactory.create(session=session)
    mark(booking, Mark.COMPLETED, document_kind=DocumentKind.PASSPORT)
    mark(absent, Mark.DID_NOT_ATTEND)

    for _ in range(2):
        services.close_register(session_id=session.pk, by=BY, now=session.ends_at)

    lines = {line.referral_id: line for line in Outcome.objects.all()}
    assert len(lines) == 2
    done, missed = lines[booking.referral_id], lines[absent.referral_id]
    assert (done.outcome, done.reason, done.provider_reference) == ("COMPLETED", "", booking.reference)
    assert done.attended_on == session.starts_at.date()
    assert (missed.outcome, missed.reason, missed.attended_on) == ("NOT_COMPLETED", "DID_NOT_ATTEND", None)
    booking.refresh_from_db()
    absent.refresh_from_db()
    session.refresh_from_db()
    assert (booking.status, absent.status) == (BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)
    assert session.status == SessionStatus.DELIVERED
    assert Register.objects.get().closed_at == session.ends_at
    assert AuditEvent.objects.filter(action="register.closed").count() == 1


def test_close_before_the_end_is_refused(session: Session, booking: Booking) -> None:
    mark(booking)
    with pytest.raises(NotStartedError, match="once the course has ended"):
        services.close_register(session_id=session.pk, by=BY, now=session.ends_at - timedelta(seconds=1))
    assert Register.objects.get().closed_at is None
    assert not Outcome.objects.exists()


def test_close_with_a_client_unmarked_is_refused_and_nothing_changes(session: Session, booking: Booking) -> None:
    mark(booking)
    ConfirmedBookingFactory.create(session=session)
    with pytest.raises(UnmarkedError):
        services.close_register(session_id=session.pk, by=BY, now=session.ends_at)
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    assert not Outcome.objects.exists()


def test_a_closed_register_takes_no_mark(session: Session, booking: Booking) -> None:
    mark(booking)
    services.close_register(session_id=session.pk, by=BY, now=session.ends_at)
    with pytest.raises(RegisterClosedError):
        mark(booking, Mark.LATE, now=session.ends_at + timedelta(hours=1))
    assert Attendance.objects.get().mark == Mark.DID_NOT_ATTEND
