"""One measurement of the import in a process of its own, which prints JSON: benchmarks.importing.child WHAT …"""

import datetime as dt
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def migrate() -> dict[str, Any]:
    """An empty database."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def upload(path: str) -> dict[str, Any]:
    """Store a file as a batch of Kent's, to be imported by another process."""
    return {"batch": str(_receive(path).pk)}


def import_file(path: str) -> dict[str, Any]:
    """Upload a file and import it, as a worker does."""
    from audit.context import Actor
    from referrals import services

    idle = _peak_mb()
    print("idle", flush=True)

    def work() -> int:
        batch = _receive(path)
        batch = services.import_batch(batch_id=batch.pk, by=Actor("job", "import_batches"), now=NOW)
        if batch.new != batch.rows:
            raise RuntimeError(f"only {batch.new} of {batch.rows} rows were new")
        return batch.rows

    return _measured(work) | {"memory_mb": _peak_mb() - idle}


def resume(batch_id: str, minutes: str) -> dict[str, Any]:
    """Import what is left of a batch, so many minutes later."""
    from audit.context import Actor
    from referrals import services

    print("idle", flush=True)
    now = NOW + dt.timedelta(minutes=int(minutes))
    batch = services.import_batch(batch_id=batch_id, by=Actor("job", "import_batches"), now=now)
    return {"rows": batch.rows, "new": batch.new}


def limit(path: str) -> dict[str, Any]:
    """The same referrals, ready for COPY, into a staging table and from there into referral and history."""
    from django.db import connection, transaction

    from common.clock import london_day
    from common.copy import copy_text, copy_value
    from referrals import rules
    from referrals.files import Limits, open_table
    from referrals.services.changes import CONTENT_COLUMNS, SECRET_COLUMNS
    from referrals.services.checking import checked_on, prepare, secrets_of
    from referrals.services.scheme import read_scheme

    scheme = read_scheme(london_day(NOW))
    context = checked_on(NOW, force_code="46", scheme=scheme)
    state = ("status", "status_at", "status_by", "received_at", "bookable_at")
    ending = "\t".join(map(copy_value, ("LIVE", NOW, "job:import_batches", NOW, NOW)))
    with Path(path).open("rb") as file:
        table = open_table(file, kind=rules.REFERRALS, limits=Limits())
        rows = list(prepare(table, after=1, context=context, seen=rules.SeenRows(table.rows), courses=scheme.courses))
        made = [f"{row.line}\t{each.text}\t{ending}\n" for row, each in zip(rows, secrets_of(rows), strict=True)]
    lines = "".join(made)
    columns = (*CONTENT_COLUMNS, *SECRET_COLUMNS, *state)
    named = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE UNLOGGED TABLE staging AS SELECT {named} FROM referrals_referral WITH NO DATA")

    def work() -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            copy_text(cursor, "staging", columns, lines.encode())
            cursor.execute(
                f"INSERT INTO referrals_referral ({named}) SELECT {named} FROM staging "
                "ON CONFLICT (reference, force_id) DO NOTHING"
            )
        return len(made)

    return _measured(work)


def library(path: str) -> dict[str, Any]:
    """The same rows by django-import-export, as its documentation has it: a resource, saved row by row."""
    from benchmarks.importing.library import import_with_library

    return _measured(lambda: import_with_library(path, now=NOW))


def fill(count: str) -> dict[str, Any]:
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


def _receive(path: str) -> Any:
    from audit.context import Actor
    from referrals import services
    from referrals.models import Force

    kent = Force.objects.get(pk="46")
    with Path(path).open("rb") as file:
        batch, _ = services.receive_batch(
            file=file, file_name=Path(path).name, kind="referrals", force=kent, by=Actor("officer", "1"), now=NOW
        )
    return batch


def _measured(work: Callable[[], int]) -> dict[str, Any]:
    """Rows a second of work that returns how many rows it did, and the processor time that a row took here and there.

    PostgreSQL's is that of this process's one connection, which does all of the work but for writing to disk.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    database, own, began = _processor_seconds(backend), _own_seconds(), time.perf_counter()
    rows = work()
    seconds = time.perf_counter() - began
    return {
        "rows": rows,
        "pace": rows / seconds,
        "worker_us": (_own_seconds() - own) / rows * 1e6,
        "database_us": (_processor_seconds(backend) - database) / rows * 1e6,
    }


def _own_seconds() -> float:
    """Processor time of this process and of those it has forked and seen end."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _processor_seconds(pid: int) -> float:
    """Processor time of another process; none where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


_WORK: dict[str, Callable[..., dict[str, Any]]] = {
    each.__name__: each for each in (migrate, upload, import_file, resume, limit, library, fill)
}

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_WORK[sys.argv[1]](*sys.argv[2:])))
