"""``Idempotency-Key``: the same key with the same parameters gives the first answer again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .errors import ApiError
from .store import Store, Tx

LONGEST_KEY = 255
KEPT_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before."""

    status: int
    body: str
    request_id: str


def fingerprint(body: str) -> str:
    """What tells two requests apart: their parameters, in any order."""
    pairs = sorted(parse_qsl(body, keep_blank_values=True))
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def begin(store: Store, *, key: str, path: str, body: str, request_id: str) -> Kept | None:
    """Claims the key for this request, or gives the answer kept under it.

    Raises ``ApiError``: 400 where the key was used for another request, 409 while the first is still under way.
    """
    if len(key) > LONGEST_KEY:
        raise ApiError(
            f"Idempotency keys are at most {LONGEST_KEY} characters long.",
            before_execution=True,
            kind="idempotency_error",
        )
    params = fingerprint(body)
    with store.write() as tx:
        now = tx.now()
        tx.db.execute("DELETE FROM idempotency WHERE created < ?", (now - KEPT_SECONDS,))
        row = tx.db.execute(
            "SELECT path, params, request_id, status, body FROM idempotency WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            tx.db.execute(
                "INSERT INTO idempotency (key, path, params, request_id, created) VALUES (?, ?, ?, ?, ?)",
                (key, path, params, request_id, now),
            )
            return None
    first_path, first_params, first_id, status, answer = row
    if first_path != path:
        raise _other(
            f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{first_path}')",
            key,
        )
    if first_params != params:
        raise _other(
            "Keys for idempotent requests can only be used with the same parameters they were first used with", key
        )
    if status is None:
        raise ApiError(
            "There is currently another in-progress request using this Stripe Idempotent Key (that probably means "
            f"you submitted twice, and the other request is still going through): {key}. Request {first_id} may be "
            "able to give more info. Please try again later.",
            status=409,
            code="idempotency_key_in_use",
            before_execution=True,
        )
    return Kept(status, answer, first_id)


def _other(words: str, key: str) -> ApiError:
    return ApiError(
        f"{words}. Try using a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
        before_execution=True,
    )


def keep(tx: Tx, *, key: str, status: int, body: str) -> None:
    """Keeps the answer, in the transaction that did the work."""
    tx.db.execute("UPDATE idempotency SET status = ?, body = ? WHERE key = ?", (status, body, key))


def free(store: Store, *, key: str) -> None:
    """Lets the key go: nothing was done under it."""
    with store.write() as tx:
        tx.db.execute("DELETE FROM idempotency WHERE key = ? AND status IS NULL", (key,))
