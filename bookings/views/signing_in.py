"""Start, sign in, sign out, timed out."""

import datetime as dt
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import client_address
from audit.context import Actor
from audit.middleware import act_as
from bookings import selectors, services
from bookings.errors import TooManyTriesError, WrongDetailsError
from bookings.forms import SignInForm
from bookings.views import door, news
from payments.errors import PaymentUnknownError


@require_GET
@door.open_page
def start(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """What the service is for and what is needed."""
    return render(request, "bookings/start.html")


@require_http_methods(["GET", "POST"])
@door.open_page
def sign_in(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Reference with PIN or driver number; then on to where the candidate was, or is to go on."""
    back_to = door.safe_next(request.POST.get("next", request.GET.get("next", "")))
    form = SignInForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            referral = services.sign_in(
                reference=form.cleaned_data["reference"],
                pin=form.cleaned_data["pin"],
                driver_number=form.cleaned_data["driver_number"],
                address=client_address(request) or "",
                now=now,
            )
        except TooManyTriesError as error:
            response = render(request, "bookings/too_many_tries.html", {"error": error}, status=error.status)
            response["Retry-After"] = "900"
            return response
        except WrongDetailsError as error:
            form.add_error(None, error.message)
        else:
            was = request.session.get(door.REFERRAL_ID)
            door.bind(request, referral, now)
            by = Actor("candidate", referral.key)
            act_as(request, by)
            if back_to and was in (None, referral.pk):
                return redirect(back_to)
            if selectors.waiting_offer(referral.pk, now=now) is not None:
                return redirect("bookings:waiting_offer")
            booking = selectors.current_booking(referral)
            with suppress(PaymentUnknownError):
                if booking is not None and news.is_paid(booking, by=by, now=now):
                    return redirect("bookings:return")
            return redirect(door.next_step(booking, now))
    return render(request, "bookings/sign_in.html", {"form": form, "next": back_to}, status=status)


@require_POST
@door.open_page
def sign_out(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Leave; the held place stays held until its time is over."""
    door.sign_out(request)
    return redirect("bookings:signed_out")


@require_GET
@door.open_page
def signed_out(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Told that they have left."""
    return render(request, "bookings/signed_out.html")


@require_GET
@door.open_page
def timed_out(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Twenty idle minutes: told why, and the way back to where they were."""
    back_to = door.safe_next(request.GET.get("next", ""))
    return render(request, "bookings/timed_out.html", {"next": back_to, "minutes": door.IDLE_MINUTES})


@require_POST
@door.candidate_page
def stay(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Stay signed in: the request itself is the sign of life. A script asks for no page."""
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    return redirect(door.safe_next(request.POST.get("next", "")) or reverse("bookings:offer"))
