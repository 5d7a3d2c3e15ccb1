"""Checks of values that a type cannot make: addresses, texts, times and metadata, with Stripe's limits and words."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from .errors import ApiError
from .store import Json

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 60 * 60
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def missing(name: str) -> ApiError:
    """The answer for a required parameter that is not there."""
    return ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name, before_execution=True)


def check_url(value: str, name: str) -> None:
    """An address the payer's browser can be sent to; the session's placeholder may stand in it."""
    parts = urlsplit(value.replace(PLACEHOLDER, "x"))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ApiError("Not a valid URL", code="url_invalid", param=name)


def check_texts(params: Json, intent_data: Json) -> None:
    """The reference, the e-mail address and what stands on the card's statement."""
    reference = params.get("client_reference_id", "")
    if len(reference) > 200:
        raise ApiError("Invalid string: must be at most 200 characters", param="client_reference_id")
    email = params.get("customer_email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise ApiError(f"Invalid email address: {email}", code="email_invalid", param="customer_email")
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        text = intent_data.get(name)
        if text is None:
            continue
        if not 1 <= len(text) <= 22 or re.search(r"[<>\\'\"*]", text) or not re.search(r"[A-Za-z]", text):
            raise ApiError(
                "The statement descriptor must be at most 22 characters, hold at least one letter and none of "
                "< > \\ ' \" *.",
                param=f"payment_intent_data[{name}]",
            )


def check_expiry(expires_at: int, now: int) -> None:
    """Between half an hour and a day from now."""
    if expires_at < now + SHORTEST_SECONDS:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if expires_at > now + LONGEST_SECONDS:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def check_metadata(metadata: Any, name: str) -> None:
    """Stripe's limits: 50 keys of 40 letters with values of 500."""
    if not isinstance(metadata, dict):
        return
    if len(metadata) > METADATA_KEYS:
        raise ApiError(f"Metadata may have at most {METADATA_KEYS} keys.", param=name)
    for key, value in metadata.items():
        if len(key) > METADATA_KEY_LENGTH or "[" in key:
            raise ApiError(f"Metadata keys can't be longer than {METADATA_KEY_LENGTH} characters.", param=name)
        if len(value) > METADATA_VALUE_LENGTH:
            raise ApiError(
                f"Metadata values can have up to {METADATA_VALUE_LENGTH} characters, but you passed in a value that "
                f"is {len(value)} characters. Invalid value: {value}",
                param=f"{name}[{key}]",
            )


def merged_metadata(subject: Json, given: Any) -> Json:
    """What an update makes of metadata: an empty value takes a key away, an empty text takes all."""
    if given == "":
        return {}
    merged = {**subject["metadata"], **given}
    return {key: value for key, value in merged.items() if value != ""}
