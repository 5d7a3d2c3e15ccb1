"""A day of Stripe's balance transactions compared with the ledger, from the sandbox's pages to the last exception.

Each measurement is a process of its own on a database of its own; the sandbox holds the day's transactions and answers
a hundred at a time. What the database does is held against plain COPY of the same rows into a bare table and one bare
join of them with the journals. Environment: BENCH_TRANSACTIONS (50000).
"""

import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
DAY = dt.date(2026, 11, 20)
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
NEXT_MORNING = dt.datetime(2026, 11, 21, 5, tzinfo=dt.UTC)
PENCE, FEE = 9200, 158
_MB = 1024 if sys.platform != "darwin" else 1024 * 1024


def run() -> list[Figure]:
    """The figures of a day's reconciliation."""
    from devtools.embedded import EmbeddedPostgres
    from devtools.stripe_sandbox.testing import Sandbox

    most = int(os.environ.get("BENCH_TRANSACTIONS", "50000"))
    told = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, EmbeddedPostgres(Path(folder) / "pg") as postgres:
        for count in (most // 5, most):
            books = Path(folder) / f"{count}.sqlite3"
            _child("books", count, books)
            with Sandbox(db=books) as sandbox:
                env = {"STRIPE_API_BASE": sandbox.url, "DATABASE_URL": _database(postgres.url, f"bench_{count}")}
                _child("fill", count, env=env)
                told[count] = _child("reconcile", env=env)
                if count == most:
                    limit = _child("limit", env=env)
    few, many = told[most // 5], told[most]
    ours = many["first"] - limit["reading"]
    return [
        Figure(f"reconcile: {most:,} transactions and their fees", many["first"], "s", at_most=20),
        Figure(f"reconcile: {most:,} transactions once more", many["again"], "s", at_most=20),
        Figure("reconcile: of it, reading Stripe's pages", limit["reading"], "s"),
        Figure("reconcile: the rest, against COPY + a bare join", ours, "s", limit["copy"] + limit["join"]),
        Figure(f"reconcile: memory above idle, {most // 5:,}", few["memory_mb"], "MB", at_most=32),
        Figure(f"reconcile: memory above idle, {most:,}", many["memory_mb"], "MB", at_most=32),
    ]


def _database(url: str, name: str) -> str:
    import psycopg2

    connection = psycopg2.connect(f"{url.rsplit('/', 1)[0]}/postgres")
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    return f"{url.rsplit('/', 1)[0]}/{name}"


def _child(what: str, *arguments: object, env: dict[str, str] | None = None) -> dict[str, float]:
    """Do one thing in a process of its own and return what it printed."""
    environment = {
        "DATABASE_URL": "postgres://127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.dev",
        "NDORS_IGNORE_DEMO_ENV": "1",
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reconciliation", what, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment | (env or {}),
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


# --- In the child ----------------------------------------------------------------------------------------------
def _books(count: str, path: str) -> dict[str, float]:
    """Stripe's side: so many payments over the day, as the sandbox itself writes them."""
    from devtools.stripe_sandbox import balance
    from devtools.stripe_sandbox.events import Call
    from devtools.stripe_sandbox.store import Store

    store = Store(Path(path))
    start = int(NOON.timestamp())
    with store.write() as tx:
        tx.remember("clock_offset_seconds", int(NEXT_MORNING.timestamp() - time.time()))
        for n in range(int(count)):
            call = Call(tx, now=start + n * 36_000 // int(count))
            balance.transact(
                call, kind="charge", category="charge", amount=PENCE, source=f"ch_{n}", currency="gbp", fee=FEE,
                wait_seconds=0,
            )  # fmt: skip
    store.close()
    return {}


def _fill(count: str) -> dict[str, float]:
    """Our side: the same payments, each with charge, attempt and journal, on an otherwise empty ledger."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    tables = ("charge", "attempt", "journal", "posting")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE payments_{table} DISABLE TRIGGER USER")
        cursor.execute(_FILL, {"count": int(count), "at": NOON, "pence": PENCE})
        for table in tables:
            cursor.execute(f"ALTER TABLE payments_{table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
    return {}


_FILL = """
    WITH rows AS MATERIALIZED (
        SELECT n, %(at)s + n * interval '1 second' * 36000 / %(count)s AS at
        FROM generate_series(0, %(count)s - 1) AS n
    ), charges AS (
        INSERT INTO payments_charge (booking_reference, referral_key, force_code, purpose, amount_pence, parts,
            description, email, status, status_at, status_by, created_at, paid_pence, refunded_pence)
        SELECT 'KCC-' || n, '46/' || n, '46', 'COURSE_FEE', %(pence)s,
            '{"police": 4500, "levy": 300, "vat": 0, "provider": 4400}', '', '', 'PAID', at, 'job:x', at, %(pence)s, 0
        FROM rows RETURNING id, booking_reference
    ), attempts AS (
        INSERT INTO payments_attempt (charge_id, idempotency_key, status, status_at, created_at, expires_at,
            checkout_session_id, payment_intent_id, stripe_charge_id, url, success_url, cancel_url, paid_at,
            paid_pence, refunded_pence, is_extra, card_last4, card_brand, attempts, error)
        SELECT charges.id, 'k' || n, 'PAID', at, at, at, 'cs_' || n, 'pi_' || n, 'ch_' || n, '', '', '', at,
            %(pence)s, 0, false, '4242', 'visa', 0, ''
        FROM rows JOIN charges ON charges.booking_reference = 'KCC-' || n
    ), journals AS (
        INSERT INTO payments_journal (kind, source, occurred_at, recorded_at, booking_reference, total_pence,
            recorded_by, note)
        SELECT 'PAID', 'paid:pi_' || n, at, at, 'KCC-' || n, %(pence)s, 'job:x', '' FROM rows RETURNING id
    )
    INSERT INTO payments_posting (journal_id, account, force_code, amount_pence)
    SELECT id, account, '', sign * %(pence)s
    FROM journals CROSS JOIN (VALUES ('STRIPE_CLEARING', 1), ('FEES_IN_ADVANCE', -1)) AS side (account, sign)
"""


def _reconcile() -> dict[str, float]:
    """The day, as the job compares it: the first time, and once more."""
    from audit.context import Actor
    from bookings import services

    services.days_due(now=NEXT_MORNING)  # connected, and everything imported
    idle = _peak_mb()
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        run = services.reconcile_payments(day=DAY, by=Actor("job", "reconcile_payments"), now=NEXT_MORNING)
        seconds.append(time.perf_counter() - began)
        if run.status != "GREEN":
            raise RuntimeError(f"the day does not agree: {run.status}")
    return {"first": seconds[0], "again": seconds[1], "memory_mb": _peak_mb() - idle}


def _limit() -> dict[str, float]:
    """Reading alone; then the same rows by plain COPY into a bare table, and one bare join with the journals."""
    from django.db import connection, transaction

    from common.clock import end_of_london_day, start_of_london_day
    from common.copy import copy_rows
    from payments import gateway

    began = time.perf_counter()
    found = list(gateway.transactions(since=start_of_london_day(DAY), until=end_of_london_day(DAY)))
    reading = time.perf_counter() - began
    rows = [(one.transaction_id, f"paid:pi_{one.source[3:]}", one.amount_pence, one.fee_pence) for one in found]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (id text, source text, pence bigint, fee bigint)")
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        copy_rows(cursor, "bare", ("id", "source", "pence", "fee"), rows)
    copied = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM bare JOIN payments_journal j USING (source) JOIN payments_posting p"
            " ON p.journal_id = j.id WHERE p.account = 'STRIPE_CLEARING' AND p.amount_pence = bare.pence"
        )
        if cursor.fetchone()[0] != len(rows):
            raise RuntimeError("the bare join found something else")
    return {"reading": reading, "copy": copied - began, "join": time.perf_counter() - copied}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB


_WORK: dict[str, Any] = {"books": _books, "fill": _fill, "reconcile": _reconcile, "limit": _limit}

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_WORK[sys.argv[1]](*sys.argv[2:])))
