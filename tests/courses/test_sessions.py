"""Sessions: scheduled, opened, changed, cancelled; and trainers on them."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.context import Actor
from audit.models import AuditEvent
from common import clock
from courses import services
from courses.constants import Mode, SessionStatus, TrainerRole
from courses.errors import (
    CapacityError,
    NotLicensedError,
    ReasonNeededError,
    RoomBusyError,
    ScheduleError,
    SessionStateError,
    TrainerBusyError,
)
from courses.models import Session, SessionTrainer
from courses.services.sessions import Plan
from tests.factories import courses as c

NOW = c.CREATED_AT
BY = Actor("staff", "7")
START = clock.from_london(dt.date(2026, 12, 14), dt.time(9))

pytestmark = pytest.mark.django_db


def plan(**given: Any) -> Plan:
    usual: dict[str, Any] = {"course_type_id": c.course_type().pk, "mode": Mode.DIGITAL, "starts_at": START}
    return Plan(**usual | given)


def test_schedule_takes_length_and_size_from_the_version() -> None:
    session = services.schedule(plan=plan(), by=BY, now=NOW)
    assert session.status == SessionStatus.DRAFT
    assert session.ends_at - session.starts_at == dt.timedelta(minutes=165)
    assert session.capacity == 9
    assert AuditEvent.objects.get(subject=f"session:{session.pk}").action == "session.scheduled"


def test_schedule_many_makes_all_or_none() -> None:
    room = c.RoomFactory.create()
    plans = [plan(mode=Mode.CLASSROOM, room_id=room.pk), plan(mode=Mode.CLASSROOM, room_id=room.pk)]
    with pytest.raises(RoomBusyError, match="9am on Monday 14 December 2026: This room already has a session"):
        services.schedule_many(plans=plans, by=BY, now=NOW)
    assert Session.objects.count() == 0
    days = [plan(starts_at=START + dt.timedelta(days=n)) for n in range(3)]
    assert len(services.schedule_many(plans=days, by=BY, now=NOW)) == 3


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"mode": Mode.CLASSROOM}, ScheduleError),
        ({"mode": Mode.ON_ROAD}, ScheduleError),
        ({"capacity": 10}, CapacityError),
        ({"capacity": 0}, CapacityError),
    ],
)
def test_schedule_of_what_does_not_fit_is_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        services.schedule(plan=plan(**given), by=BY, now=NOW)
    assert (Session.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_open_and_close() -> None:
    session = c.SessionFactory.create()
    for _ in range(2):
        assert services.open_session(session_id=session.pk, by=BY, now=NOW).status == SessionStatus.OPEN
    assert AuditEvent.objects.filter(action="session.open").count() == 1
    assert services.close_session(session_id=session.pk, by=BY, now=NOW).status == SessionStatus.DRAFT


def test_close_with_people_on_it_is_refused() -> None:
    place = c.TakenPlaceFactory.create()
    with pytest.raises(SessionStateError):
        services.close_session(session_id=place.session_id, by=BY, now=NOW)
    assert Session.objects.get().status == SessionStatus.OPEN


def test_open_after_its_start_is_refused() -> None:
    session = c.SessionFactory.create()
    with pytest.raises(SessionStateError):
        services.open_session(session_id=session.pk, by=BY, now=session.starts_at)


def test_cancel_needs_a_reason_and_is_final() -> None:
    session = c.OpenSessionFactory.create()
    with pytest.raises(ReasonNeededError):
        services.cancel_session(session_id=session.pk, reason=" ", by=BY, now=NOW)
    for _ in range(2):
        services.cancel_session(session_id=session.pk, reason="Trainer ill", by=BY, now=NOW)
    session.refresh_from_db()
    assert (session.status, session.cancel_reason) == (SessionStatus.CANCELLED, "Trainer ill")
    with pytest.raises(SessionStateError):
        services.open_session(session_id=session.pk, by=BY, now=NOW)


def test_capacity_changes_with_a_reason_and_leaves_its_record() -> None:
    session = c.ClassroomSessionFactory.create()
    with pytest.raises(ReasonNeededError):
        services.change_capacity(session_id=session.pk, capacity=24, reason="", by=BY, now=NOW)
    services.change_capacity(session_id=session.pk, capacity=24, reason="Second trainer", by=BY, now=NOW)
    event = AuditEvent.objects.get(action="session.capacity_changed")
    assert (event.reason, event.data) == ("Second trainer", {"before": 12, "after": 24})
    assert Session.history.filter(id=session.pk).latest("history_id").history_reason == "Second trainer"


@pytest.mark.parametrize("capacity", [0, 1, 25])
def test_capacity_that_cannot_be_is_refused(capacity: int) -> None:
    session = c.ClassroomSessionFactory.create()
    c.TakenPlaceFactory.create_batch(2, session=session)
    with pytest.raises(CapacityError):
        services.change_capacity(session_id=session.pk, capacity=capacity, reason="Why not", by=BY, now=NOW)
    assert Session.objects.get().capacity == 12
    assert AuditEvent.objects.count() == 0


def test_a_moved_session_takes_its_trainer_along() -> None:
    assignment = c.SessionTrainerFactory.create()
    later = START + dt.timedelta(days=1)
    services.change_session(session_id=assignment.session_id, starts_at=later, reason="Room flooded", by=BY, now=NOW)
    assignment.refresh_from_db()
    assert (assignment.starts_at, assignment.ends_at) == (later, later + dt.timedelta(minutes=165))


def test_s27_nobody_is_rostered_the_day_after_their_licence_ends() -> None:
    tuesday = dt.date(2026, 12, 15)
    licence = c.TrainerLicenceFactory.create(valid_to=tuesday)
    on_the_day = c.OpenSessionFactory.create(starts_at=clock.from_london(tuesday, dt.time(18)))
    day_after = c.OpenSessionFactory.create(starts_at=clock.from_london(dt.date(2026, 12, 16), dt.time(9)))
    services.roster(session_id=on_the_day.pk, trainer_id=licence.trainer_id, by=BY, now=NOW)
    with pytest.raises(NotLicensedError):
        services.roster(session_id=day_after.pk, trainer_id=licence.trainer_id, by=BY, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        SessionTrainer.objects.bulk_create([SessionTrainer(session=day_after, trainer=licence.trainer)])
    assert SessionTrainer.objects.count() == 1
    # Nor does a session that is moved drag them past it.
    with pytest.raises(NotLicensedError):
        services.change_session(
            session_id=on_the_day.pk, starts_at=START + dt.timedelta(days=2), reason="Moved", by=BY, now=NOW
        )


def test_s27_no_trainer_and_no_room_is_in_two_sessions_at_once() -> None:
    first = c.SessionTrainerFactory.create()
    overlapping = c.OpenSessionFactory.create(starts_at=START + dt.timedelta(hours=2))
    with pytest.raises(TrainerBusyError):
        services.roster(session_id=overlapping.pk, trainer_id=first.trainer_id, by=BY, now=NOW)
    room = c.RoomFactory.create()
    c.ClassroomSessionFactory.create(room=room)
    with pytest.raises(RoomBusyError):
        services.schedule(
            plan=plan(mode=Mode.CLASSROOM, room_id=room.pk, starts_at=START + dt.timedelta(hours=1)), by=BY, now=NOW
        )
    # One that follows directly on the other does not overlap, nor does a cancelled one stand in the way.
    after = c.OpenSessionFactory.create(starts_at=first.session.ends_at)
    services.roster(session_id=after.pk, trainer_id=first.trainer_id, by=BY, now=NOW)
    services.cancel_session(session_id=first.session_id, reason="Ill", by=BY, now=NOW)
    services.roster(session_id=overlapping.pk, trainer_id=c.TrainerLicenceFactory.create().trainer_id, by=BY, now=NOW)


def test_on_road_work_needs_an_adi_registration() -> None:
    session = c.OnRoadSessionFactory.create()
    trainer = c.TrainerLicenceFactory.create(course_type=session.course_type).trainer
    with pytest.raises(NotLicensedError, match="ADI"):
        services.roster(session_id=session.pk, trainer_id=trainer.pk, role=TrainerRole.ON_ROAD, by=BY, now=NOW)
    c.AdiRegistrationFactory.create(trainer=trainer)
    services.roster(session_id=session.pk, trainer_id=trainer.pk, role=TrainerRole.ON_ROAD, by=BY, now=NOW)
    assert services.take_off(session_id=session.pk, trainer_id=trainer.pk, reason="Ill", by=BY, now=NOW)
    assert not services.take_off(session_id=session.pk, trainer_id=trainer.pk, reason="Ill", by=BY, now=NOW)


@pytest.mark.parametrize(
    "day", [dt.date(2027, 3, 27), dt.date(2027, 3, 28), dt.date(2027, 10, 30), dt.date(2027, 10, 31)]
)
def test_s22_nine_is_nine_on_both_sides_of_a_clock_change(day: dt.date) -> None:
    session = services.schedule(plan=plan(starts_at=clock.from_london(day, dt.time(9))), by=BY, now=NOW)
    session.refresh_from_db()
    assert clock.span_words(session.starts_at, session.ends_at) == "9am to 11:45am"
    assert clock.london_day(session.starts_at) == day
