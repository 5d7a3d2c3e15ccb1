"""What the candidate needs to take part, asked before the dates and changed whenever they like."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from bookings import selectors, services
from bookings.constants import BookingStatus, NeedKind
from bookings.errors import OfferEndedError
from bookings.forms import NeedsForm
from bookings.models import Booking
from bookings.views import door
from referrals.constants import BOOKABLE, ReferralStatus


@require_http_methods(["GET", "POST"])
@door.candidate_page
def needs(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Ask; then on to the dates, or back to where the answer is changed from."""
    if visit.referral.status not in (*BOOKABLE, ReferralStatus.BOOKED):
        raise OfferEndedError
    told = {need.kind: need.detail for need in selectors.needs_of(visit.referral.pk)}
    asked = list(told) or ([NeedsForm.NOTHING] if door.NEEDS_ASKED in request.session else [])
    form = NeedsForm(
        request.POST if request.method == "POST" else None,
        initial={
            "needs": asked,
            "language": told.get(NeedKind.INTERPRETER, ""),
            "other": told.get(NeedKind.OTHER, ""),
        },
    )
    booking = selectors.current_booking(visit.referral)
    if request.method == "POST" and form.is_valid():
        services.tell_needs(referral_id=visit.referral.pk, told=form.told, by=visit.by, now=visit.now)
        request.session[door.NEEDS_ASKED] = True
        return redirect(_after(booking, visit, list(form.told)))
    return render(request, "bookings/needs.html", {"form": form, "back": _before(booking, visit)})


def _before(booking: Booking | None, visit: door.Visit) -> str:
    """The page from which one comes here."""
    if booking is not None and booking.status == BookingStatus.CONFIRMED:
        return reverse("bookings:manage")
    is_held = booking is not None and door.hold_runs(booking, visit.now)
    return door.next_step(booking, visit.now) if is_held else reverse("bookings:offer")


def _after(booking: Booking | None, visit: door.Visit, needs: list[str]) -> str:
    """Back to what is being booked or is booked; to the dates where there is nothing yet, or nothing that fits."""
    if booking is not None and booking.status == BookingStatus.CONFIRMED:
        return reverse("bookings:manage") + "?needs"
    if booking is not None and door.hold_runs(booking, visit.now) and selectors.is_fit(booking.place.session, needs):
        return door.next_step(booking, visit.now)
    return reverse("bookings:sessions")
