"""The check of processing times: each breach once, whenever and however often it runs."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from audit.context import Actor
from audit.models import AuditEvent
from oversight import services
from oversight.constants import Promise
from oversight.errors import AlreadySeenError
from oversight.models import Breach, Standard
from referrals.constants import BatchStatus
from tests.factories.courses import DeliveredSessionFactory, TakenPlaceFactory
from tests.factories.referrals import BatchFactory, LiveReferralFactory

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor("job", "check_processing_times")
# Friday; one working day ends with Monday 23 November.
RECEIVED = datetime(2026, 11, 20, 10, tzinfo=UTC)
ON_SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
ON_TUESDAY = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)


def check(now: datetime) -> dict[str, dict[str, int]]:
    return services.check_processing_times(by=BY, now=now)


def waiting_batch(**fields: object) -> UUID:
    batch = BatchFactory.create(now=RECEIVED, status=BatchStatus.RECEIVED, settled_at=None, **fields)
    return batch.pk


def test_a_batch_is_breached_once_and_its_end_is_noted() -> None:
    pk = waiting_batch()

    assert check(ON_SUNDAY)[Promise.BATCH_PROCESSED] == {"running": 1, "at_risk": 0, "breached": 0, "new": 0}
    assert check(ON_TUESDAY)[Promise.BATCH_PROCESSED] == {"running": 1, "at_risk": 0, "breached": 1, "new": 1}
    assert check(ON_TUESDAY + timedelta(minutes=5))[Promise.BATCH_PROCESSED]["new"] == 0

    breach = Breach.objects.get()
    assert (breach.subject, breach.force_code, breach.started_at, breach.due_at, breach.done_at) == (
        f"batch:{pk}",
        "46",
        RECEIVED,
        datetime(2026, 11, 24, tzinfo=UTC),
        None,
    )
    assert AuditEvent.objects.filter(action="oversight.breach_found", subject=f"batch:{pk}").count() == 1

    settled_at = ON_TUESDAY + timedelta(hours=1)
    from referrals.models import Batch

    Batch.objects.filter(pk=pk).update(status=BatchStatus.SETTLED, status_at=settled_at, settled_at=settled_at)
    check(settled_at + timedelta(minutes=1))
    breach.refresh_from_db()
    assert breach.done_at == settled_at
    assert Breach.objects.count() == 1


def test_a_batch_settled_late_between_two_checks_is_found_by_the_next() -> None:
    check(ON_SUNDAY)
    BatchFactory.create(
        now=RECEIVED, status_at=ON_TUESDAY + timedelta(hours=1), settled_at=ON_TUESDAY + timedelta(hours=1)
    )
    # Nobody looked for three days: what stopped meanwhile is still looked at.
    assert check(ON_TUESDAY + timedelta(days=3))[Promise.BATCH_PROCESSED] == {
        "running": 0,
        "at_risk": 0,
        "breached": 0,
        "new": 1,
    }
    assert Breach.objects.get().done_at == ON_TUESDAY + timedelta(hours=1)


def test_a_batch_settled_in_time_is_no_breach() -> None:
    BatchFactory.create(now=RECEIVED)
    assert check(ON_TUESDAY)[Promise.BATCH_PROCESSED]["new"] == 0
    assert not Breach.objects.exists()


def test_a_referral_bookable_after_25_hours_is_a_breach_and_after_23_is_not() -> None:
    late = LiveReferralFactory.create(now=RECEIVED)
    kept = LiveReferralFactory.create(now=RECEIVED)
    type(late).objects.filter(pk=late.pk).update(bookable_at=RECEIVED + timedelta(hours=25))
    type(kept).objects.filter(pk=kept.pk).update(bookable_at=RECEIVED + timedelta(hours=23))

    assert check(ON_TUESDAY)[Promise.REFERRAL_BOOKABLE]["new"] == 1
    assert Breach.objects.get().subject == f"referral:{late.key}"
    assert AuditEvent.objects.get(action="oversight.breach_found").referral_key == late.key


def test_a_register_left_open_is_a_breach_two_hours_after_the_course() -> None:
    session = DeliveredSessionFactory.create()
    TakenPlaceFactory.create(session=session)
    DeliveredSessionFactory.create(starts_at=session.starts_at + timedelta(days=1))  # nobody on it: no register due

    assert check(session.ends_at + timedelta(hours=2))[Promise.REGISTER_CLOSED]["new"] == 0
    assert check(session.ends_at + timedelta(hours=2, seconds=1))[Promise.REGISTER_CLOSED]["new"] == 1
    assert Breach.objects.get().subject == f"session:{session.pk}"


def test_the_standard_of_the_day_the_clock_started_counts() -> None:
    standard = Standard.objects.get(promise=Promise.BATCH_PROCESSED)
    standard.valid_to = RECEIVED.date()
    standard.save()
    Standard.objects.create(
        promise=Promise.BATCH_PROCESSED, amount=5, unit="WORKING_DAYS", valid_from=RECEIVED.date() + timedelta(days=1)
    )
    waiting_batch()
    assert check(ON_TUESDAY)[Promise.BATCH_PROCESSED]["new"] == 1


def test_overlapping_standards_are_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="oversight_standard_no_overlap"), transaction.atomic():
        Standard.objects.create(
            promise=Promise.BATCH_PROCESSED, amount=5, unit="WORKING_DAYS", valid_from=RECEIVED.date()
        )
    assert Standard.objects.filter(promise=Promise.BATCH_PROCESSED).count() == 1


def test_a_breach_is_looked_at_once() -> None:
    waiting_batch()
    check(ON_TUESDAY)
    breach = Breach.objects.get()
    services.mark_seen(breach_id=breach.pk, explanation="The worker was down.", by=Actor("staff", "7"), now=ON_TUESDAY)
    with pytest.raises(AlreadySeenError):
        services.mark_seen(breach_id=breach.pk, explanation="Another.", by=Actor("staff", "8"), now=ON_TUESDAY)

    breach.refresh_from_db()
    assert (breach.seen_by, breach.seen_at, breach.explanation) == ("staff:7", ON_TUESDAY, "The worker was down.")
    assert AuditEvent.objects.filter(action="oversight.breach_seen").count() == 1
