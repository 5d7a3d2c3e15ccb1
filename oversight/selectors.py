"""The clocks of each promise, read from the events of the apps below: what is open or new, never all of history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from common.clock import london_day
from courses.constants import SessionStatus
from courses.models import Session
from oversight import rules
from oversight.constants import Promise
from oversight.models import Standard
from referrals.constants import UNFINISHED, BatchKind, BatchStatus
from referrals.models import Batch, Outcome, Referral, Withdrawal

# A register forgotten for longer than this is listed as a breach already; looking further back finds nothing new.
REGISTER_LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise about one subject: when its clock started and, where it did, when it stopped."""

    promise: str
    subject: str
    force_code: str
    started_at: datetime
    done_at: datetime | None


def limits(promise: str) -> list[rules.Limit]:
    """The standards of a promise, newest first."""
    return [
        rules.Limit(row.amount, row.unit, row.warn_at_percent, row.valid_from, row.valid_to)
        for row in Standard.objects.filter(promise=promise).order_by("-valid_from")
    ]


def limit_for(standards: list[rules.Limit], started_at: datetime) -> rules.Limit | None:
    """The standard for a clock that started then; None where no standard was in force."""
    day = london_day(started_at)
    return next((limit for limit in standards if limit.applies_on(day)), None)


def clocks(promise: str, *, since: datetime, now: datetime) -> Iterator[Clock]:
    """Every clock of the promise that runs at `now` or stopped after `since`."""
    yield from _SOURCES[Promise(promise)](since, now)


def _batches(since: datetime, now: datetime) -> Iterator[Clock]:
    rows = Batch.objects.filter(
        Q(status__in=UNFINISHED) | Q(status__in=[BatchStatus.SETTLED, BatchStatus.REFUSED], status_at__gt=since),
        received_at__lte=now,
    ).values_list("pk", "force_id", "received_at", "status", "status_at")
    for pk, force, received_at, status, status_at in rows.iterator():
        done_at = None if status in UNFINISHED else status_at
        yield Clock(Promise.BATCH_PROCESSED, f"batch:{pk}", force, received_at, done_at)


def _bookable(since: datetime, now: datetime) -> Iterator[Clock]:
    # A referral that was bookable within the hour cannot have missed any standard counted in hours or days.
    rows = Referral.objects.filter(
        bookable_at__gt=since, bookable_at__lte=now, bookable_at__gte=F("received_at") + timedelta(hours=1)
    )
    for force, reference, received_at, bookable_at in rows.values_list(
        "force_id", "reference", "received_at", "bookable_at"
    ).iterator():
        yield Clock(Promise.REFERRAL_BOOKABLE, f"referral:{force}/{reference}", force, received_at, bookable_at)


def _withdrawals(since: datetime, now: datetime) -> Iterator[Clock]:
    waiting = Batch.objects.filter(status__in=UNFINISHED, kind=BatchKind.WITHDRAWALS, received_at__lte=now)
    for pk, force, received_at in waiting.values_list("pk", "force_id", "received_at"):
        yield Clock(Promise.WITHDRAWAL_ACTED_ON, f"batch:{pk}", force, received_at, None)
    done = Withdrawal.objects.filter(acted_at__gt=since, acted_at__lte=now)
    for force, reference, received_at, acted_at in done.values_list(
        "referral__force_id", "referral__reference", "received_at", "acted_at"
    ).iterator():
        yield Clock(Promise.WITHDRAWAL_ACTED_ON, f"referral:{force}/{reference}", force, received_at, acted_at)


def _outcomes(since: datetime, now: datetime) -> Iterator[Clock]:
    rows = Outcome.objects.filter(Q(returned_at__isnull=True) | Q(returned_at__gt=since), recorded_at__lte=now)
    for force, sequence, recorded_at, returned_at in rows.values_list(
        "force_id", "sequence", "recorded_at", "returned_at"
    ).iterator():
        yield Clock(Promise.OUTCOME_REPORTED, f"outcome:{force}/{sequence}", force, recorded_at, returned_at)


def _registers(since: datetime, now: datetime) -> Iterator[Clock]:
    rows = (
        Session.objects.filter(ends_at__lte=now, ends_at__gt=now - REGISTER_LOOK_BACK, places_claimed__gt=0)
        .exclude(status__in=[SessionStatus.CANCELLED, SessionStatus.DRAFT])
        .filter(Q(register__closed_at__isnull=True) | Q(register__closed_at__gt=since))
    )
    for pk, ends_at, closed_at in rows.values_list("pk", "ends_at", "register__closed_at").iterator():
        yield Clock(Promise.REGISTER_CLOSED, f"session:{pk}", "", ends_at, closed_at)


_SOURCES = {
    Promise.BATCH_PROCESSED: _batches,
    Promise.REFERRAL_BOOKABLE: _bookable,
    Promise.WITHDRAWAL_ACTED_ON: _withdrawals,
    Promise.OUTCOME_REPORTED: _outcomes,
    Promise.REGISTER_CLOSED: _registers,
}
