"""The switches: JSON in and out for tests, the same by form for people."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from . import balance, checkout, control_page, disputes, reading, refunds, seeding
from .errors import ApiError
from .events import SWITCHES, Call, endpoints, first_endpoints, queue_delivery, switches
from .store import TABLES, Json, Store, Tx, new_id
from .ticking import tick

API_SWITCHES: Json = {
    "time_out_next": 0,
    "hang_seconds": 0.0,
    "error_next": 0,
    "keep_error": False,
    "delay_seconds": 0.0,
    "match": "*",
}
Action = Callable[[Call, Json], Json]


class Control:
    """Answers under ``/_control``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.actions: dict[str, Action] = {
            "clock": _clock,
            "webhooks": _webhooks,
            "webhooks/release": _release,
            "webhooks/resend": _resend,
            "webhooks/retry": _retry,
            "endpoints": _endpoints,
            "api": _api,
            "payments": _payments,
            "refunds": _refunds,
            "payout": _payout,
            "dispute": _dispute,
            "settle": _settle,
            "seed": _seed,
            "reset": _reset,
        }

    def respond(self, request: Request, base_url: str) -> Response:
        """One request: ``GET`` shows, ``POST`` with JSON switches, ``POST`` with a form switches and shows."""
        name = request.path.removeprefix("/_control").strip("/")
        if request.method == "GET":
            return self._show(name, request)
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        try:
            given = _from_form(request) if is_form else _from_json(request)
            action = self.actions.get(name)
            if action is None:
                raise ApiError(f"There is no switch '{name}'.", status=404)
            with self.store.write() as tx:
                answer = action(Call(tx, base_url=base_url), given)
                tx.has_deliveries = True
        except ApiError as error:
            if is_form:
                return redirect(control_page.address(f"Refused: {error.message}"), 303)
            return _json({"error": {"message": error.message, "code": error.code}}, error.status)
        tick(self.store)
        if is_form:
            return redirect(control_page.address(f"Done: {name}."), 303)
        return _json(answer, 200)

    def _show(self, name: str, request: Request) -> Response:
        with self.store.read() as tx:
            if name == "":
                return control_page.show(tx, said=request.args.get("said", ""), api=_api_rules(tx))
            if name == "state":
                return _json(state(tx), 200)
            if name == "deliveries":
                return _json({"deliveries": deliveries(tx, request.args.get("event"))}, 200)
        return _json({"error": {"message": f"There is nothing at '{name}'."}}, 404)


def state(tx: Tx) -> Json:
    """All switches, the clock, and how many of each thing there are."""
    counts = dict(tx.db.execute("SELECT kind, count(*) FROM objects GROUP BY kind").fetchall())
    waiting = dict(tx.db.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
    return {
        "now": tx.now(),
        "clock_offset_seconds": tx.setting("clock_offset_seconds", 0),
        "endpoints": endpoints(tx),
        "webhooks": switches(tx),
        "api": _api_rules(tx),
        "async_next": tx.setting("async_next", 0),
        "refunds_pending": tx.setting("refunds_pending", False),
        "keys_under_way": tx.db.execute("SELECT count(*) FROM idempotency WHERE status IS NULL").fetchone()[0],
        "objects": counts,
        "deliveries": waiting,
    }


def deliveries(tx: Tx, event: str | None = None) -> list[Json]:
    """The deliveries with their attempts, newest first; of one event if it is named, else the last hundred."""
    where, values = ("WHERE event = ?", (event,)) if event else ("", ())
    rows = tx.db.execute(
        f"SELECT id, event, endpoint, state, due_at, tries FROM deliveries {where} ORDER BY id DESC LIMIT 100",
        values,
    ).fetchall()
    found = []
    for identifier, name, endpoint, standing, due_at, tries in rows:
        query = "SELECT at, status, error, seconds FROM attempts WHERE delivery = ? ORDER BY id"
        attempts = [
            dict(zip(("at", "status", "error", "seconds"), row, strict=True))
            for row in tx.db.execute(query, (identifier,))
        ]
        found.append(
            {
                "id": identifier,
                "event": name,
                "endpoint": endpoint,
                "state": standing,
                "due_at": due_at,
                "tries": tries,
                "attempts": attempts,
            }
        )
    return found


def _api_rules(tx: Tx) -> Json:
    return {**API_SWITCHES, **tx.setting("api", {})}


def _from_json(request: Request) -> Json:
    body = request.get_data(as_text=True)
    try:
        given = json.loads(body) if body else {}
    except ValueError as error:
        raise ApiError("The body is not JSON.") from error
    if not isinstance(given, dict):
        raise ApiError("The body is not a JSON object.")
    return given


def _from_form(request: Request) -> Json:
    """A form's fields; ``name:`` markers tell which check boxes the form had, so that an empty one means false."""
    given: Json = {}
    for name, value in request.form.items():
        if name.startswith("box:"):
            given.setdefault(name.removeprefix("box:"), False)
        elif value == "on":
            given[name] = True
        elif value != "" or name in ("types", "match"):
            given[name] = value
    return given


def _apply(rules: Json, given: Json) -> Json:
    """The rules with what is given, each of its own type; an unknown name is refused."""
    made = dict(rules)
    for name, value in given.items():
        if name not in rules:
            raise ApiError(f"Unknown switch '{name}'; there are {', '.join(sorted(rules))}.", param=name)
        made[name] = _typed(name, value, rules[name])
    return made


def _typed(name: str, value: Any, pattern: Any) -> Any:
    try:
        if isinstance(pattern, bool):
            return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "yes", "on")
        if isinstance(pattern, list):
            return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else list(value)
        return type(pattern)(value)
    except (TypeError, ValueError) as error:
        raise ApiError(f"'{value}' does not fit '{name}'.", param=name) from error


def _take(given: Json, **patterns: Any) -> Json:
    """The fields of an action with their defaults and types."""
    return _apply(patterns, given)


def _clock(call: Call, given: Json) -> Json:
    """``advance_seconds`` adds; ``now`` (epoch or ISO 8601) sets; ``reset`` goes back to the real clock."""
    take = _take(given, advance_seconds=0, now="", reset=False)
    offset = 0 if take["reset"] else call.tx.setting("clock_offset_seconds", 0)
    if take["now"]:
        try:
            moment = float(take["now"])
        except ValueError:
            try:
                moment = dt.datetime.fromisoformat(take["now"]).timestamp()
            except ValueError as error:
                raise ApiError(f"'{take['now']}' is not a moment.", param="now") from error
        offset = moment - time.time()
    call.tx.remember("clock_offset_seconds", offset + take["advance_seconds"])
    return {"now": call.tx.now(), "clock_offset_seconds": offset + take["advance_seconds"]}


def _webhooks(call: Call, given: Json) -> Json:
    """Sets the switches named; ``{"reset": true}`` first puts all back."""
    is_reset = given.pop("reset", False)
    rules = _apply(dict(SWITCHES) if is_reset else switches(call.tx), given)
    call.tx.remember("webhooks", rules)
    return rules


def _release(call: Call, given: Json) -> Json:
    """Sends what is held: ``order`` is as_is, reverse or shuffle, each after the other."""
    take = _take(given, order="as_is", gap_seconds=0.05)
    order = {"as_is": "id", "reverse": "id DESC", "shuffle": "random()"}.get(take["order"])
    if order is None:
        raise ApiError("The order is as_is, reverse or shuffle.", param="order")
    rows = call.tx.db.execute(f"SELECT id FROM deliveries WHERE state = 'held' ORDER BY {order}").fetchall()
    start = time.time()
    for position, (identifier,) in enumerate(rows):
        call.tx.db.execute(
            "UPDATE deliveries SET state = 'due', due_at = ? WHERE id = ?",
            (start + position * take["gap_seconds"], identifier),
        )
    call.tx.has_deliveries = True
    return {"released": len(rows)}


def _resend(call: Call, given: Json) -> Json:
    """Sends an event again; ``age_seconds``, ``secret`` and ``livemode`` make it stale, forged or of the wrong mode.

    A spoilt one is sent once and not tried again.
    """
    take = _take(given, event="", copies=1, endpoint="", age_seconds=0, secret="", livemode=False)
    event = reading.fetch(call, "event", take["event"])
    changes: Json = {name: take[name] for name in ("age_seconds", "secret", "livemode") if take[name]}
    if changes:
        changes["once"] = True
    targets = [one["id"] for one in endpoints(call.tx) if take["endpoint"] in ("", one["id"])]
    for target in targets:
        for _ in range(take["copies"]):
            queue_delivery(call.tx, event["id"], target, due_at=time.time(), changes=changes)
    return {"queued": len(targets) * take["copies"]}


def _retry(call: Call, given: Json) -> Json:
    """Makes everything that waits for its next try due now; with ``dropped`` also what was dropped."""
    take = _take(given, dropped=False)
    states = "('due', 'dropped')" if take["dropped"] else "('due')"
    done = call.tx.db.execute(
        f"UPDATE deliveries SET state = 'due', due_at = ? WHERE state IN {states}",
        (time.time(),),
    )
    call.tx.has_deliveries = True
    return {"due": done.rowcount}


def _endpoints(call: Call, given: Json) -> Json:
    """Replaces the endpoints: ``endpoints`` is a list of ``url`` and ``secrets``, or one ``url`` and ``secrets``."""
    wanted = given.get("endpoints", [given])
    made = []
    for position, one in enumerate(wanted):
        take = _take(one, id="", url="", secrets=[], types=[])
        if not take["url"] or not take["secrets"]:
            raise ApiError("An endpoint has a url and at least one secret.")
        made.append({**take, "id": take["id"] or ("we_main" if position == 0 else new_id("we_1"))})
    call.tx.remember("endpoints", made)
    return {"endpoints": made}


def _api(call: Call, given: Json) -> Json:
    """Spoils calls: ``time_out_next`` cuts the line after the work, ``error_next`` answers 500 before it."""
    is_reset = given.pop("reset", False)
    rules = _apply(dict(API_SWITCHES) if is_reset else _api_rules(call.tx), given)
    call.tx.remember("api", rules)
    return rules


def _payments(call: Call, given: Json) -> Json:
    """``async_next``: that many payments complete unpaid and wait for ``settle``."""
    take = _take(given, async_next=0)
    call.tx.remember("async_next", take["async_next"])
    return take


def _refunds(call: Call, given: Json) -> Json:
    """``pending``: new refunds begin pending."""
    take = _take(given, pending=False)
    call.tx.remember("refunds_pending", take["pending"])
    return take


def _payout(call: Call, given: Json) -> Json:
    """Sweeps the available balance into a payout.

    ``include_pending`` takes what is not yet available too; ``arrive`` false leaves the payout on its way.
    """
    take = _take(given, include_pending=False, arrive=True)
    return balance.pay_out(call, **take)


def _dispute(call: Call, given: Json) -> Json:
    """Opens a dispute on a ``charge`` (or on a PaymentIntent's), or only an ``inquiry``."""
    take = _take(given, charge="", reason="fraudulent", amount=0, inquiry=False)
    identifier = take["charge"]
    if identifier.startswith("pi_"):
        identifier = reading.fetch(call, "payment_intent", identifier)["latest_charge"]
    charge = reading.fetch(call, "charge", identifier)
    amount = take["amount"] or None
    return disputes.open_dispute(call, charge, reason=take["reason"], amount=amount, inquiry=take["inquiry"])


def _settle(call: Call, given: Json) -> Json:
    """Decides what waits: ``id`` of a refund, dispute, payout or delayed PaymentIntent, and its ``outcome``."""
    take = _take(given, id="", outcome="", reason="expired_or_canceled_card")
    subject = call.tx.find(take["id"])
    kind, outcome = (subject or {}).get("object"), take["outcome"]
    if subject is None:
        raise ApiError(f"There is no '{take['id']}'.", status=404, code="resource_missing")
    if kind == "refund":
        return refunds.settle(call, subject, outcome=outcome, reason=take["reason"])
    if kind == "dispute":
        return disputes.settle(call, subject, outcome=outcome)
    if kind == "payment_intent":
        return checkout.settle_delayed(call, subject, outcome=outcome)
    if kind == "payout" and outcome in ("paid", "failed"):
        balance.arrived(call, subject) if outcome == "paid" else balance.failed(call, subject)
        return subject
    raise ApiError(f"A {kind} cannot be settled as '{outcome}'.")


def _seed(call: Call, given: Json) -> Json:
    """Makes ``count`` paid sessions without their pages, for load and reconciliation; no events unless asked."""
    return seeding.seed(call, **_take(given, count=1, amount=9200, events=False))


def _reset(call: Call, given: Json) -> Json:
    """Forgets every object and delivery; switches, clock and endpoint are again as at the first start."""
    _take(given)
    for table in TABLES:
        call.tx.db.execute(f"DELETE FROM {table}")
    call.tx.db.execute("DELETE FROM settings WHERE name NOT IN ('api_version', 'command_line')")
    call.tx.remember("endpoints", first_endpoints(call.tx.setting("command_line")))
    return {"reset": True}


def _json(body: Json, status: int) -> Response:
    return Response(json.dumps(body, indent=2) + "\n", status=status, mimetype="application/json")
