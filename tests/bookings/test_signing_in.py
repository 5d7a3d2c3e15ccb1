"""Signing in: throttled in the database, the same answer for unknown, withdrawn and wrong (scenario 30)."""

import datetime as dt
import re
import statistics
import threading
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.db import connections
from django.test import Client
from django.urls import URLPattern, reverse

from audit.models import AuditEvent
from bookings import services, urls
from bookings.errors import TooManyTriesError, WrongDetailsError
from bookings.models import SignInTries
from bookings.views import door
from common import clock
from referrals.models import Referral
from tests.bookings.conftest import NOW, rows
from tests.bookings.conftest import sign_in as bind
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r

HERE = "192.0.2.1"
NUMBER = "SMITH801155JA9XX"
MINUTE = dt.timedelta(minutes=1)


def sign_in(reference: str, pin: str = r.PIN, address: str = HERE, now: dt.datetime = NOW) -> Referral:
    return services.sign_in(reference=reference, pin=pin, address=address, now=now)


@pytest.mark.django_db
def test_reference_and_pin_or_driver_number_open_the_offer() -> None:
    referral = r.LiveReferralFactory.create(reference="46TEST0001X", driver_number="SMITH801155JA9XX")
    assert sign_in(" 46test0001x ") == referral
    found = services.sign_in(reference="46TEST0001X", driver_number="SMITH 801155 JA9XX 21", address=HERE, now=NOW)
    assert found == referral
    assert [event.words for event in AuditEvent.objects.order_by("pk")] == [
        "The candidate signed in with the PIN.",
        "The candidate signed in with the driver number.",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("reference", ["46TEST0001X", "46WITHDRAWN", "46UNKNOWN1", "no such thing at all"])
def test_s30_five_tries_a_quarter_hour_per_reference_known_or_not(reference: str) -> None:
    r.LiveReferralFactory.create(reference="46TEST0001X")
    r.WithdrawnReferralFactory.create(reference="46WITHDRAWN")
    before = rows()
    for n in range(5):
        with pytest.raises(WrongDetailsError):
            sign_in(reference, pin="0000", now=NOW + n * MINUTE, address=f"192.0.2.{n}")
    for n in range(5, 15):
        with pytest.raises(TooManyTriesError):
            sign_in(reference, pin=r.PIN, now=NOW + n * MINUTE, address=f"192.0.2.{n}")
    assert rows() == before
    with pytest.raises(WrongDetailsError):  # the first try is a quarter-hour old; the window slides
        sign_in(reference, pin="0000", now=NOW + 15 * MINUTE, address=HERE)
    with pytest.raises(TooManyTriesError):
        sign_in(reference, pin="0000", now=NOW + 15 * MINUTE, address=HERE)


@pytest.mark.django_db
def test_s30_thirty_tries_a_quarter_hour_per_address() -> None:
    r.LiveReferralFactory.create(reference="46TEST0001X")
    for n in range(30):
        with pytest.raises(WrongDetailsError):
            sign_in(f"46UNKNOWN{n}", now=NOW)
    with pytest.raises(TooManyTriesError):
        sign_in("46TEST0001X", now=NOW)
    assert sign_in("46TEST0001X", address="192.0.2.2", now=NOW).reference == "46TEST0001X"


@pytest.mark.django_db
def test_who_comes_and_goes_is_never_shut_out() -> None:
    referral = r.LiveReferralFactory.create(reference="46TEST0001X")
    for n in range(40):
        assert sign_in("46TEST0001X", now=NOW + n * dt.timedelta(seconds=1)) == referral
    assert services.forget_old_tries(now=NOW + 16 * MINUTE) == 1
    assert SignInTries.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_s30_parallel_guesses_are_counted_one_by_one() -> None:
    r.LiveReferralFactory.create(reference="46TEST0001X")
    answers: list[type[Exception]] = []
    start = threading.Barrier(20)

    def guess(n: int) -> None:
        try:
            start.wait(timeout=20)
            sign_in("46TEST0001X", pin=f"{n:04d}", address=f"192.0.2.{n}")
        except (WrongDetailsError, TooManyTriesError) as error:
            answers.append(type(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (answers.count(WrongDetailsError), answers.count(TooManyTriesError)) == (5, 15)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("how", "right", "wrong"), [("pin", r.PIN, "0000"), ("driver_number", NUMBER, "JONES901155JA9XX")]
)
def test_s30_unknown_withdrawn_and_wrong_look_the_same_and_take_the_same_time(
    client: Client, how: str, right: str, wrong: str
) -> None:
    r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X", driver_number=NUMBER)
    r.WithdrawnReferralFactory.create(now=clock.now(), reference="46TEST0002X", driver_number=NUMBER)
    known, withdrawn, unknown = "46TEST0001X", "46TEST0002X", "46TEST0003X"
    given = [(known, wrong), (withdrawn, wrong), (withdrawn, right), (unknown, wrong), (unknown, right)]
    took: dict[tuple[str, str], list[float]] = {each: [] for each in given}
    pages = set()
    for _ in range(12):
        for (reference, secret), times in took.items():
            SignInTries.objects.all().delete()
            sent = {"reference": reference, "how": how, how: secret}
            began = time.perf_counter()
            response = client.post("/sign-in/", sent, REMOTE_ADDR="192.0.2.9")
            times.append(time.perf_counter() - began)
            assert response.status_code == 200
            page = _without_tokens(response.content.decode())
            assert "These details do not match an offer we can show you." in page
            pages.add(page.replace(reference, "REFERENCE").replace(f'value="{secret}"', 'value="SECRET"'))
    assert len(pages) == 1
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) < 1.5 * min(medians) + 0.005
    # A control: what is refused above for the withdrawn offer opens the one that stands.
    assert client.post("/sign-in/", {"reference": known, "how": how, how: right}).status_code == 302


def _without_tokens(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if "csrfmiddlewaretoken" not in line)


# --- The pages -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_signing_in_binds_the_session_to_the_offer_under_a_new_key(client: Client) -> None:
    referral = r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")
    client.get("/sign-in/")
    session = client.session
    session["left by somebody"] = "x"
    session.save()
    key = session.session_key
    response = client.post("/sign-in/", {"reference": "46test0001x", "how": "pin", "pin": "42 42 42"})
    assert (response.status_code, response["Location"]) == (302, "/offer/")
    assert client.session.session_key != key
    assert (client.session[door.REFERRAL_ID], client.session[door.REFERRAL_KEY]) == (referral.pk, referral.key)
    assert AuditEvent.objects.get().actor == f"candidate:{referral.key}"


@pytest.mark.django_db
def test_too_many_tries_is_a_page_that_says_when(client: Client) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"reference": "46TEST0001X", "how": "pin", "pin": "1"})
    response = client.post("/sign-in/", {"reference": "46TEST0001X", "how": "pin", "pin": "1"})
    assert (response.status_code, response["Retry-After"]) == (429, "900")
    assert "Wait 15 minutes" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({}, "Enter the reference from your letter"),
        ({"reference": "46TEST0001X"}, "Select whether you have a PIN or a driving licence number"),
        ({"reference": "46TEST0001X", "how": "pin"}, "Enter the PIN from your letter"),
        ({"reference": "46TEST0001X", "how": "driver_number", "pin": "1"}, "Enter your driving licence number"),
    ],
)
def test_what_is_missing_is_said_and_costs_no_try(client: Client, posted: dict[str, str], said: str) -> None:
    response = client.post("/sign-in/", posted)
    assert said in response.content.decode()
    assert "<title>Error: Sign in" in response.content.decode()
    assert SignInTries.objects.count() == 0


@pytest.mark.django_db
def test_twenty_idle_minutes_lead_to_the_time_out_page_and_back_to_where_they_were(client: Client) -> None:
    now = clock.now()
    booking = b.BookingFactory.create(now=now, referral=r.LiveReferralFactory.create(now=now, reference="46TEST0001X"))
    bind(client, booking.referral, now - 21 * MINUTE)
    response = client.get("/booking/details/")
    assert response["Location"] == "/timed-out/?next=%2Fbooking%2Fdetails%2F"
    page = client.get(response["Location"])
    assert "signed you out to keep your details safe" in page.content.decode()
    assert door.REFERRAL_ID not in client.session
    back = client.post(
        "/sign-in/",
        {"reference": "46TEST0001X", "how": "pin", "pin": r.PIN, "next": "/booking/details/"},
    )
    assert back["Location"] == "/booking/details/"


OPEN = {"start", "sign_in", "sign_out", "signed_out", "timed_out", "pay_link", "pay_link_return", "waiting_leave_link"}
BEHIND_THE_DOOR = [pattern for pattern in urls.urlpatterns if pattern.name not in OPEN]
CONSENTS, CHECK = "/booking/consents/", "/booking/check/"
SENT_FROM = {
    "/booking/hold/": "/sessions/",
    "/booking/pay/": "/booking/check/",
    "/booking/other-dates/choose/": "/booking/other-dates/",
    "/booking/move/hold/": "/booking/move/dates/",
    "/booking/move/confirm/": "/booking/move/check/",
    "/waiting/leave/": "/waiting/",
    "/waiting/offer/accept/": "/waiting/offer/",
}


@pytest.mark.django_db
@pytest.mark.parametrize("pattern", BEHIND_THE_DOOR, ids=lambda pattern: pattern.name)
def test_signing_in_again_leads_back_to_every_page_and_to_the_page_of_every_form(pattern: URLPattern) -> None:
    now = clock.now()
    referral = r.LiveReferralFactory.create(now=now, reference="46TEST0001X")
    path = reverse(f"bookings:{pattern.name}", kwargs=dict.fromkeys(pattern.pattern.converters, 1))
    asked = 0
    for method in ("get", "post"):
        client = bind(Client(), referral, now - 21 * MINUTE)
        response = getattr(client, method)(path, {"next": "/offer/"} if pattern.name == "stay" else {})
        if response.status_code == 405:
            continue
        asked += 1
        address = urlsplit(response["Location"])
        wanted = dict(parse_qsl(address.query)).get("next", "")
        assert address.path == "/timed-out/"
        assert method == "post" or wanted == path
        assert wanted == SENT_FROM.get(path, wanted)
        # What is led back to is a page that can be asked for.
        back = client.post("/sign-in/", {"reference": "46TEST0001X", "how": "pin", "pin": r.PIN, "next": wanted})
        assert back["Location"] == wanted
        assert client.get(wanted).status_code != 405
    assert asked


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked_from", "leads_to"),
    [
        ("/booking/consents/", "/booking/consents/"),
        ("https://evil.example/", "/booking/check/"),
        ("", "/booking/check/"),
    ],
)
def test_more_time_asked_for_too_late_leads_back_to_where_it_was_asked(
    client: Client, asked_from: str, leads_to: str
) -> None:
    bind(client, r.LiveReferralFactory.create(now=clock.now()), clock.now() - 21 * MINUTE)
    response = client.post("/booking/extend/", {"next": asked_from})
    assert response["Location"] == f"/timed-out/?{urlencode({'next': leads_to})}"


@pytest.mark.django_db
def test_a_page_asked_for_within_the_twenty_minutes_keeps_them_signed_in(client: Client) -> None:
    now = clock.now()
    referral = r.LiveReferralFactory.create(now=now)
    bind(client, referral, now - 19 * MINUTE)
    assert client.get("/offer/").status_code == 200
    assert client.session[door.SEEN_AT] >= int(now.timestamp())


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/offer/", "/sessions/", "/booking/", "/booking/check/", "/booking/receipt/"])
def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/sign-in/?next=")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/admin/", "/booking/pay/", "/nowhere/"])
def test_only_pages_of_ours_are_gone_back_to(client: Client, path: str) -> None:
    r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")
    response = client.post("/sign-in/", {"reference": "46TEST0001X", "how": "pin", "pin": r.PIN, "next": path})
    assert response["Location"] == "/offer/"


@pytest.mark.django_db
def test_a_form_left_open_by_another_offer_is_refused_and_changes_neither_booking() -> None:
    now = clock.now()
    later = clock.from_london(clock.london_day(now) + dt.timedelta(days=20), dt.time(9))
    first, second = (
        b.ConfirmedBookingFactory.create(
            now=now,
            referral=r.BookedReferralFactory.create(now=now, reference=reference),
            session=c.OpenSessionFactory.create(starts_at=later),
        )
        for reference in ("46TEST0001X", "46TEST0002X")
    )
    client = Client(enforce_csrf_checks=True)

    def fields(path: str) -> dict[str, str]:
        html = client.get(path).content.decode()
        form = html[html.index('<form method="post" novalidate>') :]
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))

    def come_as(reference: str) -> None:
        given = fields("/sign-in/") | {"reference": reference, "how": "pin", "pin": r.PIN}
        assert client.post("/sign-in/", given)["Location"] == "/booking/"

    come_as("46TEST0001X")
    left_open = fields("/booking/cancel/") | {"sure": "yes"}
    come_as("46TEST0002X")
    before = rows()
    refused = client.post("/booking/cancel/", left_open)
    assert refused.status_code == 403
    assert rows() == before
    for booking in (first, second):
        booking.refresh_from_db()
        assert booking.status == "CONFIRMED"
    # The same form, asked for anew, is theirs to send.
    assert client.post("/booking/cancel/", fields("/booking/cancel/") | {"sure": "yes"}).status_code == 302
    second.refresh_from_db()
    assert second.status == "CANCELLED"


@pytest.mark.django_db
def test_signing_out_ends_it(client: Client) -> None:
    bind(client, r.LiveReferralFactory.create(), clock.now())
    assert client.post("/sign-out/")["Location"] == "/signed-out/"
    assert client.get("/offer/")["Location"].startswith("/sign-in/")


@pytest.mark.django_db
def test_stay_signed_in_works_with_and_without_a_script(client: Client) -> None:
    now = clock.now()
    bind(client, r.LiveReferralFactory.create(), now - 19 * MINUTE)
    assert client.post("/stay-signed-in/", {"next": "/sessions/"})["Location"] == "/sessions/"
    assert client.post("/stay-signed-in/", headers={"Accept": "application/json"}).status_code == 204
    assert client.session[door.SEEN_AT] >= int(now.timestamp())
