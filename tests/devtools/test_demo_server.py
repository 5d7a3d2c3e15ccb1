"""`make demo` as a person types it, with its data in a folder of the test's own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import processes
from devtools.demo_server import Demo, Refusal
from devtools.embedded.account import place_outside
from devtools.embedded.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
OUTSIDE = ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "DJANGO_SETTINGS_MODULE", "MEDIA_ROOT", "SITE_URL")
START_SECONDS = 150.0


class Terminal:
    """A demo in a process of its own and what it has printed."""

    def __init__(self, local: Path) -> None:
        self.local = local
        self.port = free_port()
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self, *options: str, **extra: str) -> None:
        env = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env |= {"PORT": str(self.port), "STATIC_ROOT": str(ROOT / ".local" / "test-static"), **extra}
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "devtools.demo_server", "--local", str(self.local), *options],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.lines.extend(line.rstrip() for line in process.stdout)

    def wait_for(self, words: str) -> None:
        process = self.process
        assert process

        def said_or_ended() -> bool:
            return self.said(words) or process.poll() is not None

        processes.wait_until(said_or_ended, seconds=START_SECONDS)
        assert processes.wait_until(lambda: self.said(words), seconds=1), "\n".join(self.lines)

    def said(self, words: str) -> bool:
        return any(re.search(words, line) for line in list(self.lines))

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return int(answer.status)

    def children(self) -> dict[str, int]:
        notes = (self.local / "run").glob("*.json")
        return {note.stem: json.loads(note.read_text())["pid"] for note in notes}

    def end(self, number: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    if made.process and made.process.poll() is None:
        made.end(signal.SIGKILL)
    made.start("--reset")
    assert made.process
    assert made.process.wait(60) == 0


def test_demo_from_nothing_over_kills_to_ctrl_c(terminal: Terminal) -> None:
    terminal.start("--without-data")
    terminal.wait_for("The demo is up")
    assert terminal.get("/healthz") == 200
    for name in ("officer", "trainer", "clerk", "manager", "finance, finance-2", "admin"):
        assert terminal.said(rf"/ +{name}  "), name
    children = terminal.children()
    assert set(children) == {"postgres", "redis", "stripe", "mail", "web", "worker", "beat"}
    env_file = terminal.local / "demo.env"
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert {line.partition("=")[0] for line in env_file.read_text().splitlines()} == {
        *("DATABASE_URL", "REDIS_URL", "SITE_URL", "EMAIL_URL", "MEDIA_ROOT"),
        *("STRIPE_API_BASE", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"),
    }

    os.kill(children["postgres"], signal.SIGKILL)
    os.kill(children["web"], signal.SIGKILL)
    terminal.wait_for(r"postgres ended \(SIGKILL\); it starts again in 1 s")
    terminal.wait_for(r"web ended \(SIGKILL\); it starts again in 1 s")
    assert processes.wait_until(
        lambda: len(set(terminal.children().values()) - set(children.values())) == 2, seconds=30
    )
    assert terminal.get("/") == 200

    other = Terminal(terminal.local)
    other.start()
    other.wait_for("demo: the demo is already running")
    children = terminal.children()
    terminal.end(signal.SIGKILL)
    terminal.start("--without-data")
    terminal.wait_for("The demo is up")
    assert [name for name, pid in children.items() if processes.members(pid)] == []
    assert terminal.get("/") == 200

    children = terminal.children()
    assert terminal.end(signal.SIGINT) == 0
    assert [name for name, pid in children.items() if processes.members(pid)] == []
    assert not env_file.exists()


def test_demo_on_a_busy_port_says_what_to_do(terminal: Terminal) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        terminal.port = taken.getsockname()[1]
        terminal.start()
        assert terminal.process
        assert terminal.process.wait(30) == 1
        advice = f"PORT={terminal.port + 1} make demo"
        terminal.wait_for(f"^demo: port {terminal.port} is in use: stop what uses it, or choose another: {advice}$")


def test_demo_leaves_alone_what_the_environment_names(tmp_path: Path) -> None:
    named = {"DATABASE_URL": "postgres://a", "REDIS_URL": "redis://b", "STRIPE_SECRET_KEY": "sk_test_c"}
    demo = Demo({**named, "STRIPE_WEBHOOK_SECRETS": "whsec_d"}, tmp_path)
    assert [*demo._postgres(), *demo._redis(), *demo._sandbox()] == []
    assert demo.settings == {
        **named,
        "STRIPE_WEBHOOK_SECRETS": "whsec_d",
        "SITE_URL": "http://127.0.0.1:8000",
        "MEDIA_ROOT": str(tmp_path / "media"),
    }


@pytest.mark.parametrize("port", ["", "eighty", "0", "65536", "-1"])
def test_demo_with_a_port_that_is_none_says_so(port: str) -> None:
    with pytest.raises(Refusal, match="PORT must be a number from 1 to 65535"):
        Demo({"PORT": port})


def test_reset_never_empties_a_database_of_somebody_elses(tmp_path: Path) -> None:
    demo = Demo({"DATABASE_URL": "postgres://a"}, tmp_path)
    with pytest.raises(Refusal, match="empty that database yourself"):
        demo.reset()


def test_reset_leaves_no_data(terminal: Terminal) -> None:
    for folder in ("mail", "media", "redis"):
        (terminal.local / folder).mkdir()
        (terminal.local / folder / "something").touch()
    (terminal.local / "stripe.sqlite3").touch()
    terminal.start("--reset")
    assert terminal.process
    assert terminal.process.wait(30) == 0
    assert {path.name for path in terminal.local.iterdir()} <= {"demo.lock", "run", "static"}
    assert not place_outside(terminal.local / "pg").exists()
