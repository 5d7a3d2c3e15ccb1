"""The trainers' pages: my courses, the roster of one, marking a client, closing the register."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import client_address, role_required
from accounts.models import User
from audit import services as audit
from audit.context import Actor
from audit.middleware import actor_of
from bookings.models import Booking
from common import clock
from common.errors import PortalError
from courses.models import Session
from rosters import rules, selectors, services
from rosters.constants import Mark
from rosters.forms import MarkForm

trainer_only = role_required("TRAINER")


@trainer_only
@require_safe
def courses(request: HttpRequest) -> HttpResponse:
    """The trainer's own courses: those to come, and those of the last 48 hours."""
    now = clock.now()
    return render(
        request,
        "rosters/courses.html",
        {
            "upcoming": list(selectors.upcoming(_user(request), now=now)[:100]),
            "recent": list(selectors.recent(_user(request), now=now)),
            "at_courses": True,
        },
    )


@trainer_only
@require_safe
def roster(request: HttpRequest, session_id: int) -> HttpResponse:
    """The roster of one of their own courses; opening it is itself on record."""
    now = clock.now()
    session = _own_session(request, session_id)
    visible = rules.is_roster_visible(starts_at=session.starts_at, ends_at=session.ends_at, now=now)
    if visible:
        audit.log_access(
            "roster.opened",
            by=_actor(request),
            now=now,
            subject=f"session:{session.pk}",
            address=client_address(request),
        )
    register = getattr(session, "register", None)
    clients = selectors.roster(session) if visible else []
    return render(
        request,
        "rosters/roster.html",
        {
            "session": session,
            "in_courses": True,
            "clients": clients,
            "visible": visible,
            "register": register,
            "can_mark": rules.is_register_open(starts_at=session.starts_at, ends_at=session.ends_at, now=now)
            and (register is None or register.closed_at is None),
            "can_close": session.ends_at <= now and visible and (register is None or register.closed_at is None),
            "unmarked": sum(client.attendance is None for client in clients),
        },
    )


@trainer_only
@require_http_methods(["GET", "POST"])
def mark(request: HttpRequest, session_id: int, booking_id: int) -> HttpResponse:
    """Mark one client, one thing on the page."""
    now = clock.now()
    session = _own_session(request, session_id)
    if not rules.is_roster_visible(starts_at=session.starts_at, ends_at=session.ends_at, now=now):
        raise Http404
    client = next((one for one in selectors.roster(session) if one.booking_id == booking_id), None)
    if client is None:
        raise Http404
    present = client.attendance
    initial = (
        {
            "mark": present.mark,
            "document_kind": present.document_kind,
            "note": present.note,
            "seen_at": present.marked_at.isoformat(),
        }
        if present
        else None
    )
    form = MarkForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.mark(
                session_id=session.pk,
                booking_id=booking_id,
                mark=Mark(form.cleaned_data["mark"]),
                document_kind=form.cleaned_data["document_kind"],
                note=form.cleaned_data["note"],
                seen_at=form.cleaned_data["seen_at"],
                by=_actor(request),
                now=now,
            )
        except PortalError as error:
            form.add_error(None, error.message)
        except Booking.DoesNotExist as error:
            raise Http404 from error
        else:
            messages.success(request, f"{client.name} is marked.")
            return redirect("rosters:roster", session.pk)
    return render(
        request, "rosters/mark.html", {"session": session, "client": client, "form": form, "in_courses": True}
    )


@trainer_only
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, session_id: int) -> HttpResponse:
    """Close the register, after one more look at the marks."""
    now = clock.now()
    session = _own_session(request, session_id)
    error = ""
    if request.method == "POST":
        try:
            services.close_register(session_id=session.pk, by=_actor(request), now=now)
        except PortalError as refused:
            error = refused.message
        else:
            messages.success(request, "The register is closed. The outcomes go to the police force.")
            return redirect("rosters:roster", session.pk)
    visible = rules.is_roster_visible(starts_at=session.starts_at, ends_at=session.ends_at, now=now)
    clients = selectors.roster(session) if visible else []
    context = {"session": session, "clients": clients, "error": error, "in_courses": True}
    return render(request, "rosters/close.html", context)


def _own_session(request: HttpRequest, session_id: int) -> Session:
    """The session if it is this trainer's own, else 404: another's looks like none at all."""
    return get_object_or_404(selectors.own_sessions(_user(request)).select_related("register"), pk=session_id)


def _user(request: HttpRequest) -> User:
    """Who is signed in: `trainer_only` has made sure that somebody is."""
    assert isinstance(request.user, User)
    return request.user


def _actor(request: HttpRequest) -> Actor:
    by = actor_of(request)
    assert by is not None
    return by
