"""Leaving the waiting list by the link of a message, without signing in: a page with one button."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.context import Actor
from audit.middleware import act_as
from bookings import leave_links, services
from bookings.constants import WaitingStatus
from bookings.models import WaitingEntry
from bookings.views import door
from common.clock import london_day


@require_http_methods(["GET", "POST"])
@door.open_page
def leave_by_link(request: HttpRequest, now: dt.datetime, token: str) -> HttpResponse:
    """Off the list, or what has become of it. A mail scanner that follows the link changes nothing: only POST does."""
    read = leave_links.read(token)
    if read is None:
        raise Http404
    entry_id, last_day = read
    entry = WaitingEntry.objects.select_related("referral").filter(pk=entry_id).first()
    is_over = entry is None or london_day(now) > last_day
    is_waiting = entry is not None and entry.status == WaitingStatus.WAITING
    if entry is not None and is_waiting and not is_over and request.method == "POST":
        by = Actor("candidate", entry.referral.key)
        act_as(request, by)
        services.leave_waiting_list(referral_id=entry.referral_id, by=by, now=now)
        return redirect("bookings:waiting_leave_link", token=token)
    context = {"is_over": is_over, "is_waiting": is_waiting}
    return render(request, "bookings/waiting_leave_link.html", context, status=410 if is_over else 200)
