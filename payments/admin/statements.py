"""What is owed to the forces and to UKROEd month by month, and the surplus after costs."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from audit.columns import who
from audit.models import AuditEvent
from audit.paging import BoundedPaginator
from common import clock
from common.money import pounds_and_pence
from courses.admin.acts import act_page
from payments import selectors, services, sheets
from payments.admin.common import ReadOnly, acting_finance, may_move_money, money
from payments.forms import CostForm, MonthForm, PaidForm
from payments.models import Cost, Statement
from referrals.models import Force

ISSUE, PAY = "payments.add_statement", "payments.add_statementpayment"
COLUMNS = ("statement", "line", "date", "account", "force", "kind", "booking", "debit", "credit", "description")


@admin.register(Statement)
class StatementAdmin(ReadOnly, admin.ModelAdmin):
    """Statements as they were issued."""

    list_display = (
        "number", "whom", "completed", "completed_sum", "corrections", "corrections_sum", "total", "paid_on",
    )  # fmt: skip
    list_filter = ("payee", "force_code")
    list_select_related = ("payment",)
    date_hierarchy = "month"
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    fields = (
        "number", "whom", "month_words", "completed", "completed_sum", "corrections", "corrections_sum", "total",
        "issued_at", "issued_by_words", "paid_on",
    )  # fmt: skip
    readonly_fields = (
        "number", "whom", "month_words", "completed_sum", "corrections_sum", "total", "issued_by_words", "paid_on",
    )  # fmt: skip
    change_list_template = "admin/payments/statement/change_list.html"
    change_form_template = "admin/payments/statement/change_form.html"
    completed_sum = money("completed_pence", "For completed courses")
    corrections_sum = money("corrections_pence", "For corrections")
    total = money("total_pence", "To pay")
    issued_by_words = who("issued_by")

    @admin.display(description="To", ordering="force_code")
    def whom(self, statement: Any) -> str:
        """A force or UKROEd."""
        if not statement.force_code:
            return "UKROEd"
        name = statement.force_name
        return Force(name=name).full_name if name else f"Force {statement.force_code}"

    @admin.display(description="Month", ordering="month")
    def month_words(self, statement: Statement) -> str:
        """As people say it."""
        return clock.month_words(statement.month)

    @admin.display(description="Paid on")
    def paid_on(self, statement: Statement) -> str:
        """When the bank paid it."""
        payment = getattr(statement, "payment", None)
        return f"{clock.date_words(payment.paid_on)}, {payment.reference}" if payment else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Statement]:
        """With the force's name."""
        return _with_force(super().get_queryset(request))

    def get_urls(self) -> list[Any]:
        """Issuing, paying, the file, the page to print, and the surplus."""
        wrap = self.admin_site.admin_view
        return [
            path("issue/", wrap(self.issue_view), name="payments_statement_issue"),
            path("surplus/", wrap(self.surplus_view), name="payments_statement_surplus"),
            path("<int:pk>/paid/", wrap(self.paid_view), name="payments_statement_paid"),
            path("<int:pk>/print/", wrap(self.print_view), name="payments_statement_print"),
            path("<int:pk>/journal.csv", wrap(self.csv_view), name="payments_statement_csv"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the button that issues, for who may."""
        extra = {"may_issue": may_move_money(request, ISSUE), **(extra_context or {})}
        return super().changelist_view(request, extra)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With its story, its file, and the button that marks it as paid."""
        extra = dict(extra_context or {})
        statement = self.get_object(request, object_id)
        if statement is not None:
            extra["events"] = AuditEvent.objects.filter(subject=f"statement:{statement.pk}").order_by("pk")
            is_open = statement.total_pence != 0 and getattr(statement, "payment", None) is None
            extra["may_pay"] = is_open and may_move_money(request, PAY)
        return super().change_view(request, object_id, form_url, extra)

    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Issue a month's statements."""
        by, now = acting_finance(request, ISSUE), clock.now()

        def act(given: dict[str, Any]) -> str:
            issued = services.issue_statements(month=given["month"], by=by, now=now)
            return f"{len(issued)} statements issued for {clock.month_words(given['month'])}."

        return act_page(
            self,
            request,
            form=MonthForm(request.POST if request.method == "POST" else None),
            title="Issue statements",
            act=act,
            back=reverse("admin:payments_statement_changelist"),
            lead="What is issued is frozen: whatever is learnt later is a correction on the next month's statement.",
            button="Issue",
        )

    def paid_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mark a statement as paid."""
        by, now = acting_finance(request, PAY), clock.now()
        statement = get_object_or_404(_with_force(Statement.objects.all()), pk=pk)

        def act(given: dict[str, Any]) -> str:
            services.mark_statement_paid(
                statement_id=pk, paid_on=given["paid_on"], reference=given["reference"], by=by, now=now
            )
            return f"Statement {statement.number} is marked as paid."

        return act_page(
            self,
            request,
            form=PaidForm(request.POST if request.method == "POST" else None),
            title=f"Statement {statement.number} was paid",
            act=act,
            back=reverse("admin:payments_statement_change", args=[pk]),
            lead=f"{pounds_and_pence(statement.total_pence)} to {self.whom(statement)}.",
            button="Mark as paid",
        )

    def print_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A page fit for paper."""
        statement = self._seen(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Statement {statement.number}",
            "statement": statement,
            "whom": self.whom(statement),
            "month": clock.month_words(statement.month),
            "paid_on": self.paid_on(statement),
            "rows": [
                ("Courses completed", statement.completed, pounds_and_pence(statement.completed_pence)),
                ("Corrections", statement.corrections, pounds_and_pence(statement.corrections_pence)),
            ],
            "total": pounds_and_pence(statement.total_pence),
        }
        return TemplateResponse(request, "admin/payments/statement/print.html", context)

    def csv_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Journal lines for the finance system."""
        statement = self._seen(request, pk)
        response = StreamingHttpResponse(journal_csv(statement), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="statement-{statement.number}.csv"'
        return response

    def surplus_view(self, request: HttpRequest) -> HttpResponse:
        """Income less costs from one month to another, this financial year by default."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = clock.london_day(clock.now())
        first = _month(request, "first") or dt.date(today.year - (today.month < 4), 4, 1)
        last = _month(request, "last") or today.replace(day=1)
        found = selectors.surplus(first=first, last=last)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Surplus, {clock.month_words(first)} to {clock.month_words(last)}",
            "opts": self.opts,
            "first": f"{first:%Y-%m}",
            "last": f"{last:%Y-%m}",
            "last_month": clock.month_words(last),
            "income": [(name, pounds_and_pence(pence)) for name, pence in found.income],
            "income_total": pounds_and_pence(found.income_pence),
            "costs": [(name, pounds_and_pence(pence)) for name, pence in found.costs],
            "costs_total": pounds_and_pence(found.costs_pence),
            "surplus": pounds_and_pence(found.pence),
            "disputed": pounds_and_pence(found.disputed_pence) if found.disputed_pence else "",
        }
        return TemplateResponse(request, "admin/payments/statement/surplus.html", context)

    def _seen(self, request: HttpRequest, pk: int) -> Statement:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(_with_force(Statement.objects.select_related("payment")), pk=pk)


def _with_force(statements: QuerySet[Statement]) -> QuerySet[Statement]:
    name = Force.objects.filter(pk=OuterRef("force_code")).values("name")
    return statements.annotate(force_name=Subquery(name))


def _month(request: HttpRequest, name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(f"{request.GET[name]}-01")
    except (KeyError, ValueError):
        return None


def journal_csv(statement: Statement) -> Iterator[str]:
    """The lines of a statement and what is owed in all, as journal lines that balance. Streamed."""
    account = "Police cost recovery payable" if statement.force_code else "UKROEd levy payable"
    creditor = f"Creditor: force {statement.force_code}" if statement.force_code else "Creditor: UKROEd"
    yield sheets.line(COLUMNS)
    count = 0
    for count, line in enumerate(selectors.statement_lines(statement).iterator(chunk_size=2000), start=1):
        yield sheets.line(
            (
                statement.number, count, clock.london_day(line.occurred_at).isoformat(), account,
                statement.force_code, line.get_kind_display(), line.booking_reference,
                *sheets.sides(line.amount_pence), "",
            )
        )  # fmt: skip
    words = f"To pay for {clock.month_words(statement.month)}"
    day = clock.london_day(statement.issued_at).isoformat()
    total = sheets.sides(-statement.total_pence)
    yield sheets.line((statement.number, count + 1, day, creditor, statement.force_code, "Total", "", *total, words))


@admin.register(Cost)
class CostAdmin(ReadOnly, HistoryAdmin):
    """What the service cost KCC; entered, and corrected by another entry."""

    list_display = ("month_words", "kind", "amount", "note", "entered_by_words", "entered_at")
    list_filter = ("kind",)
    date_hierarchy = "month"
    amount = money("amount_pence", "Amount")
    entered_by_words = who("entered_by")

    @admin.display(description="Month", ordering="month")
    def month_words(self, cost: Cost) -> str:
        """As people say it."""
        return clock.month_words(cost.month)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Finance."""
        return may_move_money(request, "payments.add_cost")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Enter a cost."""
        by, now = acting_finance(request, "payments.add_cost"), clock.now()

        def act(given: dict[str, Any]) -> str:
            services.enter_cost(
                month=given["month"],
                kind=given["kind"],
                amount_pence=given["amount"],
                note=given["note"],
                by=by,
                now=now,
            )
            return "The cost is entered."

        return act_page(
            self,
            request,
            form=CostForm(request.POST if request.method == "POST" else None),
            title="Enter a cost",
            act=act,
            back=reverse("admin:payments_cost_changelist"),
            button="Enter",
        )
