"""The embedded servers: they start from nothing, keep what they promise, and come back after any kill."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devtools import processes
from devtools.embedded import EmbeddedPostgres, EmbeddedRedis, EmbeddedServiceError, account, postgres
from devtools.embedded import redis as embedded_redis

ROOT = Path(__file__).resolve().parent.parent.parent
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another account")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A durable server, not yet started, in a directory only its maker may enter (pytest makes it 0700)."""
    made = EmbeddedPostgres(tmp_path / "pg")
    yield made
    made.remove()


def query(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(server.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def test_postgres_when_new_is_utf8_and_the_role_is_no_superuser(server: EmbeddedPostgres) -> None:
    server.start()
    assert query(server, "SHOW server_encoding") == [("UTF8",)]
    assert query(server, "SELECT datlocale FROM pg_database WHERE datname = 'ndors'") == [("C.UTF-8",)]
    assert query(server, "SELECT upper('zoë')") == [("ZOË",)]
    assert query(server, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'ndors'") == [(False, True)]
    assert query(server, "SHOW fsync") == [("on",)]


def test_postgres_without_the_password_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    address = f"postgres://ndors:wrong@127.0.0.1:{server.port}/ndors"
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(address)
    assert (server.data_dir / "portal-passwords.json").stat().st_mode & 0o777 == 0o600


def test_postgres_started_again_keeps_port_and_data(server: EmbeddedPostgres) -> None:
    server.start()
    address = server.url
    query(server, "CREATE TABLE kept AS SELECT 1 AS n")
    server.stop()
    again = EmbeddedPostgres(server.wanted_dir)
    with again:
        assert again.url == address
        assert query(again, "SELECT n FROM kept") == [(1,)]


def test_postgres_killed_comes_back_with_what_was_committed(server: EmbeddedPostgres) -> None:
    server.start()
    query(server, "CREATE TABLE kept AS SELECT 1 AS n")
    server.kill()
    assert (server.data_dir / "postmaster.pid").exists()
    server.start()
    assert query(server, "SELECT n FROM kept") == [(1,)]


def test_postgres_whose_number_was_given_to_another_process_starts(server: EmbeddedPostgres) -> None:
    server.start()
    server.kill()
    note = server.data_dir / "postmaster.pid"
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        note.write_text("\n".join([str(innocent.pid), *note.read_text().splitlines()[1:]]) + "\n")
        server.start()
        assert query(server, "SELECT 1") == [(1,)]
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_postgres_left_over_by_another_run_is_ended_first(server: EmbeddedPostgres) -> None:
    server.start()
    query(server, "CREATE TABLE kept AS SELECT 1 AS n")
    left_over = server.process
    assert left_over
    again = EmbeddedPostgres(server.wanted_dir)
    with again:
        assert left_over.wait(5) == 0
        assert query(again, "SELECT n FROM kept") == [(1,)]


def test_postgres_half_made_is_made_anew(server: EmbeddedPostgres) -> None:
    server.prepare()
    (server.data_dir / "PG_VERSION").unlink()
    server.start()
    assert query(server, "SELECT 1") == [(1,)]


def test_postgres_of_another_version_says_what_to_do(server: EmbeddedPostgres) -> None:
    server.prepare()
    (server.data_dir / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedServiceError, match="written by PostgreSQL 12 and this is 18: `make demo-reset`"):
        server.prepare()


@as_root
def test_postgres_in_a_directory_only_root_can_enter_lives_elsewhere_and_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "root-only"
    private.mkdir(mode=0o700)
    package = postgres.find_install().parent
    install = private / "site-packages" / package.name / postgres.find_install().name
    shutil.copytree(postgres.find_install(), install)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, private / "site-packages" / libraries.name)
    monkeypatch.setattr(postgres, "find_install", lambda: install)
    server = EmbeddedPostgres(private / ".local" / "pg")
    try:
        server.start()
        query(server, "CREATE TABLE kept AS SELECT 1 AS n")
        assert server.data_dir == account.place_outside(server.wanted_dir) / "data"
        assert server.data_dir.parent.stat().st_mode & 0o777 == 0o700
        assert server.data_dir.stat().st_uid == account.service_account().uid  # type: ignore[union-attr]
        assert private.stat().st_mode & 0o777 == 0o700
        server.stop()
        again = EmbeddedPostgres(private / ".local" / "pg")
        with again:
            assert query(again, "SELECT n FROM kept") == [(1,)]
    finally:
        server.remove()
    assert not account.place_outside(server.wanted_dir).exists()


@as_root
def test_postgres_when_the_checkout_can_be_entered_stays_in_it() -> None:
    wanted = ROOT / ".local" / f"test-{os.getpid()}"
    server = EmbeddedPostgres(wanted / "pg", durable=False)
    try:
        server.prepare()
        inside = account.service_account().can_write(wanted / "pg")  # type: ignore[union-attr]
        home = wanted / "pg" if inside else account.place_outside(wanted / "pg")
        assert server.data_dir == home / "data"
    finally:
        server.remove()
        shutil.rmtree(wanted)


def test_servers_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the kernel's help is Linux's; elsewhere the next start cleans up (the test before)")
    script = textwrap.dedent(f"""
        import pathlib, signal
        from devtools.embedded import EmbeddedPostgres, EmbeddedRedis
        place = pathlib.Path({str(tmp_path)!r})
        pg, redis = EmbeddedPostgres(place / "pg"), EmbeddedRedis(place / "redis")
        pg.start(); redis.start()
        print(pg.process.pid, redis.process.pid, flush=True)
        signal.pause()
    """)
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    pids = [int(word) for word in starter.stdout.readline().split()]
    assert len(pids) == 2
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    try:
        assert processes.wait_until(lambda: not any(processes.started(pid) for pid in pids), seconds=15)
    finally:
        EmbeddedPostgres(tmp_path / "pg").remove()


def test_redis_when_durable_keeps_its_data_over_a_kill(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "redis") as server:
        client = redis.Redis.from_url(server.url)
        client.set("kept", "1")
        assert processes.wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0, seconds=5)
        server.kill()
        server.start()
        assert client.get("kept") == b"1"
        client.close()


def test_redis_without_the_password_is_refused(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "redis", durable=False) as server:
        client = redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0))
        with pytest.raises(redis.AuthenticationError):
            client.ping()
        client.close()


def test_redis_where_there_is_none_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmbeddedServiceError, match="install redis-server"):
        embedded_redis.find_program()


def test_postgres_where_there_is_none_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServiceError, match="set DATABASE_URL"):
        postgres.find_install()
