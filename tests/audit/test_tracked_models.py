"""Scenario 24, every tracked model, every road: a change is in history, before and after, with actor and reason."""

import os
import subprocess
from typing import Any

import pytest
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, connection, models, transaction

from audit.context import Actor, acting
from audit.record import historical_model, tracked_models
from common import copy
from devtools.embedded.postgres import find_install
from tests.audit import rows

BY = Actor("staff", "7")
ON_BEHALF_OF = "candidate:46/46DEMO0001"
REASON = "asked by telephone, 100 % sure"
TOLD = (str(BY), ON_BEHALF_OF, REASON)

every_tracked_model = pytest.mark.parametrize("model", tracked_models(), ids=lambda model: model._meta.label)


def latest(row: models.Model, count: int = 1) -> list[Any]:
    """The newest history rows of `row`, oldest of them first."""
    history = historical_model(type(row))._base_manager.filter(**{type(row)._meta.pk.attname: row.pk})
    return list(reversed(history.order_by("-history_id")[:count]))


def count_of(row: models.Model) -> int:
    return len(latest(row, 1000))


def told(recorded: Any) -> tuple[str, str, str]:
    return recorded.history_actor, recorded.history_on_behalf_of, recorded.history_reason


def values(record: Any, row: models.Model) -> dict[str, Any]:
    """The recorded columns of a model's row or of its history row."""
    return {
        field.attname: _plain(getattr(record, field.attname))
        for field in historical_model(type(row)).tracked_fields  # type: ignore[attr-defined]
    }


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    return getattr(value, "name", value) if isinstance(value, models.fields.files.FieldFile) else value


def take_out(row: models.Model) -> models.Model | None:
    """Delete the row alone; what points to it will find it again before the transaction ends.

    Where the table lets no row go, a twin that may be put in beside it.
    """
    table, key = type(row)._meta.db_table, type(row)._meta.pk
    sql = f'DELETE FROM "{table}" WHERE "{key.column}" = %s'
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [key.get_db_prep_value(row.pk, connection)])
    except IntegrityError:
        return next(twin for twin in rows.twins(row) if is_welcome(twin))
    return None


def is_welcome(twin: models.Model) -> bool:
    """Whether the table would take it."""
    try:
        with transaction.atomic():
            twin.save(force_insert=True)
            transaction.set_rollback(True)
    except IntegrityError:
        return False
    finally:
        twin.pk = None
    return True


@every_tracked_model
@pytest.mark.django_db
def test_s24_save_is_recorded(model: type[models.Model]) -> None:
    row = rows.make(model)
    [(attribute, before, after)] = rows.accepted_changes(row, 1)
    row.refresh_from_db()
    already = count_of(row)
    setattr(row, attribute, after)
    with acting(BY, on_behalf_of=ON_BEHALF_OF, reason=REASON):
        row.save()
    assert count_of(row) == already + 1
    old, new = latest(row, 2)
    assert (_plain(getattr(old, attribute)), _plain(getattr(new, attribute))) == (_plain(before), after)
    assert (new.history_type, *told(new)) == ("~", *TOLD)
    row.refresh_from_db()
    assert values(new, row) == values(row, row)


@every_tracked_model
@pytest.mark.django_db
def test_s24_update_and_bulk_update_are_recorded(model: type[models.Model]) -> None:
    row = rows.make(model)
    (attribute, before, after), _ = rows.accepted_changes(row, 2)
    already = count_of(row)
    with acting(BY, on_behalf_of=ON_BEHALF_OF, reason=REASON):
        model._base_manager.filter(pk=row.pk).update(**{attribute: after})
        row.refresh_from_db()
        setattr(row, attribute, before)
        model._base_manager.bulk_update([row], [attribute])
    assert count_of(row) == already + 2
    recorded = latest(row, 3)
    assert [_plain(getattr(one, attribute)) for one in recorded] == [_plain(before), after, _plain(before)]
    assert [(one.history_type, *told(one)) for one in recorded[1:]] == [("~", *TOLD)] * 2


@every_tracked_model
@pytest.mark.django_db
def test_s24_delete_and_bulk_create_are_recorded(model: type[models.Model]) -> None:
    row = rows.make(model)
    row.refresh_from_db()
    with acting(BY, on_behalf_of=ON_BEHALF_OF, reason=REASON):
        twin = take_out(row)
        if twin is None:
            gone = latest(row)[0]
            assert (gone.history_type, *told(gone)) == ("-", *TOLD)
            assert values(gone, row) == values(row, row)
        [created] = model._base_manager.bulk_create([twin or row])
    back = latest(created)[0]
    assert (back.history_type, *told(back)) == ("+", *TOLD)
    created.refresh_from_db()
    assert values(back, created) == values(created, created)


@every_tracked_model
@pytest.mark.django_db
def test_s24_copy_is_recorded(model: type[models.Model]) -> None:
    row = rows.make(model)
    row.refresh_from_db()
    twin = take_out(row)
    source = twin or row
    fields = [f for f in model._meta.concrete_fields if not f.generated and (twin is None or not f.primary_key)]
    content = [field.get_db_prep_save(getattr(source, field.attname), connection) for field in fields]
    content = [getattr(value, "adapted", value) for value in content]  # psycopg2's wrapper of JSON
    content = [
        tuple(value) if isinstance(field, ArrayField) and value is not None else value
        for field, value in zip(fields, content, strict=True)
    ]
    with acting(BY, on_behalf_of=ON_BEHALF_OF, reason=REASON), connection.cursor() as cursor:
        assert copy.copy_rows(cursor, model._meta.db_table, [str(field.column) for field in fields], [content]) == 1
    copied = model._base_manager.latest("pk") if twin else model._base_manager.get(pk=row.pk)
    recorded = latest(copied)[0]
    assert (recorded.history_type, *told(recorded)) == ("+", *TOLD)
    assert values(recorded, copied) == values(copied, copied)


def psql(sql: str, **environment: str) -> None:
    """Run `sql` in psql, as somebody at a keyboard would."""
    database: dict[str, Any] = settings.DATABASES["default"]
    done = subprocess.run(
        [str(find_install() / "bin" / "psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-q", "-c", sql],
        env={
            "PATH": os.environ["PATH"],
            "PGHOST": database["HOST"],
            "PGPORT": str(database["PORT"]),
            "PGUSER": database["USER"],
            "PGPASSWORD": database["PASSWORD"],
            "PGDATABASE": database["NAME"],
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
def test_s24_psql_is_recorded_for_every_tracked_model() -> None:
    """One test for all, since rows that psql can see must be committed, and a database replaced after that."""
    changed = []
    for model in tracked_models():
        row = rows.make(model)
        (attribute, before, after), _ = rows.accepted_changes(row, 2)
        changed.append((row, attribute, before, after))
    told_by_hand = " ".join(
        f"-c app.{name}={value}".replace("%", "").replace("\\", "")
        for name, value in (("actor", "staff:7"), ("reason", "by_hand"))
    )
    for number, (row, attribute, _, after) in enumerate(changed):
        field = next(field for field in type(row)._meta.concrete_fields if field.attname == attribute)
        with connection.cursor() as cursor:
            literal = cursor.mogrify("%s", [field.get_db_prep_save(after, connection)]).decode()
            key = cursor.mogrify("%s", [type(row)._meta.pk.get_db_prep_value(row.pk, connection)]).decode()
        statement = (
            f'UPDATE "{type(row)._meta.db_table}" SET "{field.column}" = {literal} '
            f'WHERE "{type(row)._meta.pk.column}" = {key}'
        )
        psql(statement, **({"PGOPTIONS": told_by_hand} if number % 2 else {}))
    for number, (row, attribute, before, after) in enumerate(changed):
        old, new = latest(row, 2)
        label = type(row)._meta.label
        assert (label, _plain(getattr(old, attribute))) == (label, _plain(before))
        assert (label, _plain(getattr(new, attribute))) == (label, after)
        expected = ("~", "staff:7", "by_hand") if number % 2 else ("~", "", "")
        assert (label, new.history_type, new.history_actor, new.history_reason) == (label, *expected)
