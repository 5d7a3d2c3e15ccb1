"""The life of a session: scheduled, opened, changed, cancelled, delivered."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from audit import services as audit
from audit.context import Actor, because
from common.clock import london_day, moment_words
from common.labels import mid_sentence
from courses.constants import SESSION_TRANSITIONS, Mode, SessionStatus
from courses.errors import CapacityError, ReasonNeededError, RoomBusyError, ScheduleError, SessionStateError
from courses.models import CourseVersion, Room, Session
from courses.services.places import lock_session
from courses.services.violations import TOO_SMALL, told_apart
from courses.signals import session_changed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A session to be scheduled. It ends when its version says; without a capacity it is one trainer's."""

    course_type_id: int
    mode: str
    starts_at: dt.datetime
    room_id: int | None = None
    capacity: int | None = None
    joining_url: str = ""


@transaction.atomic(durable=True)
def schedule(*, plan: Plan, by: Actor, now: dt.datetime) -> Session:
    """Make a draft session. Raises ScheduleError, CapacityError, RoomBusyError."""
    return _schedule(plan, by, now)


@transaction.atomic(durable=True)
def schedule_many(*, plans: Sequence[Plan], by: Actor, now: dt.datetime) -> list[Session]:
    """Make several draft sessions, or none of them where one cannot be; the error says which."""
    sessions = []
    for plan in plans:
        try:
            sessions.append(_schedule(plan, by, now))
        except (ScheduleError, CapacityError, RoomBusyError) as error:
            raise type(error)(f"{moment_words(plan.starts_at)}: {error.message}") from error
    return sessions


@transaction.atomic(durable=True)
def open_session(*, session_id: int, by: Actor, now: dt.datetime) -> Session:
    """Open a draft for booking. Locks the session; repeated, it does nothing."""
    session = lock_session(session_id)
    if session.status != SessionStatus.OPEN and session.starts_at <= now:
        raise SessionStateError("This session has already started.")
    return _move(session, SessionStatus.OPEN, by=by, now=now)


@transaction.atomic(durable=True)
def close_session(*, session_id: int, by: Actor, now: dt.datetime) -> Session:
    """Take an open session nobody is on out of booking again. Locks the session. Raises SessionStateError."""
    session = lock_session(session_id)
    if session.places_claimed:
        raise SessionStateError("People are on this session. Lower its places to stop booking, or cancel it.")
    return _move(session, SessionStatus.DRAFT, by=by, now=now)


@transaction.atomic(durable=True)
def cancel_session(*, session_id: int, reason: str, by: Actor, now: dt.datetime) -> Session:
    """Cancel a session for good: everybody on it loses their place, is told, and gets their money back.

    Locks the session, then, through the apps above, referrals, bookings and charges. Raises ReasonNeededError,
    SessionStateError; repeated, it does nothing.
    """
    _need(reason)
    with because(reason):
        session = lock_session(session_id)
        if session.status == SessionStatus.CANCELLED:
            return session
        session.cancel_reason = reason[:200]
        _move(session, SessionStatus.CANCELLED, by=by, now=now, reason=reason)
        session_changed.send(sender=Session, session=session, kind="cancelled", by=by, now=now)
    return session


@transaction.atomic
def mark_delivered(*, session_id: int, by: Actor, now: dt.datetime) -> Session:
    """Record that the course took place. Composed; locks the session; repeated, it does nothing."""
    return _move(lock_session(session_id), SessionStatus.DELIVERED, by=by, now=now)


@transaction.atomic(durable=True)
def change_capacity(*, session_id: int, capacity: int, reason: str, by: Actor, now: dt.datetime) -> Session:
    """Give a session another number of places, never fewer than are claimed. Locks the session.

    Raises ReasonNeededError, CapacityError, SessionStateError.
    """
    _need(reason)
    session = lock_session(session_id)
    before = session.capacity
    if session.status not in (SessionStatus.DRAFT, SessionStatus.OPEN):
        raise SessionStateError
    if capacity == before:
        return session
    _check_capacity(capacity, session.version, session.room)
    with because(reason), told_apart(TOO_SMALL):
        session.capacity = capacity
        session.save(update_fields=["capacity"])
    audit.record(
        "session.capacity_changed",
        by=by,
        now=now,
        words=f"The session on {moment_words(session.starts_at)} has {capacity} places instead of {before}.",
        subject=f"session:{session.pk}",
        reason=reason,
        data={"before": before, "after": capacity},
    )
    return session


@transaction.atomic(durable=True)
def change_session(
    *,
    session_id: int,
    reason: str,
    by: Actor,
    now: dt.datetime,
    starts_at: dt.datetime | None = None,
    room_id: int | None = None,
    joining_url: str | None = None,
) -> Session:
    """Give a session another time, room or link; what is `None` stays. Everybody on it is told.

    Locks the session. Raises ReasonNeededError, SessionStateError, ScheduleError, RoomBusyError, TrainerBusyError,
    NotLicensedError, and what the apps above refuse: nobody is moved past their complete by.
    """
    _need(reason)
    with because(reason):
        session = lock_session(session_id)
        if session.status not in (SessionStatus.DRAFT, SessionStatus.OPEN):
            raise SessionStateError
        before = (session.starts_at, session.room_id, session.joining_url)
        if starts_at is not None and starts_at != session.starts_at:
            if starts_at <= now:
                raise ScheduleError("A session cannot be moved into the past.")
            session.ends_at = starts_at + (session.ends_at - session.starts_at)
            session.starts_at = starts_at
        if room_id is not None:
            session.room = _room_for(session.mode, room_id)
            _check_capacity(session.capacity, session.version, session.room)
        if joining_url is not None:
            session.joining_url = joining_url
        if (session.starts_at, session.room_id, session.joining_url) == before:
            return session
        with told_apart():
            session.save(update_fields=["starts_at", "ends_at", "room", "joining_url"])
        audit.record(
            "session.changed",
            by=by,
            now=now,
            words=f"The session is now on {moment_words(session.starts_at)}. It was on {moment_words(before[0])}.",
            subject=f"session:{session.pk}",
            reason=reason,
        )
        is_link_alone = (session.starts_at, session.room_id) == before[:2]
        kind = "link" if is_link_alone else "moved"
        session_changed.send(sender=Session, session=session, kind=kind, by=by, now=now)
    return session


def _schedule(plan: Plan, by: Actor, now: dt.datetime) -> Session:
    day = london_day(plan.starts_at)
    version = (
        CourseVersion.objects.exclude(valid_to__lt=day)
        .filter(course_type_id=plan.course_type_id, mode=plan.mode, valid_from__lte=day)
        .first()
    )
    if version is None:
        raise ScheduleError("This course is not given in this way on that day.")
    room = _room_for(plan.mode, plan.room_id)
    capacity = version.clients_per_trainer if plan.capacity is None else plan.capacity
    _check_capacity(capacity, version, room)
    with told_apart():
        session = Session.objects.create(
            course_type_id=plan.course_type_id,
            version=version,
            mode=plan.mode,
            room=room,
            starts_at=plan.starts_at,
            ends_at=plan.starts_at + dt.timedelta(minutes=version.duration_minutes),
            status_at=now,
            status_by=str(by),
            capacity=capacity,
            joining_url=plan.joining_url,
        )
    audit.record(
        "session.scheduled",
        by=by,
        now=now,
        words=f"A session was scheduled for {moment_words(session.starts_at)} with {capacity} places.",
        subject=f"session:{session.pk}",
    )
    return session


def _room_for(mode: str, room_id: int | None) -> Room | None:
    if mode == Mode.DIGITAL:
        if room_id is not None:
            raise ScheduleError("A digital session has no room.")
        return None
    room = Room.objects.filter(pk=room_id).first() if room_id is not None else None
    if room is None:
        raise ScheduleError("Choose a room: only digital sessions need none.")
    return room


def _check_capacity(capacity: int, version: CourseVersion, room: Room | None) -> None:
    most = min(version.max_clients, room.seats) if room else version.max_clients
    if not 1 <= capacity <= most:
        raise CapacityError(f"The session can have 1 to {most} places.")


def _need(reason: str) -> None:
    if not reason.strip():
        raise ReasonNeededError


def _move(session: Session, to: SessionStatus, *, by: Actor, now: dt.datetime, reason: str = "") -> Session:
    """The one place that changes a session's status. The session is locked; its present status again is a no-op."""
    before = session.status
    if before == to:
        return session
    if to not in SESSION_TRANSITIONS[before]:
        raise SessionStateError
    session.status, session.status_at, session.status_by = to, now, str(by)
    with told_apart():
        session.save(update_fields=["status", "status_at", "status_by", "cancel_reason"])
    audit.record(
        f"session.{to.lower()}",
        by=by,
        now=now,
        words=f"The session on {moment_words(session.starts_at)} is now: {mid_sentence(to.label)}.",
        subject=f"session:{session.pk}",
        reason=reason,
        data={"before": before},
    )
    return session
