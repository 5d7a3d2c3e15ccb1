"""Keeping a register: marks, and closing it, which is what turns a course day into outcomes."""

from datetime import datetime

from django.db import transaction

import bookings.services
import courses.services
from audit.context import Actor
from audit.services import record
from bookings.models import Booking
from common.clock import london_day
from courses.models import Session
from rosters import rules
from rosters.constants import Mark
from rosters.errors import (
    DocumentNeededError,
    MarkConflictError,
    NotStartedError,
    RegisterClosedError,
    UnmarkedError,
)
from rosters.models import Attendance, Register
from rosters.selectors import ON_ROSTER


def mark(
    *,
    session_id: int,
    booking_id: int,
    mark: Mark,
    document_kind: str = "",
    note: str = "",
    seen_at: datetime | None,
    by: Actor,
    now: datetime,
) -> Attendance:
    """Mark one client of a session.

    `seen_at` is the `marked_at` of the mark the trainer was looking at, or None where the client was unmarked: a mark
    made by someone else since is never overwritten (MarkConflictError) unless it says the same. Repeating a mark is
    a no-op. Raises NotStartedError, RegisterClosedError, DocumentNeededError, Booking.DoesNotExist for a client who
    is not on this roster. Locks the register, so marks of one session queue.
    """
    with transaction.atomic(durable=True):
        register = _open(session_id, by, now)
        booking = Booking.objects.select_related("referral").get(
            pk=booking_id, place__session_id=session_id, status__in=ON_ROSTER
        )
        if mark == Mark.COMPLETED and not document_kind:
            raise DocumentNeededError
        present = Attendance.objects.filter(booking=booking).first()
        if present is not None:
            if (present.mark, present.document_kind, present.note) == (mark, document_kind, note):
                return present
            if present.marked_at != seen_at:
                raise MarkConflictError
        attendance, _ = Attendance.objects.update_or_create(
            booking=booking,
            defaults={
                "register": register,
                "mark": mark,
                "document_kind": document_kind,
                "note": note,
                "marked_at": now,
                "marked_by": str(by),
            },
        )
        record(
            "register.marked",
            by=by,
            now=now,
            words=f"Marked on the register: {attendance.get_mark_display()}.",
            referral_key=booking.referral.key,
            subject=f"booking:{booking.reference}",
        )
    return attendance


def close_register(*, session_id: int, by: Actor, now: datetime) -> Register:
    """Close the register: every mark becomes an outcome, for the booking, the force and the ledger.

    Closing a closed register changes nothing. Raises UnmarkedError while a client has no mark, NotStartedError
    before the course has ended.
    """
    with transaction.atomic(durable=True):
        session = Session.objects.select_for_update(no_key=True).get(pk=session_id)
        if now < session.ends_at:
            raise NotStartedError("The register can be closed once the course has ended.")
        register = _locked_register(session, by, now)
        if register.closed_at is not None:
            return register
        on_roster = Booking.objects.filter(place__session=session, status__in=ON_ROSTER)
        marks = {found.booking_id: found for found in register.marks.all()}
        expected = list(on_roster.order_by("pk").values_list("pk", flat=True))
        if missing := [pk for pk in expected if pk not in marks]:
            raise UnmarkedError(f"Mark every client before you close the register: {len(missing)} to go.")
        for booking_id in expected:
            attendance = marks[booking_id]
            completed = attendance.mark == Mark.COMPLETED
            bookings.services.record_outcome(
                booking_id=booking_id,
                is_completed=completed,
                reason="" if completed else attendance.mark,
                attended_on=london_day(session.starts_at),
                by=by,
                now=now,
            )
        register.closed_at, register.closed_by = now, str(by)
        register.save(update_fields=["closed_at", "closed_by"])
        courses.services.mark_delivered(session_id=session_id, by=by, now=now)
        record(
            "register.closed",
            by=by,
            now=now,
            words=f"Closed the register with {len(expected)} clients.",
            subject=f"session:{session_id}",
        )
    return register


def _open(session_id: int, by: Actor, now: datetime) -> Register:
    session = Session.objects.get(pk=session_id)
    if not rules.is_register_open(starts_at=session.starts_at, ends_at=session.ends_at, now=now):
        raise NotStartedError
    register = _locked_register(session, by, now)
    if register.closed_at is not None:
        raise RegisterClosedError
    return register


def _locked_register(session: Session, by: Actor, now: datetime) -> Register:
    Register.objects.get_or_create(session=session, defaults={"opened_at": now, "opened_by": str(by)})
    return Register.objects.select_for_update().get(session=session)
