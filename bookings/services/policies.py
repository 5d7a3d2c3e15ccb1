"""Changing the rules of booking: never by editing what somebody booked under, always by a new row from a day on."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from bookings.errors import PolicyInThePastError
from bookings.models import Policy
from common.clock import date_words, london_day


@transaction.atomic(durable=True)
def change_policy(
    *, valid_from: dt.date, values: Mapping[str, int], reason: str, by: Actor, now: dt.datetime
) -> Policy:
    """Book by other rules from a London day on; the running ones end the day before, and whoever booked keeps theirs.

    `values` are the rules that change, by the names of `Policy`'s fields; the others stay as they are. Raises
    PolicyInThePastError for a day that has begun, or one not after the start of a policy that is planned. Locks the
    last policy.
    """
    last = Policy.objects.select_for_update().order_by("-valid_from")[:1].get()
    if valid_from <= london_day(now) or valid_from <= last.valid_from:
        raise PolicyInThePastError
    before = last.rules
    last.valid_to = valid_from - dt.timedelta(days=1)
    last.save(update_fields=["valid_to"])
    policy = Policy.objects.create(valid_from=valid_from, **{**before, **values})
    changes = [f"{name} {before[name]} to {value}" for name, value in policy.rules.items() if value != before[name]]
    words = f"The rules of booking from {date_words(valid_from)}: {', '.join(changes) or 'nothing changes'}"
    audit.record("policy.changed", by=by, now=now, words=words, subject=f"policy:{policy.pk}", reason=reason)
    return policy
