"""Checkout sessions and the payments made on them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from payments import rules
from payments.gateway.calling import calling, client, instant, metadata_of

_PAYMENT = ["payment_intent.latest_charge"]


@dataclass(frozen=True, slots=True)
class Payment:
    """A PaymentIntent: `status` in Stripe's words; card and `paid_at` only where it succeeded."""

    intent_id: str
    status: str
    received_pence: int
    currency: str
    paid_at: dt.datetime | None = None
    card_last4: str = ""
    card_brand: str = ""
    charge_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChargeFact:
    """What Stripe calls a charge, one successful try of a PaymentIntent: enough to find the attempt it belongs to."""

    charge_id: str
    intent_id: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A Checkout session: `status` open, complete or expired; `payment_status` paid, unpaid or no_payment_required."""

    session_id: str
    status: str
    payment_status: str
    amount_pence: int
    currency: str
    expires_at: dt.datetime
    client_reference: str
    url: str
    is_live: bool
    payment: Payment | None
    metadata: Mapping[str, str] = field(default_factory=dict)


def create_checkout(
    *,
    idempotency_key: str,
    booking_reference: str,
    amount_pence: int,
    description: str,
    email: str,
    success_url: str,
    cancel_url: str,
    expires_at: dt.datetime,
) -> Checkout:
    """Open a hosted Checkout session for cards. The same key with the same values gives the same session."""
    known_as = {"booking": booking_reference, "attempt": rules.key_stem(idempotency_key)}
    params: dict[str, Any] = {
        "mode": "payment",
        "allowed_payment_method_types": ["card"],
        "client_reference_id": booking_reference,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": rules.CURRENCY,
                    "unit_amount": amount_pence,
                    "product_data": {"name": description},
                },
            }
        ],
        "payment_intent_data": {
            "description": booking_reference,
            "metadata": known_as,
            "statement_descriptor_suffix": rules.descriptor_suffix(booking_reference),
        },
        "metadata": known_as,
        "success_url": success_url,
        "cancel_url": cancel_url,
        "expires_at": int(expires_at.timestamp()),
        "locale": "en-GB",
        # The fee is pounds sterling, wherever the card comes from.
        "adaptive_pricing": {"enabled": False},
        "expand": _PAYMENT,
    }
    if email:
        params["customer_email"] = email
    with calling("checkout.sessions.create"):
        session = client().v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})  # type: ignore[arg-type]
    return _checkout(session)


def retrieve_checkout(session_id: str) -> Checkout:
    """The session as Stripe has it now, with its payment and card."""
    with calling("checkout.sessions.retrieve"):
        return _checkout(client().v1.checkout.sessions.retrieve(session_id, {"expand": _PAYMENT}))


def expire_checkout(session_id: str) -> Checkout:
    """Close an open session so that nobody can pay it. Refused where it is complete or expired already."""
    with calling("checkout.sessions.expire"):
        return _checkout(client().v1.checkout.sessions.expire(session_id, {"expand": _PAYMENT}))


def retrieve_charge(charge_id: str) -> ChargeFact:
    """The charge as Stripe has it now."""
    with calling("charges.retrieve"):
        charge = client().v1.charges.retrieve(charge_id)
    return ChargeFact(charge.id, str(charge.payment_intent or ""), metadata_of(charge))


def retrieve_payment(intent_id: str) -> Payment:
    """The PaymentIntent as Stripe has it now."""
    with calling("payment_intents.retrieve"):
        return _payment(client().v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]}))


def _checkout(session: Any) -> Checkout:
    return Checkout(
        session_id=session.id,
        status=session.status or "",
        payment_status=session.payment_status,
        amount_pence=session.amount_total or 0,
        currency=session.currency or "",
        expires_at=instant(session.expires_at),
        client_reference=session.client_reference_id or "",
        url=session.url or "",
        is_live=session.livemode,
        payment=_payment(session.payment_intent) if session.payment_intent else None,
        metadata=metadata_of(session),
    )


def _payment(intent: Any) -> Payment:
    charge = intent.latest_charge
    card: Any = None
    paid_at = None
    if intent.status == "succeeded" and charge:
        paid_at = instant(charge.created)
        card = getattr(charge.payment_method_details, "card", None) if charge.payment_method_details else None
    return Payment(
        intent_id=intent.id,
        status=intent.status,
        received_pence=intent.amount_received,
        currency=intent.currency,
        paid_at=paid_at,
        card_last4=(card.last4 or "") if card else "",
        card_brand=(card.brand or "") if card else "",
        charge_id=charge.id if paid_at else "",
        metadata=metadata_of(intent),
    )
