"""Sending a candidate to Stripe's hosted page: one open Checkout session per charge, however often Pay is clicked."""

import datetime as dt
import logging
import time
import uuid

from django.db import transaction

from audit.context import Actor
from payments import gateway, rules
from payments.constants import AttemptStatus, ChargeStatus
from payments.errors import AlreadyPaidError, CheckoutRefusedError, NoLongerDueError, PaymentsUnavailableError
from payments.models import Attempt
from payments.services import moves, settlement

logger = logging.getLogger(__name__)

# How long a click waits for another one that is just opening the page, before it makes the same call itself.
WAIT_SECONDS = 4.0
LOOK_EVERY_SECONDS = 0.05
TURNS = 4


def start_checkout(
    *, charge_id: int, success_url: str, cancel_url: str, expires_at: dt.datetime, by: Actor, now: dt.datetime
) -> Attempt:
    """The open attempt of a charge, with the `url` to send the payer to: the one there is, or a new one.

    The intent is committed with its key, then Stripe is called with no transaction open, then the answer is recorded.
    Of clicks that meet, one opens the session and the others get its address. An open session that is about to expire
    is closed first, unless it turns out to be paid. `expires_at` is brought within Stripe's 30 minutes to 24 hours.

    Not to be called inside a transaction. May be repeated. Raises AlreadyPaidError, NoLongerDueError,
    PaymentsUnavailableError (nothing is lost: repeat), CheckoutRefusedError.
    """
    try:
        for _ in range(TURNS):
            attempt, is_mine = _begin(
                charge_id, success_url=success_url, cancel_url=cancel_url, expires_at=expires_at, by=by, now=now
            )
            attempt = _advance(attempt, is_mine=is_mine, by=by, now=now)
            if attempt.status == AttemptStatus.OPEN and attempt.url:
                return attempt
            if attempt.status == AttemptStatus.FAILED and is_mine:
                raise CheckoutRefusedError
    except gateway.StripeUnavailableError as error:
        raise PaymentsUnavailableError from error
    raise CheckoutRefusedError


@transaction.atomic(durable=True)
def _begin(
    charge_id: int, *, success_url: str, cancel_url: str, expires_at: dt.datetime, by: Actor, now: dt.datetime
) -> tuple[Attempt, bool]:
    """The pending attempt, or a new one with its key, and whether it is new. Locks the charge."""
    charge = moves.lock_charge(charge_id)
    if charge.status == ChargeStatus.PAID:
        raise AlreadyPaidError
    if charge.status == ChargeStatus.CANCELLED:
        raise NoLongerDueError
    pending = moves.pending_attempt(charge)
    if pending is not None:
        pending.charge = charge
        return pending, False
    attempt = Attempt.objects.create(
        charge=charge,
        idempotency_key=uuid.uuid4().hex,
        status=AttemptStatus.CREATING,
        status_at=now,
        created_at=now,
        expires_at=rules.checkout_expiry(wanted=expires_at, now=now),
        success_url=success_url,
        cancel_url=cancel_url,
    )
    return attempt, True


def _advance(attempt: Attempt, *, is_mine: bool, by: Actor, now: dt.datetime) -> Attempt:
    """Bring a pending attempt to where the payer can use it, or to its end."""
    if attempt.status == AttemptStatus.CREATING and not is_mine:
        attempt = _wait_for(attempt, now=now)
    if attempt.status == AttemptStatus.CREATING:
        # Also where another click began: should its process have died, the same call with the same key finishes it.
        attempt = settlement.open_at_stripe(attempt, by=by, now=now)
    is_useful = rules.is_checkout_useful(expires_at=attempt.expires_at, now=now)
    is_due = attempt.charge.status == ChargeStatus.OPEN  # it may have been given up while Stripe was asked
    if attempt.status == AttemptStatus.OPEN and not (is_useful and is_due):
        attempt = settlement.close_attempt(attempt, by=by, now=now)
    return attempt


def _wait_for(attempt: Attempt, *, now: dt.datetime) -> Attempt:
    """Give the click that is opening the page a moment. No lock is held and no transaction is open meanwhile."""
    is_long_ago = attempt.created_at < now - settlement.CREATING_IS_LOST_AFTER
    deadline = time.monotonic() + (0 if is_long_ago else WAIT_SECONDS)
    while attempt.status == AttemptStatus.CREATING and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_SECONDS)
        attempt = Attempt.objects.select_related("charge").get(pk=attempt.pk)
    return attempt
