"""Paid when the place had gone: the dates held instead, one of them chosen, or the money back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bookings import selectors, services
from bookings.constants import LatePaymentStatus
from bookings.errors import PlaceOfferOverError
from bookings.models import LatePayment
from bookings.views import door
from bookings.words import session_words
from common.clock import moment_words
from common.money import pounds


@require_GET
@door.candidate_page
def other_dates(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """The dates to choose from; or what became of the payment. Dates are looked for now if they were not yet."""
    payment = selectors.late_payment(visit.referral.pk)
    if payment is not None and payment.status == LatePaymentStatus.SEEKING:
        services.settle_late_payments(booking_id=payment.booking_id, by=visit.by, now=visit.now)
        payment = selectors.late_payment(visit.referral.pk)
    if payment is None:
        return redirect(door.next_step(selectors.current_booking(visit.referral), visit.now))
    if payment.status == LatePaymentStatus.PLACED:
        return redirect("bookings:manage")
    offers = selectors.late_dates(payment, now=visit.now)
    if payment.status == LatePaymentStatus.REFUNDED or not offers:
        return sent_back(request, visit, payment)
    context = {
        "dates": [
            {
                "offer": offer,
                "words": session_words(offer.place.session),
                "venue": offer.place.session.room.venue if offer.place.session.room else None,
                "until": moment_words(offer.until),
            }
            for offer in offers
        ],
        "until": moment_words(max(offer.until for offer in offers)),
        "paid": pounds(payment.charge.amount_pence),
    }
    return render(request, "bookings/other_dates.html", context)


def sent_back(request: HttpRequest, visit: door.Visit, payment: LatePayment) -> HttpResponse:
    """The money goes back: why, and when it arrives."""
    context = {
        "fee": pounds(payment.charge.amount_pence),
        "was_offered": payment.offers.exists(),
        **door.standing(visit),
    }
    return render(request, "bookings/paid_too_late.html", context)


@require_POST
@door.candidate_page
def choose_date(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """One of the dates, with the money already paid."""
    chosen = request.POST.get("offer", "")
    offer = selectors.offer_to(visit.referral.pk, chosen)
    if offer is None:
        raise PlaceOfferOverError
    services.choose_late_date(offer_id=offer.pk, by=visit.by, now=visit.now)
    return redirect(reverse("bookings:manage") + "?booked")


@require_POST
@door.candidate_page
def money_back(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """None of the dates: the money goes back now."""
    payment = selectors.late_payment(visit.referral.pk)
    if payment is None:
        raise PlaceOfferOverError
    services.decline_late_dates(booking_id=payment.booking_id, by=visit.by, now=visit.now)
    return redirect("bookings:other_dates")
