"""The sandbox's memory: one SQLite file in WAL mode.

Every change of one call is one transaction, so a process killed at any moment has done all of it or none of it.
One writer at a time (a lock in the process, ``BEGIN IMMEDIATE`` in the file); readers never wait.
"""

from __future__ import annotations

import json
import queue
import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    status TEXT, type TEXT, payment_intent TEXT, charge TEXT, payout TEXT, source TEXT,
    due_at INTEGER,
    data TEXT NOT NULL,
    hidden TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_payment_intent ON objects (payment_intent, kind);
CREATE INDEX IF NOT EXISTS objects_charge ON objects (charge, kind);
CREATE INDEX IF NOT EXISTS objects_payout ON objects (payout, kind);
CREATE INDEX IF NOT EXISTS objects_source ON objects (source, kind);
CREATE INDEX IF NOT EXISTS objects_created ON objects (kind, created);
CREATE INDEX IF NOT EXISTS objects_due ON objects (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, params TEXT NOT NULL, request_id TEXT NOT NULL,
    created INTEGER NOT NULL, status INTEGER, body TEXT
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, changes TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE INDEX IF NOT EXISTS deliveries_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL, at REAL NOT NULL, status INTEGER, error TEXT, seconds REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_delivery ON attempts (delivery);
"""
TABLES = ("objects", "idempotency", "deliveries", "attempts")
FILTERS = ("status", "type", "payment_intent", "charge", "payout", "source")
BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """A fresh identifier in Stripe's manner."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


class Tx:
    """What can be done inside one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.has_deliveries = False

    def setting(self, name: str, default: Any = None) -> Any:
        """One remembered switch."""
        row = self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def remember(self, name: str, value: Any) -> None:
        """Sets one switch."""
        self.db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def now(self) -> int:
        """The sandbox's clock, in whole seconds: the real one plus what the control page added."""
        return int(time.time() + self.setting("clock_offset_seconds", 0))

    def add(self, data: Json, *, hidden: Json | None = None, due_at: int | None = None) -> Json:
        """Stores a new object; ``hidden`` is never shown by the API, ``due_at`` is when the clock must look at it."""
        row = self._columns(data, hidden or {})
        self.db.execute(
            "INSERT INTO objects (id, kind, created, status, type, payment_intent, charge, payout, source,"
            " due_at, data, hidden) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (data["id"], data["object"], data["created"], *row, due_at, json.dumps(data), json.dumps(hidden or {})),
        )
        return data

    def save(self, data: Json, *, hidden: Json | None = None, due_at: int | None = None) -> Json:
        """Stores an object again; ``hidden`` stays as it is unless given, ``due_at`` is always replaced."""
        if hidden is None:
            hidden = self.hidden(data["id"])
        self.db.execute(
            "UPDATE objects SET status = ?, type = ?, payment_intent = ?, charge = ?, payout = ?, source = ?,"
            " due_at = ?, data = ?, hidden = ? WHERE id = ?",
            (*self._columns(data, hidden), due_at, json.dumps(data), json.dumps(hidden), data["id"]),
        )
        return data

    @staticmethod
    def _columns(data: Json, hidden: Json) -> tuple[Any, ...]:
        return tuple(hidden.get(name, data.get(name)) for name in FILTERS)

    def find(self, identifier: str) -> Json | None:
        """The object with this identifier, of whatever kind."""
        row = self.db.execute("SELECT data FROM objects WHERE id = ?", (identifier,)).fetchone()
        return None if row is None else json.loads(row[0])

    def get(self, kind: str, identifier: str) -> Json | None:
        """The object of this kind with this identifier."""
        row = self.db.execute("SELECT data FROM objects WHERE id = ? AND kind = ?", (identifier, kind)).fetchone()
        return None if row is None else json.loads(row[0])

    def hidden(self, identifier: str) -> Json:
        """What the sandbox knows about an object and the API does not show."""
        row = self.db.execute("SELECT hidden FROM objects WHERE id = ?", (identifier,)).fetchone()
        return {} if row is None else json.loads(row[0])

    def due_at(self, identifier: str) -> int | None:
        """When the clock must look at the object next."""
        row = self.db.execute("SELECT due_at FROM objects WHERE id = ?", (identifier,)).fetchone()
        return None if row is None else row[0]

    def due(self, now: int) -> list[str]:
        """Identifiers of the objects whose moment has come, oldest moment first."""
        query = "SELECT id FROM objects WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, seq LIMIT 500"
        return [row[0] for row in self.db.execute(query, (now,))]

    def seq(self, kind: str, identifier: str) -> int | None:
        """The object's place in the order of making."""
        row = self.db.execute("SELECT seq FROM objects WHERE id = ? AND kind = ?", (identifier, kind)).fetchone()
        return None if row is None else row[0]

    def page(
        self,
        kind: str,
        *,
        filters: Json | None = None,
        ranges: dict[str, Json] | None = None,
        types: list[str] | None = None,
        after: int | None = None,
        before: int | None = None,
        limit: int = 10,
    ) -> tuple[list[Json], bool]:
        """One page, newest first, and whether there is more beyond it in the direction asked."""
        where: list[str] = ["kind = ?"]
        values: list[Any] = [kind]
        for name, value in (filters or {}).items():
            where.append(f"{name} = ?")
            values.append(value)
        for name, bounds in (ranges or {}).items():
            column = name if name == "created" else f"json_extract(data, '$.{name}')"
            where += [f"{column} {BOUNDS[bound]} ?" for bound in bounds]
            values += bounds.values()
        if types:
            where.append("(" + " OR ".join("type GLOB ?" for _ in types) + ")")
            values += types
        for name, value in (("<", after), (">", before)):
            if value is not None:
                where.append(f"seq {name} ?")
                values.append(value)
        order = "ASC" if before is not None else "DESC"
        # The text holds only names written in this module; every value is bound.
        query = f"SELECT data FROM objects WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"
        rows = [json.loads(row[0]) for row in self.db.execute(query, (*values, limit + 1))]
        page = rows[:limit]
        return (page[::-1] if before is not None else page), len(rows) > limit

    def every(self, kind: str, **filters: Any) -> list[Json]:
        """All objects of a kind that match, oldest first."""
        where = "".join(f" AND {name} = ?" for name in filters)
        query = f"SELECT data FROM objects WHERE kind = ?{where} ORDER BY seq"
        return [json.loads(row[0]) for row in self.db.execute(query, (kind, *filters.values()))]


class Store:
    """The file and its connections."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(SCHEMA)
        # A call that was under way when the process was killed changed nothing; its key is free again.
        self._writer.execute("DELETE FROM idempotency WHERE status IS NULL")
        self._writer.execute("UPDATE deliveries SET state = 'due' WHERE state = 'flying'")
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self.wake = threading.Event()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that may change things: all of it is kept, or on an exception none of it."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            tx = Tx(self._writer)
            try:
                yield tx
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        if tx.has_deliveries:
            self.wake.set()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One consistent view that never waits for the writer."""
        try:
            db = self._readers.get_nowait()
        except queue.Empty:
            db = self._connect()
        try:
            db.execute("BEGIN")
            yield Tx(db)
        finally:
            db.execute("ROLLBACK")
            self._readers.put(db)

    def close(self) -> None:
        """Closes the file; nothing may be under way."""
        self._writer.close()
        while not self._readers.empty():
            self._readers.get_nowait().close()
