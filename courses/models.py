"""What is taught, where, when and by whom, and the one inventory of places.

`Place` is the only way to a seat. Triggers (courses/triggers.py) keep `Session.places_claimed`, and a CHECK refuses
one too many through every door; exclusion constraints keep a trainer and a room out of two sessions at once.
"""

from collections.abc import Iterable

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from common.clock import date_words
from common.triggers import never_deleted
from courses import triggers
from courses.constants import CLAIMING, LicenceStage, Mode, PlaceState, SessionStatus, TrainerRole


def _one(column: str) -> Func:
    """An integer column as a range of one, so that core GiST can compare it for equality without btree_gist."""
    return Func(F(column), F(column), Value("[]"), function="int8range")


def _days(first: str, last: str) -> Func:
    return Func(F(first), F(last), Value("[]"), function="daterange")


def _instants(start: str, end: str) -> Func:
    return Func(F(start), F(end), function="tstzrange", output_field=DateTimeRangeField())


class CourseType(models.Model):
    """A national course model, such as NSAC. Legacy types stay as history and block eligibility, but are not sold."""

    code = models.CharField(max_length=8, unique=True)
    name = models.CharField(max_length=80)
    is_delivered = models.BooleanField(default=True, help_text="KCC delivers it today")
    is_on_road = models.BooleanField(default=False, help_text="needs a driving entitlement and an ADI on the road")
    summary = models.TextField(blank=True, help_text="one plain paragraph for the candidate")

    history = History()

    class Meta:
        ordering = ["code"]
        triggers = [never_deleted("a course type")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class CourseVersion(models.Model):
    """How a course type is given in one mode between two dates. A session keeps the version it was scheduled under."""

    course_type = models.ForeignKey(CourseType, on_delete=models.PROTECT, related_name="versions")
    mode = models.CharField(max_length=10, choices=Mode)
    valid_from = models.DateField(help_text="first London day of delivery it applies to")
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive; empty while it runs")
    duration_minutes = models.PositiveSmallIntegerField()
    clients_per_trainer = models.PositiveSmallIntegerField(help_text="places with one trainer")
    max_clients = models.PositiveSmallIntegerField(help_text="places with two trainers, or the most there can be")
    clients_per_car = models.PositiveSmallIntegerField(null=True, blank=True, help_text="on the road only")
    smallest_class = models.PositiveSmallIntegerField(help_text="below it staff are warned; never cancelled by itself")

    history = History()

    class Meta:
        ordering = ["course_type", "mode", "-valid_from"]
        constraints = [
            ExclusionConstraint(
                name="courses_version_no_overlap",
                expressions=[
                    (_one("course_type"), RangeOperators.OVERLAPS),
                    (
                        Func(
                            Func(F("mode"), function="ascii"),
                            Func(F("mode"), function="ascii"),
                            Value("[]"),
                            function="int4range",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (_days("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another version of this course and mode is valid on some of these days.",
            ),
            models.CheckConstraint(
                name="courses_version_sizes",
                condition=Q(clients_per_trainer__gt=0, max_clients__gte=F("clients_per_trainer")),
                violation_error_message="The most clients cannot be fewer than one trainer's clients.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course_type.code} {self.get_mode_display()} from {date_words(self.valid_from)}"


class Venue(models.Model):
    """A place with an address; rooms are booked inside it."""

    name = models.CharField(max_length=80, unique=True)
    town = models.CharField(max_length=60)
    address = models.TextField()
    postcode = models.CharField(max_length=8)
    latitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    directions = models.TextField(blank=True)
    is_step_free = models.BooleanField(default=False)
    has_hearing_loop = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    history = History()

    class Meta:
        ordering = ["town", "name"]

    def __str__(self) -> str:
        return f"{self.name}, {self.town}"


class Room(models.Model):
    """A room of a venue: one session at a time."""

    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="rooms")
    name = models.CharField(max_length=60)
    seats = models.PositiveSmallIntegerField()

    history = History()

    class Meta:
        ordering = ["venue", "name"]
        constraints = [models.UniqueConstraint(fields=["venue", "name"], name="courses_room_unique_name")]

    def __str__(self) -> str:
        return f"{self.name}, {self.venue}"


class Trainer(models.Model):
    """A self-employed trainer; `user` is set once they have a sign-in."""

    user = models.OneToOneField(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="trainer"
    )
    name = models.CharField(max_length=120)
    email = models.EmailField()
    mobile = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField(default=True)

    history = History()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TrainerLicence(models.Model):
    """A UKROEd licence for one course type. Rostering asks whether it is valid on the day of delivery."""

    trainer = models.ForeignKey(Trainer, on_delete=models.CASCADE, related_name="licences")
    course_type = models.ForeignKey(CourseType, on_delete=models.PROTECT)
    stage = models.CharField(max_length=12, choices=LicenceStage)
    valid_from = models.DateField()
    valid_to = models.DateField(help_text="last valid day")
    assessed_on = models.DateField(null=True, blank=True)

    history = History()

    class Meta:
        ordering = ["trainer", "course_type", "valid_from"]
        indexes = [models.Index(fields=["valid_to"], name="courses_licence_valid_to")]
        constraints = [
            models.CheckConstraint(name="courses_licence_days_in_order", condition=Q(valid_to__gte=F("valid_from")))
        ]

    def __str__(self) -> str:
        return f"{self.trainer}: {self.course_type.code} to {self.valid_to}"


class AdiRegistration(models.Model):
    """Approved driving instructor registration (4 years), needed for on-road work."""

    trainer = models.ForeignKey(Trainer, on_delete=models.CASCADE, related_name="adi_registrations")
    number = models.CharField(max_length=12)
    valid_from = models.DateField()
    valid_to = models.DateField(help_text="last valid day")

    history = History()

    class Meta:
        ordering = ["trainer", "valid_from"]

    def __str__(self) -> str:
        return f"{self.trainer}: ADI to {self.valid_to}"


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions by their state, and with what belongs to them."""

    def open(self) -> "SessionQuerySet":
        """Those that can be booked."""
        return self.filter(status=SessionStatus.OPEN)

    def with_room(self) -> "SessionQuerySet":
        """With everything a page says of a session, in the same query."""
        return self.select_related("course_type", "room__venue")


class Session(models.Model):
    """One course on one day. `places_claimed` is the triggers' alone; `capacity` changes only with a reason."""

    course_type = models.ForeignKey(CourseType, on_delete=models.PROTECT, related_name="sessions")
    version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="sessions")
    mode = models.CharField(max_length=10, choices=Mode, help_text="as its version's")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="sessions")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=SessionStatus, default=SessionStatus.DRAFT)
    status_at = models.DateTimeField(help_text="when it came into this status")
    status_by = models.CharField(max_length=80, help_text="the actor who put it there")
    cancel_reason = models.CharField(max_length=200, blank=True)
    capacity = models.PositiveSmallIntegerField()
    places_claimed = models.PositiveIntegerField(default=0, editable=False)
    joining_url = models.URLField(blank=True, help_text="digital only; shown from 48 hours before")

    objects = SessionQuerySet.as_manager()
    # A taken place is recorded as a Place; a copy of the counter for each would only be noise.
    history = History(excluded_fields=["places_claimed"])

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            models.Index(
                fields=["course_type", "starts_at"],
                condition=Q(status=SessionStatus.OPEN),
                name="courses_session_open",
            ),
            models.Index(fields=["starts_at"], name="courses_session_starts"),
        ]
        constraints = [
            models.CheckConstraint(
                name="courses_session_not_oversold",
                condition=Q(places_claimed__lte=F("capacity")),
                violation_error_message="More places are held or taken than this capacity.",
            ),
            models.CheckConstraint(name="courses_session_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="courses_session_room_fits_mode",
                condition=Q(mode=Mode.DIGITAL, room__isnull=True) | (~Q(mode=Mode.DIGITAL) & Q(room__isnull=False)),
                violation_error_message="A digital session has no room; every other session needs one.",
            ),
            ExclusionConstraint(
                name="courses_session_one_per_room",
                expressions=[
                    (_one("room"), RangeOperators.OVERLAPS),
                    (_instants("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(room__isnull=False) & ~Q(status=SessionStatus.CANCELLED),
                violation_error_message="This room already has a session at that time.",
            ),
        ]
        triggers = [triggers.keep_count, triggers.capacity_needs_reason, triggers.session_reaches_assignments]

    def __str__(self) -> str:
        return f"{self.course_type.code} {self.starts_at:%Y-%m-%d %H:%M} UTC"


class SessionTrainer(models.Model):
    """A trainer's assignment. Times are the session's, copied by a trigger so that one constraint can see them."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="assignments")
    trainer = models.ForeignKey(Trainer, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=8, choices=TrainerRole, default=TrainerRole.LEAD)
    starts_at = models.DateTimeField(editable=False, null=True, help_text="copied from the session by a trigger")
    ends_at = models.DateTimeField(editable=False, null=True)
    is_live = models.BooleanField(editable=False, default=True, help_text="false once the session is cancelled")

    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "trainer"], name="courses_assignment_once"),
            ExclusionConstraint(
                name="courses_trainer_one_session_at_once",
                expressions=[
                    (_one("trainer"), RangeOperators.OVERLAPS),
                    (_instants("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(is_live=True),
                violation_error_message="This trainer already has a session at that time.",
            ),
        ]
        triggers = [triggers.assignment_follows_session]

    def __str__(self) -> str:
        return f"{self.trainer} on {self.session}"


class PlaceQuerySet(models.QuerySet["Place"]):
    """Places by their state."""

    def claiming(self) -> "PlaceQuerySet":
        """Held or taken: those that count."""
        return self.filter(state__in=CLAIMING)

    def held_for(self, holders: Iterable[str]) -> "PlaceQuerySet":
        """Held for one of these referral keys and not booked yet: somebody is choosing, or has been offered it."""
        return self.filter(holder__in=list(holders), state=PlaceState.HELD)


class Place(models.Model):
    """One seat on one session: held until a time, taken, or released. Written only by `courses.services`."""

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="places")
    holder = models.CharField(max_length=40, help_text="whose it is: the referral key, such as 46/46DEMO0001")
    state = models.CharField(max_length=8, choices=PlaceState)
    held_until = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(help_text="when it was first held or taken")
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=40, blank=True)

    objects = PlaceQuerySet.as_manager()
    history = History()

    class Meta:
        indexes = [
            models.Index(fields=["held_until"], condition=Q(state=PlaceState.HELD), name="courses_place_lapsing"),
            models.Index(fields=["holder"], name="courses_place_holder"),
        ]
        constraints = [
            models.CheckConstraint(
                name="courses_place_held_has_end",
                condition=Q(state=PlaceState.HELD, held_until__isnull=False)
                | (~Q(state=PlaceState.HELD) & Q(held_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="courses_place_released_has_time",
                condition=Q(state=PlaceState.RELEASED, released_at__isnull=False)
                | (~Q(state=PlaceState.RELEASED) & Q(released_at__isnull=True)),
            ),
            models.UniqueConstraint(
                fields=["session", "holder"],
                condition=Q(state__in=CLAIMING),
                name="courses_place_one_live_per_holder",
            ),
        ]
        triggers = [
            triggers.count_places_inserted,
            triggers.count_places_updated,
            triggers.count_places_deleted,
            triggers.places_only_go_forward,
        ]

    def __str__(self) -> str:
        return f"{self.holder} on session {self.session_id} ({self.state})"
