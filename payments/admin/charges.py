"""A charge with its story, and asking for a refund of it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path

from audit.admin import HistoryAdmin
from audit.middleware import actor_of
from audit.models import AuditEvent
from common import clock
from common.errors import PortalError
from common.money import pounds_and_pence
from payments import rules, selectors, services
from payments.admin.common import ReadOnly, money
from payments.constants import ChargeStatus
from payments.forms import RefundForm
from payments.models import Attempt, Charge, Posting, Refund


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
        return f"{attempt.card_brand} {attempt.card_last4}".strip()


class RefundInline(ReadOnly, admin.TabularInline):
    model = Refund
    fields = ("requested_at", "amount", "cause", "note", "status", "requested_by", "stripe_refund_id", "error")
    readonly_fields = ("amount",)
    ordering = ("pk",)
    amount = money("amount_pence", "Amount")


@admin.register(Charge)
class ChargeAdmin(ReadOnly, HistoryAdmin):
    list_display = ("booking_reference", "purpose", "amount", "status", "paid", "refunded", "created_at")
    list_filter = ("status", "purpose", "force_code")
    date_hierarchy = "created_at"
    search_fields = (
        "=booking_reference", "=referral_key", "=attempts__payment_intent_id", "=attempts__checkout_session_id",
        "=attempts__card_last4", "=refunds__stripe_refund_id",
    )  # fmt: skip
    search_help_text = "Booking, referral (46/REFERENCE), a Stripe id, or the last four digits of a card"
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    fields = (
        "booking_reference", "referral_key", "force_code", "purpose", "description", "amount", "components", "status",
        "status_at", "status_by", "paid", "refunded", "created_at",
    )  # fmt: skip
    readonly_fields = ("amount", "components", "paid", "refunded")
    inlines = (AttemptInline, RefundInline)
    change_form_template = "admin/payments/charge/change_form.html"
    amount = money("amount_pence", "Amount")
    paid = money("paid_pence", "Paid")
    refunded = money("refunded_pence", "Refunded")

    @admin.display(description="Made of")
    def components(self, charge: Charge) -> str:
        parts = rules.parts_of(charge.parts, amount_pence=charge.amount_pence).as_json()
        return ", ".join(f"{name} {pounds_and_pence(pence)}" for name, pence in parts.items())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        charge = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if charge is not None:
            subject = f"charge:{charge.pk}"
            extra["events"] = AuditEvent.objects.filter(subject=subject).order_by("pk")
            extra["journals"] = [
                {"journal": journal, "postings": [_posting(posting) for posting in journal.postings.all()]}
                for journal in selectors.journals_of(charge.booking_reference)
            ]
            extra["may_refund"] = _may_refund(request, charge)
        return super().change_view(request, object_id, form_url, extra)

    def get_urls(self) -> list[Any]:
        refund = self.admin_site.admin_view(self.refund_view)
        return [path("<int:charge_id>/refund/", refund, name="payments_charge_refund"), *super().get_urls()]

    def refund_view(self, request: HttpRequest, charge_id: int) -> HttpResponse:
        """Ask for a refund of a charge, with a reason."""
        charge = get_object_or_404(Charge, pk=charge_id)
        if not _may_refund(request, charge):
            raise PermissionDenied
        form = RefundForm(request.POST or None, charge=charge)
        if request.method == "POST" and form.is_valid() and self._ask_refund(request, charge, form):
            return redirect("admin:payments_charge_change", charge.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Refund booking {charge.booking_reference}",
            "opts": self.opts,
            "charge": charge,
            "form": form,
        }
        return TemplateResponse(request, "admin/payments/charge/refund.html", context)

    def _ask_refund(self, request: HttpRequest, charge: Charge, form: Form) -> bool:
        given = form.cleaned_data
        by = actor_of(request)
        if by is None:
            raise PermissionDenied
        try:
            refund = services.ask_refund(
                charge_id=charge.pk,
                amount_pence=given["amount"],
                reason=given["reason"],
                note=given["note"],
                by=by,
                now=clock.now(),
            )
        except PortalError as error:
            form.add_error(None, error.message)
            return False
        words = f"A refund of {pounds_and_pence(refund.amount_pence)} is on its way."
        self.message_user(request, words, messages.SUCCESS)
        return True


def _may_refund(request: HttpRequest, charge: Charge) -> bool:
    is_paid = charge.status == ChargeStatus.PAID and charge.refunded_pence < charge.paid_pence
    return is_paid and bool(request.user.has_perm("payments.add_refund"))


def _posting(posting: Posting) -> dict[str, str]:
    amount = pounds_and_pence(abs(posting.amount_pence))
    return {
        "account": f"{posting.get_account_display()} {posting.force_code}".strip(),
        "debit": amount if posting.amount_pence > 0 else "",
        "credit": amount if posting.amount_pence < 0 else "",
    }
