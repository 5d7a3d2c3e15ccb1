"""The one place that talks to Stripe. What comes back are small values of our own, never Stripe's objects.

Two kinds of failure: `StripeUnavailableError` (network, 5xx, 409, 429, our key refused: the same call may be repeated
with the same idempotency key) and `StripeRefusedError` (Stripe has understood and says no: repeating changes nothing).
No transaction may be open around a call; the functions say so themselves.
"""

import datetime as dt
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings
from django.db import connection

from payments import rules

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3.05
READ_SECONDS = 10.0
RETRIES = 2


class StripeError(Exception):
    """A call to Stripe came to nothing we can use. The text is Stripe's code, never a person's data."""


class StripeUnavailableError(StripeError):
    """No answer, or one that says "later". Whether Stripe acted is unknown: repeat with the same key.

    `is_kept`: Stripe keeps this very failure under the idempotency key and will give it for ever.
    """

    def __init__(self, text: str, *, is_kept: bool = False) -> None:
        super().__init__(text)
        self.is_kept = is_kept


class StripeRefusedError(StripeError):
    """Stripe says no. `code` is its error code, such as "charge_already_refunded", or "" where it gives none."""

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class WebhookError(Exception):
    """A webhook that cannot be believed. `cause` is one of SIGNATURE, STALE, MODE, MALFORMED."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


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


@dataclass(frozen=True, slots=True)
class RefundFact:
    """A refund: `status` pending, requires_action, succeeded, failed or canceled."""

    refund_id: str
    status: str
    amount_pence: int
    currency: str
    intent_id: str
    failure: str
    created_at: dt.datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A verified webhook; `payload` as rules.without_payer() keeps it."""

    event_id: str
    type: str
    created_at: dt.datetime
    object_id: str
    payload: Mapping[str, Any]


def is_live() -> bool:
    """Whether the key that is set moves real money."""
    return settings.STRIPE_SECRET_KEY.split("_")[1:2] == ["live"]


# --- Checkout --------------------------------------------------------------------------------------------------
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
    with _calling("checkout.sessions.create"):
        session = _client().v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})  # type: ignore[arg-type]
    return _checkout(session)


def retrieve_checkout(session_id: str) -> Checkout:
    """The session as Stripe has it now, with its payment and card."""
    with _calling("checkout.sessions.retrieve"):
        return _checkout(_client().v1.checkout.sessions.retrieve(session_id, {"expand": _PAYMENT}))


def expire_checkout(session_id: str) -> Checkout:
    """Close an open session so that nobody can pay it. Refused where it is complete or expired already."""
    with _calling("checkout.sessions.expire"):
        return _checkout(_client().v1.checkout.sessions.expire(session_id, {"expand": _PAYMENT}))


# --- Refunds ---------------------------------------------------------------------------------------------------
def create_refund(*, idempotency_key: str, booking_reference: str, intent_id: str, amount_pence: int) -> RefundFact:
    """Send money back to the card it came from. The same key with the same values gives the same refund."""
    with _calling("refunds.create"):
        refund = _client().v1.refunds.create(
            {
                "payment_intent": intent_id,
                "amount": amount_pence,
                "reason": "requested_by_customer",
                "metadata": {"booking": booking_reference, "refund": rules.key_stem(idempotency_key)},
            },
            {"idempotency_key": idempotency_key},
        )
    return _refund(refund)


def retrieve_refund(refund_id: str) -> RefundFact:
    """The refund as Stripe has it now."""
    with _calling("refunds.retrieve"):
        return _refund(_client().v1.refunds.retrieve(refund_id))


def refunds_of(intent_id: str) -> list[RefundFact]:
    """Every refund of a payment, made by us or by hand at Stripe, newest first."""
    with _calling("refunds.list"):
        found = _client().v1.refunds.list({"payment_intent": intent_id, "limit": 100})
        return [_refund(refund) for refund in found.auto_paging_iter()]


# --- Webhooks --------------------------------------------------------------------------------------------------
def verify_webhook(payload: bytes, signature: str, *, now: dt.datetime) -> Event:
    """The event, if it was signed with one of the live secrets within five minutes of `now` and is of our key's mode.

    Raises `WebhookError` with its cause. Needs no network.
    """
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise WebhookError("MALFORMED") from error
    if not any(_is_signed(text, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        raise WebhookError("SIGNATURE")
    signed_at, _ = stripe.WebhookSignature._get_timestamp_and_signatures(signature, "v1")
    if abs(now.timestamp() - signed_at) > rules.WEBHOOK_TOLERANCE.total_seconds():
        raise WebhookError("STALE")
    try:
        event = json.loads(text)
        if event["object"] != "event":
            raise WebhookError("MALFORMED")
        kept = rules.without_payer(event)
        known = Event(
            event_id=event["id"],
            type=event["type"],
            created_at=_instant(event["created"]),
            object_id=str(event["data"]["object"].get("id", "")),
            payload=kept,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WebhookError("MALFORMED") from error
    if kept["livemode"] is not is_live():
        raise WebhookError("MODE")
    return known


def _is_signed(text: str, signature: str, secret: str) -> bool:
    try:
        # The library would compare with the machine's clock; time is passed in here, so the age is checked above.
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret, tolerance=None))
    except stripe.SignatureVerificationError:
        return False


# --- The call --------------------------------------------------------------------------------------------------
_PAYMENT = ["payment_intent.latest_charge"]


@lru_cache(maxsize=4)
def _client_of(key: str, base: str, connect_seconds: float, read_seconds: float) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=(connect_seconds, read_seconds)),
    )


def _client() -> stripe.StripeClient:
    return _client_of(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, CONNECT_SECONDS, READ_SECONDS)


@contextmanager
def _calling(name: str) -> Iterator[None]:
    """Turns Stripe's errors into our two, and refuses to call while rows are locked."""
    blocks: list[Any] = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:  # the same exception that Atomic(durable=True) makes
        raise RuntimeError("Stripe is never called inside a transaction")
    try:
        yield
    except stripe.StripeError as error:
        status = error.http_status
        told = error.code or type(error).__name__
        if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
            logger.error("Stripe refuses our key: %s", name)
        elif status is not None and status < 500 and status not in (409, 429):
            raise StripeRefusedError(f"{name}: {told}", code=error.code or "") from error
        headers = {key.lower(): value for key, value in dict(error.headers or {}).items()}
        is_kept = status is not None and status >= 500 and headers.get("idempotent-replayed") == "true"
        raise StripeUnavailableError(f"{name}: {told}", is_kept=is_kept) from error


def _checkout(session: Any) -> Checkout:
    return Checkout(
        session_id=session.id,
        status=session.status or "",
        payment_status=session.payment_status,
        amount_pence=session.amount_total or 0,
        currency=session.currency or "",
        expires_at=_instant(session.expires_at),
        client_reference=session.client_reference_id or "",
        url=session.url or "",
        is_live=session.livemode,
        payment=_payment(session.payment_intent) if session.payment_intent else None,
        metadata=_metadata(session),
    )


def _payment(intent: Any) -> Payment:
    charge = intent.latest_charge
    card: Any = None
    paid_at = None
    if intent.status == "succeeded" and charge:
        paid_at = _instant(charge.created)
        card = getattr(charge.payment_method_details, "card", None) if charge.payment_method_details else None
    return Payment(
        intent_id=intent.id,
        status=intent.status,
        received_pence=intent.amount_received,
        currency=intent.currency,
        paid_at=paid_at,
        card_last4=(card.last4 or "") if card else "",
        card_brand=(card.brand or "") if card else "",
        metadata=_metadata(intent),
    )


def _refund(refund: Any) -> RefundFact:
    return RefundFact(
        refund_id=refund.id,
        status=refund.status or "",
        amount_pence=refund.amount,
        currency=refund.currency,
        intent_id=refund.payment_intent or "",
        failure=getattr(refund, "failure_reason", None) or "",
        created_at=_instant(refund.created),
        metadata=_metadata(refund),
    )


def _metadata(subject: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in subject.metadata.to_dict().items()} if subject.metadata else {}


def _instant(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
