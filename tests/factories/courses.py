"""Courses in every state. Course types and versions come from the reference data of the migrations."""

import datetime as dt

import factory
from factory.django import DjangoModelFactory

from common import clock
from courses.constants import LicenceStage, Mode, PlaceState, SessionStatus, TrainerRole
from courses.models import (
    AdiRegistration,
    CourseType,
    CourseVersion,
    Place,
    Room,
    Session,
    SessionTrainer,
    Trainer,
    TrainerLicence,
    Venue,
)

CREATED_AT = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)  # as `NOW` of tests.factories.referrals


def course_type(code: str = "NSAC") -> CourseType:
    """The course type with this code."""
    return CourseType.objects.get(code=code)


def version_of(kind: CourseType, mode: str = Mode.DIGITAL) -> CourseVersion:
    """The version of a course type in a mode that runs on."""
    return CourseVersion.objects.get(course_type=kind, mode=mode, valid_to=None)


class VenueFactory(DjangoModelFactory[Venue]):
    class Meta:
        model = Venue

    name = factory.Sequence(lambda n: f"Test House {n}")
    town = "Maidstone"
    address = factory.LazyAttribute(lambda venue: f"{venue.name}\n1 Example Road\n{venue.town}")
    postcode = "ME14 1XX"
    is_step_free = True
    has_hearing_loop = True


class RoomFactory(DjangoModelFactory[Room]):
    class Meta:
        model = Room

    venue = factory.SubFactory(VenueFactory)
    name = factory.Sequence(lambda n: f"Room {n}")
    seats = 24


class TrainerFactory(DjangoModelFactory[Trainer]):
    class Meta:
        model = Trainer

    name = factory.Sequence(lambda n: f"Sam Trainer {n}")
    email = factory.Sequence(lambda n: f"trainer{n}@example.org")


class TrainerLicenceFactory(DjangoModelFactory[TrainerLicence]):
    class Meta:
        model = TrainerLicence

    trainer = factory.SubFactory(TrainerFactory)
    course_type = factory.LazyFunction(course_type)
    stage = LicenceStage.FULL
    valid_from = dt.date(2020, 1, 1)
    valid_to = dt.date(2039, 12, 31)


class AdiRegistrationFactory(DjangoModelFactory[AdiRegistration]):
    class Meta:
        model = AdiRegistration

    trainer = factory.SubFactory(TrainerFactory)
    number = factory.Sequence(lambda n: f"{n:06d}")
    valid_from = dt.date(2020, 1, 1)
    valid_to = dt.date(2039, 12, 31)


class SessionFactory(DjangoModelFactory[Session]):
    """A draft: `code` and `mode` choose what is taught, `starts_at` when (default 9am on Monday 14 December 2026)."""

    class Meta:
        model = Session

    class Params:
        code = "NSAC"

    course_type = factory.LazyAttribute(lambda session: course_type(session.code))
    mode = Mode.DIGITAL
    version = factory.LazyAttribute(lambda session: version_of(session.course_type, session.mode))
    room = factory.Maybe(
        factory.LazyAttribute(lambda session: session.mode == Mode.DIGITAL), None, factory.SubFactory(RoomFactory)
    )
    starts_at = factory.LazyFunction(lambda: clock.from_london(dt.date(2026, 12, 14), dt.time(9)))
    ends_at = factory.LazyAttribute(
        lambda session: session.starts_at + dt.timedelta(minutes=session.version.duration_minutes)
    )
    status = SessionStatus.DRAFT
    status_at = CREATED_AT
    status_by = "staff:1"
    capacity = factory.LazyAttribute(lambda session: session.version.clients_per_trainer)


class OpenSessionFactory(SessionFactory):
    """Digital and open for booking."""

    status = SessionStatus.OPEN
    joining_url = "https://meet.example.org/j/1234"


class ClassroomSessionFactory(SessionFactory):
    """Open, in a classroom of its own."""

    status = SessionStatus.OPEN
    mode = Mode.CLASSROOM


class OnRoadSessionFactory(SessionFactory):
    """Open, Safe and Considerate Driving."""

    class Params:
        code = "SCD"

    status = SessionStatus.OPEN
    mode = Mode.ON_ROAD


class CancelledSessionFactory(SessionFactory):
    status = SessionStatus.CANCELLED
    cancel_reason = "The trainer is ill"


class DeliveredSessionFactory(SessionFactory):
    status = SessionStatus.DELIVERED


class SessionTrainerFactory(DjangoModelFactory[SessionTrainer]):
    """An assignment; the trainer gets the licence they need."""

    class Meta:
        model = SessionTrainer

    session = factory.SubFactory(OpenSessionFactory)
    trainer = factory.LazyAttribute(
        lambda assignment: TrainerLicenceFactory.create(course_type=assignment.session.course_type).trainer
    )
    role = TrainerRole.LEAD

    @classmethod
    def _after_postgeneration(cls, instance: SessionTrainer, create: bool, results: object = None) -> None:
        """Take over the times that the trigger copied from the session."""
        if create:
            instance.refresh_from_db()


class TakenPlaceFactory(DjangoModelFactory[Place]):
    class Meta:
        model = Place

    session = factory.SubFactory(OpenSessionFactory)
    holder = factory.Sequence(lambda n: f"46/46PLACE{n:04d}")
    state = PlaceState.TAKEN
    claimed_at = CREATED_AT


class HeldPlaceFactory(TakenPlaceFactory):
    """Held for a quarter of an hour from when it was claimed, unless `held_until` says otherwise."""

    state = PlaceState.HELD
    held_until = factory.LazyAttribute(lambda place: place.claimed_at + dt.timedelta(minutes=15))


class ReleasedPlaceFactory(TakenPlaceFactory):
    state = PlaceState.RELEASED
    released_at = factory.LazyAttribute(lambda place: place.claimed_at + dt.timedelta(minutes=15))
    release_reason = "lapsed"
