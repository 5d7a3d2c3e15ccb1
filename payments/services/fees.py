"""Changing the regulated fees: never by editing what was sold under, always by a new row from a day on."""

import datetime as dt

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.clock import date_words, london_day
from common.labels import mid_sentence
from common.money import pounds
from payments import rules
from payments.constants import VatCode
from payments.errors import FeeEndError, FeeInThePastError
from payments.models import FeeSchedule


@transaction.atomic(durable=True)
def change_fee(
    *,
    course_type_id: int,
    mode: str,
    force_code: str = "",
    valid_from: dt.date,
    valid_to: dt.date | None = None,
    parts: rules.Parts,
    vat_code: str = VatCode.OUTSIDE,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> FeeSchedule:
    """Sell a course in a mode at a new fee from a London day on; the running fee ends the day before.

    With a force the fee is for its offers only; it may end, and the fee for all forces applies again. Bookings keep
    the fee they were sold under. Raises FeeInThePastError for a day that has begun, or one not after the start of a
    fee that is already planned; FeeEndError where the fee for all would end. Locks the fees of this course,
    mode and force.
    """
    planned = FeeSchedule.objects.select_for_update(of=("self",)).filter(
        course_type_id=course_type_id, mode=mode, force_id=force_code or None
    )
    last = planned.order_by("-valid_from").first()
    if valid_from <= london_day(now) or (last is not None and valid_from <= last.valid_from):
        raise FeeInThePastError
    if valid_to is not None and (not force_code or valid_to < valid_from):
        raise FeeEndError
    if last is not None and (last.valid_to is None or last.valid_to >= valid_from):
        last.valid_to = valid_from - dt.timedelta(days=1)
        last.save(update_fields=["valid_to"])
    fee = FeeSchedule.objects.create(
        course_type_id=course_type_id,
        mode=mode,
        force_id=force_code or None,
        valid_from=valid_from,
        valid_to=valid_to,
        total_pence=parts.total,
        police_pence=parts.police,
        levy_pence=parts.levy,
        vat_code=vat_code,
        vat_pence=parts.vat,
        provider_pence=parts.provider,
    )
    audit.record("fee.changed", by=by, now=now, words=_words(fee, last), subject=f"fee:{fee.pk}", reason=reason)
    return fee


def _words(fee: FeeSchedule, last: FeeSchedule | None) -> str:
    whose = f" for force {fee.force_id}" if fee.force_id else ""
    was = f" (was {pounds(last.total_pence)})" if last else ""
    until = f" to {date_words(fee.valid_to)}" if fee.valid_to else ""
    what = f"{fee.course_type.code} {mid_sentence(fee.get_mode_display())}{whose}"
    return f"The fee of {what} is {pounds(fee.total_pence)}{was} from {date_words(fee.valid_from)}{until}"
