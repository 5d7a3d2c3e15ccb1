"""The outbox in admin: what was told to whom, and the list of what could not be sent."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common import clock
from notifications import services
from notifications.models import Message


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Read-only. Messages given up can be put back into the queue."""

    list_display = ["created_at", "kind", "channel", "to", "status", "attempts", "sent_at", "error"]
    list_filter = ["status", "kind", "channel"]
    search_fields = ["referral_key__exact", "to__exact", "dedupe_key__startswith"]
    search_help_text = "Referral (46/46DEMO0001), or the whole address"
    ordering = ["-id"]
    show_full_result_count = False
    actions = ["send_again"]
    readonly_fields = [field.name for field in Message._meta.fields]

    @admin.action(description="Send again what was given up")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Put each chosen message that was given up back into the queue."""
        done = sum(services.send_again(message_id=pk, now=clock.now()) for pk in queryset.values_list("pk", flat=True))
        self.message_user(
            request, f"{done} of {queryset.count()} put back into the queue; the others were not given up."
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
