"""Many want one place (scenarios 1 and 2), each with its control: without the guard the same test oversells."""

import datetime as dt
import re
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection

from bookings.models import Booking
from bookings.views import door
from common import clock
from courses.models import Place, Session
from referrals.models import Referral
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.support.programs import Program, Web

CANDIDATES = 200
# Nobody waits for more than 3 s on a machine of its own (`pytest -s` prints the longest wait). Beside other tests the
# clock says more of them than of us, so here only that everybody is answered before a browser would give up.
GIVES_UP_SECONDS = 30.0
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Answer:
    """What one candidate got, and how long they waited for it."""

    status: int = 0
    seconds: float = 0.0
    raw: bytearray = field(default_factory=bytearray)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here; the server may close the connection some time after."""
        head, found, body = bytes(self.raw).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
        return bool(found) and length is not None and len(body) >= int(length[1])

    @property
    def text(self) -> str:
        return " ".join(self.raw.decode(errors="replace").split())


@pytest.fixture
def four_processes(
    start_program: Callable[[Program], Program], program_environment: dict[str, str], stripe_sandbox: object
) -> Web:
    """The portal under gunicorn with four processes, warm."""
    web = Web(program_environment, workers=4)
    start_program(web)
    for _ in range(3):
        submit(web, [request_for(web, "GET", "/")] * 32)
    return web


@pytest.fixture
def last_place(transactional_db: None) -> Session:
    """One place left, and another date with nine."""
    day = clock.london_day(clock.now()) + dt.timedelta(days=20)
    c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(13)))
    return c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)), capacity=1)


def request_for(web: Web, method: str, path: str, cookies: str = "", body: str = "") -> bytes:
    """An HTTP request as bytes, so that nothing is left to do when all are sent at once."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(web.url).netloc}", "Connection: close"]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def candidates(web: Web, session: Session) -> list[bytes]:
    """The request of each candidate, signed in and on the page of dates, to take that date."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    token = "a" * 32
    now = clock.now()
    requests = []
    for _ in range(CANDIDATES):
        referral: Referral = r.LiveReferralFactory.create(now=now)
        signed_in = store()
        signed_in[door.REFERRAL_ID], signed_in[door.REFERRAL_KEY] = referral.pk, referral.key
        signed_in[door.SEEN_AT] = int(now.timestamp())
        signed_in.save()
        cookies = f"{settings.SESSION_COOKIE_NAME}={signed_in.session_key}; {settings.CSRF_COOKIE_NAME}={token}"
        body = urlencode({"csrfmiddlewaretoken": token, "session": session.pk})
        requests.append(request_for(web, "POST", "/booking/hold/", cookies, body))
    return requests


def submit(web: Web, requests: list[bytes], *, seconds: float = 60.0) -> list[Answer]:
    """Send all requests at once and read every answer, each on a connection of its own."""
    parts = urlsplit(web.url)
    answers = [Answer() for _ in requests]
    open_sockets = []
    for _ in requests:
        one = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
        open_sockets.append(one)
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for one, sent, answer in zip(open_sockets, requests, answers, strict=True):
            one.sendall(sent)
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ, answer)
        while selector.get_map() and time.monotonic() - began < seconds:
            for key, _ in selector.select(timeout=1):
                chunk = key.fileobj.recv(65536)  # type: ignore[union-attr]
                key.data.raw += chunk
                if not chunk or key.data.is_whole:
                    key.data.seconds = time.monotonic() - began
                    selector.unregister(key.fileobj)
    for one, answer in zip(open_sockets, answers, strict=True):
        one.close()
        answer.status = int(answer.raw.split(b" ", 2)[1]) if answer.raw else 0
    return answers


def test_s01_one_place_two_hundred_candidates_four_processes(four_processes: Web, last_place: Session) -> None:
    requests = candidates(four_processes, last_place)
    answers = submit(four_processes, requests)
    got = [answer for answer in answers if answer.status == 302]
    told = [answer for answer in answers if answer.status == 409]
    assert (len(got), len(told)) == (1, CANDIDATES - 1), sorted({answer.status for answer in answers})
    assert "Location: /booking/details/" in got[0].text
    for answer in told:
        assert "The last place on this course has just been taken." in answer.text
        assert "1pm to 3:45pm" in answer.text  # the other date
    last_place.refresh_from_db()
    assert (last_place.places_claimed, Place.objects.count(), Booking.objects.count()) == (1, 1, 1)
    longest = max(answer.seconds for answer in answers)
    sys.stdout.write(f"longest wait of {CANDIDATES} candidates: {longest:.2f} s\n")
    assert longest < GIVES_UP_SECONDS


def test_s01_control_without_the_guard_the_same_test_oversells(four_processes: Web, last_place: Session) -> None:
    drop_the_guard()
    answers = submit(four_processes, candidates(four_processes, last_place))
    assert sum(answer.status == 302 for answer in answers) > 1
    assert Place.objects.filter(session=last_place).claiming().count() > last_place.capacity


def drop_the_guard() -> None:
    """Take away what counts places and what refuses one too many."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE courses_session DROP CONSTRAINT courses_session_not_oversold")
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'courses_place'::regclass AND tgname ~ 'count_places'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}" ON courses_place')
