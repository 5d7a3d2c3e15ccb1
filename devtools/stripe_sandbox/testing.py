"""The sandbox for tests: starts it, drives its switches, and pays on its page as a browser would."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlencode, urljoin, urlsplit

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
ThreeDs = Literal["approve", "fail", "abandon"]


@dataclass(frozen=True, slots=True)
class Payment:
    """How a payment on the hosted page ended.

    ``outcome``: paid, declined (``message`` says why), invalid (the page found fault with a field), abandoned (the
    payer left the 3-D Secure page) or closed (no open page: expired or unknown). ``url`` is where the browser would
    be: the shop's success address where it was paid, now or before.
    """

    outcome: Literal["paid", "declined", "invalid", "abandoned", "closed"]
    url: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    status: int
    url: str
    location: str | None
    body: str


class _Reader(HTMLParser):
    """Reads the first form's address and the failure summary of a hosted page."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.failure: str | None = None
        self.words: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = given.get("action")
        if "data-failure" in given:
            self.failure = given["data-failure"]
            self._depth = 1
        elif self._depth and tag == "div":
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self._depth and tag == "div":
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth and data.strip():
            self.words.append(data.strip())


class Sandbox:
    """A Stripe sandbox in a process of its own on a free loopback port.

    A context manager. ``url`` goes into ``StripeClient(secret_key, base_addresses={"api": url})``. Its database is a
    temporary file unless ``db`` names one; ``restart()`` keeps it, ``kill()`` is ``kill -9``.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        webhook_secret: str = "whsec_sandbox",
        secret_key: str = "sk_test_sandbox",
        db: Path | None = None,
        port: int = 0,
        retry_seconds: float = 0.2,
    ) -> None:
        self.webhook_url = webhook_url
        self.webhook_secret = webhook_secret
        self.secret_key = secret_key
        self.retry_seconds = retry_seconds
        self.port = port
        self._folder = None if db else tempfile.TemporaryDirectory(prefix="stripe-sandbox-")
        self.db = db or Path(self._folder.name if self._folder else "") / "sandbox.sqlite3"
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The sandbox's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The same address, by the name that Stripe's client and the settings use for it."""
        return self.url

    def start(self) -> Self:
        """Starts the process and waits until it answers."""
        command = [sys.executable, "-m", "devtools.stripe_sandbox", "--port", str(self.port), "--db", str(self.db)]
        command += ["--webhook-url", self.webhook_url, "--webhook-secret", self.webhook_secret]
        command += ["--secret-key", self.secret_key, "--retry-seconds", str(self.retry_seconds)]
        # Its own session: a Ctrl-C meant for the test run must not end it before the tests are done with it.
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.port = self._read_port(self._process)
        return self

    @staticmethod
    def _read_port(process: subprocess.Popen[str]) -> int:
        """The port from the line the sandbox prints when it listens."""
        lines: list[str] = []

        def read() -> None:
            if process.stdout is not None:
                lines.append(process.stdout.readline())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(START_SECONDS)
        if not lines or "ready on" not in lines[0]:
            process.kill()
            process.wait()
            raise RuntimeError(f"The Stripe sandbox did not start: {''.join(lines)!r}")
        return int(lines[0].rsplit(":", 1)[1])

    def stop(self) -> None:
        """Ends the process and, where it was temporary, removes the database."""
        self._end(force=False)
        if self._folder is not None:
            self._folder.cleanup()

    def kill(self) -> None:
        """Ends the process as ``kill -9`` does; ``start()`` brings it back on the same port with its memory."""
        self._end(force=True)

    def restart(self) -> Self:
        """Ends and starts it again on the same port and database."""
        self._end(force=False)
        return self.start()

    def _end(self, *, force: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill() if force else process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def control(self, path: str, **given: Any) -> dict[str, Any]:
        """Turns a switch: ``control("clock", advance_seconds=1800)``; raises ``ValueError`` where it is refused."""
        page = self._send("POST", f"/_control/{path.strip('/')}", json.dumps(given), "application/json")
        answer: dict[str, Any] = json.loads(page.body)
        if page.status != 200:
            raise ValueError(answer["error"]["message"])
        return answer

    def state(self) -> dict[str, Any]:
        """The switches, the clock and the counts."""
        answer: dict[str, Any] = json.loads(self._send("GET", "/_control/state").body)
        return answer

    def deliveries(self, event: str = "") -> list[dict[str, Any]]:
        """Webhook deliveries with their attempts, newest first."""
        query = f"?{urlencode({'event': event})}" if event else ""
        found: list[dict[str, Any]] = json.loads(self._send("GET", f"/_control/deliveries{query}").body)["deliveries"]
        return found

    def reset(self) -> None:
        """Forgets everything and puts every switch back; the endpoints stay."""
        self.control("reset")

    def advance(self, seconds: int) -> None:
        """Moves the sandbox's clock on; what falls due happens before this returns."""
        self.control("clock", advance_seconds=seconds)

    def wait_for_webhooks(self, *, timeout_seconds: float = 10.0) -> None:
        """Waits until every webhook that is due has had its 2xx; raises ``TimeoutError``."""

        def is_quiet() -> bool:
            counts = self.state()["deliveries"]
            return not counts.get("due") and not counts.get("flying")

        wait_until(is_quiet, timeout_seconds=timeout_seconds, what="the webhooks to be delivered")

    def pay(
        self,
        session: str,
        card: str = "4242424242424242",
        three_ds: ThreeDs = "approve",
        *,
        email: str = "payer@example.com",
        name: str = "Test Payer",
        expiry: str = "12 / 49",
        cvc: str = "123",
    ) -> Payment:
        """Opens the hosted page of a session (its address or identifier), fills it in and presses Pay."""
        address = session if session.startswith("http") else f"/c/pay/{session}"
        page = self._send("GET", address)
        if page.location is not None:
            return Payment("paid", page.location)
        reader = _read(page)
        if reader.action is None:
            return Payment("closed", page.url)
        fields = {
            "email": email,
            "card_number": card,
            "card_expiry": expiry,
            "card_cvc": cvc,
            "card_name": name,
        }
        page = self._submit(urljoin(page.url, reader.action), fields)
        if page.location is not None and "/c/3ds/" in page.location:
            return self._authenticate(page.location, three_ds)
        return self._outcome(page)

    def _authenticate(self, address: str, answer: ThreeDs) -> Payment:
        page = self._send("GET", address)
        if answer == "abandon":
            return Payment("abandoned", address)
        reader = _read(page)
        if reader.action is None:
            return Payment("closed", page.url)
        page = self._submit(urljoin(page.url, reader.action), {"answer": answer})
        if page.location is not None and "/c/pay/" in page.location:
            page = self._send("GET", page.location)
        return self._outcome(page)

    def _outcome(self, page: _Page) -> Payment:
        if page.location is not None:
            return Payment("paid", page.location)
        reader = _read(page)
        message = " ".join(reader.words)
        if reader.failure == "payment":
            return Payment("declined", page.url, message)
        if reader.failure == "fields":
            return Payment("invalid", page.url, message)
        return Payment("closed", page.url)

    def _submit(self, address: str, fields: dict[str, str]) -> _Page:
        return self._send("POST", address, urlencode(fields), "application/x-www-form-urlencoded")

    def _send(
        self, method: str, address: str, body: str = "", mimetype: str = "", *, timeout_seconds: float = 300.0
    ) -> _Page:
        """One request to the sandbox; redirects are not followed, for they may lead to the shop."""
        url = urljoin(self.url + "/", address)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body=body or None, headers={"Content-Type": mimetype} if mimetype else {})
            response = connection.getresponse()
            location = response.getheader("Location")
            text = response.read().decode()
        finally:
            connection.close()
        return _Page(response.status, url, None if location is None else urljoin(url, location), text)


def _read(page: _Page) -> _Reader:
    reader = _Reader()
    reader.feed(page.body)
    return reader


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float = 10.0, what: str = "it") -> None:
    """Waits on a condition with a deadline; raises ``TimeoutError`` naming ``what`` was waited for."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {timeout_seconds} s for {what}.")
        time.sleep(0.02)
