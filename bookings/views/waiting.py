"""The waiting list: what somebody waits for, joining, leaving, and the place that came free."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bookings import selectors, services, waiting_messages
from bookings.constants import BookingStatus, NeedKind
from bookings.errors import DatesFreeError, PlaceOfferOverError
from bookings.forms import PART_WORDS, WaitingForm
from bookings.models import Booking, Policy, WaitingEntry
from bookings.rules import PartOfDay
from bookings.views import door
from bookings.views.dates import list_filters
from bookings.words import MODE_HOW, session_words
from common.clock import WEEKDAYS, date_words, day_words, london_day, moment_words
from courses.constants import Mode
from notifications import selectors as notifications


@require_GET
@door.candidate_page
def status(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What they wait for, what happens when a place comes free, and leaving in one click."""
    entry, booking = selectors.waiting_entry(visit.referral.pk), _booked(visit)
    if booking is None and selectors.waited_too_long(visit.referral, now=visit.now):
        return render(request, "bookings/waiting_over.html", {"book_by": date_words(visit.referral.book_by)})
    if entry is None and "left" not in request.GET:
        return redirect("bookings:waiting_join")
    context = {
        "entry": entry,
        "rows": _rows(entry, booking) if entry else [],
        "since": day_words(london_day(entry.created_at)) if entry else "",
        "is_new": "joined" in request.GET,
        "offer": selectors.waiting_offer(visit.referral.pk, now=visit.now),
        "hours": Policy.objects.on(london_day(visit.now)).waiting_offer_hours,
        "booked_on": _booked_on(booking),
        "is_reached": _is_reached(visit),
        "back": _back(booking),
    }
    return render(request, "bookings/waiting.html", context)


@require_http_methods(["GET", "POST"])
@door.candidate_page
def join(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What to wait for; or, where that can be had at once, the way to it."""
    booking, entry = _booked(visit), selectors.waiting_entry(visit.referral.pk)
    if request.method == "GET":
        if booking is None and selectors.waited_too_long(visit.referral, now=visit.now):
            return redirect("bookings:waiting")
        services.check_may_wait(visit.referral, booking, now=visit.now)
    form = WaitingForm(
        request.POST if request.method == "POST" else None,
        modes=_modes(visit, booking),
        venues=_venues(booking),
        initial=_initial(entry) or _wished(request),
    )
    free = 0
    if request.method == "POST" and form.is_valid():
        try:
            services.join_waiting_list(referral_id=visit.referral.pk, wishes=form.wishes, by=visit.by, now=visit.now)
        except DatesFreeError:
            free = services.free_now(visit.referral, form.wishes, booking=booking, now=visit.now).count()
        else:
            return redirect(reverse("bookings:waiting") + "?joined")
    context = {
        "form": form,
        "is_waiting": entry is not None,
        "free": free,
        "dates_url": reverse("bookings:move_dates" if booking else "bookings:sessions"),
        "booked_on": _booked_on(booking),
        "hours": Policy.objects.on(london_day(visit.now)).waiting_offer_hours,
        "is_reached": _is_reached(visit),
        "back": reverse("bookings:waiting") if entry else _back(booking),
    }
    return render(request, "bookings/waiting_join.html", context)


@require_POST
@door.candidate_page
def leave(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Off the list, in one click; so is a place that is held just now."""
    services.leave_waiting_list(referral_id=visit.referral.pk, by=visit.by, now=visit.now)
    return redirect(reverse("bookings:waiting") + "?left")


@require_GET
@door.candidate_page
def offer(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """The place that came free: what it is, until when it is held, take it or pass it on."""
    held = selectors.waiting_offer(visit.referral.pk, now=visit.now)
    if held is None:
        booking = _booked(visit)
        if booking is None and selectors.waiting_entry(visit.referral.pk) is None:
            return redirect(door.next_step(selectors.current_booking(visit.referral), visit.now))
        return render(request, "bookings/waiting_passed.html", {"back": _back(booking)})
    booking = _booked(visit)
    context = {
        "offer": held,
        "course": session_words(held.place.session),
        "until": moment_words(held.until),
        "booked_on": _booked_on(booking),
    }
    return render(request, "bookings/waiting_offer.html", context)


@require_POST
@door.candidate_page
def accept(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Take it: on to the details and the payment, or moved at once."""
    held = selectors.offer_to(visit.referral.pk, request.POST.get("offer", ""))
    if held is None:
        raise PlaceOfferOverError
    booking = services.accept_offer(offer_id=held.pk, by=visit.by, now=visit.now)
    if booking.status == BookingStatus.CONFIRMED:
        return redirect(reverse("bookings:manage") + "?moved")
    return redirect("bookings:details")


@require_POST
@door.candidate_page
def decline(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Pass it on, and wait on."""
    held = selectors.offer_to(visit.referral.pk, request.POST.get("offer", ""))
    if held is None:
        raise PlaceOfferOverError
    services.decline_offer(offer_id=held.pk, by=visit.by, now=visit.now)
    return redirect("bookings:waiting")


def _booked(visit: door.Visit) -> Booking | None:
    booking = selectors.current_booking(visit.referral)
    return booking if booking is not None and booking.status == BookingStatus.CONFIRMED else None


def _booked_on(booking: Booking | None) -> str:
    return moment_words(booking.place.session.starts_at) if booking else ""


def _back(booking: Booking | None) -> str:
    return reverse("bookings:manage" if booking else "bookings:sessions")


def _is_reached(visit: door.Visit) -> bool:
    """Whether what we write reaches them; else staff tell them of a place by telephone or post."""
    email, mobile = waiting_messages.addresses_of(visit.referral)
    return notifications.can_reach(email=email, mobile=mobile)


def _modes(visit: door.Visit, booking: Booking | None) -> list[tuple[str, str]]:
    """The ways there are to choose from; who is booked keeps to the one they have."""
    if booking is not None:
        return []
    needs = {need.kind for need in selectors.needs_of(visit.referral.pk)}
    modes = [Mode(mode) for mode in selectors.ways_of(visit.referral.course_type_id)]
    return [
        (mode.value, MODE_HOW[mode]) for mode in modes if mode != Mode.DIGITAL or NeedKind.NO_INTERNET not in needs
    ]


def _venues(booking: Booking | None) -> list[tuple[int, str]]:
    if booking is not None and booking.place.session.room is None:
        return []
    return [(venue.pk, f"{venue.town}: {venue.name}") for venue in selectors.venues()]


def _initial(entry: WaitingEntry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    return {"modes": entry.modes, "venues": entry.venue_ids, "weekdays": entry.weekdays, "parts": entry.parts}


def _wished(request: HttpRequest) -> dict[str, Any]:
    """What the list of dates was narrowed to, as ticks; what has no tick is left out."""
    wished = list_filters(request)
    town = wished.town
    return {
        "modes": [wished.mode] if wished.mode else [],
        "venues": [venue.pk for venue in selectors.venues() if venue.town == town] if town else [],
        "weekdays": [6, 7] if wished.part == PartOfDay.WEEKEND else [],
        "parts": [wished.part] if wished.part in PART_WORDS else [],
    }


def _rows(entry: WaitingEntry, booking: Booking | None) -> list[tuple[str, str]]:
    """What is waited for, in words."""
    where = {venue.pk: f"{venue.town}: {venue.name}" for venue in selectors.venues()} if entry.venue_ids else {}
    mode = booking.place.session.mode if booking else ""
    ways = [MODE_HOW[Mode(one)] for one in ([mode] if mode else entry.modes)]
    rows = [
        ("How", ways or ["Any"]),
        ("Where", [where[pk] for pk in entry.venue_ids if pk in where] or ["Anywhere"]),
        ("Days", [WEEKDAYS[day - 1] for day in entry.weekdays] or ["Any day"]),
        ("Time", [PART_WORDS[PartOfDay(part)] for part in entry.parts] or ["Any time"]),
    ]
    return [(name, "; ".join(words)) for name, words in rows]
