"""Opening a charge and giving it up."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from audit.context import Actor
from common.bell import ring_on_commit
from common.labels import mid_sentence
from common.money import pounds
from common.prepared import Prepared
from payments import rules
from payments.constants import ChargeStatus, Purpose
from payments.errors import AlreadyPaidError, WrongPartsError
from payments.models import Charge
from payments.services import moves

_EARLIER = Prepared(
    lambda blank: (
        Charge.objects.select_for_update(no_key=True)
        .filter(booking_reference=blank("booking_reference"), purpose=blank("purpose"))
        .order_by("pk")
    )
)


@transaction.atomic
def open_charge(
    *,
    booking_reference: str,
    referral_key: str,
    force_code: str,
    purpose: str,
    amount_pence: int,
    parts: Mapping[str, int],
    description: str,
    email: str,
    by: Actor,
    now: dt.datetime,
) -> Charge:
    """Put a sum on a booking's account. Composed: the caller holds the booking's lock, so two clicks open one charge.

    `parts` is {police, levy, vat, provider} in pence and must add up. An open charge of the same purpose and amount is
    returned as it is; one of another amount is given up first. Raises AlreadyPaidError where a course fee of this
    booking is paid and not wholly refunded, WrongPartsError where the parts are wrong.
    """
    try:
        snapshot = rules.parts_of(parts, amount_pence=amount_pence).as_json()
    except ValueError as error:
        raise WrongPartsError(str(error)) from error
    for charge in _EARLIER.all(booking_reference=booking_reference, purpose=purpose):
        if charge.status == ChargeStatus.OPEN:
            if charge.amount_pence == amount_pence:
                return charge
            _give_up(charge, by=by, now=now)
        is_settled = charge.status == ChargeStatus.PAID and charge.refunded_pence < charge.paid_pence
        if is_settled and purpose == Purpose.COURSE_FEE:
            raise AlreadyPaidError
    charge = Charge.objects.create(
        booking_reference=booking_reference,
        referral_key=referral_key,
        force_code=force_code,
        purpose=purpose,
        amount_pence=amount_pence,
        parts=snapshot,
        description=description,
        email=email,
        status=ChargeStatus.OPEN,
        status_at=now,
        status_by=str(by),
        created_at=now,
    )
    purpose_words = mid_sentence(charge.get_purpose_display())
    words = f"{pounds(amount_pence)} to pay for booking {booking_reference} ({purpose_words})"
    moves.record(charge, "charge.opened", by=by, now=now, words=words)
    return charge


@transaction.atomic
def give_up_charge(*, booking_reference: str, by: Actor, now: dt.datetime) -> int:
    """Let whatever a booking has still to pay be no longer due. Composed; returns how many charges that were.

    A sweep then closes the open Checkout sessions at Stripe; money that comes all the same is still settled.
    Locks the booking's open charges.
    """
    due = Charge.objects.select_for_update(no_key=True).filter(
        booking_reference=booking_reference, status=ChargeStatus.OPEN
    )
    given_up = list(due.order_by("pk"))
    for charge in given_up:
        _give_up(charge, by=by, now=now)
    return len(given_up)


def _give_up(charge: Charge, *, by: Actor, now: dt.datetime) -> None:
    words = f"{pounds(charge.amount_pence)} is no longer due for booking {charge.booking_reference}"
    moves.move_charge(charge, ChargeStatus.CANCELLED, by=by, now=now, action="charge.given_up", words=words)
    if moves.pending_attempt(charge) is not None:
        ring_on_commit("payments.jobs.settle_payments")
