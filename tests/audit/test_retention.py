"""Only the retention role masks or removes rows of the record, and each leaves a proof that keeps the seals whole."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, InternalError, ProgrammingError, connection, transaction

from accounts.models import User
from audit import retention, services
from audit.context import Actor, acting
from audit.models import AuditEvent, RetentionProof
from audit.record import retainable_models
from audit.verification import verify
from tests.audit.sql import execute
from tests.audit.test_sealing import by_force, kinds

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
JOB = Actor("job", "apply_retention")
BASIS = "attended: 3 years 6 months from the offence"


@pytest.fixture
def event(db: None) -> AuditEvent:
    made = services.record("test.happened", by=JOB, now=NOW, words="Jo Smith came.", data={"surname": "Smith"})
    services.record("test.happened", by=JOB, now=NOW, words="Another thing.")
    services.seal(now=NOW)
    return made


def test_a_masked_row_leaves_a_proof_and_the_seals_whole(event: AuditEvent) -> None:
    with acting(JOB):
        masked = retention.mask_rows(
            table="audit_auditevent", ids=[event.pk], changes={"words": "Removed.", "data": {}}, basis=BASIS
        )
    assert masked == 1
    event.refresh_from_db()
    assert (event.words, event.data, event.action) == ("Removed.", {}, "test.happened")
    proof = RetentionProof.objects.get()
    assert (proof.table, proof.row_id, proof.action, proof.columns, proof.basis, proof.actor) == (
        "audit_auditevent",
        event.pk,
        "MASKED",
        ["data", "words"],
        BASIS,
        "job:apply_retention",
    )
    assert kinds() == []


def test_a_removed_row_leaves_a_proof_and_the_seals_whole(event: AuditEvent) -> None:
    with acting(JOB):
        retention.mask_rows(table="audit_auditevent", ids=[event.pk], changes={"words": ""}, basis=BASIS)
        assert retention.remove_rows(table="audit_auditevent", ids=[event.pk], basis=BASIS) == 1
    assert not AuditEvent.objects.filter(pk=event.pk).exists()
    assert list(RetentionProof.objects.order_by("pk").values_list("action", flat=True)) == ["MASKED", "REMOVED"]
    assert kinds() == []
    services.seal(now=NOW)
    assert kinds() == []


def test_history_is_removed_the_same_way(db: None) -> None:
    user = User.objects.create(username="one")
    row = user.history.get()
    services.seal(now=NOW)
    assert retention.remove_rows(table="audit_historicaluser", ids=[row.pk], basis=BASIS) == 1
    assert user.history.count() == 0
    assert kinds() == []


def test_a_row_removed_by_force_is_still_missing_beside_one_removed_by_right(event: AuditEvent) -> None:
    other = AuditEvent.objects.exclude(pk=event.pk).get()
    retention.remove_rows(table="audit_auditevent", ids=[event.pk], basis=BASIS)
    with by_force() as cursor:
        cursor.execute("DELETE FROM audit_auditevent WHERE id = %s", [other.pk])
    assert kinds() == [("missing", "audit_auditevent", [other.pk])]


def test_a_masked_row_changed_again_by_force_breaks_the_seal(event: AuditEvent) -> None:
    retention.mask_rows(table="audit_auditevent", ids=[event.pk], changes={"words": ""}, basis=BASIS)
    with by_force() as cursor:
        cursor.execute("UPDATE audit_auditevent SET words = 'Something else.' WHERE id = %s", [event.pk])
    assert [kind for kind, _, _ in kinds()] == ["changed"]


@pytest.mark.parametrize(
    ("table", "changes", "basis", "message"),
    [
        ("audit_auditevent", {"words": ""}, "", "needs the rule"),
        ("audit_auditevent", {}, BASIS, "never masked"),
        ("audit_auditevent", {"id": 5}, BASIS, "never masked"),
        ("audit_historicaluser", {"history_type": "+"}, BASIS, "never masked"),
        ("audit_auditevent", {"nothing": 5}, BASIS, "nothing"),
        ("accounts_user", {"username": "x"}, BASIS, "no part of the record"),
        ("audit_seal", {"rows": 5}, BASIS, "no part of the record"),
        ("audit_retentionproof", {"basis": "x"}, BASIS, "no part of the record"),
        ("auth_group; DROP TABLE x", {"name": "x"}, BASIS, "no part of the record"),
    ],
)
def test_retention_refuses_what_is_none_of_its_business(
    event: AuditEvent, table: str, changes: dict[str, Any], basis: str, message: str
) -> None:
    with pytest.raises(DatabaseError, match=message), transaction.atomic():
        retention.mask_rows(table=table, ids=[event.pk], changes=changes, basis=basis)
    event.refresh_from_db()
    assert event.words == "Jo Smith came."
    assert RetentionProof.objects.count() == 0


def test_rows_no_seal_covers_yet_stay(event: AuditEvent) -> None:
    fresh = services.record("test.happened", by=JOB, now=NOW, words="Just now.")
    with pytest.raises(InternalError, match="not sealed yet"), transaction.atomic():
        retention.remove_rows(table="audit_auditevent", ids=[event.pk, fresh.pk], basis=BASIS)
    assert AuditEvent.objects.filter(pk__in=[event.pk, fresh.pk]).count() == 2
    assert RetentionProof.objects.count() == 0


def test_nobody_else_may_leave_a_proof(event: AuditEvent) -> None:
    with pytest.raises(IntegrityError, match="only the functions of ndors_retention"), transaction.atomic():
        RetentionProof.objects.create(
            table="audit_auditevent", row_id=event.pk, action="REMOVED", basis="x", digest_before=b"x"
        )
    assert RetentionProof.objects.count() == 0


def test_the_applications_role_cannot_become_the_retention_role(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            pytest.fail("the tests' database role is a superuser, to whom nothing can be refused")
    with pytest.raises(ProgrammingError, match="permission denied to set role"), transaction.atomic():
        execute("SET ROLE ndors_retention")


def test_the_role_may_reach_every_table_of_the_record(db: None) -> None:
    with connection.cursor() as cursor:
        for model in retainable_models():
            cursor.execute(
                "SELECT has_table_privilege('ndors_retention', %s, 'UPDATE, DELETE')", [f'"{model._meta.db_table}"']
            )
            assert cursor.fetchone()[0], model


def test_what_retention_did_is_sealed_itself(event: AuditEvent) -> None:
    retention.remove_rows(table="audit_auditevent", ids=[event.pk], basis=BASIS)
    sealed = services.seal(now=NOW)
    assert sealed is not None
    assert [found.table for found in sealed.ranges.all()] == ["audit_retentionproof"]
    assert verify().is_whole
