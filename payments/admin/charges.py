"""A charge with its story, and asking for a refund of it. `bookings.admin` registers it, for it knows the policy."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from accounts.access import client_address
from audit import services as audit
from audit.admin import HistoryAdmin
from audit.columns import who
from audit.middleware import actor_of
from audit.models import AuditEvent
from audit.paging import BoundedPaginator
from common import clock
from common.money import pounds_and_pence
from courses.admin.acts import act_page
from payments import selectors, services
from payments.admin import searching
from payments.admin.common import ReadOnly, acting_finance, may_move_money, money, parts_words
from payments.constants import ChargeStatus, RefundStatus
from payments.forms import RefundForm
from payments.models import Attempt, Charge, Posting, Refund, RefundLimit


class AttemptInline(ReadOnly, admin.TabularInline):
    model = Attempt
    fields = (
        "created_at", "status", "paid", "refunded", "card", "expires_at", "checkout_session_id", "payment_intent_id",
        "is_extra", "error",
    )  # fmt: skip
    readonly_fields = ("paid", "refunded", "card")
    ordering = ("pk",)
    paid = money("paid_pence", "Paid")
    refunded = money("refunded_pence", "Refunded")

    @admin.display
    def card(self, attempt: Attempt) -> str:
        return f"{attempt.card_brand.capitalize()} ending {attempt.card_last4}" if attempt.card_last4 else ""


class RefundInline(ReadOnly, admin.TabularInline):
    model = Refund
    fields = (
        "requested_at", "amount", "cause", "note", "status", "requested_by_words", "decided_by_words", "decision_note",
        "stripe_refund_id", "error",
    )  # fmt: skip
    readonly_fields = ("amount", "requested_by_words", "decided_by_words")
    ordering = ("pk",)
    show_change_link = True
    amount = money("amount_pence", "Amount")
    requested_by_words = who("requested_by")
    decided_by_words = who("decided_by")


class ChargeAdmin(ReadOnly, HistoryAdmin):
    list_display = ("booking_reference", "purpose", "amount", "status", "paid", "refunded", "created_at")
    list_filter = ("status", "purpose", "force_code")
    date_hierarchy = "created_at"
    search_fields = ("booking_reference",)  # shows the box; `get_search_results` searches
    search_help_text = searching.HELP
    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    fields = (
        "booking_reference", "referral_key", "force_code", "purpose", "description", "amount", "components", "status",
        "status_at", "status_by_words", "paid", "refunded", "created_at",
    )  # fmt: skip
    readonly_fields = ("amount", "components", "status_by_words", "paid", "refunded")
    inlines = (AttemptInline, RefundInline)
    change_form_template = "admin/payments/charge/change_form.html"
    amount = money("amount_pence", "Amount")
    paid = money("paid_pence", "Paid")
    refunded = money("refunded_pence", "Refunded or asked for")
    status_by_words = who("status_by")

    @admin.display(description="Made of")
    def components(self, charge: Charge) -> str:
        return parts_words(charge.parts, amount_pence=charge.amount_pence)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Charge]", search_term: str
    ) -> "tuple[QuerySet[Charge], bool]":
        """By what finance have at hand."""
        return queryset.filter(searching.matching(search_term)), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        charge = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        by = actor_of(request)
        if charge is not None and by is not None and self.has_view_permission(request, charge):
            audit.log_access(
                "charge.opened",
                by=by,
                now=clock.now(),
                referral_key=charge.referral_key,
                subject=f"charge:{charge.pk}",
                address=client_address(request),
            )
            subject = f"charge:{charge.pk}"
            extra["events"] = AuditEvent.objects.filter(subject=subject).order_by("pk")
            extra["journals"] = [
                {"journal": journal, "postings": [_posting(posting) for posting in journal.postings.all()]}
                for journal in selectors.journals_of(charge.booking_reference)
            ]
            extra["may_refund"] = _may_refund(request, charge)
            extra["booking_address"] = self.booking_address(charge)
        return super().change_view(request, object_id, form_url, extra)

    def get_urls(self) -> list[Any]:
        refund = self.admin_site.admin_view(self.refund_view)
        return [path("<int:charge_id>/refund/", refund, name="payments_charge_refund"), *super().get_urls()]

    def refund_view(self, request: HttpRequest, charge_id: int) -> HttpResponse:
        """Ask for a refund of a charge, with a reason; a second person may have to decide on it."""
        by, now = acting_finance(request, "payments.add_refund"), clock.now()
        charge = get_object_or_404(Charge, pk=charge_id)
        if not _may_refund(request, charge):
            raise PermissionDenied
        allowed = self.policy_pence(charge)
        limit = RefundLimit.objects.on(clock.london_day(now))

        def act(given: dict[str, Any]) -> str:
            refund = services.ask_refund(
                charge_id=charge.pk,
                amount_pence=given["amount"],
                reason=given["reason"],
                note=given["note"],
                policy_pence=self.policy_pence(charge),
                by=by,
                now=now,
            )
            if refund.status == RefundStatus.WAITING:
                return f"A refund of {pounds_and_pence(refund.amount_pence)} waits for a second person."
            return f"A refund of {pounds_and_pence(refund.amount_pence)} is on its way."

        return act_page(
            self,
            request,
            form=RefundForm(request.POST if request.method == "POST" else None, charge=charge),
            title=f"Refund booking {charge.booking_reference}",
            act=act,
            back=reverse("admin:payments_charge_change", args=[charge.pk]),
            lead=f"The policy gives back {pounds_and_pence(allowed)}. More than that, or more than "
            f"{pounds_and_pence(limit.over_pence)} asked for by hand, waits for a second person.",
            button="Ask for the refund",
        )

    def booking_address(self, charge: Charge) -> str:
        """Where its booking is looked at; "" as far as this app can know."""
        return ""

    def policy_pence(self, charge: Charge) -> int:
        """What the policy gives back of a charge: nothing, as far as this app can know."""
        return 0


def _may_refund(request: HttpRequest, charge: Charge) -> bool:
    is_paid = charge.status == ChargeStatus.PAID and charge.refunded_pence < charge.paid_pence
    return is_paid and may_move_money(request, "payments.add_refund")


def _posting(posting: Posting) -> dict[str, str]:
    amount = pounds_and_pence(abs(posting.amount_pence))
    return {
        "account": f"{posting.get_account_display()} {posting.force_code}".strip(),
        "debit": amount if posting.amount_pence > 0 else "",
        "credit": amount if posting.amount_pence < 0 else "",
    }
