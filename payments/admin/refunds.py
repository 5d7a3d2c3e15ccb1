"""Refunds as a work list: what waits for a second person, and what failed."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from audit.columns import who
from audit.middleware import actor_of
from audit.models import AuditEvent
from audit.naming import name_of
from common import clock
from common.money import pounds_and_pence
from courses.admin.acts import act_page
from payments import selectors, services
from payments.admin.common import ReadOnly, acting_finance, may_move_money, money
from payments.admin.previews import Table, previewed_page
from payments.constants import RefundStatus
from payments.forms import LimitForm, NoteForm
from payments.models import Refund, RefundLimit

CHANGE = "payments.change_refund"
# What can be done about a refund in a status: the words of its button, the service, and what was done.
ACTS = {
    "approve": (RefundStatus.WAITING, "Approve", services.approve_refund, "The refund is approved and on its way."),
    "reject": (RefundStatus.WAITING, "Reject", services.reject_refund, "The refund is rejected."),
    "retry": (RefundStatus.FAILED, "Try again", services.try_refund_again, "The refund is on its way again."),
    "elsewhere": (RefundStatus.FAILED, "Paid by other means", services.settle_refund_elsewhere, ""),
}
TOLD_OF_REJECTION = (
    "The candidate is told that it is not sent if they were told that it is being checked. Ring whoever else asked."
)
# What is said instead, whatever was pressed, of a refund that has become this.
SAID: dict[str, str] = {
    RefundStatus.WAITING: "A second person now decides on the refund.",
    RefundStatus.ELSEWHERE: "The refund is recorded as paid from the bank.",
}


class Waits(admin.SimpleListFilter):
    """The work list: refunds that need a person."""

    title = "needs a person"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """To be decided on, and failed."""
        return [("decision", "A second person"), ("settling", "Failed: try again or pay by other means")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that wait, oldest first by the list's own order."""
        status = {"decision": RefundStatus.WAITING, "settling": RefundStatus.FAILED}.get(self.value() or "")
        return queryset.filter(status=status) if status else queryset


@admin.register(Refund)
class RefundAdmin(ReadOnly, HistoryAdmin):
    """Refunds, with what a person can do about those that wait."""

    list_display = (
        "requested_at", "booking", "amount", "cause", "status", "requested_by_words", "decided_by_words", "error",
    )  # fmt: skip
    list_filter = (Waits, "status", "cause")
    list_select_related = ("charge",)
    search_fields = ("=charge__booking_reference", "=stripe_refund_id")
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    fields = (
        "booking", "amount", "cause", "note", "status", "status_at", "requested_at", "requested_by_words",
        "needs_approval", "decided_by_words", "decided_at", "decision_note", "retry_of", "is_by_bank",
        "stripe_refund_id", "error",
    )  # fmt: skip
    readonly_fields = ("booking", "amount", "requested_by_words", "decided_by_words")
    change_form_template = "admin/payments/refund/change_form.html"
    amount = money("amount_pence", "Amount")
    requested_by_words = who("requested_by")
    decided_by_words = who("decided_by")

    @admin.display(ordering="charge__booking_reference")
    def booking(self, refund: Refund) -> str:
        """Whose money."""
        return refund.charge.booking_reference

    def get_urls(self) -> list[Any]:
        """A page for each thing that can be done."""
        act = self.admin_site.admin_view(self.act_view)
        return [path("<int:refund_id>/<str:what>/do/", act, name="payments_refund_act"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A refund with its story, and what can be done about it."""
        extra = dict(extra_context or {})
        refund = self.get_object(request, object_id)
        if refund is not None:
            about = AuditEvent.objects.filter(subject=f"charge:{refund.charge_id}", data__refund=refund.pk)
            extra["events"] = about.order_by("pk")
            is_waiting = refund.status == RefundStatus.WAITING
            extra["is_own"] = is_waiting and refund.requested_by == str(actor_of(request))
            extra["acts"] = [
                (reverse("admin:payments_refund_act", args=[refund.pk, what]), words)
                for what, (status, words, _, _) in ACTS.items()
                if refund.status == status and may_move_money(request, CHANGE) and not extra["is_own"]
            ]
        return super().change_view(request, object_id, form_url, extra)

    def act_view(self, request: HttpRequest, refund_id: int, what: str) -> HttpResponse:
        """Decide on a refund that waits, or settle one that failed, with a reason."""
        by, now = acting_finance(request, CHANGE), clock.now()
        refund = get_object_or_404(Refund.objects.select_related("charge"), pk=refund_id)
        if what not in ACTS:
            return self._get_obj_does_not_exist_redirect(request, self.opts, what)
        _, words, service, done = ACTS[what]

        def act(given: dict[str, Any]) -> str:
            became = service(refund_id=refund_id, note=given["note"], by=by, now=now).status
            return SAID.get(became, done)

        amount = pounds_and_pence(refund.amount_pence)
        asked = (
            f"{name_of(refund.requested_by)} asked for {amount} for {refund.charge.booking_reference}: {refund.note}"
        )
        return act_page(
            self,
            request,
            form=NoteForm(request.POST if request.method == "POST" else None),
            title=f"{words}: {amount} for {refund.charge.booking_reference}",
            act=act,
            back=reverse("admin:payments_refund_change", args=[refund_id]),
            lead=f"{asked}. {TOLD_OF_REJECTION}" if what == "reject" else asked,
            button=words,
        )


@admin.register(RefundLimit)
class RefundLimitAdmin(HistoryAdmin):
    """Above how much a refund asked for by hand needs a second person, from which day on."""

    list_display = ("valid_from", "valid_to", "over")
    over = money("over_pence", "Above")

    def has_change_permission(self, request: HttpRequest, obj: RefundLimit | None = None) -> bool:
        """No: a limit is followed by another."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RefundLimit | None = None) -> bool:
        """No."""
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Another limit from a day on, with what it would have meant lately."""
        by, now = acting_finance(request, "payments.add_refundlimit"), clock.now()

        def act(given: dict[str, Any]) -> str:
            services.change_refund_limit(
                over_pence=given["over"], valid_from=given["valid_from"], reason=given["reason"], by=by, now=now
            )
            return "The limit is set."

        def preview(given: dict[str, Any]) -> Sequence[Table]:
            old = RefundLimit.objects.on(clock.london_day(now)).over_pence
            waited, would = (
                selectors.asked_above(over_pence=over, since=now - selectors.LATELY) for over in (old, given["over"])
            )
            rows = [
                ("As it is", pounds_and_pence(old), str(waited)),
                ("With the change", pounds_and_pence(given["over"]), str(would)),
            ]
            columns = ("", "Limit", "Refunds asked for by hand above it in the last 90 days")
            return [Table("What is asked for already stays as it was decided", columns, rows)]

        return previewed_page(
            self,
            request,
            form=LimitForm(request.POST if request.method == "POST" else None),
            title="Set the limit from a day on",
            preview=preview,
            act=act,
            back=reverse("admin:payments_refundlimit_changelist"),
            button="Set the limit",
        )
