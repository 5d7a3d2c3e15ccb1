"""A thousand webhooks at once: how fast each is taken, and how soon all are settled.

The portal as in production (four web processes of four threads, one Celery worker of two, beat, a durable
PostgreSQL) and the sandbox share the machine. The webhooks are those of real payments for held places, four of each,
all mixed; as many hands post them as Stripe's courier at the sandbox has, each the next as soon as its last is
answered. The reference for taking one is a bare view under the same gunicorn that inserts one row, posted to alike.
Environment: BENCH_WEBHOOKS (1000), BENCH_HANDS (8).
"""

import datetime as dt
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

KINDS = ("checkout.session.completed", "payment_intent.succeeded", "charge.succeeded", "charge.updated")
DOOR = "/payments/stripe/webhook/"
_SETTLED = "SELECT NOT EXISTS (SELECT FROM payments_stripeevent WHERE status = 'RECEIVED')"
_PAID = "SELECT count(*) FROM payments_charge WHERE status = 'PAID'"
_CONFIRMED = "SELECT count(*) FROM bookings_booking WHERE status = 'CONFIRMED'"


def run() -> list[Figure]:
    """The figures of the inbox."""
    from benchmarks.journey.portal import WEBHOOK_SECRET, Portal
    from tests.support.programs import Web

    count = int(os.environ.get("BENCH_WEBHOOKS", "1000"))
    hands = int(os.environ.get("BENCH_HANDS", "8"))
    payments = count // len(KINDS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Portal(Path(folder)) as portal:
        parcel = str(Path(folder) / "events.json")
        given = {"sandbox": portal.sandbox.url, "key": portal.sandbox.secret_key, "parcel": parcel}
        portal.sandbox.control("webhooks", drop=True)
        portal.child("benchmarks.webhooks", {"what": "pay", "payments": payments, **given})
        post = {"what": "post", "parcel": parcel, "hands": hands, "secret": WEBHOOK_SECRET}
        bare = Web(portal.env, workers=4)
        bare.command[-1] = "benchmarks.webhooks_bare"
        bare.start()
        try:
            plain = portal.child("benchmarks.webhooks", {**post, "address": bare.socket.getsockname()})
        finally:
            bare.close()
        portal.serve()
        began = time.monotonic()
        taken = portal.child("benchmarks.webhooks", {**post, "address": portal.web.socket.getsockname()})
        portal.wait(_SETTLED, "every webhook to be settled")
        settled = time.monotonic() - began
        paid, confirmed = portal.ask(_PAID), portal.ask(_CONFIRMED)
        if (paid, confirmed) != (payments, payments):
            raise RuntimeError(f"of {payments} payments {paid} are settled and {confirmed} confirmed")
    refused = [status for status in taken["statuses"] if not 200 <= status < 300]
    name = f"webhooks: {len(taken['statuses']):,} posted at once by {hands}"
    return [
        Figure(f"{name}, not 2xx", len(refused), "", at_most=0),
        Figure(f"{name}, p95", _p95(taken["ms"]), "ms", at_most=50),
        Figure("webhooks: median, against a bare view with one INSERT", statistics.median(taken["ms"]), "ms",
               statistics.median(plain["ms"])),
        Figure("webhooks: p95, against a bare view with one INSERT", _p95(taken["ms"]), "ms", _p95(plain["ms"])),
        Figure("webhooks: taken a second", len(taken["ms"]) / taken["seconds"], "/s",
               len(plain["ms"]) / plain["seconds"]),
        Figure(f"webhooks: {payments} payments settled after the first", settled, "s", at_most=30),
    ]  # fmt: skip


def _p95(ms: list[float]) -> float:
    return statistics.quantiles(ms, n=20)[18]


# --- In the child ----------------------------------------------------------------------------------------------
def _pay(given: dict[str, Any]) -> dict[str, Any]:
    """So many held places, each paid at the sandbox; the events Stripe would have sent go into a file."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_rows (id uuid PRIMARY KEY, body text)")
    from audit.context import Actor
    from common import clock
    from devtools.stripe_sandbox.testing import Sandbox
    from payments import services
    from tests.factories.bookings import ReadyBookingFactory
    from tests.factories.payments import ChargeFactory

    sandbox = Sandbox(port=int(given["sandbox"].rsplit(":", 1)[1]))
    for _ in range(given["payments"]):
        now = clock.now()
        booking = ReadyBookingFactory.create(now=now)
        charge = ChargeFactory.create(now=now, booking_reference=booking.reference, referral_key=booking.referral.key)
        attempt = services.start_checkout(
            charge_id=charge.pk,
            success_url=f"{given['sandbox']}/paid/",
            cancel_url=f"{given['sandbox']}/pay/",
            expires_at=now + dt.timedelta(minutes=45),
            by=Actor("candidate", "bench"),
            now=now,
        )
        if sandbox.pay(attempt.url).outcome != "paid":
            raise RuntimeError("a payment came to nothing")
    events = [event for event in _events(given) if event["type"] in KINDS]
    Path(given["parcel"]).write_text(json.dumps(events), encoding="utf-8")
    return {"events": len(events)}


def _events(given: dict[str, Any]) -> list[dict[str, Any]]:
    import stripe

    client = stripe.StripeClient(given["key"], base_addresses={"api": given["sandbox"]})
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = client.raw_request("get", "/v1/events", limit=100, **after).data
        found += page["data"]
        if not page["has_more"]:
            return found
        after = {"starting_after": page["data"][-1]["id"]}


def _post(given: dict[str, Any]) -> dict[str, Any]:
    """All events at once, as signed posts; milliseconds and status of each."""
    from devtools.stripe_sandbox.deliveries import signature

    events = json.loads(Path(given["parcel"]).read_text(encoding="utf-8"))
    random.Random(1000).shuffle(events)
    bodies = [json.dumps(event).encode() for event in events]
    ms: list[float] = []
    statuses: list[int] = []
    gate = threading.Barrier(given["hands"] + 1)

    def hand(mine: list[bytes]) -> None:
        gate.wait()
        for body in mine:
            header = signature(body, [given["secret"]], at=int(time.time()))
            began = time.perf_counter()
            # Stripe keeps no connection open for the next one.
            connection = http.client.HTTPConnection(*given["address"], timeout=60)
            connection.request("POST", DOOR, body, {"Content-Type": "application/json", "Stripe-Signature": header})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            ms.append((time.perf_counter() - began) * 1000)
            statuses.append(answer.status)

    threads = [
        threading.Thread(target=hand, args=(bodies[start :: given["hands"]],)) for start in range(given["hands"])
    ]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return {"ms": ms, "statuses": statuses, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    told = json.load(sys.stdin)
    print(json.dumps({"pay": _pay, "post": _post}[told["what"]](told)))
