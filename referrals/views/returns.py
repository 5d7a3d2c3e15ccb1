"""Outcome returns: what was written, what is due, and the files."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from referrals import selectors, services
from referrals.services.outcomes import WrittenReturn
from referrals.views.desk import Desk, police_page

_PAGE = 25


@police_page
@require_http_methods(["GET", "HEAD", "POST"])
def returns(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The force's returns, the latest first; sending the form writes the one that is due."""
    if request.method == "POST":
        written = services.write_outcome_return(force=desk.force, by=desk.by, now=desk.now)
        if written is None:
            messages.info(request, "No outcome is due.")
        else:
            messages.success(request, f"Outcomes {written.record.first} to {written.record.last} are written.")
        return redirect("police:returns")
    page = Paginator(selectors.returns_of(force=desk.force), _PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "late": next(iter(selectors.unreported(now=desk.now, force=desk.force)), None),
        "acknowledged": selectors.acknowledged_to(force=desk.force),
        "due": selectors.outcomes_due(force=desk.force),
        "at_returns": True,
    }
    return render(request, "referrals/returns.html", context)


@police_page
@require_safe
def return_file(request: HttpRequest, desk: Desk, return_id: int) -> HttpResponse:
    """The CSV of a return, byte for byte as it was written."""
    written = _written(desk, return_id)
    desk.opened("outcomes.read", subject=f"outcome_return:{return_id}")
    response = HttpResponse(written.content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{written.name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@police_page
@require_safe
def return_manifest(request: HttpRequest, desk: Desk, return_id: int) -> HttpResponse:
    """What the file is checked against."""
    written = _written(desk, return_id)
    response = JsonResponse(written.manifest)
    response["Content-Disposition"] = f'attachment; filename="{written.name}.json"'
    return response


def _written(desk: Desk, return_id: int) -> WrittenReturn:
    return services.read_again(selectors.return_of_force(force=desk.force, return_id=return_id))
