"""Batches and their rows; deciding on a quarantined row."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from audit.admin import HistoryAdmin
from audit.columns import who
from common import clock
from courses.admin.acts import Read, acting_staff
from referrals import services
from referrals.admin.base import act_page, log_opened
from referrals.cells import cells_of
from referrals.constants import RowDecision, RowState
from referrals.models import Batch, BatchRow


@admin.register(Batch)
class BatchAdmin(Read, HistoryAdmin):
    """What a force sent, and what became of it."""

    list_display = (
        "file_name",
        "force",
        "kind",
        "status",
        "received_at",
        "rows",
        "new",
        "unchanged",
        "changed",
        "rejected",
        "quarantined",
    )
    list_filter = ("status", "kind", "force")
    list_select_related = ("force",)
    search_fields = ("=sha256", "file_name__startswith")
    search_help_text = "SHA-256 of the file, or how its name begins"
    ordering = ("-received_at",)
    exclude = ("file", "columns")
    readonly_fields = ("rows_of_it",)

    @admin.display(description="Rows")
    def rows_of_it(self, batch: Batch) -> SafeString:
        """Links to the rows that somebody has to look at, and to all."""
        address = reverse("admin:referrals_batchrow_changelist")
        links = [(f"{address}?batch__id__exact={batch.pk}&state__exact={state}", state.label) for state in RowState]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


class DecideForm(forms.Form):
    """What a member of staff decides, and why."""

    decision = forms.ChoiceField(choices=RowDecision.choices, widget=forms.RadioSelect)
    reason = forms.CharField(max_length=500, help_text="It is kept with the record")


class Undecided(admin.SimpleListFilter):
    """The work list: quarantined rows nobody has decided on."""

    title = "waits for a decision"
    parameter_name = "undecided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice."""
        return [("yes", "Waits")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that wait, where asked."""
        return queryset.filter(state=RowState.QUARANTINED, decision="") if self.value() else queryset


@admin.register(BatchRow)
class BatchRowAdmin(Read, admin.ModelAdmin):  # type: ignore[misc]
    """Rows; their cells are shown only while somebody must mend or decide on them."""

    # What staff decide by comes first: the rest may be out of sight on a small screen.
    list_display = ("reference", "why", "row_force_code", "state", "decision", "number", "batch")
    list_display_links = ("reference", "number")
    list_filter = (Undecided, "state", "decision")
    list_select_related = ("batch",)
    ordering = ("-pk",)
    search_fields = ("=reference",)
    search_help_text = "Reference"
    fields = (
        "batch",
        "number",
        "state",
        "row_force_code",
        "reference",
        "why",
        "warnings",
        "changes",
        "cells",
        "decision",
        "decided_at",
        "decided_by_words",
        "decision_reason",
    )
    readonly_fields = ("why", "cells", "decided_by_words")
    decided_by_words = who("decided_by")
    change_form_template = "admin/referrals/batchrow_change_form.html"

    @admin.display(description="Why")
    def why(self, row: BatchRow) -> str:
        """What is the matter with it."""
        return " ".join(told["message"] for told in row.errors)

    @admin.display(description="Cells")
    def cells(self, row: BatchRow) -> SafeString:
        """What the row says, PIN left out."""
        named = zip(row.batch.columns, cells_of(row.cells_encrypted), strict=False)
        told = [(name, cell) for name, cell in named if cell and name.strip().lower() != "pin"]
        return format_html_join(mark_safe("<br>"), "{}: {}", told)

    def get_urls(self) -> list[Any]:
        """And the page to decide on a row."""
        decide = self.admin_site.admin_view(self.decide_view)
        return [path("<int:row_id>/decide/", decide, name="referrals_batchrow_decide"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row; opening it is on record."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None:
            key = f"{row.row_force_code}/{row.reference}"
            log_opened(request, "row.opened", referral_key=key, subject=f"batch_row:{row.pk}")
            waits = row.state == RowState.QUARANTINED and not row.decision
            extra["may_decide"] = waits and request.user.has_perm("referrals.change_batchrow")
        return super().change_view(request, object_id, form_url, extra)

    def decide_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Accept or refuse a quarantined row."""
        by = acting_staff(request, "referrals.change_batchrow")
        row = get_object_or_404(BatchRow.objects.select_related("batch"), pk=row_id)

        def act(given: dict[str, Any]) -> str:
            decide = services.accept_row if given["decision"] == RowDecision.ACCEPTED else services.refuse_row
            done = decide(row_id=row.pk, reason=given["reason"], by=by, now=clock.now())
            return f"Row {done.number} is {done.get_decision_display().lower()}."

        return act_page(
            self,
            request,
            form=DecideForm(request.POST or None),
            title=f"Decide on row {row.number} of {row.batch.file_name}",
            act=act,
            back=reverse("admin:referrals_batchrow_change", args=[row.pk]),
            back_words=f"Row {row.number}",
        )
