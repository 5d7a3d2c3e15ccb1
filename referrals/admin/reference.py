"""Forces, their officers, the rules of the scheme as rows with dates, and forecasts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from courses.admin.acts import Read
from referrals.models import CourseBlock, Force, ForecastMonth, Officer


@admin.register(Force)
class ForceAdmin(HistoryAdmin):
    """Forces. A force is never deleted: it is made inactive."""

    list_display = ("code", "name", "contact_email", "is_active")
    list_filter = ("is_active",)
    search_fields = ("=code", "name__istartswith")
    ordering = ("code",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No: its record stays."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The code is a force's key for good."""
        return ("code",) if obj else ()


@admin.register(Officer)
class OfficerAdmin(HistoryAdmin):
    """Which force an officer's sign-in belongs to."""

    list_display = ("user", "force")
    list_filter = ("force",)
    list_select_related = ("user", "force")
    search_fields = ("=user__username",)
    raw_id_fields = ("user",)


@admin.register(CourseBlock)
class CourseBlockAdmin(HistoryAdmin):
    """Which course bars which for three years, between two dates."""

    list_display = ("course_type", "blocked_by", "valid_from", "valid_to")
    list_filter = ("course_type",)
    list_select_related = ("course_type", "blocked_by")


@admin.register(ForecastMonth)
class ForecastMonthAdmin(Read, HistoryAdmin):
    """What forces expect to refer."""

    list_display = ("force", "month", "course_type", "expected_referrals", "received_at", "superseded_at")
    list_filter = ("course_type", "force")
    list_select_related = ("force", "course_type")
    ordering = ("-month", "course_type")
