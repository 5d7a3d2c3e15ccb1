"""How files are made: the columns of each kind, and an empty workbook of each."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from referrals import rules
from referrals.constants import BatchKind
from referrals.errors import BatchNotFoundError
from referrals.files import blank_workbook
from referrals.views.desk import Desk, police_page

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@police_page
@require_safe
def columns(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What is to be written in which column."""
    kinds = [
        {
            "name": kind.value,
            "label": kind.label,
            "columns": [
                {"name": name, "is_needed": name in rules.KINDS[kind].needed, "write": rules.GUIDE[kind][name]}
                for name in rules.KINDS[kind].columns
            ],
        }
        for kind in BatchKind
    ]
    return render(request, "referrals/columns.html", {"kinds": kinds, "in_upload": True})


@police_page
@require_safe
def blank(request: HttpRequest, desk: Desk) -> HttpResponse:
    """An empty workbook with the columns of a kind of file."""
    kind = rules.KINDS.get(request.GET.get("kind", BatchKind.REFERRALS))
    if kind is None:
        raise BatchNotFoundError
    response = HttpResponse(blank_workbook(kind), content_type=_WORKBOOK)
    response["Content-Disposition"] = f'attachment; filename="{kind.name}.xlsx"'
    return response
