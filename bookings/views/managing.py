"""A confirmed booking: everything about it, receipt, calendar file, cancelling."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from bookings import calendar_file, messages, selectors, services
from bookings.constants import BookingStatus, CancelCause
from bookings.errors import BookingNotFoundError, RefundChangedError, TooLateToCancelError
from bookings.forms import CancelForm
from bookings.models import Booking
from bookings.views import door
from bookings.words import booking_words, need_words, session_words, why_words
from common.clock import day_words, london_day, moment_words
from common.money import pounds, pounds_and_pence
from common.working_time import add_working_days
from payments.constants import Purpose, RefundStatus
from referrals.constants import OutcomeCode


@require_GET
@door.candidate_page
def manage(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Everything about the booking; right after paying, with the confirmation above it."""
    booking = selectors.current_booking(visit.referral)
    if booking is None or booking.confirmed_at is None:
        return redirect(door.next_step(booking, visit.now))
    session = booking.place.session
    needs = selectors.needs_of(visit.referral.pk)
    context = {
        "booking": booking,
        "b": booking_words(booking, now=visit.now),
        "is_new": "booked" in request.GET and booking.status == BookingStatus.CONFIRMED,
        "is_confirmed": booking.status == BookingStatus.CONFIRMED,
        "is_on_or_to_come": booking.status == BookingStatus.CONFIRMED and session.ends_at > visit.now,
        "is_to_come": booking.status == BookingStatus.CONFIRMED and session.starts_at > visit.now,
        "is_cancelled": booking.status == BookingStatus.CANCELLED,
        "why_cancelled": _WHY_CANCELLED.get(booking.cancel_cause, "This booking is cancelled."),
        "is_completed": booking.status == BookingStatus.COMPLETED,
        "is_not_completed": booking.status == BookingStatus.NOT_COMPLETED,
        "can_book_again": door.standing(visit)["can_book"],
        "needs": [need_words(need) for need in needs],
        "contact": messages.addresses(booking),
        "is_contact_changed": "contact" in request.GET,
        "is_thanked": "thanks" in request.GET,
        "outcome": _outcome(booking, visit),
        "can_say": booking.status in AFTER_COURSE and not hasattr(booking, "feedback"),
        "is_unfit": not selectors.is_fit(session, {need.kind for need in needs}),
        "needs_are_told": "needs" in request.GET and bool(needs),
        "moving": _under_way(booking, visit),
        "is_moved": "moved" in request.GET and booking.status == BookingStatus.CONFIRMED,
        "is_kept": "kept" in request.GET and booking.status == BookingStatus.CONFIRMED,
        **_money(booking),
    }
    return render(request, "bookings/manage.html", context)


@require_GET
@door.candidate_page
def calendar(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """The calendar file."""
    booking = confirmed(visit)
    response = HttpResponse(
        calendar_file.calendar_text(booking, now=visit.now), content_type=calendar_file.CONTENT_TYPE
    )
    response["Content-Disposition"] = f'attachment; filename="{calendar_file.FILE_NAME}"'
    return response


@require_GET
@door.candidate_page
def receipt(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What was paid and what went back, to be printed."""
    booking = selectors.current_booking(visit.referral)
    if booking is None or booking.confirmed_at is None:
        raise BookingNotFoundError
    return render(request, "bookings/receipt.html", {"b": booking_words(booking, now=visit.now), **_money(booking)})


@require_http_methods(["GET", "POST"])
@door.candidate_page
def cancel(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What would come back, then the question."""
    booking = confirmed(visit)
    if booking.place.session.starts_at <= visit.now:
        raise TooLateToCancelError
    form = CancelForm(request.POST if request.method == "POST" else None)
    changed = None
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["sure"] == "no":
            return redirect("bookings:manage")
        try:
            services.cancel(booking_id=booking.pk, shown=_shown(request), by=visit.by, now=visit.now)
        except RefundChangedError as error:
            changed = error
            form = CancelForm()
            booking = confirmed(visit)
        else:
            return redirect("bookings:manage")
    refund = services.refund_on_cancel(booking, cause=CancelCause.CANDIDATE, now=visit.now)
    context = {
        "form": form,
        "booking": booking,
        "b": booking_words(booking, now=visit.now),
        "changed": changed,
        "refund_pence": refund.pence,
        "refund": pounds(refund.pence) if refund.pence else "",
        "policy": booking.policy,
        "book_by": day_words(visit.referral.book_by),
        "can_book_again": visit.referral.book_by >= london_day(visit.now),
    }
    return render(request, "bookings/cancel.html", context, status=changed.status if changed else 200)


def _shown(request: HttpRequest) -> tuple[int, int]:
    """The place that the page was about and the pence it promised; what nothing is equal to where it did not say."""
    place, pence = (request.POST.get(name, "") for name in ("place", "refund_pence"))
    return (int(place), int(pence)) if place.isdecimal() and pence.isdecimal() else (-1, -1)


AFTER_COURSE = (BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)


def _outcome(booking: Booking, visit: door.Visit) -> dict[str, str]:
    """What the police are told of how the course went, and when they were."""
    line = selectors.outcome_of(booking) if booking.status in AFTER_COURSE else None
    if line is None:
        return {}
    return {
        "says": "Course completed" if line.outcome == OutcomeCode.COMPLETED else "Course not completed",
        "why": why_words(line.reason) if line.reason else "",
        "police": visit.referral.force.full_name,
        "told": moment_words(line.returned_at) if line.returned_at else "",
        "due": day_words(add_working_days(london_day(line.recorded_at), 1)),
    }


_WHY_CANCELLED: dict[str, str] = {
    CancelCause.KCC: "We have cancelled this course.",
    CancelCause.POLICE: "This booking is cancelled, because the police have withdrawn their offer.",
    CancelCause.EXPIRED: "This booking is cancelled, because the time to complete a course has ended. "
    "Your case has gone back to the police.",
}
# One that nobody has agreed to yet, or that was tried again, is none for the candidate.
_REFUND_WORDS = {
    RefundStatus.REQUESTED: "we are sending it back",
    RefundStatus.PENDING: "on its way to your card",
    RefundStatus.SUCCEEDED: "sent back to your card",
    RefundStatus.FAILED: "your bank did not take it, we will contact you",
    RefundStatus.ELSEWHERE: "sent back to you another way",
}


def confirmed(visit: door.Visit) -> Booking:
    """The confirmed booking of the offer. Raises BookingNotFoundError."""
    booking = selectors.current_booking(visit.referral)
    if booking is None or booking.status != BookingStatus.CONFIRMED:
        raise BookingNotFoundError
    return booking


def _under_way(booking: Booking, visit: door.Visit) -> dict[str, Any] | None:
    """The date they are moving to, while it is held; one query."""
    move = services.held_move(booking.pk) if booking.status == BookingStatus.CONFIRMED else None
    if move is None or move.place.held_until is None or move.place.held_until <= visit.now:
        return None
    return {**session_words(move.place.session), "until": moment_words(move.place.held_until)}


def _money(booking: Booking) -> dict[str, Any]:
    """What was paid, for what and how; what went back; what is left of it, and the VAT in it."""
    paid = selectors.receipt_of(booking)
    payments = [payment for payment in paid.payments if payment.paid_at]
    refunds = [refund for refund in paid.refunds if refund.status in _REFUND_WORDS]
    back = sum(refund.amount_pence for refund in refunds if refund.status != RefundStatus.FAILED)
    left = sum(payment.paid_pence for payment in payments) - back
    vat = sum(payment.charge.parts.get("vat", 0) for payment in payments)
    return {
        "payments": [
            {
                "amount": pounds_and_pence(payment.paid_pence),
                "what": "Change of date" if payment.charge.purpose != Purpose.COURSE_FEE else "Course fee",
                "when": moment_words(payment.paid_at) if payment.paid_at else "",
                "card": f"{payment.card_brand.capitalize()} card ending {payment.card_last4}"
                if payment.card_last4
                else "Card",
            }
            for payment in payments
        ],
        "refunds": [
            {
                "amount": pounds_and_pence(refund.amount_pence),
                "when": moment_words(refund.requested_at),
                "state": _REFUND_WORDS[RefundStatus(refund.status)],
            }
            for refund in refunds
        ],
        "left": pounds_and_pence(left),
        "is_counted_up": len(payments) + len(refunds) > 1,
        "vat": pounds_and_pence(vat) if vat else "",
    }
