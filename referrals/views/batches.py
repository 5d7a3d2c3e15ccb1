"""Sending a file, seeing how far it is, and its receipt."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from common.clock import moment_words
from common.errors import PortalError
from referrals import selectors, services
from referrals.constants import UNFINISHED, BatchKind, RowDecision, RowState
from referrals.errors import BatchNotFoundError
from referrals.forms import UploadForm
from referrals.models import Batch, BatchRow
from referrals.views.desk import Desk, police_page

_PAGE = 25
_ROWS = 50
_WARNED = "warned"


@police_page
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Take a file and go to its page, which shows how far it is."""
    form = UploadForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                batch, is_new = services.receive_batch(
                    file=file.file,
                    file_name=file.name,
                    kind=form.cleaned_data["kind"],
                    force=desk.force,
                    by=desk.by,
                    now=desk.now,
                    receipt_email=desk.email,
                )
            except PortalError as error:
                form.add_error("file", error.message)
                status = error.status
            else:
                if not is_new:
                    came = moment_words(batch.received_at)
                    messages.info(request, f"This file came before, at {came}. Nothing was done again.")
                return redirect("police:batch", batch_id=batch.pk)
        else:
            status = 422
    return render(request, "referrals/upload.html", {"form": form, "at_upload": True}, status=status)


@police_page
@require_safe
def batches(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The force's batches, the latest first."""
    page = Paginator(Batch.objects.of_force(desk.force), _PAGE).get_page(request.GET.get("page"))
    return render(request, "referrals/batches.html", {"page": page, "at_batches": True})


@police_page
@require_safe
def batch(request: HttpRequest, desk: Desk, batch_id: UUID) -> HttpResponse:
    """How far a batch is; once it is settled its receipt, errors first."""
    found = selectors.batch_of_force(force=desk.force, batch_id=batch_id)
    context = _progress_context(found, desk)
    if found.status not in UNFINISHED:
        # Its groups show what stands in people's cells.
        desk.opened("batch.opened", subject=f"batch:{found.pk}")
        quarantined = selectors.problem_groups(found, state=RowState.QUARANTINED) if found.quarantined else []
        context |= {
            "sender": selectors.sender_of(found),
            "rejected": selectors.problem_groups(found, state=RowState.REJECTED) if found.rejected else [],
            "quarantined": quarantined,
            "undecided": sum(group.count for group in quarantined),
            "changed": selectors.rows_of(found, state=RowState.CHANGED, limit=20) if found.changed else [],
        }
    return render(request, "referrals/batch.html", context)


@police_page
@require_safe
def batch_progress(request: HttpRequest, desk: Desk, batch_id: UUID) -> HttpResponse:
    """The part of the page that asks for itself while the batch runs; then it asks for the whole page."""
    found = selectors.batch_of_force(force=desk.force, batch_id=batch_id)
    response = render(request, "referrals/_progress.html", _progress_context(found, desk))
    if found.status not in UNFINISHED:
        response["HX-Refresh"] = "true"
    return response


def _progress_context(found: Batch, desk: Desk) -> dict[str, object]:
    progress = selectors.progress(found, now=desk.now)
    return {"batch": found, "progress": progress, "running": progress.is_running, "in_batches": True}


@police_page
@require_safe
def batch_rows(request: HttpRequest, desk: Desk, batch_id: UUID) -> HttpResponse:
    """The rows of a batch, all, or of one state, or those with warnings, by their numbers."""
    found = selectors.batch_of_force(force=desk.force, batch_id=batch_id)
    chosen = next((each for each in _filters(found) if each["state"] == request.GET.get("state", "")), None)
    if chosen is None:
        raise BatchNotFoundError
    state = chosen["state"]
    after = request.GET.get("after", "0")
    start = int(after) if after.isascii() and after.isdecimal() and len(after) < 9 else 0
    warned = state == _WARNED
    rows = selectors.rows_of(found, state="" if warned else state, warned=warned, after=start, limit=_ROWS + 1)
    more = len(rows) > _ROWS
    rows = rows[:_ROWS]
    desk.opened("batch.rows_read", subject=f"batch:{found.pk}")
    return render(
        request,
        "referrals/rows.html",
        {
            "batch": found,
            "rows": rows,
            "held": {row.number for row in rows if _is_held(row, found)},
            "filters": _filters(found),
            "state": state,
            "following": f"?state={state}&after={rows[-1].number}" if more else "",
            "first": f"?state={state}" if start else "",
            "in_batches": True,
        },
    )


def _is_held(row: BatchRow, batch: Batch) -> bool:
    """Whether the row's referral can be looked at: it is there by this row, or was before."""
    is_own = row.row_force_code == batch.force_id and batch.kind != BatchKind.FORECAST
    is_taken = row.state in (RowState.NEW, RowState.CHANGED, RowState.UNCHANGED)
    return is_own and (is_taken or row.decision == RowDecision.ACCEPTED)


def _filters(batch: Batch) -> list[dict[str, Any]]:
    """The ways to narrow the list of a batch's rows, each with how many it leaves where that is known."""
    return [
        {"state": "", "label": "All", "count": batch.rows},
        *({"state": value, "label": label, "count": getattr(batch, value)} for value, label in RowState.choices),
        {"state": _WARNED, "label": "With warnings"},
    ]


@police_page
@require_safe
def rejected(request: HttpRequest, desk: Desk, batch_id: UUID) -> StreamingHttpResponse:
    """`rejected.csv`, to be mended and sent again as it is."""
    found = selectors.batch_of_force(force=desk.force, batch_id=batch_id)
    desk.opened("batch.rejected_rows_read", subject=f"batch:{found.pk}")
    response = StreamingHttpResponse(selectors.rejected_file(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="rejected.csv"'
    response["Cache-Control"] = "no-store"
    return response
