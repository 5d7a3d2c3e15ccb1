"""The record, as KCC staff read it. Nothing here can be added, changed or deleted."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin

from accounts.admin import UserAdmin
from accounts.models import User
from audit.columns import ActorsNamed
from audit.models import AccessLog, AuditEvent, RetentionProof, Seal
from audit.paging import BoundedPaginator


class HistoryAdmin(ActorsNamed, SimpleHistoryAdmin):
    """The base of every admin of a tracked model: django-simple-history's pages, with actor and reason, to be read."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save as Django does; the database knows who acts."""
        admin.ModelAdmin.save_model(self, request, obj, form, change)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """Always: going back to an old row would pass by the services."""
        return True

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show an old row; posting to it would put it back."""
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        response: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return response


class RecordAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read by whoever may view it, written by nobody."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(RecordAdmin):
    list_display = ("occurred_at", "actor", "words", "reason", "referral_key", "subject")
    search_fields = ("referral_key__exact", "subject__exact")
    search_help_text = "Force and reference (46/46DEMO0001), or a subject (booking:17)"


@admin.register(AccessLog)
class AccessLogAdmin(RecordAdmin):
    list_display = ("at", "actor", "action", "referral_key", "subject", "address", "reason", "allowed")
    search_fields = ("referral_key__exact", "actor__exact")
    search_help_text = "Force and reference (46/46DEMO0001), or an actor (staff:7)"


@admin.register(Seal)
class SealAdmin(RecordAdmin):
    list_display = ("id", "sealed_at", "rows", "digest_as_text")
    fields = ("sealed_at", "rows", "previous_as_text", "digest_as_text", "covers")
    readonly_fields = ("previous_as_text", "digest_as_text", "covers")

    @admin.display(description="digest")
    def digest_as_text(self, seal: Seal) -> str:
        return bytes(seal.digest).hex()

    @admin.display(description="follows")
    def previous_as_text(self, seal: Seal) -> str:
        return bytes(seal.previous).hex() or "nothing: the first"

    @admin.display(description="covers")
    def covers(self, seal: Seal) -> str:
        return ", ".join(f"{found.table}: {found.rows}" for found in seal.ranges.order_by("table"))


@admin.register(RetentionProof)
class RetentionProofAdmin(RecordAdmin):
    list_display = ("at", "table", "row_id", "action", "columns", "basis", "actor")
    search_fields = ("table__exact",)
    exclude = ("digest_before", "digest_after")


@admin.register(User)
class UserHistoryAdmin(HistoryAdmin, UserAdmin):
    """Accounts, with their history."""
