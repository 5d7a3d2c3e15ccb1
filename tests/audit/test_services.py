"""Audit events stand or fall with the change they speak of."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from audit import services
from audit.context import Actor, acting, because
from audit.models import AccessLog, AuditEvent, RetentionProof, Seal, SealedRange, SealLayout
from tests.audit.sql import execute

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
CLERK = Actor("staff", "7")


@pytest.mark.django_db
def test_an_event_keeps_who_what_why_and_both_clocks() -> None:
    with acting(CLERK, on_behalf_of="candidate:46/46DEMO0001", reason="hospital"):
        event = services.record(
            "booking.moved",
            by=CLERK,
            now=NOW,
            words="Moved to 14 December.",
            referral_key="46/46DEMO0001",
            subject="booking:17",
            data={"fee_pence": 0},
        )
    event.refresh_from_db()
    assert (event.occurred_at, event.actor, event.on_behalf_of) == (NOW, "staff:7", "candidate:46/46DEMO0001")
    assert (event.action, event.subject, event.referral_key) == ("booking.moved", "booking:17", "46/46DEMO0001")
    assert (event.words, event.reason, event.data) == ("Moved to 14 December.", "hospital", {"fee_pence": 0})
    assert event.recorded_at > NOW - dt.timedelta(days=36500)


@pytest.mark.django_db
def test_a_reason_given_outweighs_the_contexts() -> None:
    with acting(CLERK), because("outer"):
        assert services.record("a.b", by=CLERK, now=NOW, words="X.", reason="inner").reason == "inner"


@pytest.mark.django_db
def test_an_event_is_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        services.record("a.b", by=CLERK, now=NOW, words="X.")


@pytest.mark.django_db
def test_many_events_are_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1), transaction.atomic(savepoint=False):
        count = services.record_many(
            services.event_of("a.b", by=CLERK, now=NOW, words=f"X {number}.") for number in range(30)
        )
    assert count == 30
    assert AuditEvent.objects.count() == 30


@pytest.mark.django_db
def test_where_the_event_cannot_be_written_the_change_is_undone() -> None:
    user = User.objects.create(username="one", role="CLERK")
    execute("ALTER TABLE audit_auditevent ADD CONSTRAINT never CHECK (id < 0) NOT VALID")

    def promote() -> None:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(role="MANAGER")
            services.record("user.promoted", by=CLERK, now=NOW, words="Promoted.")

    with pytest.raises(IntegrityError, match="never"):
        promote()
    user.refresh_from_db()
    assert user.role == "CLERK"
    assert user.history.count() == 1
    assert AuditEvent.objects.count() == 0


@pytest.mark.django_db
def test_access_is_logged_also_where_it_was_refused() -> None:
    services.log_access("referral.opened", by=CLERK, now=NOW, referral_key="46/A", address="192.0.2.7", reason="asked")
    services.log_access("referral.opened", by=CLERK, now=NOW, referral_key="42/B", address="::1", allowed=False)
    assert list(AccessLog.objects.order_by("pk").values_list("referral_key", "address", "reason", "allowed")) == [
        ("46/A", "192.0.2.7", "asked", True),
        ("42/B", "::1", "", False),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("model", [AuditEvent, AccessLog, Seal, SealedRange, SealLayout, RetentionProof])
def test_s24_the_record_refuses_update_delete_and_truncate(model: Any) -> None:
    services.record("a.b", by=CLERK, now=NOW, words="X.")
    services.seal(now=NOW)
    before = list(model.objects.values())
    table = model._meta.db_table
    for sql in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(IntegrityError, match="the record is append-only"), transaction.atomic():
            execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql}")
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk__gt=0)._raw_delete("default")
    assert list(model.objects.values()) == before
