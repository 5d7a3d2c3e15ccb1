"""Paying by a link: for who booked by telephone. The link says what is paid for, and nothing else about the person."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from audit.context import Actor
from audit.middleware import act_as
from bookings import pay_links, selectors, services
from bookings.constants import BookingStatus, LatePaymentStatus
from bookings.models import Booking
from bookings.views import door, news
from bookings.words import booking_words
from common.clock import moment_words
from common.errors import PortalError
from payments import services as payments
from payments.constants import ChargeStatus
from payments.errors import AlreadyPaidError, PaymentUnknownError


@require_http_methods(["GET", "POST"])
@door.open_page
def pay(request: HttpRequest, now: dt.datetime, token: str) -> HttpResponse:
    """What is to be paid and until when; then on to Stripe's page."""
    booking = _booking(token)
    unsure = error = None
    try:
        if news.is_paid(booking, by=_act(request, booking), now=now):
            return redirect("bookings:pay_link_return", token=token)
    except PaymentUnknownError as unknown:
        unsure = unknown
    if not door.hold_runs(booking, now):
        return _ended(request, booking, now)
    if request.method == "POST" and not unsure:
        by = _act(request, booking)
        back = settings.SITE_URL + reverse("bookings:pay_link_return", args=[token])
        try:
            attempt = services.start_payment(
                booking_id=booking.pk,
                success_url=back,
                cancel_url=f"{pay_links.url_of(booking.pk)}?unpaid",
                by=by,
                now=now,
            )
        except AlreadyPaidError:
            return redirect("bookings:pay_link_return", token=token)
        except PortalError as refusal:
            error = refusal
        else:
            return redirect(attempt.url)
    context = {
        "b": booking_words(booking, now=now),
        "until": moment_words(booking.place.held_until or now),
        "unsure": unsure,
        "is_back_from_paying": "unpaid" in request.GET,
        "error": error,
    }
    return render(request, "bookings/pay_link.html", context, status=error.status if error else 200)


@require_GET
@door.open_page
def back(request: HttpRequest, now: dt.datetime, token: str) -> HttpResponse:
    """Back from Stripe, which is asked: paid, not yet heard of, or not paid."""
    booking = _booking(token)
    charge = selectors.course_charge(booking)
    if charge is not None and charge.status != ChargeStatus.PAID:
        payments.refresh_charge(charge_id=charge.pk, by=_act(request, booking), now=now)
        booking = _booking(token)
    if door.hold_runs(booking, now):
        return render(
            request, "bookings/pay_link_waiting.html", {"token": token, "b": booking_words(booking, now=now)}
        )
    return _ended(request, booking, now)


def _ended(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """The page of a link that was paid (200), or that can no longer be (410): too late, or the place has gone."""
    is_paid = booking.confirmed_at is not None and booking.status != BookingStatus.CANCELLED
    was_charged = selectors.is_paid(booking)
    is_paid_too_late = was_charged and booking.confirmed_at is None
    context = {
        "b": booking_words(booking, now=now),
        "is_paid": is_paid,
        "is_paid_too_late": is_paid_too_late,
        **(_other_dates(booking, now) if is_paid_too_late else {}),
        "was_charged": was_charged,
        "may_be_charged": not is_paid and not was_charged and selectors.charge_at_stripe(booking) is not None,
        "is_cancelled": booking.status == BookingStatus.CANCELLED,
    }
    return render(request, "bookings/pay_link_ended.html", context, status=200 if is_paid else 410)


def _other_dates(booking: Booking, now: dt.datetime) -> dict[str, Any]:
    """What has become of a payment that came when the place had gone: other dates, or the money back."""
    payment = selectors.late_payment(booking.referral_id)
    if payment is None or payment.booking_id != booking.pk:
        return {}
    held = selectors.late_dates(payment, now=now) if payment.status == LatePaymentStatus.OFFERED else []
    return {
        "is_looking": payment.status == LatePaymentStatus.SEEKING,
        "dates_until": moment_words(max(offer.until for offer in held)) if held else "",
    }


def _booking(token: str) -> Booking:
    sent = Booking.objects.with_session().filter(pay_link__isnull=False)
    found = sent.filter(pk=pay_links.booking_id_of(token) or 0).first()
    if found is None:
        raise Http404
    return found


def _act(request: HttpRequest, booking: Booking) -> Actor:
    by = Actor("candidate", booking.referral.key)
    act_as(request, by)
    return by
