"""The outbox in admin: what was told to whom."""

from django.contrib import admin

from audit.admin import RecordAdmin
from notifications.models import Message


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    """Everything that was told, and what waits to be."""

    list_display = ("created_at", "kind", "channel", "to", "status", "attempts", "sent_at", "error")
    list_filter = ("status", "kind", "channel")
    search_fields = ("referral_key__exact", "to__exact", "dedupe_key__startswith")
    search_help_text = "Referral (46/46DEMO0001), or the whole address"
