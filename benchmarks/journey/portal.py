"""A whole portal as in production: web, worker, beat, a durable PostgreSQL, Redis, a mail server, Stripe's sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg2

from devtools import processes
from devtools.embedded import EmbeddedPostgres, EmbeddedRedis
from devtools.stripe_sandbox.testing import Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
WEBHOOK_SECRET = "whsec_for_measurements_only"
EVENTS = ["checkout.session.*", "refund.*", "charge.dispute.*", "payout.*"]
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
_TICKS = os.sysconf("SC_CLK_TCK")


class Portal:
    """A context manager; everything runs inside. Web: four processes of four threads, production's gunicorn settings.

    The settings are those of tests (plain HTTP on loopback, style sheets not hashed); nothing of the candidate's door
    differs from production in them. Throttles of signing in are on.
    """

    def __init__(self, folder: Path, *, web_workers: int = 4) -> None:
        os.environ["NDORS_TEST_RUN"] = str(folder)  # where the programs' logs go
        from tests.support.mail import SmtpSink
        from tests.support.programs import CeleryBeat, CeleryWorker, Web

        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "pg")
        self.redis = EmbeddedRedis(folder / "redis")
        self.smtp = SmtpSink()
        self.web = Web({}, workers=web_workers)
        self.sandbox = Sandbox(webhook_url=f"{self.web.url}/payments/stripe/webhook/", webhook_secret=WEBHOOK_SECRET)
        self._worker, self._beat = CeleryWorker, CeleryBeat
        self._things = ExitStack()
        self.env: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as started:
            for thing in (self.postgres, self.redis, self.smtp, self.sandbox):
                thing.start()
                started.callback(thing.stop)
            self.env = os.environ | {
                "DATABASE_URL": self.postgres.url,
                "REDIS_URL": self.redis.url,
                "MEDIA_ROOT": str(self.folder / "media"),
                "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.test",
                "NDORS_IGNORE_DEMO_ENV": "1",
                "SITE_URL": self.web.url,
                "EMAIL_URL": self.smtp.url,
                "STRIPE_API_BASE": self.sandbox.url,
                "STRIPE_SECRET_KEY": self.sandbox.secret_key,
                "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            }
            self._things = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._things.close()

    def child(self, module: str, given: Any = None) -> Any:
        """Have a module do its work in a process of its own; what it printed last, as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(given),
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    def serve(self) -> None:
        """Start web, worker and beat; the database is migrated by now. Stripe tells of what README.md asks it to."""
        where = {"url": f"{self.web.url}/payments/stripe/webhook/", "secrets": [WEBHOOK_SECRET], "types": EVENTS}
        self.sandbox.control("endpoints", endpoints=[where])
        self.web.env = {**self.web.env, **self.env}
        self.worker, self.beat = self._worker(self.env), self._beat(self.env)
        self._things.callback(self.web.close)
        for program in (self.web, self.worker, self.beat):
            if program is not self.web:
                self._things.callback(program.stop)
            program.start()

    def durability(self) -> str:
        """How the database is set, in its own words."""
        return ", ".join(f"{name} {self.ask(f'SHOW {name}')}" for name in DURABILITY)

    def ask(self, sql: str) -> Any:
        """The one value that a query gives."""
        connection = psycopg2.connect(self.postgres.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()

    def wait(self, sql: str, what: str, *, seconds: float = 120) -> None:
        """Until a query says true."""
        if not processes.wait_until(lambda: self.ask(sql), seconds=seconds, pause=0.2):
            raise RuntimeError(f"waited {seconds} s for {what}")

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time that each part has used since it was started, children of any age included."""
        parts: dict[str, Callable[[], int]] = {
            "web": lambda: self.web.process.pid,
            "worker": lambda: self.worker.process.pid,
            "beat": lambda: self.beat.process.pid,
            "postgres": lambda: self.postgres.process.pid,
            "redis": lambda: self.redis.process.pid,
        }
        table = _all_processes()
        return {name: _of_tree(pid(), table) for name, pid in parts.items()}


def _all_processes() -> dict[int, tuple[int, float]]:
    """Parent and processor time of every process. The time of children that were reaped is with their parents."""
    table = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            table[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15])) / _TICKS
    return table


def _of_tree(root: int, table: dict[int, tuple[int, float]]) -> float:
    used, members = 0.0, {root}
    while members:
        used += sum(table[pid][1] for pid in members if pid in table)
        members = {pid for pid, (parent, _) in table.items() if parent in members}
    return used
