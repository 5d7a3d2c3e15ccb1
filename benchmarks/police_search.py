"""An officer's search and first page among 2 million referrals, beside the bare look-up in the same index.

The whole page is measured: session, officer, queries, template. Environment: BENCH_HELD (2000000), BENCH_LOOKS (300).
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
BAR_MS = 50
_COLUMNS = ("reference", "postcode", "vehicle_registration", "surname")
_LOOK_UP = {
    "reference": "SELECT * FROM referrals_referral WHERE reference = %s AND force_id = '46'",
    "postcode": "SELECT * FROM referrals_referral WHERE postcode = %s AND force_id = '46' LIMIT 50",
    "vehicle_registration": "SELECT * FROM referrals_referral WHERE vehicle_registration = %s AND force_id = '46'",
    "surname": "SELECT * FROM referrals_referral WHERE force_id = '46' AND surname_key LIKE %s LIMIT 50",
    "driver_number": "SELECT * FROM referrals_referral WHERE driver_number_hash = %s AND force_id = '46'",
}


def run() -> list[Figure]:
    """The figures of the officers' pages."""
    from devtools.embedded import EmbeddedPostgres, EmbeddedRedis

    held = int(os.environ.get("BENCH_HELD", "2000000")) or 2_000_000
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        with EmbeddedPostgres(home / "pg") as postgres, EmbeddedRedis(home / "redis") as redis:
            environment = os.environ | {
                "DATABASE_URL": postgres.url,
                "REDIS_URL": redis.url,
                "MEDIA_ROOT": str(home / "media"),
                "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.test",
                "NDORS_IGNORE_DEMO_ENV": "1",
            }
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.police_search", str(held)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=True,
            )
    told: dict[str, list[list[float]]] = json.loads(done.stdout.splitlines()[-1])
    figures = []
    for name, ((page, processor), (bare, _)) in told.items():
        among = f"{name} among {held:,}, p95"
        figures.append(Figure(among, page, "ms", at_most=BAR_MS))
        # This does not depend on what else the machine is doing.
        figures.append(Figure(f"{name}: processor time, p95", processor, "ms", at_most=BAR_MS))
        figures.append(Figure(f"{name}: bare look-up, p95", bare * 1000, "µs"))
    return figures


# --- In the child ----------------------------------------------------------------------------------------------
def _p95(work: Callable[[Any], object], given: list[Any], spent: Callable[[], float]) -> tuple[float, float]:
    """Milliseconds that all but one in twenty stay below, by the clock and of processors; the first few warm up."""
    taken = []
    for each in given:
        began, before = time.perf_counter(), spent()
        work(each)
        taken.append(((time.perf_counter() - began) * 1000, (spent() - before) * 1000))
    clock, processor = zip(*taken[len(taken) // 10 :], strict=True)
    return statistics.quantiles(clock, n=20)[-1], statistics.quantiles(processor, n=20)[-1]


def _spent(backend: int) -> Callable[[], float]:
    """Seconds of processor time so far, of this process and of its one connection's at the server."""
    schedule = Path(f"/proc/{backend}/schedstat")

    def read() -> float:
        there = int(schedule.read_text(encoding="utf-8").split()[0]) / 1e9 if schedule.exists() else 0.0
        return time.process_time() + there

    return read


def _measure(held: int) -> dict[str, tuple[tuple[float, float], tuple[float, float]]]:
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from accounts.models import Role, User
    from devtools.many_referrals import fill
    from referrals import lookups
    from referrals.models import Force, Officer, Referral

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        fill(cursor, held)
        cursor.execute("VACUUM referrals_referral")
        cursor.execute("VACUUM referrals_outcome")
        cursor.execute("SELECT pg_backend_pid()")
        spent = _spent(cursor.fetchone()[0])
    client = Client()
    user = User.objects.create_user("bench", role=Role.OFFICER)
    Officer.objects.create(user=user, force=Force.objects.get(pk="46"))
    client.force_login(user)

    first, last = (Referral.objects.order_by(by).values_list("pk", flat=True)[0] for by in ("pk", "-pk"))
    rnd = random.Random(46)
    looks = int(os.environ.get("BENCH_LOOKS", "300"))
    keys = [rnd.randint(first, last) for _ in range(2 * looks)]
    some: list[dict[str, str]] = list(
        Referral.objects.of_force("46").filter(pk__in=keys).values("pk", *_COLUMNS)[:looks]
    )
    for n, each in enumerate(some):
        # Made by the million, the others are found by hashes of no number that anybody could type.
        each["driver_number"] = f"SMITH801150JA{n % 10}{_letter(n // 260)}{_letter(n // 10)}"
        number = lookups.driver_number_hash(each["driver_number"])
        Referral.objects.filter(pk=each["pk"]).update(driver_number_hash=number)

    def page(words: str) -> None:
        status = client.get("/police/referrals/", {"q": words}).status_code
        if status not in (200, 302):
            raise RuntimeError(f"the search answered {status}")

    def home(_: object) -> None:
        status = client.get("/police/").status_code
        if status != 200:
            raise RuntimeError(f"the first page answered {status}")

    def bare(sql: str) -> Callable[[str], None]:
        def look_up(words: str) -> None:
            with connection.cursor() as cursor:
                cursor.execute(sql, [words])
                cursor.fetchall()

        return look_up

    told = {}
    for column in (*_COLUMNS, "driver_number"):
        words = [each[column] for each in some]
        typed: list[Any] = [f"{word.upper()}%" for word in words] if column == "surname" else words
        if column == "driver_number":
            typed = [lookups.driver_number_hash(word) for word in words]
        told[f"police: search by {column.replace('_', ' ')}"] = (
            _p95(page, words, spent),
            _p95(bare(_LOOK_UP[column]), typed, spent),
        )
    open_ones = "SELECT count(*) FROM referrals_referral WHERE force_id = '46' AND status = %s"
    told["police: first page"] = _p95(home, some, spent), _p95(bare(open_ones), ["LIVE"] * len(some), spent)
    return told


def _letter(n: int) -> str:
    return chr(65 + n % 26)


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_measure(int(sys.argv[1]))))
