"""Another date: rules and fee, dates, check, confirm or pay, return. The old date is theirs all the while."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bookings import selectors, services
from bookings.constants import BookingStatus, MoveRule, MoveStatus
from bookings.errors import AfterCompleteByError, ConsentNeededError, MoveEndedError, SameSessionError
from bookings.forms import ConsentsForm
from bookings.models import Booking, Move
from bookings.views import door, news
from bookings.views.dates import list_context
from bookings.views.making import hold_notice, says_paid
from bookings.views.managing import confirmed
from bookings.words import booking_words, session_words
from common.clock import day_words, moment_words
from common.errors import PortalError
from common.money import pounds
from courses.errors import NoPlaceLeftError, SessionNotFoundError, SessionNotOpenError
from payments import services as payments
from payments.constants import ChargeStatus
from payments.errors import AlreadyPaidError, PaymentUnknownError
from payments.models import Charge


@require_GET
@door.candidate_page
def start(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What a change of date costs and how it works, before anything is chosen."""
    booking = _to_be_moved(visit)
    context = {
        "b": booking_words(booking, now=visit.now),
        "held": _held_words(booking, visit),
        "complete_by": day_words(visit.referral.complete_by),
        **_fee_words(booking, visit),
    }
    return render(request, "bookings/move.html", context)


@require_GET
@door.candidate_page
def dates(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """The dates they can change to, the present one marked, and why other dates are not there."""
    return _list(request, visit)


@require_POST
@door.candidate_page
def hold(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Hold the chosen date beside the booked one; where it has gone, the other dates with the reason above them."""
    booking = _to_be_moved(visit)
    chosen = request.POST.get("session", "")
    try:
        if not chosen.isdecimal() or len(chosen) > 18:
            raise SessionNotFoundError
        services.hold_move(booking_id=booking.pk, session_id=int(chosen), by=visit.by, now=visit.now)
    except (
        NoPlaceLeftError, SessionNotOpenError, SessionNotFoundError, AfterCompleteByError, SameSessionError,
    ) as error:  # fmt: skip
        return _list(request, visit, gone=error)
    return redirect("bookings:move_check")


@require_GET
@door.candidate_page
def check(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Old date, new date, the fee: then confirm, or pay."""
    move = _held(visit)
    try:
        if news.is_move_paid(move, by=visit.by, now=visit.now):
            return redirect("bookings:move_return")
    except PaymentUnknownError as error:
        return _check(request, visit, move, unsure=error)
    return _check(request, visit, move)


@require_POST
@door.candidate_page
def confirm(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Change the date at once where that is free; else on to Stripe's page, the one that is open or a new one."""
    move = _posted(request, visit)
    if move.status == MoveStatus.DONE:
        return redirect(_moved())
    if news.is_move_paid(move, by=visit.by, now=visit.now):
        return redirect("bookings:move_return")
    texts = services.texts_for_move(move, now=visit.now)
    form = ConsentsForm(request.POST, texts=texts)
    if not form.is_valid():
        return _check(request, visit, move, form)
    given: dict[str, Any] = {
        "move_id": move.pk,
        "text_ids": [text.pk for text in texts],
        "by": visit.by,
        "now": visit.now,
    }
    back = settings.SITE_URL + reverse("bookings:move_return")
    try:
        if not move.fee_pence:
            services.confirm_move(**given)
            return redirect(_moved())
        attempt = services.pay_move(
            success_url=f"{back}?checkout={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{settings.SITE_URL}{reverse('bookings:move_check')}?unpaid",
            **given,
        )
    except AlreadyPaidError:
        return redirect("bookings:move_return")
    except ConsentNeededError as error:
        form.add_error(None, error.message)
        return _check(request, visit, move, form)
    return redirect(attempt.url)


@require_POST
@door.candidate_page
def extend(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """More time for the held date."""
    services.extend_move(move_id=_held(visit).pk, by=visit.by, now=visit.now)
    return redirect("bookings:move_check")


@require_POST
@door.candidate_page
def keep(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Leave everything as it is and give the held date back."""
    move = services.held_move(confirmed(visit).pk)
    if move is not None:
        services.abandon_move(move_id=move.pk, by=visit.by, now=visit.now)
    return redirect(reverse("bookings:manage") + "?kept")


@require_GET
@door.candidate_page
def back_from_paying(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Back from Stripe: moved, not yet heard of, not paid, or paid too late. Stripe is asked."""
    found = _charged(visit)
    if found is None:
        return redirect("bookings:manage")
    if found[2].status != ChargeStatus.PAID:
        payments.refresh_charge(charge_id=found[2].pk, by=visit.by, now=visit.now)
        found = _charged(visit) or found
    booking, move, charge = found
    if move.status == MoveStatus.DONE:
        return redirect(_moved())
    context = {
        "booking": booking,
        "b": booking_words(booking, now=visit.now),
        "new": session_words(move.place.session),
        "fee": pounds(move.fee_pence),
        "is_booked": booking.status == BookingStatus.CONFIRMED,
    }
    if charge.status == ChargeStatus.PAID:
        return render(request, "bookings/move_not_made.html", context)
    if says_paid(charge.pk, request.GET.get("checkout", "")):
        return render(request, "bookings/move_confirming.html", context)
    if move.status == MoveStatus.HELD and _runs(move, visit):
        return redirect(reverse("bookings:move_check") + "?unpaid")
    raise MoveEndedError


def _charged(visit: door.Visit) -> tuple[Booking, Move, Charge] | None:
    """The booking, its last move, and what is to be paid for that."""
    booking = selectors.current_booking(visit.referral)
    move = selectors.last_move(booking.pk) if booking else None
    return (booking, move, move.charge) if booking and move and move.charge else None


def _check(
    request: HttpRequest,
    visit: door.Visit,
    move: Move,
    form: ConsentsForm | None = None,
    unsure: PaymentUnknownError | None = None,
) -> HttpResponse:
    booking = move.booking
    hold = hold_notice(
        move.place, booking.policy, move.extensions, extend_url="bookings:move_extend", is_move=True, now=visit.now
    )
    context = {
        "move": move,
        "b": booking_words(booking, now=visit.now),
        "new": session_words(move.place.session),
        "fee": pounds(move.fee_pence) if move.fee_pence else "",
        "is_full_fee": move.rule == MoveRule.FULL_FEE,
        "form": form or ConsentsForm(texts=services.texts_for_move(move, now=visit.now)),
        "unsure": unsure,
        "is_back_from_paying": "unpaid" in request.GET,
        "hold": hold,
    }
    return render(request, "bookings/move_check.html", context)


def _list(request: HttpRequest, visit: door.Visit, gone: PortalError | None = None) -> HttpResponse:
    booking = _to_be_moved(visit)
    held = _running(booking, visit)
    fee = _fee_words(booking, visit)
    context = {
        **list_context(request, visit.referral, at=reverse("bookings:move_dates"), now=visit.now, moving=booking),
        "gone": gone,
        "gone_body": "Your booked date has not changed. Choose another date.",
        "meanwhile": "check and pay" if fee["fee"] else "check and confirm",
        "held": held,
        "held_words": session_words(held.place.session) if held else None,
        "present": booking.place.session_id,
        "b": booking_words(booking, now=visit.now),
        "hold_url": reverse("bookings:move_hold"),
        "go_on_url": reverse("bookings:move_check"),
        **fee,
    }
    return render(request, "bookings/move_dates.html", context, status=gone.status if gone else 200)


def _to_be_moved(visit: door.Visit) -> Booking:
    """The booking, if its course is still to come. Raises BookingNotFoundError, TooLateToMoveError."""
    booking = confirmed(visit)
    services.check_can_move(booking, now=visit.now)
    return booking


def _running(booking: Booking, visit: door.Visit) -> Move | None:
    move = services.held_move(booking.pk)
    if move is None or not _runs(move, visit):
        return None
    move.booking = booking
    return move


def _runs(move: Move, visit: door.Visit) -> bool:
    until = move.place.held_until
    return until is not None and until > visit.now


def _held(visit: door.Visit) -> Move:
    """The move under way, with a hold that runs. Raises MoveEndedError."""
    move = _running(_to_be_moved(visit), visit)
    if move is None:
        raise MoveEndedError
    return move


def _posted(request: HttpRequest, visit: door.Visit) -> Move:
    """The move that the page was about: one that was left open in another tab, or is not theirs, is refused."""
    booking = confirmed(visit)
    move = selectors.last_move(booking.pk)
    if move is None or str(move.pk) != request.POST.get("move"):
        raise MoveEndedError
    if move.status != MoveStatus.DONE and not (move.status == MoveStatus.HELD and _runs(move, visit)):
        raise MoveEndedError
    move.booking = booking
    return move


def _held_words(booking: Booking, visit: door.Visit) -> dict[str, Any] | None:
    move = _running(booking, visit)
    return session_words(move.place.session) if move else None


def _fee_words(booking: Booking, visit: door.Visit) -> dict[str, Any]:
    """What it costs now, until when, and what it costs after that."""
    quote = services.quote_move(booking, now=visit.now)
    policy = booking.policy
    return {
        "fee": pounds(quote.pence) if quote.pence else "",
        "fee_until": moment_words(quote.until),
        "is_late": quote.rule == MoveRule.LATE,
        "is_full_fee": quote.rule == MoveRule.FULL_FEE,
        "move_fee": pounds(policy.move_fee_pence),
        "full_fee": pounds(booking.fee_pence),
        "free_days": policy.move_free_days,
        "full_fee_hours": policy.full_fee_hours,
    }


def _moved() -> str:
    return reverse("bookings:manage") + "?moved"
