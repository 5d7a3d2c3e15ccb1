"""A batch from the upload on disk to settled, beside the limit: plain COPY and INSERT … SELECT of the same columns.

Each measurement is a process of its own on a fresh database of a PostgreSQL started for it, as durable as in
production and set up like one of its size (`SERVER`). Environment: BENCH_ROWS (100000), BENCH_LIBRARY_ROWS (3000, for
django-import-export), BENCH_MOST_ROWS (200000, for memory), BENCH_HELD (2000000 referrals held already; 0 leaves that
out), BENCH_KILLS (5).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.importing.files import ROOT, write_csv, write_xlsx

# fsync, full_page_writes and synchronous_commit stay on, as they are by default.
SERVER = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}
_CHILD = "benchmarks.importing.child"
_SLICE_ROWS = 1_000


def run() -> list[Figure]:
    """The figures of the import."""
    from devtools.embedded import EmbeddedPostgres

    rows = int(os.environ.get("BENCH_ROWS", "100000"))
    held = int(os.environ.get("BENCH_HELD", "2000000"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        with EmbeddedPostgres(home / "pg", settings=SERVER) as postgres:
            bench = _Bench(postgres.url, postgres.url_of("postgres", "postgres"), home)
            bench.child("migrate")
            return [*_pace(bench, rows, held), *_memory(bench), _killed(bench)]


def _pace(bench: "_Bench", rows: int, held: int) -> list[Figure]:
    """Rows a second. Those that are compared are measured in turns, so that both meet the same machine."""
    sample = bench.csv(int(os.environ.get("BENCH_LIBRARY_ROWS", "3000")))
    file = bench.csv(rows)
    turns = [(bench.fresh("limit", file), bench.fresh("import_file", file)) for _ in range(2)]
    limit, ours = ([turn[n] for turn in turns] for n in range(2))
    library = bench.fresh("library", sample)
    pace, processor = _mean(ours, "pace"), min(map(_processor_us, ours))
    figures = [
        Figure("import: rows a second, empty table", pace, "/s", at_least=15_000),
        Figure("import: against COPY + INSERT … SELECT", pace, "/s", _mean(limit, "pace"), at_least=0.3),
        Figure("import: against django-import-export 4.4", pace, "/s", library["pace"], at_least=25),
        # These do not depend on what else the machine is doing.
        Figure("import: processor time for a row, worker", min(each["worker_us"] for each in ours), "µs"),
        Figure("import: processor time for a row, PostgreSQL", min(each["database_us"] for each in ours), "µs"),
        Figure("import: processor time, against the library's", processor, "µs", _processor_us(library)),
    ]
    if held:
        turns = [(bench.fresh("import_file", file, held=held), bench.fresh("import_file", file)) for _ in range(2)]
        full, empty = ([turn[n] for turn in turns] for n in range(2))
        name = f"import: into {held:,} referrals, against an empty table"
        figures.append(Figure(name, _mean(full, "pace"), "/s", _mean(empty, "pace"), at_least=0.8))
        least = min(map(_processor_us, full)), min(map(_processor_us, empty))
        figures.append(Figure("import: the same in processor time", least[0], "µs", least[1]))
    return figures


def _mean(told: list[dict[str, Any]], name: str) -> float:
    return statistics.mean(each[name] for each in told)


def _processor_us(told: dict[str, Any]) -> float:
    return float(told["worker_us"] + told["database_us"])


def _memory(bench: "_Bench") -> list[Figure]:
    """Megabytes that a worker and the process it forks take beyond what it has when idle."""
    told = []
    for write, kind, most in ((bench.csv, "CSV", 32), (bench.xlsx, "XLSX", 250)):
        for count in (10_000, int(os.environ.get("BENCH_MOST_ROWS", "200000"))):
            taken = bench.fresh("import_file", write(count), watch=True)["memory_mb"]
            told.append(Figure(f"import: memory above idle, {count:,} rows of {kind}", taken, "MB", at_most=most))
    return told


def _killed(bench: "_Bench") -> Figure:
    """The most rows that were written again after a worker had been killed in the middle of a batch."""
    count = 20_000
    again = []
    for n in range(int(os.environ.get("BENCH_KILLS", "5"))):
        name = bench.database()
        batch = bench.child("upload", bench.csv(count), database=name)["batch"]
        bench.kill_after(n * 0.2, batch, name)
        settled = bench.asked("SELECT settled_to FROM referrals_batch", name)
        told = bench.child("resume", batch, 10, database=name)
        if told != {"rows": count, "new": count} or not settled:
            raise RuntimeError(f"killed after row {settled}, it came to {told}")
        # What was rolled back has used up its ids.
        again.append(
            bench.asked(
                "SELECT last_value - (SELECT count(*) FROM referrals_batchrow) FROM referrals_batchrow_id_seq", name
            )
        )
    return Figure("import: rows written again after kill -9, at most", max(again), "rows", at_most=_SLICE_ROWS)


class _Bench:
    """Runs children on databases copied from a migrated one."""

    def __init__(self, url: str, admin: str, home: Path) -> None:
        self.url = url
        self.admin = admin
        self.home = home
        self._made = 0
        self._log = home / "child.log"

    def csv(self, count: int) -> Path:
        """A file of so many rows."""
        path = self.home / f"{count}.csv"
        if not path.exists():
            write_csv(path, count)
        return path

    def xlsx(self, count: int) -> Path:
        """The same as a workbook."""
        path = self.home / f"{count}.xlsx"
        if not path.exists():
            write_xlsx(path, count)
        return path

    def database(self, held: int = 0) -> str:
        """A database of its own, with so many referrals in it; the one before is dropped."""
        self._made += 1
        name = f"bench_{self._made}"
        self._do(
            f"DROP DATABASE IF EXISTS bench_{self._made - 1}", f"CREATE DATABASE {name} OWNER ndors TEMPLATE ndors"
        )
        if held:
            self.child("fill", held, database=name)
        # A measurement does not pay for what was written before it.
        self._do("CHECKPOINT")
        return name

    def fresh(self, what: str, *arguments: object, held: int = 0, watch: bool = False) -> dict[str, Any]:
        """A measurement on a database of its own."""
        return self.child(what, *arguments, database=self.database(held), watch=watch)

    def child(self, what: str, *arguments: object, database: str = "ndors", watch: bool = False) -> dict[str, Any]:
        """Do one thing in a process of its own and return what it printed; watched, with the memory it took."""
        process = self._start(what, *arguments, database=database)
        taken = _watch(process) if watch else 0.0
        out, _ = process.communicate()
        if process.returncode:
            said = self._log.read_text(encoding="utf-8")
            raise RuntimeError(f"{what} ended with {process.returncode}: {said[-2000:]}")
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        print(f"  {what}: {told}", file=sys.stderr, flush=True)
        return told | {"memory_mb": max(taken, told["memory_mb"])} if watch else told

    def kill_after(self, seconds: float, batch: str, database: str) -> None:
        """Start the import of a batch and kill it so long after its first slice."""
        process = self._start("resume", batch, 0, database=database)
        deadline = time.monotonic() + 120
        while not self.asked("SELECT settled_to FROM referrals_batch", database) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        process.communicate()

    def asked(self, sql: str, database: str) -> int:
        """One number from a database."""
        return int(self._do(sql, database=database) or 0)

    def _start(self, what: str, *arguments: object, database: str) -> "subprocess.Popen[str]":
        environment = os.environ | {
            "DATABASE_URL": self._url_of(database),
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "MEDIA_ROOT": str(self.home / "media"),
            "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.dev",
            "NDORS_IGNORE_DEMO_ENV": "1",
        }
        with self._log.open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                [sys.executable, "-m", _CHILD, what, *map(str, arguments)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _do(self, *statements: str, database: str = "") -> Any:
        import psycopg2

        connection = psycopg2.connect(self._url_of(database) if database else self.admin)
        connection.autocommit = True
        cursor = connection.cursor()
        for sql in statements:
            cursor.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        connection.close()
        return row[0] if row else None

    def _url_of(self, database: str) -> str:
        return f"{self.url.rsplit('/', 1)[0]}/{database}"


def _watch(process: "subprocess.Popen[str]") -> float:
    """The most megabytes that a process and its children took beyond what it had when it said that it was idle."""
    assert process.stdout is not None
    process.stdout.readline()
    idle = most = _megabytes(process.pid)
    while process.poll() is None:
        most = max(most, _megabytes(process.pid))
        time.sleep(0.02)
    return most - idle


def _megabytes(pid: int) -> float:
    """Memory of a process and its children; pages that both have are counted once. None where it has ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return own + sum(_megabytes(int(child)) for child in children)
