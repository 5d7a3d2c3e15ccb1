"""A whole portal of its own, every part of which may be killed; PostgreSQL and Redis keep their promises over it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections

from devtools.embedded import EmbeddedPostgres, EmbeddedRedis
from ndors_portal.settings import environment as settings_environment
from tests.support.mail import SmtpSink
from tests.support.programs import ROOT, CeleryBeat, CeleryWorker, Program, Web, environment

if TYPE_CHECKING:
    pass

WEBHOOK_SECRET = "whsec_for_tests_only"


class Stack:
    """`postgres`, `redis`, `sandbox`, `smtp`, `web`, `worker`, `beat`: each has `start()`, `stop()` and `kill()`.

    While it stands, this process's ORM works on its database as well. Everything runs when it is handed over.
    """

    def __init__(self, folder: Path, *, web_workers: int = 2) -> None:
        """`folder` keeps the data until `close`."""
        from devtools.stripe_sandbox.testing import Sandbox

        self._things = ExitStack()
        self.postgres = EmbeddedPostgres(folder / "pg", durable=True)
        self._things.callback(self.postgres.remove)
        self.redis = EmbeddedRedis(folder / "redis", durable=True)
        self._things.callback(self.redis.stop)
        self.smtp = SmtpSink()
        self._things.callback(self.smtp.stop)
        self.web = Web({}, workers=web_workers)
        self._things.callback(self.web.close)
        webhook_url = f"{self.web.url}/payments/stripe/webhook/"
        self.sandbox: Sandbox = Sandbox(webhook_url=webhook_url, webhook_secret=WEBHOOK_SECRET)
        self._things.callback(self.sandbox.stop)

    def start(self) -> None:
        """Start everything, migrate, and point this process at it."""
        self.postgres.start()
        self.redis.start()
        self.smtp.start()
        self.sandbox.start()
        self.env = environment(
            DATABASE_URL=self.postgres.url,
            REDIS_URL=self.redis.url,
            SITE_URL=self.web.url,
            EMAIL_URL=self.smtp.url,
            STRIPE_API_BASE=self.sandbox.url,
            STRIPE_SECRET_KEY=self.sandbox.secret_key,
            STRIPE_WEBHOOK_SECRETS=WEBHOOK_SECRET,
        )
        self.manage("migrate", "--verbosity", "0")
        self._things.enter_context(_orm_on(self.postgres.url))
        self.web.env = {**self.env}
        self.worker = CeleryWorker(self.env)
        self.beat = CeleryBeat(self.env)
        for program in (self.web, self.worker, self.beat):
            self._things.callback(program.kill)  # nothing of it is kept
            program.start()

    @property
    def programs(self) -> list[Program]:
        """Those of the portal itself, as far as they have been started."""
        return [value for value in vars(self).values() if isinstance(value, Program)]

    def manage(self, *arguments: str) -> str:
        """Run a management command in a process of its own; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout[-4000:]}"
        return done.stdout

    def close(self) -> None:
        """End everything and delete its data."""
        self._things.close()


@contextmanager
def _orm_on(url: str) -> Iterator[None]:
    """Point Django's default connection of this process elsewhere for a while."""
    configured: dict[str, Any] = settings.DATABASES["default"]
    before = dict(configured)
    wanted = settings_environment.database(url)
    connections.close_all()
    configured.update({name: wanted[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
    connections["default"].settings_dict.update(configured)
    try:
        yield
    finally:
        connections.close_all()
        configured.update(before)
        connections["default"].settings_dict.update(before)


def place_for_stack() -> Path:
    """A folder of this run for the data of a stack."""
    return Path(os.environ["NDORS_TEST_RUN"], f"stack-{os.getpid()}")
