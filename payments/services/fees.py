"""Changing the regulated fees: never by editing what was sold under, always by a new row from a day on."""

import datetime as dt

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.clock import date_words, london_day
from common.money import pounds
from payments import rules
from payments.errors import FeeInThePastError
from payments.models import FeeSchedule


@transaction.atomic(durable=True)
def change_fee(
    *,
    course_type_id: int,
    mode: str,
    valid_from: dt.date,
    parts: rules.Parts,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> FeeSchedule:
    """Sell a course in a mode at a new fee from a London day on; the running fee ends the day before.

    Bookings keep the fee they were sold under. Raises FeeInThePastError for a day that has begun, or one not after the
    start of a fee that is already planned. Locks the fees of this course and mode.
    """
    planned = FeeSchedule.objects.select_for_update().filter(course_type_id=course_type_id, mode=mode)
    running = planned.filter(valid_to=None).first()
    if valid_from <= london_day(now) or (running is not None and valid_from <= running.valid_from):
        raise FeeInThePastError
    if running is not None:
        running.valid_to = valid_from - dt.timedelta(days=1)
        running.save(update_fields=["valid_to"])
    fee = FeeSchedule.objects.create(
        course_type_id=course_type_id,
        mode=mode,
        valid_from=valid_from,
        total_pence=parts.total,
        police_pence=parts.police,
        levy_pence=parts.levy,
        vat_pence=parts.vat,
        provider_pence=parts.provider,
    )
    was = f" (was {pounds(running.total_pence)})" if running else ""
    words = f"The fee of {fee.course_type.code} {fee.get_mode_display().lower()} is {pounds(parts.total)}{was}"
    words = f"{words} from {date_words(valid_from)}"
    audit.record("fee.changed", by=by, now=now, words=words, subject=f"fee:{fee.pk}", reason=reason)
    return fee
