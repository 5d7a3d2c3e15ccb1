"""The ledger: journals with their postings, and the trial balance of a day."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from audit.columns import ActorsNamed, who
from common import clock
from common.money import pounds_and_pence
from payments import selectors
from payments.admin.common import ReadOnly, money
from payments.models import Journal, Posting


class PostingInline(ReadOnly, admin.TabularInline):
    model = Posting
    fields = ("account", "force_code", "amount")
    readonly_fields = ("amount",)
    ordering = ("pk",)
    amount = money("amount_pence", "Amount (debit +, credit -)")


@admin.register(Journal)
class JournalAdmin(ActorsNamed, ReadOnly, admin.ModelAdmin):
    list_display = ("occurred_at", "kind", "booking_reference", "total", "source", "recorded_by_words")
    list_filter = ("kind",)
    date_hierarchy = "occurred_at"
    search_fields = ("=booking_reference", "=source")
    show_full_result_count = False
    ordering = ("-pk",)
    list_per_page = 50
    inlines = (PostingInline,)
    change_list_template = "admin/payments/journal/change_list.html"
    total = money("total_pence", "Total")
    recorded_by_words = who("recorded_by")

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
