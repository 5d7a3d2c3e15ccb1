"""From the held place to the payment: details, consents, check, pay, return."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bookings import rules, selectors, services
from bookings.constants import BookingStatus
from bookings.errors import ConsentNeededError, HoldEndedError, IncompleteError
from bookings.forms import ConsentsForm, DetailsForm
from bookings.models import Booking, Policy
from bookings.views import door, news
from bookings.words import need_words, session_words
from common.clock import london, london_day, moment_words, time_words
from common.money import pounds
from courses.models import Place
from payments import services as payments
from payments.constants import AttemptStatus, ChargeStatus
from payments.errors import AlreadyPaidError, PaymentUnknownError
from payments.models import Attempt

SOON_MINUTES = 5


@require_http_methods(["GET", "POST"])
@door.candidate_page
def details(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """How to reach the candidate."""
    booking = _being_made(visit)
    if isinstance(booking, HttpResponse):
        return booking
    referral = visit.referral
    form = DetailsForm(
        request.POST if request.method == "POST" else None,
        initial={"email": booking.email or referral.email, "mobile": booking.mobile or referral.mobile},
    )
    if request.method == "POST" and form.is_valid():
        services.give_details(
            booking_id=booking.pk,
            email=form.cleaned_data["email"],
            mobile=form.cleaned_data["mobile"],
            by=visit.by,
            now=visit.now,
        )
        return redirect("bookings:check" if selectors.consents_given(booking) else "bookings:consents")
    return render(request, "bookings/details.html", {"form": form, **_hold_context(booking, visit.now)})


@require_http_methods(["GET", "POST"])
@door.candidate_page
def consents(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What must be agreed to."""
    booking = _being_made(visit)
    if isinstance(booking, HttpResponse):
        return booking
    if booking.details_at is None:
        return redirect("bookings:details")
    texts = services.texts_needed(booking, now=visit.now)
    given = selectors.consents_given(booking)
    form = ConsentsForm(
        request.POST if request.method == "POST" else None,
        texts=texts,
        initial={f"text_{text.pk}": text.pk in given for text in texts},
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.give_consents(
                booking_id=booking.pk, text_ids=[text.pk for text in texts], by=visit.by, now=visit.now
            )
        except ConsentNeededError as error:
            form.add_error(None, error.message)
        else:
            return redirect("bookings:check")
    return render(request, "bookings/consents.html", {"form": form, **_hold_context(booking, visit.now)})


@require_GET
@door.candidate_page
def check(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Check answers, then pay."""
    booking = _being_made(visit)
    if isinstance(booking, HttpResponse):
        return booking
    try:
        if news.is_paid(booking, by=visit.by, now=visit.now):
            return redirect("bookings:return")
        unsure = None
    except PaymentUnknownError as error:
        unsure = error
    if booking.details_at is None:
        return redirect("bookings:details")
    needed = {text.pk for text in services.texts_needed(booking, now=visit.now)}
    if not needed <= selectors.consents_given(booking):
        return redirect("bookings:consents")
    context = {
        **_hold_context(booking, visit.now),
        "unsure": unsure,
        "is_back_from_paying": "unpaid" in request.GET,
        "can_move_free_days": booking.policy.move_free_days,
        "policy": booking.policy,
        "needs": [need_words(need) for need in selectors.needs_of(visit.referral.pk)],
    }
    return render(request, "bookings/check.html", context)


@require_POST
@door.candidate_page
def extend(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """More time for the hold; back to the page it was asked from."""
    booking = _being_made(visit)
    if isinstance(booking, HttpResponse):
        return booking
    services.extend_hold(booking_id=booking.pk, by=visit.by, now=visit.now)
    return redirect(door.safe_next(request.POST.get("next", "")) or "bookings:check")


@require_POST
@door.candidate_page
def pay(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """On to Stripe's page: the one that is open, or a new one."""
    booking = _being_made(visit)
    if isinstance(booking, HttpResponse):
        return booking
    if news.is_paid(booking, by=visit.by, now=visit.now):
        return redirect("bookings:return")
    back = settings.SITE_URL + reverse("bookings:return")
    try:
        attempt = services.start_payment(
            booking_id=booking.pk,
            success_url=f"{back}?checkout={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{settings.SITE_URL}{reverse('bookings:check')}?unpaid",
            by=visit.by,
            now=visit.now,
        )
    except AlreadyPaidError:
        return redirect("bookings:return")
    except IncompleteError:
        return redirect("bookings:check")
    return redirect(attempt.url)


@require_GET
@door.candidate_page
def back_from_paying(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Back from Stripe: confirmed, not yet heard of, not paid, or paid too late. Stripe is asked."""
    booking = selectors.current_booking(visit.referral)
    if booking is None:
        return redirect("bookings:offer")
    charge = selectors.course_charge(booking)
    if charge is not None and charge.status != ChargeStatus.PAID:
        charge = payments.refresh_charge(charge_id=charge.pk, by=visit.by, now=visit.now)
        booking = selectors.current_booking(visit.referral)
        assert booking is not None
    if booking.status == BookingStatus.CONFIRMED:
        return redirect(reverse("bookings:manage") + "?booked")
    if charge is not None and charge.status == ChargeStatus.PAID:
        late = selectors.late_payment(visit.referral.pk)
        if late is not None and late.booking_id == booking.pk:
            return redirect("bookings:other_dates")
        context = {"booking": booking, **door.standing(visit), **_words(booking, visit.now)}
        return render(request, "bookings/paid_too_late.html", context)
    if charge is not None and says_paid(charge.pk, request.GET.get("checkout", "")):
        return render(request, "bookings/confirming.html", {"booking": booking, **_words(booking, visit.now)})
    if booking.status == BookingStatus.HELD and door.hold_runs(booking, visit.now):
        return redirect(reverse("bookings:check") + "?unpaid")
    raise HoldEndedError


def says_paid(charge_id: int, checkout: str) -> bool:
    """Whether Stripe itself sent them to us from this page: its address is known to nobody else but the payer."""
    if not checkout:
        return False
    attempts = Attempt.objects.filter(charge_id=charge_id, checkout_session_id=checkout)
    return attempts.exclude(status=AttemptStatus.EXPIRED).exists()


def _being_made(visit: door.Visit) -> Booking | HttpResponse:
    """The booking with a hold that runs; or where to go instead. Raises HoldEndedError, PaymentUnknownError."""
    booking = selectors.current_booking(visit.referral)
    if booking is None:
        return redirect("bookings:sessions")
    if booking.confirmed_at is not None:
        return redirect("bookings:manage")
    if not door.hold_runs(booking, visit.now):
        if news.is_paid(booking, by=visit.by, now=visit.now):
            return redirect("bookings:return")
        if selectors.has_unsettled_payment(booking.referral_id):
            return redirect("bookings:other_dates")
        raise HoldEndedError
    return booking


def _hold_context(booking: Booking, now: dt.datetime) -> dict[str, Any]:
    """What every page of a held place shows: the place and its time, in words."""
    hold = hold_notice(booking.place, booking.policy, booking.extensions, extend_url="bookings:extend", now=now)
    return {"booking": booking, **_words(booking, now), "hold": hold}


def hold_notice(
    place: Place, policy: Policy, extensions: int, *, extend_url: str, now: dt.datetime, is_move: bool = False
) -> dict[str, Any]:
    """What `_hold.html` shows: the time of a held place, in words, and whether there can be more of it."""
    until = place.held_until
    assert until is not None
    starts_at = place.session.starts_at
    gains = until < rules.held_until(now=now, minutes=policy.extend_minutes, starts_at=starts_at)
    return {
        "left": rules.minutes_words(until, now),
        "until": time_words(london(until).time()) if london_day(until) == london_day(now) else moment_words(until),
        "seconds": int((until - now).total_seconds()),
        "is_soon": until - now < dt.timedelta(minutes=SOON_MINUTES),
        "can_extend": extensions < policy.extend_times and gains,
        "is_at_its_end": extensions >= policy.extend_times,
        "extend_minutes": policy.extend_minutes,
        "extend_url": reverse(extend_url),
        "is_move": is_move,
    }


def _words(booking: Booking, now: dt.datetime) -> dict[str, Any]:
    return {"course": session_words(booking.place.session), "fee": pounds(booking.fee_pence)}
