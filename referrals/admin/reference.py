"""Forces, their officers, the rules of the scheme as rows with dates, and forecasts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from common import clock
from courses.admin.acts import NoDelete, Read
from referrals.models import CourseBlock, Force, ForecastMonth, OfferTerms, Officer, SpeedBand


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


class _FromADayOn(NoDelete, HistoryAdmin):
    """Rows that hold until the next: one that has begun stays, for batches were checked by it."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Until the day it begins."""
        has_begun = obj is not None and obj.valid_from <= clock.london_day(clock.now())
        return not has_begun and super().has_change_permission(request, obj)


@admin.register(OfferTerms)
class OfferTermsAdmin(_FromADayOn):
    """What is filled in where an offer comes without its days. Add a row to change it from a day on."""

    list_display = ("valid_from", "book_by_days", "complete_by_months")


@admin.register(SpeedBand)
class SpeedBandAdmin(_FromADayOn):
    """Recorded speeds that lead to a course, by speed limit. Add a row to change one from a day on."""

    list_display = ("limit_mph", "slowest_mph", "fastest_mph", "valid_from")
    list_filter = ("limit_mph",)


@admin.register(ForecastMonth)
class ForecastMonthAdmin(Read, HistoryAdmin):
    """What forces expect to refer."""

    list_display = ("force", "month", "course_type", "expected_referrals", "received_at", "superseded_at")
    list_filter = ("course_type", "force")
    list_select_related = ("force", "course_type")
    ordering = ("-month", "course_type")
