"""Registers in admin: read-only, with every mark and its history. Corrections go through the register's services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from audit.columns import who
from rosters.models import Attendance, Register


class AttendanceInline(admin.TabularInline):
    """The marks of a register."""

    model = Attendance
    extra = 0
    can_delete = False
    fields = readonly_fields = ("booking", "mark", "document_kind", "note", "marked_at", "marked_by_words")
    marked_by_words = who("marked_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Marks are made by trainers."""
        return False


@admin.register(Register)
class RegisterAdmin(HistoryAdmin):
    """A register and its marks."""

    list_display = ["session", "opened_at", "opened_by_words", "closed_at", "closed_by_words"]
    opened_by_words = who("opened_by")
    closed_by_words = who("closed_by")
    list_select_related = ["session__course_type"]
    readonly_fields = [field.name for field in Register._meta.fields]
    inlines = [AttendanceInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A register is opened by marking."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A register is a record."""
        return False
