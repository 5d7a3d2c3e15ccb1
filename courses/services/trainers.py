"""Who teaches what. That a licence covers the day, and that nobody is in two rooms, the database sees to."""

import datetime as dt

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.clock import day_words, london_day
from courses.constants import SessionStatus, TrainerRole
from courses.errors import NotLicensedError, SessionStateError
from courses.models import SessionTrainer, Trainer
from courses.services.places import lock_session
from courses.services.violations import told_apart


@transaction.atomic(durable=True)
def roster(
    *, session_id: int, trainer_id: int, role: str = TrainerRole.LEAD, by: Actor, now: dt.datetime
) -> SessionTrainer:
    """Put a trainer on a session; repeated, it changes their role. Locks the session.

    Raises NotLicensedError (licence or ADI registration on the London day of delivery), TrainerBusyError, and
    SessionStateError for a session that is over or cancelled.
    """
    session = lock_session(session_id)
    if session.status not in (SessionStatus.DRAFT, SessionStatus.OPEN):
        raise SessionStateError
    trainer = Trainer.objects.get(pk=trainer_id)
    if not trainer.is_active:
        raise NotLicensedError("This trainer no longer works with us.")
    with told_apart():
        assignment, _ = SessionTrainer.objects.update_or_create(
            session=session, trainer=trainer, defaults={"role": role}
        )
    audit.record(
        "session.rostered",
        by=by,
        now=now,
        words=f"{trainer.name} will teach the session on {day_words(london_day(session.starts_at))}.",
        subject=f"session:{session.pk}",
        data={"trainer": trainer.pk, "role": role},
    )
    return assignment


@transaction.atomic(durable=True)
def take_off(*, session_id: int, trainer_id: int, reason: str, by: Actor, now: dt.datetime) -> bool:
    """Take a trainer off a session. Returns False where they were not on it. Locks the session."""
    session = lock_session(session_id)
    removed, _ = SessionTrainer.objects.filter(session=session, trainer_id=trainer_id).delete()
    if removed:
        audit.record(
            "session.taken_off",
            by=by,
            now=now,
            words=f"A trainer was taken off the session on {day_words(london_day(session.starts_at))}.",
            subject=f"session:{session.pk}",
            reason=reason,
            data={"trainer": trainer_id},
        )
    return bool(removed)
