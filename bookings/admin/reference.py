"""What booking goes by: the texts candidates agree to, and the policies."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from bookings.models import ConsentText, Policy
from courses.admin.acts import NoDelete


@admin.register(ConsentText)
class ConsentTextAdmin(NoDelete, HistoryAdmin):
    """A text that somebody may have agreed to is never edited: a new version is added."""

    list_display = ("kind", "version", "valid_from", "statement")
    list_filter = ("kind",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


@admin.register(Policy)
class PolicyAdmin(NoDelete, HistoryAdmin):
    """The rules of booking with their dates. One is only ended; bookings keep the one they were made under."""

    list_display = ("valid_from", "valid_to", "hold_minutes", "cancel_days", "cancel_notice_days")

    def get_readonly_fields(self, request: HttpRequest, obj: Policy | None = None) -> tuple[str, ...]:
        """Everything but the last day, once it exists."""
        return tuple(field.name for field in Policy._meta.fields if field.name != "valid_to") if obj else ()
