"""One database for each test process, copied from a template that is migrated once.

A test that commits cannot be undone by a rollback, nor by Django's flush: the record refuses to be emptied, and rows
that migrations put there would be lost. The template therefore holds a second copy of those rows, and a function that
puts every table back to them with triggers off. That takes the server's superuser, as the embedded one's user is.
A test that changed the schema itself (a race with its guard dropped) is noticed by an event trigger, and the whole
database is then copied anew.
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

from devtools import processes

_TEMPLATE_LOCK = 0x6E646F7273  # any number that no one else locks on this server

# A table whose file is empty was never written to since the template was made. DELETE and not TRUNCATE: with foreign
# keys between them, one table can only be truncated together with all that point to it.
_PRISTINE = """
CREATE SCHEMA pristine;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE public.%1$I', name);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA pristine TO PUBLIC;

CREATE TABLE pristine.schema_changes (tag text);

CREATE FUNCTION pristine.note_change() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF tg_event = 'sql_drop' AND NOT EXISTS (
        SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary
    ) THEN
        RETURN;
    ELSIF tg_event = 'ddl_command_end' AND NOT EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp'
    ) THEN
        RETURN;
    END IF;
    INSERT INTO pristine.schema_changes VALUES (tg_tag);
END $$;

CREATE FUNCTION pristine.renew() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    name text;
    columns text;
    seq record;
BEGIN
    IF EXISTS (SELECT FROM pristine.schema_changes) THEN
        RETURN false;
    END IF;
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND usename = session_user;
    SET LOCAL session_replication_role = replica;
    FOR name IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
    LOOP
        EXECUTE format('DELETE FROM public.%I', name);
        SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
        WHERE attrelid = format('public.%I', name)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        EXECUTE format(
            'INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM pristine.%1$I', name, columns
        );
        FOR seq IN
            SELECT format('public.%I', s.relname) AS full_name, a.attname AS of_column
            FROM pg_depend d
            JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.refobjid = format('public.%I', name)::regclass
        LOOP
            EXECUTE format(
                'SELECT setval(%L, coalesce(max(%I), 0) + 1, false) FROM public.%I', seq.full_name, seq.of_column, name
            );
        END LOOP;
    END LOOP;
    RETURN true;
END $$;

CREATE EVENT TRIGGER pristine_change ON ddl_command_end EXECUTE FUNCTION pristine.note_change();
CREATE EVENT TRIGGER pristine_drop ON sql_drop EXECUTE FUNCTION pristine.note_change();
"""


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
    """Put this process's database back to what the template holds; whoever is in a transaction on it is cut off."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pristine.renew()")
        (is_renewed,) = cursor.fetchone()
    connections.close_all()
    if not is_renewed:
        _copy(current_name())


def is_quiet() -> bool:
    """Whether nobody else is in a transaction on this process's database.

    The server goes on for a moment with what a killed process had asked for, and holds its locks until then.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL)"
        )
        return bool(cursor.fetchone()[0])


def drop() -> None:
    """Remove this process's database."""
    connections.close_all()
    with _maintenance() as cursor:
        _drop(cursor, current_name())


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
    with _connection(os.environ["NDORS_TEST_SUPERUSER_URL"], unfinished) as cursor_inside:
        cursor_inside.execute(_PRISTINE)
    names = sql.Identifier(unfinished), sql.Identifier(template)
    cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


def _copy(name: str) -> None:
    template = os.environ["NDORS_TEST_TEMPLATE"]
    with _maintenance() as cursor:
        _drop(cursor, name)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        cursor.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _drop(cursor: Any, name: str) -> None:
    """Drop a database, whoever is on it; only the server's own clean-up must be waited for, which may not be ended."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))

    def is_dropped() -> bool:
        try:
            cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            return False
        return True

    assert processes.wait_until(is_dropped, seconds=60)


def _use(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name


@contextmanager
def _maintenance() -> Iterator[Any]:
    """A cursor outside any transaction and outside the databases being made."""
    with _connection(os.environ["DATABASE_URL"], "postgres") as cursor:
        yield cursor


@contextmanager
def _connection(server: str, database: str) -> Iterator[Any]:
    address = urlunsplit(urlsplit(server)._replace(path=f"/{database}"))
    connection = psycopg2.connect(address, connect_timeout=10)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
