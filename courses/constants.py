"""States and choices of courses. Modes begin with different letters on purpose: constraints compare `ascii(mode)`."""

from django.db.models import TextChoices


class Mode(TextChoices):
    """How a course is given."""

    DIGITAL = "DIGITAL", "Digital"
    CLASSROOM = "CLASSROOM", "Classroom"
    ON_ROAD = "ON_ROAD", "In person, with on-road driving"


class SessionStatus(TextChoices):
    """Where a session is on its way."""

    DRAFT = "DRAFT", "Draft"
    OPEN = "OPEN", "Open for booking"
    CANCELLED = "CANCELLED", "Cancelled by KCC"
    DELIVERED = "DELIVERED", "Delivered"


SESSION_TRANSITIONS: dict[str, frozenset[str]] = {
    SessionStatus.DRAFT: frozenset({SessionStatus.OPEN, SessionStatus.CANCELLED}),
    SessionStatus.OPEN: frozenset({SessionStatus.DRAFT, SessionStatus.CANCELLED, SessionStatus.DELIVERED}),
    SessionStatus.CANCELLED: frozenset(),
    SessionStatus.DELIVERED: frozenset(),
}


class PlaceState(TextChoices):
    """What became of a place."""

    HELD = "HELD", "Held for a while"
    TAKEN = "TAKEN", "Taken"
    RELEASED = "RELEASED", "Released"


CLAIMING = (PlaceState.HELD, PlaceState.TAKEN)


class LicenceStage(TextChoices):
    """How far a trainer's licence has come."""

    PROVISIONAL = "PROVISIONAL", "Provisional (6 months)"
    FULL = "FULL", "Full (2 years from assessment)"


class TrainerRole(TextChoices):
    """What a trainer does on a session."""

    LEAD = "LEAD", "Lead trainer"
    SECOND = "SECOND", "Second trainer"
    ON_ROAD = "ON_ROAD", "On-road trainer"
