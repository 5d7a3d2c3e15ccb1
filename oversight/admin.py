"""Promises in admin: the standards as rows with dates, and the list of what was late."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from audit.context import Actor
from common import clock
from common.errors import PortalError
from oversight import services
from oversight.models import Breach, Standard


@admin.register(Standard)
class StandardAdmin(HistoryAdmin):
    list_display = ["promise", "amount", "unit", "warn_at_percent", "valid_from", "valid_to"]
    list_filter = ["promise"]


class OpenFilter(admin.SimpleListFilter):
    """What nobody has looked at comes first."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unseen", "Nobody has looked yet"), ("running", "Still not done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Breach]) -> QuerySet[Breach]:
        if self.value() == "unseen":
            return queryset.filter(seen_at__isnull=True)
        if self.value() == "running":
            return queryset.filter(done_at__isnull=True)
        return queryset


@admin.register(Breach)
class BreachAdmin(HistoryAdmin):
    """Found by the check; staff say what they found when they looked."""

    list_display = ["promise", "subject", "force_code", "started_at", "due_at", "done_at", "seen_at"]
    list_filter = [OpenFilter, "promise", "force_code"]
    search_fields = ["subject"]
    date_hierarchy = "due_at"
    readonly_fields = [field.name for field in Breach._meta.fields if field.name != "explanation"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Breach, form: Any, change: bool) -> None:
        """Writing an explanation is looking at it: the service notes who and when."""
        try:
            services.mark_seen(
                breach_id=obj.pk,
                explanation=form.cleaned_data["explanation"],
                by=Actor("staff", str(request.user.pk)),
                now=clock.now(),
            )
        except PortalError as error:
            self.message_user(request, error.message, messages.ERROR)
