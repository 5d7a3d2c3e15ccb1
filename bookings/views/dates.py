"""The list of dates, a page of days at a time, with filters as links, and why other dates are not there."""

import datetime as dt
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from bookings import rules, selectors
from bookings.constants import NeedKind
from bookings.models import Booking
from bookings.rules import Hidden, PartOfDay
from bookings.selectors import Filters, OpenSessions
from bookings.words import how_words, places_words
from common.clock import date_words, day_words, london_day, span_words
from courses.constants import Mode
from referrals.models import Referral

_MODE_WORDS = {Mode.DIGITAL: "Online", Mode.CLASSROOM: "Classroom", Mode.ON_ROAD: "On the road"}
_PART_WORDS = {
    PartOfDay.MORNING: "Morning",
    PartOfDay.AFTERNOON: "Afternoon",
    PartOfDay.EVENING: "Evening",
    PartOfDay.WEEKEND: "Weekend",
}


def list_context(
    request: HttpRequest, referral: Referral, *, at: str, now: dt.datetime, moving: Booking | None = None
) -> dict[str, Any]:
    """What `sessions.html` shows of the dates for an offer, or for a booking that is to be moved; `at` is its page."""
    filters = list_filters(request)
    needs = {need.kind for need in selectors.needs_of(referral.pk)}
    found = selectors.open_sessions(referral, now=now, filters=filters, needs=needs, moving=moving)
    return {
        "referral": referral,
        "found": found,
        "days": _days(found),
        "filters": _filter_links(at, filters, found),
        "is_filtered": bool(filters.mode or filters.part or filters.town),
        "all_url": at,
        "wait_url": _link(reverse("bookings:waiting_join"), filters),
        "earlier": _link(at, filters, since=found.earlier) if found.earlier else "",
        "later": _link(at, filters, since=found.later) if found.later else "",
        "hidden": _hidden_words(found, referral),
        "needs": _needs_words(needs),
        "unfit": found.hidden.get(Hidden.NEEDS, 0),
        "complete_by": date_words(referral.complete_by),
    }


def list_filters(request: HttpRequest) -> Filters:
    """What the address asks for; anything unknown in it is left out."""
    asked = request.GET
    try:
        since = dt.date.fromisoformat(asked.get("from", ""))
    except ValueError:
        since = None
    return Filters(
        mode=asked.get("how", "") if asked.get("how") in Mode.values else "",
        part=asked.get("when", "") if asked.get("when") in list(PartOfDay) else "",
        town=asked.get("where", "")[:60],
        since=since,
    )


def _days(found: OpenSessions) -> list[dict[str, Any]]:
    """The sessions by day, a week's first with its heading; only what is said of each, for there may be a hundred."""
    days: list[dict[str, Any]] = []
    day = week = None
    for session in found.sessions:
        if day != (day := london_day(session.starts_at)):
            is_new = week != (week := rules.monday_of(day))
            days.append(
                {"day": day_words(day), "week": f"Week of {date_words(week)}" if is_new else "", "sessions": []}
            )
        days[-1]["sessions"].append(
            {
                "pk": session.pk,
                "times": span_words(session.starts_at, session.ends_at),
                "how": how_words(session),
                "venue": session.room.venue if session.room else None,
                "left": places_words(session),
            }
        )
    return days


def _needs_words(needs: Collection[str]) -> list[str]:
    """What the list leaves out because of what the candidate needs, a sentence each."""
    words = []
    if NeedKind.NO_INTERNET in needs:
        words.append("You told us you have no internet, so we do not show online courses.")
    if NeedKind.STEP_FREE in needs:
        words.append("You told us you need a place without steps, so we do not show places that have them.")
    return words


def _hidden_words(found: OpenSessions, referral: Referral) -> list[str]:
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


def _filter_links(at: str, filters: Filters, found: OpenSessions) -> list[dict[str, Any]]:
    """Groups of links; a group with nothing to choose is left out."""

    def link(**changes: Any) -> str:
        return _link(at, filters, **changes)

    groups = [
        _group("How", "mode", filters.mode, [(mode, _MODE_WORDS[mode]) for mode in Mode], found.modes, link),
        _group("When", "part", filters.part, [(part, _PART_WORDS[part]) for part in PartOfDay], found.parts, link),
        _group("Where", "town", filters.town, [(town, town) for town in sorted(found.towns)], found.towns, link),
    ]
    return [group for group in groups if len(group["options"]) > 2 or group["is_chosen"]]


def _group(
    name: str, key: str, chosen: str, options: list[tuple[str, str]], counts: Any, link: Callable[..., str]
) -> dict[str, Any]:
    links = [{"text": "Any", "href": link(**{key: ""}), "is_current": not chosen, "count": None}]
    for value, text in options:
        if counts.get(value) or value == chosen:
            links.append(
                {
                    "text": text,
                    "href": link(**{key: value}),
                    "is_current": value == chosen,
                    "count": counts.get(value, 0),
                }
            )
    return {"name": name, "options": links, "is_chosen": bool(chosen)}


def _link(at: str, filters: Filters, **changes: Any) -> str:
    """The address of the list with other filters. Another filter begins at its first page again."""
    values = {"how": filters.mode, "when": filters.part, "where": filters.town}
    names = {"mode": "how", "part": "when", "town": "where"}
    since = changes.pop("since", None)
    values |= {names[key]: value for key, value in changes.items()}
    query = {key: value for key, value in values.items() if value}
    if since:
        query["from"] = since.isoformat()
    return at + (f"?{urlencode(query)}" if query else "")
