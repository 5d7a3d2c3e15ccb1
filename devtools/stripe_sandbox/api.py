"""The endpoints of Stripe's API that the sandbox has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import balance, checkout, disputes, payments, reading, refunds
from .checks import check_metadata, merged_metadata
from .errors import ApiError, not_offered
from .events import Call, emit, listing, update
from .store import Json

Handler = Callable[[Call, str], Json]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: ``params`` names the library's typed parameters that its requests are checked against."""

    method: str
    pattern: re.Pattern[str]
    params: str
    handler: Handler


def _set_metadata(call: Call, subject: Json) -> Json:
    """The API's update of what may be changed of any object; gives the old values of what did."""
    given = call.params.get("metadata")
    check_metadata(given, "metadata")
    changes = {name: value for name, value in call.params.items() if name not in {"metadata", "expand"}}
    if given is not None:
        changes["metadata"] = merged_metadata(subject, given)
    return update(call, subject, changes, due_at=call.tx.due_at(subject["id"]))


def _update(kind: str, event: str | None) -> Handler:
    def handler(call: Call, identifier: str) -> Json:
        subject = reading.fetch(call, kind, identifier)
        offered = {"metadata", "expand"} | ({"description"} if kind in ("payment_intent", "charge") else set())
        for name in call.params:
            if name not in offered:
                raise not_offered(name)
        previous = _set_metadata(call, subject)
        if event and previous:
            emit(call, event, subject, previous=previous)
        return subject

    return handler


def _expire(call: Call, identifier: str) -> Json:
    return checkout.expire(call, reading.fetch(call, "checkout.session", identifier))


def _line_items(call: Call, identifier: str) -> Json:
    session = reading.fetch(call, "checkout.session", identifier)
    items = call.tx.hidden(session["id"])["line_items"]
    return listing(f"/v1/checkout/sessions/{identifier}/line_items", items)


def _cancel_intent(call: Call, identifier: str) -> Json:
    return payments.cancel_by_request(call, reading.fetch(call, "payment_intent", identifier))


def _cancel_refund(call: Call, identifier: str) -> Json:
    refund = reading.fetch(call, "refund", identifier)
    raise ApiError(
        f"Refund {refund['id']} has a status of {refund['status']} and cannot be canceled; only one that requires "
        "action can.",
    )


def _close_dispute(call: Call, identifier: str) -> Json:
    return disputes.settle(call, reading.fetch(call, "dispute", identifier), outcome="lost")


def _update_dispute(call: Call, identifier: str) -> Json:
    return disputes.answer(call, reading.fetch(call, "dispute", identifier), call.params)


def _balance(call: Call, _: str) -> Json:
    return balance.balance(call)


def _readers(path: str, kind: str, params: str) -> list[Route]:
    """The two reading endpoints every object has."""

    def one(call: Call, identifier: str) -> Json:
        return reading.fetch(call, kind, identifier)

    def many(call: Call, _: str) -> Json:
        return reading.fetch_list(call, kind, path)

    return [
        _route("GET", path, f"{params}ListParams", many),
        _route("GET", f"{path}/:id", f"{params}RetrieveParams", one),
    ]


def _route(method: str, path: str, params: str, handler: Handler) -> Route:
    return Route(method, re.compile(path.replace(":id", "([A-Za-z0-9_%-]+)") + r"/?\Z"), params, handler)


ROUTES = [
    *_readers("/v1/checkout/sessions", "checkout.session", "checkout.Session"),
    _route("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams", lambda call, _: checkout.create(call)),
    _route("POST", "/v1/checkout/sessions/:id", "checkout.SessionUpdateParams", _update("checkout.session", None)),
    _route("POST", "/v1/checkout/sessions/:id/expire", "checkout.SessionExpireParams", _expire),
    _route("GET", "/v1/checkout/sessions/:id/line_items", "checkout.SessionListLineItemsParams", _line_items),
    *_readers("/v1/payment_intents", "payment_intent", "PaymentIntent"),
    _route("POST", "/v1/payment_intents/:id", "PaymentIntentUpdateParams", _update("payment_intent", None)),
    _route("POST", "/v1/payment_intents/:id/cancel", "PaymentIntentCancelParams", _cancel_intent),
    *_readers("/v1/charges", "charge", "Charge"),
    _route("POST", "/v1/charges/:id", "ChargeUpdateParams", _update("charge", "charge.updated")),
    *_readers("/v1/refunds", "refund", "Refund"),
    _route("POST", "/v1/refunds", "RefundCreateParams", lambda call, _: refunds.create(call)),
    _route("POST", "/v1/refunds/:id", "RefundUpdateParams", _update("refund", "refund.updated")),
    _route("POST", "/v1/refunds/:id/cancel", "RefundCancelParams", _cancel_refund),
    _route("GET", "/v1/balance", "BalanceRetrieveParams", _balance),
    *_readers("/v1/balance_transactions", "balance_transaction", "BalanceTransaction"),
    *_readers("/v1/payouts", "payout", "Payout"),
    *_readers("/v1/disputes", "dispute", "Dispute"),
    _route("POST", "/v1/disputes/:id", "DisputeUpdateParams", _update_dispute),
    _route("POST", "/v1/disputes/:id/close", "DisputeCloseParams", _close_dispute),
    *_readers("/v1/events", "event", "Event"),
]


def resolve(method: str, path: str) -> tuple[Route, str]:
    """The endpoint and the identifier in its path."""
    for route in ROUTES:
        match = route.pattern.match(path)
        if match and route.method == method:
            return route, match.group(1) if match.groups() else ""
    raise ApiError(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        status=404,
        before_execution=True,
    )
