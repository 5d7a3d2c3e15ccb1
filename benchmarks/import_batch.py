"""A batch from the upload on disk to settled, beside the limit: plain COPY and INSERT … SELECT of the same columns.

Each measurement is a process of its own on a fresh database of a PostgreSQL started for it (as durable as in
production). Environment: BENCH_ROWS (100000), BENCH_HELD (2000000 referrals held already; 0 leaves that out).
"""

import csv
import datetime as dt
import json
import os
import random
import resource
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
GOOD = ROOT / "tests" / "data" / "referrals-good.csv"
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
_LETTERS = string.ascii_uppercase
_MB = 1024 if sys.platform != "darwin" else 1024 * 1024


def run() -> list[Figure]:
    """The figures of the import."""
    from devtools.embedded import EmbeddedPostgres

    rows = int(os.environ.get("BENCH_ROWS", "100000"))
    held = int(os.environ.get("BENCH_HELD", "2000000"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        files = {count: home / f"{count}.csv" for count in (10_000, rows, 200_000)}
        for count, path in files.items():
            write_file(path, count)
        with EmbeddedPostgres(home / "pg") as postgres:
            bench = _Bench(postgres.url, home)
            bench.child("migrate")
            limit = bench.fresh("limit", files[rows])
            ours = bench.fresh("import", files[rows])
            small, large = (bench.fresh("import", files[count]) for count in (10_000, 200_000))
            figures = [
                Figure("import: rows a second, empty table", ours["pace"], "/s", at_least=15_000),
                Figure("import: against COPY + INSERT … SELECT", ours["pace"], "/s", limit["pace"], at_least=0.3),
                Figure("import: memory above idle, 10,000 rows", small["memory_mb"], "MB", at_most=32),
                Figure("import: memory above idle, 200,000 rows", large["memory_mb"], "MB", at_most=32),
            ]
            if held:
                full = bench.fresh("import", files[rows], held=held)
                name = f"import: into {held:,} referrals, against an empty table"
                figures.append(Figure(name, full["pace"], "/s", ours["pace"], at_least=0.8))
        return figures


def write_file(path: Path, count: int) -> None:
    """Rows of the good file with keys, people and vehicles of their own."""
    with GOOD.open(encoding="utf-8", newline="") as file:
        pattern = list(csv.DictReader(file))
    rnd = random.Random(count)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(pattern[0]))
        writer.writeheader()
        for n in range(count):
            row = dict(pattern[n % len(pattern)])
            row["reference"] = f"46B{count}{n:08d}"
            row["pin"] = f"{rnd.randrange(10**6):06d}"
            if len(row["driver_number"]) == 16:
                row["driver_number"] = row["driver_number"][:13] + "".join(rnd.choices(_LETTERS, k=3))
            row["vehicle_registration"] = f"G{rnd.choice(_LETTERS)}{rnd.randrange(70):02d}" + "".join(
                rnd.choices(_LETTERS, k=3)
            )
            row["address_1"] = f"{rnd.randrange(400)} {row['address_1'].split(' ', 1)[1]}"
            writer.writerow(row)


class _Bench:
    """Runs children on databases copied from a migrated one."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self._made = 0

    def fresh(self, what: str, *arguments: object, held: int = 0) -> dict[str, float]:
        """A measurement on a database of its own, with so many referrals in it."""
        import psycopg2

        self._made += 1
        name = f"bench_{self._made}"
        connection = psycopg2.connect(self._url_of("postgres"))
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE ndors")
        connection.close()
        if held:
            self.child("fill", held, database=name)
        return self.child(what, *arguments, database=name)

    def child(self, what: str, *arguments: object, database: str = "ndors") -> dict[str, float]:
        """Do one thing in a process of its own and return what it printed."""
        environment = os.environ | {
            "DATABASE_URL": self._url_of(database),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "MEDIA_ROOT": str(self.home / "media"),
            "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.dev",
            "NDORS_IGNORE_DEMO_ENV": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.import_batch", what, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return told

    def _url_of(self, database: str) -> str:
        return f"{self.url.rsplit('/', 1)[0]}/{database}"


# --- In the child ----------------------------------------------------------------------------------------------
def _migrate() -> dict[str, float]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def _import(path: str) -> dict[str, float]:
    """Upload a file and import it, as a worker does."""
    from audit.context import Actor
    from referrals import services
    from referrals.models import Force

    kent = Force.objects.get(pk="46")
    idle = _peak_mb()
    began = time.perf_counter()
    with Path(path).open("rb") as file:
        batch, _ = services.receive_batch(
            file=file, file_name="bench.csv", kind="referrals", force=kent, by=Actor("officer", "1"), now=NOW
        )
    batch = services.import_batch(batch_id=batch.pk, by=Actor("job", "import_batches"), now=NOW)
    seconds = time.perf_counter() - began
    if batch.new != batch.rows:
        raise RuntimeError(f"only {batch.new} of {batch.rows} rows were new")
    return {"pace": batch.rows / seconds, "memory_mb": _peak_mb() - idle}


def _limit(path: str) -> dict[str, float]:
    """The same referrals, ready for COPY, into a staging table and from there into referral and history."""
    from django.db import connection, transaction

    from common.copy import copy_text, copy_value
    from referrals import rules
    from referrals.files import Limits, open_table
    from referrals.services.changes import CONTENT_COLUMNS, SECRET_COLUMNS
    from referrals.services.checking import checked_on, prepare
    from referrals.services.scheme import read_scheme

    scheme = read_scheme()
    context = checked_on(NOW, force_code="46", forces=frozenset(scheme.forces), courses=scheme.delivered)
    state = ("status", "status_at", "status_by", "received_at", "bookable_at")
    ending = "\t".join(map(copy_value, ("LIVE", NOW, "job:import_batches", NOW, NOW)))
    with Path(path).open("rb") as file:
        table = open_table(file, kind=rules.REFERRALS, limits=Limits())
        rows = prepare(table, after=1, context=context, seen=rules.SeenRows(table.rows), courses=scheme.courses)
        made = [f"{row.line}\t{ending}\n" for row in rows]
    lines = "".join(made)
    columns = (*CONTENT_COLUMNS, *SECRET_COLUMNS, *state)
    named = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE UNLOGGED TABLE staging AS SELECT {named} FROM referrals_referral WITH NO DATA")
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        copy_text(cursor, "staging", columns, lines.encode())
        cursor.execute(
            f"INSERT INTO referrals_referral ({named}) SELECT {named} FROM staging "
            "ON CONFLICT (reference, force_id) DO NOTHING"
        )
    return {"pace": len(made) / (time.perf_counter() - began)}


def _fill(count: str) -> dict[str, float]:
    """So many referrals of earlier years, half of them completed, with statistics as autovacuum would have them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE referrals_referral DISABLE TRIGGER USER")
        cursor.execute(_FILL, [int(count)])
        cursor.execute("ALTER TABLE referrals_referral ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE referrals_referral")
    return {}


_FILL = """
    INSERT INTO referrals_referral (force_id, reference, pin_hash, course_type_id, status, status_at, status_by,
        received_at, bookable_at, offence_code, offence_at, offence_location, vehicle_registration, title, forenames,
        surname, surname_key, date_of_birth, licence_type, driver_number_encrypted, driver_number_hash, person_hash,
        licence_country, address_1, address_2, address_3, town, postcode, country, email, mobile, landline, offer_on,
        book_by, complete_by, content_hash)
    SELECT '46', '46OLD' || lpad(n::text, 9, '0'), sha256(n::text::bytea),
        (SELECT id FROM courses_coursetype WHERE code = 'NSAC'),
        CASE WHEN mod(n, 2) = 0 THEN 'COMPLETED' WHEN mod(n, 20) = 1 THEN 'LIVE' ELSE 'EXPIRED' END,
        at, 'job:x', at, at, 'SP30', at, 'A28 Ashford Road',
        'G' || chr(65 + mod(n, 26)) || lpad(mod(n, 70)::text, 2, '0') || upper(substr(md5(n::text), 1, 3)),
        'Ms', 'Jo', 'Smith' || mod(n, 5000), 'SMITH' || mod(n, 5000), '1980-01-01', 'GB', sha256(('e' || n)::bytea),
        sha256(('d' || n)::bytea), sha256(('p' || n)::bytea), 'GB', '1 High Street', '', '', 'Ashford',
        'TN' || mod(n, 30) || ' ' || mod(n, 9) || 'AA', 'GB', '', '', '', at::date, at::date + 28, at::date + 120, ''
    FROM (
        SELECT n, timestamptz '2026-10-01' - n * interval '1 minute' AS at FROM generate_series(1, %s) AS n
    ) AS rows"""


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB


_WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "migrate": _migrate,
    "import": _import,
    "limit": _limit,
    "fill": _fill,
}

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_WORK[sys.argv[1]](*sys.argv[2:])))
