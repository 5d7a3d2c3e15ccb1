"""32 candidates at once on a session of 20, again and again, while holds lapse and payments confirm.

Before each run six places are held by people whose time is over, and four by people who stand at Stripe's page. Then
all at once: 32 candidates take the date over HTTP, the four pay and come back, and the sweep that lets holds lapse
runs in the worker. Whatever happens, never more than 20 places are claimed, nobody meets an error of the server, and
in the end all 20 are. Environment: BENCH_RUNS (100).
"""

import datetime as dt
import json
import os
import sys
import tempfile
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.journey.portal import Portal

CAPACITY = 20
LAPSED, PAYING, CANDIDATES = 6, 4, 32
EACH = LAPSED + PAYING + CANDIDATES
_MOST = """
    SELECT max((SELECT count(*) FROM courses_place WHERE session_id = s.id AND state IN ('HELD', 'TAKEN')))
    FROM courses_session AS s WHERE capacity = %d
"""


def run() -> list[Figure]:
    """The worst of all runs."""
    runs = int(os.environ.get("BENCH_RUNS", "100"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Portal(Path(folder)) as portal:
        filled = portal.child(
            "benchmarks.journey.fill", {"sessions": runs, "capacity": CAPACITY, "offers": runs * EACH}
        )
        portal.serve()
        where = {"web": portal.web.socket.getsockname(), "sandbox": portal.sandbox.url}
        told = portal.child("benchmarks.oversell", {**filled, **where})
        portal.wait("SELECT NOT EXISTS (SELECT FROM payments_stripeevent WHERE status = 'RECEIVED')", "every webhook")
        claimed = portal.ask(_MOST % CAPACITY)
    print(f"{told['steps']}, answers {told['statuses']}; places claimed {told['claimed']}", file=sys.stderr)
    most = max(claimed, *map(int, told["claimed"]))
    not_full = sum(runs for count, runs in told["claimed"].items() if int(count) < CAPACITY)
    return [
        Figure(f"places claimed of {CAPACITY}, most in {runs} runs of {CANDIDATES}", most, "", at_most=CAPACITY),
        Figure(f"errors of the server in {runs} runs", told["errors"], "", at_most=0),
        Figure("runs in which a place stayed free", not_full, "", at_most=0),
    ]


# --- In the child ----------------------------------------------------------------------------------------------
def _runs(given: dict[str, Any]) -> dict[str, Any]:
    """All runs, one session each."""
    from benchmarks.journey.load import Notes
    from courses.models import Place

    notes, claimed = Notes(), Counter[str]()
    references = given["references"]
    for number, session in enumerate(given["sessions"]):
        _one_run(given, notes, references[number * EACH : (number + 1) * EACH], session)
        claimed[str(Place.objects.filter(session=session).claiming().count())] += 1
    errors = sum(count for status, count in notes.statuses.items() if status == "0" or status >= "500")
    return {"steps": {step: len(seconds) for step, seconds in notes.steps.items()}, "statuses": notes.statuses,
            "claimed": dict(claimed), "errors": errors}  # fmt: skip


def _one_run(given: dict[str, Any], notes: Any, references: list[str], session: int) -> None:
    from celery import current_app

    from audit.context import Actor
    from benchmarks.journey.load import Candidate
    from benchmarks.journey.signed_in import TOKEN, cookies_of
    from bookings import services
    from common import clock
    from referrals.models import Referral

    now = clock.now()
    offers = list(Referral.objects.filter(reference__in=references))

    def browser(offer: Any) -> Candidate:
        one = Candidate(given, offer.pk, notes)
        one.cookies = cookies_of(offer)
        return one

    for offer in offers[:LAPSED]:
        by, before = Actor("candidate", offer.key), now - dt.timedelta(minutes=20)
        services.hold(referral_id=offer.pk, session_id=session, by=by, now=before)
    acts = []
    for offer in offers[LAPSED : LAPSED + PAYING]:
        by = Actor("candidate", offer.key)
        booking = services.hold(referral_id=offer.pk, session_id=session, by=by, now=now)
        services.give_details(booking_id=booking.pk, email="jo@example.org", mobile="", by=by, now=now)
        texts = [text.pk for text in services.texts_needed(booking, now=now)]
        services.give_consents(booking_id=booking.pk, text_ids=texts, by=by, now=now)
        one = browser(offer)
        _, checkout, _ = one.ask("POST", "/booking/pay/", {"csrfmiddlewaretoken": TOKEN})
        acts.append(partial(_pay_and_come_back, one, checkout))
    for offer in offers[LAPSED + PAYING :]:
        fields = {"csrfmiddlewaretoken": TOKEN, "session": session}
        acts.append(partial(browser(offer).ask, "POST", "/booking/hold/", fields))
    acts.append(partial(current_app.send_task, "bookings.jobs.release_holds", queue="default"))
    start = threading.Barrier(len(acts))

    def run(act: Any) -> None:
        start.wait()
        act()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _pay_and_come_back(one: Any, checkout: str) -> None:
    one.ask("GET", one.pay_at_stripe(checkout), step="GET /booking/return/")


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_runs(json.load(sys.stdin))))
