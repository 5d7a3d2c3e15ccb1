"""Who is at the candidate's door: the session bound to one offer, its time-out, and what a refusal looks like."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.cache import never_cache

from audit.context import Actor
from audit.middleware import CANDIDATE_SESSION_KEY, act_as
from bookings import selectors
from bookings.constants import BookingStatus
from bookings.errors import HoldEndedError, MoveEndedError
from bookings.models import Booking
from common import clock
from common.clock import london_day
from common.errors import PortalError
from referrals import selectors as referrals
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral

REFERRAL_ID = "candidate_referral_id"
REFERRAL_KEY = CANDIDATE_SESSION_KEY
SEEN_AT = "candidate_seen_at"
NEEDS_ASKED = "candidate_needs_asked"
IDLE_MINUTES = 20
# The session is written at most this often, so a page that is only read costs no write.
SEEN_STEP_SECONDS = 30
# Pages a candidate may be brought back to after signing in again.
_PAGES = frozenset(
    {"offer", "needs", "sessions", "details", "consents", "check", "return", "manage", "calendar", "receipt", "cancel"}
    | {"move", "move_dates", "move_check", "move_return", "contact", "told", "message", "feedback"}
    | {"other_dates", "waiting", "waiting_join", "waiting_offer"}
)
# What is only ever sent, and the page it is sent from.
_SENT_FROM = {
    "hold": "sessions",
    "extend": "check",
    "pay": "check",
    "choose_date": "other_dates",
    "money_back": "other_dates",
    "move_hold": "move_dates",
    "move_extend": "move_check",
    "move_keep": "move_check",
    "move_confirm": "move_check",
    "waiting_leave": "waiting",
    "waiting_accept": "waiting_offer",
    "waiting_decline": "waiting_offer",
}


@dataclass(frozen=True)
class Visit:
    """A signed-in candidate's request: whose offer, when, and as whom it acts."""

    referral: Referral
    now: dt.datetime
    by: Actor


View = Callable[..., HttpResponse]


def candidate_page(view: View) -> View:
    """Only for who is signed in with an offer that still stands; the view is called with (request, visit).

    A refusal of a service that the view does not handle itself is shown as a page of its own, with its status.
    """

    @wraps(view)
    @never_cache
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = clock.now()
        referral_id = request.session.get(REFERRAL_ID)
        if referral_id is None:
            return redirect(_with_next("bookings:sign_in", request))
        if _idle_seconds(request, now) > IDLE_MINUTES * 60 + SEEN_STEP_SECONDS:
            sign_out(request)
            return redirect(_with_next("bookings:timed_out", request))
        referral = referrals.offer(referral_id)
        if referral is None:
            sign_out(request)
            return redirect("bookings:sign_in")
        by = Actor("candidate", referral.key)
        act_as(request, by)
        _keep_alive(request, now)
        visit = Visit(referral, now, by)
        try:
            return view(request, visit, *args, **kwargs)
        except PortalError as error:
            return refused(request, visit, error)

    return page


def open_page(view: View) -> View:
    """For anybody: the view is called with (request, now)."""

    @wraps(view)
    @never_cache
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, clock.now(), *args, **kwargs)

    return page


def bind(request: HttpRequest, referral: Referral, now: dt.datetime) -> None:
    """Give the browser a new session that holds this offer, and none it had before."""
    _forget(request)
    request.session.cycle_key()
    request.session[REFERRAL_ID] = referral.pk
    request.session[REFERRAL_KEY] = referral.key
    request.session[SEEN_AT] = int(now.timestamp())
    rotate_token(request)


def sign_out(request: HttpRequest) -> None:
    """End the candidate's session; a member of staff signed in beside it stays so."""
    if SESSION_KEY in request.session:
        _forget(request)
        request.session.cycle_key()
    else:
        request.session.flush()


def is_signed_in(request: HttpRequest, now: dt.datetime) -> bool:
    """Whether a candidate is signed in and not idle for too long."""
    return REFERRAL_ID in request.session and _idle_seconds(request, now) <= IDLE_MINUTES * 60 + SEEN_STEP_SECONDS


def refused(request: HttpRequest, visit: Visit, error: PortalError) -> HttpResponse:
    """The page of a refusal: what happened, that nothing is lost, and where to go on."""
    booking = selectors.current_booking(visit.referral)
    is_hold_ended = isinstance(error, HoldEndedError)
    context = {
        "error": error,
        "referral": visit.referral,
        "is_withdrawn": visit.referral.status == ReferralStatus.WITHDRAWN,
        "is_hold_ended": is_hold_ended,
        "may_be_charged": is_hold_ended and booking is not None and selectors.charge_at_stripe(booking) is not None,
        "was_charged": is_hold_ended and booking is not None and selectors.is_paid(booking),
        "is_move_ended": isinstance(error, MoveEndedError),
        "booking": booking,
        "has_booking": booking is not None and booking.status == BookingStatus.CONFIRMED,
    }
    return render(request, "bookings/refused.html", context, status=error.status)


def next_step(booking: Booking | None, now: dt.datetime) -> str:
    """The address of the page where a candidate goes on."""
    if booking is None:
        return reverse("bookings:offer")
    if booking.status == BookingStatus.HELD and hold_runs(booking, now):
        if booking.details_at is None:
            return reverse("bookings:details")
        return reverse("bookings:check" if selectors.consents_given(booking) else "bookings:consents")
    if booking.confirmed_at is not None:
        return reverse("bookings:manage")
    if selectors.has_unsettled_payment(booking.referral_id):
        return reverse("bookings:other_dates")
    return reverse("bookings:offer")


def standing(visit: Visit) -> dict[str, bool]:
    """What a page on a lost place says of the offer: whether it was withdrawn, and whether it can be booked with."""
    referral = visit.referral
    return {
        "is_withdrawn": referral.status == ReferralStatus.WITHDRAWN,
        "can_book": referral.status in BOOKABLE and london_day(visit.now) <= referral.book_by,
    }


def hold_runs(booking: Booking, now: dt.datetime) -> bool:
    """Whether the place of a booking that is being made is still held."""
    until = booking.place.held_until
    return booking.status == BookingStatus.HELD and until is not None and until > now


def safe_next(path: str) -> str:
    """The address to go back to if it is one of our pages, else nothing."""
    try:
        match = resolve(path.partition("?")[0])
    except Resolver404:
        return ""
    return path if match.app_name == "bookings" and match.url_name in _PAGES else ""


def _forget(request: HttpRequest) -> None:
    for key in (REFERRAL_ID, REFERRAL_KEY, SEEN_AT, NEEDS_ASKED):
        request.session.pop(key, None)


def _idle_seconds(request: HttpRequest, now: dt.datetime) -> float:
    return now.timestamp() - float(request.session.get(SEEN_AT, 0))


def _keep_alive(request: HttpRequest, now: dt.datetime) -> None:
    if _idle_seconds(request, now) >= SEEN_STEP_SECONDS:
        request.session[SEEN_AT] = int(now.timestamp())


def _with_next(name: str, request: HttpRequest) -> str:
    """The address of a page that remembers where the candidate was."""
    match = request.resolver_match
    sent_from = _SENT_FROM.get(match.url_name or "") if match else None
    page = reverse(f"bookings:{sent_from}") if sent_from else request.get_full_path()
    wanted = safe_next(request.POST.get("next", "")) or safe_next(page)
    return reverse(name) + (f"?{urlencode({'next': wanted})}" if wanted else "")
