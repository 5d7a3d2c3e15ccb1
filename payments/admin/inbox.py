"""Stripe's events, and what was refused."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.middleware import actor_of
from common import clock
from common.errors import PortalError
from payments import services
from payments.admin.common import ReadOnly
from payments.constants import EventStatus
from payments.models import StripeEvent, WebhookRefusal


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("received_at", "type", "object_id", "status", "attempts", "error")
    list_filter = ("status", "type")
    search_fields = ("=event_id", "=object_id")
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    actions = ("try_again",)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("payments.change_stripeevent"))

    @admin.action(description="Try parked events again", permissions=["try_again"])
    def try_again(self, request: HttpRequest, events: QuerySet[StripeEvent]) -> None:
        by, now = actor_of(request), clock.now()
        if by is None:
            raise PermissionDenied
        parked = events.filter(status=EventStatus.PARKED).values_list("pk", flat=True)
        tried = 0
        for event_id in list(parked):
            try:
                services.try_event_again(event_id=event_id, by=by, now=now)
            except PortalError:
                continue  # somebody else was quicker
            tried += 1
        self.message_user(request, f"{tried} parked events will be tried again.", messages.SUCCESS)


@admin.register(WebhookRefusal)
class WebhookRefusalAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("day", "cause", "count")
    list_filter = ("cause",)
    ordering = ("-day", "cause")
