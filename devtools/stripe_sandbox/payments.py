"""PaymentIntents and Charges: one attempt to pay, and what the card makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import balance, disputes
from .cards import Card
from .errors import DOCS, ApiError
from .events import Call, emit, update
from .store import Json, new_id

AUTHENTICATION_FAILED = (
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
DESCRIPTOR = "KCC COURSES"
NO_ADDRESS = {"city": None, "country": "GB", "line1": None, "line2": None, "postal_code": None, "state": None}


@dataclass(frozen=True, slots=True)
class Payer:
    """What the hosted page asks of the payer, without the card's number."""

    email: str | None
    name: str
    exp_month: int
    exp_year: int


def make_intent(call: Call, session: Json, hidden: Json) -> Json:
    """A PaymentIntent for a Checkout Session; since API version 2022-08-01 it is made when the payer first pays."""
    given = hidden["payment_intent_data"]
    identifier = new_id("pi_3")
    intent = call.tx.add(
        {
            "id": identifier,
            "object": "payment_intent",
            "allowed_payment_method_types": session["allowed_payment_method_types"],
            "amount": session["amount_total"],
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": new_id(f"{identifier}_secret_"),
            "confirmation_method": "automatic",
            "created": call.now,
            "currency": session["currency"],
            "customer": None,
            "customer_account": None,
            "description": given.get("description"),
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": given.get("metadata", {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {"card": {"installments": None, "request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": given.get("receipt_email"),
            "review": None,
            "setup_future_usage": None,
            "shipping": None,
            "source": None,
            "statement_descriptor": given.get("statement_descriptor"),
            "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        },
        hidden={"session": session["id"]},
    )
    emit(call, "payment_intent.created", intent)
    return intent


def decline(call: Call, intent: Json, card: Card, payer: Payer, why: tuple[str, str | None, str]) -> str:
    """The attempt fails: the intent asks for another way to pay. Gives the words for the payer."""
    code, decline_code, message = why
    method = new_id("pm_1")
    charge_id: str | None = None
    if code != "payment_intent_authentication_failure":
        charge = make_charge(call, intent, card, payer, method=method, failure=why)
        charge_id = charge["id"]
        emit(call, "charge.failed", charge)
    error: dict[str, Any] = {
        "code": code,
        "doc_url": DOCS + code.replace("_", "-"),
        "message": message,
        "payment_method": _method(call, card, payer, method),
        "type": "card_error" if charge_id else "invalid_request_error",
    }
    if charge_id:
        error |= {"charge": charge_id, "advice_code": "try_again_later"}
    if decline_code:
        error["decline_code"] = decline_code
    changes = {
        "status": "requires_payment_method",
        "last_payment_error": error,
        "latest_charge": charge_id or intent["latest_charge"],
        "next_action": None,
        "payment_method": None,
    }
    update(call, intent, changes)
    emit(call, "payment_intent.payment_failed", intent)
    return message


def ask_for_authentication(call: Call, intent: Json, card: Card, payer: Payer) -> str:
    """3-D Secure begins; gives the address of the bank's page."""
    url = f"{call.base_url}/c/3ds/{intent['id']}"
    changes = {
        "status": "requires_action",
        "next_action": {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}},
        "payment_method": new_id("pm_1"),
        "last_payment_error": None,
    }
    remembered = {
        **call.tx.hidden(intent["id"]),
        "card": card.number,
        "payer": [payer.email, payer.name, payer.exp_month, payer.exp_year],
    }
    update(call, intent, changes, hidden=remembered)
    emit(call, "payment_intent.requires_action", intent)
    return url


def succeed(call: Call, intent: Json, card: Card, payer: Payer, *, authenticated: bool = False) -> Json:
    """The money is taken: a charge with its balance transaction; gives the charge."""
    method = intent["payment_method"] or new_id("pm_1")
    charge = make_charge(call, intent, card, payer, method=method, authenticated=authenticated)
    changes = {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "last_payment_error": None,
        "next_action": None,
        "payment_method": method,
        "processing": None,
    }
    update(call, intent, changes)
    emit(call, "charge.succeeded", charge)
    emit(call, "payment_intent.succeeded", intent)
    # With ``capture_method: automatic_async`` the balance transaction comes a moment after the success.
    transaction = balance.transact(
        call,
        kind="charge",
        category="charge",
        amount=charge["amount"],
        source=charge["id"],
        currency=charge["currency"],
        fee=balance.card_fee(charge["amount"]),
        description=charge["description"],
        wait_seconds=0 if card.at_once else balance.PENDING_SECONDS,
    )
    previous = update(call, charge, {"balance_transaction": transaction["id"]})
    emit(call, "charge.updated", charge, previous=previous)
    if card.dispute:
        disputes.open_dispute(call, charge, reason="fraudulent")
    return charge


def begin_processing(call: Call, intent: Json, card: Card, payer: Payer) -> None:
    """A delayed method: the payer is done, the money is not there yet."""
    remembered = {
        **call.tx.hidden(intent["id"]),
        "card": card.number,
        "payer": [payer.email, payer.name, payer.exp_month, payer.exp_year],
    }
    changes = {"status": "processing", "payment_method": new_id("pm_1"), "last_payment_error": None}
    update(call, intent, changes, hidden=remembered)
    emit(call, "payment_intent.processing", intent)


def cancel(call: Call, intent: Json, *, reason: str) -> Json:
    """The intent ends unpaid."""
    changes = {
        "status": "canceled",
        "canceled_at": call.now,
        "cancellation_reason": reason,
        "next_action": None,
    }
    update(call, intent, changes)
    emit(call, "payment_intent.canceled", intent)
    return intent


def cancel_by_request(call: Call, intent: Json) -> Json:
    """The API's cancel: Stripe refuses it for the intent of a Checkout Session, which must be expired instead."""
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise ApiError(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be canceled: requires_payment_method, "
            "requires_capture, requires_confirmation, requires_action, processing.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    raise ApiError(
        "You cannot cancel the PaymentIntent of a Checkout Session. Expire the Checkout Session instead.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def make_charge(
    call: Call,
    intent: Json,
    card: Card,
    payer: Payer,
    *,
    method: str,
    failure: tuple[str, str | None, str] | None = None,
    authenticated: bool = False,
) -> Json:
    """A charge, successful unless ``failure`` says why not."""
    paid = failure is None
    suffix = intent["statement_descriptor_suffix"]
    charge = new_id("ch_3")
    return call.tx.add(
        {
            "id": charge,
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if paid else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": _billing(payer),
            "calculated_statement_descriptor": f"{DESCRIPTOR}* {suffix}"[:22] if suffix else DESCRIPTOR,
            "captured": paid,
            "created": call.now,
            "currency": intent["currency"],
            "customer": None,
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": failure[0] if failure else None,
            "failure_message": failure[2] if failure else None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": _outcome(failure),
            "paid": paid,
            "payment_intent": intent["id"],
            "payment_method": method,
            "payment_method_details": {"type": "card", "card": _card_details(card, payer, intent, authenticated)},
            "radar_options": {},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": f"{call.base_url}/c/receipts/{charge}" if paid else None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": suffix,
            "status": "succeeded" if paid else "failed",
            "transfer_data": None,
            "transfer_group": None,
        },
        hidden={"card": card.number},
    )


def _billing(payer: Payer) -> Json:
    return {"address": dict(NO_ADDRESS), "email": payer.email, "name": payer.name, "phone": None, "tax_id": None}


def _outcome(failure: tuple[str, str | None, str] | None) -> Json:
    return {
        "advice_code": "try_again_later" if failure else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if failure else "approved_by_network",
        "reason": (failure[1] or failure[0]) if failure else None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank did not authorise the payment." if failure else "Payment complete.",
        "type": "issuer_declined" if failure else "authorized",
    }


def _card_details(card: Card, payer: Payer, intent: Json, authenticated: bool) -> Json:
    secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": "00000000-0000-4000-8000-000000000001",
        "version": "2.2.0",
    }
    return {
        "amount_authorized": intent["amount"],
        "authorization_code": "123456",
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "exp_month": payer.exp_month,
        "exp_year": payer.exp_year,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": f"sandbox{card.number[-8:]}",
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.number[-4:],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": "000000000000001",
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": secure if authenticated else None,
        "wallet": None,
    }


def _method(call: Call, card: Card, payer: Payer, identifier: str) -> Json:
    """The PaymentMethod as it lies inside ``last_payment_error``."""
    shown = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": payer.exp_month,
        "exp_year": payer.exp_year,
        "fingerprint": f"sandbox{card.number[-8:]}",
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return {
        "id": identifier,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": _billing(payer),
        "card": shown,
        "created": call.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
