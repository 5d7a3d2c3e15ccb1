"""One PostgreSQL and one Redis for the whole run, and a corner of them for each pytest-xdist worker.

Loaded with `-p` before Django's settings are read: what the settings need to know is put into the environment here.
The controller (or the only process) starts the services; workers find their addresses in the environment.
"""

import atexit
import contextlib
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from devtools import processes
from devtools.embedded import EmbeddedPostgres, EmbeddedRedis, EmbeddedServiceError
from devtools.embedded.postgres import SUPERUSER, find_install
from tests.support import databases, loopback

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = ROOT / ".local" / "test"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Set the scene before anything of Django is imported."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        _end_dead_runs()
        directory = RUNS / str(os.getpid())
        os.environ["NDORS_TEST_RUN"] = str(directory)
        directory.mkdir(parents=True)
        try:
            stop = _start_services(directory)
        except EmbeddedServiceError as error:
            raise pytest.UsageError(str(error)) from None
        early_config.add_cleanup(stop)
        atexit.register(stop)
    _take_corner(worker)
    loopback.allow_only()
    return (yield)


def _start_services(directory: Path) -> Callable[[], None]:
    """Start what the environment does not name already; the function that stops it all."""
    things = contextlib.ExitStack()
    things.callback(shutil.rmtree, directory, ignore_errors=True)
    os.environ["NDORS_TEST_TEMPLATE"] = template = f"ndors_template_{fingerprint()}"
    if not os.environ.get("DATABASE_URL"):
        postgres = EmbeddedPostgres(directory / "pg", durable=False)
        kept = EmbeddedPostgres(RUNS / template, durable=False)
        postgres.take_copy_of(kept)
        postgres.start()
        things.callback(_keep_or_remove, postgres, kept, template)
        os.environ["DATABASE_URL"] = postgres.url
        os.environ["NDORS_TEST_SUPERUSER_URL"] = postgres.url_of("postgres", SUPERUSER)
    os.environ.setdefault("NDORS_TEST_SUPERUSER_URL", os.environ["DATABASE_URL"])
    if not os.environ.get("REDIS_URL"):
        redis = EmbeddedRedis(directory / "redis", durable=False)
        things.callback(redis.stop)
        redis.start()
        os.environ["REDIS_URL"] = redis.url
    return things.close


def _keep_or_remove(postgres: EmbeddedPostgres, kept: EmbeddedPostgres, template: str) -> None:
    """Keep a cluster that holds a migrated template for the next run; throw away any other."""
    if postgres.databases() == {template, "ndors", "postgres"} and not kept.exists():
        postgres.stop()
        for older in RUNS.glob("ndors_template_*"):
            EmbeddedPostgres(older, durable=False).remove()
        kept.take_over(postgres)
    postgres.remove()


def _take_corner(worker: str) -> None:
    """Give this process a Redis database and a folder for files that no other process of the run uses."""
    parts = urlsplit(os.environ["REDIS_URL"])
    number = int(parts.path.strip("/") or 0) + (int(worker.removeprefix("gw")) + 1 if worker else 0)
    os.environ["REDIS_URL"] = urlunsplit(parts._replace(path=f"/{number}"))
    os.environ["MEDIA_ROOT"] = str(Path(os.environ["NDORS_TEST_RUN"], f"media-{worker or 'main'}"))


def _end_dead_runs() -> None:
    """Clear away the services and files of runs that were killed."""
    for directory in RUNS.glob("[0-9]*"):
        if not processes.started(int(directory.name)):
            with contextlib.suppress(OSError, EmbeddedServiceError):
                EmbeddedPostgres(directory / "pg", durable=False).remove()
                shutil.rmtree(directory, ignore_errors=True)


def fingerprint() -> str:
    """Twelve characters that change whenever a migrated database might come out differently.

    Migrations import what they need from the apps (trigger texts, for one), so the sources of every app that a
    migration imports from count as well.
    """
    migrations = sorted(ROOT.glob("*/migrations/*.py"))
    sources = {*migrations, *ROOT.glob("*/apps.py"), ROOT / "requirements" / "dev.txt", Path(databases.__file__)}
    for path in migrations:
        for package in re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            sources.update((ROOT / package).rglob("*.py"))
    digest = hashlib.sha256(f"{sys.version_info[:2]} {find_install().name}".encode())
    for path in sorted(sources):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
