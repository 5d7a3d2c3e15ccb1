"""Every page of the candidate's door, in every state: light at the first load, and few queries.

The pages are found in the addresses themselves, so that a new one is held to it as well.
"""

import datetime as dt
import gzip
import re
from collections.abc import Callable
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from bookings import urls
from bookings.models import Booking
from bookings.selectors.dates import MOST_ON_A_PAGE
from bookings.views import door
from common import clock
from courses.models import Session
from referrals.models import Referral
from tests.bookings.conftest import sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r
from tests.support import days

MOST_BYTES = 60 * 1024
MOST_QUERIES = 10
SESSIONS_A_WEEK = 7 * MOST_ON_A_PAGE // 5  # twice what Kent has: more than a page holds
PAGES = sorted(reverse(f"bookings:{pattern.name}") for pattern in urls.urlpatterns if not pattern.pattern.converters)
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

_LINKED = re.compile(r'<(?:link rel="stylesheet"|script)[^>]* (?:href|src)="/static/([^"]+)"')
_IMPORTED = re.compile(r'from\s+"(\.{1,2}/[^"]+)"')


def compressed(content: bytes) -> int:
    return len(gzip.compress(content, 6))


@lru_cache
def loaded(file: str) -> tuple[int, frozenset[str]]:
    """Compressed bytes of a style sheet or script, and the files that it imports."""
    path = finders.find(file)
    assert isinstance(path, str), f"{file} is not to be found"
    content = Path(path).read_bytes()
    imports = _IMPORTED.findall(content.decode()[:2000]) if file.startswith("js/") else []
    return compressed(content), frozenset(str(Path("/", file, "..", name).resolve())[1:] for name in imports)


def files_of(html: bytes) -> set[str]:
    """Every style sheet and script that a page loads, each once."""
    files: set[str] = set()
    waiting = _LINKED.findall(html.decode())
    while waiting:
        file = waiting.pop()
        files.add(file)
        waiting += loaded(file)[1] - files
    return files


def first_load(html: bytes) -> int:
    """Bytes of a page with everything it needs to be read, compressed as a proxy does it."""
    return compressed(html) + sum(loaded(file)[0] for file in files_of(html))


# --- The states ----------------------------------------------------------------------------------------------------
def at(days_on: int) -> dt.datetime:
    return days.at(clock.london_day(clock.now()) + dt.timedelta(days=days_on))


def session() -> Session:
    made: Session = c.OpenSessionFactory.create(starts_at=at(20))
    return made


def live(**given: Any) -> Referral:
    made: Referral = r.LiveReferralFactory.create(now=clock.now(), **given)
    return made


def booked(factory: Any, status: str = "BOOKED", **given: Any) -> Referral:
    """An offer with a booking of that state, paid."""
    booking: Booking = factory.create(referral=live(), session=session(), now=clock.now(), **given)
    Referral.objects.filter(pk=booking.referral_id).update(status=status)
    if status != "LIVE":
        p.PaidChargeFactory.create(
            booking_reference=booking.reference, referral_key=booking.referral.key, created_at=clock.now()
        )
    return booking.referral


def with_needs() -> Referral:
    offer = live()
    for kind in ("STEP_FREE", "LARGE_PRINT", "INTERPRETER"):
        b.NeedFactory.create(referral=offer, kind=kind)
    return offer


def moving() -> Referral:
    offer = booked(b.ConfirmedBookingFactory)
    b.MoveFactory.create(
        booking=offer.bookings.get(), session=c.OpenSessionFactory.create(starts_at=at(22)), now=clock.now()
    )
    return offer


STATES: dict[str, Callable[[], Referral]] = {
    "offered": live,
    "offered, with needs": with_needs,
    "past book by": lambda: live(book_by=clock.london_day(at(-1))),
    "withdrawn": lambda: r.WithdrawnReferralFactory.create(now=clock.now()),
    "expired": lambda: r.ExpiredReferralFactory.create(now=clock.now()),
    "held": lambda: booked(b.BookingFactory, "LIVE"),
    "ready to pay": lambda: booked(b.ReadyBookingFactory, "LIVE"),
    "lapsed": lambda: booked(b.LapsedBookingFactory, "LIVE"),
    "confirmed": lambda: booked(b.ConfirmedBookingFactory),
    "moving": moving,
    "cancelled": lambda: booked(b.CancelledBookingFactory, "LIVE"),
    "completed": lambda: booked(b.CompletedBookingFactory, "COMPLETED"),
    "not completed": lambda: booked(b.NotCompletedBookingFactory, "NOT_COMPLETED"),
}


@pytest.fixture
def full_week(db: None) -> None:
    """A week, from a Monday to its Sunday, with more dates than any candidate will read."""
    made: list[Session] = []
    monday = days.monday(weeks=2)
    for n in range(SESSIONS_A_WEEK):
        one = c.OpenSessionFactory.build() if not made else copy(made[0])
        one.starts_at = days.at(monday + dt.timedelta(days=n % 7), 9 + n % 10)
        one.ends_at = one.starts_at + dt.timedelta(minutes=165)
        made.append(one)
    Session.objects.bulk_create(made)


@pytest.mark.usefixtures("full_week")
@pytest.mark.parametrize("state", STATES)
def test_every_page_in_every_state(client: Client, state: str, django_assert_max_num_queries: Any) -> None:
    sign_in(client, STATES[state](), clock.now())
    shown = []
    for path in PAGES:
        with django_assert_max_num_queries(MOST_QUERIES, info=f"{state}: {path}"):
            response = client.get(path)
        assert response.status_code in {200, 302, 405, 404, 409, 410, 403}, f"{state}: {path} {response.status_code}"
        if response.get("Content-Type", "").startswith("text/html") and response.content:
            shown.append(path)
            assert first_load(response.content) <= MOST_BYTES, f"{state}: {path} weighs {first_load(response.content)}"
        if client.session.get(door.REFERRAL_ID) is None:  # signed out by that page
            sign_in(client, Referral.objects.latest("pk"), clock.now())
    assert {"/", "/sign-in/", "/offer/"} <= set(shown)


@pytest.mark.usefixtures("full_week")
def test_what_is_weighed_is_what_is_loaded(client: Client) -> None:
    """The control: style sheets, scripts and what these import are all found in the page."""
    sign_in(client, live(), clock.now())
    html = client.get("/sessions/").content
    assert html.decode().count('name="session"') == MOST_ON_A_PAGE
    assert {
        "govuk/govuk-frontend.min.css",
        "css/portal.css",
        "js/portal.js",
        "govuk/govuk-frontend.min.js",
    } <= files_of(html)
    assert 30 * 1024 < first_load(html) <= MOST_BYTES
