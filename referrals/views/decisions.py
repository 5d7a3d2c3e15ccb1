"""Quarantined rows: the list of what waits, and deciding on one."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import PortalError
from referrals import selectors, services
from referrals.cells import cells_of
from referrals.constants import RowDecision
from referrals.files.header import column_name
from referrals.forms import DecisionForm
from referrals.models import BatchRow
from referrals.views.desk import Desk, police_page

_PAGE = 25
_HIDDEN = frozenset({"pin"})


@police_page
@require_safe
def decisions(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Rows of the force's batches that wait for a person."""
    rows = selectors.undecided_rows(force=desk.force).defer("cells_encrypted")
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    return render(request, "referrals/decisions.html", {"page": page, "at_decisions": True})


@police_page
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, desk: Desk, row_id: int) -> HttpResponse:
    """One row, why it waits, what it says; and the decision on it."""
    row = selectors.undecided_row(force=desk.force, row_id=row_id)
    may_accept = row.row_force_code == row.batch.force_id
    form = DecisionForm(request.POST or None, may_accept=may_accept)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            decision = form.cleaned_data["decision"]
            act = services.accept_row if decision == RowDecision.ACCEPTED else services.refuse_row
            try:
                act(row_id=row.pk, reason=form.cleaned_data["reason"], by=desk.by, now=desk.now)
            except PortalError as error:
                form.add_error(None, error.message)
                status = error.status
            else:
                done = RowDecision(decision).label.lower()
                messages.success(request, f"Row {row.number} of {row.batch.file_name} is {done}.")
                return redirect("police:decisions")
        else:
            status = 422
    else:
        desk.opened("row.opened", referral_key=f"{row.row_force_code}/{row.reference}", subject=f"batch_row:{row.pk}")
    context = {"row": row, "cells": _cells(row), "form": form, "may_accept": may_accept, "in_decisions": True}
    return render(request, "referrals/decide.html", context, status=status)


def _cells(row: BatchRow) -> list[dict[str, Any]]:
    named = zip(row.batch.columns, cells_of(row.cells_encrypted), strict=False)
    return [
        {"key": name, "value": "(not shown)" if column_name(name) in _HIDDEN else cell} for name, cell in named if cell
    ]
