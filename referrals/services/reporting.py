"""Nothing stays unreported for longer than a working day without somebody being told (DOMAIN.md §7)."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from audit.context import Actor
from common.clock import london_day, moment_words
from notifications import services as notifications
from referrals import selectors
from referrals.models import Force


def tell_unreported(*, by: Actor, now: datetime) -> int:
    """Write to KCC and to each force whose outcomes have waited for more than a working day; returns for how many.

    Once a day for each force, however often it runs.
    """
    late = selectors.unreported(now=now)
    forces = Force.objects.in_bulk([each.force_code for each in late])
    day = london_day(now).isoformat()
    with transaction.atomic(durable=True):
        for each in late:
            force = forces[each.force_code]
            context = {"force": force.name, "count": each.count, "since": moment_words(each.since)}
            for to in sorted({settings.HELP_EMAIL, force.contact_email} - {""}):
                is_ours = to == settings.HELP_EMAIL
                notifications.enqueue(
                    "unreported_outcomes",
                    to=to,
                    dedupe_key=f"unreported:{force.pk}:{day}:{'kcc' if is_ours else 'force'}",
                    now=now,
                    context={
                        **context,
                        "path": f"/admin/referrals/outcome/?force__code__exact={force.pk}"
                        if is_ours
                        else "/police/returns/",
                    },
                )
    return len(late)
