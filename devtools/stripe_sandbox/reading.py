"""Reading objects: lists with cursors, single objects, and ``expand``."""

from __future__ import annotations

from typing import Any

from .errors import ApiError, not_offered, resource_missing
from .events import Call, listing
from .store import Json, Tx

DEEPEST = 4
LONGEST_PAGE = 100
CURSORS = ("limit", "starting_after", "ending_before", "expand", "types")
RANGES = ("created", "arrival_date")
FILTERS = {
    "checkout.session": {"payment_intent", "status"},
    "payment_intent": set(),
    "charge": {"payment_intent"},
    "refund": {"charge", "payment_intent"},
    "balance_transaction": {"payout", "source", "type"},
    "payout": {"status"},
    "dispute": {"charge", "payment_intent"},
    "event": {"type"},
}
EXPANDABLE = {
    "checkout.session": {"payment_intent", "line_items"},
    "payment_intent": {"latest_charge"},
    "charge": {"balance_transaction", "failure_balance_transaction", "payment_intent", "refunds"},
    "refund": {"balance_transaction", "charge", "failure_balance_transaction", "payment_intent"},
    "balance_transaction": {"source"},
    "payout": {"balance_transaction", "failure_balance_transaction"},
    "dispute": {"charge", "payment_intent"},
}


def fetch(call: Call, kind: str, identifier: str) -> Json:
    """The object, or the answer Stripe gives for one that is not there."""
    found = call.tx.get(kind, identifier)
    if found is None:
        raise resource_missing(kind, identifier, param="session" if kind == "checkout.session" else "id")
    return found


def fetch_list(call: Call, kind: str, url: str) -> Json:
    """One page of a list, newest first."""
    params = call.params
    filters: Json = {}
    ranges: dict[str, Json] = {}
    types = list(params.get("types", []))
    for name, value in params.items():
        if name in CURSORS:
            continue
        if name in RANGES:
            ranges[name] = value if isinstance(value, dict) else {"gte": value, "lte": value}
            continue
        if name not in FILTERS[kind]:
            raise not_offered(name)
        if kind == "event" and name == "type":
            types = [value]
        else:
            filters[name] = value
    limit = params.get("limit", 10)
    if not 1 <= limit <= LONGEST_PAGE:
        words = "less than or equal to 100" if limit > LONGEST_PAGE else "greater than or equal to 1"
        raise ApiError(f"This value must be {words}.", code="parameter_invalid_integer", param="limit")
    if "starting_after" in params and "ending_before" in params:
        raise ApiError("You cannot parameterize both ending_before and starting_after.", param="starting_after")
    data, has_more = call.tx.page(
        kind,
        filters=filters,
        ranges=ranges,
        types=types,
        after=_cursor(call, kind, "starting_after"),
        before=_cursor(call, kind, "ending_before"),
        limit=limit,
    )
    return listing(url, data, has_more=has_more)


def _cursor(call: Call, kind: str, name: str) -> int | None:
    identifier = call.params.get(name)
    if identifier is None:
        return None
    seq = call.tx.seq(kind, identifier)
    if seq is None:
        raise resource_missing(kind, identifier, param=name, status=400)
    return seq


def expand(tx: Tx, answer: Json, paths: list[str]) -> Json:
    """Puts whole objects where the paths point; a path that cannot be expanded is refused."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise ApiError(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", param="expand"
            )
        _expand(tx, answer, steps, path)
    return answer


def _expand(tx: Tx, node: Any, steps: list[str], path: str) -> None:
    if not steps or node is None:
        return
    if node.get("object") == "list":
        if steps[0] != "data":
            raise _unexpandable(path)
        for item in node["data"]:
            _expand(tx, item, steps[1:], path)
        return
    name = steps[0]
    if name not in EXPANDABLE.get(node.get("object"), set()):
        raise _unexpandable(path)
    if name in ("line_items", "refunds") and name not in node:
        node[name] = _part(tx, node, name)
    value = node.get(name)
    if isinstance(value, str):
        node[name] = value = tx.find(value) or value
    if isinstance(value, dict):
        _expand(tx, value, steps[1:], path)


def _part(tx: Tx, node: Json, name: str) -> Json:
    """Lists that an object holds only when asked."""
    if name == "line_items":
        return listing(f"/v1/checkout/sessions/{node['id']}/line_items", tx.hidden(node["id"])["line_items"])
    found = tx.every("refund", charge=node["id"])[::-1]
    return listing(f"/v1/charges/{node['id']}/refunds", found[:10], has_more=len(found) > 10)


def _unexpandable(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")
