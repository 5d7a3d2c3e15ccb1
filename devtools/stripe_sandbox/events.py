"""Events: written with the change they tell of, and queued for every endpoint under the switches in force."""

from __future__ import annotations

import copy
import json
import random
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .store import Json, Tx, new_id

SWITCHES: Json = {
    "drop": False,
    "drop_next": 0,
    "delay_seconds": 0.0,
    "duplicate": 1,
    "reorder_seconds": 0.0,
    "hold": False,
    "types": [],
}


@dataclass(slots=True)
class Call:
    """One request being answered: its transaction, its moment, and what its events will say asked for them."""

    tx: Tx
    base_url: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
    params: Json = field(default_factory=dict)
    now: int = 0
    is_silent: bool = False

    def __post_init__(self) -> None:
        self.now = self.now or self.tx.now()


def switches(tx: Tx) -> Json:
    """The webhook switches as they stand."""
    return {**SWITCHES, **tx.setting("webhooks", {})}


def endpoints(tx: Tx) -> list[Json]:
    """The webhook endpoints: ``id``, ``url``, ``secrets`` (each signs), ``types`` (patterns; empty means all)."""
    found: list[Json] = tx.setting("endpoints", [])
    return found


def first_endpoints(command_line: Json) -> list[Json]:
    """The endpoint the command line names, or none."""
    return [{"id": "we_main", "types": [], **command_line}] if command_line["url"] else []


def emit(call: Call, name: str, subject: Json, *, previous: Json | None = None) -> Json:
    """Writes an event with a snapshot of its subject and queues its deliveries; a silent call writes none."""
    if call.is_silent:
        return {}
    data: Json = {"object": copy.deepcopy(subject)}
    if previous is not None:
        data["previous_attributes"] = previous
    wanted = [endpoint for endpoint in endpoints(call.tx) if _wants(endpoint.get("types", []), name)]
    event: Json = {
        "id": new_id("evt_"),
        "object": "event",
        "api_version": call.tx.setting("api_version"),
        "created": call.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": len(wanted),
        "request": {"id": call.request_id, "idempotency_key": call.idempotency_key},
        "type": name,
    }
    call.tx.add(event)
    _queue(call.tx, event, wanted)
    return event


def _wants(patterns: list[str], name: str) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _queue(tx: Tx, event: Json, wanted: list[Json]) -> None:
    """Makes one delivery for each endpoint and copy, as the switches say."""
    rules = switches(tx)
    touched = _wants(rules["types"], event["type"])
    state, delay, copies = "due", 0.0, 1
    if touched:
        delay = float(rules["delay_seconds"])
        copies = max(1, int(rules["duplicate"]))
        if rules["hold"]:
            state = "held"
        if rules["drop"]:
            state = "dropped"
        elif wanted and rules["drop_next"] > 0:
            state = "dropped"
            tx.remember("webhooks", {**rules, "drop_next": rules["drop_next"] - 1})
    for endpoint in wanted:
        for _ in range(copies):
            jitter = random.uniform(0, float(rules["reorder_seconds"])) if touched else 0.0
            queue_delivery(tx, event["id"], endpoint["id"], state=state, due_at=time.time() + delay + jitter)


def queue_delivery(
    tx: Tx, event: str, endpoint: str, *, state: str = "due", due_at: float, changes: Json | None = None
) -> None:
    """Queues one delivery; ``changes`` makes it differ from an honest one (age, secret, mode)."""
    tx.db.execute(
        "INSERT INTO deliveries (event, endpoint, state, due_at, changes) VALUES (?, ?, ?, ?, ?)",
        (event, endpoint, state, due_at, json.dumps(changes or {})),
    )
    tx.has_deliveries = True


def changed(before: Json, after: Json) -> Json:
    """The old values of what changed, as ``previous_attributes`` shows them."""
    names = before.keys() | after.keys()
    return {name: before.get(name) for name in sorted(names) if before.get(name) != after.get(name)}


def update(call: Call, subject: Json, changes: Json, *, due_at: int | None = None, hidden: Json | None = None) -> Json:
    """Applies changes to an object, stores it, and gives back the old values of what changed."""
    before = copy.deepcopy(subject)
    subject.update(changes)
    call.tx.save(subject, due_at=due_at, hidden=hidden)
    return changed(before, subject)


def listing(url: str, data: list[Any], *, has_more: bool = False) -> Json:
    """Stripe's list envelope."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
