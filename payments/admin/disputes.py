"""Disputes as a work list by deadline. `oversight.admin` registers it, for it puts the record pack together."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from audit.columns import who
from audit.models import AuditEvent
from common import clock
from courses.admin.acts import act_page
from payments import services
from payments.admin.common import ReadOnly, acting_finance, may_move_money, money
from payments.constants import DISPUTES_WAITING
from payments.forms import ReasonForm
from payments.models import Dispute

CHANGE = "payments.change_dispute"


# Stripe's reasons of a dispute (docs.stripe.com/disputes/categories) as the payer would say them.
REASONS = {
    "credit_not_processed": "A refund that was promised did not come",
    "duplicate": "It was paid twice",
    "fraudulent": "The payer says that it was not they who paid",
    "general": "No reason given",
    "product_not_received": "The course was not given",
    "product_unacceptable": "The course was not what was sold",
    "subscription_canceled": "It had been cancelled",
    "unrecognized": "The payer does not know the payment",
}


class Waiting(admin.SimpleListFilter):
    """The work list: disputes that wait for our answer."""

    title = "needs our answer"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All of them, or those nobody has taken."""
        return [("yes", "Yes"), ("untaken", "Yes, and nobody sees to it")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that wait, the nearest deadline first by the list's own order."""
        if not self.value():
            return queryset
        waiting = queryset.filter(status__in=DISPUTES_WAITING)
        return waiting.filter(taken_at=None) if self.value() == "untaken" else waiting


class DisputeAdmin(ReadOnly, HistoryAdmin):
    """A dispute with its deadline, its story, and the record pack to answer it with."""

    list_display = ("booking", "amount", "why", "status", "answer_by", "taken_by_words", "opened_at")
    list_filter = (Waiting, "status")
    list_select_related = ("charge",)
    search_fields = ("=charge__booking_reference", "=stripe_dispute_id", "=attempt__payment_intent_id")
    search_help_text = "Booking, or a Stripe id"
    show_full_result_count = False
    ordering = ("evidence_due_by", "pk")
    list_per_page = 50
    fields = (
        "booking", "amount", "why", "status", "status_at", "opened_at", "answer_by", "has_evidence",
        "taken_by_words", "taken_at", "note", "stripe_dispute_id",
    )  # fmt: skip
    readonly_fields: Sequence[str] = ("booking", "amount", "why", "answer_by", "taken_by_words")
    change_form_template = "admin/payments/dispute/change_form.html"
    amount = money("amount_pence", "Amount")
    taken_by_words = who("taken_by")

    @admin.display(ordering="charge__booking_reference")
    def booking(self, dispute: Dispute) -> str:
        """The booking it was paid for."""
        return dispute.charge.booking_reference

    @admin.display(description="Reason", ordering="reason")
    def why(self, dispute: Dispute) -> str:
        """What the payer told the bank, with Stripe's own word for it."""
        words = REASONS.get(dispute.reason)
        return f"{words} ({dispute.reason})" if words else dispute.reason

    @admin.display(description="Answer at Stripe by", ordering="evidence_due_by")
    def answer_by(self, dispute: Dispute) -> str:
        """The deadline, while it is one."""
        due = dispute.evidence_due_by
        return clock.moment_words(due) if due and dispute.status in DISPUTES_WAITING else ""

    def pack_address(self, dispute: Dispute) -> str:
        """Where the record pack of its booking is downloaded; "" where there is none."""
        return ""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A dispute with what happened to its payment."""
        dispute = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if dispute is not None:
            extra["events"] = AuditEvent.objects.filter(subject=f"charge:{dispute.charge_id}").order_by("pk")
            extra["may_take"] = may_move_money(request, CHANGE) and dispute.status in DISPUTES_WAITING
            extra["pack_address"] = self.pack_address(dispute)
        return super().change_view(request, object_id, form_url, extra)

    def get_urls(self) -> list[Any]:
        """Taking a dispute has a page of its own."""
        take = self.admin_site.admin_view(self.take_view)
        return [path("<int:pk>/take/", take, name="payments_dispute_take"), *super().get_urls()]

    def take_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say that one sees to the answer."""
        by, now = acting_finance(request, CHANGE), clock.now()
        dispute = get_object_or_404(Dispute.objects.select_related("charge"), pk=pk)

        def act(given: dict[str, Any]) -> str:
            services.take_dispute(dispute_id=pk, note=given["reason"], by=by, now=now)
            return "You see to this dispute."

        return act_page(
            self,
            request,
            form=ReasonForm(request.POST if request.method == "POST" else None),
            title=f"See to the dispute about {dispute.charge.booking_reference}",
            act=act,
            back=reverse("admin:payments_dispute_change", args=[pk]),
            lead="The answer itself is handed in at Stripe, with the record pack, before the deadline.",
            button="I see to it",
        )
