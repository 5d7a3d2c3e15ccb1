"""The life of a referral: every change of its status goes through `_move`.

Locks in the order of the house: session, referral, booking, charge.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.clock import date_words, london_day
from common.prepared import Prepared
from common.working_time import add_working_days
from referrals import rules
from referrals.constants import REFERRAL_TRANSITIONS, OutcomeCode, ReferralStatus, WithdrawalReason
from referrals.errors import (
    DateRefusedError,
    EvidenceMissingError,
    ReferralMoveError,
    ReferralNotFoundError,
    WithdrawnOtherwiseError,
)
from referrals.models import Batch, Outcome, Referral, Withdrawal
from referrals.services.outcomes import add_outcome, latest_outcome
from referrals.signals import referral_ended, referral_extended, referral_locking

# A booked course has ended by complete by, but its register may be closed later: wait for it (DEFAULT).
REGISTER_WORKING_DAYS = 2
_OPEN = (ReferralStatus.LIVE, ReferralStatus.NOT_COMPLETED)
_EXTENDABLE = (*_OPEN, ReferralStatus.BOOKED, ReferralStatus.EXPIRED)


def _move(
    referral: Referral,
    to: ReferralStatus,
    *,
    by: Actor,
    now: datetime,
    words: str,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> bool:
    """The only place that assigns a referral's status; the caller has locked it.

    Returns False, having done nothing, where it is there already. Raises ReferralMoveError for what the table of
    transitions does not have.
    """
    present = ReferralStatus(referral.status)
    if present == to:
        return False
    if to not in REFERRAL_TRANSITIONS[present]:
        raise ReferralMoveError(present.label)
    referral.status, referral.status_at, referral.status_by = to, now, str(by)
    changed = ["status", "status_at", "status_by"]
    if to == ReferralStatus.BOOKED and referral.first_booked_at is None:
        referral.first_booked_at = now
        changed.append("first_booked_at")
    referral.save(update_fields=changed)
    audit.record(
        f"referral.{to.lower()}",
        by=by,
        now=now,
        words=words,
        referral_key=referral.key,
        subject=f"referral:{referral.pk}",
        reason=reason,
        data=data,
    )
    return True


_LOCKED = Prepared(
    lambda blank: (
        Referral.objects.select_for_update(of=("self",), no_key=True)
        .select_related("course_type")
        .filter(pk=blank("pk"))
    )
)


def lock(referral_id: int) -> Referral:
    """Lock a referral and read it afresh. Composed. Raises ReferralNotFoundError."""
    referral = _LOCKED.first(pk=referral_id)
    if referral is None:
        raise ReferralNotFoundError
    return referral


def mark_booked(*, referral_id: int, by: Actor, now: datetime) -> bool:
    """A place is booked. Composed; locks the referral. Returns False where it was booked already."""
    with transaction.atomic():
        return _move(lock(referral_id), ReferralStatus.BOOKED, by=by, now=now, words="A course is booked")


def mark_unbooked(*, referral_id: int, by: Actor, now: datetime) -> bool:
    """The booking is gone and nothing else is booked. Composed; locks the referral. Returns False where none was."""
    with transaction.atomic():
        return _move(lock(referral_id), ReferralStatus.LIVE, by=by, now=now, words="Nothing is booked any more")


def record_outcome(
    *,
    referral_id: int,
    outcome: str,
    reason: str,
    attended_on: date | None,
    provider_reference: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Close a delivered course as COMPLETED or NOT_COMPLETED and write the outcome under the force's next sequence.

    Composed; locks the referral, then the force's sequence. The same again returns the outcome there is; another one
    for the same referral is a correction under a new sequence. Raises ReferralMoveError.
    """
    with transaction.atomic():
        referral = lock(referral_id)
        code = OutcomeCode(outcome)
        status = {
            OutcomeCode.COMPLETED: ReferralStatus.COMPLETED,
            OutcomeCode.NOT_COMPLETED: ReferralStatus.NOT_COMPLETED,
        }[code]
        last = latest_outcome(referral)
        told = (code.value, reason, attended_on, provider_reference)
        if last and referral.status == status and told == _told(last):
            return last
        _move(referral, status, by=by, now=now, words=f"Course {code.label.lower()}", reason=reason)
        return add_outcome(
            referral=referral,
            outcome=code,
            reason=reason,
            attended_on=attended_on,
            provider_reference=provider_reference,
            by=by,
            now=now,
        )


def _told(outcome: Outcome) -> tuple[str, str, date | None, str]:
    return outcome.outcome, outcome.reason, outcome.attended_on, outcome.provider_reference


def withdraw(
    *,
    force_code: str,
    reference: str,
    reason: str,
    effective_at: datetime | None,
    received_at: datetime,
    by: Actor,
    now: datetime,
    note: str = "",
) -> tuple[Withdrawal, bool]:
    """Withdraw an offer for good: it stops booking, gives back the place and opens the decision about the money.

    Returns the withdrawal and whether it is new; one that is withdrawn already stays as it is. Locks the session, the
    referral, the booking and the charge. Raises ReferralNotFoundError, ReferralMoveError (a completed course) and
    WithdrawnOtherwiseError (withdrawn before for another reason).
    """
    with transaction.atomic(durable=True):
        referral_id = id_of(force_code=force_code, reference=reference)
        return withdraw_composed(
            referral_id=referral_id,
            reason=reason,
            effective_at=effective_at,
            received_at=received_at,
            by=by,
            now=now,
            note=note,
        )


def withdraw_composed(
    *,
    referral_id: int,
    reason: str,
    effective_at: datetime | None,
    received_at: datetime,
    by: Actor,
    now: datetime,
    note: str = "",
    batch: Batch | None = None,
) -> tuple[Withdrawal, bool]:
    """As `withdraw`, in the caller's transaction, which holds no lock of a session, referral, booking or charge."""
    with transaction.atomic():
        referral_locking.send(sender=Referral, referral_id=referral_id)
        referral = lock(referral_id)
        why = WithdrawalReason(reason)
        if referral.status == ReferralStatus.WITHDRAWN:
            standing = referral.withdrawal
            if standing.reason != why:
                raise WithdrawnOtherwiseError(standing.reason, standing.get_reason_display())
            return standing, False
        words = f"Withdrawn by police: {why.label.lower()}"
        _move(referral, ReferralStatus.WITHDRAWN, by=by, now=now, words=words, reason=note or why.label)
        withdrawal = Withdrawal.objects.create(
            referral=referral,
            reason=why,
            effective_at=effective_at,
            received_at=received_at,
            acted_at=now,
            acted_by=str(by),
            batch=batch,
        )
        referral_ended.send(sender=Referral, referral=referral, kind="withdrawn", reason=why.value, by=by, now=now)
        return withdrawal, True


def id_of(*, force_code: str, reference: str) -> int:
    """The id of a force's referral. Raises ReferralNotFoundError."""
    found = Referral.objects.of_force(force_code).filter(reference=reference).values_list("pk", flat=True).first()
    if found is None:
        raise ReferralNotFoundError
    return int(found)


def extend(
    *,
    force_code: str,
    reference: str,
    complete_by: date,
    evidence: str,
    by: Actor,
    now: datetime,
    book_by: date | None = None,
) -> Referral:
    """Move *complete by* to a later day, as police decided, with what shows that they did.

    *Book by* moves by as many days unless it is given. An expired offer is live again. The same date again changes
    nothing. Raises ReferralNotFoundError, ReferralMoveError, DateRefusedError, EvidenceMissingError.
    """
    if not evidence.strip():
        raise EvidenceMissingError
    with transaction.atomic(durable=True):
        referral_id = id_of(force_code=force_code, reference=reference)
        referral_locking.send(sender=Referral, referral_id=referral_id)
        referral = lock(referral_id)
        if referral.status not in _EXTENDABLE:
            raise ReferralMoveError(referral.get_status_display())
        if referral.complete_by == complete_by and book_by in (None, referral.book_by):
            return referral
        today = london_day(now)
        _check_extension(referral, complete_by, today)
        last_day = _last_day_to_book(referral, complete_by, book_by, today)
        if not referral.offer_on <= last_day <= complete_by:
            raise DateRefusedError("Book by must lie between the offer and complete by.")
        old, old_last_day = referral.complete_by, referral.book_by
        referral.complete_by, referral.book_by = complete_by, last_day
        referral.save(update_fields=["complete_by", "book_by"])
        words = f"Complete by extended by police from {date_words(old)} to {date_words(complete_by)}"
        audit.record(
            "referral.extended",
            by=by,
            now=now,
            words=words,
            referral_key=referral.key,
            subject=f"referral:{referral.pk}",
            reason=evidence.strip(),
            # An import reads what was held before (`standing`).
            data={
                "complete_by": [old.isoformat(), complete_by.isoformat()],
                "book_by": [old_last_day.isoformat(), last_day.isoformat()],
            },
        )
        if referral.status == ReferralStatus.EXPIRED:
            _move(referral, ReferralStatus.LIVE, by=by, now=now, words="Live again", reason=evidence.strip())
        referral_extended.send(sender=Referral, referral=referral, by=by, now=now)
        return referral


def _last_day_to_book(referral: Referral, complete_by: date, book_by: date | None, today: date) -> date:
    if book_by is not None:
        return book_by
    moved = min(referral.book_by + (complete_by - referral.complete_by), complete_by)
    return moved if moved >= today else complete_by


def _check_extension(referral: Referral, complete_by: date, today: date) -> None:
    latest = rules.time_limit(london_day(referral.offence_at))
    if complete_by < referral.complete_by:
        raise DateRefusedError(f"An extension must be later than {date_words(referral.complete_by)}.")
    if complete_by > latest:
        raise DateRefusedError(f"Complete by can be at most {date_words(latest)}, the day before the time limit.")
    if complete_by < today:
        raise DateRefusedError("Complete by must not be in the past.")


def expire_referrals(*, by: Actor, now: datetime, limit: int = 1000) -> int:
    """Expire offers whose complete by has passed, and write their outcomes; returns how many.

    A booked one waits until its register is overdue. Each has a transaction of its own: may be killed, repeated and
    run twice at once.
    """
    today = london_day(now)
    overdue = add_working_days(today, -REGISTER_WORKING_DAYS)
    due = Referral.objects.filter(status__in=_OPEN, complete_by__lt=today) | Referral.objects.filter(
        status=ReferralStatus.BOOKED, complete_by__lt=overdue
    )
    return sum(_expire(pk, by=by, now=now) for pk in due.order_by("pk").values_list("pk", flat=True)[:limit])


def _expire(referral_id: int, *, by: Actor, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        referral_locking.send(sender=Referral, referral_id=referral_id)
        referral = lock(referral_id)
        today = london_day(now)
        booked = referral.status == ReferralStatus.BOOKED
        latest = add_working_days(today, -REGISTER_WORKING_DAYS) if booked else today
        if referral.status not in (*_OPEN, ReferralStatus.BOOKED) or referral.complete_by >= latest:
            return False  # somebody was quicker
        words = f"Expired: complete by was {date_words(referral.complete_by)}"
        _move(referral, ReferralStatus.EXPIRED, by=by, now=now, words=words)
        add_outcome(
            referral=referral,
            outcome=OutcomeCode.EXPIRED_BOOKED if referral.first_booked_at else OutcomeCode.EXPIRED_UNBOOKED,
            reason="",
            attended_on=None,
            provider_reference="",
            by=by,
            now=now,
        )
        referral_ended.send(sender=Referral, referral=referral, kind="expired", reason="", by=by, now=now)
        return True


def add_note(*, force_code: str, reference: str, note: str, by: Actor, now: datetime) -> None:
    """Add a note of police to a referral's story. Raises ReferralNotFoundError."""
    with transaction.atomic(durable=True):
        referral_id = id_of(force_code=force_code, reference=reference)
        audit.record(
            "referral.noted",
            by=by,
            now=now,
            words=f"Note: {note.strip()}",
            referral_key=f"{force_code}/{reference}",
            subject=f"referral:{referral_id}",
        )
