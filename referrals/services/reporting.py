"""Nothing stays unreported for longer than a working day, and no file unfinished, without somebody being told.

The first is DOMAIN.md §7.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from audit.context import Actor
from common.clock import london_day, moment_words
from notifications import services as notifications
from referrals import selectors
from referrals.constants import MOST_ATTEMPTS, UNFINISHED
from referrals.models import Batch, Force


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


def tell_left(*, now: datetime) -> int:
    """Write about each file that was tried so often that nobody works on it: to KCC, and to its sender or the force.

    Once for each file, however often it runs. Returns how many there are.
    """
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    left = Batch.objects.filter(free, status__in=UNFINISHED, attempts__gte=MOST_ATTEMPTS).select_related("force")
    with transaction.atomic(durable=True):
        for batch in left:
            for whose, to, path in (
                ("kcc", settings.HELP_EMAIL, f"/admin/referrals/batch/{batch.pk}/change/"),
                ("sender", batch.receipt_email or batch.force.contact_email, f"/police/batches/{batch.pk}/"),
            ):
                notifications.enqueue(
                    "batch_left",
                    to=to,
                    dedupe_key=f"batch-left:{batch.pk}:{whose}",
                    now=now,
                    context={
                        "file_name": batch.file_name,
                        "kind": batch.get_kind_display(),
                        "settled": batch.rows,
                        "expected": batch.rows_expected or "",
                        "path": path,
                    },
                )
    return len(left)
