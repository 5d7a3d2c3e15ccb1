"""Checkout Sessions: made by the API, paid on the hosted page, expired by the API or by the clock."""

from __future__ import annotations

from dataclasses import dataclass

from . import cards, payments
from .checks import LONGEST_SECONDS, PLACEHOLDER, check_expiry, check_metadata, check_texts, check_url, missing
from .errors import ApiError, not_offered
from .events import Call, emit, update
from .payments import Payer
from .refunds import pounds
from .store import Json, new_id

LEAST_PENCE = 30
MOST_PENCE = 99_999_999
OFFERED = {
    "adaptive_pricing": {"enabled"},
    "allowed_payment_method_types": None,
    "billing_address_collection": None,
    "cancel_url": None,
    "client_reference_id": None,
    "currency": None,
    "customer_creation": None,
    "customer_email": None,
    "expand": None,
    "expires_at": None,
    "line_items": {"price_data", "quantity"},
    "locale": None,
    "metadata": None,
    "mode": None,
    "payment_intent_data": {
        "description",
        "metadata",
        "receipt_email",
        "statement_descriptor",
        "statement_descriptor_suffix",
    },
    "submit_type": None,
    "success_url": None,
    "ui_mode": None,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to: ``redirect`` where the payer goes next, or ``message`` for the page."""

    redirect: str | None = None
    message: str | None = None


def create(call: Call) -> Json:
    """The API's create."""
    params = call.params
    _check_offered(params)
    if params.get("mode") is None:
        raise missing("mode")
    if params["mode"] != "payment":
        raise not_offered(f"mode={params['mode']}")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_offered(f"ui_mode={params['ui_mode']}")
    if params.get("adaptive_pricing", {}).get("enabled"):
        raise not_offered("adaptive_pricing[enabled]=true")
    for name in ("success_url", "cancel_url"):
        if name in params:
            check_url(params[name], name)
    if "success_url" not in params:
        raise missing("success_url")
    check_metadata(params.get("metadata", {}), "metadata")
    intent_data: Json = params.get("payment_intent_data", {})
    check_metadata(intent_data.get("metadata", {}), "payment_intent_data[metadata]")
    check_texts(params, intent_data)
    expires_at = params.get("expires_at", call.now + LONGEST_SECONDS)
    check_expiry(expires_at, call.now)
    items, currency, total = _line_items(call, params.get("line_items", []))
    identifier = new_id("cs_test_a1", 56)
    session = _shape(call, identifier, currency=currency, total=total, expires_at=expires_at)
    call.tx.add(session, hidden={"line_items": items, "payment_intent_data": intent_data}, due_at=expires_at)
    return session


def _check_offered(params: Json) -> None:
    """Refuses what Stripe has and the sandbox would ignore."""
    for name, value in params.items():
        if name not in OFFERED:
            raise not_offered(name)
        parts = OFFERED[name]
        if parts is None:
            continue
        for item in value if isinstance(value, list) else [value]:
            for part in item:
                if part not in parts:
                    raise not_offered(f"{name}[{part}]")


def _line_items(call: Call, wanted: list[Json]) -> tuple[list[Json], str, int]:
    """The line items in Stripe's shape, their currency and their sum."""
    if not wanted:
        raise missing("line_items")
    items: list[Json] = []
    for position, item in enumerate(wanted):
        name = f"line_items[{position}]"
        if "price_data" not in item:
            raise ApiError(f"Missing required param: {name}[price].", code="parameter_missing", param=f"{name}[price]")
        items.append(_line_item(call, item["price_data"], item.get("quantity", 1), f"{name}[price_data]"))
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise ApiError("You cannot combine currencies on a single Checkout Session.", param="line_items")
    currency = currencies.pop()
    total = sum(item["amount_total"] for item in items)
    if currency != "gbp":
        raise not_offered(f"currency={currency}")
    if total < LEAST_PENCE:
        raise ApiError(
            f"The Checkout Session's total amount due must add up to at least {pounds(LEAST_PENCE)} gbp",
            code="amount_too_small",
        )
    if total > MOST_PENCE:
        raise ApiError(
            f"The Checkout Session's total amount due must be no more than {pounds(MOST_PENCE)} gbp",
            code="amount_too_large",
        )
    return items, currency, total


def _line_item(call: Call, price: Json, quantity: int, name: str) -> Json:
    if "unit_amount" not in price:
        raise ApiError(
            "You must specify either `unit_amount` or `unit_amount_decimal`.",
            code="parameter_missing",
            param=f"{name}[unit_amount]",
        )
    if "product_data" not in price:
        raise ApiError(f"Missing required param: {name}[product].", code="parameter_missing", param=f"{name}[product]")
    for part in price:
        if part not in ("currency", "product_data", "unit_amount", "tax_behavior"):
            raise not_offered(f"{name}[{part}]")
    if price["unit_amount"] < 0 or quantity < 1:
        raise ApiError("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=name)
    amount = price["unit_amount"] * quantity
    identifier = new_id("price_1")
    shown = {
        "id": identifier,
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": call.now,
        "currency": price["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": new_id("prod_", 14),
        "recurring": None,
        "tax_behavior": price.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": str(price["unit_amount"]),
    }
    return {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"].lower(),
        "description": price["product_data"]["name"],
        "metadata": {},
        "price": shown,
        "quantity": quantity,
    }


def _shape(call: Call, identifier: str, *, currency: str, total: int, expires_at: int) -> Json:
    params = call.params
    allowed = params.get("allowed_payment_method_types")
    return {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": allowed,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "branding_settings": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": call.now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_account": None,
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "excluded_payment_method_types": None,
        "expires_at": expires_at,
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": params.get("locale"),
        "managed_payments": None,
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "redirect_on_completion": "always",
        "return_url": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "tax_id_collection": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{call.base_url}/c/pay/{identifier}",
        "wallet_options": None,
    }


def expire(call: Call, session: Json) -> Json:
    """Ends an open session; its unpaid PaymentIntent is cancelled with it."""
    if session["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`."
        )
    update(call, session, {"status": "expired", "url": None})
    intent = call.tx.get("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
    if intent is not None and intent["status"] != "canceled":
        payments.cancel(call, intent, reason="automatic")
    emit(call, "checkout.session.expired", session)
    return session


def success_url(session: Json) -> str:
    """Where the payer goes when paid, with the session's own identifier put in."""
    return str(session["success_url"]).replace(PLACEHOLDER, session["id"])


def cancel_url(session: Json) -> str | None:
    """Where the payer goes on turning back."""
    url = session["cancel_url"]
    return None if url is None else str(url).replace(PLACEHOLDER, session["id"])


def attempt(call: Call, session: Json, number: str, payer: Payer) -> Outcome:
    """The payer presses Pay on an open session."""
    card = cards.find(number)
    intent = call.tx.get("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
    if intent is None:
        intent = payments.make_intent(call, session, call.tx.hidden(session["id"]))
        update(call, session, {"payment_intent": intent["id"]}, due_at=session["expires_at"])
    if card.decline:
        return Outcome(message=payments.decline(call, intent, card, payer, card.decline))
    if card.needs_3ds:
        return Outcome(redirect=payments.ask_for_authentication(call, intent, card, payer))
    delayed = call.tx.setting("async_next", 0)
    if delayed > 0:
        call.tx.remember("async_next", delayed - 1)
        payments.begin_processing(call, intent, card, payer)
        _complete(call, session, payer, payment_status="unpaid")
    else:
        payments.succeed(call, intent, card, payer)
        _complete(call, session, payer, payment_status="paid")
    return Outcome(redirect=success_url(session))


def answer_authentication(call: Call, session: Json, intent: Json, *, approved: bool) -> Outcome:
    """The payer's bank has answered a 3-D Secure check that was asked."""
    card, payer = remembered(call, intent)
    if not approved:
        return Outcome(message=payments.decline(call, intent, card, payer, payments.AUTHENTICATION_FAILED))
    payments.succeed(call, intent, card, payer, authenticated=True)
    _complete(call, session, payer, payment_status="paid")
    return Outcome(redirect=success_url(session))


def remembered(call: Call, intent: Json) -> tuple[cards.Card, Payer]:
    """The card and payer of the attempt that waits."""
    hidden = call.tx.hidden(intent["id"])
    return cards.find(hidden["card"]), Payer(*hidden["payer"])


def _complete(call: Call, session: Json, payer: Payer, *, payment_status: str) -> None:
    details: Json = {
        "address": dict(payments.NO_ADDRESS),
        "business_name": None,
        "email": payer.email,
        "individual_name": None,
        "name": payer.name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    changes = {"status": "complete", "payment_status": payment_status, "customer_details": details, "url": None}
    update(call, session, changes)
    emit(call, "checkout.session.completed", session)


def settle_delayed(call: Call, intent: Json, *, outcome: str) -> Json:
    """A delayed payment arrives or fails after the session was completed unpaid."""
    if intent["status"] != "processing":
        raise ApiError("This payment is not being processed.", code="payment_intent_unexpected_state")
    session = call.tx.get("checkout.session", call.tx.hidden(intent["id"])["session"])
    if session is None:
        raise ApiError("The Checkout Session of this payment is gone.")
    card, payer = remembered(call, intent)
    if outcome == "succeeded":
        payments.succeed(call, intent, card, payer)
        update(call, session, {"payment_status": "paid"})
        emit(call, "checkout.session.async_payment_succeeded", session)
    elif outcome == "failed":
        payments.decline(call, intent, card, payer, ("card_declined", "generic_decline", "The payment failed."))
        emit(call, "checkout.session.async_payment_failed", session)
    else:
        raise ApiError("A delayed payment has succeeded or failed.", param="outcome")
    return intent
