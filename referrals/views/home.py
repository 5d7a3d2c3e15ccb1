"""The first page and the forecasts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from referrals import selectors
from referrals.forms import SearchForm
from referrals.models import Batch, ForecastMonth
from referrals.views.desk import Desk, police_page

_LATEST = 5


@police_page
@require_safe
def dashboard(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The force's figures, what waits for a decision, and the latest batches."""
    return render(
        request,
        "referrals/dashboard.html",
        {
            "force": desk.force,
            "figures": selectors.dashboard(force=desk.force, now=desk.now),
            "batches": list(Batch.objects.of_force(desk.force)[:_LATEST]),
            "search": SearchForm(),
            "at_home": True,
        },
    )


@police_page
@require_safe
def forecasts(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What the force said it expects, by month and course, as it stands now."""
    rows = (
        ForecastMonth.objects.of_force(desk.force)
        .filter(superseded_at__isnull=True)
        .select_related("course_type")
        .order_by("-month", "course_type__code")
    )
    return render(request, "referrals/forecasts.html", {"rows": list(rows[:200]), "at_forecasts": True})
