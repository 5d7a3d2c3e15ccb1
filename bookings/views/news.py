"""A payment that Stripe has and we may not have heard of yet: asked about before a page says that nothing was paid."""

import datetime as dt

from audit.context import Actor
from bookings import selectors
from bookings.models import Booking, Move
from payments import services as payments
from payments.constants import ChargeStatus


def is_paid(booking: Booking, *, by: Actor, now: dt.datetime) -> bool:
    """Whether Stripe has the course fee of a booking that we hold unpaid. Raises PaymentUnknownError.

    Stripe is asked only where a payment page is open; it is settled there and then.
    """
    return booking.confirmed_at is None and _ask(selectors.charge_at_stripe(booking), by=by, now=now)


def is_move_paid(move: Move, *, by: Actor, now: dt.datetime) -> bool:
    """As `is_paid`, for the fee of a move under way."""
    if move.charge_id is None or selectors.charge_at_stripe(move.booking) != move.charge_id:
        return False
    return _ask(move.charge_id, by=by, now=now)


def _ask(charge_id: int | None, *, by: Actor, now: dt.datetime) -> bool:
    if charge_id is None:
        return False
    charge = payments.refresh_charge(charge_id=charge_id, must_hear=True, by=by, now=now)
    return charge.status == ChargeStatus.PAID
