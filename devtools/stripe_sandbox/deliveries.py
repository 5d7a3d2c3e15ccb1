"""Webhook delivery: a thread that reads the rows that are due, posts them signed, and tries again until a 2xx."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from .events import endpoints
from .store import Json, Store, Tx

PARALLEL = 8
TIMEOUT_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 60.0


def signature(payload: bytes, secrets: list[str], *, at: int) -> str:
    """The ``Stripe-Signature`` header: one ``v1`` for each live secret, as while a secret is being rolled."""
    signed = f"{at}.".encode() + payload
    parts = [f"t={at}"]
    parts += [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join(parts)


def post(url: str, body: bytes, headers: dict[str, str], *, timeout: float = TIMEOUT_SECONDS) -> int:
    """Posts and gives the status; a redirect is not followed, for Stripe does not follow one."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body=body, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


class Courier:
    """Delivers what is due. The rows are the queue: a courier that dies loses nothing."""

    def __init__(self, store: Store, *, retry_seconds: float = 0.5) -> None:
        self.store = store
        self.retry_seconds = retry_seconds
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="webhook")
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begins delivering."""
        self._thread.start()

    def stop(self) -> None:
        """Stops after the posts under way."""
        self._stopping.set()
        self.store.wake.set()
        self._thread.join(timeout=TIMEOUT_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.store.wake.clear()
            for identifier in self._claim():
                self._pool.submit(self._deliver, identifier)
            self.store.wake.wait(timeout=self._pause())

    def _claim(self) -> list[int]:
        with self.store.read() as tx:
            if not _due(tx):
                return []
        with self.store.write() as tx:
            found = _due(tx)
            tx.db.executemany("UPDATE deliveries SET state = 'flying' WHERE id = ?", [(one,) for one in found])
        return found

    def _pause(self) -> float:
        with self.store.read() as tx:
            row = tx.db.execute("SELECT min(due_at) FROM deliveries WHERE state = 'due'").fetchone()
        return 5.0 if row[0] is None else min(5.0, max(0.0, row[0] - time.time()))

    def _deliver(self, identifier: int) -> None:
        if self._stopping.is_set():
            return
        with self.store.read() as tx:
            found = _parcel(tx, identifier)
        if found is None:
            self._finish(identifier, None, "the endpoint or the event is gone", 0.0, gone=True)
            return
        endpoint, body, changes = found
        at = int(time.time()) - int(changes.get("age_seconds", 0))
        secrets = [changes["secret"]] if changes.get("secret") else endpoint["secrets"]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Accept": "*/*; q=0.5, application/xml",
            "Cache-Control": "no-cache",
            "Stripe-Signature": signature(body, secrets, at=at),
        }
        began = time.monotonic()
        status, problem = None, None
        try:
            status = post(endpoint["url"], body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = type(error).__name__
        self._finish(identifier, status, problem, time.monotonic() - began, once=bool(changes.get("once")))

    def _finish(
        self,
        identifier: int,
        status: int | None,
        problem: str | None,
        seconds: float,
        *,
        gone: bool = False,
        once: bool = False,
    ) -> None:
        """Records the attempt and what follows from it."""
        with self.store.write() as tx:
            row = tx.db.execute("SELECT tries, event FROM deliveries WHERE id = ?", (identifier,)).fetchone()
            if row is None:
                return
            tries = row[0] + 1
            tx.db.execute(
                "INSERT INTO attempts (delivery, at, status, error, seconds) VALUES (?, ?, ?, ?, ?)",
                (identifier, time.time(), status, problem, seconds),
            )
            state, due_at = (
                "due",
                time.time() + min(LONGEST_PAUSE_SECONDS, self.retry_seconds * 2 ** min(tries - 1, 20)),
            )
            if status is not None and 200 <= status < 300:
                state = "delivered"
            elif gone or once:
                state = "failed"
            tx.db.execute(
                "UPDATE deliveries SET state = ?, tries = ?, due_at = ? WHERE id = ?",
                (state, tries, due_at, identifier),
            )
            _count_down(tx, row[1])
            tx.has_deliveries = True


def _due(tx: Tx) -> list[int]:
    query = "SELECT id FROM deliveries WHERE state = 'due' AND due_at <= ? ORDER BY due_at, id LIMIT 200"
    return [row[0] for row in tx.db.execute(query, (time.time(),))]


def _parcel(tx: Tx, identifier: int) -> tuple[Json, bytes, dict[str, Any]] | None:
    """The endpoint, the body to send and the changes asked for, or nothing where either end is gone."""
    row = tx.db.execute("SELECT event, endpoint, changes FROM deliveries WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        return None
    event = tx.find(row[0])
    endpoint = next((one for one in endpoints(tx) if one["id"] == row[1]), None)
    if event is None or endpoint is None:
        return None
    changes: dict[str, Any] = json.loads(row[2])
    if "livemode" in changes:
        event["livemode"] = changes["livemode"]
    return endpoint, json.dumps(event, indent=2).encode(), changes


def _count_down(tx: Tx, identifier: str) -> None:
    """Keeps the event's ``pending_webhooks``: endpoints that have not yet said 2xx."""
    query = (
        "SELECT count(DISTINCT endpoint) FROM deliveries WHERE event = ? AND endpoint NOT IN"
        " (SELECT endpoint FROM deliveries WHERE event = ? AND state = 'delivered')"
    )
    event = tx.find(identifier)
    if event is not None:
        event["pending_webhooks"] = tx.db.execute(query, (identifier, identifier)).fetchone()[0]
        tx.save(event)
