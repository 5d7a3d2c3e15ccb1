"""One database for each test process, copied from a template that is migrated once.

A test that commits cannot be undone by a rollback, nor by emptying the tables: the record refuses to be emptied, and
rows that migrations put there would be lost. Its database is therefore replaced by a fresh copy of the template.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg2 import sql

_TEMPLATE_LOCK = 0x6E646F7273  # any number that no one else locks on this server


def take() -> str:
    """Make this process's database, migrated, and point Django at it; its name."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_ndors_{worker}_{Path(os.environ['NDORS_TEST_RUN']).name}"
    template = os.environ["NDORS_TEST_TEMPLATE"]
    with _maintenance() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        if not cursor.fetchone():
            _make_template(cursor, template)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])
    _copy(name)
    _use(name)
    return name


def renew() -> None:
    """Replace this process's database by a fresh copy; whoever is connected to it is cut off."""
    connections.close_all()
    _copy(current_name())


def drop() -> None:
    """Remove this process's database."""
    connections.close_all()
    with _maintenance() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(current_name())))


def current_name() -> str:
    """Name of the database this process works on."""
    return str(settings.DATABASES["default"]["NAME"])


def current_url() -> str:
    """Address of the database this process works on, for processes of its own."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{current_name()}"))


def _make_template(cursor: Any, template: str) -> None:
    """Migrate under another name first, so that a half-made template is never taken for a whole one."""
    unfinished = f"{template}_unfinished"
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(unfinished)))
    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    _use(unfinished)
    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()
    names = sql.Identifier(unfinished), sql.Identifier(template)
    cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


def _copy(name: str) -> None:
    template = os.environ["NDORS_TEST_TEMPLATE"]
    with _maintenance() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        cursor.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _use(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name


@contextmanager
def _maintenance() -> Iterator[Any]:
    """A cursor outside any transaction and outside the databases being made."""
    address = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres"))
    connection = psycopg2.connect(address, connect_timeout=10)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
