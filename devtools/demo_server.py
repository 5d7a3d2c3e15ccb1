"""`make demo`: everything the portal needs on one machine, in the foreground, until Ctrl-C.

    python -m devtools.demo_server           serve
    python -m devtools.demo_server --reset   throw the demo's data away

State lives in `.local/`. While the demo runs, `.local/demo.env` tells management commands where everything is.
"""

import argparse
import fcntl
import os
import secrets
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from devtools.embedded import EmbeddedPostgres, EmbeddedRedis, EmbeddedServiceError
from devtools.embedded.ports import free_port, is_free
from devtools.processes import Launch, Records
from devtools.supervisor import Program, ProgramFailedError, StoppedError, Supervisor

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
QUEUES = "imports,mail,default"
SANDBOX_KEY = "sk_test_sandbox"


class Refusal(Exception):  # noqa: N818
    """The demo cannot start; the message is the one line to print."""


class Demo:
    """The demo's programs and the environment they share."""

    def __init__(self, environ: Mapping[str, str], local: Path = LOCAL, *, with_data: bool = True) -> None:
        """`environ` decides what is started here and what is somebody else's."""
        self.with_data = with_data
        self.environ = environ
        self.local = local
        self.port = _port(environ.get("PORT", "8000"))
        self.site = f"http://127.0.0.1:{self.port}"
        self.env_file = local / "demo.env"
        self.settings = {"SITE_URL": self.site, "MEDIA_ROOT": str(local / "media")}
        self.records = Records(local / "run", owner=str(ROOT))
        self.web_socket: socket.socket | None = None
        self.sandbox_url = ""

    # --- The whole ---------------------------------------------------------------------------------------------
    def serve(self) -> None:
        """Start everything, print who can sign in where, keep it running; Refusal or ProgramFailedError."""
        self.local.mkdir(exist_ok=True)
        with self._alone():
            left_over = self.records.end_left_over()
            self.web_socket = self._listen()
            supervisor = Supervisor(self.records)
            supervisor.say("starting")
            if left_over:
                supervisor.say(f"ended what a killed demo left running: {', '.join(left_over)}")
            try:
                self._start_all(supervisor)
                print(self.table(), flush=True)
                supervisor.run()
            except StoppedError:
                pass
            finally:
                supervisor.say("stopping")
                self.env_file.unlink(missing_ok=True)
                supervisor.stop()
                self.web_socket.close()

    def _start_all(self, supervisor: Supervisor) -> None:
        services = [*self._postgres(), *self._redis(), *self._sandbox(), self._mail()]
        supervisor.start(*services)
        self._finish_postgres()
        self._write_env_file()
        options = () if self.with_data else ("--without-data",)
        supervisor.run_steps(
            data=self._portal("devtools.prepare_demo", "data", *options),
            static=self._portal("devtools.prepare_demo", "static"),
        )
        supervisor.start(self._web(), self._worker(), self._beat())

    def reset(self) -> None:
        """Throw away the demo's database, queue, mail, files and payments; Refusal while it runs."""
        if self.environ.get("DATABASE_URL"):
            raise Refusal("DATABASE_URL is set: empty that database yourself, or unset it and try again")
        self.local.mkdir(exist_ok=True)
        with self._alone():
            self.records.end_left_over()
            EmbeddedPostgres(self.local / "pg").remove()
            for name in ("redis", "mail", "media"):
                shutil.rmtree(self.local / name, ignore_errors=True)
            for path in (*self.local.glob("stripe.sqlite3*"), self.env_file):
                path.unlink(missing_ok=True)

    # --- Its programs ------------------------------------------------------------------------------------------
    def _postgres(self) -> list[Program]:
        if self.environ.get("DATABASE_URL"):
            self.settings["DATABASE_URL"] = self.environ["DATABASE_URL"]
            self._own_postgres = None
            return []
        self._own_postgres = server = EmbeddedPostgres(self.local / "pg")
        return [Program(name="postgres", prepare=server.prepare, is_ready=server.answers)]

    def _finish_postgres(self) -> None:
        if self._own_postgres:
            self._own_postgres.make_database()
            self.settings["DATABASE_URL"] = self._own_postgres.url

    def _redis(self) -> list[Program]:
        if self.environ.get("REDIS_URL"):
            self.settings["REDIS_URL"] = self.environ["REDIS_URL"]
            return []
        server = EmbeddedRedis(self.local / "redis", self._port_for("redis"))
        launch = server.prepare()
        self.settings["REDIS_URL"] = server.url
        return [Program(name="redis", prepare=lambda: launch, is_ready=server.answers)]

    def _sandbox(self) -> list[Program]:
        if self.environ.get("STRIPE_SECRET_KEY"):
            names = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE")
            self.settings.update({name: self.environ[name] for name in names if self.environ.get(name)})
            return []
        port = self._port_for("stripe")
        secret = f"whsec_{secrets.token_urlsafe(24)}"
        self.sandbox_url = f"http://127.0.0.1:{port}"
        self.settings["STRIPE_SECRET_KEY"] = SANDBOX_KEY
        self.settings["STRIPE_WEBHOOK_SECRETS"] = secret
        self.settings["STRIPE_API_BASE"] = self.sandbox_url
        webhook = f"{self.site}/payments/stripe/webhook/"
        launch = self._python(
            *("devtools.stripe_sandbox", "--port", str(port), "--db", str(self.local / "stripe.sqlite3")),
            *("--webhook-url", webhook, "--webhook-secret", secret),
        )
        return [Program(name="stripe", prepare=lambda: launch, is_ready=lambda: not is_free(port))]

    def _mail(self) -> Program:
        port = self._port_for("mail")
        self.settings["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        launch = self._python("devtools.mail_sink", "--port", str(port), "--dir", str(self.local / "mail"))
        return Program(name="mail", prepare=lambda: launch, is_ready=lambda: not is_free(port))

    def _web(self) -> Program:
        assert self.web_socket
        number = self.web_socket.fileno()
        launch = self._portal("gunicorn", "--bind", f"fd://{number}", pass_fds=(number,))
        return Program(name="web", prepare=lambda: launch, is_ready=self._web_answers, leans_on_others=True)

    def _worker(self) -> Program:
        # Every task's beginning and end would bury the table of who signs in where within a minute.
        options = ("--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")
        launch = self._portal("celery", "--quiet", "-A", "ndors_portal", "worker", "--queues", QUEUES, *options)
        return Program(name="worker", prepare=lambda: launch, leans_on_others=True)

    def _beat(self) -> Program:
        # The schedule stands in code, so beat needs no file of its own.
        options = ("--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING")
        launch = self._portal("celery", "--quiet", "-A", "ndors_portal", "beat", *options)
        return Program(name="beat", prepare=lambda: launch, leans_on_others=True)

    def _portal(self, *arguments: str, pass_fds: tuple[int, ...] = ()) -> Launch:
        return self._python(*arguments, extra=self.settings, pass_fds=pass_fds)

    def _python(
        self, *arguments: str, extra: Mapping[str, str] | None = None, pass_fds: tuple[int, ...] = ()
    ) -> Launch:
        """This Python with `-m` and these arguments, in the project's root."""
        env = {
            **self.environ,
            "DJANGO_SETTINGS_MODULE": "ndors_portal.settings.dev",
            "NDORS_IGNORE_DEMO_ENV": "1",
            "PYTHONUNBUFFERED": "1",
            **(extra or {}),
        }
        return Launch(command=[sys.executable, "-m", *arguments], cwd=ROOT, env=env, pass_fds=pass_fds)

    # --- Pieces ------------------------------------------------------------------------------------------------
    def _alone(self) -> IO[str]:
        """A lock held while the demo runs, given back by the kernel however it ends."""
        lock = (self.local / "demo.lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            where = lock.read().strip() or "another window"
            lock.close()
            raise Refusal(f"the demo is already running ({where}): press Ctrl-C there first") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {self.site}\n")
        lock.flush()
        return lock

    def _listen(self) -> socket.socket:
        """The web's socket is taken first and kept, so that no restart of the web can lose the port."""
        try:
            return socket.create_server(("127.0.0.1", self.port), backlog=512)
        except OSError:
            advice = f"PORT={self.port + 1} make demo"
            raise Refusal(f"port {self.port} is in use: stop what uses it, or choose another: {advice}") from None

    def _port_for(self, name: str) -> int:
        """The port this service had last time if it is free: addresses in old messages and pages stay good."""
        note = self.local / "run" / f"{name}.port"
        note.parent.mkdir(parents=True, exist_ok=True)
        port = free_port(int(note.read_text(encoding="utf-8")) if note.exists() else None)
        note.write_text(str(port), encoding="utf-8")
        return port

    def _write_env_file(self) -> None:
        """For management commands in another window; only the owner may read it."""
        self.env_file.unlink(missing_ok=True)
        self.env_file.touch(mode=0o600)
        lines = [f"{name}={value}\n" for name, value in sorted(self.settings.items())]
        self.env_file.write_text("".join(lines), encoding="utf-8")

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.site}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def table(self) -> str:
        """Who can sign in where."""
        rows = [
            ("Candidate", f"{self.site}/", "46DEMO0001", "PIN 424242"),
            ("Kent Police", f"{self.site}/police/", "officer", "demo"),
            ("Essex Police", f"{self.site}/police/", "officer-essex", "demo"),
            ("Trainer", f"{self.site}/trainer/", "trainer", "demo"),
            ("KCC clerk", f"{self.site}/admin/", "clerk", "demo"),
            ("KCC manager", f"{self.site}/admin/", "manager", "demo"),
            ("KCC finance", f"{self.site}/admin/", "finance, finance-2", "demo"),
            ("KCC administrator", f"{self.site}/admin/", "admin", "demo"),
            ("Mail that was sent", f"{self.site}/dev/mail/", "", ""),
        ]
        if self.sandbox_url:
            card = ("card 4242 4242 4242 4242", "any date, any CVC")
            rows.append(("Stripe sandbox", f"{self.sandbox_url}/_control/", *card))
        heads = ("Who", "Where", "Name or reference", "Password")
        widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n" + "\n".join(line.rstrip() for line in lines) + "\n\nThe demo is up. Ctrl-C stops it.\n"


def _port(text: str) -> int:
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise Refusal(f"PORT must be a number from 1 to 65535, not {text!r}")


def main() -> int:
    """Read the command line; the exit code."""
    parser = argparse.ArgumentParser(description="The demo on this machine.")
    parser.add_argument("--reset", action="store_true", help="throw the demo's data away")
    parser.add_argument("--local", type=Path, default=LOCAL, help="where the data is kept")
    parser.add_argument("--without-data", action="store_true", help="start with no demo data")
    arguments = parser.parse_args()
    try:
        demo = Demo(os.environ, arguments.local.absolute(), with_data=not arguments.without_data)
        if arguments.reset:
            demo.reset()
            print("The demo's data is gone; the next `make demo` makes it afresh.")
        else:
            demo.serve()
    except (Refusal, EmbeddedServiceError, ProgramFailedError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the supervisor took the signals over
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
