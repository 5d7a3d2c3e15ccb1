"""Course types and versions, venues and rooms, trainers and their licences."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from courses.admin.acts import NoDelete
from courses.models import AdiRegistration, CourseType, CourseVersion, Room, Trainer, TrainerLicence, Venue


@admin.register(CourseType)
class CourseTypeAdmin(NoDelete, HistoryAdmin):
    """The national models, and what candidates are told about each."""

    list_display = ("code", "name", "is_delivered", "is_on_road")
    list_filter = ("is_delivered",)

    def get_readonly_fields(self, request: HttpRequest, obj: CourseType | None = None) -> tuple[str, ...]:
        """The code is what batches and returns call it."""
        return ("code", "is_on_road") if obj else ()


@admin.register(CourseVersion)
class CourseVersionAdmin(NoDelete, HistoryAdmin):
    """Lengths and sizes with dates. A version is only ended: sessions keep the one they were scheduled under."""

    list_display = (
        "course_type",
        "mode",
        "valid_from",
        "valid_to",
        "duration_minutes",
        "clients_per_trainer",
        "max_clients",
        "smallest_class",
    )
    list_filter = ("course_type", "mode")
    list_select_related = ("course_type",)

    def get_readonly_fields(self, request: HttpRequest, obj: CourseVersion | None = None) -> tuple[str, ...]:
        """Everything but the last day, once it exists."""
        if obj is None:
            return ()
        return tuple(field.name for field in CourseVersion._meta.fields if field.name != "valid_to")


class RoomInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rooms of a venue."""

    model = Room
    extra = 0
    can_delete = False


@admin.register(Venue)
class VenueAdmin(NoDelete, HistoryAdmin):
    """Where courses in person take place."""

    list_display = ("name", "town", "postcode", "is_step_free", "has_hearing_loop", "is_active")
    list_filter = ("is_active", "town")
    search_fields = ("name", "town", "postcode")
    inlines = (RoomInline,)


@admin.register(Room)
class RoomAdmin(NoDelete, HistoryAdmin):
    """One room, with its history."""

    list_display = ("name", "venue", "seats")
    list_select_related = ("venue",)
    search_fields = ("name", "venue__name")


class LicenceInline(admin.TabularInline):  # type: ignore[type-arg]
    """What a trainer is licensed to teach, and until when."""

    model = TrainerLicence
    extra = 0
    can_delete = False


class AdiInline(admin.TabularInline):  # type: ignore[type-arg]
    """Registrations for the road."""

    model = AdiRegistration
    extra = 0
    can_delete = False


@admin.register(Trainer)
class TrainerAdmin(NoDelete, HistoryAdmin):
    """Trainers with their licences. Rostering asks the database whether a licence covers the day."""

    list_display = ("name", "email", "mobile", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "email")
    autocomplete_fields: tuple[Any, ...] = ()
    raw_id_fields = ("user",)
    inlines = (LicenceInline, AdiInline)
