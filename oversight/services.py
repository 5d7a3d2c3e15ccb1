"""Checking that promises are kept."""

from datetime import datetime, timedelta

from django.db import transaction

from audit.context import Actor
from audit.services import record
from oversight import rules, selectors
from oversight.constants import Promise
from oversight.errors import AlreadySeenError
from oversight.models import Breach, CheckMark

# Clocks that stopped shortly before the last check may have been committed after it looked.
OVERLAP = timedelta(minutes=10)


def check_processing_times(*, by: Actor, now: datetime) -> dict[str, dict[str, int]]:
    """Recompute the running clocks of every promise and record each breach once.

    Returns {promise: {"running", "at_risk", "breached", "new"}}: clocks that run at `now`, those past the warning
    share of their time, those overdue, and breaches found by this run. May be repeated and run at once: each promise
    is a transaction of its own that locks the promise's mark.
    """
    return {promise: _check(promise, by, now) for promise in Promise.values}


def mark_seen(*, breach_id: int, explanation: str, by: Actor, now: datetime) -> Breach:
    """Note who looked at a breach and what they found. Raises AlreadySeenError when somebody has."""
    with transaction.atomic(durable=True):
        breach = Breach.objects.select_for_update().get(pk=breach_id)
        if breach.seen_at is not None:
            raise AlreadySeenError
        breach.seen_at, breach.seen_by, breach.explanation = now, str(by), explanation
        breach.save(update_fields=["seen_at", "seen_by", "explanation"])
        record(
            "oversight.breach_seen",
            by=by,
            now=now,
            words=f"Looked at the missed promise “{breach.get_promise_display()}”.",
            subject=f"breach:{breach.pk}",
            referral_key=_referral_key(breach.subject),
            reason=explanation,
        )
    return breach


def _check(promise: str, by: Actor, now: datetime) -> dict[str, int]:
    counts = {"running": 0, "at_risk": 0, "breached": 0, "new": 0}
    with transaction.atomic(durable=True):
        CheckMark.objects.get_or_create(promise=promise, defaults={"checked_to": now - timedelta(days=366)})
        mark = CheckMark.objects.select_for_update().get(promise=promise)
        standards = selectors.limits(promise)
        late: dict[tuple[str, datetime], Breach] = {}
        for clock in selectors.clocks(promise, since=mark.checked_to - OVERLAP, now=now):
            limit = selectors.limit_for(standards, clock.started_at)
            if limit is None:
                continue
            standing = rules.standing(limit, started_at=clock.started_at, done_at=clock.done_at, now=now)
            if clock.done_at is None:
                counts["running"] += 1
                counts["at_risk"] += standing == rules.AT_RISK
                counts["breached"] += standing == rules.BREACHED
            if standing == rules.BREACHED:
                late[clock.subject, clock.started_at] = Breach(
                    promise=promise,
                    subject=clock.subject,
                    force_code=clock.force_code,
                    started_at=clock.started_at,
                    due_at=rules.due_at(limit, clock.started_at),
                    done_at=clock.done_at,
                    found_at=now,
                )
        counts["new"] = _store(promise, late, by, now)
        if now > mark.checked_to:
            mark.checked_to = now
            mark.save(update_fields=["checked_to"])
    return counts


def _store(promise: str, late: dict[tuple[str, datetime], Breach], by: Actor, now: datetime) -> int:
    """Insert the breaches that are new and note the end of those known. Returns how many are new."""
    known = {
        (breach.subject, breach.started_at): breach
        for breach in Breach.objects.filter(promise=promise, subject__in=[subject for subject, _ in late])
    }
    ended = []
    for key, breach in known.items():
        if breach.done_at is None and key in late and late[key].done_at is not None:
            breach.done_at = late[key].done_at
            ended.append(breach)
    Breach.objects.bulk_update(ended, ["done_at"], batch_size=500)
    new = [breach for key, breach in late.items() if key not in known]
    Breach.objects.bulk_create(new, batch_size=500)
    for breach in new:
        record(
            "oversight.breach_found",
            by=by,
            now=now,
            words=f"Promise missed: {breach.get_promise_display()}, due {breach.due_at:%Y-%m-%d %H:%M} UTC.",
            subject=breach.subject,
            referral_key=_referral_key(breach.subject),
        )
    return len(new)


def _referral_key(subject: str) -> str:
    kind, _, key = subject.partition(":")
    return key if kind == "referral" else ""
