"""The offer, the dates, and taking hold of one."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bookings import selectors, services
from bookings.constants import BookingStatus
from bookings.errors import AfterCompleteByError, AlreadyBookedError, BookByPassedError, OfferEndedError
from bookings.views import dates, door
from bookings.words import session_words
from common.clock import day_words, london, london_day, time_words
from common.errors import PortalError
from common.money import pounds
from courses.errors import NoPlaceLeftError, SessionNotFoundError, SessionNotOpenError
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral


@require_GET
@door.candidate_page
def offer(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What the police offer, by when, and what happens otherwise."""
    referral = visit.referral
    booking = selectors.current_booking(referral)
    go_on = door.next_step(booking, visit.now)
    context = {
        "referral": referral,
        "offer": offer_words(referral, visit.now),
        "booking": booking,
        "is_booked": booking is not None and booking.status == BookingStatus.CONFIRMED,
        "is_holding": booking is not None and door.hold_runs(booking, visit.now),
        "is_paid_late": go_on == reverse("bookings:other_dates"),
        "go_on": go_on,
        "choose": reverse("bookings:sessions" if _needs_asked(request, referral) else "bookings:needs"),
        **_standing(referral, visit.now),
    }
    return render(request, "bookings/offer.html", context)


@require_GET
@door.candidate_page
def sessions(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """The dates of a week or more, with filters as links, and why other dates are not there."""
    return _list(request, visit)


@require_POST
@door.candidate_page
def hold(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Take hold of the chosen date; where it has gone, the other dates with the reason above them."""
    chosen = request.POST.get("session", "")
    try:
        if not chosen.isdecimal() or len(chosen) > 18:
            raise SessionNotFoundError
        services.hold(referral_id=visit.referral.pk, session_id=int(chosen), by=visit.by, now=visit.now)
    except AlreadyBookedError:
        return redirect("bookings:manage")
    except (NoPlaceLeftError, SessionNotOpenError, SessionNotFoundError, AfterCompleteByError) as error:
        return _list(request, visit, gone=error)
    return redirect("bookings:details")


def _needs_asked(request: HttpRequest, referral: Referral) -> bool:
    """Whether they were asked since they signed in, or have told us before."""
    return door.NEEDS_ASKED in request.session or bool(selectors.needs_of(referral.pk))


def offer_words(referral: Referral, now: dt.datetime) -> dict[str, Any]:
    """The offer as the letter has it."""
    offence = london(referral.offence_at)
    return {
        "course": referral.course_type.name,
        "summary": referral.course_type.summary,
        "force": referral.force.name,
        "offence_on": day_words(offence.date()),
        "offence_at": time_words(offence.time()),
        "location": referral.offence_location,
        "vehicle": referral.vehicle_registration,
        "speed": f"{referral.recorded_speed_mph} mph" if referral.recorded_speed_mph else "",
        "limit": f"{referral.speed_limit_mph} mph" if referral.speed_limit_mph else "",
        "book_by": day_words(referral.book_by),
        "complete_by": day_words(referral.complete_by),
        "fee": _fee_words(referral, now),
    }


def _fee_words(referral: Referral, now: dt.datetime) -> str:
    """What booking costs; the least of it where it is not the same in every way the course is given."""
    asked = selectors.fees_asked(referral, now=now)
    if not asked:
        return ""
    return pounds(asked[0]) if asked[0] == asked[-1] else f"from {pounds(asked[0])}"


def _standing(referral: Referral, now: dt.datetime) -> dict[str, bool]:
    """Whether the offer can still be booked with, and if not, why."""
    return {
        "can_book": referral.status in BOOKABLE and london_day(now) <= referral.book_by,
        "is_withdrawn": referral.status == ReferralStatus.WITHDRAWN,
        "is_expired": referral.status == ReferralStatus.EXPIRED,
        "is_completed": referral.status == ReferralStatus.COMPLETED,
        "is_not_completed": referral.status == ReferralStatus.NOT_COMPLETED,
        "is_past_book_by": london_day(now) > referral.book_by,
    }


def _list(request: HttpRequest, visit: door.Visit, gone: PortalError | None = None) -> HttpResponse:
    referral = visit.referral
    if referral.status not in (*BOOKABLE, ReferralStatus.BOOKED):
        raise OfferEndedError
    if london_day(visit.now) > referral.book_by:
        raise BookByPassedError
    booking = selectors.current_booking(referral)
    if booking is not None and booking.status == BookingStatus.CONFIRMED:
        return redirect("bookings:manage")
    if booking is not None and not booking.is_live and selectors.has_unsettled_payment(referral.pk):
        return redirect("bookings:other_dates")
    held = booking if booking is not None and door.hold_runs(booking, visit.now) else None
    context = {
        **dates.list_context(request, referral, at=reverse("bookings:sessions"), now=visit.now),
        "gone": gone,
        "gone_body": "You have not paid for it. Choose another date.",
        "meanwhile": "give your details and pay",
        "held": held,
        "held_words": session_words(held.place.session) if held else None,
        "hold_url": reverse("bookings:hold"),
        "go_on_url": reverse("bookings:check"),
    }
    return render(request, "bookings/sessions.html", context, status=gone.status if gone else 200)
