"""The portal's own programs as real processes on this test process's database and Redis."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from devtools import processes
from devtools.processes import Launch
from tests.support import databases

ROOT = Path(__file__).resolve().parent.parent.parent
_START_SECONDS = 60.0


def environment(**extra: str) -> dict[str, str]:
    """What a program of the portal needs in its environment to work beside this test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.test",
        "DATABASE_URL": databases.current_url(),
        "PYTHONUNBUFFERED": "1",
        "STATIC_FROM_SOURCES": "1",
        **extra,
    }


class Program:
    """One process of the portal, its log in a file: `start()`, `stop()`, `kill()`, and it may be started again."""

    ready_words = ""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        """`command` is given to this Python as `python -m …`; nothing is started yet."""
        self.name = name
        self.command = command
        self.env = env
        self.log_path = Path(os.environ["NDORS_TEST_RUN"], f"{name}-{os.getpid()}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self._log_from = 0
        self._pass_fds: tuple[int, ...] = ()

    @property
    def log(self) -> str:
        """What the present process has written."""
        with self.log_path.open("rb") as stream:
            stream.seek(self._log_from)
            return stream.read().decode(errors="replace")

    def start(self) -> None:
        """Start, and return when it works; an AssertionError with its log when it does not."""
        with self.log_path.open("ab") as output:
            self._log_from = output.tell()
            launch = Launch(
                command=[sys.executable, "-m", *self.command], cwd=ROOT, env=self.env, pass_fds=self._pass_fds
            )
            self.process = process = processes.spawn(launch, output=output.fileno())
        processes.wait_until(lambda: self.is_ready() or process.poll() is not None, seconds=_START_SECONDS, pause=0.1)
        if not self.is_ready():
            self.kill()
            raise AssertionError(f"{self.name} did not start:\n{self.log[-4000:]}")

    def is_ready(self) -> bool:
        """Whether it does its work by now."""
        return self.ready_words in self.log

    def stop(self) -> None:
        """End it in good order."""
        if self.process:
            processes.stop(self.process)
            self.process = None

    def kill(self) -> None:
        """End it and all its children at once, as `kill -9` would."""
        if self.process:
            processes.signal_group(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def wait_for_log(self, pattern: str, *, seconds: float = 20) -> None:
        """Return when a line of the log matches the regular expression; else an AssertionError with the log."""
        found = processes.wait_until(lambda: bool(re.search(pattern, self.log)), seconds=seconds)
        assert found, f"{self.name} never wrote {pattern!r}:\n{self.log[-4000:]}"


class CeleryWorker(Program):
    """A worker that consumes the queues given (all of the portal's by default)."""

    ready_words = " ready."

    def __init__(self, env: Mapping[str, str], *, queues: str = "imports,mail,default", processes: int = 2) -> None:
        """`processes` is the number of tasks done at once."""
        options = [
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            f"--hostname=test-{os.getpid()}@local",
        ]
        command = ["celery", "-A", "ndors_portal", "worker", "-Q", queues, f"--concurrency={processes}", "-l", "INFO"]
        super().__init__("celery-worker", [*command, *options], env)


class CeleryBeat(Program):
    """Beat with the schedule in code."""

    ready_words = "beat: Starting..."

    def __init__(self, env: Mapping[str, str]) -> None:
        """Its own notes go to a file of this run."""
        schedule = Path(os.environ["NDORS_TEST_RUN"], f"beat-{os.getpid()}")
        super().__init__(
            "celery-beat", ["celery", "-A", "ndors_portal", "beat", "-l", "INFO", "-s", str(schedule)], env
        )


class Web(Program):
    """Gunicorn as in production, on a port that stays the same when it is killed and started again."""

    def __init__(self, env: Mapping[str, str], *, workers: int = 2) -> None:
        """The port is taken now, so that other programs can be told the address before the web starts."""
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        number = self.socket.fileno()
        options = ["--workers", str(workers), "--threads", "4", "--bind", f"fd://{number}"]
        super().__init__("gunicorn", ["gunicorn", *options, "ndors_portal.wsgi"], {**env, "SITE_URL": self.url})
        self._pass_fds = (number,)

    def is_ready(self) -> bool:
        """Whether `/healthz` is answered."""
        if "Listening at" not in self.log:
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"/healthz answers {error.code}:\n{self.log[-4000:]}") from None
        except (urllib.error.URLError, TimeoutError):
            return False

    def close(self) -> None:
        """Stop and give the port back."""
        self.stop()
        self.socket.close()
