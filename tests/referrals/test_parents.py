"""A referral's force and course exist, whatever writes it, and stay: without a foreign key's check of every row."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from common.copy import copy_rows
from courses.models import CourseType
from devtools import processes
from referrals.models import Force, Referral
from tests.factories import referrals as factories

pytestmark = pytest.mark.django_db
NOBODY = {"force_id": "99", "course_type_id": 10**9}


def copied(referral: Referral, changes: dict[str, Any]) -> None:
    """The referral again, by COPY."""
    columns = [field.column for field in Referral._meta.concrete_fields if not field.primary_key]
    values = {column: getattr(referral, column) for column in columns} | {"reference": "46COPIED"} | changes
    with connection.cursor() as cursor:
        copy_rows(cursor, "referrals_referral", columns, [[_plain(values[column]) for column in columns]])


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def inserted(referral: Referral, changes: dict[str, Any]) -> None:
    """The referral again, by the ORM."""
    values = {f.attname: getattr(referral, f.attname) for f in Referral._meta.concrete_fields if not f.primary_key}
    Referral.objects.bulk_create([Referral(**values | {"reference": "46INSERTED"} | changes)])


def updated(referral: Referral, changes: dict[str, Any]) -> None:
    """The referral changed in place."""
    Referral.objects.filter(pk=referral.pk).update(**changes)


@pytest.mark.parametrize("column", NOBODY)
@pytest.mark.parametrize("write", [copied, inserted, updated])
def test_no_referral_of_a_force_or_course_that_is_not(
    write: Callable[[Referral, dict[str, Any]], None], column: str
) -> None:
    referral = factories.LiveReferralFactory()
    referral.refresh_from_db()
    before = Referral.objects.count(), Referral.history.count()
    with pytest.raises(IntegrityError, match="does not exist"), transaction.atomic():
        write(referral, {column: NOBODY[column]})
    assert (Referral.objects.count(), Referral.history.count()) == before
    write(referral, {})


def test_a_force_with_referrals_is_not_deleted() -> None:
    referral = factories.LiveReferralFactory()
    before = Force.objects.count(), Force.history.count()
    with pytest.raises(IntegrityError, match="still named"), transaction.atomic():
        Force.objects.filter(pk=referral.force_id)._raw_delete("default")
    assert (Force.objects.count(), Force.history.count()) == before


def test_course_types_are_never_deleted() -> None:
    before = CourseType.objects.count(), CourseType.history.count()
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        CourseType.objects.filter(code="D4C")._raw_delete("default")
    assert (CourseType.objects.count(), CourseType.history.count()) == before


@pytest.mark.django_db(transaction=True)
def test_a_force_that_is_being_named_is_waited_for_and_stays() -> None:
    """Both at once: who deletes the force waits for the referral that names it, and then finds it."""
    referral = factories.LiveReferralFactory()
    referral.refresh_from_db()
    Force.objects.create(code="98", name="Made for this")
    refused: list[BaseException] = []

    def delete() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM referrals_force WHERE code = '98'")
        except IntegrityError as error:
            refused.append(error)
        finally:
            connection.close()

    deleting = threading.Thread(target=delete)
    with transaction.atomic():
        copied(referral, {"force_id": "98"})
        deleting.start()
        assert processes.wait_until(_somebody_waits, seconds=20)
    deleting.join(timeout=20)
    assert len(refused) == 1
    assert Referral.objects.filter(force_id="98").count() == Force.objects.filter(pk="98").count() == 1


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
