"""Finance's pages. Everything is read here; what may be done is done by a service."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from simple_history.admin import SimpleHistoryAdmin

from audit.middleware import actor_of
from audit.models import AuditEvent
from common import clock
from common.errors import PortalError
from common.money import pounds_and_pence
from payments import rules, selectors, services
from payments.constants import ChargeStatus, EventStatus
from payments.forms import FeeForm, RefundForm
from payments.models import Attempt, Charge, FeeSchedule, Journal, Posting, Refund, StripeEvent, WebhookRefusal


class ReadOnly:
    """Mixed into an admin class: nothing can be added, changed or deleted through it."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def money(field: str, heading: str) -> Callable[[Any, Any], str]:
    """A column that shows pence as pounds."""

    @admin.display(description=heading, ordering=field)
    def column(self: Any, row: Any) -> str:
        return pounds_and_pence(getattr(row, field))

    return column


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
class ChargeAdmin(ReadOnly, SimpleHistoryAdmin):
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


@admin.register(Refund)
class RefundAdmin(ReadOnly, SimpleHistoryAdmin):
    list_display = ("requested_at", "booking", "amount", "cause", "status", "requested_by", "error")
    list_filter = ("status", "cause")
    list_select_related = ("charge",)
    search_fields = ("=charge__booking_reference", "=stripe_refund_id")
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    amount = money("amount_pence", "Amount")

    @admin.display(ordering="charge__booking_reference")
    def booking(self, refund: Refund) -> str:
        return refund.charge.booking_reference


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


class PostingInline(ReadOnly, admin.TabularInline):
    model = Posting
    fields = ("account", "force_code", "amount")
    readonly_fields = ("amount",)
    ordering = ("pk",)
    amount = money("amount_pence", "Amount (debit +, credit -)")


@admin.register(Journal)
class JournalAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("occurred_at", "kind", "booking_reference", "total", "source", "recorded_by")
    list_filter = ("kind",)
    date_hierarchy = "occurred_at"
    search_fields = ("=booking_reference", "=source")
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    inlines = (PostingInline,)
    change_list_template = "admin/payments/journal/change_list.html"
    total = money("total_pence", "Total")

    def get_urls(self) -> list[Any]:
        balance = self.admin_site.admin_view(self.balance_view)
        return [path("trial-balance/", balance, name="payments_journal_balance"), *super().get_urls()]

    def balance_view(self, request: HttpRequest) -> HttpResponse:
        """The trial balance at the end of a London day, today's by default."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            day = dt.date.fromisoformat(request.GET["day"])
        except (KeyError, ValueError):
            day = clock.london_day(clock.now())
        lines = selectors.trial_balance(day=day)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Trial balance at the end of {clock.date_words(day)}",
            "opts": self.opts,
            "day": day,
            "lines": [
                {
                    "account": f"{line.account_name} {line.force_code}".strip(),
                    "debit": pounds_and_pence(line.debit_pence),
                    "credit": pounds_and_pence(line.credit_pence),
                    "balance": pounds_and_pence(line.pence),
                }
                for line in lines
            ],
            "debit": pounds_and_pence(sum(line.debit_pence for line in lines)),
            "credit": pounds_and_pence(sum(line.credit_pence for line in lines)),
        }
        return TemplateResponse(request, "admin/payments/journal/trial_balance.html", context)


@admin.register(FeeSchedule)
class FeeScheduleAdmin(SimpleHistoryAdmin):
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
