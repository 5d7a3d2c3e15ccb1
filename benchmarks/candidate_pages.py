"""Each page of the candidate's door at 200,000 referrals and 2,000 open sessions, beside a bare view.

The whole page is measured, in one process without a network: session, offer, queries, template. The bare view answers
nothing and asks nothing, behind the same middleware. Environment: BENCH_HELD (200000), BENCH_SESSIONS (2000),
BENCH_LOOKS (100).
"""

import datetime as dt
import gzip
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.journey.portal import Portal

BAR_MS = 60
_STAGES = {
    "offered": ("/", "/sign-in/", "/offer/", "/needs/", "/sessions/", "/sessions/?how=CLASSROOM"),
    "held": ("/booking/details/", "/booking/consents/", "/booking/check/"),
    "confirmed": ("/booking/", "/booking/receipt/", "/booking/move/", "/booking/move/dates/", "/booking/cancel/"),
}


def run() -> list[Figure]:
    """Of each page the 95th percentile."""
    held = int(os.environ.get("BENCH_HELD", "200000")) or 200_000
    sessions = int(os.environ.get("BENCH_SESSIONS", "2000"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Portal(Path(folder)) as portal:
        filled = portal.child(
            "benchmarks.journey.fill", {"held": held, "sessions": sessions, "offers": len(_STAGES) * 10}
        )
        told = portal.child("benchmarks.candidate_pages", filled["references"])
    bare = told.pop("bare view")
    print(f"{'page':28} {'p50':>6} {'p95':>6} ms   queries   KB compressed", file=sys.stderr)
    for path, each in {"(bare view)": bare, **told}.items():
        sizes = f"{each['queries']:9d} {each['bytes'] / 1024:10.1f}"
        print(f"{path:28} {each['p50']:6.1f} {each['p95']:6.1f} {sizes}", file=sys.stderr)
    figures = [Figure(f"candidate: {path}, p95", each["p95"], "ms", at_most=BAR_MS) for path, each in told.items()]
    return [*figures, Figure("candidate: bare view behind the middleware, p95 in µs", 1000 * bare["p95"], "µs")]


# --- In the child ----------------------------------------------------------------------------------------------
def _measure(references: list[str]) -> dict[str, dict[str, float]]:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.http import HttpResponse
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import path as address

    from ndors_portal import urls
    from referrals.models import Referral

    settings.ALLOWED_HOSTS = ["*"]
    urls.urlpatterns.insert(0, address("bare/", lambda request: HttpResponse("ok")))
    looks = int(os.environ.get("BENCH_LOOKS", "100"))
    offers = list(Referral.objects.filter(reference__in=references).order_by("pk"))
    share = len(offers) // len(_STAGES)
    told = {}
    for number, (stage, paths) in enumerate(_STAGES.items()):
        clients = [_client(Client, offer, stage) for offer in offers[number * share : (number + 1) * share]]
        for path in (*paths, *(["/bare/"] if stage == "offered" else [])):
            taken = []
            for look in range(looks + 10):
                began = time.perf_counter()
                response = clients[look % share].get(path)
                taken.append(1000 * (time.perf_counter() - began))
                if response.status_code != 200:
                    raise RuntimeError(f"{stage}: {path} answered {response.status_code}")
            ordered = sorted(taken[10:])
            with CaptureQueriesContext(connection) as queries:
                clients[0].get(path)
            told["bare view" if path == "/bare/" else path] = {
                "p50": ordered[len(ordered) // 2],
                "p95": ordered[int(len(ordered) * 0.95)],
                "queries": len(queries),
                "bytes": len(gzip.compress(response.content, 6)),
            }
    return told


def _client(made: Any, offer: Any, stage: str) -> Any:
    """A browser that has signed in, with an offer that has come as far."""
    from audit.context import Actor
    from benchmarks.journey.signed_in import cookies_of
    from bookings import services
    from common import clock
    from courses.models import Session

    client = made()
    for name, value in cookies_of(offer).items():
        client.cookies[name] = value
    if stage == "offered":
        return client
    by, now = Actor("candidate", offer.key), clock.now()
    later = now + dt.timedelta(days=20)
    session = Session.objects.open().filter(starts_at__gt=later, mode="DIGITAL").order_by("starts_at")[offer.pk % 50]
    booking = services.hold(referral_id=offer.pk, session_id=session.pk, by=by, now=now)
    services.give_details(booking_id=booking.pk, email="jo@example.org", mobile="", by=by, now=now)
    texts = [text.pk for text in services.texts_needed(booking, now=now)]
    services.give_consents(booking_id=booking.pk, text_ids=texts, by=by, now=now)
    if stage == "confirmed":
        _pay(client)
    return client


def _pay(client: Any) -> None:
    """At the sandbox, and back."""
    from benchmarks.journey.load import Candidate

    checkout = client.post("/booking/pay/")["Location"]
    payer = Candidate({"web": ("", 0), "sandbox": ""}, 0, lambda *_: None)
    there = client.get(payer.pay_at_stripe(checkout))
    if there["Location"] != "/booking/?booked":
        raise RuntimeError(f"paying led to {there['Location']}")


if __name__ == "__main__":
    print(json.dumps(_measure(json.load(sys.stdin))))
