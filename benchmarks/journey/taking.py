"""The step in which a place is taken, alone: ours over HTTP, a bare Django view with the same SQL, and the SQL alone.

The SQL is what our own page says to the database, caught once and said again with other candidates and sessions: all
its statements, locks, triggers and commits. The bare view has no middleware, no session, no forms, no rules.
"""

import json
import random
import statistics
import sys
import threading
from typing import Any

import psycopg2

from benchmarks.figures import Figure
from benchmarks.journey import statements
from benchmarks.journey.load import at_once
from benchmarks.journey.portal import Portal
from benchmarks.journey.signed_in import TOKEN, cookies_of

HANDS = 8
ROUNDS = 3
SESSIONS = 500
_WHERE = {"hot": "on one session", "spread": f"over {SESSIONS} sessions"}


def measure(portal: Portal, references: list[str]) -> list[Figure]:
    """Figures of the step. Of each six references, in every round, one is used for each way and spread."""
    from tests.support.programs import Web

    jobs: dict[str, list[list[Any]]] = portal.child("benchmarks.journey.taking", references)
    bare = Web(portal.env, workers=4)
    bare.name, bare.log_path, bare.command[-1] = (
        "bare",
        portal.folder / "bare.log",
        "benchmarks.journey.bare:application",
    )
    paces: dict[str, list[float]] = {}
    try:
        bare.start()
        servers = {"ours": portal.web, "bare": bare}
        for name, web in servers.items():  # every process has had its first request before any is timed
            warm = jobs.pop(f"warm {name}")
            _over_http(portal, web, warm)
        for turn in range(ROUNDS):
            for name, given in jobs.items():
                share = given[turn::ROUNDS]
                way = name.split()[0]
                seconds = _over_http(portal, servers[way], share) if way in servers else _plain(portal, share)
                paces.setdefault(name, []).append(len(share) / seconds)
    finally:
        bare.close()
    figures = []
    for spread, where in _WHERE.items():
        ours, bare_view, plain = (statistics.median(paces[f"{way} {spread}"]) for way in ("ours", "bare", "plain"))
        figures.append(Figure(f"a place taken, {where}: bare view", ours, "/s", bare_view, at_least=0.25))
        figures.append(Figure(f"a place taken, {where}: plain SQL", ours, "/s", plain))
    return figures


def _over_http(portal: Portal, web: Any, jobs: list[Any]) -> float:
    told = portal.child(
        "benchmarks.journey.load",
        {"what": "holds", "web": web.socket.getsockname(), "sandbox": "", "jobs": jobs, "hands": HANDS},
    )
    if told["statuses"] != {"302": len(jobs)}:
        raise RuntimeError(f"not every place was taken: {told['statuses']}")
    return float(told["seconds"])


def _plain(portal: Portal, jobs: list[Any]) -> float:
    """The statements on connections of their own, nothing else in between."""
    local = threading.local()
    opened = []

    def work(job: Any) -> None:
        if not hasattr(local, "connection"):
            local.connection = psycopg2.connect(portal.postgres.url)
            local.connection.autocommit = True
            opened.append(local.connection)
        with local.connection.cursor() as cursor:
            statements.say(cursor, job[2])

    seconds = at_once(jobs, HANDS, work)
    for connection in opened:
        connection.close()
    return seconds


# --- In the child ----------------------------------------------------------------------------------------------
def _prepare(references: list[str]) -> dict[str, list[list[Any]]]:
    """Sessions to hold places on, candidates who are signed in, and the statements, caught and written down."""
    from audit.context import Actor, acting
    from common import clock
    from courses.models import Session
    from referrals.models import Referral

    now = clock.now()
    pattern = Session.objects.open().filter(mode="DIGITAL", starts_at__gt=now).order_by("starts_at").first()

    def sessions(first: int, count: int, capacity: int) -> list[int]:
        made = [pattern_copy(pattern, pk=first + n, capacity=capacity) for n in range(count)]
        with acting(Actor("command", "measure")):
            Session.objects.bulk_create(made)
        return [session.pk for session in made]

    def pattern_copy(session: Any, **changes: Any) -> Session:
        fields = {field.attname: getattr(session, field.attname) for field in Session._meta.concrete_fields}
        return Session(**{**fields, "places_claimed": 0, **changes})

    referrals = list(Referral.objects.filter(reference__in=references).order_by("pk"))
    first, *others = referrals
    statements.catch(first, sessions(930_000_001, 1, 9)[0])
    random.Random(46).shuffle(others)
    ways = ("ours", "bare", "plain")
    spread = sessions(920_000_001, SESSIONS, 100)
    hot = {way: sessions(910_000_001 + n, 1, 30_000)[0] for n, way in enumerate(ways)}

    def job(way: str, referral: Referral, session: int) -> list[Any]:
        if way != "ours":
            return ["/", {}, {"referral": referral.pk, "key": referral.key, "session": session}]
        return ["/booking/hold/", cookies_of(referral), {"csrfmiddlewaretoken": TOKEN, "session": session}]

    warm = {f"warm {way}": [job(way, others.pop(), hot[way]) for _ in range(64)] for way in ("ours", "bare")}
    jobs: dict[str, list[list[Any]]] = {f"{way} {where}": [] for way in ways for where in _WHERE}
    for n, referral in enumerate(others):
        way, where = list(jobs)[n % len(jobs)].split()
        jobs[f"{way} {where}"].append(job(way, referral, hot[way] if where == "hot" else spread[n // 6 % SESSIONS]))
    return {**warm, **jobs}


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_prepare(json.load(sys.stdin))))
