"""Files of money's records for finance: asked for with a purpose, made by a job, and gone after their days."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from accounts.access import client_address, has_role
from accounts.models import Role
from audit.admin import HistoryAdmin
from audit.columns import who
from audit.models import AuditEvent
from audit.paging import BoundedPaginator
from common import clock
from common.errors import PortalError
from courses.admin.acts import act_page
from payments import services
from payments.admin.common import ReadOnly, acting_finance, may_move_money
from payments.constants import EXPORT_DAYS, ExportStatus
from payments.forms import ExportForm
from payments.models import Export

VIEW, ADD = "payments.view_export", "payments.add_export"


@admin.register(Export)
class ExportAdmin(ReadOnly, HistoryAdmin):
    """Finance alone: not even who may do everything else."""

    # The file comes early: what is last is out of sight on a narrow screen.
    list_display = (
        "asked_at", "status", "file_link", "kind", "first_on", "last_on", "purpose", "asked_by_words", "expires_at",
    )  # fmt: skip
    list_filter = ("status", "kind")
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    fields = (
        "kind", "first_on", "last_on", "purpose", "asked_at", "asked_by_words", "status", "status_at", "row_count",
        "sha256", "ready_at", "expires_at", "error",
    )  # fmt: skip
    readonly_fields = ("asked_by_words",)
    change_list_template = "admin/payments/export/change_list.html"
    change_form_template = "admin/payments/export/change_form.html"
    asked_by_words = who("asked_by")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Finance."""
        return has_role(request.user, Role.FINANCE) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        """Finance."""
        return may_move_money(request, VIEW)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Finance."""
        return may_move_money(request, ADD)

    @admin.display(description="File")
    def file_link(self, export: Export) -> str:
        """The way to the file, while there is one."""
        if export.status != ExportStatus.READY:
            return ""
        return format_html('<a href="{}">Download</a>', reverse("admin:payments_export_download", args=[export.pk]))

    def get_urls(self) -> list[Any]:
        """The file, and another try."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/download/", wrap(self.download_view), name="payments_export_download"),
            path("<int:pk>/again/", wrap(self.again_view), name="payments_export_again"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for an export."""
        by, now = acting_finance(request, ADD), clock.now()

        def act(given: dict[str, Any]) -> str:
            services.ask_export(**given, by=by, now=now)
            return "The export is asked for. It is here as soon as it is made."

        return act_page(
            self,
            request,
            form=ExportForm(request.POST if request.method == "POST" else None),
            title="Ask for an export",
            act=act,
            back=reverse("admin:payments_export_changelist"),
            lead=f"The file is deleted {EXPORT_DAYS} days after it is ready. Who asked, why, and each download are "
            "kept on record.",
            button="Ask for the export",
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An export with its story, its file, and another try where it failed."""
        extra = dict(extra_context or {})
        export = self.get_object(request, object_id)
        if export is not None:
            extra["events"] = AuditEvent.objects.filter(subject=f"export:{export.pk}").order_by("pk")
            extra["is_ready"] = export.status == ExportStatus.READY
            extra["may_try_again"] = export.status == ExportStatus.FAILED and may_move_money(request, ADD)
        return super().change_view(request, object_id, form_url, extra)

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put an export that failed in line again."""
        by, now = acting_finance(request, ADD), clock.now()

        def act(given: dict[str, Any]) -> str:
            services.try_export_again(export_id=pk, by=by, now=now)
            return "The export is tried again."

        return act_page(
            self,
            request,
            form=Form(request.POST if request.method == "POST" else None),
            title="Try the export again",
            act=act,
            back=reverse("admin:payments_export_change", args=[pk]),
            button="Try again",
        )

    def download_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The file; in words why not, where there is none."""
        by, now = acting_finance(request, VIEW), clock.now()
        if request.method != "GET":
            raise PermissionDenied
        try:
            export, file = services.open_export(export_id=pk, by=by, now=now, address=client_address(request))
        except PortalError as error:
            context = {
                **self.admin_site.each_context(request),
                "title": "There is no file",
                "opts": self.opts,
                "words": error.message,
            }
            return TemplateResponse(request, "admin/payments/export/no_file.html", context, status=error.status)
        name = f"{export.kind.lower()}-{export.first_on}-to-{export.last_on}.csv"
        return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
