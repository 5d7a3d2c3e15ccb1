"""What courses cost, from which day on."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.admin import HistoryAdmin
from audit.middleware import actor_of
from common import clock
from common.errors import PortalError
from payments import services
from payments.admin.common import money
from payments.forms import FeeForm
from payments.models import FeeSchedule


@admin.register(FeeSchedule)
class FeeScheduleAdmin(HistoryAdmin):
    list_display = ("course_type", "mode", "valid_from", "valid_to", "total", "police", "levy", "vat", "provider")
    list_filter = ("course_type", "mode")
    list_select_related = ("course_type",)
    total = money("total_pence", "Total")
    police = money("police_pence", "Police")
    levy = money("levy_pence", "Levy")
    vat = money("vat_pence", "VAT")
    provider = money("provider_pence", "KCC")

    def has_change_permission(self, request: HttpRequest, obj: FeeSchedule | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FeeSchedule | None = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new fee from a day on; the running one ends the day before."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = FeeForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._change_fee(request, form):
            return redirect(reverse("admin:payments_feeschedule_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Set a fee from a day on",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/payments/feeschedule/add.html", context)

    def _change_fee(self, request: HttpRequest, form: FeeForm) -> bool:
        given = form.cleaned_data
        by = actor_of(request)
        if by is None:
            raise PermissionDenied
        try:
            services.change_fee(
                course_type_id=given["course_type"].pk,
                mode=given["mode"],
                valid_from=given["valid_from"],
                parts=form.parts(),
                reason=given["reason"],
                by=by,
                now=clock.now(),
            )
        except PortalError as error:
            form.add_error(None, error.message)
            return False
        self.message_user(request, "The fee is set.", messages.SUCCESS)
        return True
