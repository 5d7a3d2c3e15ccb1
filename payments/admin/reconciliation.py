"""Each day beside Stripe: a green line when all agree, else both sides of each difference; and payouts."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from audit.columns import who
from audit.models import AuditEvent
from common import clock
from common.labels import mid_sentence
from common.money import pounds_and_pence
from courses.admin.acts import act_page
from payments import selectors, services
from payments.admin.common import ReadOnly, acting_finance, may_move_money, money
from payments.constants import RunStatus
from payments.forms import ReasonForm
from payments.models import Payout, ReconciliationException, ReconciliationRun

CHANGE = "payments.change_reconciliationexception"


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnly, admin.ModelAdmin):
    """The days, and a day's differences side by side."""

    list_display = ("day", "agrees", "to_explain", "transactions", "payments", "difference")
    list_filter = ("status",)
    date_hierarchy = "day"
    show_full_result_count = False
    ordering = ("-day",)
    list_per_page = 50
    fields = (
        ("day", "status", "finished_at"), ("transactions", "repaired"), ("payments", "refunds", "disputes"),
        ("fees", "payouts", "other"), ("stripe_balance", "ledger_balance", "difference"), ("turn", "done_by_words"),
    )  # fmt: skip
    readonly_fields = (
        "payments", "refunds", "disputes", "fees", "payouts", "other", "stripe_balance", "ledger_balance",
        "difference", "done_by_words",
    )  # fmt: skip
    change_form_template = "admin/payments/reconciliationrun/change_form.html"
    payments = money("payments_pence", "Payments")
    refunds = money("refunds_pence", "Refunds")
    disputes = money("disputes_pence", "Disputes")
    fees = money("fees_pence", "Stripe's fees")
    payouts = money("payouts_pence", "Payouts")
    other = money("other_pence", "Other")
    stripe_balance = money("stripe_balance_pence", "Stripe's balance")
    ledger_balance = money("ledger_balance_pence", "Clearing account")
    done_by_words = who("done_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReconciliationRun]:
        """With how many differences stand unexplained."""
        standing = Q(exceptions__gone_at=None, exceptions__resolved_at=None) & ~Q(exceptions__pk=None)
        return super().get_queryset(request).annotate(open_count=Count("exceptions", filter=standing))

    @admin.display(boolean=True, description="Agrees", ordering="status")
    def agrees(self, run: ReconciliationRun) -> bool | None:
        """Green when all agree; unknown while it runs or where each difference is explained."""
        return {RunStatus.GREEN: True, RunStatus.EXCEPTIONS: False, RunStatus.FAILED: False}.get(RunStatus(run.status))

    @admin.display(description="To explain", ordering="open_count")
    def to_explain(self, run: Any) -> int:
        """How many differences stand unexplained."""
        return int(run.open_count)

    @admin.display(description="Clearing account less Stripe's balance")
    def difference(self, run: ReconciliationRun) -> str:
        """What the two differ by at the end of the day, differences of earlier days included."""
        return pounds_and_pence(run.ledger_balance_pence - run.stripe_balance_pence)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A day with both sides of each difference, its payouts and its story."""
        run = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if run is not None:
            extra["is_green"] = run.status == RunStatus.GREEN
            extra["differences"] = [_sides(one) for one in selectors.exceptions_of(run)]
            extra["payouts"] = selectors.payouts_on(run.day)
            extra["events"] = AuditEvent.objects.filter(subject=f"reconciliation:{run.day}").order_by("pk")
            extra["may_resolve"] = may_move_money(request, CHANGE)
        return super().change_view(request, object_id, form_url, extra)

    def get_urls(self) -> list[Any]:
        """Explaining a difference has a page of its own."""
        resolve = self.admin_site.admin_view(self.resolve_view)
        return [path("explain/<int:pk>/", resolve, name="payments_reconciliation_resolve"), *super().get_urls()]

    def resolve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say why a difference is right, or what was done about it."""
        by, now = acting_finance(request, CHANGE), clock.now()
        found = get_object_or_404(ReconciliationException.objects.select_related("run"), pk=pk)

        def act(given: dict[str, Any]) -> str:
            services.resolve_exception(exception_id=pk, reason=given["reason"], by=by, now=now)
            return "The difference is explained."

        sides = _sides(found)
        note = f" {found.note[:1].upper()}{found.note[1:].rstrip('.')}." if found.note else ""
        return act_page(
            self,
            request,
            form=ReasonForm(request.POST if request.method == "POST" else None),
            title=f"Explain: {mid_sentence(found.get_kind_display())}",
            act=act,
            back=reverse("admin:payments_reconciliationrun_change", args=[found.run_id]),
            lead=f"{found.subject}: with us {sides['ours']}, at Stripe {sides['theirs']}.{note}",
            button="Explain the difference",
        )


def _sides(found: ReconciliationException) -> dict[str, Any]:
    """Both sides of a difference, with the ways to what it is about."""
    charge_id = getattr(found, "charge_id", None)
    return {
        "found": found,
        "ours": "nothing" if found.ours_pence is None else pounds_and_pence(found.ours_pence),
        "theirs": "nothing" if found.theirs_pence is None else pounds_and_pence(found.theirs_pence),
        "charge_address": reverse("admin:payments_charge_change", args=[charge_id]) if charge_id else "",
    }


@admin.register(Payout)
class PayoutAdmin(ReadOnly, HistoryAdmin):
    """Money on its way to the bank, with what it is made of."""

    list_display = ("created_at", "amount", "status", "arrives_on", "transactions", "sum", "agrees", "failure")
    list_filter = ("status",)
    search_fields = ("=stripe_payout_id",)
    search_help_text = "A Stripe id (po_…)"
    date_hierarchy = "created_at"
    show_full_result_count = False
    ordering = ("-created_at",)
    list_per_page = 50
    fields = (
        "stripe_payout_id", "amount", "status", "status_at", "created_at", "arrives_on", "transactions", "sum",
        "failure",
    )  # fmt: skip
    readonly_fields = ("amount", "sum")
    change_form_template = "admin/change_form_with_story.html"
    amount = money("amount_pence", "Amount")

    @admin.display(description="Sum of its transactions")
    def sum(self, payout: Payout) -> str:
        """What its transactions add up to, once its day was compared."""
        return "" if payout.transactions_pence is None else pounds_and_pence(payout.transactions_pence)

    @admin.display(boolean=True, description="Agrees")
    def agrees(self, payout: Payout) -> bool | None:
        """Whether the sum is the amount."""
        return None if payout.transactions_pence is None else payout.transactions_pence == payout.amount_pence

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A payout with its story."""
        payout = self.get_object(request, object_id)
        events = AuditEvent.objects.filter(subject=f"payout:{payout.stripe_payout_id}") if payout else ()
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "events": events})
