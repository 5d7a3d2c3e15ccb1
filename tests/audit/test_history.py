"""History is written by the database, whatever way the change takes."""

import datetime as dt
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts.models import User
from audit.context import Actor, acting
from audit.record import historical_model, tracked_models
from tests.audit.odd import odd_model
from tests.audit.sql import execute

CLERK = Actor("staff", "7")


@pytest.fixture
def odd(db: None) -> Iterator[Any]:
    with odd_model() as model:
        yield model


def test_no_model_saves_history_from_python() -> None:
    from django.db.models.signals import post_delete, post_save, pre_delete

    for model in tracked_models():
        for signal in (post_save, post_delete, pre_delete):
            receivers = signal._live_receivers(model)[0]
            assert [r for r in receivers if "simple_history" in r.__module__ or "audit" in r.__module__] == []
        assert not hasattr(model, "save_without_historical_record")


def test_the_password_of_a_user_and_their_last_sign_in_are_not_recorded() -> None:
    columns = {field.column for field in historical_model(User)._meta.fields}
    assert {"password", "last_login"} & columns == set()
    assert {"username", "role", "is_superuser", "history_actor", "history_on_behalf_of", "history_reason"} <= columns


@pytest.mark.django_db
def test_a_sign_in_leaves_no_row() -> None:
    user = User.objects.create(username="one")
    user.set_password("another password")
    user.last_login = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    user.save()
    assert [row.history_type for row in user.history.all()] == ["+"]


@pytest.mark.django_db
def test_before_and_after_can_be_told_apart() -> None:
    with acting(CLERK, reason="promoted"):
        user = User.objects.create(username="one", role="CLERK")
        User.objects.filter(pk=user.pk).update(role="MANAGER")
    after, before = user.history.all()
    assert (before.role, before.history_type) == ("CLERK", "+")
    assert (after.role, after.history_type, after.history_actor, after.history_reason) == (
        "MANAGER",
        "~",
        "staff:7",
        "promoted",
    )
    assert [(c.field, c.old, c.new) for c in after.diff_against(before).changes] == [("role", "CLERK", "MANAGER")]
    assert User.history.as_of(before.history_date).get(pk=user.pk).role == "CLERK"
    assert User.history.as_of(after.history_date).get(pk=user.pk).role == "MANAGER"
    assert (after.history_user, after.history_user_id, after.history_change_reason) == ("staff:7", "7", "promoted")


def test_every_kind_of_column_is_recorded(odd: Any) -> None:
    parent = odd.objects.create(key="p")
    row = odd.objects.create(key="a\"'%", text="%s", select=3, data={"b": [1]}, raw=b"\x00\xff", parent=parent)
    row.refresh_from_db()
    assert row.doubled == 6
    recorded = odd.history.get(key=row.key)
    assert (recorded.text, recorded.select, recorded.data, bytes(recorded.raw), recorded.parent_id) == (
        "%s",
        3,
        {"b": [1]},
        b"\x00\xff",
        "p",
    )
    assert "doubled" not in {field.name for field in recorded._meta.fields}


def test_update_records_the_rows_that_changed_and_no_others(odd: Any) -> None:
    odd.objects.bulk_create(odd(key=str(n), select=n) for n in range(5))
    odd.objects.update(select=2)
    assert sorted(odd.history.filter(history_type="~").values_list("key", "select")) == [
        ("0", 2),
        ("1", 2),
        ("3", 2),
        ("4", 2),
    ]


def test_a_change_from_or_to_null_is_a_change(odd: Any) -> None:
    odd.objects.create(key="a")
    odd.objects.update(text="")
    odd.objects.update(text=None)
    assert list(odd.history.order_by("history_id").values_list("text", flat=True)) == [None, "", None]


def test_excluded_columns_alone_leave_no_row(odd: Any) -> None:
    odd.objects.create(key="a")
    odd.objects.update(secret="x")
    assert odd.history.count() == 1
    odd.objects.update(secret="y", select=1)
    assert odd.history.count() == 2


def test_upsert_and_delete_are_recorded(odd: Any) -> None:
    odd.objects.create(key="a", select=1)
    rows = [odd(key="a", select=2), odd(key="b", select=3)]
    odd.objects.bulk_create(rows, update_conflicts=True, update_fields=["select"], unique_fields=["key"])
    odd.objects.all().delete()
    assert sorted(odd.history.values_list("key", "history_type", "select")) == [
        ("a", "+", 1),
        ("a", "-", 2),
        ("a", "~", 2),
        ("b", "+", 3),
        ("b", "-", 3),
    ]


def test_expressions_are_recorded_as_what_they_came_to(odd: Any) -> None:
    odd.objects.create(key="a", select=20)
    odd.objects.update(select=F("select") + 1)
    assert odd.history.latest("history_id").select == 21


def test_many_rows_are_joined_quickly_though_the_session_planned_for_one(odd: Any) -> None:
    odd.objects.create(key="first")
    odd.objects.update(select=1)  # plans the trigger's join, with one row in view
    with connection.cursor() as cursor:
        cursor.execute("""INSERT INTO "odd_Table" ("Order", "select", data, secret, attempts)
            SELECT n, 0, '{}', '', 0 FROM generate_series(1, 20000) n""")
        cursor.execute("SELECT clock_timestamp()")
        began = cursor.fetchone()[0]
        cursor.execute("""UPDATE "odd_Table" SET "select" = 5""")
        cursor.execute("SELECT clock_timestamp()")
        took = cursor.fetchone()[0] - began
    assert odd.history.filter(history_type="~", select=5).count() == 20001
    assert took < dt.timedelta(seconds=5)  # a nested loop over both transition tables takes minutes


@pytest.mark.parametrize(
    "sql", ['UPDATE "odd_Table" SET "Order" = \'b\'', 'TRUNCATE "odd_Table"', 'TRUNCATE "odd_Table" CASCADE']
)
def test_no_row_slips_away_from_its_history(odd: Any, sql: str) -> None:
    odd.objects.create(key="a")
    with pytest.raises(IntegrityError, match="keeps its key and is never truncated"), transaction.atomic():
        execute(f"SET CONSTRAINTS ALL IMMEDIATE; {sql}")
    assert list(odd.objects.values_list("key", flat=True)) == ["a"]
    assert odd.history.count() == 1


def test_pgtrigger_ignore_does_not_silence_history(odd: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger\\_%' AND tgrelid = '\"odd_Table\"'::regclass"
        )
        names = ",".join(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + names + "}"])
    odd.objects.create(key="a")
    assert odd.history.count() == 1


def test_where_history_cannot_be_written_nothing_changes(odd: Any) -> None:
    odd.objects.create(key="a", select=1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE {odd.history.model._meta.db_table} ADD CONSTRAINT never CHECK (history_id < 0) NOT VALID"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        odd.objects.update(select=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        odd.objects.create(key="b")
    with pytest.raises(IntegrityError), transaction.atomic():
        odd.objects.all().delete()
    assert list(odd.objects.values_list("key", "select")) == [("a", 1)]
    assert odd.history.count() == 1


@pytest.mark.parametrize("statement", ["UPDATE {} SET history_reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.django_db
def test_s24_history_refuses_update_delete_and_truncate(statement: str) -> None:
    User.objects.create(username="one")
    tables = [historical_model(model)._meta.db_table for model in tracked_models()]
    assert "audit_historicaluser" in tables
    for table in tables:
        with pytest.raises(IntegrityError, match="the record is append-only"), transaction.atomic():
            execute(statement.format(f'"{table}"'))
    assert [(row.username, row.history_reason) for row in User.history.all()] == [("one", "")]


@pytest.mark.django_db
def test_a_statement_that_names_the_retention_setting_gains_nothing() -> None:
    User.objects.create(username="one")
    with pytest.raises(IntegrityError, match="the record is append-only"), transaction.atomic():
        execute("SELECT set_config('app.retention', 'on', true); DELETE FROM audit_historicaluser")
    assert User.history.count() == 1


@pytest.mark.django_db
def test_migrations_hold_the_triggers_of_every_tracked_model() -> None:
    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", "accounts", "audit", stdout=out)
    assert "No changes detected" in out.getvalue()
    with connection.cursor() as cursor:
        for model in tracked_models():
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
                [f'"{model._meta.db_table}"', "pgtrigger\\_history\\_%"],
            )
            installed = sorted(name.removeprefix("pgtrigger_").rsplit("_", 1)[0] for (name,) in cursor.fetchall())
            assert installed == ["history_delete", "history_guard", "history_insert", "history_update"], model


@pytest.mark.django_db
def test_a_model_says_no_more_than_history_and_makemigrations_writes_the_triggers(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nowhere").mkdir()  # even a dry run makes packages for its files
    (tmp_path / "nowhere/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"accounts": "nowhere.accounts", "audit": "nowhere.audit"}
    out = StringIO()
    call_command("makemigrations", "accounts", "audit", dry_run=True, stdout=out)
    written = re.findall(r"Create trigger (\w+) on model (user|historicaluser)\b", out.getvalue())
    assert sorted(written) == [
        ("append_only", "historicaluser"),
        ("history_delete", "user"),
        ("history_guard", "user"),
        ("history_insert", "user"),
        ("history_update", "user"),
    ]
