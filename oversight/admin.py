"""Promises in admin: the standards as rows with dates, and the list of what was late."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from accounts.access import client_address
from audit.admin import HistoryAdmin
from audit.context import Actor
from common import clock
from common.errors import PortalError
from courses.admin.acts import acting_staff
from oversight import record_pack, services
from oversight.models import Breach, Standard
from payments.admin.disputes import DisputeAdmin
from payments.models import Dispute


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


@admin.register(Dispute)
class DisputeDesk(DisputeAdmin):
    """Disputes, with the record pack to answer them with."""

    def pack_address(self, dispute: Dispute) -> str:
        return reverse("admin:payments_dispute_pack", args=[dispute.pk])

    def get_urls(self) -> list[Any]:
        pack = self.admin_site.admin_view(self.pack_view)
        return [path("<int:pk>/record-pack/", pack, name="payments_dispute_pack"), *super().get_urls()]

    def pack_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Download everything we hold about the booking; that it was is recorded."""
        by = acting_staff(request, "payments.view_dispute")
        acting_staff(request, "bookings.view_booking")
        dispute = get_object_or_404(Dispute.objects.select_related("charge"), pk=pk)
        reference = dispute.charge.booking_reference
        packed = record_pack.build(
            booking_reference=reference,
            reason=f"dispute {dispute.stripe_dispute_id}",
            by=by,
            now=clock.now(),
            address=client_address(request),
        )
        answer = HttpResponse(packed, content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="record-{reference}.zip"'
        return answer
