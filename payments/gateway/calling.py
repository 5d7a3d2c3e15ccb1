"""The call itself: our key, how long we wait, and what becomes of Stripe's errors."""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings
from django.db import connection

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3.05
READ_SECONDS = 10.0
RETRIES = 2
PAGE = 100


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


def is_live() -> bool:
    """Whether the key that is set moves real money."""
    return settings.STRIPE_SECRET_KEY.split("_")[1:2] == ["live"]


@lru_cache(maxsize=4)
def _client_of(key: str, base: str, connect_seconds: float, read_seconds: float) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=(connect_seconds, read_seconds)),
    )


def client() -> stripe.StripeClient:
    """Stripe's client with the key and the address of the settings."""
    return _client_of(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, CONNECT_SECONDS, READ_SECONDS)


@contextmanager
def calling(name: str) -> Iterator[None]:
    """Turns Stripe's errors into our two, and refuses to call while rows are locked.

    Stripe's own text may repeat what it was sent, such as a payer's address: it is dropped here, so that no traceback
    takes it into a log.
    """
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
            raise StripeRefusedError(f"{name}: {told}", code=error.code or "") from None
        headers = {key.lower(): value for key, value in dict(error.headers or {}).items()}
        is_kept = status is not None and status >= 500 and headers.get("idempotent-replayed") == "true"
        raise StripeUnavailableError(f"{name}: {told}", is_kept=is_kept) from None


def metadata_of(subject: Any) -> dict[str, str]:
    """An object's metadata as plain text."""
    return {str(key): str(value) for key, value in subject.metadata.to_dict().items()} if subject.metadata else {}


def instant(seconds: int) -> dt.datetime:
    """Stripe's whole seconds as an instant in UTC."""
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def listed(path: str, **wanted: Any) -> Iterator[Mapping[str, Any]]:
    """Each item of a list, a page at a time, as Stripe's JSON: its library's objects would cost ten times as much."""
    after: dict[str, str] = {}
    while True:
        with calling(path):
            page = client().raw_request("get", path, limit=PAGE, **wanted, **after).data
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}
