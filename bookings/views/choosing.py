"""The offer, the dates, and taking hold of one."""

import datetime as dt
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from bookings import selectors, services
from bookings.constants import BookingStatus, NeedKind
from bookings.errors import AfterCompleteByError, AlreadyBookedError, BookByPassedError, OfferEndedError
from bookings.rules import Hidden, PartOfDay
from bookings.selectors import Filters, OpenSessions
from bookings.views import door
from bookings.words import session_words
from common.clock import date_words, day_words, london, london_day, time_words
from common.errors import PortalError
from common.money import pounds
from courses.constants import Mode
from courses.errors import NoPlaceLeftError, SessionNotFoundError, SessionNotOpenError
from courses.models import Session
from payments import selectors as fees
from payments.errors import NoFeeError
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral

_MODE_WORDS = {Mode.DIGITAL: "Online", Mode.CLASSROOM: "Classroom", Mode.ON_ROAD: "On the road"}
_PART_WORDS = {
    PartOfDay.MORNING: "Morning",
    PartOfDay.AFTERNOON: "Afternoon",
    PartOfDay.EVENING: "Evening",
    PartOfDay.WEEKEND: "Weekend",
}


@require_GET
@door.candidate_page
def offer(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """What the police offer, by when, and what happens otherwise."""
    referral = visit.referral
    booking = selectors.current_booking(referral.pk)
    context = {
        "referral": referral,
        "offer": offer_words(referral, visit.now),
        "booking": booking,
        "is_booked": booking is not None and booking.status == BookingStatus.CONFIRMED,
        "is_holding": booking is not None and door.hold_runs(booking, visit.now),
        "go_on": door.next_step(booking, visit.now),
        "choose": reverse("bookings:sessions" if _needs_asked(request, referral) else "bookings:needs"),
        **_standing(referral, visit.now),
    }
    return render(request, "bookings/offer.html", context)


@require_GET
@door.candidate_page
def sessions(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """The dates of one week, with filters as links, and why other dates are not there."""
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
    mode = Mode.ON_ROAD if referral.course_type.is_on_road else Mode.DIGITAL
    try:
        fee = fees.fee_on(
            course_type_id=referral.course_type_id, mode=mode, force_code=referral.force_id, on=london_day(now)
        )
    except NoFeeError:
        return ""
    return pounds(fee.total_pence)


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
    booking = selectors.current_booking(referral.pk)
    if booking is not None and booking.status == BookingStatus.CONFIRMED:
        return redirect("bookings:manage")
    filters = _filters(request)
    needs = {need.kind for need in selectors.needs_of(referral.pk)}
    found = selectors.open_sessions(referral, now=visit.now, filters=filters, needs=needs)
    held = booking if booking is not None and door.hold_runs(booking, visit.now) else None
    context = {
        "referral": referral,
        "found": found,
        "days": _days(found),
        "filters": _filter_links(filters, found),
        "is_filtered": bool(filters.mode or filters.part or filters.town),
        "week": _week_words(found.week),
        "earlier": _link(filters, week=found.earlier) if found.earlier else "",
        "later": _link(filters, week=found.later) if found.later else "",
        "hidden": hidden_words(found, referral),
        "needs": needs_words(needs),
        "unfit": found.hidden.get(Hidden.NEEDS, 0),
        "complete_by": date_words(referral.complete_by),
        "gone": gone,
        "held": held,
        "held_words": session_words(held.place.session) if held else None,
        "query": request.GET.urlencode(),
    }
    return render(request, "bookings/sessions.html", context, status=gone.status if gone else 200)


def _filters(request: HttpRequest) -> Filters:
    """What the address asks for; anything unknown in it is left out."""
    asked = request.GET
    try:
        week = dt.date.fromisoformat(asked.get("week", ""))
    except ValueError:
        week = None
    return Filters(
        mode=asked.get("how", "") if asked.get("how") in Mode.values else "",
        part=asked.get("when", "") if asked.get("when") in list(PartOfDay) else "",
        town=asked.get("where", "")[:60],
        week=week,
    )


def _days(found: OpenSessions) -> list[dict[str, Any]]:
    """The sessions by day."""
    days: list[dict[str, Any]] = []
    for session in found.sessions:
        words = session_words(session)
        if not days or days[-1]["day"] != words["day"]:
            days.append({"day": words["day"], "sessions": []})
        days[-1]["sessions"].append({"session": session, "left": places_words(session), **words})
    return days


def places_words(session: Session) -> str:
    """How many are left, as "3 places left"."""
    left = session.capacity - session.places_claimed
    return "1 place left" if left == 1 else f"{left} places left"


def needs_words(needs: Collection[str]) -> list[str]:
    """What the list leaves out because of what the candidate needs, a sentence each."""
    words = []
    if NeedKind.NO_INTERNET in needs:
        words.append("You told us you have no internet, so we do not show online courses.")
    if NeedKind.STEP_FREE in needs:
        words.append("You told us you need a place without steps, so we do not show places that have them.")
    return words


def hidden_words(found: OpenSessions, referral: Referral) -> list[str]:
    """Why dates are missing, a sentence each."""
    complete_by = date_words(referral.complete_by)
    after = found.hidden.get(Hidden.AFTER_COMPLETE_BY, 0)
    full = found.hidden.get(Hidden.FULL, 0)
    soon = found.hidden.get(Hidden.TOO_SOON, 0)
    unfit = found.hidden.get(Hidden.NEEDS, 0)
    words = []
    if found.not_matching and found.matching:
        words.append(
            "1 more date does not match your choices."
            if found.not_matching == 1
            else f"{found.not_matching} more dates do not match your choices."
        )
    if full:
        words.append("1 date is full." if full == 1 else f"{full} dates are full.")
    if unfit:
        words.append(
            "1 date does not fit what you told us you need."
            if unfit == 1
            else f"{unfit} dates do not fit what you told us you need."
        )
    if after:
        words.append(
            f"1 date is after the last day you have to complete a course, {complete_by}."
            if after == 1
            else f"{after} dates are after the last day you have to complete a course, {complete_by}."
        )
    if soon:
        words.append("1 date starts too soon to book." if soon == 1 else f"{soon} dates start too soon to book.")
    return words


def _filter_links(filters: Filters, found: OpenSessions) -> list[dict[str, Any]]:
    """Groups of links; a group with nothing to choose is left out."""
    groups = [
        _group("How", "mode", filters.mode, [(mode, _MODE_WORDS[mode]) for mode in Mode], found.modes, filters),
        _group("When", "part", filters.part, [(part, _PART_WORDS[part]) for part in PartOfDay], found.parts, filters),
        _group("Where", "town", filters.town, [(town, town) for town in sorted(found.towns)], found.towns, filters),
    ]
    return [group for group in groups if len(group["options"]) > 2 or group["is_chosen"]]


def _group(
    name: str, key: str, chosen: str, options: list[tuple[str, str]], counts: Any, filters: Filters
) -> dict[str, Any]:
    links = [{"text": "Any", "href": _link(filters, **{key: ""}), "is_current": not chosen, "count": None}]
    for value, text in options:
        if counts.get(value) or value == chosen:
            links.append(
                {
                    "text": text,
                    "href": _link(filters, **{key: value}),
                    "is_current": value == chosen,
                    "count": counts.get(value, 0),
                }
            )
    return {"name": name, "options": links, "is_chosen": bool(chosen)}


def _link(filters: Filters, **changes: Any) -> str:
    """The address of the list with other filters. Another filter begins at its first week again."""
    values = {"how": filters.mode, "when": filters.part, "where": filters.town}
    names = {"mode": "how", "part": "when", "town": "where"}
    week = changes.pop("week", None)
    values |= {names[key]: value for key, value in changes.items()}
    query = {key: value for key, value in values.items() if value}
    if week:
        query["week"] = week.isoformat()
    return reverse("bookings:sessions") + (f"?{urlencode(query)}" if query else "")


def _week_words(week: dt.date | None) -> str:
    return f"Week of {date_words(week)}" if week else ""
